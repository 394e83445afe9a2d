"""The one way to declare a compiled kernel, and where compiled code is cached.

`kernel` is numba's njit with `nogil` (threads run side by side) and an on-disk cache that all processes share.  The
cache lies in the user's cache folder, not beside the source, so that read-only installations work; the folder's name
holds the versions that compiled code depends on.  Cost: a cold compile is paid once on a machine, by `warm_up` in the
driver before workers start; a cached kernel loads in about 10 ms.
"""

import os
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar, cast

Function = TypeVar("Function", bound=Callable[..., object])


def cache_folder() -> Path:
    """Where compiled kernels are kept: $NUMBA_CACHE_DIR, else the user's cache folder, else a temporary one."""
    if "NUMBA_CACHE_DIR" in os.environ:
        return Path(os.environ["NUMBA_CACHE_DIR"])
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    name = f"kernels-{version('corpusmill')}-numba-{version('numba')}"
    for parent in (base / "corpusmill", Path(tempfile.gettempdir()) / f"corpusmill-{os.getuid()}"):
        try:
            (parent / name).mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(parent / name, os.W_OK):
            return parent / name
    raise OSError("no writable folder for compiled kernels: set NUMBA_CACHE_DIR to one")


os.environ["NUMBA_CACHE_DIR"] = str(cache_folder())  # read by numba when it is first imported

import numba  # noqa: E402

setattr(numba.config, "CACHE_DIR", os.environ["NUMBA_CACHE_DIR"])  # noqa: B010  # it may have been imported before us


def kernel(function: Function) -> Function:
    """Compile `function` with numba on first use: no Python objects, no GIL, cached on disk."""
    return cast(Function, numba.njit(nogil=True, cache=True)(function))
