"""The units of texts that are compared with those of other documents: where each is, and its hash.

    line        what lies between newlines
    paragraph   lines without a blank line between them
    sentences   three sentences that follow each other in a document, as in C4 (Raffel et al. 2020, section 2.2)
    substring   the shortest run of words from a word on that weighs so many words: one begins at nearly every word
    characters  the shortest run of words from a word on that has so many letters and digits; marks are not counted

Units are compared by their words (`corpusmill.filters.tokens`), so case, punctuation and white space make no
difference.  In Chinese and Japanese 2 letters weigh as much as a word, in Thai 4.  A unit without words is none.  A
line of code or of a table in Markdown is no line, and part of no paragraph.

A sentence ends at a newline, at a final 。！？ and the like, or at other final punctuation before white space.

Equal units have equal hashes of 64 bits.  Among n different units, m of which are repeated, n * m / 2^64 are expected
to be taken for one of the repeated ones by chance: 0.05 for a billion units of which all are repeated.

Finding repeated substrings does not need all windows.  Of every window a *sieve* is taken: the smallest hash of its
n-grams of half its words, which is the winnowing of Schleimer, Wilkerson and Aiken (2003).  Equal windows have equal
sieves, and neighbours mostly share one.  So counting sieves finds every repeated window, with 7.4 hashes per 100 words
for windows of 50 words.  A window of characters has n-grams of half its characters.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpusmill.arrow import Utf8Column
from corpusmill.filters.batches import batches
from corpusmill.filters.characters import character_classes
from corpusmill.filters.edits.kernels.lines import Lines
from corpusmill.filters.repeats import kernels
from corpusmill.filters.tokens import WORD_WEIGHT, Tokens, tokenize

U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]

Kind = Literal["line", "paragraph", "sentences", "substring", "characters"]
WINDOWS = ("substring", "characters")  # kinds whose units overlap
SENTENCES = 3  # of a span
_SALTS = {
    "line": 1,
    "paragraph": 2,
    "sentences": 3,
    "substring": 4,
    "characters": 5,
}  # units of two kinds never have one hash
_BASE = 0x9E3779B97F4A7C15  # of the polynomial hashes of windows


@dataclass(frozen=True, slots=True, eq=False)
class Units:
    """The n units of some texts, in the order of texts and places.

    rows: int64, number of the text
    starts, stops: int64, [start, stop) in the column's data, in bytes; punctuation after the last word included
    hashes: uint64
    sieves: uint64, equal for equal units
    anchors: int64, equal for units of one text with the same sieve at the same place
    """

    rows: I64
    starts: I64
    stops: I64
    hashes: U64
    sieves: U64
    anchors: I64

    def __len__(self) -> int:
        return len(self.rows)

    @classmethod
    def joined(cls, units: "Sequence[Units]") -> Self:
        """Those of several lists, one after the other."""
        names = ("rows", "starts", "stops", "hashes", "sieves", "anchors")
        return cls(*(np.concatenate([getattr(each, name) for each in units]) for name in names))

    def chosen(self, mask: npt.NDArray[np.bool_]) -> "Units":
        """Some of them."""
        return Units(*(getattr(self, name)[mask] for name in self.__slots__))

    def salted(self, salts: U64) -> "Units":
        """With hashes that are different for different salts (n); a sieve is its unit's hash."""
        hashes = mixed(self.hashes ^ mixed(salts))
        return replace(self, hashes=hashes, sieves=hashes)


def units_of(column: Utf8Column, kind: Kind, min_words: int, *, fold_numbers: bool = False) -> Units:
    """The units of n texts that have `min_words` or more; of windows, those that weigh just so many.

    min_words: of "characters", the number of letters and digits.
    fold_numbers: all numbers are one word; not for windows.
    """
    lines = Lines.of(_array(column)) if kind in ("line", "paragraph") else None
    blocks = lines.blocks() if lines is not None else None
    found = []
    for first, last in batches(column.offsets):
        tokens = tokenize(column.data, column.offsets[first : last + 1])
        hashes = _with_numbers_folded(column, tokens) if fold_numbers else tokens.hashes
        if lines is not None:
            assert blocks is not None
            units = _lines(column, tokens, hashes, lines, blocks, (first, last), kind == "paragraph", min_words)
        elif kind == "sentences":
            units = _spans(column, tokens, hashes, (first, last), min_words)
        else:
            units = _windows(column, tokens, (first, last), kind, min_words)
        found.append(replace(units, rows=units.rows + first))
    joined = Units.joined(found)
    salt = np.uint64(_SALTS[kind] * 0xD1B54A32D192ED03 & 0xFFFFFFFFFFFFFFFF)
    anchors = joined.anchors if kind in WINDOWS else np.arange(len(joined))
    return replace(joined, hashes=joined.hashes ^ salt, sieves=joined.sieves ^ salt, anchors=anchors)


def mixed(values: U64) -> U64:
    """All bits of each number in all bits."""
    for _ in range(2):
        values = (values ^ values >> np.uint64(32)) * np.uint64(0xD6E8FEB86659FD93)
    return values ^ values >> np.uint64(32)


def n_words(column: Utf8Column) -> npt.NDArray[np.float64]:
    """How many words each text has; a letter of a script without spaces is a part of one."""
    found = np.zeros(len(column), np.float64)
    for first, last in batches(column.offsets):
        tokens = tokenize(column.data, column.offsets[first : last + 1])
        sums = np.concatenate([np.zeros(1), np.cumsum(tokens.weights, dtype=np.int64)])
        found[first:last] = np.diff(sums[tokens.ends], prepend=0) / WORD_WEIGHT
    return found


def _array(column: Utf8Column) -> pa.Array:
    offsets, data = pa.py_buffer(column.offsets), pa.py_buffer(column.data)
    return pa.Array.from_buffers(pa.large_string(), len(column), [None, offsets, data])


def _with_numbers_folded(column: Utf8Column, tokens: Tokens) -> U64:
    hashes = tokens.hashes.copy()
    kernels.fold_numbers(column.data, tokens.starts, tokens.stops, character_classes(), hashes)
    return hashes


def _lines(
    column: Utf8Column,
    tokens: Tokens,
    hashes: U64,
    lines: Lines,
    blocks: npt.NDArray[np.bool_],
    rows: tuple[int, int],
    paragraphs: bool,
    min_words: int,
) -> Units:
    of_rows = lines.rows[rows[0] : rows[1] + 1]
    room = int(of_rows[-1] - of_rows[0])
    places, out = np.empty((3, room), np.int64), np.empty(room, np.uint64)
    n = kernels.hash_lines(
        column.data,
        lines.starts,
        lines.ends,
        of_rows,
        blocks,
        paragraphs,
        tokens.starts,
        hashes,
        tokens.weights,
        tokens.ends,
        min_words * WORD_WEIGHT,
        places,
        out,
    )
    return Units(places[0, :n], places[1, :n], places[2, :n], out[:n], out[:n], places[0, :n])


def _tails(column: Utf8Column, tokens: Tokens, rows: tuple[int, int]) -> I64:
    found = np.empty(len(tokens.stops), np.int64)
    offsets = column.offsets[rows[0] : rows[1] + 1]
    kernels.tails(
        column.data, offsets, tokens.starts, tokens.stops, tokens.ends, character_classes(), _openers(), found
    )
    return found


@cache
def _openers() -> I64:
    return kernels.openers()


def _spans(column: Utf8Column, tokens: Tokens, hashes: U64, rows: tuple[int, int], min_words: int) -> Units:
    room = len(hashes)
    sentences, values = np.empty((3, room), np.int64), np.empty(room, np.uint64)
    offsets = column.offsets[rows[0] : rows[1] + 1]
    n = kernels.hash_sentences(
        *(column.data, offsets, tokens.starts, tokens.stops, hashes, tokens.ends, character_classes()),
        *(sentences, values),
    )
    sums = np.concatenate([np.zeros(1, np.int64), np.cumsum(tokens.weights, dtype=np.int64)])
    places, out = np.empty((3, n), np.int64), np.empty(n, np.uint64)
    n = kernels.hash_spans(sentences[:, :n], values[:n], sums, SENTENCES, min_words * WORD_WEIGHT, places, out)
    starts, stops = tokens.starts[places[1, :n]], _tails(column, tokens, rows)[places[2, :n] - 1]
    return Units(places[0, :n], starts, stops, out[:n], out[:n], places[0, :n])


def _windows(column: Utf8Column, tokens: Tokens, rows: tuple[int, int], kind: Kind, least: int) -> Units:
    n, weight = len(tokens.hashes), least
    weights = tokens.weights.astype(np.int64)
    if kind == "characters":
        kernels.count_letters(column.data, tokens.starts, tokens.stops, character_classes(), weights)
    else:
        weight = least * WORD_WEIGHT
    values, grams, sums = np.zeros(n, np.uint64), np.zeros(n, np.uint64), np.zeros(n + 1, np.uint64)
    stops, anchors, queue, gram_stops = (np.zeros(n, np.int64) for _ in range(4))
    inputs = (tokens.hashes, weights, tokens.ends, weight, _powers(weight))
    kernels.hash_windows(*inputs, sums, grams, gram_stops, queue, values, stops, anchors)
    found = np.flatnonzero(stops)
    first, anchor = tokens.starts[found], anchors[found]
    return Units(
        np.searchsorted(tokens.ends, found, "right"),
        first,
        _tails(column, tokens, rows)[stops[found] - 1],
        values[found],
        grams[anchor],
        tokens.starts[anchor],
    )


@cache
def _powers(most: int) -> U64:
    powers = np.ones(most + 1, np.uint64)
    powers[1:] = np.uint64(_BASE)
    return np.cumprod(powers, dtype=np.uint64)


def runs(values: npt.NDArray[np.generic]) -> tuple[I64, I64]:
    """Where each run of equal values starts, and how long it is."""
    starts = np.flatnonzero(np.r_[True, values[1:] != values[:-1]]) if len(values) else np.zeros(0, np.int64)
    return starts, np.diff(np.r_[starts, len(values)])


def by_part(parts: I64, records: npt.NDArray[np.void]) -> Iterator[tuple[int, npt.NDArray[np.void]]]:
    """The records of each part, in their order."""
    order = np.argsort(parts, kind="stable")
    starts, sizes = runs(parts[order])
    for start, size in zip(starts.tolist(), sizes.tolist(), strict=True):
        yield int(parts[order[start]]), records[order[start : start + size]]
