"""Texts that a page shows several times: a version for telephones, a summary at the top, the text behind a paywall.

Two blocks are copies if they have the same number of words and the same first words (`words.MAX_WORDS`; all digits
count as equal).  The forest decides which copy is the content.  Its features for each block are: how often the text was
there before, how far away the copies are, and how many of the words around the block have copies.  The last one is
needed because a menu of three words repeats anywhere, but the text around an article does not.  This gained 0.005 of
F1.

If a passage would be kept twice, letter by letter the same, only the first one is kept (`leave_out`).  This gained
0.002 more, and 0.009 for forums, where posts are quoted.  A passage is a sequence of texts in the same order, with so
many words that it does not repeat by chance.  Cells and code are not part of passages, because tables and programs
repeat themselves for good reasons.

Cost: 4 microseconds per average page.
"""

from enum import IntEnum

import numpy as np
import numpy.typing as npt

from corpusmill.extract.content.tree import Sum
from corpusmill.extract.segments.arithmetic import f32, i64
from corpusmill.extract.segments.lean import Record, lean_kernel
from corpusmill.extract.segments.tables import BIT
from corpusmill.kernels import inner_kernel

U8 = npt.NDArray[np.uint8]
I32 = npt.NDArray[np.int32]
F32 = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]
Table = npt.NDArray[np.void]

REACH = 8  # blocks before and after
SOME_WORDS = 4  # shorter texts do not count as copies around a block
MANY_WORDS = 12  # of a passage; shorter ones may be on a page several times
NONE = -1
IN_PLACE = BIT["cell"] | BIT["preformatted"]


class Copy(IntEnum):
    """Rows of the features of a block's copies."""

    BLOCKS = 0  # number of blocks with this text, including this one
    BEFORE = 1  # number of those before this one
    SINCE = 2  # number of blocks since the last of them
    UNTIL = 3  # number of blocks until the next one
    REPEATED = 4  # share of the words within reach in texts that occurred before
    COMING = 5  # share of them in texts that occur again
    PAGE_REPEATED = 6  # share of the page's words in texts that occurred before


@inner_kernel
def describe(blocks: Table, texts: I32, sums: I32, start: int, rows: F32) -> None:
    """The features of the copies of every block from `start` -> rows (len(Copy), number of blocks).

    texts: the first block with the same text.
    """
    n, stop = len(blocks), start + rows.shape[1]
    last, n_before = np.full(n, NONE, np.int32), np.zeros(n, np.int32)  # both by the first block with the text
    repeated, coming = np.zeros(n + 1, np.int32), np.zeros(n + 1, np.int32)  # numbers of words
    for i in range(n):
        first = texts[i]
        before = i64(last[first])
        if start <= i < stop:
            rows[Copy.BEFORE, i - start] = n_before[first]
            rows[Copy.SINCE, i - start] = i - before if before != NONE else NONE
            rows[Copy.UNTIL, i - start] = NONE
        if before != NONE:
            if start <= before < stop:
                rows[Copy.UNTIL, before - start] = i - before
            if blocks[i]["n_words"] >= SOME_WORDS:
                repeated[i + 1] = coming[before + 1] = blocks[i]["n_words"]
        last[first] = i
        n_before[first] += 1
    for i in range(n):
        repeated[i + 1] += repeated[i]
        coming[i + 1] += coming[i]
    of_page = f32(repeated[n]) / f32(max(1, sums[n, Sum.WORDS]))
    for k in range(rows.shape[1]):
        i = start + k
        first, end = max(0, i - REACH), min(n, i + REACH + 1)
        words = f32(max(1, sums[end, Sum.WORDS] - sums[first, Sum.WORDS]))
        rows[Copy.BLOCKS, k] = n_before[texts[i]]
        rows[Copy.REPEATED, k] = f32(repeated[end] - repeated[first]) / words
        rows[Copy.COMING, k] = f32(coming[end] - coming[first]) / words
        rows[Copy.PAGE_REPEATED, k] = of_page


@inner_kernel
def leave_out(text: U8, blocks: Table, texts: I32, keep: Bools) -> None:
    """Keep only the first of equal passages that are kept; texts: the first block with the same text."""
    n = len(blocks)
    original = np.full(n, NONE, np.int32)  # by the first block with the text: the first kept copy
    passage, size, n_words, last = np.empty(n, np.int32), 0, 0, i64(NONE)
    for i in range(n + 1):
        found = i64(NONE)
        if i < n:
            if not keep[i]:
                continue
            found = i64(original[texts[i]])
            if found != NONE and (blocks[i]["flags"] & IN_PLACE or not _are_the_same(text, blocks[i], blocks[found])):
                found = i64(NONE)
        if found <= last:  # a passage ends here, or there was none
            for k in range(size if n_words >= MANY_WORDS else 0):
                keep[passage[k]] = False
            size = n_words = 0
        last = found
        if found != NONE:
            passage[size] = i
            size += 1
            n_words += blocks[i]["n_words"]
        elif i < n and original[texts[i]] == NONE:
            original[texts[i]] = i


@lean_kernel
def _are_the_same(text: U8, one: Record, other: Record) -> bool:
    size, k = i64(one["end"] - one["start"]), i64(0)
    if size != other["end"] - other["start"]:
        return False
    while k < size and text[one["start"] + k] == text[other["start"] + k]:
        k += 1
    return k == size
