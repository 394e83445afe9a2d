"""Probabilities of tokens, next to those of HF transformers."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import (
    LogitsProcessorList,
    MinPLogitsWarper,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from corpusmill.errors import InputError
from corpusmill.generate.sampling import choose, penalised, probabilities
from corpusmill.generate.settings import Sampling

SCORES = torch.randn(3, 50, generator=torch.Generator().manual_seed(1)) * 3


@settings(max_examples=60, deadline=None)
@given(
    temperature=st.floats(0.1, 5), top_k=st.integers(0, 60), top_p=st.floats(0.01, 1), min_p=st.floats(0, 1),
    penalty=st.floats(0.5, 2),
)  # fmt: skip
def test_probabilities_are_those_of_transformers(temperature, top_k, top_p, min_p, penalty):
    ids = torch.tensor([[1, 2, 3], [4, 4, 4], [49, 0, 7]])
    seen = torch.zeros(3, 50, dtype=torch.bool).scatter(1, ids, True)
    theirs = LogitsProcessorList([RepetitionPenaltyLogitsProcessor(penalty), TemperatureLogitsWarper(temperature)])
    theirs += [TopKLogitsWarper(top_k)] if top_k else []
    theirs += [TopPLogitsWarper(top_p), MinPLogitsWarper(min_p)]
    how = Sampling(temperature=temperature, top_k=top_k, top_p=top_p, min_p=min_p)
    ours = probabilities(penalised(SCORES.double(), seen, penalty), how)
    torch.testing.assert_close(ours, theirs(ids, SCORES.double()).softmax(1))


def test_tokens_are_drawn_with_their_probabilities():
    how = Sampling(temperature=1.3, top_k=7)
    n = 20_000
    draws = (torch.arange(n) + 0.5) / n  # evenly spaced, so the shares are the probabilities up to 1/n
    drawn = choose(SCORES[:1].expand(n, -1), how, draws)
    shares = torch.bincount(drawn, minlength=50) / n
    torch.testing.assert_close(shares.double(), probabilities(SCORES[:1], how)[0], rtol=0, atol=2 / n)


@pytest.mark.parametrize("draw", [0.0, 1 - 1e-16])
def test_no_draw_chooses_a_token_that_is_excluded(draw):
    how = Sampling(temperature=2, top_k=3, top_p=1)
    best = SCORES.topk(3).indices
    chosen = choose(SCORES, how, torch.full((3,), draw, dtype=torch.float64))
    assert all(id_ in row for id_, row in zip(chosen, best, strict=True))


def test_temperature_0_takes_the_best():
    how = Sampling(temperature=0, top_k=3)
    assert torch.equal(choose(SCORES, how, torch.full((3,), 0.99)), SCORES.argmax(1))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temperature": -1}, "a finite temperature"),
        ({"temperature": float("inf")}, "a finite temperature"),
        ({"temperature": float("nan")}, "a finite temperature"),
        ({"top_p": 0}, "0 < top_p <= 1"),
        ({"top_p": 1.5}, "0 < top_p <= 1"),
        ({"top_k": -1}, "top_k >= 0"),
        ({"min_p": 1.01}, "0 <= min_p <= 1"),
        ({"repetition_penalty": 0}, "repetition_penalty > 0"),
        ({"beams": 0}, "beams >= 1"),
        ({"length_penalty": float("nan")}, "a finite length_penalty"),
        ({"stop": ("",)}, "stop strings that are not empty"),
        ({"max_tokens": -1}, "max_tokens >= 0"),
        ({"seed": 10**30}, "a seed of 64 bits"),
    ],
)
def test_values_out_of_range(options, message):
    with pytest.raises(InputError, match=message):
        Sampling(**options)
