"""The one way to declare a compiled kernel, and where compiled code is cached.

`kernel` is numba's njit with `nogil` (threads run side by side) and an on-disk cache that all processes share.  The
cache lies in the user's cache folder, not beside the source, so that read-only installations work.  Its name is a
digest of the sources that hold kernels and of numba's version: numba itself looks only at the file of a kernel, and
would go on using one whose constants, imported from another file, have changed.

Cost: a cold compile is paid once on a machine, by `WARM_UPS` in the driver before workers start: 40 to 50 s of CPU
time.  A cached kernel loads in 3 to 20 ms, with all that it calls; numba itself in 0.4 s, and another 0.4 s with its
first kernel, so numba is imported with the first kernel and not before.  While numba compiles, Python doesn't look for
cyclic garbage: that took a sixth of the time.  Tried and left: LLVM's second level of optimisation, a tenth less to
compile and up to a third slower to run; a process for each package, since each pays 3 s for numba.
"""

import functools
import gc
import hashlib
import os
import shutil
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import TypeVar, cast

from corpusmill.userfolders import cache_base

HOMES = ("dedup", "extract", "filters")  # packages that hold kernels
WARM_UPS = (  # what compiles all kernels: two processes that take about as long
    (("extract", "warm_up_judging"), ("filters", "warm_up")),
    (("extract", "warm_up_reading"), ("dedup", "warm_up")),
)
Function = TypeVar("Function", bound=Callable[..., object])


def cache_folder() -> Path:
    """Where compiled kernels are kept: $NUMBA_CACHE_DIR, else the user's cache folder, else a temporary one."""
    if "NUMBA_CACHE_DIR" in os.environ:
        return Path(os.environ["NUMBA_CACHE_DIR"])
    content = b"".join(source.read_bytes() for source in _sources())
    folder = cache_base() / f"kernels-{_digest(content + version('numba').encode())}"
    folder.mkdir(exist_ok=True)
    return folder


def kernels_are_cached() -> bool:
    """Whether `note_cached` was called on this machine since the package's sources last changed."""
    return _stamp().exists()


def note_cached() -> None:
    """Remember that every kernel of the package, as it is now, is in the cache; clear what other versions left."""
    _stamp().touch()
    for folder in cache_folder().parent.glob("kernels-*"):
        if folder.stat().st_mtime < time.time() - 30 * 86400:
            shutil.rmtree(folder, ignore_errors=True)


def _stamp() -> Path:
    """Numba knows a source by its path and time of modification: the same content elsewhere is compiled again."""
    state = [(str(source), source.stat().st_mtime_ns) for source in _sources()]
    return cache_folder() / f"complete-{_digest(repr(state).encode())}"


def _sources() -> list[Path]:
    """Every file that a kernel's code can depend on."""
    root = Path(__file__).parent
    return sorted([root / "kernels.py", *(p for folder in HOMES for p in (root / folder).rglob("*.py"))])


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=8).hexdigest()


os.environ["NUMBA_CACHE_DIR"] = str(cache_folder())  # read by numba when it is first imported


def kernel(function: Function) -> Function:
    """Compile `function` with numba on first use: no Python objects, no GIL, cached on disk."""
    return compiled(function, cache=True)


def inner_kernel(function: Function) -> Function:
    """The same for one that only kernels call: it becomes part of theirs, and has no way in from Python."""
    return compiled(function, no_cpython_wrapper=True, no_cfunc_wrapper=True)


def compiled(function: Function, **options: bool) -> Function:
    """`function` as numba compiles it on first use, with `options` of its njit."""
    return cast(Function, _numba().njit(nogil=True, **options)(function))


@functools.cache
def _numba() -> ModuleType:
    import numba
    from numba.core import event

    class WithoutCollections(event.Listener):
        """No search for cyclic garbage while numba compiles: what it makes is kept, and was searched all the time."""

        depth = 0  # kernels compile those that they call; numba's lock lets one thread at a time in here
        was_on = True

        def on_start(self, _: object) -> None:
            if self.depth == 0:
                self.was_on = gc.isenabled()
                gc.disable()
            self.depth += 1

        def on_end(self, _: object) -> None:
            self.depth -= 1
            if self.depth == 0 and self.was_on:
                gc.enable()

    numba.config.CACHE_DIR = os.environ["NUMBA_CACHE_DIR"]  # type: ignore[attr-defined]  # someone may have imported it
    event.register("numba:compile", WithoutCollections())  # type: ignore[no-untyped-call]
    return numba
