"""The linear model's scores are the dot products of the rows that it is trained on."""

import numpy as np
import pytest
from hypothesis import given, settings

from corpusmill.extract.content.features import FEATURES, features_of, measure
from corpusmill.extract.content.linear import Family, compact, linear_inputs
from corpusmill.extract.segments.segment import segment
from tests.extract.pages import LISTING, html, linear_of


def total_scores(page, linear):
    return features_of(page, measure(page, linear))[FEATURES.index("score_total")]


@settings(deadline=None, max_examples=50)
@given(html())
def test_scores_are_dot_products(source):
    page = segment(source.encode())
    linear, weights = linear_of(page)
    inputs = linear_inputs(page)
    terms = np.array([weights[key] for key in inputs.keys.tolist()]) * inputs.values
    expected = [terms[inputs.ptr[i] : inputs.ptr[i + 1]].sum() - 0.5 for i in range(len(page.blocks))]
    assert total_scores(page, linear) == pytest.approx(expected, abs=1e-4)


def test_rows_by_hand():
    page = segment(b"<div class=post><p id=lead><b>Hello cats</b></p></div>")
    inputs = linear_inputs(page)
    families = (inputs.keys >> 32).tolist()
    assert [families.count(family) for family in Family] == [2, 2, 2, 1, 1]
    assert inputs.values[np.array(families) == Family.WORD] == pytest.approx([0.5**0.5] * 2)


def test_near_is_the_nearest_three():
    page = segment(b"<div class=far><div class=one><div class=two><div class=three>text</div></div></div></div>")
    inputs = linear_inputs(page)
    families = (inputs.keys >> 32).tolist()
    assert families.count(Family.PATH) == 4
    assert families.count(Family.NEAR) == 3


def test_unknown_words_weigh_nothing():
    linear, _ = linear_of(segment(b"<p>Every word of this page has a weight</p>"))
    page = segment("<p>Каждое слово имеет вес 每个词都有分量</p>".encode())
    columns = features_of(page, measure(page, linear))
    assert columns[FEATURES.index("score_total")] == [-0.5]


def test_a_model_of_nothing():
    linear = compact(np.zeros(0, np.int64), np.zeros(0, np.float32), 0.25, np.zeros(0, np.bool_))
    assert (total_scores(segment(LISTING), linear) == np.float32(0.25)).all()
