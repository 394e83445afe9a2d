"""Kernels that call one another a thousand times a page: compiled without what such calls would cost.

Numba counts references to an array with atomic operations at every call, which doubled the segmenter's time, and makes
two wrappers a function for callers outside, an eighth of its compile time.  A lean kernel has neither: it allocates
nothing, and only kernels call it.  (`_nrt` is numba's own switch for kernels without its runtime.)
"""

import os
from collections.abc import Callable
from typing import TypeVar, cast

from corpusmill.kernels import cache_folder

Function = TypeVar("Function", bound=Callable[..., object])

os.environ["NUMBA_CACHE_DIR"] = str(cache_folder())


def lean_kernel(function: Function) -> Function:
    """Compile `function`, which allocates no memory and is called by kernels alone."""
    import numba

    numba.config.CACHE_DIR = os.environ["NUMBA_CACHE_DIR"]  # type: ignore[attr-defined]
    compiled = numba.njit(nogil=True, cache=True, _nrt=False, no_cpython_wrapper=True, no_cfunc_wrapper=True)(function)
    return cast(Function, compiled)


def lean_entry(function: Function) -> Function:
    """The same for a kernel that Python calls."""
    import numba

    numba.config.CACHE_DIR = os.environ["NUMBA_CACHE_DIR"]  # type: ignore[attr-defined]
    return cast(Function, numba.njit(nogil=True, cache=True, _nrt=False)(function))
