"""Small kernels against numpy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmill.extract.segments.arithmetic import best_segment, sigmoid


@settings(deadline=None)
@given(st.floats(-50, 50))
def test_sigmoid(x):
    assert sigmoid(x) == pytest.approx(1 / (1 + np.exp(-x)), rel=2e-6)


def test_sigmoid_of_anything_is_a_probability():
    assert 0 < sigmoid(-1e30) < 1e-20
    assert sigmoid(1e30) == 1
    assert sigmoid(0.0) == 0.5


@settings(deadline=None)
@given(st.lists(st.integers(-9, 9), max_size=30))
def test_best_segment(values):
    array = np.array(values, np.float32)
    start, end = best_segment(array)
    sums = [sum(values[a:b]) for a in range(len(values)) for b in range(a + 1, len(values) + 1)]
    assert array[start:end].sum() == max([*sums, 0])
    assert (start, end) == (0, 0) or end > start
