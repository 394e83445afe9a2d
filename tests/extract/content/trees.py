"""Forests by hand."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from corpusmill.extract.content.forest import Forest, from_lightgbm, sortable


def forest_of(trees: Sequence[dict[str, Any]], n_outputs: int) -> Forest:
    """A forest of trees as LightGBM dumps them: the outputs take turns."""
    return from_lightgbm(
        {"num_tree_per_iteration": n_outputs, "tree_info": [{"tree_structure": tree} for tree in trees]}
    )


def rule(names: Sequence[str], feature: str, border: float, below: Sequence[float], above: Sequence[float]) -> Forest:
    """A forest of one question: above the border or not?  A value for every output."""
    question = {
        "split_feature": names.index(feature),
        "threshold": float(sortable(np.array([[border]], np.float32))[0, 0]),
        "decision_type": "<=",
    }
    pairs = zip(below, above, strict=True)
    trees = [question | {"left_child": {"leaf_value": low}, "right_child": {"leaf_value": high}} for low, high in pairs]
    return forest_of(trees, len(trees))
