"""The threshold against all thresholds, and what is said of each of a few."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmill.extract.content.threshold import CHOICE_FEATURES, CHOICES, best_threshold, describe_choices


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


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 50)), max_size=40))
def test_what_is_known_of_a_threshold(pairs):
    p = np.array([chance / 100 for chance, _ in pairs], np.float32)
    weights = np.array([words + 0.3 for _, words in pairs], np.float32)
    expected, best = best_threshold(p, weights)
    found = describe_choices(p, weights, expected, best)
    assert found.shape == (len(CHOICE_FEATURES), len(CHOICES))
    for k, threshold in enumerate(CHOICES):
        row = {name.removeprefix("choice_"): float(found[i, k]) for i, name in enumerate(CHOICE_FEATURES)}
        taken = p > threshold
        right, weight, content = (p * weights)[taken].sum(), weights[taken].sum(), (p * weights).sum()
        f1 = 2 * right / max(weight + content, 1e-6)
        runs = np.count_nonzero(np.diff(taken.astype(int), prepend=0) == 1)
        after, before = ([*CHOICES, 2][k + 1], [-1, *CHOICES][k])
        close = weights[(p > before) & (p <= after)].sum()
        assert row == pytest.approx(
            {
                "from_expected": threshold - expected,
                "f1": f1,
                "f1_lost": best - f1,
                "precision": right / max(weight, 1),
                "recall": right / max(content, 1e-6),
                "taken_share": weight / max(weights.sum(), 1),
                "runs": runs,
                "runs_a_block": runs / max(taken.sum(), 1),
                "close": close / (weight + 1),
                "best_f1": best,
                "content": content,
                "content_share": content / max(weights.sum(), 1),
                "most": p.max(initial=0),
                "weight": weights.sum(),
                "blocks": len(p),
            },
            rel=1e-4,
            abs=1e-4,
        )
