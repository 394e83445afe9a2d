"""Settings of deduplication."""

from pydantic import Field

from corpusmill.settings import Settings


class DedupSettings(Settings):
    """Exact and near-duplicate removal."""

    enabled: bool = True
    ngram: int = Field(5, ge=1, le=32)  # words; characters for languages without spaces
    bands: int = Field(14, ge=1, le=64)
    rows: int = Field(8, ge=1, le=64)
    threshold: float = Field(0.75, gt=0, le=1)  # true Jaccard similarity with a kept document
    seed: int = 1
