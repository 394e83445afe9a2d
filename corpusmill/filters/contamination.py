"""Contamination: what of evaluation sets stands in a text, by n-grams of n words, 13 by default.

GPT-3 (arXiv:2005.14165, appendix C) looked for 13-grams of its benchmarks, in lower case and without punctuation, and
took a shorter example as a whole if it had 8 words or more.  So it is here, on the tokens of
`corpusmill.filters.tokens`.  In scripts without spaces a token is a letter: 2 letters weigh as much as a word in
Chinese and Japanese, 4 in Thai.  So 13 words are 26 or 52 letters there, and an n-gram may mix scripts.

    n-gram   the shortest run of tokens from a token on that weighs n words
    item     a line or row of a set; its texts are its fields with text, each by itself
    span     a run of n-grams on a page that overlap or touch, of items that count
    overlap  share of an item's different n-grams that stand on the page; an item counts if it reaches `min_overlap`

The hash of an n-gram is a polynomial of its tokens' hashes, from sums over prefixes, so a page is read once for each
length that items have.  Whatever is found by its hash is compared word by word before it counts.
"""

import gzip
import io
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from corpusmill.arrow import Utf8Column
from corpusmill.errors import InputError
from corpusmill.filters.batches import batches
from corpusmill.filters.tokens import WORD_WEIGHT, Tokens, mixed, slot_of, tokenize, words_of
from corpusmill.kernels import inner_kernel, kernel

SHORTEST = 8  # words of a text that is looked for as a whole

_BASE = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True)
class Item:
    """An example of an evaluation set."""

    set: str
    item: str
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Span:
    """A place of a page: [start, end) in characters, and the item that stands there."""

    start: int
    end: int
    set: str
    item: str


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """All sets, ready to be looked for.

    weights: int64, the different weights of n-grams, and for each a sieve of bits; keys: uint64 (slots), hashes, 0
    where empty; grams: int64 (slots), their numbers; firsts: int64 (grams, 3), a text that holds it, and the tokens
    [start, stop) there; holders: int64, items of n-gram i from holder_ends[i - 1] to holder_ends[i]; sizes: number of
    different n-grams of each item
    """

    items: list[Item]
    texts: list[str]
    weights: npt.NDArray[np.int64]
    sieves: list[npt.NDArray[np.uint8]]
    keys: npt.NDArray[np.uint64]
    grams: npt.NDArray[np.int64]
    firsts: npt.NDArray[np.int64]
    holder_ends: npt.NDArray[np.int64]
    holders: npt.NDArray[np.int64]
    sizes: npt.NDArray[np.int64]
    words: dict[int, list[str]] = field(default_factory=dict)  # of texts that were compared

    def holders_of(self, gram: int) -> npt.NDArray[np.int64]:
        """The items that hold an n-gram."""
        start = int(self.holder_ends[gram - 1]) if gram else 0
        return self.holders[start : self.holder_ends[gram]]

    def words_of_text(self, number: int) -> list[str]:
        """The words of a text, looked up once."""
        if number not in self.words:
            self.words[number] = words_of(self.texts[number])
        return self.words[number]


# ---- reading sets --------------------------------------------------------------------------------------------------


def read_set(content: bytes, path: str, name: str, fields: Sequence[str], where: str) -> list[Item]:
    """The items of a JSONL (also .gz) or Parquet file.  InputError if it is neither, or lacks a field."""
    is_parquet = path.lower().endswith(".parquet")
    rows = list(_parquet_rows(content, where)) if is_parquet else [row for _, row in json_rows(content, where)]
    for wanted in fields:
        if not any(wanted in row for row in rows):
            there = sorted({key for row in rows for key in row})
            raise InputError(f"{where}: no item has a field '{wanted}'; there are: {', '.join(there[:20])}")
    items = []
    for number, row in enumerate(rows):
        values = [row.get(key) for key in fields] if fields else list(row.values())
        identity = row.get("id")
        named = _encodable(str(number if identity is None else identity))
        items.append(Item(name, named, tuple(_strings(values))))
    if not any(item.texts for item in items):
        raise InputError(f"{where}: the set has no item with text")
    return items


def _parquet_rows(content: bytes, where: str) -> Iterator[dict[str, Any]]:
    try:
        table = pq.read_table(io.BytesIO(content))
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{where}: the file is no Parquet file: {str(error).splitlines()[0]}") from None
    for batch in table.to_batches(max_chunksize=1000):
        yield from batch.to_pylist()


def json_rows(content: bytes, where: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a JSONL file, which may be a gzip file, with the numbers of their lines, from 1.

    InputError if it is none.
    """
    try:
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
        lines = content.decode("utf-8-sig").split("\n")
    except (UnicodeDecodeError, OSError, EOFError) as error:
        raise InputError(f"{where}: the file cannot be read as JSON lines: {error}") from None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            raise InputError(f"{where}: line {number} is no JSON; an evaluation set is JSONL or Parquet") from None
        if not isinstance(row, dict):
            raise InputError(f"{where}: line {number} is no JSON object; an item is an object with fields")
        yield number, row


def _encodable(text: str) -> str:
    """A text without halves of characters, which JSON can hold."""
    return text.encode("utf-8", "replace").decode()


def _strings(value: Any) -> Iterator[str]:
    """Every text in a value, however deep."""
    if isinstance(value, str):
        yield _encodable(value)
    elif isinstance(value, dict):
        for each in value.values():
            yield from _strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from _strings(each)


def evaluation(items: Iterable[Item], n: int) -> Evaluation:
    """The n-grams of items, with n words each."""
    kept = list(items)
    texts = [text for item in kept for text in item.texts]
    item_of = np.repeat(np.arange(len(kept)), [len(item.texts) for item in kept])
    column = Utf8Column.of(pa.array(texts, pa.large_string()))
    tokens = tokenize(column.data, column.offsets)
    begins = np.concatenate([np.zeros(1, np.int64), tokens.ends[:-1]])[: len(texts)]
    sums = np.concatenate([np.zeros(1, np.int64), np.cumsum(tokens.weights, dtype=np.int64)])
    totals = sums[tokens.ends] - sums[begins]
    full = n * WORD_WEIGHT
    wanted = np.where(totals >= full, full, np.where(totals >= SHORTEST * WORD_WEIGHT, totals, 0))

    values, stops = _grams_of(tokens, wanted, _powers(full))
    starts = np.flatnonzero(values)
    rows = np.searchsorted(tokens.ends, starts, "right")
    different, first, which = np.unique(values[starts], return_index=True, return_inverse=True)
    pairs = np.sort(which * len(kept) + item_of[rows])
    pairs = pairs[np.diff(pairs, prepend=-1) > 0]  # each once; np.unique takes four times as long
    grams_of_pairs, holders = np.divmod(pairs, max(len(kept), 1))

    slots = _slots(len(different))
    keys, grams = np.zeros(slots, np.uint64), np.zeros(slots, np.int64)
    _fill(different, keys, grams)
    weights = np.unique(wanted[wanted > 0])
    of_row = rows[first]
    return Evaluation(
        items=kept,
        texts=texts,
        weights=weights,
        sieves=[_sieve(different[wanted[of_row] == weight]) for weight in weights],
        keys=keys,
        grams=grams,
        firsts=np.stack([of_row, starts[first] - begins[of_row], stops[starts[first]] - begins[of_row]], axis=1),
        holder_ends=np.cumsum(np.bincount(grams_of_pairs, minlength=len(different))),
        holders=holders,
        sizes=np.bincount(holders, minlength=len(kept)),
    )


def _slots(n: int) -> int:
    """Slots of a table for n keys."""
    slots = 16
    while slots < 2 * n:
        slots *= 2
    return slots


def _sieve(hashes: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint8]:
    """One bit for each hash, among 16 for each or more: what is not set there need not be looked up."""
    sieve = np.zeros(_slots(len(hashes)), np.uint8)
    places = (hashes >> np.uint64(20)) & np.uint64(8 * len(sieve) - 1)
    np.bitwise_or.at(
        sieve, (places >> np.uint64(3)).astype(np.int64), np.left_shift(1, places & np.uint64(7)).astype(np.uint8)
    )
    return sieve


def _powers(most: int) -> npt.NDArray[np.uint64]:
    """Powers of the base, for n-grams of up to so many tokens."""
    powers = np.empty(most + 2, np.uint64)
    powers[0] = 1
    for i in range(1, len(powers)):
        powers[i] = np.uint64(int(powers[i - 1]) * int(_BASE) % 2**64)
    return powers


def _grams_of(
    tokens: Tokens, wanted: npt.NDArray[np.int64], powers: npt.NDArray[np.uint64]
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
    """Hash and end of the n-gram that begins at each token, 0 where none does; wanted: its weight, of each text."""
    n = len(tokens.hashes)
    values, stops = np.zeros(n, np.uint64), np.zeros(n, np.int64)
    _windows(*(tokens.hashes, tokens.weights, tokens.ends, wanted, powers, np.zeros(n + 1, np.uint64), values, stops))
    return values, stops


# ---- looking for them ----------------------------------------------------------------------------------------------


def find_spans(sets: Evaluation, text: pa.Array, min_overlap: float) -> list[list[Span]]:
    """The spans of each of n texts, in order; none for null."""
    column = Utf8Column.of(text)
    spans: list[list[Span]] = [[] for _ in range(len(column))]
    if not len(sets.weights):
        return spans
    powers = _powers(int(sets.weights.max()))
    for start, end in batches(column.offsets):
        tokens = tokenize(column.data, column.offsets[start : end + 1])
        hits: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
        for weight, sieve in zip(sets.weights.tolist(), sets.sieves, strict=True):
            values, stops = _grams_of(tokens, np.full(end - start, weight, np.int64), powers)
            found = np.empty((len(values), 3), np.int64)
            n = _look(values, stops, sieve, sets.keys, sets.grams, found)
            rows = np.searchsorted(tokens.ends, found[:n, 0], "right")
            for row, hit in zip(rows.tolist(), found[:n].tolist(), strict=True):
                hits[row].append((hit[0], hit[1], hit[2]))
        for row, of_row in hits.items():
            begin, stop = int(column.offsets[start + row]), int(column.offsets[start + row + 1])
            raw = column.data[begin:stop]
            places = [(a, b, int(tokens.starts[a]) - begin, int(tokens.stops[b - 1]) - begin) for a, b, _ in of_row]
            verified = [
                (place, gram)
                for place, (*_, gram) in zip(places, of_row, strict=True)
                if words_of(raw[place[2] : place[3]].tobytes().decode()) == _words_of_gram(sets, gram)
            ]
            spans[start + row] = _spans(sets, raw, sorted(verified), min_overlap)
    return spans


def _words_of_gram(sets: Evaluation, gram: int) -> list[str]:
    text, start, stop = sets.firsts[gram].tolist()
    return sets.words_of_text(text)[start:stop]


Place = tuple[int, int, int, int]  # tokens [start, stop), bytes [start, stop)


def _spans(
    sets: Evaluation, raw: npt.NDArray[np.uint8], found: Sequence[tuple[Place, int]], min_overlap: float
) -> list[Span]:
    """The n-grams of a page, in order -> its spans."""
    if not found:
        return []
    items, holders = _holders(sets, {gram for _, gram in found}, min_overlap)
    runs: list[tuple[Place, list[int]]] = []
    for (first, stop, begin, end), gram in found:
        if not len(holders[gram]):
            continue
        if runs and first <= runs[-1][0][1]:
            (run_first, run_stop, run_begin, run_end), grams = runs[-1]
            grams.append(gram)
            runs[-1] = ((run_first, max(stop, run_stop), run_begin, max(end, run_end)), grams)
        else:
            runs.append(((first, stop, begin, end), [gram]))
    if not runs:
        return []
    characters = np.concatenate([[0], np.cumsum(raw & 0xC0 != 0x80)])  # before each byte
    spans = []
    for (*_, begin, end), grams in runs:
        held = [holders[gram] for gram in Counter(grams)]
        times = np.repeat(list(Counter(grams).values()), [len(each) for each in held])
        item = sets.items[items[np.argmax(np.bincount(np.concatenate(held), times))]]  # the first of several
        spans.append(Span(int(characters[begin]), int(characters[end]), item.set, item.item))
    return spans


def _holders(
    sets: Evaluation, grams: set[int], min_overlap: float
) -> tuple[npt.NDArray[np.int64], dict[int, npt.NDArray[np.int64]]]:
    """The items that hold some of the n-grams of a page; and by n-gram, the places there of those that count.

    A phrase that all items of a set begin with has as many holders, so no loop of Python's goes over them.
    """
    of_gram = {gram: sets.holders_of(gram) for gram in sorted(grams)}
    items, places = np.unique(np.concatenate(list(of_gram.values())), return_inverse=True)
    counting = np.bincount(places) >= min_overlap * sets.sizes[items]
    ends = np.cumsum([len(holders) for holders in of_gram.values()])[:-1]
    of_items = np.split(places, ends)
    return items, {gram: each[counting[each]] for gram, each in zip(of_gram, of_items, strict=True)}


def cut_spans(text: str, spans: Sequence[Span]) -> tuple[str, int, int]:
    """A text without the lines that spans touch, and how many lines and characters that were.

    As for every edit, lines are what lies between newlines.
    """
    kept, lines, characters, place = [], 0, 0, 0
    touched = iter(spans)
    span = next(touched, None)
    for line in re.findall("[^\n]*\n|[^\n]+", text):
        end = place + len(line)
        while span is not None and span.end <= place:
            span = next(touched, None)
        if span is not None and span.start < end:
            lines, characters = lines + 1, characters + len(line)
        else:
            kept.append(line)
        place = end
    return "".join(kept), lines, characters


# ---- kernels -------------------------------------------------------------------------------------------------------


@kernel
def _fill(hashes: npt.NDArray[np.uint64], keys: npt.NDArray[np.uint64], grams: npt.NDArray[np.int64]) -> None:
    for number in range(len(hashes)):
        slot = slot_of(keys, hashes[number])
        keys[slot] = hashes[number]
        grams[slot] = number


@inner_kernel
def _sum_up(hashes: npt.NDArray[np.uint64], start: int, end: int, sums: npt.NDArray[np.uint64]) -> None:
    """Polynomials of the tokens from `start` to each token of a text."""
    sums[start] = 0
    for i in range(start, end):
        sums[i + 1] = sums[i] * _BASE + hashes[i]


@inner_kernel
def _window(
    sums: npt.NDArray[np.uint64], powers: npt.NDArray[np.uint64], start: int, stop: int, weight: int
) -> np.uint64:
    """Hash of the tokens [start, stop)."""
    return mixed(sums[stop] - sums[start] * powers[stop - start] + np.uint64(weight)) | np.uint64(1)


@kernel
def _windows(
    hashes: npt.NDArray[np.uint64],
    weights: npt.NDArray[np.uint8],
    ends: npt.NDArray[np.int64],
    wanted: npt.NDArray[np.int64],
    powers: npt.NDArray[np.uint64],
    sums: npt.NDArray[np.uint64],
    values: npt.NDArray[np.uint64],
    stops: npt.NDArray[np.int64],
) -> None:
    """Hash and end of the n-gram that begins at each token; 0 where none does."""
    begin = 0
    for row in range(len(ends)):
        end = ends[row]
        if wanted[row] > 0:
            _sum_up(hashes, begin, end, sums)
            stop, weight = begin, 0
            for start in range(begin, end):
                while stop < end and weight < wanted[row]:
                    weight += weights[stop]
                    stop += 1
                if weight < wanted[row]:
                    break
                values[start] = _window(sums, powers, start, stop, wanted[row])
                stops[start] = stop
                weight -= weights[start]
        begin = end


@kernel
def _look(
    values: npt.NDArray[np.uint64],
    stops: npt.NDArray[np.int64],
    sieve: npt.NDArray[np.uint8],
    keys: npt.NDArray[np.uint64],
    grams: npt.NDArray[np.int64],
    found: npt.NDArray[np.int64],
) -> int:
    """The n-grams of pages that sets hold: (start, stop, number) of each."""
    n = 0
    for start in range(len(values)):
        value = values[start]
        bit = np.int64((value >> np.uint64(20)) & np.uint64(8 * len(sieve) - 1))
        slot = slot_of(keys, value) if value != 0 and sieve[bit >> 3] >> (bit & 7) & 1 else np.int64(-1)
        if slot >= 0 and keys[slot] == value:
            found[n, 0], found[n, 1], found[n, 2] = start, stops[start], grams[slot]
            n += 1
    return n
