"""A scaling law is found again from points that follow it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmill.ablate.fit import NAMES, Law, _jacobian, _residuals, fit
from corpusmill.ablate.scaling import mean_losses, resampled
from corpusmill.ablate.statistics import LN2

CHINCHILLA = Law(E=1.69, A=406.4, alpha=0.34, B=410.7, beta=0.28)
N = np.repeat([1e7, 3e7, 1e8, 3e8, 1e9], 8)
D = np.tile(np.geomspace(2e8, 2e10, 8), 5)


def numbers(law):
    return [getattr(law, name) for name in NAMES]


def test_a_law_is_found_from_its_own_points():
    assert numbers(fit(N, D, CHINCHILLA.loss(N, D))) == pytest.approx(numbers(CHINCHILLA), rel=1e-4)


def test_noise_moves_it_a_little_and_an_outlier_hardly():
    noise = np.exp(0.002 * np.random.default_rng(1).normal(size=len(N)))
    losses = CHINCHILLA.loss(N, D) * noise
    found = fit(N, D, losses)
    assert [found.E, found.alpha, found.beta] == pytest.approx([1.69, 0.34, 0.28], rel=0.1)
    losses[7] *= 1.5
    assert fit(N, D, losses, start=found).loss(1e9, 2e10) == pytest.approx(CHINCHILLA.loss(1e9, 2e10), rel=0.01)


def test_a_law_without_a_floor_has_none():
    law = Law(E=0, A=20, alpha=0.3, B=100, beta=0.3)
    found = fit(N, D, law.loss(N, D))
    assert found.E == 0
    assert found.loss(1e10, 1e11) == pytest.approx(law.loss(1e10, 1e11), rel=1e-3)


@settings(max_examples=10, deadline=None)
@given(
    st.floats(0.5, 2), st.floats(0.2, 0.6), st.floats(0.2, 0.6), st.floats(0.2, 1.5), st.floats(0.2, 1.5)
)  # fmt: skip
def test_predictions_of_any_law_are_found_again(floor, alpha, beta, at_n, at_d):
    law = Law(E=floor, A=at_n * 1e5**alpha, alpha=alpha, B=at_d * 1e6**beta, beta=beta)
    n, d = np.repeat([1e5, 4e5, 16e5], 6), np.tile(np.geomspace(1e6, 1e7, 6), 3)
    found = fit(n, d, law.loss(n, d))
    assert found.loss(64e5, 4e7) == pytest.approx(law.loss(64e5, 4e7), rel=0.01)


def test_the_derivatives_are_those_of_the_function():
    arguments = np.log(N) - np.log(N).mean(), np.log(D) - np.log(D).mean(), np.log(CHINCHILLA.loss(N, D))
    x, step = np.array([-0.5, 0.3, -0.7, 0.25, 0.4]), 1e-6
    numeric = [(_residuals(x + each, *arguments) - _residuals(x - each, *arguments)) / (2 * step)
               for each in step * np.eye(5)]  # fmt: skip
    assert _jacobian(x, *arguments) == pytest.approx(np.stack(numeric, axis=1), abs=1e-8)


def test_the_bootstrap_is_repeatable_and_lies_around_the_law():
    random = np.random.default_rng(4)
    sizes, tokens, n_bytes = np.array([1e5, 4e5, 16e5]), np.geomspace(1e6, 1e7, 6), np.full(9, 500.0)
    law = Law(E=1.0, A=30, alpha=0.3, B=300, beta=0.4)
    of_points = law.loss(sizes[:, None], tokens)
    effects = 1 + 0.003 * random.normal(size=(1, 4, 1, 1)) + 0.003 * random.normal(size=(1, 1, 1, 9))
    nats = of_points[:, None, :, None] * effects * n_bytes * LN2
    n, d = np.repeat(sizes, 6), np.tile(tokens, 3)
    found = fit(n, d, mean_losses(nats, n_bytes).ravel())
    laws = resampled(n, d, nats, n_bytes, found, 20)
    assert laws == resampled(n, d, nats, n_bytes, found, 20)
    predicted = [float(each.loss(4e5, 4e6)) for each in laws]
    assert min(predicted) < float(found.loss(4e5, 4e6)) < max(predicted)
    assert np.std(predicted) == pytest.approx(0.003 * 1.9 * (1 / 4 + 1 / 9) ** 0.5, rel=0.6)
