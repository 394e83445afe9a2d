"""Which run may change a corpus: one at a time.

On a local disk, a run holds a lock of the kernel (`flock`) on the corpus's file `.lock`.  The kernel releases it when
the last process that holds it dies, in any way.  The file has the process number of the run.  If that process was
killed, its children end soon, but on a busy machine this can take seconds: so another run waits for them.

On object storage, a run holds a lease: a small file `_leases/NUMBER.json`, which its holder writes again every 15 s.
If there is no lease, or it was not renewed for a minute, another run creates the file with the next number.  Only one
of several runs can succeed in this.  A holder that was paused for longer finds a number higher than its own, and must
stop.

While a run holds a corpus, `run.json` contains the run's token, and publishing compares it with the run's own.  So work
of an abandoned run changes nothing.
"""

import fcntl
import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from corpusmill.errors import CorpusmillError, InputError
from corpusmill.store import DISK_FULL, RemoteStore

RUN_FILE = "run.json"
LEASES = "_leases"
LEASE_S = 60.0  # a lease that was not renewed for this time may be taken over
RENEWALS_S = 15.0
MOMENT_S = 2.0  # how long a run waits for a lock that another one holds
ORPHANS_S = 60.0  # the same, if the process that took the lock is gone


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
        started = time.monotonic()
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                if time.monotonic() - started > (ORPHANS_S if _holder_is_gone(descriptor) else MOMENT_S):
                    raise InputError(f"{folder}: another run holds this corpus; wait until it ends") from None
                time.sleep(0.05)
        _name_holder(descriptor)
        yield descriptor
    finally:
        os.close(descriptor)


def _name_holder(descriptor: int) -> None:
    """Write this process's number into the lock file; a full disk is no reason to refuse the lock."""
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
    except OSError as error:
        if error.errno not in DISK_FULL:
            raise


def _holder_is_gone(descriptor: int) -> bool:
    """Whether the process that took the lock exists no longer; False if the file does not say who it was."""
    number = os.pread(descriptor, 20, 0)
    if not number.isdigit():
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except PermissionError:  # it is another user's
        return False
    return False


@contextmanager
def leased(store: RemoteStore, token: str) -> Iterator[None]:
    """Hold a store's folder by a lease, which a thread renews.  InputError if another run holds it."""
    lease = _Lease(store, token)
    lease.take()
    renewing = threading.Thread(target=lease.keep, daemon=True)
    renewing.start()
    try:
        yield
    finally:
        lease.ended.set()
        renewing.join()
        lease.give_up()


@dataclass
class _Lease:
    """One run's lease."""

    store: RemoteStore
    token: str
    number: int = 0
    ended: threading.Event = field(default_factory=threading.Event)

    def take(self) -> None:
        """Create the file with the next number.  InputError if the holder of the last lease is alive."""
        numbers = self._numbers()
        self.number = (numbers[-1] if numbers else 0) + 1
        if numbers and (holder := self._alive(numbers[-1])) is not None:
            raise InputError(
                f"{self.store.url}: {holder} holds it, or was killed less than a minute ago; wait until it ends"
            )
        if not self.store.create(_key(self.number), self._content()):
            raise InputError(f"{self.store.url}: another run has just taken this corpus; wait until it ends")
        for number in numbers:
            self.store.delete(_key(number))

    def keep(self) -> None:
        """Renew the lease until it ends, or until another run has taken over the corpus."""
        while not self.ended.wait(RENEWALS_S):
            with suppress(CorpusmillError, OSError):  # a server that does not answer now may answer in 15 s
                if self._numbers()[-1:] != [self.number]:
                    return
                self.store.write(_key(self.number), self._content())

    def give_up(self) -> None:
        """Release the lease."""
        with suppress(CorpusmillError, OSError):  # it expires by itself
            self.store.delete(_key(self.number))

    def _numbers(self) -> list[int]:
        names = (name.removesuffix(".json") for name in self.store.entries(LEASES))
        return sorted(int(name) for name in names if name.isdecimal())

    def _alive(self, number: int) -> str | None:
        """The holder of a lease; None if it has released the lease, or has died."""
        try:
            lease = json.loads(self.store.read(_key(number)))
            age = time.time() - float(lease["renewed"])
            host, pid, processes = str(lease["host"]), int(lease["pid"]), lease["processes"]
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None
        gone = processes is not None and processes == _processes() and not Path(f"/proc/{pid}").exists()
        return None if gone or age > LEASE_S else f"another run (process {pid} on {host})"

    def _content(self) -> bytes:
        lease = {
            "token": self.token,
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "processes": _processes(),
            "renewed": time.time(),
        }
        return json.dumps(lease).encode()


def _processes() -> list[str] | None:
    """The identity of the machine since its start, and of the container; None if it is unknown.

    Both together say which processes this one can see.
    """
    try:
        return [Path("/proc/sys/kernel/random/boot_id").read_text().strip(), str(Path("/proc/self/ns/pid").readlink())]
    except OSError:
        return None


def _key(number: int) -> str:
    return f"{LEASES}/{number:012d}.json"
