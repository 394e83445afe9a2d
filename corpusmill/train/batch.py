"""What passes between an objective and a model."""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import torch
from torch import Tensor, nn

IGNORED = -100  # a target that is not predicted

Scored: TypeAlias = tuple[Tensor, Callable[[Tensor], Tensor]]  # what is scored, and what makes scores of it


class Inputs(NamedTuple):
    """What a model reads.  Padding belongs to the document -1."""

    ids: Tensor  # (rows, tokens)
    documents: Tensor  # (rows, tokens): the number of each token's document in the row
    positions: Tensor | None = None  # (rows, targets): the tokens that are scored; None: all
    decoder_ids: Tensor | None = None  # (rows, other tokens), of the decoder of an encoder-decoder
    decoder_documents: Tensor | None = None

    def row(self, index: int) -> "Inputs":
        """One row of it."""
        ids, documents, *others = self
        chosen = slice(index, index + 1)
        return Inputs(ids[chosen], documents[chosen], *(None if each is None else each[chosen] for each in others))

    def to(self, device: torch.device) -> "Inputs":
        """The same on a device."""
        ids, documents, *others = self
        return Inputs(
            ids.to(device), documents.to(device), *(None if each is None else each.to(device) for each in others)
        )


class Batch(NamedTuple):
    """Rows of one pass.

    `targets` has one array per loss: the token or the class that is right, or IGNORED.  `origins` says for every target
    of the first loss which token of the training row it is, so that validation knows its source; -1 if it is none.
    """

    inputs: Inputs
    targets: tuple[Tensor, ...]
    origins: Tensor


class Model(nn.Module):
    """What the loop and the objectives expect of a model.

    `prepare` is not compiled.  It makes masks and other things that depend on the data.  Its result is the arguments of
    `forward`, which returns one tensor of scores per loss of the objective: (rows, targets, classes).
    """

    compiles = True  # whether torch.compile helps

    def prepare(self, inputs: Inputs) -> tuple[Any, ...]:
        """The arguments of `forward`."""
        raise NotImplementedError

    def hidden(self, *arguments: Any) -> Tensor:
        """What the last layer makes of the arguments of `forward`, before the output head: (rows, tokens, width)."""
        raise NotImplementedError

    def heads(self, *arguments: Any) -> tuple[Scored, ...]:
        """For each loss what is scored, (rows, targets, width), and the function that makes scores of it.

        The function must work on any part of the targets: (n, width) -> (n, classes).
        """
        scores = self(*arguments)
        return tuple((each, _same) for each in (scores if isinstance(scores, tuple) else (scores,)))

    def config_json(self, boundary: int) -> dict[str, Any]:
        """The content of config.json."""
        raise NotImplementedError

    def flops_per_token(self, row_length: int) -> float:
        """Floating-point operations of a step per token: 6 per weight of a product, and those of attention.

        Embeddings are looked up, not multiplied.  A tied embedding counts, because it is also the output head.
        """
        matrices = sum(p.numel() for name, p in self.named_parameters() if p.ndim == 2 and not self._looked_up(name))
        return 6.0 * matrices + self._attention_flops(row_length)

    def _looked_up(self, name: str) -> bool:
        return False

    def _attention_flops(self, row_length: int) -> float:
        return 0.0


def _same(x: Tensor) -> Tensor:
    return x


def document_numbers(ids: Tensor, boundary: int) -> Tensor:
    """The number of each token's document in its row: (rows, tokens) -> the same shape."""
    return (ids == boundary).cumsum(1)


def draw_weights(module: nn.Module, generator: torch.Generator | None, zero: tuple[str, ...]) -> None:
    """Draw matrices with a standard deviation of 1 / sqrt(inputs).  Weights whose name ends with `zero` are zero."""
    for name, weight in module.named_parameters():
        if name.endswith(zero):
            nn.init.zeros_(weight)
        elif weight.ndim == 2:
            nn.init.normal_(weight, std=weight.shape[1] ** -0.5, generator=generator)
