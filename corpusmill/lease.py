"""Who may change a corpus: one run at a time.

On a local disk a lock of the kernel (`flock`) on the corpus's file `.lock`.  The kernel lets go of it when the last
process that holds it dies, however it dies.

On object storage a lease: a small file `_leases/NUMBER.json`, which its holder writes anew every 15 s.  Whoever finds
no lease, or one that was not renewed for a minute, creates the file of the next number, which only one of several can
do.  A holder that was stopped for longer finds a higher number than its own, and may go on no more.

While a run holds a corpus, `run.json` names the run's token, and publishing compares it with the run's own: so even
work that nobody waits for any more changes nothing.
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
LEASE_S = 60.0  # after which a lease that was not renewed may be taken over
RENEWALS_S = 15.0


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


@contextmanager
def leased(store: RemoteStore, token: str) -> Iterator[None]:
    """Hold a store's folder by a lease that is renewed in a thread.  InputError if another run holds it."""
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
        """Create the file of the next number.  InputError if the last one's holder lives."""
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
        """Renew the lease until it ends, or another run has taken the corpus over."""
        while not self.ended.wait(RENEWALS_S):
            with suppress(CorpusmillError, OSError):  # a server that does not answer may do so in 15 s
                if self._numbers()[-1:] != [self.number]:
                    return
                self.store.write(_key(self.number), self._content())

    def give_up(self) -> None:
        """Let others in."""
        with suppress(CorpusmillError, OSError):  # it runs out by itself
            self.store.delete(_key(self.number))

    def _numbers(self) -> list[int]:
        names = (name.removesuffix(".json") for name in self.store.entries(LEASES))
        return sorted(int(name) for name in names if name.isdecimal())

    def _alive(self, number: int) -> str | None:
        """The holder of a lease; None if it has let go, or has died."""
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
    """Which processes this one can see: the machine since it was started, and the container; None if nobody says."""
    try:
        return [Path("/proc/sys/kernel/random/boot_id").read_text().strip(), str(Path("/proc/self/ns/pid").readlink())]
    except OSError:
        return None


def _key(number: int) -> str:
    return f"{LEASES}/{number:012d}.json"
