"""Settings of the tokenizer."""

from typing import Literal, Self

from pydantic import Field, model_validator

from corpusmill.settings import Settings, Share

Model = Literal["bpe", "bpe-characters", "unigram", "wordpiece"]
Split = Literal["gpt-2", "gpt-4", "gpt-4o", "llama-3", "qwen", "qwen-3.5"]
Normalizer = Literal["none", "nfc", "nfkc", "lowercase"]


class TokenizerSettings(Settings):
    """The vocabulary, how it is trained, and how texts are encoded with it."""

    path: str | None = None  # a tokenizer.json to use as it is; relative to the recipe
    model: Model = "bpe"  # bpe: over bytes; the others are over characters
    split: Split = "gpt-4o"  # whose pattern cuts a text into pieces; of `bpe` only
    digits: int | None = Field(None, ge=0, le=9)  # most digits of a piece, 0: any; None: as the pattern has it
    normalizer: Normalizer = "none"  # lowercase is NFKC, too
    byte_fallback: bool = True  # of bpe-characters and unigram: characters without a token become bytes
    vocab_size: int = Field(32_768, ge=261, le=2_000_000)  # at least the 256 bytes and 5 special tokens
    min_frequency: int = Field(2, ge=1)
    special_tokens: list[str] = []  # further ones, after the five of every tokenizer
    special_tokens_in_text: bool = False  # whether the text of a special token in a document is that token
    sample_bytes: int = Field(200_000_000, ge=1)  # of the text that the vocabulary is trained on
    sample_balance: Share = 0.3  # 0: groups by source and language give by their bytes; 1: all the same
    references: list[str] = []  # tokenizer.json files that the report compares with

    @model_validator(mode="after")
    def _special_tokens_differ(self) -> Self:
        named = ["<|endoftext|>", "<|pad|>", "<|mask|>", "<|im_start|>", "<|im_end|>", *self.special_tokens]
        twice = {name for name in named if named.count(name) > 1}
        if twice:
            raise ValueError(
                f"special_tokens: '{min(twice)}' is there twice; each tokenizer has {', '.join(named[:5])}"
            )
        if "" in named:
            raise ValueError("special_tokens: a token cannot be empty")
        return self
