"""What the machine can do, and what training takes of it."""

import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import torch

# dense bf16 operations per second, from the manufacturer's data sheets; the first name that the GPU's name contains
PEAK_FLOPS = {"B200": 2250e12, "H200": 989e12, "H100": 989e12, "A100": 312e12, "L40S": 362e12, "L4": 121e12}


def peak_flops(device: torch.device) -> float | None:
    """The bf16 operations per second that the GPU can do at most; None if that is unknown, as for a CPU."""
    if device.type != "cuda":
        return None
    name = torch.cuda.get_device_name(device)
    return next((peak for known, peak in PEAK_FLOPS.items() if known in name), None)


def memory_bytes(device: torch.device) -> int:
    """The most memory that was used so far: tensors on the GPU, or the whole process on a CPU."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


@contextmanager
def using_threads(number: int | None) -> Iterator[int]:
    """In this context, torch computes with so many threads; None: as many as before.  Yields the number."""
    before = torch.get_num_threads()
    torch.set_num_threads(number or before)
    try:
        yield number or before
    finally:
        torch.set_num_threads(before)
