"""Optimizers and their schedule: Muon for matrices, AdamW for the rest, warmup-stable-decay.

Muon (Jordan et al. 2024) makes every update of a matrix orthogonal; torch.optim.Muon takes the layers' matrices, all
of which are 2-D.  The embedding (also the output head) and the norms go to AdamW.  Weight decay is on matrices only.

The learning rates rise linearly over `warmup_share` of the steps, stay, and fall linearly to zero over the last
`decay_share` (Hu et al. 2024, MiniCPM).

Cost on CPU: Muon's five Newton-Schulz iterations are about a fifth of a step of the demo's model.
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from corpusmill.train.settings import TrainSettings


class Optimizers:
    """Muon and AdamW as one, with the schedule."""

    def __init__(self, model: nn.Module, settings: TrainSettings, steps: int) -> None:
        self._names = dict(model.named_parameters())
        matrices = {name: p for name, p in self._names.items() if p.ndim == 2 and ".layers." in name}
        others = {name: p for name, p in self._names.items() if name not in matrices}
        fused = next(iter(self._names.values())).device.type == "cuda"
        self._all: dict[str, torch.optim.Optimizer] = {
            "muon": torch.optim.Muon(
                matrices.values(), lr=settings.matrix_learning_rate, weight_decay=settings.weight_decay
            ),
            "adamw": torch.optim.AdamW(
                others.values(), lr=settings.learning_rate, betas=(0.9, 0.95), weight_decay=0.0, fused=fused
            ),
        }
        self._peak = {"muon": settings.matrix_learning_rate, "adamw": settings.learning_rate}
        self._settings, self._steps = settings, steps

    def factor(self, step: int) -> float:
        """Share of the peak learning rate in a step; steps count from 1."""
        warmup = round(self._settings.warmup_share * self._steps)
        decay = round(self._settings.decay_share * self._steps)
        rising = step / (warmup + 1)
        falling = (self._steps + 1 - step) / (decay + 1)
        return min(1.0, rising, falling)

    def step(self, step: int) -> None:
        """Update the weights from their gradients, and clear these."""
        for name, optimizer in self._all.items():
            for group in optimizer.param_groups:
                group["lr"] = self._peak[name] * self.factor(step)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)

    def state(self) -> dict[str, Tensor]:
        """Everything to go on from here, as named tensors: `muon:momentum_buffer:NAME` and the like."""
        return {
            f"{kind}:{key}:{name}": value
            for kind, name, parameter in self._parameters()
            for key, value in self._all[kind].state[parameter].items()
        }

    def load(self, state: dict[str, Tensor]) -> None:
        """Take over what `state` gave."""
        owner = {name: (kind, parameter) for kind, name, parameter in self._parameters()}
        for key, value in state.items():
            _, field, name = key.split(":", 2)
            kind, parameter = owner[name]
            device = "cpu" if field == "step" and kind == "adamw" and not self._fused else parameter.device
            self._all[kind].state[parameter][field] = value.to(device)

    @property
    def _fused(self) -> bool:
        return bool(self._all["adamw"].defaults["fused"])

    def _parameters(self) -> Iterator[tuple[str, str, Tensor]]:
        """Which optimizer has which parameter: (optimizer, name, parameter)."""
        name_of = {id(parameter): name for name, parameter in self._names.items()}
        for kind, optimizer in self._all.items():
            for group in optimizer.param_groups:
                for parameter in group["params"]:
                    yield kind, name_of[id(parameter)], parameter
