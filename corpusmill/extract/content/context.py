"""The surroundings of a block: the elements around it, and the blocks within reach.

A *level* is an element around a block.  A chain of elements that all contain the same blocks counts as one level,
because nested wrappers, which templates make, carry no information.

Cost: 20 microseconds per average page.
"""

from enum import IntEnum

import numpy as np
import numpy.typing as npt

from corpusmill.extract.content.tree import Sum
from corpusmill.extract.segments.arithmetic import f32, i64
from corpusmill.extract.segments.lean import lean_kernel
from corpusmill.kernels import inner_kernel

I32 = npt.NDArray[np.int32]
F32 = npt.NDArray[np.float32]
Table = npt.NDArray[np.void]

N_LEVELS = 4
REACHES = (3, 8, 20)


class Level(IntEnum):
    """Rows of the features of a level."""

    WORDS = 0
    LINK_SHARE = 1  # share of its words
    PARAGRAPH_SHARE = 2
    STOPS = 3  # per word
    IMAGES = 4
    SCORE = 5  # sum of the scores in the linear model, over the path to it
    SIBLINGS = 6
    TAG = 7


class Window(IntEnum):
    """Rows of the features of the blocks within reach of a block, including itself."""

    WORDS = 0  # mean
    LINK_SHARE = 1
    SCORE = 2  # mean score in the linear model


N_LEVEL, N_WINDOW = len(Level), len(Window)


@inner_kernel
def describe_levels(blocks: Table, nodes: Table, place: Table, sums: I32, rows: F32) -> None:
    """The elements around every block -> rows (N_LEVELS * N_LEVEL, n_blocks)."""
    before = np.full(N_LEVELS, -1, np.int64)  # elements around the previous block, often the same ones
    for i in range(len(blocks)):
        v = i64(blocks[i]["box"])
        for level in range(N_LEVELS):
            at = level * N_LEVEL
            if v == before[level]:
                for k in range(at, at + N_LEVEL):
                    rows[k, i] = rows[k, i - 1]
            else:
                before[level] = v
                _describe_level(nodes, place, sums, v, rows[at : at + N_LEVEL, i])
            v = max(i64(nodes[place[v]["top"]]["parent"]), 0)


@lean_kernel
def _describe_level(nodes: Table, place: Table, sums: I32, v: int, column: F32) -> None:
    here = place[v]
    top = here["top"]
    first, end = nodes[top]["first_block"], nodes[top]["end_block"]
    words = f32(sums[end, Sum.WORDS] - sums[first, Sum.WORDS])
    a_word = f32(1) / max(f32(1), words)
    column[Level.WORDS] = words
    column[Level.LINK_SHARE] = (sums[end, Sum.LINK_WORDS] - sums[first, Sum.LINK_WORDS]) * a_word
    column[Level.PARAGRAPH_SHARE] = (sums[end, Sum.PARAGRAPH_WORDS] - sums[first, Sum.PARAGRAPH_WORDS]) * a_word
    column[Level.STOPS] = (sums[end, Sum.STOPS] - sums[first, Sum.STOPS]) * a_word
    column[Level.IMAGES] = sums[end, Sum.IMAGES] - sums[first, Sum.IMAGES]
    column[Level.SCORE] = here["path_score"]
    column[Level.SIBLINGS] = here["chain_siblings"]
    column[Level.TAG] = nodes[top]["tag"]


@inner_kernel
def describe_windows(sums: I32, scores: F32, start: int, rows: F32) -> None:
    """The blocks within reach of every block from `start` -> rows (len(REACHES) * N_WINDOW, number of blocks)."""
    n = len(scores)
    score_sums = np.zeros(n + 1, np.float64)
    for i in range(n):
        score_sums[i + 1] = score_sums[i] + scores[i]
    for k in range(len(REACHES)):
        reach, at = REACHES[k], k * N_WINDOW
        for j in range(rows.shape[1]):
            i = start + j
            first, end = max(0, i - reach), min(n, i + reach + 1)
            words = f32(sums[end, Sum.WORDS] - sums[first, Sum.WORDS])
            a_word = f32(1) / max(f32(1), words)
            rows[at + Window.WORDS, j] = words / f32(end - first)
            rows[at + Window.LINK_SHARE, j] = (sums[end, Sum.LINK_WORDS] - sums[first, Sum.LINK_WORDS]) * a_word
            rows[at + Window.SCORE, j] = (score_sums[end] - score_sums[first]) / (end - first)
