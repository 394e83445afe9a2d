"""The threshold against all thresholds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmill.extract.content.threshold import best_threshold


def expected_f1(p, weights, threshold):
    taken = p > threshold
    return 2 * (p * weights)[taken].sum() / (weights[taken].sum() + (p * weights).sum())


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 50)), min_size=1, max_size=40))
def test_no_threshold_is_better(pairs):
    p = np.array([chance / 100 for chance, _ in pairs], np.float32)
    weights = np.array([words + 0.3 for _, words in pairs], np.float32)
    threshold, f1 = best_threshold(p, weights)
    best = max(expected_f1(p.astype(float), weights, t) for t in np.linspace(-0.001, 0.999, 1001)) if p.any() else 0
    assert f1 == pytest.approx(best, abs=1e-3)
    if p.any():
        assert expected_f1(p.astype(float), weights, threshold) == pytest.approx(best, abs=1e-3)


def test_nothing_to_expect():
    assert best_threshold(np.zeros(3, np.float32), np.ones(3, np.float32))[1] == 0
    assert best_threshold(np.zeros(0, np.float32), np.zeros(0, np.float32))[1] == 0
