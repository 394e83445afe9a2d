"""From scores to tokens: pure functions on (rows, vocab_size).

The steps and their order are those of HF transformers: a penalty for repetition (CTRL, arXiv 1909.05858), temperature,
top-k, top-p (nucleus sampling, arXiv 1904.09751) and min-p (arXiv 2407.01082).
"""

import torch
from torch import Tensor

from corpusmill.generate.settings import Sampling

COLDEST = 1e-5  # a lower temperature has the same effect as 0, and would cause a division by zero


def penalised(scores: Tensor, seen: Tensor, penalty: float) -> Tensor:
    """Scores after the penalty: of seen tokens, positive ones are divided by it, negative ones multiplied.

    seen: (rows, vocab_size), true for the tokens of the prompt and of the text
    """
    return torch.where(seen, torch.where(scores > 0, scores / penalty, scores * penalty), scores)


def probabilities(scores: Tensor, how: Sampling) -> Tensor:
    """The probability with which each token is drawn.  `how.temperature` is not 0."""
    scores = scores.double() / how.temperature
    if 0 < how.top_k < scores.shape[1]:
        least = scores.topk(how.top_k).values[:, -1:]
        scores = scores.masked_fill(scores < least, -torch.inf)
    chances = scores.softmax(1)
    if how.top_p < 1:
        ordered, ids = chances.sort(dim=1, descending=True, stable=True)
        ordered[ordered.cumsum(1) - ordered >= how.top_p] = 0
        chances = torch.zeros_like(chances).scatter(1, ids, ordered)
    if how.min_p > 0:
        chances = chances * (chances >= how.min_p * chances.amax(1, keepdim=True))
    return chances / chances.sum(1, keepdim=True)


def choose(scores: Tensor, how: Sampling, draws: Tensor) -> Tensor:
    """A token per row: (rows).  draws: (rows), random numbers in [0, 1), one per row."""
    if how.temperature < COLDEST:
        return scores.argmax(1)
    ordered, ids = probabilities(scores, how).sort(dim=1, descending=True, stable=True)
    place = torch.searchsorted(ordered.cumsum(1), draws[:, None].double(), right=True)
    last = (ordered > 0).sum(1, keepdim=True) - 1  # the sum may be a little less than 1
    chosen: Tensor = ids.gather(1, torch.minimum(place, last))[:, 0]
    return chosen
