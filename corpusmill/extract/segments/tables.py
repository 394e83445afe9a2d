"""The tables of a page: its text, the blocks of the text, the elements around them, and facts that the page states.

There is no tree.  One pass over the bytes (`segment.py`) fills flat arrays.  Everything after it is a loop over rows.

- A *block* is a run of text between two boundaries of block-level elements (or `<br>`), with white space collapsed.
- A *node* is an element that can contain text.  Nodes are in preorder: a subtree is a range of rows, and a parent comes
  before its children.
- A *fact* is a place in the source where the page describes itself (meta, link, title, JSON-LD, microdata).

All offsets are in bytes, of the source (UTF-8 without byte order mark) or of `text` (also UTF-8).
"""

from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

MAX_DEPTH = 512  # open elements, as in browsers; the text of deeper ones belongs to the deepest

BLOCK = np.dtype(
    [
        ("start", np.int32),  # text[start:end]; one byte (a line feed) is between two blocks
        ("end", np.int32),
        ("source_start", np.int32),  # where its first and its last character are in the source
        ("source_end", np.int32),
        ("leaf", np.int32),  # node of its first character
        ("box", np.int32),  # the nearest block-level node around `leaf`
        ("flags", np.int64),  # flags of the elements around it: see FLAGS
        ("n_chars", np.int32),  # characters (code points), not bytes
        ("n_words", np.int32),  # words; in scripts without spaces, every two characters count as a word
        ("link_chars", np.int32),  # number of its characters inside <a>
        ("link_words", np.int32),
        ("n_stops", np.int32),  # . ! ? and similar marks of other scripts
        ("n_commas", np.int32),  # , ; and similar marks
        ("n_digits", np.int32),
        ("n_images", np.int32),  # <img> since the end of the previous block
        ("depth", np.int16),  # number of open elements
        ("heading", np.int8),  # level of the heading around it; 0 if there is none
        ("after_br", np.uint8),  # 1 if only <br> separates it from the previous block
        ("last", np.uint8),  # class of its last character: see CharClass
    ],
    align=True,
)

NODE = np.dtype(
    [
        ("parent", np.int32),  # a smaller index; -1 for node 0, which stands for the page
        ("tag", np.int32),  # see tags.NAMES; 0 for an unknown element
        ("flags", np.int64),  # its own flags and those of its ancestors
        ("first_token", np.int32),  # tokens[first_token:end_token]: hashes of words in class, id and similar attributes
        ("end_token", np.int32),
        ("signature", np.uint32),  # hash of tag and tokens: equal for elements that one template made
        ("source", np.int32),  # offset of its "<" in the source
        ("text_start", np.int32),  # text[text_start:text_end] was written while it was open; may be empty
        ("text_end", np.int32),
        ("first_block", np.int32),  # the first character of the blocks [first_block, end_block) is in it
        ("end_block", np.int32),
    ],
    align=True,
)


class FactKind(IntEnum):
    """The kinds of facts.  The spans of key, value and extra are offsets in the source, or empty (start == end)."""

    HTML = 1  # key: -        value: lang or xml:lang of <html>
    TITLE = 2  # key: -       value: content of the first <title> outside SVG
    META = 3  # key: name, property, itemprop or http-equiv    value: content (of `charset`: nothing)
    #                                         of <meta>, or of any element with property and content (RDFa)
    LINK = 4  # key: rel      value: href     extra: hreflang  (canonical, alternate, license, author, amphtml, ...)
    JSON_LD = 5  # key: -     value: content of <script type="application/ld+json">
    ANCHOR = 6  # key: rel    value: href     of <a> or <area>, if rel holds license, author or tag; node: its own
    #                                         or if href leads to creativecommons.org
    ITEM = 7  # key: itemprop value: content, datetime, href or src; node: its own, whose text counts if value is empty
    SCOPE = 8  # key: -       value: itemtype of an element with itemscope; node: its own
    TIME = 9  # key: -        value: datetime of <time>; node: its own
    FORMULA = 10  # key: -    value: the tag of <math>, the tag and content of <script type="math/tex">, or the tag of
    #                                         an <img> whose class or address says that it may be a formula


FACT = np.dtype(
    [
        ("kind", np.int32),
        ("node", np.int32),  # the innermost open node there (for an element with text: its own node)
        ("key_start", np.int32),
        ("key_end", np.int32),
        ("value_start", np.int32),
        ("value_end", np.int32),
        ("extra_start", np.int32),
        ("extra_end", np.int32),
    ],
    align=True,
)

# Flags of an element and of the elements around it.  Bit i of `flags` is FLAGS[i].  `BIT[name]` is the mask.
FLAGS = (  # noqa: SIM905
    "article main nav header footer aside form table list item heading paragraph cell quote figure caption button link "
    "preformatted code hidden display_none aria_hidden noscript template dialog select label details summary section "
    "definition address strong small time span head body fieldset search tab custom itemprop emphasis title_like"
).split()
BIT = {name: 1 << index for index, name in enumerate(FLAGS)}


class CharClass(IntEnum):
    """Classes of characters.  They follow from the first UTF-8 byte if possible, otherwise from the code point."""

    OTHER = 0  # punctuation and symbols
    SPACE = 1
    LOWER = 2  # ASCII
    UPPER = 3  # ASCII
    DIGIT = 4
    LETTER = 5  # beyond ASCII, in scripts with spaces
    STOP = 6  # . ! ? and similar marks
    COMMA = 7  # , ; and similar marks
    COLON = 8
    IDEOGRAPH = 9  # of scripts without spaces


class Tables(NamedTuple):
    """The parts of `Segments` that kernels which judge a page need."""

    source: npt.NDArray[np.uint8]
    text: npt.NDArray[np.uint8]
    blocks: npt.NDArray[np.void]
    nodes: npt.NDArray[np.void]
    tokens: npt.NDArray[np.uint32]
    facts: npt.NDArray[np.void]
    n_inputs: int


@dataclass(frozen=True, slots=True)
class Segments:
    """A page as tables."""

    data: bytes  # the page, n bytes; for a page that came in pieces, the result of `streamed`
    source: npt.NDArray[np.uint8]  # the same for kernels, followed by at least 64 zero bytes
    text: npt.NDArray[np.uint8]  # (m,)
    blocks: npt.NDArray[np.void]  # (n_blocks,) of BLOCK
    nodes: npt.NDArray[np.void]  # (n_nodes,) of NODE
    tokens: npt.NDArray[np.uint32]  # (n_tokens,)
    facts: npt.NDArray[np.void]  # (n_facts,) of FACT
    n_inputs: int  # <input> elements that a person can fill in
    n_passwords: int  # those of type password
    n_scripts: int

    @property
    def tables(self) -> Tables:
        """The tables that kernels judge."""
        return Tables(self.source, self.text, self.blocks, self.nodes, self.tokens, self.facts, self.n_inputs)

    def block_text(self, index: int) -> str:
        """The text of a block."""
        block = self.blocks[index]
        return self.text_between(block["start"], block["end"])

    def text_between(self, start: int, end: int) -> str:
        """A part of the text."""
        return str(self.text[start:end].data, "utf-8", "replace")

    def tokens_of(self, node: int) -> list[int]:
        """The tokens of a node."""
        own: list[int] = self.tokens[self.nodes["first_token"].item(node) : self.nodes["end_token"].item(node)].tolist()
        return own

    def owners(self, places: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
        """The nodes that have the tokens at these places."""
        return np.searchsorted(self.nodes["first_token"], places, side="right") - 1

    def span(self, start: int, end: int) -> str:
        """A piece of the source, with entities unchanged."""
        return self.data[start:end].decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class BorrowedSegments(Segments):
    """A page as tables that are views of a workspace: the next page there overwrites them."""

    def owned(self) -> Segments:
        """A copy that stays."""
        values = ((field.name, getattr(self, field.name)) for field in fields(Segments))
        copies: dict[str, Any] = {name: copied(v) if isinstance(v, np.ndarray) else v for name, v in values}
        return Segments(**copies)


def copied(table: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A copy of a contiguous table.  numpy copies records field by field, which takes 15 times as long."""
    return table.view(np.uint8).copy().view(table.dtype)


def no_page() -> Segments:
    """The tables of an empty page."""
    return Segments(
        data=b"",
        source=np.zeros(64, np.uint8),  # the zero bytes that follow every page
        text=np.empty(0, np.uint8),
        blocks=np.empty(0, BLOCK),
        nodes=np.zeros(1, NODE),
        tokens=np.empty(0, np.uint32),
        facts=np.empty(0, FACT),
        n_inputs=0,
        n_passwords=0,
        n_scripts=0,
    )
