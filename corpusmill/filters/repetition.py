"""How much of a document repeats an earlier part of it: words, n-grams of words, lines and paragraphs.

After the repetition rules of Gopher (Rae et al. 2021, arXiv:2112.11446, A1.1), with two things made precise: what is
counted as duplicated is what occurs again, without its first occurrence (as in datatrove), and a character is counted
once, however many n-grams hold it (as the paper says; datatrove counts the most frequent n-gram's overlapping
occurrences twice).  All shares are of the characters of the words; every share of n + 1 is at most that of n.

In a document that is mostly written without spaces, where units are letters, a word is any window of `stride` of them
(2, or 4: see `characters.CHARACTERS_PER_WORD`), so that an n-gram is about as long as in other languages.

An (n + 1)-gram can only occur twice if both n-grams in it do, so only those positions go on to the next length:
a word costs about two look-ups in a hash table for all nine lengths together, instead of nine.  64-bit hashes stand
for the n-grams; in a document of a million words two different ones agree with a chance of 1 in 10 million.
Cost: 185-195 MB/s per core on English; plain Python takes 100 times as long.  Two thirds of it are the look-ups for
single words and pairs, in tables that outgrow the first-level cache.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from corpusmill.filters.register import DUPLICATE_N_GRAMS, TOP_N_GRAMS
from corpusmill.filters.shape import Pieces
from corpusmill.kernels import kernel

PRIME = np.uint64(0x9E3779B97F4A7C15)
HALF = np.uint64(32)


@dataclass(frozen=True, slots=True, eq=False)
class NGrams:
    """The n-grams of n documents.

    windows, distinct: int64 (n); how many words there are, and how many different ones
    characters: int64 (n), of all words
    entropy: float64 (n), of the distribution of words, in nats
    top: int64 (n, 3), characters in the most frequent 2-, 3-, 4-gram, 0 if none occurs twice
    duplicate: int64 (n, 6), characters in 5- to 10-grams that occurred before
    """

    windows: npt.NDArray[np.int64]
    distinct: npt.NDArray[np.int64]
    characters: npt.NDArray[np.int64]
    entropy: npt.NDArray[np.float64]
    top: npt.NDArray[np.int64]
    duplicate: npt.NDArray[np.int64]


def measure_n_grams(units: Pieces, strides: npt.NDArray[np.int64]) -> NGrams:
    """N-grams of each document's units, a word being `strides[i]` of them in document i."""
    n = len(strides)
    windows, distinct, characters = np.zeros((3, n), np.int64)
    entropy = np.zeros(n, np.float64)
    top = np.zeros((n, len(TOP_N_GRAMS)), np.int64)
    duplicate = np.zeros((n, len(DUPLICATE_N_GRAMS)), np.int64)
    given = (units.hashes, units.lengths, units.ends, strides)
    _n_grams(*given, windows, distinct, characters, entropy, top, duplicate)
    return NGrams(windows, distinct, characters, entropy, top, duplicate)


def measure_repeats(pieces: Pieces) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Of each document's lines or paragraphs: how many occurred before in it, and how many characters they have."""
    repeated = np.zeros((2, len(pieces.ends)), np.int64)
    _repeats(pieces.hashes, pieces.lengths, pieces.ends, repeated[0], repeated[1])
    return repeated[0], repeated[1]


@kernel
def mix(value: np.uint64) -> np.uint64:
    """Spread a hash's entropy over all its bits: the tables index by the low ones."""
    value = (value ^ (value >> HALF)) * PRIME
    return value ^ (value >> HALF)


@kernel
def entry_of(key: np.uint64, table: npt.NDArray[np.int32], keys: npt.NDArray[np.uint64], n_entries: int) -> int:
    """The entry of `key`, `n_entries` if it is new: it is then in the table, and the caller counts it.

    table: size a power of two, more than twice the entries; -1 where empty; linear probing
    """
    last = len(table) - 1
    slot = int(key) & last
    while table[slot] >= 0:
        if keys[table[slot]] == key:
            return int(table[slot])
        slot = (slot + 1) & last
    table[slot] = n_entries
    keys[n_entries] = key
    return n_entries


@kernel
def _repeats(
    hashes: npt.NDArray[np.uint64],
    lengths: npt.NDArray[np.int32],
    ends: npt.NDArray[np.int64],
    repeats: npt.NDArray[np.int64],
    characters: npt.NDArray[np.int64],
) -> None:
    start = 0
    for row in range(len(ends)):
        n = ends[row] - start
        size = 4
        while size < 2 * n:
            size *= 2
        table = np.full(size, -1, np.int32)
        keys = np.empty(n, np.uint64)
        n_entries = 0
        for i in range(start, ends[row]):
            if entry_of(mix(hashes[i]), table, keys, n_entries) == n_entries:
                n_entries += 1
            else:
                repeats[row] += 1
                characters[row] += lengths[i]
        start = ends[row]


@kernel
def _n_grams(
    unit_hashes: npt.NDArray[np.uint64],
    unit_lengths: npt.NDArray[np.int32],
    unit_ends: npt.NDArray[np.int64],
    strides: npt.NDArray[np.int64],
    windows: npt.NDArray[np.int64],
    distinct: npt.NDArray[np.int64],
    characters: npt.NDArray[np.int64],
    entropy: npt.NDArray[np.float64],
    top: npt.NDArray[np.int64],
    duplicate: npt.NDArray[np.int64],
) -> None:
    start = 0
    for row in range(len(unit_ends)):
        stride = strides[row]
        n_units = unit_ends[row] - start
        for i in range(start, unit_ends[row]):
            characters[row] += unit_lengths[i]
        n = n_units - stride + 1  # words; that at position i is made of the units i to i + stride - 1
        if n > 0:
            size = 4
            while size < 2 * n:
                size *= 2
            table = np.empty(size, np.int32)
            keys = np.empty(n, np.uint64)  # an entry is one of the different n-grams
            occurrences = np.empty(n, np.int32)
            entries = np.empty(n, np.int32)
            positions = np.empty(n, np.int32)  # of the n-grams that can occur twice, ascending
            repeated = np.zeros(n + stride, np.int8)  # length of the longest n-gram at a position that occurs twice
            words = np.empty(n, np.uint64)
            grams = np.zeros(n, np.uint64)
            before = np.empty(n_units + 1, np.int32)  # characters before a unit
            before[0] = 0
            for i in range(n_units):
                before[i + 1] = before[i] + unit_lengths[start + i]
            for i in range(n):
                positions[i] = i
                words[i] = unit_hashes[start + i]
                for j in range(1, stride):
                    words[i] = mix(words[i]) ^ unit_hashes[start + i + j]

            left = 0  # positions[left:] are those that are left at this length
            for length in range(1, 11):
                if left == n:
                    break

                while size > 4 and size >= 4 * (n - left):
                    size //= 2
                table[:size] = -1
                n_entries = 0
                reach = length * stride  # units in an n-gram
                covered = 0  # units before this one are counted as duplicates
                for k in range(left, n):
                    i = positions[k]
                    grams[i] = mix(mix(grams[i]) ^ words[i + reach - stride])
                    entry = entry_of(grams[i], table[:size], keys, n_entries)
                    entries[k] = entry
                    if entry == n_entries:
                        n_entries += 1
                        occurrences[entry] = 1
                    else:
                        occurrences[entry] += 1
                        if length >= 5:
                            duplicate[row, length - 5] += before[i + reach] - before[max(i, covered)]
                            covered = i + reach

                most_frequent = 0
                for entry in range(n_entries):
                    if occurrences[entry] > occurrences[most_frequent]:
                        most_frequent = entry
                covered = n_units
                next_left = n
                for k in range(n - 1, left - 1, -1):
                    i = positions[k]
                    if occurrences[entries[k]] > 1:
                        repeated[i] = length
                        if repeated[i + stride] == length:
                            next_left -= 1
                            positions[next_left] = i
                        if 2 <= length <= 4 and entries[k] == most_frequent:
                            top[row, length - 2] += before[min(i + reach, covered)] - before[i]
                            covered = i
                left = next_left

                if length == 1:
                    windows[row] = n
                    distinct[row] = n_entries
                    total = 0.0
                    for entry in range(n_entries):
                        total += occurrences[entry] * math.log(occurrences[entry])
                    entropy[row] = math.log(n) - total / n
        start = unit_ends[row]
