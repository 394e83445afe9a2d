"""Words of a text as hashes, in lower case and without punctuation: what lists, n-grams and models compare.

    token   a run of letters, marks and numbers that begins with a letter or a number; or a letter of a script without
            spaces with the marks that follow it.  Its text is in lower case and decomposed (NFD), each character by
            itself; Korean syllables stay whole.  A soft hyphen and the signs that join letters do not end a token.

Any other character ends a token, so `don't` is two.  In `corpusmill.filters.shape`, where words are counted, it is one.

A hash has 64 bits; the last step mixes all of them, so low bits can be taken as an index.  A token has a weight: 4 for
a word, and in scripts without spaces 4 by the letters that make a word (`CHARACTERS_PER_WORD`): 2 or 1.
"""

import unicodedata
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from corpusmill.filters.characters import (
    CLUSTER,
    IDEOGRAPH,
    LETTER,
    MARK,
    N_CODE_POINTS,
    NUMBER,
    character_classes,
)
from corpusmill.filters.utf8 import character_at
from corpusmill.kernels import inner_kernel, kernel

WORD_WEIGHT, IDEOGRAPH_WEIGHT, CLUSTER_WEIGHT = 4, 2, 1
INVISIBLE = (0xAD, 0x200C, 0x200D, 0x2060, 0xFEFF)  # soft hyphen; (non-)joiners; they end no token

_SEED = np.uint64(0xCBF29CE484222325)
_PRIME = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xD6E8FEB86659FD93)
_BITS = np.uint64(32)


@dataclass(frozen=True, slots=True, eq=False)
class Tokens:
    """Tokens of n texts: those of text i are [ends[i - 1], ends[i]).

    hashes: uint64; starts, stops: int64, bytes in the data; weights: uint8; ends: int64 (n)
    """

    hashes: npt.NDArray[np.uint64]
    starts: npt.NDArray[np.int64]
    stops: npt.NDArray[np.int64]
    weights: npt.NDArray[np.uint8]
    ends: npt.NDArray[np.int64]


def tokenize(data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64]) -> Tokens:
    """Tokens of the n texts data[offsets[i]:offsets[i + 1]], UTF-8."""
    n = len(offsets) - 1
    room = int(offsets[-1] - offsets[0]) // 2 + n  # a token and what ends it, or a letter of 3 bytes
    hashes, starts, stops = np.empty(room, np.uint64), np.empty(room, np.int64), np.empty(room, np.int64)
    weights, ends = np.empty(room, np.uint8), np.zeros(n, np.int64)
    found = _scan(data, offsets, _folds(), hashes, starts, stops, weights, ends)
    return Tokens(hashes[:found], starts[:found], stops[:found], weights[:found], ends)


def words_of(text: str) -> list[str]:
    """The texts of a text's tokens, as they are hashed: for whoever compares what kernels found by hash."""
    flags = character_classes()
    words: list[str] = []
    in_word = 0  # 2 in a word, 1 after a letter of a script without spaces
    for character in text:
        code = ord(character)
        kind = int(flags[code]) if code < N_CODE_POINTS else 0
        if code in INVISIBLE:
            continue
        if kind & LETTER and kind & (IDEOGRAPH | CLUSTER):
            words.append(_folded(character))
            in_word = 1
        elif kind & (LETTER | NUMBER):
            if in_word == 2:
                words[-1] += _folded(character)
            else:
                words.append(_folded(character))
            in_word = 2
        elif kind & MARK and in_word:
            words[-1] += _folded(character)
        else:
            in_word = 0
    return words


def _folded(character: str) -> str:
    if "\uac00" <= character <= "\ud7a3":
        return character
    return unicodedata.normalize("NFD", character.lower())


@cache
def _folds() -> npt.NDArray[np.uint32]:
    """What each code point is to a token: uint32 (N_CODE_POINTS, 4), its folded code points.

    The highest bits of the first say what it does: see the constants.
    """
    flags = character_classes()
    table = np.zeros((N_CODE_POINTS, 4), np.uint32)
    table[:, 0] = np.arange(N_CODE_POINTS)
    uniform = ((0x3400, 0x4DBF), (0x4E00, 0x9FFC), (0xAC00, 0xD7A3), (0xD800, 0xF8FF), (0x20000, 0x2F7FF))
    is_uniform = np.zeros(N_CODE_POINTS, np.bool_)
    for first, last in uniform:  # nothing to fold; Hangul syllables are compared as they are
        is_uniform[first : last + 1] = True
    for code in np.flatnonzero((flags & (LETTER | NUMBER | MARK) != 0) & ~is_uniform).tolist():
        folded = _folded(chr(code))
        for place, character in enumerate(folded):
            table[code, place] = ord(character)
    kinds = np.zeros(N_CODE_POINTS, np.uint32)
    kinds[flags & MARK != 0] = _EXTENDS
    kinds[flags & (LETTER | NUMBER) != 0] = _WORD
    kinds[(flags & LETTER != 0) & (flags & IDEOGRAPH != 0)] = _IDEOGRAPH
    kinds[(flags & LETTER != 0) & (flags & CLUSTER != 0)] = _CLUSTER
    kinds[[code for code in INVISIBLE if code < N_CODE_POINTS]] = _INVISIBLE
    table[:, 0] |= kinds << np.uint32(_SHIFT)
    return table


_SHIFT = 24
_ENDS, _EXTENDS, _WORD, _IDEOGRAPH, _CLUSTER, _INVISIBLE = range(6)


@inner_kernel
def mixed(value: np.uint64) -> np.uint64:
    """All bits of a hash in all bits."""
    value = (value ^ (value >> _BITS)) * _MIX
    value = (value ^ (value >> _BITS)) * _MIX
    return value ^ (value >> _BITS)


@inner_kernel
def slot_of(table: npt.NDArray[np.uint64], key: np.uint64) -> np.int64:
    """Where a mixed hash is in a table with open addressing, or would be; 0 is an empty slot."""
    slot = np.int64(key & np.uint64(len(table) - 1))
    while table[slot] != 0 and table[slot] != key:
        slot = (slot + 1) & (len(table) - 1)
    return slot


@kernel
def _scan(
    data: npt.NDArray[np.uint8],
    offsets: npt.NDArray[np.int64],
    folds: npt.NDArray[np.uint32],
    hashes: npt.NDArray[np.uint64],
    starts: npt.NDArray[np.int64],
    stops: npt.NDArray[np.int64],
    weights: npt.NDArray[np.uint8],
    ends: npt.NDArray[np.int64],
) -> int:
    weight_of = (0, 0, WORD_WEIGHT, IDEOGRAPH_WEIGHT, CLUSTER_WEIGHT, 0)
    n = 0
    for row in range(len(offsets) - 1):
        i, end = offsets[row], offsets[row + 1]
        state = 0  # 1 after a letter of a script without spaces, 2 in a word
        value = _SEED
        stop = i
        while i <= end:
            begin = i
            kind = np.int64(_ENDS)
            code = np.uint32(0)
            if i == end:
                i += 1
            else:
                width, point = 1, int(data[i])
                if point >= 0x80:
                    width, point = character_at(data, i, end)
                    if width == 0:
                        width, point = end - i, 0xFFFD
                i += width
                if point < len(folds):
                    entry = folds[point, 0]
                    kind = np.int64(entry >> np.uint32(_SHIFT))
                    code = entry & np.uint32(0xFFFFFF)
                elif point == 0xFEFF:
                    kind = np.int64(_INVISIBLE)

            if kind == _WORD and state == 2:
                pass
            elif kind == _INVISIBLE or (kind == _EXTENDS and state != 0):
                if kind == _INVISIBLE:
                    continue
            else:
                if state != 0:  # what there was is complete
                    hashes[n] = mixed(value)
                    stops[n] = stop
                    n += 1
                    state = 0
                if kind <= _EXTENDS:
                    continue
                value = _SEED
                starts[n] = begin
                state = 2 if kind == _WORD else 1
                weights[n] = weight_of[kind]
            value = (value ^ np.uint64(code)) * _PRIME
            if folds[point, 1] != 0:
                value = (value ^ np.uint64(folds[point, 1])) * _PRIME
                if folds[point, 2] != 0:
                    value = (value ^ np.uint64(folds[point, 2])) * _PRIME
                    if folds[point, 3] != 0:
                        value = (value ^ np.uint64(folds[point, 3])) * _PRIME
            stop = i
        ends[row] = n
    return n
