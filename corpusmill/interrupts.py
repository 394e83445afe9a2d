"""Turn signals to end into an error, so that files are closed and processes are ended."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from corpusmill.errors import InterruptedRunError

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def noted() -> Iterator[Callable[[], str | None]]:
    """Only note signals to end while the block runs; yields a function that names the signal that came, if any.

    Use it for work that has safe points, and ask at these points.  A second signal raises InterruptedRunError at once.
    """
    came: list[str] = []

    def note(number: int, _: FrameType | None) -> None:
        if came:
            raise InterruptedRunError(f"interrupted by {signal.Signals(number).name}")
        came.append(signal.Signals(number).name)

    with _handled_by(note):
        yield lambda: came[0] if came else None


@contextmanager
def interruptible(advice: str = "") -> Iterator[None]:
    """Raise InterruptedRunError for a signal to end while the block runs; a second signal is ignored."""

    def interrupt(number: int, _: FrameType | None) -> None:
        for each in NUMBERS:
            signal.signal(each, signal.SIG_IGN)
        raise InterruptedRunError(f"interrupted by {signal.Signals(number).name}{advice}")

    with _handled_by(interrupt):
        yield


@contextmanager
def _handled_by(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Send signals to end to this handler while the block runs.

    A signal that the process was started to ignore stays ignored (SIGHUP under nohup).  Python catches signals in the
    main thread only.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heeded = [number for number in NUMBERS if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, handler) for number in heeded}
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)
