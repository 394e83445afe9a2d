"""The most likely tokens for each `[MASK]` of a text, from an encoder."""

from dataclasses import dataclass
from pathlib import Path

import torch

from corpusmill.errors import InputError
from corpusmill.generate.prompts import encode, special_tokens, split
from corpusmill.train.batch import Inputs
from corpusmill.train.models.encoder import Encoder
from corpusmill.train.trained import Trained, load
from corpusmill.train.vocabulary import MASK


@dataclass(frozen=True, slots=True)
class Candidate:
    """A token that could stand at a mask."""

    token: str  # as in the vocabulary
    text: str  # what it stands for; U+FFFD for a part of a character
    probability: float


@dataclass(frozen=True, slots=True)
class Filled:
    """A text with masks, and the candidates for each mask."""

    text: str  # with the most likely token at each mask
    masks: tuple[tuple[Candidate, ...], ...]  # in the order of the text; the most likely candidate first


def fill(model: str | Path | Trained, text: str, *, top: int = 5, device: str = "cpu") -> Filled:
    """The `top` most likely tokens for each `[MASK]` in a text.

    Each mask is judged by itself, with all masks unknown.  A space before a mask belongs to the masked token, because
    tokens of words begin with their space.  InputError if the model is no encoder, if the text has no mask, or if it
    has more tokens than the model reads.
    """
    trained = model if isinstance(model, Trained) else load(model, device)
    if not isinstance(trained.model, Encoder):
        raise InputError(f"{trained.folder}: holds a model of the kind '{trained.kind}'; only encoders fill masks")
    masked = text.replace(f" {MASK}", MASK)
    mask = special_tokens(trained).get(MASK)
    if mask is None:
        raise InputError(f"{trained.folder}: its tokenizer has no {MASK}; it was trained with another objective")
    ids = [trained.boundary, *encode(trained, masked, {MASK: mask})]
    if mask not in ids:
        raise InputError(f"the text has no {MASK}; write it where a token is missing")
    if len(ids) > trained.row_length:
        raise InputError(f"the text has {len(ids) - 1} tokens, and the model reads at most {trained.row_length - 1}")
    read = torch.tensor([ids], device=trained.device)
    places = (read == mask).nonzero()[:, 1]
    with torch.inference_mode():
        inputs = Inputs(read, torch.zeros_like(read), places[None])
        chances = trained.model(*trained.model.prepare(inputs))[0][0].float().softmax(1)
    likely = chances.topk(min(top, chances.shape[1]))
    masks = tuple(
        tuple(_candidate(trained, id_, chance) for id_, chance in zip(*row, strict=True))
        for row in zip(likely.indices.tolist(), likely.values.tolist(), strict=True)
    )
    best = iter(candidates[0].text for candidates in masks)
    return Filled("".join(next(best) if piece == MASK else piece for piece in split(masked, [MASK])), masks)


def _candidate(trained: Trained, id_: int, probability: float) -> Candidate:
    token = trained.tokenizer.id_to_token(id_) or ""
    return Candidate(token, trained.tokenizer.decode([id_], skip_special_tokens=False), probability)
