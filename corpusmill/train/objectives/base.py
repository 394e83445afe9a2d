"""An objective makes batches from training rows, and losses from a model and a batch.

It gets a key per row, and draws its random numbers with it (`data.uniform`, `data.shuffled`).  So the batches of a step
do not depend on the number of processes, on the size of a pass, or on an interruption.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from corpusmill.draws import Ints
from corpusmill.train.batch import IGNORED, Batch, Model
from corpusmill.train.settings import ObjectiveSettings
from corpusmill.train.vocabulary import Vocabulary

Key: TypeAlias = tuple[int, ...]

# targets whose scores are computed at a time.  On a CPU, scores of 512 targets stay in the cache, and the allocator
# keeps their memory, which saves a fifth of the time; a GPU needs large products
PART = {"cpu": 512, "cuda": 8192}


class Objective:
    """What a model learns."""

    losses_are: tuple[str, ...] = ("tokens",)  # the name of each loss; the step's loss is the sum of their means
    recompute = False  # whether scores are computed again in the backward pass, which saves memory
    predicts_every_token = False  # each token of a document once, so that bits per byte can be measured

    def __init__(self, settings: ObjectiveSettings, vocabulary: Vocabulary) -> None:
        self.settings, self.vocabulary = settings, vocabulary

    @classmethod
    def tokens(cls, settings: Any) -> list[str]:
        """The names of the special tokens that it needs."""
        return []

    @classmethod
    def classes(cls, settings: Any) -> int:
        """The number of classes of the encoder's second head; 0 if there is none."""
        return 0

    def batch(self, rows: Ints, keys: Sequence[Key], *, training: bool) -> Batch:
        """What the model reads and predicts.  rows: (n, row_length + 1); one key per row."""
        raise NotImplementedError

    def losses(
        self, model: Model, arguments: tuple[Any, ...], targets: tuple[Tensor, ...], training: bool
    ) -> tuple[Tensor, ...]:
        """For each loss, its value in nats for every target (rows x targets); 0 for targets that are IGNORED.

        Label smoothing and z-loss are used in training only, so that validation measures the same for all settings.
        """
        settings = self.settings
        smoothing, z_loss = (settings.label_smoothing, settings.z_loss) if training else (0.0, 0.0)
        return tuple(
            losses_in_parts(x, head, right, smoothing, z_loss, recompute=self.recompute)
            for (x, head), right in zip(model.heads(*arguments), targets, strict=True)
        )


class Losses(nn.Module):
    """A model with its objective, as one module: what is compiled, replicated or sharded."""

    def __init__(self, model: Model, objective: Objective) -> None:
        super().__init__()
        self.model = model
        self._losses = objective.losses

    def forward(self, arguments: tuple[Any, ...], targets: tuple[Tensor, ...], training: bool) -> tuple[Tensor, ...]:
        """What `Objective.losses` returns."""
        return self._losses(self.model, arguments, targets, training)


def losses_in_parts(
    x: Tensor,
    head: Callable[[Tensor], Tensor],
    targets: Tensor,
    label_smoothing: float = 0.0,
    z_loss: float = 0.0,
    *,
    recompute: bool = False,
) -> Tensor:
    """Cross-entropy of every target: (rows, targets, width), (rows, targets) -> (rows x targets).

    `head` makes the scores of some targets at a time.  The scores of all targets are often the largest tensor of a
    step.  Only their log-probabilities are kept for the backward pass, and not even these with `recompute`.
    """

    def of_part(part: Tensor, right: Tensor) -> Tensor:
        return token_losses(head(part), right, label_smoothing, z_loss)

    size = PART[x.device.type]
    pairs = zip(torch.split(x.flatten(0, 1), size), torch.split(targets.flatten(), size), strict=True)
    if recompute and torch.is_grad_enabled():
        return torch.cat([checkpoint(of_part, *pair, use_reentrant=False) for pair in pairs])
    return torch.cat([of_part(*pair) for pair in pairs])


def token_losses(scores: Tensor, targets: Tensor, label_smoothing: float = 0.0, z_loss: float = 0.0) -> Tensor:
    """Cross-entropy of every target: (..., classes), (...) -> (the number of targets).

    With z-loss (PaLM, arXiv 2204.02311), the square of z is added, times its weight.  z is the logarithm of the
    softmax's sum.  The cross-entropy is z minus a score (with smoothing s, minus a mean of scores), so z follows from
    it without a second pass over the exponentials, and one softmax serves the gradients of both.
    """
    scores, targets = scores.flatten(0, -2).float(), targets.flatten()
    losses = F.cross_entropy(scores, targets, reduction="none", ignore_index=IGNORED, label_smoothing=label_smoothing)
    if z_loss:
        known = targets != IGNORED
        right = scores.gather(1, targets.where(known, 0)[:, None])[:, 0]
        z = losses + (torch.lerp(right, scores.mean(1), label_smoothing) if label_smoothing else right)
        losses = losses + z_loss * z.square() * known
    return losses


def tensor(numbers: Ints) -> Tensor:
    """A tensor of 64-bit integers."""
    return torch.from_numpy(numbers)
