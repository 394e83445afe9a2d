"""The second pass's columns against plain Python, and the threshold against all thresholds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmill.extract.context import CONTEXT, N_CONTEXT, best_threshold, in_context, weigh
from corpusmill.extract.features import measure
from corpusmill.extract.kinds import KINDS
from corpusmill.extract.segment import segment
from tests.extract.pages import LISTING, html, linear_of

LINEAR = linear_of(segment(LISTING))[0]
KIND_SHARES = np.linspace(0, 0.25, len(KINDS)).astype(np.float32)


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


@settings(deadline=None, max_examples=50)
@given(html(), st.integers(0, 1000))
def test_columns(source, seed):
    page = segment(source.encode())
    measured, n = measure(page, LINEAR), len(page.blocks)
    p = np.random.default_rng(seed).random(n).astype(np.float32)
    columns = in_context(page, measured, p, KIND_SHARES)
    assert columns.shape == (N_CONTEXT, n)
    assert np.isfinite(columns).all()
    row = {name: columns[k] for k, name in enumerate(CONTEXT)}
    weights = weigh(page.blocks)

    def mean(members):
        return np.average(p[members], weights=weights[members])

    for i in range(n):
        alike = np.flatnonzero(measured.clusters == measured.clusters[i])
        assert row["p_cluster"][i] == pytest.approx(mean(alike), abs=1e-4)
        before, after = alike[alike < i], alike[alike > i]
        assert row["p_cluster_before"][i] == (p[before[-1]] if len(before) else -1)
        assert row["p_cluster_after"][i] == (p[after[0]] if len(after) else -1)
        assert row["p_within8"][i] == pytest.approx(mean(slice(max(0, i - 8), i + 9)), abs=1e-4)
        assert row["p_page_mean"][i] == pytest.approx(mean(slice(None)), abs=1e-4)
        below = None
        for level in range(4):
            node = page.nodes[measured.levels[level, i]]
            members = np.arange(node["first_block"], node["end_block"])
            assert row[f"p_level{level}_mean"][i] == pytest.approx(mean(members), abs=1e-4)
            assert row[f"p_level{level}_most"][i] == p[members].max()
            if level:
                rest = np.setdiff1d(members, below)
                assert row[f"p_level{level}_rest"][i] == pytest.approx(mean(rest) if len(rest) else -1, abs=1e-3)
            below = members
        heading = measured.headings[i]
        assert row["p_heading"][i] == (p[heading] if heading >= 0 else -1)
    for k, kind in enumerate(KINDS):
        assert (row[f"kind_{kind}"] == KIND_SHARES[k]).all()


def test_names():
    assert len(set(CONTEXT)) == len(CONTEXT) == N_CONTEXT
