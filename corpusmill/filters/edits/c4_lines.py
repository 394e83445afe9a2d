"""Edit `c4_lines`: keep lines that look like sentences.

Source: Raffel et al., "Exploring the Limits of Transfer Learning with a Unified Text-to-Text Transformer" (JMLR 2020),
section 2.2, and the code of C4, `tensorflow_datasets/text/c4_utils.py`, function `clean_page`.  What C4 asks of pages
(no "{", no lorem ipsum, three sentences) is a matter of rules.
"""

from typing import Annotated, Literal

from pydantic import Field

from corpusmill.filters.edits.base import EditSettings, NumberOfWords

MIN_WORDS = {"every_script": 5, "tfds": 5, "datatrove": 3}


class C4Lines(EditSettings):
    """Settings of `c4_lines`."""

    kind: Literal["c4_lines"] = "c4_lines"
    variant: Literal["every_script", "tfds", "datatrove"] = "every_script"
    min_words: NumberOfWords | None = None  # of a line; by default the variant's
    max_word_length: Annotated[int, Field(ge=1)] = 1000  # of a word, in characters
    terminal_punctuation: bool = True  # whether a line must end in it
    javascript: bool = True  # drop lines that mention it
    policies: bool = True  # drop lines about cookies, privacy and terms of use
    phrases: list[Annotated[str, Field(min_length=1)]] = []  # drop lines that hold one of these, too
    citations: bool = True  # remove [1], [edit] and [citation needed]
    keep_blocks: bool = True  # leave fenced code and tables of Markdown alone

    @property
    def fewest_words(self) -> int:
        """The number of words that a line must have."""
        return MIN_WORDS[self.variant] if self.min_words is None else self.min_words
