"""A classifier of fastText, read from its file: `.bin`, or `.ftz` whose matrices are quantised.

The format, as fastText 0.9 writes it (version 12, little-endian, no padding):

    magic, version               2 int32
    dim ... lrUpdateRate, t      12 int32, float64
    size, n_words, n_labels      3 int32
    n_tokens, n_pruned           2 int64; n_pruned is -1 unless n-grams were pruned
    entries                      size times: bytes, NUL, count as int64, kind as int8; words first, then labels
    pruned n-grams               n_pruned times: hash, row as int32
    quantised?, input matrix     bool, matrix of words, then n-grams
    quantised?, output matrix    bool, matrix of labels, or of the inner nodes of a tree

A matrix is its shape (2 int64) and float32 values.  A quantised one (Jégou et al. 2011, product quantisation) is one
byte for each `dsub` values of a row, which chooses one of 256 centroids, and a byte for its norm.

What a prediction needs is laid out for speed.  Quantised rows are written out as float32: 3 MB for lid.176.  Rows of
n-grams are put in the order of their hashes, so that a set of bits and its counts lead from a hash to its row.  A
matrix that is not quantised stays in the file, which the processes of a machine map into memory together.
"""

import mmap
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from corpusmill.errors import InputError
from corpusmill.kernels import kernel

MAGIC = 793712314
SUPERVISED = 3
HIERARCHICAL, NEGATIVE, SOFTMAX, ONE_VS_ALL = 1, 2, 3, 4  # losses
END = b"</s>"  # what fastText reads for the end of a line
LABEL = b"__label__"
CENTROIDS = 256
LONGEST = 100  # n-gram that is taken for meant; fastText's default is 6
NO_WEIGHT = 10**15  # of a node of the tree that has no children yet; more than any

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int32]
Places = npt.NDArray[np.int64]


class Dictionary(NamedTuple):
    """Words and n-grams: which row of the input matrix stands for each.

    slots: int32 (a power of two), the number of a word, -1 where there is none; a word is searched from its hash on
    letters, ends: the bytes of all words in a row, and where each ends
    bits, ranks: the hashes of n-grams that have a row, one bit each, and the number of those in all words of `bits`
        before; both empty if all have
    """

    slots: Integers
    letters: Bytes
    ends: Places
    bits: npt.NDArray[np.uint64]
    ranks: Integers
    n_words: int
    n_buckets: int
    shortest: int  # n-gram, in characters
    longest: int
    word_ngrams: int


class Output(NamedTuple):
    """From a vector to labels.

    weights: float32 (nodes, dim) for a tree, (dim, labels) otherwise; scales: float32, by node or label
    children: int32 (2 * labels - 1, 2), of the nodes of a tree; -1 for a label; empty without a tree
    """

    loss: int
    n_labels: int
    weights: Floats
    scales: Floats
    children: Integers


@dataclass(frozen=True, slots=True)
class Classifier:
    """A model that `corpusmill.filters.fasttext_predict` can use."""

    labels: tuple[str, ...]  # without __label__
    dictionary: Dictionary
    rows: Floats  # (words and n-grams, dim)
    output: Output


class _BrokenError(Exception):
    """What is wrong with the file, in words."""


def read_classifier(path: Path) -> Classifier:
    """The model in a file.  InputError if it is no classifier of fastText."""
    try:
        with path.open("rb") as file:
            content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such fastText model") from None
    except ValueError:
        raise InputError(f"{path}: is empty, and no fastText model") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    try:
        return _parse(_Cursor(content))
    except _BrokenError as problem:
        raise InputError(f"{path}: is no fastText model that can be used: {problem}") from None


class _Cursor:
    """A place in the file, which moves on with what is read."""

    def __init__(self, content: mmap.mmap) -> None:
        self.content = content
        self.place = 0

    def numbers(self, layout: str) -> tuple[Any, ...]:
        """Numbers by a layout of `struct`."""
        layout = "<" + layout
        self._need(struct.calcsize(layout))
        found = struct.unpack_from(layout, self.content, self.place)
        self.place += struct.calcsize(layout)
        return found

    def array(self, kind: str, count: int) -> npt.NDArray[Any]:
        """An array over the file, which is not copied and may not be aligned."""
        if count < 0:
            raise _BrokenError("a size in it is negative")
        dtype = np.dtype(kind)
        self._need(count * dtype.itemsize)
        found = np.frombuffer(self.content, dtype, count, self.place)
        self.place += count * dtype.itemsize
        return found

    def _need(self, size: int) -> None:
        if self.place + size > len(self.content):
            raise _BrokenError("it is cut off")


def _parse(cursor: _Cursor) -> Classifier:
    if len(cursor.content) < 8 or cursor.numbers("i") != (MAGIC,):
        raise _BrokenError("it does not start as one")
    (version,) = cursor.numbers("i")
    if version not in (11, 12):
        raise _BrokenError(f"its version is {version}; 11 and 12 are known")
    dim, _, _, _, _, word_ngrams, loss, kind, n_buckets, shortest, longest, _, _ = cursor.numbers("12id")
    if kind != SUPERVISED:
        raise _BrokenError("it holds word vectors, and no labels")
    if max(longest, word_ngrams) > LONGEST:
        raise _BrokenError(f"it has n-grams of more than {LONGEST} characters or words")
    if version == 11:  # classifiers had no n-grams of characters
        longest = 0
    size, n_words, n_labels, _, n_pruned = cursor.numbers("3i2q")
    if (
        loss not in (HIERARCHICAL, NEGATIVE, SOFTMAX, ONE_VS_ALL)
        or dim < 1
        or n_labels < 1
        or min(n_words, n_buckets) < 0
        or size != n_words + n_labels
    ):
        raise _BrokenError("its header makes no sense")
    hashes, starts, ends, counts = _entries(cursor, size)
    names = [bytes(cursor.content[starts[i] : ends[i]]) for i in range(n_words, size)]
    labels = tuple(name.decode("utf-8", "replace").removeprefix(LABEL.decode()) for name in names)
    pruned = cursor.array("<i4", 2 * max(n_pruned, 0)).reshape(-1, 2)

    rows = _input_matrix(cursor, dim)
    bits, ranks = np.zeros(0, np.uint64), np.zeros(0, np.int32)
    if len(rows) < n_words:
        raise _BrokenError("its matrix is too small for its words")
    if n_pruned >= 0:
        rows, bits, ranks = _by_hash(rows, n_words, pruned, n_buckets)
    elif len(rows) < n_words + max(n_buckets, 1) * (longest > 0 or word_ngrams > 1):
        raise _BrokenError("its matrix is too small for its n-grams")
    letters, letter_ends = _joined(np.frombuffer(cursor.content, np.uint8), starts, ends, n_words)
    slots = np.full(1 << max(2 * n_words, 1).bit_length(), -1, np.int32)
    _fill_slots(hashes[:n_words], slots)
    dictionary = Dictionary(
        slots=slots, letters=letters, ends=letter_ends, bits=bits, ranks=ranks, n_words=n_words,
        n_buckets=max(n_buckets, 1), shortest=shortest, longest=longest, word_ngrams=word_ngrams,
    )  # fmt: skip
    output = _output(cursor, loss, counts[n_words:], dim)
    return Classifier(labels, _frozen(dictionary), rows, _frozen(output))


def _frozen(arrays: Any) -> Any:
    """A tuple whose arrays cannot be written to: numba compiles a kernel for each kind."""
    for array in arrays:
        if isinstance(array, np.ndarray):
            array.flags.writeable = False
    return arrays


def _entries(cursor: _Cursor, size: int) -> tuple[npt.NDArray[Any], ...]:
    """Hashes (uint32), starts and ends of the bytes in the file, and counts (int64) of all words and labels."""
    content = np.frombuffer(cursor.content, np.uint8)
    hashes, places = np.zeros(max(size, 0), np.uint32), np.zeros((3, max(size, 0)), np.int64)
    end = _walk(content, cursor.place, hashes, places[0], places[1], places[2])
    if end < 0:
        raise _BrokenError("it is cut off")
    cursor.place = end
    return hashes, *places


def _matrix(cursor: _Cursor) -> tuple[Floats, Floats]:
    """A matrix that is not quantised: float32 (rows, columns); and scales of its rows, which are 1."""
    n_rows, n_columns = cursor.numbers("2q")
    if min(n_rows, n_columns) < 0:
        raise _BrokenError("a size in it is negative")
    values = cursor.array("<f4", n_rows * n_columns).reshape(n_rows, n_columns)
    return values, np.ones(n_rows, np.float32)


def _quantised(cursor: _Cursor) -> tuple[Floats, Floats]:
    """A quantised matrix written out, float32 (rows, columns), and the norms that its rows are scaled by."""
    has_norms, n_rows, n_columns, n_codes = cursor.numbers("?2qi")
    codes = cursor.array("u1", n_codes)
    values = _decoded(cursor, codes, n_rows, n_columns)
    norms = np.ones(n_rows, np.float32)
    if has_norms:
        codes = cursor.array("u1", n_rows)
        norms = _decoded(cursor, codes, n_rows, 1)[:, 0].copy()
    return values, norms


def _decoded(cursor: _Cursor, codes: Bytes, n_rows: int, n_columns: int) -> Floats:
    """What codes stand for, by the centroids that follow: float32 (rows, columns)."""
    n, n_pieces, width, last_width = cursor.numbers("4i")
    centroids = cursor.array("<f4", n * CENTROIDS)
    fits = n == n_columns and (n_pieces - 1) * width + last_width == n and len(codes) == n_rows * n_pieces
    if not fits or n_pieces < 1 or min(n_rows, width, last_width) < 0:
        raise _BrokenError("the sizes of a quantised matrix make no sense")
    codes = codes.reshape(n_rows, n_pieces)
    values = np.empty((n_rows, n_columns), np.float32)
    for piece in range(n_pieces):
        start, wide = piece * width, last_width if piece == n_pieces - 1 else width
        table = centroids[start * CENTROIDS : (start + wide) * CENTROIDS].reshape(CENTROIDS, wide)
        values[:, start : start + wide] = table[codes[:, piece]]
    return values


def _input_matrix(cursor: _Cursor, dim: int) -> Floats:
    (quantised,) = cursor.numbers("?")
    if not quantised:
        rows, _ = _matrix(cursor)
    else:
        values, norms = _quantised(cursor)
        rows = norms[:, None] * values
    if rows.shape[1] != dim:
        raise _BrokenError("its matrix is not as wide as its vectors")
    rows.flags.writeable = False
    return rows


def _by_hash(
    rows: Floats, n_words: int, pruned: Integers, n_buckets: int
) -> tuple[Floats, npt.NDArray[np.uint64], Integers]:
    """The rows with those of n-grams in the order of their hashes; the hashes as bits; counts of the bits before."""
    order = np.argsort(pruned[:, 0])
    hashes, numbers = pruned[order, 0], pruned[order, 1]
    if len(hashes) and (
        hashes[0] < 0 or hashes[-1] >= n_buckets or numbers.min() < 0 or n_words + numbers.max() >= len(rows)
    ):
        raise _BrokenError("an n-gram in it has no row")
    bits = np.zeros(max(n_buckets, 0) // 64 + 1, np.uint64)
    np.bitwise_or.at(bits, hashes >> 6, np.uint64(1) << (hashes & 63).astype(np.uint64))
    counts = np.bincount(hashes >> 6, minlength=len(bits))
    ranks = (np.cumsum(counts) - counts).astype(np.int32)
    sorted_rows = np.concatenate([rows[:n_words], rows[n_words + numbers]])
    sorted_rows.flags.writeable = False
    return sorted_rows, bits, ranks


def _output(cursor: _Cursor, loss: int, counts: Places, dim: int) -> Output:
    (quantised,) = cursor.numbers("?")
    weights, scales = _quantised(cursor) if quantised else _matrix(cursor)
    n_labels = len(counts)
    if weights.shape[1] != dim or len(weights) < n_labels - (loss == HIERARCHICAL):
        raise _BrokenError("its matrix of labels has the wrong size")
    if loss == HIERARCHICAL:
        if counts.min() < 0 or counts.max() >= NO_WEIGHT:
            raise _BrokenError("the counts of its labels make no sense")
        return Output(loss, n_labels, np.array(weights, np.float32), scales, _tree(counts))
    columns = np.ascontiguousarray(weights[:n_labels].T, np.float32)
    return Output(loss, n_labels, columns, scales[:n_labels].copy(), np.zeros((0, 2), np.int32))


def _tree(counts: Places) -> Integers:
    """The children of each node of the Huffman tree over labels in falling order of their counts."""
    n = len(counts)
    children = np.full((2 * n - 1, 2), -1, np.int32)
    weights = [*counts.tolist(), *[NO_WEIGHT] * (n - 1)]
    leaf, node = n - 1, n
    for parent in range(n, 2 * n - 1):
        for side in range(2):
            if leaf >= 0 and weights[leaf] < weights[node]:
                children[parent, side] = leaf
                leaf -= 1
            else:
                children[parent, side] = node
                node += 1
        weights[parent] = weights[children[parent, 0]] + weights[children[parent, 1]]
    return children


@kernel
def _walk(
    content: Bytes,
    place: int,
    hashes: npt.NDArray[np.uint32],
    starts: Places,
    ends: Places,
    counts: Places,
) -> int:
    """Find the entries of the dictionary; where they end, -1 if the file does so before."""
    for i in range(len(hashes)):
        starts[i] = place
        h = np.uint32(2166136261)
        while place < len(content) and content[place] != 0:
            h = np.uint32((h ^ np.uint32(np.int8(content[place]))) * np.uint32(16777619))
            place += 1
        ends[i] = place
        if place + 10 > len(content):
            return -1
        count = np.uint64(0)
        for k in range(8):
            count |= np.uint64(content[place + 1 + k]) << np.uint64(8 * k)
        hashes[i], counts[i] = h, np.int64(count)
        place += 10
    return place


@kernel
def _joined(content: Bytes, starts: Places, ends: Places, n: int) -> tuple[Bytes, Places]:
    """The bytes of the first n words in a row, and where each ends."""
    total = 0
    joined_ends = np.zeros(n, np.int64)
    for i in range(n):
        total += ends[i] - starts[i]
        joined_ends[i] = total
    joined = np.zeros(total, np.uint8)
    at = 0
    for i in range(n):
        for k in range(starts[i], ends[i]):
            joined[at] = content[k]
            at += 1
    return joined, joined_ends


@kernel
def _fill_slots(hashes: npt.NDArray[np.uint32], slots: Integers) -> None:
    for i in range(len(hashes)):
        slot = int(hashes[i]) & (len(slots) - 1)
        while slots[slot] >= 0:
            slot = (slot + 1) & (len(slots) - 1)
        slots[slot] = i
