"""Compile kernels that call each other a thousand times per page, without the usual cost of such calls.

Numba counts references to an array with atomic operations at every call.  Without them the segmenter is 1.5 times as
fast.  Numba also makes two wrappers per function for callers outside, which take an eighth of the compile time.

A lean kernel has neither.  It allocates nothing, and only kernels call it.  It has no file in the cache: its code is in
the files of its callers.  (`_nrt` is numba's own switch for kernels without its runtime.)

Kernels compare numbers one by one, because searching a tuple takes longer to compile and to run.  In loops over bytes,
the index is `unsigned`.  Numba allows negative indices, which count from the end, and checks the sign at each access.
"""

from collections.abc import Callable
from typing import Any, TypeAlias, cast

import numpy as np
from numba.extending import intrinsic

from corpusmill.kernels import compiled

unsigned: Any = np.uint64  # type of an index in a loop over bytes
Kernel: TypeAlias = Callable[..., Any]  # mypy cannot follow numba's arithmetic

# The arguments of kernels: arrays, by the type of their elements, and one row of records.
Bytes: TypeAlias = Any  # uint8
Words: TypeAlias = Any  # uint32
Numbers: TypeAlias = Any  # int64
Rows: TypeAlias = Any  # records
Record: TypeAlias = Any  # one row
Int: TypeAlias = Any  # int64; mypy takes numba's and numpy's integers for two types
Key: TypeAlias = Any  # uint64: see `tags.name_key`
Typed: TypeAlias = tuple[Any, Callable[..., Any]]  # numba's signature of a call, and the function that writes its code


def constant(value: int) -> int:
    """A constant for calls of kernels.  It is numpy's, because numba compiles a kernel for each of Python's."""
    return cast(int, np.int64(value))


def lean_kernel(function: Kernel) -> Kernel:
    """Compile `function`, which allocates no memory and is called only by kernels."""
    return compiled(function, _nrt=False, no_cpython_wrapper=True, no_cfunc_wrapper=True)


def inlined_kernel(function: Kernel) -> Kernel:
    """The same for a kernel that is called a thousand times per page, from one place.  Its code is inlined."""
    return compiled(function, _nrt=False, no_cpython_wrapper=True, no_cfunc_wrapper=True, forceinline=True)


def in_llvm(function: Callable[..., Typed]) -> Kernel:
    """A kernel that writes its own code as LLVM's vectors, for what a loop over bytes or rows cannot do.

    `function` gets a context, which is not used, and numba's types of the arguments.  Bounds are not checked.
    """
    return cast(Kernel, intrinsic(function))


def lean_entry(function: Kernel) -> Kernel:
    """Compile `function`, which allocates no memory and is called from Python."""
    return compiled(function, _nrt=False, cache=True)
