"""Who may change a corpus: one run at a time.

On a local disk a lock of the kernel (`flock`) on the corpus's file `.lock`.  The kernel lets go of it when the last
process that holds it dies, however it dies.  While a run holds a corpus, `run.json` names the run's token.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from corpusmill.errors import InputError
from corpusmill.store import DISK_FULL

RUN_FILE = "run.json"


@contextmanager
def held(folder: Path) -> Iterator[int]:
    """Hold a folder; yields the lock's file descriptor.

    InputError if another run holds it, or it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        if error.errno in DISK_FULL:
            raise
        raise InputError(f"{folder}: cannot be used as a corpus directory: {error.strerror}") from error
    try:
        deadline = time.monotonic() + 2  # a killed run's last process may need a moment to go
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise InputError(f"{folder}: another run holds this corpus; wait until it ends") from None
                time.sleep(0.05)
        yield descriptor
    finally:
        os.close(descriptor)
