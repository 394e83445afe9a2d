"""How compiled kernels are declared, and where compiled code is cached.

`kernel` is numba's njit with `nogil` (threads run side by side) and an on-disk cache that all processes share.  The
cache is in the user's cache folder, not beside the source, so read-only installations work.  Its name is a digest of
the sources that hold kernels and of numba's version.  numba itself checks only the file of a kernel.  If constants from
another file have changed, it would still use the old kernel.

Cost:

- A complete compilation takes 70 to 90 s of CPU time, once per machine.  The driver does it with `WARM_UPS` and
  `ON_REQUEST` before workers start.
- A cached kernel loads in 3 to 20 ms, with all kernels that it calls.
- numba itself loads in 0.4 s, and takes another 0.4 s with its first kernel.  So numba is imported with the first
  kernel and not before.
- While numba compiles, Python's search for cyclic garbage is off, because it took a sixth of the time.

Two things were tried and not kept.  LLVM's second level of optimisation compiles a tenth faster, but the code is up to
a third slower.  A process for each package costs 3 s for numba in each.
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

HOMES = ("dedup", "extract", "filters", "tokenize")  # packages that hold kernels
WARM_UPS = (  # kernels that every run uses; two processes compile them, in about the same time
    (("extract", "warm_up_judging"), ("filters", "warm_up_measuring")),
    (("extract", "warm_up_reading"), ("dedup", "warm_up"), ("filters", "warm_up_masking"), ("tokenize", "warm_up")),
)
ON_REQUEST = (("filters", "warm_up_on_request"),)  # the others: compiled with the first, loaded by who needs them
Function = TypeVar("Function", bound=Callable[..., object])


def cache_folder() -> Path:
    """The folder of compiled kernels: $NUMBA_CACHE_DIR, else the user's cache folder, else a temporary one."""
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
    """Record that the cache has every kernel of the package as it is now; delete old caches of other versions."""
    _stamp().touch()
    for folder in cache_folder().parent.glob("kernels-*"):
        if folder.stat().st_mtime < time.time() - 30 * 86400:
            shutil.rmtree(folder, ignore_errors=True)


def _stamp() -> Path:
    """The marker of a complete cache.

    numba identifies a source by its path and time of modification, so the same content elsewhere is compiled again.
    """
    state = [(str(source), source.stat().st_mtime_ns) for source in _sources()]
    return cache_folder() / f"complete-{_digest(repr(state).encode())}"


def _sources() -> list[Path]:
    """Every file that the code of a kernel can depend on."""
    root = Path(__file__).parent
    return sorted(
        [root / "kernels.py", root / "scripts.py", *(p for folder in HOMES for p in (root / folder).rglob("*.py"))]
    )


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=8).hexdigest()


os.environ["NUMBA_CACHE_DIR"] = str(cache_folder())  # numba reads it when it is first imported


def kernel(function: Function) -> Function:
    """Compile `function` with numba on first use: no Python objects, no GIL, cached on disk."""
    return compiled(function, cache=True)


def inner_kernel(function: Function) -> Function:
    """The same for a kernel that only kernels call: it is compiled into them, and Python cannot call it."""
    return compiled(function, no_cpython_wrapper=True, no_cfunc_wrapper=True)


def lean_kernel(function: Function) -> Function:
    """An inner kernel that allocates nothing, and so counts no references to its arrays: calls of it cost half as much.

    `_nrt` is numba's own name for its runtime of references; `corpusmill.extract.segments.lean` uses it, too.
    """
    return compiled(function, _nrt=False, no_cpython_wrapper=True, no_cfunc_wrapper=True)


def compiled(function: Function, **options: bool) -> Function:
    """`function` as numba compiles it on first use, with `options` of its njit."""
    return cast(Function, _numba().njit(nogil=True, **options)(function))


@functools.cache
def _numba() -> ModuleType:
    import numba
    from numba.core import event

    class WithoutCollections(event.Listener):
        """Turns off the search for cyclic garbage while numba compiles.

        All objects that it makes are kept, and were searched again and again.
        """

        depth = 0  # kernels compile those that they call; numba's lock admits one thread at a time
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

    # numba may have been imported before
    numba.config.CACHE_DIR = os.environ["NUMBA_CACHE_DIR"]  # type: ignore[attr-defined]
    event.register("numba:compile", WithoutCollections())  # type: ignore[no-untyped-call]
    return numba
