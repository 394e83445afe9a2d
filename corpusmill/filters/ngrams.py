"""Perplexity: how surprised a small n-gram model of a page's language is by the page, per word.

CCNet (arXiv:1911.00359) has a 5-gram model of Wikipedia for each language, and puts pages into head, middle and tail by
terciles.  Here the words are those of `corpusmill.filters.tokens`, letters in scripts without spaces, and n is 4.

The model is interpolated Kneser-Ney with one discount per order (Chen & Goodman 1999):

    p(w | h) = max(a(h w) - D, 0) / a(h) + g(h) p(w | h without its first word)

a is the count of an n-gram of the highest order, and of those that begin a text; of lower orders it is the number of
different words before it.  N-grams of order 3 and 4 that were seen once are left out, and g(h) is what is missing to 1,
so probabilities sum to 1 whatever was left out.  A word that was seen once in training, or never, is *unknown*: these
share the probability of the unknown, as many as there were in training.  So a page of strange words is no easy page.

The limits of the buckets are terciles of the perplexities of texts that were held out in training.  They are in the
model, so the bucket of a page depends on the page and the model alone.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpusmill.arrow import Utf8Column
from corpusmill.errors import InputError
from corpusmill.filters.batches import batches
from corpusmill.filters.tokens import mixed, tokenize
from corpusmill.kernels import inner_kernel, kernel

ORDER = 4
MOST_WORDS = 200_000  # in a vocabulary
BUCKETS = ("head", "middle", "tail")
MAGIC = b"corpusmill n-grams 1\n"

UNKNOWN, START = np.uint64(1), np.uint64(2)  # in the place of a token's hash
_SEED = np.uint64(0x2545F4914F6CDD1D)
_LEFT = np.uint64(0x9E3779B97F4A7C15)
_WORD = np.uint64(0xC2B2AE3D27D4EB4F)

Hashes = npt.NDArray[np.uint64]
Numbers = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class NGrams:
    """The model of one language.

    vocabulary: uint64, hashes of words, sorted; grams, contexts: uint64, hashes, sorted; parts: float32, of each n-gram
    its first summand; rests: float32, g of each context; uniform: 1 by the number of words with the unknown;
    unknown: different words that share the unknown; limits: of the buckets
    """

    vocabulary: Hashes
    grams: Hashes
    parts: Numbers
    contexts: Hashes
    rests: Numbers
    uniform: float
    unknown: int
    limits: tuple[float, float] = (0.0, 0.0)

    def tables(self) -> "Tables":
        """Ready to be looked up in."""
        return Tables(
            *_table(self.vocabulary, np.zeros(len(self.vocabulary), np.float32)),
            *_table(self.grams, self.parts),
            *_table(self.contexts, self.rests),
            self.uniform,
            float(np.log(self.unknown)),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Tables:
    """A model as hash tables with open addressing; a key of 0 is an empty slot."""

    vocabulary: Hashes
    no_values: Numbers
    grams: Hashes
    parts: Numbers
    contexts: Hashes
    rests: Numbers
    uniform: float
    log_unknown: float


def _table(keys: Hashes, values: Numbers) -> tuple[Hashes, Numbers]:
    slots = 16
    while slots < 2 * len(keys):
        slots *= 2
    table, found = np.zeros(slots, np.uint64), np.zeros(slots, np.float32)
    _fill(keys, values, table, found)
    return table, found


# ---- training ------------------------------------------------------------------------------------------------------


def train_ngrams(texts: Sequence[str]) -> NGrams:
    """The model of these texts, without limits.  ValueError if they hold no word twice."""
    column = Utf8Column.of(pa.array(texts, pa.large_string()))
    tokens = tokenize(column.data, column.offsets)
    different, counts = np.unique(tokens.hashes, return_counts=True)
    often = np.flatnonzero(counts > 1)
    often = often[np.argsort(-counts[often], kind="stable")][:MOST_WORDS]
    vocabulary = np.sort(different[often])
    if not len(vocabulary):
        raise ValueError("the texts hold no word twice")
    words = np.where(np.isin(tokens.hashes, vocabulary), tokens.hashes, UNKNOWN)
    line, begins = _with_starts(words, tokens.ends)
    held: tuple[list[Any], ...] = ([], [], [], [])
    keys, continued = np.zeros(0, np.uint64), np.zeros(0, np.int64)  # of the order above: n-grams without a word
    for order in range(ORDER, 0, -1):
        hashes, before, shorter = (np.empty(len(line), np.uint64) for _ in range(3))
        begin = np.zeros(len(line), np.bool_)
        n = _hash_grams(line, begins, order, hashes, before, shorter, begin)
        unique, first, raw = np.unique(hashes[:n], return_index=True, return_counts=True)
        context, suffix, starts = before[first], shorter[first], begin[first]
        adjusted = raw.astype(np.float64)
        if order < ORDER:
            adjusted = np.where(starts, adjusted, _looked_up(keys, continued, unique))
        keys, continued = np.unique(suffix, return_counts=True)
        for kept, values in zip(held, _discounted(unique, context, adjusted, order), strict=True):
            kept.append(values)
    grams, parts, contexts, rests = map(np.concatenate, held)
    return NGrams(
        vocabulary,
        *_sorted(grams, parts),
        *_sorted(contexts, rests),
        1 / (len(vocabulary) + 1),
        1 + len(different) - len(vocabulary),
    )


def _looked_up(keys: Hashes, values: npt.NDArray[np.int64], wanted: Hashes) -> npt.NDArray[np.float64]:
    """The values of the keys that are wanted, 0 where there is none.  keys: sorted."""
    if not len(keys):
        return np.zeros(len(wanted))
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[place] == wanted, values[place], 0).astype(np.float64)


def _discounted(
    grams: Hashes, contexts: Hashes, counts: npt.NDArray[np.float64], order: int
) -> tuple[Hashes, Numbers, Hashes, Numbers]:
    """The n-grams of an order that are kept with their summands, their contexts with what is left to lower orders."""
    once, twice = int((counts == 1).sum()), int((counts == 2).sum())
    discount = once / (once + 2 * twice) if once and twice else 0.5
    different, which = np.unique(contexts, return_inverse=True)
    totals = np.bincount(which, counts, len(different))
    kept = (counts > 1) if order > 2 else np.ones(len(counts), np.bool_)
    summands = ((counts - discount) / totals[which])[kept].astype(np.float32)
    given = np.bincount(which[kept], summands.astype(np.float64), len(different))
    has_any = given > 0
    return grams[kept], summands, different[has_any], (1 - given[has_any]).astype(np.float32)


def _with_starts(words: Hashes, ends: npt.NDArray[np.int64]) -> tuple[Hashes, npt.NDArray[np.int64]]:
    """All texts' words in one line, a START before each text; and where each word's text begins there."""
    lengths = np.diff(ends, prepend=0) + 1
    begins = np.cumsum(lengths) - lengths
    line = np.full(int(lengths.sum()), START, np.uint64)
    is_word = np.ones(len(line), np.bool_)
    is_word[begins] = False
    line[is_word] = words
    return line, np.repeat(begins, lengths)


def _sorted(keys: Hashes, values: Numbers) -> tuple[Hashes, Numbers]:
    order = np.argsort(keys)
    return keys[order], values[order]


# ---- measuring -----------------------------------------------------------------------------------------------------


def perplexities(tables: Tables, text: pa.Array) -> pa.Array:
    """Perplexity per word of n texts: float64 (n); null for null and for a text without words."""
    column = Utf8Column.of(text)
    values, totals = np.zeros(len(column)), np.zeros(len(column), np.int64)
    for start, end in batches(column.offsets):
        tokens = tokenize(column.data, column.offsets[start : end + 1])
        totals[start:end] = np.diff(tokens.ends, prepend=0)
        _measure(
            *(tokens.hashes, tokens.ends, tables.vocabulary, tables.grams, tables.parts, tables.contexts),
            *(tables.rests, tables.uniform, tables.log_unknown, values[start:end]),
        )
    return pa.array(np.exp(-values / np.maximum(totals, 1)), mask=totals == 0)


def measure_by_language(
    models: dict[str, tuple[Tables, tuple[float, float]]], text: pa.Array, languages: pa.Array
) -> tuple[pa.Array, pa.Array]:
    """Perplexities of n texts by the model of their language, and the buckets; null where there is no model."""
    values: list[float | None] = [None] * len(text)
    buckets: list[str | None] = [None] * len(text)
    of_row = languages.to_pylist()
    for language, (tables, limits) in models.items():
        rows = [row for row, each in enumerate(of_row) if each == language]
        if rows:
            measured = perplexities(tables, text.take(pa.array(rows))).to_pylist()
            for row, value in zip(rows, measured, strict=True):
                if value is not None:
                    values[row], buckets[row] = value, bucket_of(value, limits)
    return pa.array(values, pa.float64()), pa.array(buckets, pa.string())


def bucket_of(perplexity: float, limits: tuple[float, float]) -> str:
    """Head, middle or tail."""
    return BUCKETS[sum(perplexity > limit for limit in limits)]


# ---- files ---------------------------------------------------------------------------------------------------------

_ARRAYS: tuple[tuple[str, type[np.uint64 | np.float32]], ...] = (
    ("vocabulary", np.uint64),
    ("grams", np.uint64),
    ("parts", np.float32),
    ("contexts", np.uint64),
    ("rests", np.float32),
)


def write_models(models: dict[str, NGrams]) -> bytes:
    """The models of languages as a file: a line of JSON, then the arrays."""
    header, content = {}, []
    for language, model in sorted(models.items()):
        arrays = [np.ascontiguousarray(getattr(model, name), kind) for name, kind in _ARRAYS]
        plain = {name: getattr(model, name) for name in ("uniform", "unknown")}
        header[language] = {**plain, "limits": list(model.limits), "sizes": [len(array) for array in arrays]}
        content += [array.tobytes() for array in arrays]
    return b"".join([MAGIC, json.dumps(header).encode(), b"\n", *content])


def read_models(content: bytes, where: str) -> dict[str, NGrams]:
    """The models of a file, by language.  InputError if it is none."""
    wrong = InputError(f"{where}: the file is no model that 'corpusmill perplexity train' has written, or is damaged")
    if not content.startswith(MAGIC):
        raise wrong
    line, _, _ = content[len(MAGIC) :].partition(b"\n")
    place = len(MAGIC) + len(line) + 1
    models = {}
    try:
        for language, said in json.loads(line).items():
            arrays: dict[str, Any] = {}
            for size, (name, kind) in zip(said["sizes"], _ARRAYS, strict=True):
                arrays[name] = np.frombuffer(content, kind, size, place)
                place += arrays[name].nbytes
            first, second = map(float, said["limits"])
            plain: dict[str, Any] = {"uniform": float(said["uniform"]), "unknown": int(said["unknown"])}
            models[str(language)] = NGrams(**arrays, **plain, limits=(first, second))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise wrong from error
    sizes = [(len(m.grams), len(m.contexts)) == (len(m.parts), len(m.rests)) for m in models.values()]
    if place != len(content) or not all(sizes):
        raise wrong
    return models


# ---- kernels -------------------------------------------------------------------------------------------------------


@inner_kernel
def _slot(keys: Hashes, key: np.uint64) -> np.int64:
    """Where a key is, or would be."""
    slot = np.int64(mixed(key) & np.uint64(len(keys) - 1))
    while keys[slot] != 0 and keys[slot] != key:
        slot = (slot + 1) & (len(keys) - 1)
    return slot


@kernel
def _fill(keys: Hashes, values: Numbers, table: Hashes, found: Numbers) -> None:
    for i in range(len(keys)):
        slot = _slot(table, keys[i])
        table[slot] = keys[i]
        found[slot] = values[i]


@inner_kernel
def _longer(context: np.uint64, word: np.uint64) -> np.uint64:
    """Hash of a context with one more word on its left."""
    return mixed(context * _LEFT + word)


@inner_kernel
def _gram(context: np.uint64, word: np.uint64) -> np.uint64:
    """Hash of an n-gram: a context and its last word."""
    return mixed(context + word * _WORD) | np.uint64(1)


@kernel
def _hash_grams(
    line: Hashes,
    begins: npt.NDArray[np.int64],
    order: int,
    grams: Hashes,
    contexts: Hashes,
    shorter: Hashes,
    at_start: npt.NDArray[np.bool_],
) -> int:
    """Hashes of the n-grams of an order, of their contexts, and of the n-grams without their first word."""
    n = 0
    for i in range(len(line)):
        first = i - order + 1
        if i > begins[i] and first >= begins[i]:
            context = _SEED
            before = context
            for j in range(1, order):
                before = context
                context = _longer(context, line[i - j])
            grams[n] = _gram(context, line[i])
            contexts[n] = context | np.uint64(1)
            shorter[n] = _gram(before, line[i])
            at_start[n] = first == begins[i] and order > 1
            n += 1
    return n


@kernel
def _measure(
    hashes: Hashes,
    ends: npt.NDArray[np.int64],
    vocabulary: Hashes,
    grams: Hashes,
    parts: Numbers,
    contexts: Hashes,
    rests: Numbers,
    uniform: float,
    log_unknown: float,
    logs: npt.NDArray[np.float64],
) -> None:
    """Sum of the logarithms of all words' probabilities, of each text."""
    begin = 0
    for row in range(len(ends)):
        end = ends[row]
        last = np.zeros(ORDER, np.uint64)  # the words before, the nearest first
        last[0] = START
        known = 1
        total = 0.0
        for i in range(begin, end):
            word = hashes[i]
            if vocabulary[_slot(vocabulary, word)] != word:
                word = UNKNOWN
                total -= log_unknown
            probability = uniform
            context = _SEED
            for j in range(known + 1):
                if j > 0:
                    context = _longer(context, last[j - 1])
                key = context | np.uint64(1)
                slot = _slot(contexts, key)
                if contexts[slot] == key:
                    probability *= rests[slot]
                    gram = _gram(context, word)
                    slot = _slot(grams, gram)
                    if grams[slot] == gram:
                        probability += parts[slot]
            total += np.log(probability)
            for j in range(ORDER - 1, 0, -1):
                last[j] = last[j - 1]
            last[0] = word
            known = min(known + 1, ORDER - 1)
        logs[row] = total
        begin = end
