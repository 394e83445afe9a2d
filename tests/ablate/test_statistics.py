"""Intervals against scipy where seeds or documents alone vary, and by simulation where both do; the multiplier."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from corpusmill.ablate.statistics import LN2, corrected, difference, multiplier

CONFIDENCE = 0.95


def drawn(random, seeds, documents, *, of_seed, of_document, rest, mean=0.02):
    """Differences in nats and the bytes of documents, with these standard deviations in bits per byte."""
    n_bytes = random.lognormal(7, 0.5, documents)
    effects = mean + of_seed * random.normal(size=(seeds, 1)) + of_document * random.normal(size=documents)
    return LN2 * n_bytes * (effects + rest * random.normal(size=(seeds, documents))), n_bytes


def test_without_a_variance_of_documents_it_is_students_interval_of_seeds():
    of_seeds, n_bytes = np.array([0.01, 0.03, 0.02, 0.06]), np.array([100.0, 900.0, 250.0])
    found = difference(LN2 * np.outer(of_seeds, n_bytes), n_bytes, CONFIDENCE)
    expected = stats.ttest_1samp(of_seeds, 0).confidence_interval(CONFIDENCE)
    assert (found.estimate, found.low, found.high) == pytest.approx((of_seeds.mean(), expected.low, expected.high))


def test_without_a_variance_of_seeds_it_is_students_interval_of_documents():
    of_documents, n_bytes = np.array([0.01, 0.03, 0.02, 0.06, -0.01]), np.full(5, 200.0)
    found = difference(LN2 * np.tile(of_documents * n_bytes, (3, 1)), n_bytes, CONFIDENCE)
    expected = stats.ttest_1samp(of_documents, 0).confidence_interval(CONFIDENCE)
    assert (found.estimate, found.low, found.high) == pytest.approx((of_documents.mean(), expected.low, expected.high))


@pytest.mark.parametrize(
    ("seeds", "of_seed", "of_document", "rest"),
    [(3, 0.01, 0.0, 0.02), (3, 0.001, 0.08, 0.02), (5, 0.01, 0.05, 0.02), (5, 0.0, 0.0, 0.1)],
)
def test_the_interval_covers_the_truth_as_often_as_it_says(seeds, of_seed, of_document, rest):
    random, n = np.random.default_rng(3), 400
    hits = 0
    for _ in range(n):
        nats, n_bytes = drawn(random, seeds, 80, of_seed=of_seed, of_document=of_document, rest=rest)
        found = difference(nats, n_bytes, CONFIDENCE)
        hits += found.low <= 0.02 <= found.high
    assert hits / n > 0.91  # a binomial of 400 at 0.95 has a standard deviation of 0.011
    if rest < 0.1:  # without effects of seeds and documents it is too wide, on purpose
        assert hits / n < 0.985


@given(st.integers(0, 1000))
def test_exchanging_the_variants_exchanges_the_ends(seed):
    nats, n_bytes = drawn(np.random.default_rng(seed), 3, 5, of_seed=0.01, of_document=0.1, rest=0.1)
    one, other = difference(nats, n_bytes, CONFIDENCE), difference(-nats, n_bytes, CONFIDENCE)
    assert (one.estimate, one.low, one.high) == pytest.approx((-other.estimate, -other.high, -other.low))
    assert one.low <= one.estimate <= one.high


def test_equal_losses_differ_by_nothing():
    found = difference(np.zeros((3, 4)), np.ones(4), CONFIDENCE)
    assert (found.low, found.high, found.excludes_zero) == (0, 0, False)


def test_several_intervals_share_what_may_go_wrong():
    assert corrected(0.95, 1) == pytest.approx(0.95)
    assert corrected(0.95, 5) == pytest.approx(0.99)


def curve(tokens, factor, random=None):
    """Losses (3 seeds, 6 documents) by tokens, of a law whose tokens are worth 1 / factor."""
    noise = (lambda: 0.0) if random is None else (lambda: 0.02 * random.normal(size=(3, 1)))
    return {n: np.full((3, 6), 700 * (1.2 + 40 * (n / factor) ** -0.4)) * (1 + noise()) for n in tokens}


N_BYTES = np.full(6, 1000.0)
TOKENS = range(1000, 20_001, 1000)


def test_the_multiplier_is_how_much_less_the_tokens_are_worth():
    found = multiplier(curve(TOKENS, 1.6), curve(TOKENS, 1.0)[10_000], 10_000, N_BYTES, CONFIDENCE)
    assert found.estimate == pytest.approx(1.6, rel=0.005)
    assert (found.low, found.high) == pytest.approx((1.6, 1.6), rel=0.005)  # nothing varies


def test_what_the_curve_does_not_reach_is_not_reached():
    found = multiplier(curve(TOKENS, 2.6), curve(TOKENS, 1.0)[10_000], 10_000, N_BYTES, CONFIDENCE)
    assert (found.estimate, found.low, found.high) == (None, None, None)


@pytest.mark.parametrize("seed", range(5))
def test_its_interval_has_the_estimate_inside_and_may_be_open(seed):
    random = np.random.default_rng(seed)
    worse, better = curve(TOKENS, 1.6, random), curve(TOKENS, 1.0, random)[10_000]
    found = multiplier(worse, better, 10_000, N_BYTES, CONFIDENCE)
    assert found.low is not None
    assert found.low <= (found.estimate or np.inf) <= (found.high or np.inf)


def test_it_excludes_one_exactly_if_the_difference_excludes_zero():
    random = np.random.default_rng(2)
    decided = []
    for spread in (0.002, 0.05):
        effects = spread * random.normal(size=(3, 1))
        worse = {n: losses * (1 + effects) for n, losses in curve(TOKENS, 1.3).items()}
        better = curve(TOKENS, 1.0)[10_000]
        whole = difference(worse[10_000] - better, N_BYTES, CONFIDENCE)
        needed = multiplier(worse, better, 10_000, N_BYTES, CONFIDENCE)
        assert ((needed.low or np.inf) > 1) == (whole.low > 0)
        decided.append(whole.low > 0)
    assert decided == [True, False]
