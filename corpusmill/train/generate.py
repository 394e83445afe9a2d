"""Text from a trained model, token by token."""

import json
import math
from collections.abc import Iterator
from pathlib import Path

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from tokenizers.decoders import DecodeStream
from torch import Tensor

from corpusmill.errors import InputError, said
from corpusmill.train.model import Cache, Decoder, ModelConfig

COLDEST = 1e-5  # a lower temperature is as good as 0, and would divide by nothing


def generate(
    model: str | Path,
    prompt: str,
    *,
    max_tokens: int = 200,
    temperature: float = 0.8,
    top_p: float = 0.95,
    seed: int = 1,
    device: str = "cpu",
) -> Iterator[str]:
    """The model's continuation of a prompt, as pieces of text; it ends with the document or after `max_tokens`.

    `model` is a folder with model.safetensors, config.json and tokenizer.json (a checkpoint is one); `temperature` 0
    always takes the likeliest token.  A character made of several tokens comes when it is whole; one that is still
    incomplete at the end does not come.  The same arguments give the same text on CPU.  InputError if there is no such
    model or an argument is out of range, at the first piece.
    """
    if temperature < 0 or not 0 < top_p <= 1 or max_tokens < 0:
        raise InputError("generate needs temperature >= 0, 0 < top_p <= 1 and max_tokens >= 0")
    if not math.isfinite(temperature) or not -(2**63) <= seed < 2**63:
        raise InputError("generate needs a finite temperature, and a seed of 64 bits")
    prompt = prompt.encode("utf-8", "replace").decode()  # an argument may hold what is no character
    decoder, tokenizer, boundary = _load(Path(model), device)
    random = torch.Generator().manual_seed(seed)
    text = DecodeStream(skip_special_tokens=True)
    cache = Cache(decoder.config)
    ids = [boundary, *tokenizer.encode(prompt, add_special_tokens=False).ids][-decoder.config.max_position_embeddings :]
    for id_ in ids:
        text.step(tokenizer, id_)
    for _ in range(max_tokens):
        with torch.inference_mode():
            scores = decoder(torch.tensor([ids], device=device), cache=cache)[0, -1].float().cpu()
        ids = [_sample(scores, temperature, top_p, random)]
        if ids == [boundary]:
            return
        piece = text.step(tokenizer, ids[0])
        if piece:
            yield piece


def _load(folder: Path, device: str) -> tuple[Decoder, Tokenizer, int]:
    """Model, tokenizer, and the token that begins and ends documents."""
    try:
        data = json.loads((folder / "config.json").read_text("utf-8"))
        tokenizer = Tokenizer.from_str((folder / "tokenizer.json").read_text("utf-8"))
        weights = load_file(folder / "model.safetensors")
    except FileNotFoundError as error:
        raise InputError(
            f"{folder}: is not a trained model, it has no {Path(error.filename or 'weights').name}"
        ) from None
    except MemoryError:
        raise
    except Exception as error:  # of JSON, the tokenizer's or the weights' reader, each with errors of its own
        raise InputError(
            f"{folder}: its files are damaged, or no model of ours: {said(error).splitlines()[0]}"
        ) from error
    tokenizer.encode_special_tokens = True  # a prompt is text
    try:
        decoder = Decoder(ModelConfig.from_hf(data))
        decoder.load_state_dict(weights)
        boundary = int(data["eos_token_id"])
    except (RuntimeError, ValueError, KeyError, TypeError, ArithmeticError, AttributeError) as error:
        raise InputError(
            f"{folder}: config.json and the weights do not fit each other: {said(error).splitlines()[0]}"
        ) from error
    return decoder.to(device).eval(), tokenizer, boundary


def _sample(scores: Tensor, temperature: float, top_p: float, random: torch.Generator) -> int:
    """A token id: from the smallest set of likeliest tokens that together have probability `top_p`."""
    if temperature < COLDEST:
        return int(scores.argmax())
    chances, ids = (scores / temperature).softmax(0).sort(descending=True, stable=True)
    chances[chances.cumsum(0) - chances >= top_p] = 0
    return int(ids[torch.multinomial(chances, 1, generator=random)])
