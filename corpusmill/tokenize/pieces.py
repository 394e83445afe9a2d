"""Cut texts into pieces as the patterns of `patterns.py` do, and count the pieces: one pass of a kernel.

The kernel follows the alternatives of a pattern in their order, with what backtracking would find worked out by hand.
It gives the pieces of HF's regex engine.
A piece of more than 512 characters is cut, so a run of a million spaces costs no more than other text.

Cost: 60 MB/s on one core with counting, where HF's engine reads 2 MB/s.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from tokenizers import Regex, normalizers

from corpusmill.kernels import inner_kernel, kernel
from corpusmill.tokenize.patterns import DIGITS
from corpusmill.tokenize.settings import Split

_LETTER, _NUMBER, _SPACE, _MARK, _UPPER, _LOWER = 1, 2, 4, 8, 16, 32  # a character has several of them
_BEFORE, _AFTER = 1, 2  # where contractions are cut: first of all; after a word
_SPACES = (*range(9, 14), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000)
_PLANES = (*range(0xD800), *range(0xE000, 0x40000), *range(0xE0000, 0xE1000))  # all that have characters
_ENGINE = {
    r"\p{L}": _LETTER,
    r"\p{N}": _NUMBER,
    r"\p{M}": _MARK,
    r"\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}": _UPPER,
    r"\p{Ll}\p{Lm}\p{Lo}\p{M}": _LOWER,
}
_BATCH = 1 << 24  # characters that are cut at once

Codes = npt.NDArray[np.uint32]
Classes = npt.NDArray[np.uint8]
Offsets = npt.NDArray[np.int64]


class Cuts(NamedTuple):
    """A pattern, as the kernel reads it."""

    digits: int  # most digits of a piece; 0: any
    contractions: int  # 0: none
    any_case: bool  # whether contractions are found in capitals, too
    any_before: bool  # whether any one character may stand before a word; otherwise a space, also before numbers
    cased: bool  # whether a word begins at a capital letter
    marks: bool  # whether marks are letters
    tail: int  # what may follow punctuation: 0 nothing, 1 line breaks, 2 line breaks and slashes


_CUTS: dict[Split, Cuts] = {
    "gpt-2": Cuts(0, _BEFORE, False, False, False, False, 0),
    "gpt-4": Cuts(3, _BEFORE, True, True, False, False, 1),
    "llama-3": Cuts(3, _BEFORE, True, True, False, False, 1),
    "qwen": Cuts(1, _BEFORE, True, True, False, False, 1),
    "qwen-3.5": Cuts(1, _BEFORE, True, True, False, True, 1),
    "gpt-4o": Cuts(3, _AFTER, True, True, True, False, 2),
}


def cuts_of(split: Split, digits: int | None = None) -> Cuts:
    """The pattern with this name and these digits."""
    return _CUTS[split]._replace(digits=DIGITS[split] if digits is None else digits)


def count_pieces(texts: Iterable[str], cuts: Cuts) -> Counter[str]:
    """How often each piece occurs in the texts."""
    classes = character_classes()
    counts: Counter[str] = Counter()
    for batch in _batches(texts):
        codes = np.frombuffer("".join(batch).encode("utf-32-le"), np.uint32)
        ends_of_texts = np.cumsum(np.array([len(text) for text in batch], np.int64))
        starts, ends, times = _count(codes, ends_of_texts, classes, cuts)
        sizes = ends - starts
        stops = np.cumsum(sizes)
        chosen = np.repeat(starts - (stops - sizes), sizes) + np.arange(sizes.sum())
        text, start = codes[chosen].tobytes().decode("utf-32-le"), 0
        for stop, n in zip(stops.tolist(), times.tolist(), strict=True):
            counts[text[start:stop]] += n
            start = stop
    return counts


def _batches(texts: Iterable[str]) -> Iterator[list[str]]:
    batch, size = [], 0
    for text in texts:
        if text:
            batch.append(text)
            size += len(text)
        if size >= _BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


@cache
def character_classes() -> Classes:
    """The classes of every code point: Python's, and HF's for characters that this Python does not know yet."""
    bits = {"Lu": _UPPER, "Lt": _UPPER, "Ll": _LOWER, "Lm": _UPPER | _LOWER, "Lo": _UPPER | _LOWER}
    bits = {category: bit | _LETTER for category, bit in bits.items()}
    bits |= dict.fromkeys(("Mn", "Mc", "Me"), _MARK | _UPPER | _LOWER) | dict.fromkeys(("Nd", "Nl", "No"), _NUMBER)
    classes = np.array([bits.get(unicodedata.category(chr(code)), 0) for code in range(0x110000)], np.uint8)
    classes[list(_SPACES)] |= _SPACE
    newer = "".join(chr(code) for code in _PLANES if unicodedata.category(chr(code)) == "Cn")
    found = _only(r"\p{L}\p{M}\p{N}", newer)
    for pattern, bit in _ENGINE.items():
        classes[[ord(character) for character in _only(pattern, found)]] |= bit
    return classes


def _only(pattern: str, text: str) -> str:
    """The characters of a text that HF's regex engine finds in a class."""
    return normalizers.Replace(Regex(f"[^{pattern}]+"), "").normalize_str(text)


@inner_kernel
def _longer(array: Any) -> Any:
    return np.concatenate((array, np.empty_like(array)))


@inner_kernel
def _contraction(codes: Codes, i: int, n: int, any_case: bool) -> int:
    """The end of a contraction that begins at i: 's 't 'm 'd 're 've 'll; i if there is none."""
    if i + 1 >= n or codes[i] != 0x27:
        return i
    a = codes[i + 1]
    if any_case:
        if a == 0x17F:  # a long s
            return i + 2
        if 65 <= a <= 90:
            a += 32
    if a == 115 or a == 116 or a == 109 or a == 100:
        return i + 2
    if i + 2 < n:
        b = codes[i + 2]
        if any_case and 65 <= b <= 90:
            b += 32
        if ((a == 114 or a == 118) and b == 101) or (a == 108 and b == 108):
            return i + 3
    return i


@inner_kernel
def _cased_word(codes: Codes, j: int, n: int, classes: Classes, small: bool) -> int:
    """The end of a word at j that has a small letter (or, if not `small`, that begins with a capital one); -1: none."""
    e = j
    while e < n and classes[codes[e]] & 16:
        e += 1
    if small:
        if e < n and classes[codes[e]] & 32:
            while e < n and classes[codes[e]] & 32:
                e += 1
            return e
        k = e - 1  # the last one that is both
        while k >= j and not classes[codes[k]] & 32:
            k -= 1
        return k + 1 if k >= j else -1
    if e == j:
        return -1
    while e < n and classes[codes[e]] & 32:
        e += 1
    return e


@inner_kernel
def _word(codes: Codes, j: int, n: int, classes: Classes, letters: int) -> int:
    e = j
    while e < n and classes[codes[e]] & letters:
        e += 1
    return e if e > j else -1


@inner_kernel
def _piece_end(codes: Codes, i: int, n: int, classes: Classes, cuts: Cuts) -> int:
    digits, contractions, any_case, any_before, cased, marks, tail = cuts
    c, kind = codes[i], classes[codes[i]]
    letters = 9 if marks else 1
    if contractions == 1:
        e = _contraction(codes, i, n, any_case)
        if e > i:
            return e
    before = (c == 32) if not any_before else (c != 10 and c != 13 and not kind & 3)
    if cased:
        for small in (True, False):
            e = _cased_word(codes, i + 1, n, classes, small) if before else -1
            if e < 0:
                e = _cased_word(codes, i, n, classes, small)
            if e >= 0:
                return _contraction(codes, e, n, any_case)
    else:
        e = _word(codes, i + 1, n, classes, letters) if before else -1
        if e < 0:
            e = _word(codes, i, n, classes, letters)
        if e >= 0:
            return e
    j = i + 1 if (c == 32 and not any_before and i + 1 < n and classes[codes[i + 1]] & 2) else i
    if classes[codes[j]] & 2:
        e = j
        while e < n and classes[codes[e]] & 2 and (digits == 0 or e - j < digits):
            e += 1
        return e
    others = 15 if marks else 7  # what is no punctuation
    j = i + 1 if (c == 32 and i + 1 < n and not classes[codes[i + 1]] & others) else i
    if not classes[codes[j]] & others:
        e = j
        while e < n and not classes[codes[e]] & others:
            e += 1
        while tail and e < n and (codes[e] == 10 or codes[e] == 13 or (tail == 2 and codes[e] == 47)):
            e += 1
        return e
    e, line = i, -1
    while e < n and classes[codes[e]] & 4:
        if codes[e] == 10 or codes[e] == 13:
            line = e
        e += 1
    if line >= 0 and tail:
        return line + 1
    if e < n and e - 1 > i:
        return e - 1
    return e


@kernel
def _count(codes: Codes, ends_of_texts: Offsets, classes: Classes, cuts: Cuts) -> tuple[Offsets, Offsets, Offsets]:
    """The different pieces of texts that follow each other: start and end of the first of each, and their numbers.

    Pieces are told apart by 64 bits of a hash and by their size.
    """
    starts, ends = np.empty(1 << 16, np.int64), np.empty(1 << 16, np.int64)
    times, hashes = np.empty(1 << 16, np.int64), np.empty(1 << 16, np.uint64)
    table = np.full(1 << 17, -1, np.int32)
    found, i = 0, 0
    for text in range(len(ends_of_texts)):
        n = ends_of_texts[text]
        while i < n:
            e = min(_piece_end(codes, i, n, classes, cuts), i + 512)
            h = np.uint64(0xCBF29CE484222325) + np.uint64(e - i)
            for k in range(i, e):
                h = (h ^ np.uint64(codes[k])) * np.uint64(0x9E3779B97F4A7C15)
                h ^= h >> np.uint64(29)
            h = (h ^ (h >> np.uint64(32))) * np.uint64(0xD6E8FEB86659FD93)
            h ^= h >> np.uint64(32)
            mask = len(table) - 1
            at = np.int64(h & np.uint64(mask))
            while table[at] != -1 and (hashes[table[at]] != h or ends[table[at]] - starts[table[at]] != e - i):
                at = (at + 1) & mask
            if table[at] != -1:
                times[table[at]] += 1
            else:
                if found == len(starts):
                    starts, ends = _longer(starts), _longer(ends)
                    times, hashes = _longer(times), _longer(hashes)
                    table = np.full(2 * len(table), -1, np.int32)
                    mask = len(table) - 1
                    for old in range(found):
                        at = np.int64(hashes[old] & np.uint64(mask))
                        while table[at] != -1:
                            at = (at + 1) & mask
                        table[at] = old
                    at = np.int64(h & np.uint64(mask))
                    while table[at] != -1:
                        at = (at + 1) & mask
                table[at] = found
                starts[found], ends[found], times[found], hashes[found] = i, e, 1, h
                found += 1
            i = e
    return starts[:found], ends[:found], times[:found]
