"""Optimizers and their schedules.

    muon    Muon (Jordan et al. 2024) for the matrices of layers, AdamW for the rest: embeddings, heads, norms
    adamw   AdamW (arXiv 1711.05101) for everything
    sgd     stochastic gradient descent with momentum, for comparison

Muon makes every update of a matrix orthogonal.  torch.optim.Muon takes 2-D parameters only.  Weight decay is decoupled
from the gradient for Muon and AdamW.  It applies to matrices only, and not to embeddings and output heads.

A schedule is a share of the peak learning rate for each step.  It rises linearly over `warmup_share` of the steps.
Then

    warmup-stable-decay   it stays, and falls linearly to zero over the last `decay_share` (Hu et al. 2024, MiniCPM)
    cosine                it falls to `final_share` along half a cosine
    linear                it falls to `final_share` along a line

Cost on CPU: Muon's five Newton-Schulz iterations take about a fifth of a step of the demo's model.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from corpusmill.train.ranks import divided_like, whole
from corpusmill.train.settings import (
    AdamWSettings,
    AnyOptimizer,
    AnySchedule,
    CosineSettings,
    MuonSettings,
    StableSettings,
    TrainSettings,
)

BETAS = (0.9, 0.95)  # of AdamW
OUTER = ("embed", "lm_head", "head.", "order.")  # matrices outside of layers


class MuonInShards(torch.optim.Muon):
    """Muon for matrices in shards: each rank has the momentum of its shard.

    A whole update is gathered, one matrix at a time; every rank makes it orthogonal and takes its shard.  Left to
    torch's Muon, each of the 15 products per matrix would gather its operands: a step took eight times as long.
    """

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Update the weights from their gradients."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._update(parameter, group)

    def _update(self, parameter: Tensor, group: dict[str, Any]) -> None:
        gradient, momentum = parameter.grad, group["momentum"]
        assert gradient is not None
        buffer = self.state[parameter].setdefault("momentum_buffer", torch.zeros_like(gradient))
        buffer.lerp_(gradient, 1 - momentum)
        update = nn.Parameter(torch.zeros(parameter.shape, device=gradient.device))
        update.grad = whole(gradient.lerp(buffer, momentum))
        torch.optim.Muon([update], lr=group["lr"], momentum=0.0, nesterov=False, weight_decay=0.0).step()  # type: ignore[no-untyped-call]
        parameter.mul_(1 - group["lr"] * group["weight_decay"]).add_(divided_like(update.detach(), parameter))


class Optimizers:
    """The optimizers of a model as one, with the schedule."""

    def __init__(self, model: nn.Module, settings: TrainSettings, steps: int) -> None:
        self._names = dict(model.named_parameters())
        chosen = settings.optimizer
        self._all = _optimizers(self._names, chosen)
        self._peak = dict.fromkeys(self._all, chosen.learning_rate)
        if isinstance(chosen, MuonSettings):
            self._peak["muon"] = chosen.matrix_learning_rate
        self._schedule, self._steps, self._longest = settings.schedule, steps, chosen.max_gradient_norm

    def factor(self, step: int) -> float:
        """The share of the peak learning rate in a step; steps count from 1."""
        return share_of_peak(self._schedule, step, self._steps)

    def gradient_norm(self) -> Tensor:
        """The length of the gradient of all weights together.  A gradient that is too long is then shortened."""
        parameters = self._names.values()
        norm = nn.utils.get_total_norm([p.grad for p in parameters if p.grad is not None])
        if self._longest is not None:
            nn.utils.clip_grads_with_norm_(parameters, self._longest, norm)
        return whole(norm)

    def step(self, step: int, scale: float = 1.0) -> None:
        """Update the weights from their gradients, and reset the gradients.  `scale` multiplies all learning rates."""
        for name, optimizer in self._all.items():
            for group in optimizer.param_groups:
                group["lr"] = self._peak[name] * self.factor(step) * scale
            optimizer.step()
        self.reset()

    def reset(self) -> None:
        """Reset the gradients."""
        for optimizer in self._all.values():
            optimizer.zero_grad(set_to_none=True)

    def state(self) -> dict[str, Tensor]:
        """The state that is needed to continue, as named tensors: `muon:momentum_buffer:NAME` and others."""
        return {
            f"{kind}:{key}:{name}": value
            for kind, name, parameter in self._parameters()
            for key, value in self._all[kind].state[parameter].items()
            if value is not None
        }

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Load what `state` returned."""
        owner = {name: (kind, parameter) for kind, name, parameter in self._parameters()}
        for optimizer in self._all.values():
            optimizer.state.clear()
        for key, value in state.items():
            _, field, name = key.split(":", 2)
            kind, parameter = owner[name]
            like = divided_like(value, parameter) if value.shape == parameter.shape else value.to(parameter.device)
            self._all[kind].state[parameter][field] = like

    def _parameters(self) -> Iterator[tuple[str, str, Tensor]]:
        """The parameters with their optimizers: (optimizer, name, parameter)."""
        name_of = {id(parameter): name for name, parameter in self._names.items()}
        for kind, optimizer in self._all.items():
            for group in optimizer.param_groups:
                for parameter in group["params"]:
                    yield kind, name_of[id(parameter)], parameter


def _optimizers(names: dict[str, nn.Parameter], settings: AnyOptimizer) -> dict[str, torch.optim.Optimizer]:
    """The optimizers by name."""
    of_layers = {name: p for name, p in names.items() if p.ndim == 2 and ".layers." in name}
    others = {name: p for name, p in names.items() if name not in of_layers}
    inner = {name: p for name, p in others.items() if p.ndim == 2 and not any(part in name for part in OUTER)}
    outer = [p for name, p in others.items() if name not in inner]
    decayed = {"params": [*inner.values()], "weight_decay": settings.weight_decay}
    plain = {"params": outer, "weight_decay": 0.0}
    found: dict[str, torch.optim.Optimizer] = {}
    if isinstance(settings, MuonSettings):
        if of_layers:
            in_shards = whole(first := next(iter(of_layers.values()))) is not first
            found["muon"] = (MuonInShards if in_shards else torch.optim.Muon)(
                of_layers.values(), lr=settings.matrix_learning_rate, weight_decay=settings.weight_decay
            )
    else:
        decayed["params"] = [*of_layers.values(), *inner.values()]
    groups = [group for group in (plain, decayed) if group["params"]]
    if isinstance(settings, MuonSettings | AdamWSettings):
        found["adamw"] = torch.optim.AdamW(groups, lr=settings.learning_rate, betas=BETAS, fused=True)
    else:
        found["sgd"] = torch.optim.SGD(groups, lr=settings.learning_rate, momentum=settings.momentum)
    return found


def share_of_peak(schedule: AnySchedule, step: int, steps: int) -> float:
    """The share of the peak learning rate in a step, from 1 to `steps`."""
    warmup = round(schedule.warmup_share * steps)
    rising = step / (warmup + 1)
    if isinstance(schedule, StableSettings):
        decay = round(schedule.decay_share * steps)
        return min(1.0, rising, (steps + 1 - step) / (decay + 1))
    if rising < 1:
        return rising
    done = (step - warmup - 1) / max(steps - warmup - 1, 1)  # from 0 to 1
    fallen = (1 - math.cos(math.pi * done)) / 2 if isinstance(schedule, CosineSettings) else done
    return 1 - (1 - schedule.final_share) * fallen
