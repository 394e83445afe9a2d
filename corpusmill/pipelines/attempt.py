"""One driver process: start it, send its request, watch it, and end it with everything that it started."""

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO

from corpusmill.credentials import masked
from corpusmill.filters.personal import mask_text
from corpusmill.filters.settings import PiiSettings
from corpusmill.pipelines.request import CANCEL, LOST, SUPERVISOR, Event, Request

POLL_S = 0.25
READ_BYTES = 65_536
GRACE_S = 3.0  # after a worker is lost because the run failed, the driver reports the error within this time
LOG_S = 5.0  # the time to write the log to its end
CANCEL_S = 20.0  # the time to cancel a job on a cluster
HERE = "localhost,127.0.0.1,::1"  # processes of one machine do not talk to each other through the user's proxy


class Driver:
    """A driver process in its own session and process group.  Use it in a `with` block: it ends with the block."""

    def __init__(self, request: Request, lock: int | None, log: Path, pii: PiiSettings) -> None:
        """`lock` is the corpus's lock, which the driver holds, too.  Its output goes to the file `log`, masked."""
        no_proxy = ",".join([HERE, *(os.environ[name] for name in ("no_proxy", "NO_PROXY") if name in os.environ)])
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "corpusmill.pipelines.driver"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            pass_fds=() if lock is None else (lock,),
            env=os.environ | {SUPERVISOR: str(os.getpid()), "no_proxy": no_proxy, "NO_PROXY": no_proxy},
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._stdin = self._process.stdin
        self._events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        threading.Thread(target=_read_events, args=(self._process.stdout, self._events), daemon=True).start()
        self._log = threading.Thread(target=_keep_log, args=(self._process.stderr, log, pii), daemon=True)
        self._log.start()
        with suppress(BrokenPipeError):
            self._stdin.write(request.to_json().encode() + b"\n")
            self._stdin.flush()

    def __enter__(self) -> "Driver":
        return self

    def __exit__(self, *_: object) -> None:
        """End the driver and everything that it started, which is its session and its group."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
        self._process.wait()
        self._log.join(LOG_S)

    def cancel(self) -> None:
        """Ask the driver to cancel its job on a cluster, and wait until it has."""
        with suppress(OSError):
            self._stdin.write(CANCEL)
            self._stdin.flush()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(CANCEL_S)

    def watch(self, say: Callable[[Event], None], look: Callable[[], None]) -> Event:
        """Wait for the end, and return the driver's last event, or a new event that reports a lost process.

        say: called with every other event; look: called several times per second.
        """
        lost: tuple[float, Event] | None = None
        while True:
            with suppress(queue.Empty):
                event = self._events.get(timeout=POLL_S)
                if event is None:
                    return _death(self._process.wait())
                if event.kind == "error" and event.unexpected and lost is not None:
                    return Event(kind="error", name=LOST, text=lost[1].text)
                if event.kind in ("done", "error"):
                    return event
                say(event)
                lost = (time.monotonic(), event) if event.kind == "lost" else lost
                continue
            look()
            if lost is not None and time.monotonic() > lost[0] + GRACE_S:
                return Event(kind="error", name=LOST, text=lost[1].text)


def _read_events(stream: IO[bytes], events: "queue.SimpleQueue[Event | None]") -> None:
    """Put the driver's events into the queue, and None after the last one."""
    with suppress(ValueError):  # the stream was closed, so nobody reads it any more
        for line in stream:
            events.put(Event.from_json(line))
    events.put(None)


def _keep_log(stream: IO[bytes], path: Path, pii: PiiSettings) -> None:
    """Write the output of the driver and its workers into a file.

    On a full disk the output is lost, but nothing waits for it.  Tracebacks may quote pages and URLs, so personal data
    and credentials are masked here, too.
    """
    with stream:
        with suppress(OSError), path.open("ab", buffering=0) as log:
            for line in _lines(stream.fileno()):
                with suppress(OSError):
                    text = mask_text(masked(line.decode("utf-8", "replace")), pii)
                    log.write(text.encode("utf-8", "replace"))
        while os.read(stream.fileno(), READ_BYTES):  # read on if the file could not be made or written
            pass


def _lines(descriptor: int) -> Iterator[bytes]:
    """Complete lines, as soon as they arrive.  A line with no end within READ_BYTES is returned in pieces."""
    rest = b""
    while chunk := os.read(descriptor, READ_BYTES):
        *lines, rest = (rest + chunk).split(b"\n")
        yield from (line + b"\n" for line in lines)
        if len(rest) > READ_BYTES:
            yield rest
            rest = b""
    if rest:
        yield rest


def _death(code: int) -> Event:
    """The event for a driver that ended without a report: it was killed, or it could not start.

    After a kill, a new driver may succeed.
    """
    if code < 0:
        return Event(kind="error", name=LOST, text=f"the driver process was killed ({signal.Signals(-code).name})")
    text = f"the driver process ended with exit code {code} before it could say why"
    return Event(kind="error", name="RunError", text=text, unexpected=True)
