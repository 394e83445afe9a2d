"""Several processes that train one model, one per GPU, started by `torchrun`.

Each rank processes its share of every step's rows.  There are two ways:

    replicate   every rank has the whole model (DDP).  Gradients are averaged in buckets during the backward pass; with
                several passes per step, only in the last one
    shard       every rank has a part of each weight, of its gradient and of the optimizer's state (FSDP2).  The weights
                of a layer are gathered when it is computed.  Each pass sends its gradients, so none is kept whole

`auto` shards only on GPUs, if the weights in float32, their gradients and two moments take more than half of a GPU.
Autocast, not FSDP2, chooses bfloat16, so that both ways compute the same.

Only rank 0 writes.  A rank whose partner has died, or has not answered for half an hour, ends with a RunError.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from corpusmill.errors import InputError, RunError

TIMEOUT = timedelta(minutes=30)  # rank 0 may validate or write for long
_STATE_BYTES = 16  # per weight: weight, gradient, two moments
_SHARE_FOR_STATE = 0.5  # of a GPU's memory

Sharding = Literal["auto", "replicate", "shard"]


@dataclass(frozen=True, slots=True)
class Ranks:
    """This process among the processes that train together."""

    device: torch.device
    rank: int = 0
    ranks: int = 1

    @classmethod
    @contextmanager
    def joined(cls, device: str | None) -> "Iterator[Ranks]":
        """Join the processes of torchrun, if it started this one; a process group that exists is used.

        `device`: cuda, cpu, or None (cuda if there is one).  RunError if another process is lost.
        """
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
        if own := not dist.is_initialized():
            dist.init_process_group("nccl" if kind == "cuda" else "gloo", timeout=TIMEOUT)
        try:
            yield cls(torch.device(kind), dist.get_rank(), dist.get_world_size())
        except RuntimeError as error:
            if not _is_of_communication(error):
                raise
            raise RunError(
                f"process {dist.get_rank()} has lost the others that train with it: one has ended, or did not answer "
                f"for {TIMEOUT.total_seconds():,.0f} s; the same command goes on from the newest checkpoint"
            ) from error
        finally:
            if own:
                dist.destroy_process_group()

    @property
    def leads(self) -> bool:
        """Whether this process is the one that writes."""
        return self.rank == 0

    def shards(self, model: nn.Module, sharding: Sharding) -> bool:
        """Whether the model is sharded: if the setting says so, or if `auto` finds it too large for one GPU."""
        if self.ranks == 1 or sharding != "auto":
            return self.ranks > 1 and sharding == "shard"
        if self.device.type != "cuda":
            return False
        memory = torch.cuda.get_device_properties(self.device).total_memory
        return _STATE_BYTES * sum(p.numel() for p in model.parameters()) > _SHARE_FOR_STATE * memory

    def replicate(self, module: nn.Module, *, some_unused: bool) -> nn.Module:
        """The module with gradients that are averaged over the ranks.

        some_unused: whether a pass may leave weights without gradient, which costs time.
        """
        module.to(self.device)
        if self.ranks == 1:
            return module
        return DistributedDataParallel(module, gradient_as_bucket_view=True, find_unused_parameters=some_unused)

    def shard(self, module: nn.Module) -> nn.Module:
        """The same module, in shards on the devices of all ranks: one group per layer, and one for the rest."""
        from torch.distributed.device_mesh import init_device_mesh
        from torch.distributed.fsdp import fully_shard  # takes as long to import as torch itself

        mesh = init_device_mesh(self.device.type, (self.ranks,))
        for part in (*layers_of(module), module):
            fully_shard(part, mesh=mesh)
        return module

    def gathered(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Whole tensors on rank 0, on its CPU if they were in shards; nothing on other ranks.

        If they are in shards, every rank must call it.
        """
        found = {}
        for name, tensor in tensors.items():
            complete = whole(tensor)
            if self.leads:
                found[name] = complete.contiguous() if complete is tensor else complete.cpu()
        return found

    def mean(self, number: Tensor) -> float:
        """The mean of a number over the ranks."""
        if self.ranks > 1:
            dist.all_reduce(number)
        return float(number) / self.ranks

    def total(self, numbers: list[int]) -> list[int]:
        """Each number, summed over the ranks."""
        if self.ranks == 1:
            return numbers
        tensor = torch.tensor(numbers, device=self.device)
        dist.all_reduce(tensor)
        return [int(number) for number in tensor.tolist()]

    def agree(self, number: int) -> int:
        """The number of rank 0."""
        if self.ranks == 1:
            return number
        tensor = torch.tensor([number], device=self.device)
        dist.broadcast(tensor, 0)
        return int(tensor.item())


def layers_of(module: nn.Module) -> list[nn.Module]:
    """The layers of the model in a module, in order."""
    return [layer for part in module.modules() if isinstance(part, nn.ModuleList) for layer in part]


def summing_up(module: nn.Module, *, last: bool) -> AbstractContextManager[None]:
    """In this context, gradients of a pass that is not the step's last are added up and not sent, if they are whole."""
    if isinstance(module, DistributedDataParallel) and not last:
        silent: AbstractContextManager[None] = module.no_sync()
        return silent
    return nullcontext()


def whole(tensor: Tensor) -> Tensor:
    """The tensor without shards.  If it has shards, every rank must call it."""
    complete: Tensor = tensor.full_tensor() if hasattr(tensor, "full_tensor") else tensor
    return complete


def divided_like(tensor: Tensor, other: Tensor) -> Tensor:
    """A whole tensor on the device of another one, and in shards if the other is.  Every rank has the whole tensor."""
    placed = tensor.to(other.device)
    if not hasattr(other, "full_tensor"):
        return placed
    from torch.distributed.tensor import DTensor, distribute_tensor

    assert isinstance(other, DTensor)
    return distribute_tensor(placed, other.device_mesh, other.placements, src_data_rank=None)


def _is_of_communication(error: RuntimeError) -> bool:
    """Whether the error says that another rank is gone or silent.  Gloo has no class of its own for it."""
    return isinstance(error, dist.DistError) or "gloo" in str(error).lower()
