"""Texts that a page shows more than once: a version for telephones, a summary at the top, what a paywall hides.

Two blocks are copies if they have the same number of words, and the same first ones (`words.MAX_WORDS`; all digits are
alike).  Which copy is the content is for the forest to find: it is told of each block how often its text was there
before, how far away its copies are, and how much of what lies around has copies, for a menu of three words repeats
itself anywhere, an article next to nothing else.  That was worth .005 of F1.

Of passages that would be kept twice, the same to the letter, the first is enough (`leave_out`): .002 more, .009 on
forums, where posts are quoted.  A passage is texts in the same order, of so many words together that chance doesn't
repeat them.  Cells and code are no part of one: tables and programs repeat themselves by right.

Cost: 4 microseconds an average page.
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
SOME_WORDS = 4  # shorter texts are no copies for what lies around them
MANY_WORDS = 12  # of a passage; less may stand on a page as often as it likes
NONE = -1
IN_PLACE = BIT["cell"] | BIT["preformatted"]


class Copy(IntEnum):
    """Rows of what is known of a block's copies."""

    BLOCKS = 0  # that have the text, this one included
    BEFORE = 1  # of these, those before it
    SINCE = 2  # blocks since the last of them
    UNTIL = 3  # blocks until the next one
    REPEATED = 4  # share of the words within reach in texts that were there before
    COMING = 5  # share of them in texts that come again
    PAGE_REPEATED = 6  # share of the page's words in texts that were there before


@inner_kernel
def describe(blocks: Table, texts: I32, sums: I32, rows: F32) -> None:
    """What is known of every block's copies -> rows (len(Copy), n_blocks); texts: the first block with the same one."""
    n = len(blocks)
    last, n_before = np.full(n, NONE, np.int32), np.zeros(n, np.int32)  # by the first block
    repeated, coming = np.zeros(n + 1, np.int32), np.zeros(n + 1, np.int32)  # words
    for i in range(n):
        first = texts[i]
        before = i64(last[first])
        rows[Copy.BEFORE, i] = n_before[first]
        rows[Copy.SINCE, i] = rows[Copy.UNTIL, i] = NONE
        if before != NONE:
            rows[Copy.SINCE, i] = rows[Copy.UNTIL, before] = i - before
            if blocks[i]["n_words"] >= SOME_WORDS:
                repeated[i + 1] = coming[before + 1] = blocks[i]["n_words"]
        last[first] = i
        n_before[first] += 1
    for i in range(n):
        repeated[i + 1] += repeated[i]
        coming[i + 1] += coming[i]
        rows[Copy.BLOCKS, i] = n_before[texts[i]]
    of_page = f32(repeated[n]) / f32(max(1, sums[n, Sum.WORDS]))
    for i in range(n):
        first, end = max(0, i - REACH), min(n, i + REACH + 1)
        words = f32(max(1, sums[end, Sum.WORDS] - sums[first, Sum.WORDS]))
        rows[Copy.REPEATED, i] = f32(repeated[end] - repeated[first]) / words
        rows[Copy.COMING, i] = f32(coming[end] - coming[first]) / words
        rows[Copy.PAGE_REPEATED, i] = of_page


@inner_kernel
def leave_out(text: U8, blocks: Table, texts: I32, keep: Bools) -> None:
    """Of passages that are kept, the same to the letter, keep the first; texts: the first block with the same one."""
    n = len(blocks)
    original = np.full(n, NONE, np.int32)  # by the first block: the first copy that is kept
    passage, size, n_words, last = np.empty(n, np.int32), 0, 0, i64(NONE)
    for i in range(n + 1):
        found = i64(NONE)
        if i < n:
            if not keep[i]:
                continue
            found = i64(original[texts[i]])
            if found != NONE and (blocks[i]["flags"] & IN_PLACE or not _are_the_same(text, blocks[i], blocks[found])):
                found = i64(NONE)
        if found <= last:  # the end of a passage, or of none
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
