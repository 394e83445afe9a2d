"""The tables that a page becomes: its text, blocks of it, the elements around them, and what the page says of itself.

There is no tree.  One pass over the bytes (`segment.py`) fills flat arrays; everything after it is a loop over
rows.  A *block* is a run of text between two boundaries of block-level elements (or `<br>`), with its whitespace
collapsed; a *node* is an element that can hold text, in preorder, so that a subtree is a range of rows and a parent
comes before its children; a *fact* is a place in the source where the page speaks of itself (meta, link, title,
JSON-LD, microdata).

All offsets are in bytes: of the source, as UTF-8 without byte order mark, or of `text`, which is UTF-8, too.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

MAX_DEPTH = 512  # open elements, as in browsers; deeper ones add their text to the deepest

BLOCK = np.dtype(
    [
        ("start", np.int32),  # text[start:end]; one byte (a line feed) lies between two blocks
        ("end", np.int32),
        ("source_start", np.int32),  # where in the source its first and last characters are
        ("source_end", np.int32),
        ("leaf", np.int32),  # node of its first character
        ("box", np.int32),  # the nearest block-level node around that
        ("flags", np.int64),  # what it lies in: see FLAGS
        ("n_chars", np.int32),  # characters (code points), not bytes
        ("n_words", np.int32),  # words; in scripts without spaces, a word for every two characters
        ("link_chars", np.int32),  # of these, inside <a>
        ("link_words", np.int32),
        ("n_stops", np.int32),  # . ! ? and their like in other scripts
        ("n_commas", np.int32),  # , ; and their like
        ("n_digits", np.int32),
        ("n_images", np.int32),  # <img> since the end of the block before
        ("depth", np.int16),  # open elements
        ("heading", np.int8),  # level of the heading around it; 0 elsewhere
        ("after_br", np.uint8),  # 1 if only <br> parts it from the block before
        ("last", np.uint8),  # class of its last character: see CharClass
    ],
    align=True,
)

NODE = np.dtype(
    [
        ("parent", np.int32),  # a smaller index; -1 for node 0, which stands for the page
        ("tag", np.int32),  # see tags.NAMES; 0 for an unknown element
        ("flags", np.int64),  # its own and its ancestors'
        ("first_token", np.int32),  # tokens[first_token:end_token]: hashes of words of class, id and such
        ("end_token", np.int32),
        ("signature", np.uint32),  # hash of tag and tokens: equal for elements made from one template
        ("source", np.int32),  # offset of its "<" in the source
        ("text_start", np.int32),  # text[text_start:text_end] was written while it was open; empty if all of it was out
        ("text_end", np.int32),
        ("first_block", np.int32),  # blocks [first_block, end_block) have at least their first character in it
        ("end_block", np.int32),
    ],
    align=True,
)


class FactKind(IntEnum):
    """What a fact is; the spans of key, value and extra are of the source, or empty (start == end)."""

    HTML = 1  # key: -        value: lang or xml:lang of <html>
    TITLE = 2  # key: -       value: content of the first <title> outside pictures
    META = 3  # key: name, property, itemprop or http-equiv    value: content (of `charset`: nothing)
    LINK = 4  # key: rel      value: href     extra: hreflang  (canonical, alternate, license, author, amphtml, ...)
    JSON_LD = 5  # key: -     value: content of <script type="application/ld+json">
    ANCHOR = 6  # key: rel    value: href     of <a> or <area>, if rel holds license, author or tag; node: its own
    #                                         or if href leads to creativecommons.org
    ITEM = 7  # key: itemprop value: content, datetime, href or src; node: its own, whose text counts if value is empty
    SCOPE = 8  # key: -       value: itemtype of an element with itemscope; node: its own
    TIME = 9  # key: -        value: datetime of <time>; node: its own


FACT = np.dtype(
    [
        ("kind", np.int32),
        ("node", np.int32),  # the innermost open node there (for an element with text, its own)
        ("key_start", np.int32),
        ("key_end", np.int32),
        ("value_start", np.int32),
        ("value_end", np.int32),
        ("extra_start", np.int32),
        ("extra_end", np.int32),
    ],
    align=True,
)

# What an element, or one around it, is.  Bit i of `flags` is FLAGS[i]; `BIT[name]` is the mask.
FLAGS = (  # noqa: SIM905
    "article main nav header footer aside form table list item heading paragraph cell quote figure caption button link "
    "preformatted code hidden display_none aria_hidden noscript template dialog select label details summary section "
    "definition address strong small time span head body fieldset search tab custom itemprop emphasis title_like"
).split()
BIT = {name: 1 << index for index, name in enumerate(FLAGS)}


class CharClass(IntEnum):
    """Classes of characters, by the UTF-8 byte that they begin with where that tells, else by code point."""

    OTHER = 0  # punctuation and symbols
    SPACE = 1
    LOWER = 2  # ASCII
    UPPER = 3  # ASCII
    DIGIT = 4
    LETTER = 5  # beyond ASCII, in scripts with spaces
    STOP = 6  # . ! ? and their like
    COMMA = 7  # , ; and their like
    COLON = 8
    IDEOGRAPH = 9  # of scripts without spaces


class Tables(NamedTuple):
    """What kernels that judge a page are given of its `Segments`."""

    source: npt.NDArray[np.uint8]
    text: npt.NDArray[np.uint8]
    blocks: npt.NDArray[np.void]
    nodes: npt.NDArray[np.void]
    tokens: npt.NDArray[np.uint32]
    facts: npt.NDArray[np.void]
    n_inputs: int


@dataclass(frozen=True, slots=True)
class Segments:
    """A page as tables.  The arrays are views of a workspace that the next page overwrites: copy what must stay."""

    data: bytes  # the page, n bytes; of one that came in pieces what `streamed` made of it
    source: npt.NDArray[np.uint8]  # the same for kernels, and at least 64 zero bytes after it
    text: npt.NDArray[np.uint8]  # (m,)
    blocks: npt.NDArray[np.void]  # (n_blocks,) of BLOCK
    nodes: npt.NDArray[np.void]  # (n_nodes,) of NODE
    tokens: npt.NDArray[np.uint32]  # (n_tokens,)
    facts: npt.NDArray[np.void]  # (n_facts,) of FACT
    n_inputs: int  # <input> elements that a person can fill in
    n_passwords: int  # of these, of type password
    n_scripts: int

    @property
    def tables(self) -> Tables:
        """The part of it that kernels judge."""
        return Tables(self.source, self.text, self.blocks, self.nodes, self.tokens, self.facts, self.n_inputs)

    def block_text(self, index: int) -> str:
        """The text of a block."""
        block = self.blocks[index]
        return self.text[block["start"] : block["end"]].tobytes().decode("utf-8", "replace")

    def span(self, start: int, end: int) -> str:
        """A piece of the source, entities as they are."""
        return self.data[start:end].decode("utf-8", "replace")


def no_page() -> Segments:
    """The tables of a page without anything."""
    return Segments(
        data=b"",
        source=np.zeros(64, np.uint8),  # what comes after every page
        text=np.empty(0, np.uint8),
        blocks=np.empty(0, BLOCK),
        nodes=np.zeros(1, NODE),
        tokens=np.empty(0, np.uint32),
        facts=np.empty(0, FACT),
        n_inputs=0,
        n_passwords=0,
        n_scripts=0,
    )
