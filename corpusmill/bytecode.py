"""Where Python stores the byte code of this process and of the processes that it starts.

Without byte code on disk, Python compiles Beam, numba and all other packages in every process: 2.3 s of a run's start.
This happens in two cases, unless the packages were compiled when they were installed.  `PYTHONDONTWRITEBYTECODE` is
set, as in many containers, or the packages are in a folder that the user cannot write.  Then the byte code is stored
beside the compiled kernels, in the user's cache folder.
"""

import importlib.util
import os
import sys
from pathlib import Path

ENVIRONMENT = ("PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX")


def keep_bytecode(cache: Path) -> None:
    """Store byte code below `cache` from now on, also in started processes, unless it is stored elsewhere."""
    if sys.pycache_prefix is not None or not _is_missing():
        return
    sys.dont_write_bytecode = False
    sys.pycache_prefix = str(cache)
    os.environ["PYTHONPYCACHEPREFIX"] = str(cache)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def _is_missing() -> bool:
    """Whether a large package is not compiled, and Python will not store its byte code."""
    spec = importlib.util.find_spec("apache_beam")
    if spec is None or spec.origin is None:
        return False
    compiled = Path(importlib.util.cache_from_source(spec.origin))
    return not compiled.exists() and (sys.dont_write_bytecode or not os.access(compiled.parents[1], os.W_OK))
