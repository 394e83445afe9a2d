"""Signals of ChineseWebText, for pages in Chinese (Chen et al. 2023, arXiv:2311.01149; its program's definitions).

A line is what lies between newlines, also a blank one.  A 13-gram is thirteen characters in a row, in small letters
and without spaces, tabs and newlines; the last one of a text is not looked at, as in its program.  Its program converts
a page from traditional to simplified Chinese, and drops it if that changes anything; here the characters are counted
that only traditional Chinese has, as `corpusmill.filters.characters` knows them.
"""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from corpusmill.arrow import Utf8Column
from corpusmill.filters.batches import ratio
from corpusmill.filters.characters import SPACE, TRADITIONAL, character_classes
from corpusmill.filters.datatrove import decode, powers_of, span
from corpusmill.filters.repetition import entry_of, mix
from corpusmill.kernels import kernel

CHARACTERS, LINES, HAN, TRADITIONALS, GRAMS, REPEATED = range(6)
N_COUNTS = 6
GRAM = 13
_FIRST_HAN, _LAST_HAN = 0x4E00, 0x9FA5
_SPACE, _NEWLINE, _TAB = 0x20, 0x0A, 0x09


def measure_chinesewebtext(text: pa.Array) -> dict[str, pa.Array]:
    """The signals of the group `signals_chinesewebtext`, of n texts; null where the text is null."""
    column = Utf8Column.of(pc.utf8_lower(text))
    counts = np.zeros((len(column), N_COUNTS), np.int64)
    _measure(column.data, column.offsets, character_classes(), counts)
    count = counts.T
    columns = {
        "mean_line_length_chinesewebtext": ratio(count[CHARACTERS], count[LINES]),
        "han_share_chinesewebtext": ratio(count[HAN], count[CHARACTERS]),
        "traditional_count_chinesewebtext": pa.array(count[TRADITIONALS]),
        "repeated_13_gram_share_chinesewebtext": ratio(count[REPEATED], count[GRAMS]),
    }
    readable = text.is_valid()
    return {name: pc.if_else(readable, values, None) for name, values in columns.items()}


@kernel
def _measure(
    data: npt.NDArray[np.uint8],
    offsets: npt.NDArray[np.int64],
    classes: npt.NDArray[np.uint32],
    counts: npt.NDArray[np.int64],
) -> None:
    longest = 1
    for row in range(len(counts)):
        longest = max(longest, offsets[row + 1] - offsets[row])
    codes, flags, hashes = np.empty(longest, np.int32), np.empty(longest, np.uint32), np.empty(longest + 1, np.uint64)
    powers = powers_of(GRAM + 1)
    for row in range(len(counts)):
        count = counts[row]
        size = decode(data, offsets[row], offsets[row + 1], classes, codes, flags, hashes)
        count[CHARACTERS], count[LINES] = size, 1
        low, high = 0, size
        while low < high and flags[low] & SPACE:
            low += 1
        while low < high and flags[high - 1] & SPACE:
            high -= 1
        n = 0
        hashes[0] = np.uint64(0)
        for i in range(size):
            code = codes[i]
            count[LINES] += code == _NEWLINE
            count[HAN] += _FIRST_HAN <= code <= _LAST_HAN
            count[TRADITIONALS] += flags[i] & TRADITIONAL != 0
            if low <= i < high and code != _SPACE and code != _NEWLINE and code != _TAB:
                hashes[n + 1] = hashes[n] * powers[1] + np.uint64(code + 1)
                n += 1
        n_grams = n - GRAM if n >= GRAM else 1
        count[GRAMS] = n_grams
        if n > GRAM:
            slots = 4
            while slots < 2 * n_grams:
                slots *= 2
            table, keys = np.full(slots, -1, np.int32), np.empty(n_grams, np.uint64)
            occurrences = np.zeros(n_grams, np.int64)
            n_entries = 0
            for i in range(n_grams):
                entry = entry_of(mix(span(hashes, powers, i, i + GRAM)), table, keys, n_entries)
                n_entries += entry == n_entries
                occurrences[entry] += 1
            for entry in range(n_entries):
                if occurrences[entry] > 1:
                    count[REPEATED] += occurrences[entry]
