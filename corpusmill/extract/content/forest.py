"""Forests of oblivious trees: every level of a tree asks one question, so a tree of depth 6 is a table of 64 leaves.

The model class is CatBoost's symmetric trees (Prokhorenkova et al., 2018), which train on any machine and predict
here: a level is one comparison of a column with a border for all rows at once, and the answers are the bits of an index
into the leaves.  Column-major float32, no binning, sums in the order of the trees: the same bits on every processor.

Cost: 0.6 ns a row and tree, half of it comparisons, half leaves: 55 microseconds for 300 trees over the 300 blocks of
an average page.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from corpusmill.extract.segments.lean import lean_kernel
from corpusmill.kernels import kernel

F32 = npt.NDArray[np.float32]
U8 = npt.NDArray[np.uint8]
I32 = npt.NDArray[np.int32]

DEPTH = 6


class Forest(NamedTuple):
    """Trees of one depth, a multiple of four of them; where there is less, borders are infinite and leaves 0."""

    features: I32  # (n_trees, DEPTH): rows of the columns
    borders: F32  # (n_trees, DEPTH): a value above sets the level's bit
    leaves: F32  # (n_trees, n_outputs, 2 ** DEPTH), scale included
    bias: F32  # (n_outputs,)


def predict(columns: F32, forest: Forest) -> F32:
    """Raw scores (n_outputs, n) of rows given as columns (n_features, n)."""
    assert len(columns) > forest.features.max(initial=-1)
    assert len(forest.features) % 4 == 0
    return _predict(columns, forest)


def from_catboost(model: Mapping[str, Any]) -> Forest:
    """A forest from what CatBoost's `save_model(format="json")` wrote, read as JSON.  Float features only."""
    rows = [feature["flat_feature_index"] for feature in model["features_info"]["float_features"]]
    trees: Sequence[Mapping[str, Any]] = model["oblivious_trees"]
    scale, bias = model["scale_and_bias"]
    n_trees = -(-len(trees) // 4) * 4
    features, borders = np.zeros((n_trees, DEPTH), np.int32), np.full((n_trees, DEPTH), np.inf, np.float32)
    leaves = np.zeros((n_trees, len(bias), 2**DEPTH), np.float32)
    for t, tree in enumerate(trees):
        splits = tree["splits"] or ()
        assert len(splits) <= DEPTH
        for level, split in enumerate(splits):
            features[t, level] = rows[split["float_feature_index"]]
            borders[t, level] = split["border"]
        leaves[t, :, : 2 ** len(splits)] = scale * np.array(tree["leaf_values"]).reshape(-1, len(bias)).T
    return Forest(features, borders, leaves, np.array(bias, np.float32))


@kernel
def _predict(columns: F32, forest: Forest) -> F32:
    """Four trees at a time, so that a score is read and written once for all of them."""
    n = columns.shape[1]
    n_trees, n_outputs = len(forest.features), len(forest.bias)
    scores = np.empty((n_outputs, n), np.float32)
    for output in range(n_outputs):
        for i in range(n):
            scores[output, i] = forest.bias[output]
    found = np.empty((4, n), np.uint8)
    first, second, third, fourth = found[0], found[1], found[2], found[3]
    for t in range(0, n_trees, 4):
        for k in range(4):
            _find_leaves(columns, forest.features[t + k], forest.borders[t + k], found[k])
        for output in range(n_outputs):
            score = scores[output]
            a, b = forest.leaves[t, output], forest.leaves[t + 1, output]
            c, d = forest.leaves[t + 2, output], forest.leaves[t + 3, output]
            for i in range(n):
                score[i] = score[i] + a[first[i]] + b[second[i]] + c[third[i]] + d[fourth[i]]
    return scores


@lean_kernel
def _find_leaves(columns: F32, features: I32, borders: F32, found: U8) -> None:
    """The leaf of a tree that every row falls into; all levels in one loop, 64 rows at a time with AVX-512."""
    column0, column1, column2 = columns[features[0]], columns[features[1]], columns[features[2]]
    column3, column4, column5 = columns[features[3]], columns[features[4]], columns[features[5]]
    border0, border1, border2 = borders[0], borders[1], borders[2]
    border3, border4, border5 = borders[3], borders[4], borders[5]
    for i in range(len(found)):
        leaf = np.uint8(1) if column0[i] > border0 else np.uint8(0)
        leaf |= np.uint8(2) if column1[i] > border1 else np.uint8(0)
        leaf |= np.uint8(4) if column2[i] > border2 else np.uint8(0)
        leaf |= np.uint8(8) if column3[i] > border3 else np.uint8(0)
        leaf |= np.uint8(16) if column4[i] > border4 else np.uint8(0)
        leaf |= np.uint8(32) if column5[i] > border5 else np.uint8(0)
        found[i] = leaf
