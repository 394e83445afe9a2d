"""Settings of the tokenizer."""

from pydantic import Field

from corpusmill.settings import Settings


class TokenizerSettings(Settings):
    """The vocabulary and how it is trained."""

    path: str | None = None  # a tokenizer.json to use as it is; relative to the recipe
    vocab_size: int = Field(32_768, ge=261, le=2_000_000)  # at least the 256 bytes and 5 special tokens
    sample_bytes: int = Field(200_000_000, ge=1)  # of text that the vocabulary is trained on
    min_frequency: int = Field(2, ge=1)
