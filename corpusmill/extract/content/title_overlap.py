"""Overlap of every block with the page's own title and description.

A page that states its headline, and a summary for search engines, tells which of its blocks are the content.  The words
of `<title>`, and of the titles and descriptions in meta elements, go into one hash set, each with the kind of statement
that it came from.  Then the words of every block are looked up.

Tried and left out: the headlines and bodies in JSON-LD.  They did not improve the trees.

Cost: linear in the statements and the text; 10 microseconds per average page.
"""

from enum import IntEnum

import numpy as np
import numpy.typing as npt

from corpusmill.extract.content.buckets import add_bits, look_up
from corpusmill.extract.content.words import Words, hash_words
from corpusmill.extract.segments.arithmetic import f32, i64
from corpusmill.extract.segments.lean import lean_entry, lean_kernel
from corpusmill.extract.segments.tables import FactKind
from corpusmill.kernels import kernel

U8 = npt.NDArray[np.uint8]
U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]
F32 = npt.NDArray[np.float32]
Table = npt.NDArray[np.void]

PRIME = np.uint64(0x100000001B3)
BASIS = np.uint64(0xCBF29CE484222325)
MOST_WORDS = i64(4096)  # of one statement, at most
MOST_SLOTS = 1 << 14
IN_TITLE, IN_DESCRIPTION = i64(1), i64(2)  # kinds of statements


class Overlap(IntEnum):
    """Rows of a block's features: the share of its words that are in the page's title or description."""

    TITLE = 0
    DESCRIPTION = 1


N_OVERLAP = len(Overlap)


def name_hashes(*names: str) -> U64:
    """FNV-1a of lower-case names, equal to that of `hash_name`."""
    hashes = []
    for name in names:
        value = int(BASIS)
        for byte in name.encode():
            value = (value ^ byte) * int(PRIME) & 0xFFFFFFFFFFFFFFFF
        hashes.append(value)
    return np.array(hashes, np.uint64)


META_TITLES = name_hashes("og:title", "twitter:title")
META_DESCRIPTIONS = name_hashes("description", "og:description", "twitter:description")


@kernel
def collect_statements(source: U8, facts: Table) -> U32:
    """The words of a page's title and description, as a table of `buckets`.  Their numbers are bits of IN_..."""
    room = 0
    for f in range(len(facts)):
        kind = facts[f]["kind"]
        if kind == FactKind.TITLE or kind == FactKind.META:
            size = i64(facts[f]["value_end"] - facts[f]["value_start"])
            room += min(size // 2 + 1, MOST_WORDS)
    slots = 64
    while slots < min(4 * room, MOST_SLOTS):
        slots *= 2
    said = np.zeros(slots, np.uint32)
    hashes = np.empty(MOST_WORDS, np.uint32)
    for f in range(len(facts)):
        kind, start, end = facts[f]["kind"], i64(facts[f]["value_start"]), i64(facts[f]["value_end"])
        if kind == FactKind.TITLE:
            _add(source, start, end, IN_TITLE, said, hashes)
        elif kind == FactKind.META:
            key = hash_name(source, i64(facts[f]["key_start"]), i64(facts[f]["key_end"]))
            if is_in(key, META_TITLES):
                _add(source, start, end, IN_TITLE, said, hashes)
            elif is_in(key, META_DESCRIPTIONS):
                _add(source, start, end, IN_DESCRIPTION, said, hashes)
    return said


@lean_entry
def overlap(words: Words, said: U32, scores: F32) -> None:
    """The share of every block's words that are in the statements -> scores (len(Overlap), n_blocks)."""
    for i in range(len(words.ptr) - 1):
        title, description = 0, 0
        start, end = words.ptr[i], words.ptr[i + 1]
        for k in range(start, end):
            bits = look_up(said, words.hashes[k])
            title += bits & 1
            description += bits >> 1 & 1
        share = f32(1) / f32(max(1, end - start))
        scores[Overlap.TITLE, i] = title * share
        scores[Overlap.DESCRIPTION, i] = description * share


@lean_kernel
def _add(text: U8, start: int, end: int, statement: int, said: U32, hashes: U32) -> None:
    """Add the words of text[start:end]."""
    n = hash_words(text, start, end, MOST_WORDS, hashes, i64(0))
    for k in range(n):
        add_bits(said, hashes[k], statement)


@lean_kernel
def hash_name(source: U8, start: int, end: int) -> np.uint64:
    """FNV-1a of source[start:end] in lower case."""
    h = BASIS
    for i in range(start, end):
        byte = source[i]
        if 65 <= byte <= 90:
            byte |= np.uint8(32)
        h = (h ^ np.uint64(byte)) * PRIME
    return h


@lean_kernel
def is_in(key: np.uint64, keys: U64) -> bool:
    """Whether a hash is one of these."""
    found = False
    for k in range(len(keys)):
        found |= keys[k] == key
    return found
