"""Greedy decoding: always the most likely token.  The one place where fine-tuned models write."""

from collections.abc import Sequence

import torch

from corpusmill.generate.readers import begin
from corpusmill.train.trained import Trained


@torch.inference_mode()
def greedy(
    model: Trained, prompts: Sequence[Sequence[int]], *, max_tokens: int, ends: Sequence[int]
) -> list[list[int]]:
    """What a decoder writes after each prompt, or an encoder-decoder for it: ids without the one of `ends`."""
    return [_written(model, prompt, max_tokens, ends) for prompt in prompts]


def _written(model: Trained, prompt: Sequence[int], max_tokens: int, ends: Sequence[int]) -> list[int]:
    reader, scores = begin(model, [prompt])
    written: list[int] = []
    while len(written) < max_tokens:
        token = int(scores[0].argmax())
        if token in ends:
            break
        written.append(token)
        ids = torch.tensor([[token]], device=model.device)
        scores = reader.read(ids, torch.ones_like(ids, dtype=torch.bool))
    return written
