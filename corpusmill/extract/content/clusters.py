"""Blocks that the same place of the page's template made: they have the same path of elements, or the same text.

A *cluster* is all blocks whose elements have the same tags, classes and ids, from the root down.  What is true of most
members (many words, few links, a high score) is probably true of each.  Examples: a comment of two words among comments
of fifty, or a caption among captions.

Tried and left out: clusters by tags only.  They did not improve the trees.

Cost: linear, one hash table for each of the two keys; 14 microseconds per average page.
"""

from enum import IntEnum

import numpy as np
import numpy.typing as npt

from corpusmill.extract.content.words import MIX, Words
from corpusmill.extract.segments.arithmetic import f32, i64
from corpusmill.kernels import inner_kernel

I32 = npt.NDArray[np.int32]
U64 = npt.NDArray[np.uint64]
F32 = npt.NDArray[np.float32]
Table = npt.NDArray[np.void]


class Cluster(IntEnum):
    """Rows of the features of a block's cluster."""

    BLOCKS = 0
    WORDS = 1  # mean
    LINK_SHARE = 2
    SCORE = 3  # mean score in the linear model


N_CLUSTER = len(Cluster)


@inner_kernel
def cluster(keys: U64) -> I32:
    """For every block, the first block with the same key."""
    n = len(keys)
    slots = 16
    while slots < 2 * n:
        slots *= 2
    first = np.full(slots, -1, np.int32)
    clusters = np.empty(n, np.int32)
    for i in range(n):
        slot = i64((keys[i] * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(24)) & (slots - 1)
        while first[slot] >= 0 and keys[first[slot]] != keys[i]:
            slot = (slot + 1) & (slots - 1)
        if first[slot] < 0:
            first[slot] = i
        clusters[i] = first[slot]
    return clusters


@inner_kernel
def path_keys(blocks: Table, place: Table) -> U64:
    """The keys of the cluster of every block."""
    keys = np.empty(len(blocks), np.uint64)
    for i in range(len(blocks)):
        keys[i] = place[blocks[i]["leaf"]]["path"]
    return keys


@inner_kernel
def text_keys(blocks: Table, words: Words) -> U64:
    """The keys of the first words of every block, and of their number."""
    n = len(blocks)
    keys = np.empty(n, np.uint64)
    for i in range(n):
        h = np.uint64(blocks[i]["n_words"])
        for k in range(words.ptr[i], words.ptr[i + 1]):
            h = (h ^ np.uint64(words.hashes[k])) * MIX
        keys[i] = h ^ h >> np.uint64(31)
    return keys


@inner_kernel
def describe(blocks: Table, clusters: I32, scores: F32, first: int, rows: F32) -> None:
    """The features of the cluster of every block from `first` -> rows (len(Cluster), number of blocks)."""
    n = len(blocks)
    sums = np.zeros((N_CLUSTER, n), np.float32)
    for i in range(n):
        c = clusters[i]
        sums[Cluster.BLOCKS, c] += 1
        sums[Cluster.WORDS, c] += blocks[i]["n_words"]
        sums[Cluster.LINK_SHARE, c] += blocks[i]["link_words"]
        sums[Cluster.SCORE, c] += scores[i]
    for i in range(rows.shape[1]):
        c = clusters[first + i]
        size, words = sums[Cluster.BLOCKS, c], sums[Cluster.WORDS, c]
        rows[Cluster.BLOCKS, i] = size
        rows[Cluster.WORDS, i] = words / size
        rows[Cluster.LINK_SHARE, i] = sums[Cluster.LINK_SHARE, c] / max(f32(1), words)
        rows[Cluster.SCORE, i] = sums[Cluster.SCORE, c] / size
