"""Forests of small trees, asked without branches: of every tree, all questions of all rows.

The trees are LightGBM's, grown leaf by leaf (Ke et al., 2017), of `LEAVES` leaves at most.  They predict as QuickScorer
does (Lucchese et al., 2015): a question whose answer is "above the border" rules out the leaves on its left side, and
the leaf is the first that nothing rules out.  So a tree is fifteen comparisons and the bits that they add, for 32 rows
at once with AVX-512, and no row waits for another.

Features are bfloat16: a float's upper half, two or three decimal digits of it, which is more than the 63 borders a
feature that training considers can tell apart, and twice as many fit a register.  `sortable` makes integers of them
that are ordered as the numbers are; training sees these, too.  Sums are in the order of the trees: the same bits on
every processor.

Cost: 0.9 ns a row and tree, 65 microseconds for 240 trees over the 300 blocks of an average page.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from corpusmill.extract.segments.lean import lean_kernel
from corpusmill.kernels import kernel

F32 = npt.NDArray[np.float32]
U8 = npt.NDArray[np.uint8]
U16 = npt.NDArray[np.uint16]
I16 = npt.NDArray[np.int16]
I32 = npt.NDArray[np.int32]

LEAVES = 16  # of a tree at most: one bit each
QUESTIONS = LEAVES - 1
GROUP = 4  # trees that are asked together
NEVER = np.iinfo(np.int16).max  # the border of a question that nothing is above
ROWS = 32  # columns are filled up to a multiple of these: what is left over a register goes one by one
DE_BRUIJN = 0x09AF  # every four bits in a row differ: times a power of two, the upper four say which


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
            _find_leaves(keys, forest.features[t + k], forest.borders[t + k], forest.ruled_out[t + k], found[k])
        a, b, c, d = forest.leaves[t], forest.leaves[t + 1], forest.leaves[t + 2], forest.leaves[t + 3]
        score = scores[forest.outputs[group]]
        for i in range(n):
            score[i] = score[i] + a[first[i]] + b[second[i]] + c[third[i]] + d[fourth[i]]
    return scores


@lean_kernel
def _find_leaves(keys: I16, features: I32, borders: I16, ruled_out: U16, found: U8) -> None:
    """The place of every row's leaf."""
    column0, column1, column2 = keys[features[0]], keys[features[1]], keys[features[2]]
    column3, column4, column5 = keys[features[3]], keys[features[4]], keys[features[5]]
    column6, column7, column8 = keys[features[6]], keys[features[7]], keys[features[8]]
    column9, column10, column11 = keys[features[9]], keys[features[10]], keys[features[11]]
    column12, column13, column14 = keys[features[12]], keys[features[13]], keys[features[14]]
    border0, border1, border2, border3, border4 = borders[0], borders[1], borders[2], borders[3], borders[4]
    border5, border6, border7, border8, border9 = borders[5], borders[6], borders[7], borders[8], borders[9]
    border10, border11, border12, border13, border14 = borders[10], borders[11], borders[12], borders[13], borders[14]
    out0, out1, out2, out3, out4 = ruled_out[0], ruled_out[1], ruled_out[2], ruled_out[3], ruled_out[4]
    out5, out6, out7, out8, out9 = ruled_out[5], ruled_out[6], ruled_out[7], ruled_out[8], ruled_out[9]
    out10, out11, out12, out13, out14 = ruled_out[10], ruled_out[11], ruled_out[12], ruled_out[13], ruled_out[14]
    none = np.uint16(0)
    for i in range(len(found)):
        out = out0 if column0[i] > border0 else none
        out |= out1 if column1[i] > border1 else none
        out |= out2 if column2[i] > border2 else none
        out |= out3 if column3[i] > border3 else none
        out |= out4 if column4[i] > border4 else none
        out |= out5 if column5[i] > border5 else none
        out |= out6 if column6[i] > border6 else none
        out |= out7 if column7[i] > border7 else none
        out |= out8 if column8[i] > border8 else none
        out |= out9 if column9[i] > border9 else none
        out |= out10 if column10[i] > border10 else none
        out |= out11 if column11[i] > border11 else none
        out |= out12 if column12[i] > border12 else none
        out |= out13 if column13[i] > border13 else none
        out |= out14 if column14[i] > border14 else none
        leaf = np.uint16(~out) & np.uint16(out + np.uint16(1))  # the lowest bit that is not set
        found[i] = np.uint16(leaf * np.uint16(DE_BRUIJN)) >> np.uint16(12)


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
