"""Beam search: the text whose log-probability, divided by a power of its length, is the highest among those followed.

At each step, every followed text is continued by every token, and the `beams` most likely ones are followed further.  A
text that the model ends is set aside, if it is among the `beams` most likely ones at that step.  The search ends when
no followed text can become better than the best one set aside.  A length counts the token that ends the text.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from corpusmill.generate.readers import Reader
from corpusmill.generate.sampling import penalised
from corpusmill.generate.settings import Sampling


class Found(NamedTuple):
    """A text that beam search has found."""

    value: float  # log-probability divided by the length to the power of length_penalty
    ids: list[int]  # without the token that ends it
    ended: bool  # by the model


def search(reader: Reader, scores: Tensor, seen: Tensor, how: Sampling, ends: frozenset[int]) -> Found:
    """The best text after one prompt.

    scores: (1, vocab_size), of the first token
    seen: (1, vocab_size), the tokens that the penalty for repetition concerns
    """
    totals, vocab_size, length = torch.zeros(1, dtype=torch.float64), scores.shape[1], 0
    texts: list[list[int]] = [[]]
    best: Found | None = None
    while length < how.max_tokens:
        length += 1
        likely = penalised(scores, seen, how.repetition_penalty).double().log_softmax(1).cpu()
        flat = (totals[:, None] + likely).flatten()
        candidates = flat.topk(min(how.beams + how.beams * len(ends), len(flat)))
        followed: list[tuple[float, int, int]] = []  # total, beam, token
        for rank, (total, place) in enumerate(zip(*map(Tensor.tolist, candidates), strict=True)):
            beam, id_ = divmod(place, vocab_size)
            if id_ not in ends:
                followed.append((total, beam, id_))
            elif rank < how.beams:
                best = _better(best, Found(total / length**how.length_penalty, texts[beam], True))
            if len(followed) == how.beams:
                break
        totals = torch.tensor([total for total, _, _ in followed], dtype=torch.float64)
        texts = [[*texts[beam], id_] for _, beam, id_ in followed]
        longest = max(followed[0][0] / n**how.length_penalty for n in (min(length + 1, how.max_tokens), how.max_tokens))
        if length == how.max_tokens or (best is not None and best.value >= longest):
            break
        rows = torch.tensor([beam for _, beam, _ in followed], device=scores.device)
        ids = torch.tensor([[id_] for _, _, id_ in followed], device=scores.device)
        reader.select(rows)
        seen = seen[rows].scatter(1, ids, True)
        scores = reader.read(ids, torch.ones_like(ids, dtype=torch.bool))
    if best is None or length == how.max_tokens:
        best = _better(best, Found(float(totals[0]) / max(length, 1) ** how.length_penalty, texts[0], False))
    return best


def _better(one: Found | None, other: Found) -> Found:
    return other if one is None or other.value > one.value else one
