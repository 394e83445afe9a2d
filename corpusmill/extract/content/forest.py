"""Forests of small trees, asked without branches: of every tree, all questions of all rows.

The trees are LightGBM's, grown leaf by leaf (Ke et al., 2017), of `LEAVES` leaves at most.  They predict as QuickScorer
does (Lucchese et al., 2015): a question whose answer is "above the border" rules out the leaves on its left side, and
the leaf is the first that nothing rules out.  So a tree is fifteen comparisons and the bits that they add, for 32 rows
at once with AVX-512, and no row waits for another.

Features are bfloat16: a float's upper half, two or three decimal digits of it, which is more than the 63 borders a
feature that training considers can tell apart, and twice as many fit a register.  `sortable` makes integers of them
that are ordered as the numbers are; training sees these, too.  Sums are in the order of the trees: the same bits on
every processor.

Cost: 25 ns a tree and 0.65 ns a row of it: 55 microseconds for 240 trees over the 300 blocks of an average page.
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

GROUP = 4  # trees that are asked together
NEVER = np.iinfo(np.int16).max  # the border of a question that nothing is above


class Forest(NamedTuple):
    """Trees, each `GROUP` for one output; where one has fewer questions, it has some that rule out nothing."""

    features: I32  # (n_trees, QUESTIONS): rows of the columns
    borders: I16  # (n_trees, QUESTIONS): of `sortable` values
    ruled_out: U16  # (n_trees, QUESTIONS): leaves, as bits, that a value above the border rules out
    leaves: F32  # (n_trees, LEAVES): of the leaf k, at `PLACES[k]`
    outputs: I32  # (n_trees / GROUP,): which output a group adds to


PLACES = np.array([(DE_BRUIJN << leaf & 0xFFFF) >> 12 for leaf in range(LEAVES)])  # of leaves, in a tree's answer


def predict(columns: F32, forest: Forest) -> F32:
    """Raw scores (n_outputs, n) of rows given as columns (n_features, n)."""
    assert fits(forest, len(columns))
    return sum_leaves(columns, forest)


def fits(forest: Forest, n_features: int) -> bool:
    """Whether so many features are enough for it, and its trees are in whole groups: kernels don't ask."""
    in_groups = len(forest.features) == GROUP * len(forest.outputs)
    return in_groups and bool(n_features > forest.features.max(initial=-1))


@kernel
def sortable(columns: F32) -> I16:
    """Every number's upper half as an integer, in the same order -> (n_features, n), n filled up with zeros."""
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
    """The same for kernels, of a forest that `fits`.

    A group at a time, so that a score is read and written once for all of its trees.
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
    """A forest from LightGBM's `dump_model()`, trained on `sortable` values; features are numbers, not categories."""
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
    """Feature, border and ruled-out leaves of every question at and below a node; adds its leaves' values, in order."""
    if "leaf_value" in node:
        values.append(node["leaf_value"])
        return
    assert node["decision_type"] == "<="
    before = len(values)
    yield from _questions(node["left_child"], values)
    yield node["split_feature"], int(np.floor(node["threshold"])), (1 << len(values)) - (1 << before)
    yield from _questions(node["right_child"], values)
