"""Where Python keeps the byte code of this process and of those that it starts.

Without byte code on disk Python compiles Beam, numba and all the others anew in every process: 2.3 s of a run's start.
That is so where `PYTHONDONTWRITEBYTECODE` is set, as in many containers, or packages lie in a folder that the user may
not write, unless they were compiled when they were installed.  Then it is kept beside the compiled kernels, in the
user's cache folder.
"""

import importlib.util
import os
import sys
from pathlib import Path

ENVIRONMENT = ("PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX")


def keep_bytecode(cache: Path) -> None:
    """From here on, also in processes that are started: keep byte code below `cache`, if nobody else keeps it."""
    if sys.pycache_prefix is not None or not _is_missing():
        return
    sys.dont_write_bytecode = False
    sys.pycache_prefix = str(cache)
    os.environ["PYTHONPYCACHEPREFIX"] = str(cache)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def _is_missing() -> bool:
    """Whether a large package is neither compiled nor going to be."""
    spec = importlib.util.find_spec("apache_beam")
    if spec is None or spec.origin is None:
        return False
    compiled = Path(importlib.util.cache_from_source(spec.origin))
    return not compiled.exists() and (sys.dont_write_bytecode or not os.access(compiled.parents[1], os.W_OK))
