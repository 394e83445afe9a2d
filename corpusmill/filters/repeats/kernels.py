"""Hashes of lines, sentences and windows: loops over the tokens of texts."""

import unicodedata

import numpy as np
import numpy.typing as npt

from corpusmill.arrow import Bytes
from corpusmill.filters.characters import CLOSER, LETTER, NUMBER, SPACE, TERMINAL
from corpusmill.filters.edits.kernels.lines import is_blank
from corpusmill.filters.tokens import mixed
from corpusmill.filters.utf8 import code_at, width_at
from corpusmill.kernels import inner_kernel, kernel

Places = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]
Classes = npt.NDArray[np.uint32]
Flags = npt.NDArray[np.bool_]
Weights = npt.NDArray[np.uint8]

NEWLINE = 0x0A
FIRST_WIDE = 0x2E80  # final punctuation from here on needs no white space after it

_SEED, _PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x9E3779B97F4A7C15)
_A_NUMBER = np.uint64(0xA0761D6478BD642F)


def openers() -> Places:
    """The code points of opening brackets and quotes, ascending: they belong to the word after them."""
    kinds = ("Ps", "Pi")
    return np.array([code for code in range(0x10000) if unicodedata.category(chr(code)) in kinds], np.int64)


@inner_kernel
def _flags(classes: Classes, code: int) -> int:
    return int(classes[code]) if code < len(classes) else 0


@kernel
def fold_numbers(data: Bytes, starts: Places, stops: Places, classes: Classes, hashes: Hashes) -> None:
    """Give all tokens that are numbers one hash."""
    for token in range(len(starts)):
        i = starts[token]
        while i < stops[token] and _flags(classes, code_at(data, i)) & NUMBER:
            i += width_at(data, i)
        if i >= stops[token]:
            hashes[token] = _A_NUMBER


@kernel
def hash_lines(
    data: Bytes,
    line_starts: Places,
    line_ends: Places,
    rows: Places,
    blocks: Flags,
    paragraphs: bool,
    starts: Places,
    hashes: Hashes,
    weights: Weights,
    ends: Places,
    least: int,
    places: Places,
    out: Hashes,
) -> int:
    """Lines or paragraphs that weigh enough: row, start, stop (places), and hash; returns their number.

    rows: for each text its first line, and one more; ends: for each text where its tokens end.
    """
    n = token = 0
    for row in range(len(rows) - 1):
        value, weight, in_block, start, stop = _SEED, 0, False, np.int64(-1), np.int64(0)
        for line in range(rows[row], rows[row + 1] + 1):
            is_over = line == rows[row + 1]
            if start >= 0 and (is_over or not paragraphs or is_blank(data, line_starts[line], line_ends[line])):
                if weight >= least and weight > 0 and not in_block:
                    places[0, n], places[1, n], places[2, n] = row, start, stop
                    out[n] = mixed(value)
                    n += 1
                value, weight, in_block, start = _SEED, 0, False, np.int64(-1)
            if is_over:
                break
            if is_blank(data, line_starts[line], line_ends[line]):
                continue
            if start < 0:
                start = line_starts[line]
            stop = line_ends[line]
            in_block = in_block or blocks[line]
            while token < ends[row] and starts[token] < stop:
                value = (value ^ hashes[token]) * _PRIME
                weight += int(weights[token])
                token += 1
        token = ends[row]
    return n


@kernel
def tails(
    data: Bytes,
    offsets: Places,
    starts: Places,
    stops: Places,
    ends: Places,
    classes: Classes,
    opening: Places,
    out: Places,
) -> None:
    """For each token, where the punctuation after it ends: at white space, at an opening bracket or at a token."""
    token = 0
    for row in range(len(ends)):
        while token < ends[row]:
            limit = starts[token + 1] if token + 1 < ends[row] else offsets[row + 1]
            i = stops[token]
            while i < limit:
                code = code_at(data, i)
                if _flags(classes, code) & SPACE or _is_in(opening, code):
                    break
                i += width_at(data, i)
            out[token] = i
            token += 1


@inner_kernel
def _is_in(values: Places, value: int) -> bool:
    low, high = 0, len(values)
    while low < high:
        middle = (low + high) // 2
        if values[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low < len(values) and values[low] == value


@inner_kernel
def _ends_sentence(data: Bytes, i: int, limit: int, classes: Classes) -> bool:
    """Whether a sentence ends between two tokens, or before the end of the text."""
    ended = False
    while i < limit:
        code = code_at(data, i)
        flags = _flags(classes, code)
        if code == NEWLINE:
            return True
        if flags & TERMINAL:
            if code >= FIRST_WIDE:
                return True
            ended = True
        elif flags & SPACE:
            if ended:
                return True
        elif flags & CLOSER == 0:
            ended = False
        i += width_at(data, i)
    return False


@kernel
def hash_sentences(
    data: Bytes,
    offsets: Places,
    starts: Places,
    stops: Places,
    hashes: Hashes,
    ends: Places,
    classes: Classes,
    places: Places,
    out: Hashes,
) -> int:
    """Sentences with words: row, first token, token after the last (places), and hash; returns their number."""
    n = token = 0
    for row in range(len(ends)):
        first, value = token, _SEED
        while token < ends[row]:
            value = (value ^ hashes[token]) * _PRIME
            is_last = token + 1 == ends[row]
            if is_last or _ends_sentence(data, stops[token], starts[token + 1], classes):
                places[0, n], places[1, n], places[2, n] = row, first, token + 1
                out[n] = mixed(value)
                n += 1
                first, value = token + 1, _SEED
            token += 1
    return n


@kernel
def hash_spans(
    sentences: Places, values: Hashes, sums: Places, length: int, least: int, places: Places, out: Hashes
) -> int:
    """Spans of `length` sentences of one text that weigh enough; as above.  sums: weights of the tokens before each."""
    n = 0
    for first in range(sentences.shape[1] - length + 1):
        last = first + length - 1
        if sentences[0, first] != sentences[0, last]:
            continue
        start, stop = sentences[1, first], sentences[2, last]
        if sums[stop] - sums[start] < least:
            continue
        value = _SEED
        for i in range(first, last + 1):
            value = (value ^ values[i]) * _PRIME
        places[0, n], places[1, n], places[2, n] = sentences[0, first], start, stop
        out[n] = mixed(value)
        n += 1
    return n


@kernel
def count_letters(data: Bytes, starts: Places, stops: Places, classes: Classes, out: Places) -> None:
    """The letters and digits of each token, without marks: as many in every normal form of Unicode; at least 1."""
    for token in range(len(starts)):
        n, i = 0, starts[token]
        while i < stops[token]:
            if data[i] < 0x80:
                n, i = n + 1, i + 1
            else:
                n += _flags(classes, code_at(data, i)) & (LETTER | NUMBER) != 0
                i += width_at(data, i)
        out[token] = max(n, 1)


@kernel
def hash_windows(
    hashes: Hashes,
    weights: Places,
    ends: Places,
    weight: int,
    powers: Hashes,
    sums: Hashes,
    grams: Hashes,
    gram_stops: Places,
    queue: Places,
    values: Hashes,
    stops: Places,
    anchors: Places,
) -> None:
    """The window that begins at each token: hash, token after its last (0: there is none), and place of its sieve.

    weight: of a window.  An n-gram weighs half of it; grams: their hashes, by their first token.  The sieve is the
    smallest of the n-grams that lie in the window; of equal ones, the last.  powers: more than a window has tokens.
    """
    half = (weight + 1) // 2
    begin = 0
    for row in range(len(ends)):
        end = ends[row]
        sums[begin] = 0
        for i in range(begin, end):
            sums[i + 1] = sums[i] * powers[1] + hashes[i]
        last, total = begin, 0
        for i in range(begin, end):
            while last < end and total < half:
                total += weights[last]
                last += 1
            gram_stops[i] = last if total >= half else end + 1
            grams[i] = mixed(sums[last] - sums[i] * powers[last - i])
            total -= weights[i]
        stop, total = begin, 0
        head, tail, following = 0, 0, begin  # queue: places of n-grams with ascending hashes
        for start in range(begin, end):
            while stop < end and total < weight:
                total += weights[stop]
                stop += 1
            if total < weight:
                break
            while following < end and gram_stops[following] <= stop:
                while tail > head and grams[queue[tail - 1]] >= grams[following]:
                    tail -= 1
                queue[tail] = following
                tail += 1
                following += 1
            while queue[head] < start:
                head += 1
            anchors[start] = queue[head]
            values[start] = mixed(sums[stop] - sums[start] * powers[stop - start] + np.uint64(weight))
            stops[start] = stop
            total -= weights[start]
        begin = end
