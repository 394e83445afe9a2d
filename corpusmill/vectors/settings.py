"""Settings of word vectors."""

from typing import Literal

from pydantic import Field

from corpusmill.settings import Settings


class VectorSettings(Settings):
    """How word vectors are trained."""

    method: Literal["skip-gram", "cbow", "glove"] = "skip-gram"
    size: int = Field(100, ge=2)  # numbers per vector
    window: int = Field(5, ge=1)  # words on each side
    epochs: int = Field(5, ge=1)
    min_count: int = Field(5, ge=1)  # rarer words have no vector
    subwords: bool = False  # fastText's n-grams of 3 to 6 letters add to the vector of a word
