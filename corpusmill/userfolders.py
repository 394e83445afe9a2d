"""The user's own folders.  This also works without a home folder, or for a user without an entry in the system."""

import os
import tempfile
from functools import cache
from pathlib import Path


@cache
def cache_base() -> Path:
    """A folder for files that can be made again: $XDG_CACHE_HOME or ~/.cache, or a temporary one.

    The temporary one is used if the others cannot be written.
    """
    candidates = [Path(tempfile.gettempdir()) / f"corpusmill-{os.getuid()}"]
    home = os.environ.get("HOME")
    if home:
        candidates.insert(0, Path(home) / ".cache" / "corpusmill")
    if os.environ.get("XDG_CACHE_HOME"):
        candidates.insert(0, Path(os.environ["XDG_CACHE_HOME"]) / "corpusmill")
    for folder in candidates:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK) and folder.stat().st_uid == os.getuid():
            return folder
    raise OSError("no writable folder for what is kept between runs: set XDG_CACHE_HOME to one")
