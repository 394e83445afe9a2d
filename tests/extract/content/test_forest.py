"""Forests against plain Python."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmill.extract.content.forest import LEAVES, from_lightgbm, predict, sortable
from tests.extract.content.trees import forest_of

finite = st.floats(width=32, allow_nan=False, allow_infinity=False)
not_minus_zero = finite.map(lambda value: value + 0.0)  # which comes before 0


def random_tree(rng, n_features, n_leaves):
    """As LightGBM dumps one."""
    if n_leaves == 1:
        return {"leaf_value": float(rng.normal())}
    left = int(rng.integers(1, n_leaves))
    return {
        "split_feature": int(rng.integers(n_features)),
        "threshold": float(rng.integers(-20000, 20000)) + 0.5,
        "decision_type": "<=",
        "left_child": random_tree(rng, n_features, left),
        "right_child": random_tree(rng, n_features, n_leaves - left),
    }


def walk(node, row):
    """One row from the root to its leaf."""
    while "leaf_value" not in node:
        node = node["left_child" if row[node["split_feature"]] <= node["threshold"] else "right_child"]
    return node["leaf_value"]


@settings(deadline=None)
@given(st.integers(0, 100), st.integers(0, 9), st.sampled_from([1, 7]), st.integers(0, 99))
def test_predictions_are_those_of_a_walk(n, rounds, n_outputs, seed):
    rng = np.random.default_rng(seed)
    trees = [random_tree(rng, 9, int(rng.integers(1, LEAVES + 1))) for _ in range(rounds * n_outputs)]
    columns = rng.normal(size=(9, n)).astype(np.float32)
    scores = predict(columns, forest_of(trees, n_outputs))
    keys = sortable(columns)
    assert scores.shape == (n_outputs if rounds else 1, n)
    for i in range(n):
        expected = [sum(walk(tree, keys[:, i]) for tree in trees[output::n_outputs]) for output in range(len(scores))]
        assert scores[:, i] == pytest.approx(expected, abs=1e-5)


@given(st.lists(not_minus_zero, max_size=50))
def test_integers_in_the_order_of_the_numbers(values):
    columns = np.array([sorted(values)], np.float32)
    keys = sortable(columns)[0, : len(values)].astype(int)
    assert (np.diff(keys) >= 0).all()
    halves = (columns.view(np.uint32) & 0xFFFF0000).view(np.float32)[0]
    apart = np.diff(halves) > 0
    assert (np.diff(keys)[apart] > 0).all(), "numbers that differ in their upper halves are told apart"


def test_columns_are_filled_up_to_whole_registers():
    assert sortable(np.ones((2, 33), np.float32)).shape == (2, 64)
    assert sortable(np.ones((2, 0), np.float32)).shape == (2, 0)


def test_a_forest_over_other_features_is_refused():
    forest = forest_of([random_tree(np.random.default_rng(0), 9, 16)], 1)
    with pytest.raises(AssertionError):
        predict(np.zeros((3, 5), np.float32), forest)


def test_a_question_of_another_kind_is_refused():
    tree = random_tree(np.random.default_rng(0), 9, 2) | {"decision_type": "=="}
    with pytest.raises(AssertionError):
        from_lightgbm({"num_tree_per_iteration": 1, "tree_info": [{"tree_structure": tree}]})
