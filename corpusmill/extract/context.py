"""The second pass: what the first one thinks of a block's neighbours, cluster, ancestors and page.

A block is judged by company: a short line among kept paragraphs is kept.  The first forest's probabilities, averaged by
words over all that a block belongs to, and the page's probable types are the columns that the second forest gets
besides the first one's.

Cost: 15 microseconds for an average page of 300 blocks.
"""

from enum import IntEnum

import numpy as np
import numpy.typing as npt

from corpusmill.extract.arithmetic import best_segment, f32, outside
from corpusmill.extract.features import Measured
from corpusmill.extract.kinds import KINDS
from corpusmill.extract.lean import lean_entry
from corpusmill.extract.surroundings import N_LEVELS, REACHES
from corpusmill.extract.tables import Segments
from corpusmill.kernels import inner_kernel, kernel

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
I32 = npt.NDArray[np.int32]
Table = npt.NDArray[np.void]

WEIGHT_OF_A_BLOCK = f32(0.3)  # besides its words: one without words counts, too
N_BESIDE = 3
CONTENT = f32(0.4)  # a probability above speaks for a segment


class Context(IntEnum):
    """Rows of the second pass, before those of levels, neighbours, windows and kinds."""

    P = 0
    CLUSTER = 1
    TAG_CLUSTER = 2
    HEADING = 3  # p of the last heading, -1 if none
    CLUSTER_BEFORE = 4  # p of the last block of the same cluster, -1 if none
    CLUSTER_AFTER = 5
    SHARE_BEFORE = 6  # of the page's probable words
    MEAN_BEFORE = 7
    PAGE_MEAN = 8
    PAGE_MOST = 9
    PAGE_WORDS = 10  # probable ones
    FROM_SEGMENT = 11  # the best segment by p
    ABOVE_THRESHOLD = 12  # p less the threshold of the greatest expected F1
    EXPECTED_F1 = 13


N_OWN = len(Context)
N_KINDS = len(KINDS)
CONTEXT: tuple[str, ...] = (
    *(f"p_{row.name.lower()}" for row in Context),
    *(f"p_level{k}_mean" for k in range(N_LEVELS)),
    *(f"p_level{k}_most" for k in range(N_LEVELS)),
    *(f"p_level{k}_rest" for k in range(1, N_LEVELS)),
    *(f"p_beside{k:+d}" for k in range(-N_BESIDE, N_BESIDE + 1) if k != 0),
    *(f"p_within{k}" for k in REACHES),
    *(f"kind_{kind}" for kind in KINDS),
)
N_CONTEXT = len(CONTEXT)
LEVELS_AT = N_OWN
BESIDE_AT = LEVELS_AT + 3 * N_LEVELS - 1
WITHIN_AT = BESIDE_AT + 2 * N_BESIDE
KINDS_AT = WITHIN_AT + len(REACHES)


def in_context(segments: Segments, measured: Measured, p: F32, kinds: F32, columns: F32 | None = None) -> F32:
    """Columns of the second pass, (N_CONTEXT, n_blocks), rows as in `CONTEXT`; into `columns`, if given.

    p (n_blocks,) is the first forest's probability of every block, kinds (len(KINDS),) the page's probable types.
    """
    if columns is None:
        columns = np.empty((N_CONTEXT, len(p)), np.float32)
    fill_context(segments.blocks, segments.nodes, measured, p, kinds, columns)
    return columns


@kernel
def weigh(blocks: Table) -> F32:
    """How much every block counts."""
    weights = np.empty(len(blocks), np.float32)
    for i in range(len(blocks)):
        weights[i] = f32(blocks[i]["n_words"]) + WEIGHT_OF_A_BLOCK
    return weights


@lean_entry
def best_threshold(p: F32, weights: F32) -> tuple[float, float]:
    """The threshold on p with the greatest expected F1 of weights, and that F1; (0.5, 0) of nothing.

    With expected sums, the best threshold is half of the best F1 (Lipton et al., Thresholding classifiers to maximize
    F1 score, 2014): it is the fixed point of t -> F1(t) / 2, which this iterates to.
    """
    expected = 0.0
    for i in range(len(p)):
        expected += p[i] * weights[i]
    threshold, f1 = 0.5, 0.0
    for _ in range(20):
        right, taken = 0.0, 0.0
        for i in range(len(p)):
            if p[i] > threshold:
                right += p[i] * weights[i]
                taken += weights[i]
        f1 = 2 * right / max(taken + expected, 1e-6)
        if abs(f1 / 2 - threshold) < 1e-6:
            break
        threshold = f1 / 2
    return threshold, f1


@kernel
def fill_context(blocks: Table, nodes: Table, measured: Measured, p: F32, kinds: F32, rows: F32) -> None:
    """Fill rows (N_CONTEXT, n_blocks)."""
    n = len(blocks)
    if n == 0:
        return
    weights = weigh(blocks)
    probable, weight = np.zeros(n + 1, np.float64), np.zeros(n + 1, np.float64)  # running sums
    for i in range(n):
        probable[i + 1] = probable[i] + p[i] * weights[i]
        weight[i + 1] = weight[i] + weights[i]
    _own(measured, p, weights, probable, weight, rows)
    _cluster_means(measured.clusters, p, weights, rows[Context.CLUSTER])
    _cluster_means(measured.tag_clusters, p, weights, rows[Context.TAG_CLUSTER])
    _cluster_neighbours(measured.clusters, p, rows[Context.CLUSTER_BEFORE], rows[Context.CLUSTER_AFTER])
    _levels(blocks, nodes, measured.levels, p, probable, weight, rows[LEVELS_AT:BESIDE_AT])
    for k in range(2 * N_BESIDE):
        step = k - N_BESIDE if k < N_BESIDE else k - N_BESIDE + 1
        for i in range(n):
            rows[BESIDE_AT + k, i] = p[i + step] if 0 <= i + step < n else f32(-1)
    for k in range(len(REACHES)):
        for i in range(n):
            first, end = max(0, i - REACHES[k]), min(n, i + REACHES[k] + 1)
            rows[WITHIN_AT + k, i] = (probable[end] - probable[first]) / (weight[end] - weight[first])
    for k in range(N_KINDS):
        for i in range(n):
            rows[KINDS_AT + k, i] = kinds[k]


@inner_kernel
def _own(measured: Measured, p: F32, weights: F32, probable: F64, weight: F64, rows: F32) -> None:
    n = len(p)
    votes = np.empty(n, np.float32)
    most = f32(0)
    for i in range(n):
        votes[i] = (p[i] - CONTENT) * weights[i]
        most = max(most, p[i])
    start, end = best_segment(votes)
    threshold, f1 = best_threshold(p, weights)
    for i in range(n):
        heading = measured.headings[i]
        rows[Context.P, i] = p[i]
        rows[Context.HEADING, i] = p[heading] if heading >= 0 else f32(-1)
        rows[Context.SHARE_BEFORE, i] = probable[i] / max(probable[n], 1e-6)
        rows[Context.MEAN_BEFORE, i] = probable[i] / max(weight[i], 1e-6)
        rows[Context.PAGE_MEAN, i] = probable[n] / weight[n]
        rows[Context.PAGE_MOST, i] = most
        rows[Context.PAGE_WORDS, i] = probable[n]
        rows[Context.FROM_SEGMENT, i] = outside(i, start, end)
        rows[Context.ABOVE_THRESHOLD, i] = p[i] - threshold
        rows[Context.EXPECTED_F1, i] = f1


@inner_kernel
def _cluster_means(clusters: I32, p: F32, weights: F32, row: F32) -> None:
    n = len(p)
    probable, weight = np.zeros(n, np.float32), np.zeros(n, np.float32)
    for i in range(n):
        probable[clusters[i]] += p[i] * weights[i]
        weight[clusters[i]] += weights[i]
    for i in range(n):
        row[i] = probable[clusters[i]] / weight[clusters[i]]


@inner_kernel
def _cluster_neighbours(clusters: I32, p: F32, before: F32, after: F32) -> None:
    """P of the blocks of the same cluster before and after every block, -1 where there is none."""
    n = len(p)
    last = np.full(n, -1, np.int32)  # of a cluster
    for i in range(n):
        j = last[clusters[i]]
        before[i], after[i] = f32(-1), f32(-1)
        if j >= 0:
            before[i], after[j] = p[j], p[i]
        last[clusters[i]] = i


@inner_kernel
def _levels(blocks: Table, nodes: Table, levels: I32, p: F32, probable: F64, weight: F64, rows: F32) -> None:
    """Means over the levels, the greatest p in each, and means over what each level adds to the one below."""
    most = np.zeros(len(nodes), np.float32)
    for i in range(len(p)):
        leaf = blocks[i]["leaf"]
        most[leaf] = max(most[leaf], p[i])
    for v in range(len(nodes) - 1, 0, -1):
        parent = nodes[v]["parent"]
        most[parent] = max(most[parent], most[v])
    for i in range(len(p)):
        p_below, weight_below = 0.0, 0.0
        for level in range(N_LEVELS):
            v = levels[level, i]
            first, end = nodes[v]["first_block"], nodes[v]["end_block"]
            p_here, weight_here = probable[end] - probable[first], weight[end] - weight[first]
            rows[level, i] = p_here / max(weight_here, 0.1)
            rows[N_LEVELS + level, i] = most[v]
            if level > 0:
                added = weight_here - weight_below
                rows[2 * N_LEVELS + level - 1, i] = (p_here - p_below) / added if added > 0.1 else -1.0
            p_below, weight_below = p_here, weight_here
