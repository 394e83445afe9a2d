"""Forests of small trees, evaluated without branches: all comparisons of a tree are made for all rows.

LightGBM grows the trees leaf by leaf (Ke et al., 2017), with at most `LEAVES` leaves.  They are evaluated like
QuickScorer (Lucchese et al., 2015).  If a value is above the border of a comparison, the leaves on its left side are
ruled out.  The result is the first leaf that no comparison rules out.  So a tree is fifteen comparisons and operations
on the bits of leaves, for 32 rows at once with AVX-512.  No row waits for another.

Features are bfloat16, the upper half of a float32, with two or three decimal digits.  This is more than the 63 borders
per feature that training tries can distinguish, and twice as many values fit into a register.  `sortable` turns them
into integers with the same order.  Training also sees these integers.  Sums are in the order of the trees, so results
have the same bits on every processor.

Cost: 25 ns per tree, and 0.65 ns per row of each tree.  For 240 trees and the 300 blocks of an average page: 55
microseconds.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from corpusmill.extract.content.leaves import DE_BRUIJN, LEAVES, QUESTIONS, ROWS, find_leaves
from corpusmill.kernels import kernel

F32 = npt.NDArray[np.float32]
U16 = npt.NDArray[np.uint16]
I16 = npt.NDArray[np.int16]
I32 = npt.NDArray[np.int32]

GROUP = 4  # trees that are evaluated together
NEVER = np.iinfo(np.int16).max  # the border of a comparison that no value is above


class Forest(NamedTuple):
    """Trees, in groups of `GROUP` for one output.  A tree with fewer comparisons has some that rule out nothing."""

    features: I32  # (n_trees, QUESTIONS): rows of the features' columns
    borders: I16  # (n_trees, QUESTIONS): of `sortable` values
    ruled_out: U16  # (n_trees, QUESTIONS): leaves, as bits, that a value above the border rules out
    leaves: F32  # (n_trees, LEAVES): the value of leaf k is at `PLACES[k]`
    outputs: I32  # (n_trees / GROUP,): the output that a group adds to


PLACES = np.array([(DE_BRUIJN << leaf & 0xFFFF) >> 12 for leaf in range(LEAVES)])  # places of the leaves' values


def predict(columns: F32, forest: Forest) -> F32:
    """Raw scores (n_outputs, n) of rows that are given as columns (n_features, n)."""
    assert fits(forest, len(columns))
    return sum_leaves(columns, forest)


def fits(forest: Forest, n_features: int) -> bool:
    """Whether the forest needs only so many features, and its trees are in whole groups.  Kernels do not check this."""
    in_groups = len(forest.features) == GROUP * len(forest.outputs)
    return in_groups and bool(n_features > forest.features.max(initial=-1))


@kernel
def sortable(columns: F32) -> I16:
    """The upper half of every number as an integer, in the same order -> (n_features, n), n padded with zeros."""
    n_features, n = columns.shape
    keys = np.zeros((n_features, -(-n // ROWS) * ROWS), np.int16)
    for k in range(n_features):
        bits, row = columns[k].view(np.uint32), keys[k]
        for i in range(n):
            half = np.int16(np.uint16(bits[i] >> np.uint32(16)))
            row[i] = half ^ (half >> np.int16(15) & np.int16(0x7FFF))
    return keys


@kernel
def sum_leaves(columns: F32, forest: Forest) -> F32:
    """The same for kernels, for a forest that `fits`.

    One group at a time, so that a score is read and written only once for all trees of a group.
    """
    n = columns.shape[1]
    keys = sortable(columns)
    n_outputs = 1
    for group in range(len(forest.outputs)):
        n_outputs = max(n_outputs, forest.outputs[group] + 1)
    scores = np.zeros((n_outputs, n), np.float32)
    found = np.empty((GROUP, keys.shape[1]), np.uint8)
    first, second, third, fourth = found[0], found[1], found[2], found[3]
    for group in range(len(forest.outputs)):
        t = group * GROUP
        for k in range(GROUP):
            find_leaves(keys, forest.features[t + k], forest.borders[t + k], forest.ruled_out[t + k], found[k])
        a, b, c, d = forest.leaves[t], forest.leaves[t + 1], forest.leaves[t + 2], forest.leaves[t + 3]
        score = scores[forest.outputs[group]]
        for i in range(n):
            score[i] = score[i] + a[first[i]] + b[second[i]] + c[third[i]] + d[fourth[i]]
    return scores


def from_lightgbm(model: Mapping[str, Any]) -> Forest:
    """A forest from LightGBM's `dump_model()`, trained on `sortable` values.  Features are numbers only."""
    n_outputs: int = model["num_tree_per_iteration"]
    trees: Sequence[Mapping[str, Any]] = [tree["tree_structure"] for tree in model["tree_info"]]
    of_outputs = [trees[output::n_outputs] for output in range(n_outputs)]
    groups = [-(-len(own) // GROUP) for own in of_outputs]
    n_trees = GROUP * sum(groups)
    features, borders = np.zeros((n_trees, QUESTIONS), np.int32), np.full((n_trees, QUESTIONS), NEVER, np.int16)
    ruled_out, leaves = np.zeros((n_trees, QUESTIONS), np.uint16), np.zeros((n_trees, LEAVES), np.float32)
    for output, own in enumerate(of_outputs):
        start = GROUP * sum(groups[:output])
        for t, tree in enumerate(own, start):
            values: list[float] = []
            for k, question in enumerate(_questions(tree, values)):
                features[t, k], borders[t, k], ruled_out[t, k] = question
            leaves[t, PLACES[: len(values)]] = values
    outputs = np.repeat(np.arange(n_outputs, dtype=np.int32), groups)
    return Forest(features, borders, ruled_out, leaves, outputs)


def _questions(node: Mapping[str, Any], values: list[float]) -> Iterator[tuple[int, int, int]]:
    """Feature, border and ruled-out leaves of every comparison from a node down; appends the leaves' values."""
    if "leaf_value" in node:
        values.append(node["leaf_value"])
        return
    assert node["decision_type"] == "<="
    before = len(values)
    yield from _questions(node["left_child"], values)
    yield node["split_feature"], int(np.floor(node["threshold"])), (1 << len(values)) - (1 << before)
    yield from _questions(node["right_child"], values)
