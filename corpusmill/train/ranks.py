"""Several processes that train one model, one a GPU, as `torchrun` starts them.

Each rank has the whole model and takes its share of every step's rows; all average their gradients before they update.
This is data parallelism without a wrapper around the model: one flat all-reduce after the backward pass.  (DDP overlaps
the two, which begins to matter with several machines.)  Only rank 0 validates and writes.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn

from corpusmill.errors import InputError


@dataclass(frozen=True, slots=True)
class Ranks:
    """This process among those that train together."""

    device: torch.device
    rank: int = 0
    ranks: int = 1

    @classmethod
    @contextmanager
    def joined(cls, device: str | None) -> "Iterator[Ranks]":
        """Join the processes that torchrun started, if it did; `device` is cuda, cpu or None (cuda if there is one)."""
        kind = device or ("cuda" if torch.cuda.is_available() else "cpu")
        if kind not in ("cuda", "cpu"):
            raise InputError(f"unknown device '{kind}'; allowed: cuda, cpu")
        if kind == "cuda" and not torch.cuda.is_available():
            raise InputError("device 'cuda' was asked for, but torch finds none here; use cpu")
        if "LOCAL_RANK" not in os.environ:
            yield cls(torch.device(kind))
            return
        if kind == "cuda":
            torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
        dist.init_process_group("nccl" if kind == "cuda" else "gloo")
        try:
            yield cls(torch.device(kind), dist.get_rank(), dist.get_world_size())
        finally:
            dist.destroy_process_group()

    @property
    def leads(self) -> bool:
        """Whether this process is the one that validates and writes."""
        return self.rank == 0

    def mean(self, model: nn.Module, loss: Tensor) -> Tensor:
        """Average every gradient over the ranks, in place, and the loss, which is returned."""
        if self.ranks == 1:
            return loss
        tensors = [p.grad for p in model.parameters() if p.grad is not None]
        flat = torch.cat([loss.view(1), *(tensor.view(-1) for tensor in tensors)])
        dist.all_reduce(flat)
        flat /= self.ranks
        at = 1
        for tensor in tensors:
            tensor.copy_(flat[at : at + tensor.numel()].view_as(tensor))
            at += tensor.numel()
        return flat[0]

    def agree(self, number: int) -> int:
        """The number that rank 0 has."""
        if self.ranks == 1:
            return number
        tensor = torch.tensor([number], device=self.device)
        dist.broadcast(tensor, 0)
        return int(tensor.item())
