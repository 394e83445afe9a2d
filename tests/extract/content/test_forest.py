"""Forests against plain Python."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmill.extract.content.forest import DEPTH, Forest, from_catboost, predict


def random_forest(n_features, n_trees, n_outputs, seed=0):
    rng = np.random.default_rng(seed)
    return Forest(
        rng.integers(0, n_features, (n_trees, DEPTH)).astype(np.int32),
        rng.normal(size=(n_trees, DEPTH)).astype(np.float32),
        rng.normal(size=(n_trees, n_outputs, 2**DEPTH)).astype(np.float32),
        rng.normal(size=n_outputs).astype(np.float32),
    )


def walk(forest, row):
    """One row, one tree after the other."""
    scores = forest.bias.copy()
    for features, borders, leaves in zip(forest.features, forest.borders, forest.leaves, strict=True):
        leaf = sum(2**level for level in range(DEPTH) if row[features[level]] > borders[level])
        scores += leaves[:, leaf]
    return scores


@settings(deadline=None)
@given(st.integers(0, 200), st.integers(0, 6), st.sampled_from([1, 7]), st.integers(0, 99))
def test_predictions_are_those_of_a_walk(n, trees, n_outputs, seed):
    forest = random_forest(9, 4 * trees, n_outputs, seed)
    columns = np.random.default_rng(seed).normal(size=(9, n)).astype(np.float32)
    scores = predict(columns, forest)
    assert scores.shape == (n_outputs, n)
    for i in range(n):
        assert scores[:, i].tolist() == walk(forest, columns[:, i]).tolist(), "the same bits: sums in the same order"


def test_a_forest_over_other_features_is_refused():
    with pytest.raises(AssertionError):
        predict(np.zeros((3, 5), np.float32), random_forest(9, 40, 1))


def test_from_catboost():
    model = {
        "features_info": {"float_features": [{"flat_feature_index": 4}, {"flat_feature_index": 7}]},
        "oblivious_trees": [
            {"splits": [{"float_feature_index": 1, "border": 0.5}], "leaf_values": [1, 10, 2, 20]},
            {
                "splits": [{"float_feature_index": 0, "border": -1}, {"float_feature_index": 1, "border": 3}],
                "leaf_values": [1, -1, 2, -2, 3, -3, 4, -4],
            },
            {"splits": None, "leaf_values": [100, 200]},
        ],
        "scale_and_bias": [2, [0.25, 0.5]],
    }
    columns = np.zeros((8, 3), np.float32)
    columns[4], columns[7] = [0, -1, 5], [0.5, 1, 4]
    expected = [
        [2 * (1 + 2 + 100) + 0.25, 2 * (2 + 1 + 100) + 0.25, 2 * (2 + 4 + 100) + 0.25],
        [2 * (10 - 2 + 200) + 0.5, 2 * (20 - 1 + 200) + 0.5, 2 * (20 - 4 + 200) + 0.5],
    ]
    assert predict(columns, from_catboost(model)).tolist() == expected
