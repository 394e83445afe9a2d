"""Kernels that call one another a thousand times a page: compiled without what such calls would cost.

Numba counts references to an array with atomic operations at every call, which made the segmenter half as fast again,
and makes two wrappers a function for callers outside, an eighth of its compile time.  A lean kernel has neither: it
allocates nothing, and only kernels call it; theirs is the file in the cache that holds it, too.  (`_nrt` is numba's own
switch for kernels without its runtime.)

Kernels compare numbers one by one: a tuple to look into takes longer to compile, and to run.  Where a byte at a time is
read, its place is `unsigned`: numba lets a negative index count from the end, and asks at every one whether it is.
"""

from collections.abc import Callable
from typing import Any, TypeAlias, cast

import numpy as np
from numba.extending import intrinsic

from corpusmill.kernels import compiled

unsigned: Any = np.uint64  # of an index in a loop over bytes
Kernel: TypeAlias = Callable[..., Any]  # mypy can't follow numba's arithmetic

# What kernels work on: arrays, by their elements, and one row of records.
Bytes: TypeAlias = Any  # uint8
Words: TypeAlias = Any  # uint32
Numbers: TypeAlias = Any  # int64
Rows: TypeAlias = Any  # records
Record: TypeAlias = Any  # one of them
Int: TypeAlias = Any  # int64; as mypy sees them, numba's int and numpy's are two
Key: TypeAlias = Any  # uint64: see `tags.name_key`
Typed: TypeAlias = tuple[Any, Callable[..., Any]]  # numba's signature of a call, and what writes its code


def constant(value: int) -> int:
    """A constant that kernels are called with: numpy's, since numba compiles a kernel anew for each of Python's."""
    return cast(int, np.int64(value))


def lean_kernel(function: Kernel) -> Kernel:
    """Compile `function`, which allocates no memory and is called by kernels alone."""
    return compiled(function, _nrt=False, no_cpython_wrapper=True, no_cfunc_wrapper=True)


def inlined_kernel(function: Kernel) -> Kernel:
    """The same for one that is called a thousand times a page, from one place: it becomes part of its caller."""
    return compiled(function, _nrt=False, no_cpython_wrapper=True, no_cfunc_wrapper=True, forceinline=True)


def in_llvm(function: Callable[..., Typed]) -> Kernel:
    """A kernel that writes its own code: what loops over bytes or rows can't be made of is written as LLVM's vectors.

    `function` is given numba's types of the arguments, after a context that none needs; nothing checks bounds.
    """
    return cast(Kernel, intrinsic(function))


def lean_entry(function: Kernel) -> Kernel:
    """Compile `function`, which allocates no memory and is called from Python."""
    return compiled(function, _nrt=False, cache=True)
