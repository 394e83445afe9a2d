"""The parent of a run.  No Beam here: it starts the driver, watches it and its workers, and shows the progress.

Beam's local runner hangs when a worker dies (killed, out of memory) or can't start; the driver hears of it in a thread
and reports a lost worker.  Then its whole process group is killed and it is started again, at most twice, and resumes
from the receipts.  A signal kills the group, too, and ends the run with exit code 130.
Nothing outlives the parent: the driver holds a pipe to it and kills its own group when that closes, and each worker
looks for the parent's process every half second.
"""

import os
import queue
import signal
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO

from corpusmill import errors, recipe
from corpusmill.collect.crawl.state import finished, progress
from corpusmill.collect.plan import Slice, can_be_cut, plan
from corpusmill.corpus import Corpus, full_disk_is_a_run_error
from corpusmill.errors import CorpusmillError, InputError, InterruptedRunError, RunError
from corpusmill.extensions import UserModule
from corpusmill.pipelines import state
from corpusmill.pipelines.job import Job
from corpusmill.pipelines.progress import Display, Watch, display
from corpusmill.pipelines.request import SUPERVISOR, Event, Request
from corpusmill.reasons import Stage

RESUMES = 2
POLL_S = 0.25
GRACE_S = 3.0  # a worker that was lost because the run failed: the driver says so this soon
LOST = "lost"


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What a run came to: the books of the whole corpus, and whether there was anything to do."""

    books: state.Books
    worked: bool


def run(
    recipe_path: str | os.PathLike[str],
    corpus_folder: str | os.PathLike[str],
    *,
    workers: int | None = None,
    limit: int | None = None,
    until: Stage = Stage.TOKENS,
    beam: Sequence[str] = (),
    show: Callable[[], Display] = display,
) -> Outcome:
    """Mill the recipe's sources into the corpus, resumed where an earlier run stopped.

    workers: processes on this machine; by default one a core.  They never change what is written.
    limit: read at most so many records, spread over all the input.
    beam: options for Beam; if they name a runner, the run goes there.
    Raises InputError (the recipe or its input is wrong), RunError (the run failed; run it again to resume) or
    InterruptedRunError.
    """
    job = make_job(recipe_path, Corpus(corpus_folder), limit=limit)
    with full_disk_is_a_run_error(job.corpus.folder), job.corpus.lock() as lock, show() as screen:
        _resolve(job)
        slices = _planned(job)
        if slices is not None and state.unfinished(job, slices, until) is None:
            screen.message("nothing to do: every part is there as the recipe wants it")
            return Outcome(books=state.balance(job, slices, until), worked=False)
        if slices is not None:
            _tell_plan(job, slices, screen)
        _Run(job, until, workers or os.cpu_count() or 1, list(beam), lock, screen).to_the_end()
        slices = _planned(job)
        assert slices is not None, "the crawl ended unfinished"
        return Outcome(books=state.balance(job, slices, until), worked=True)


def make_job(recipe_path: str | os.PathLike[str], corpus: Corpus, *, limit: int | None = None) -> Job:
    """The job of a recipe's file, checked."""
    path = Path(recipe_path)
    loaded = recipe.load(path)
    if limit is not None:
        loaded = loaded.model_copy(update={"run": loaded.run.model_copy(update={"limit": limit})})
    modules = tuple(UserModule.find(name, path.parent) for name in loaded.modules)
    return Job(recipe=loaded, corpus=corpus, folder=path.parent.absolute(), modules=modules)


def _resolve(job: Job) -> None:
    """Keep the recipe as resolved in the corpus; refuse to throw a whole corpus away for a trial run."""
    path, text = job.corpus.folder / "recipe.toml", recipe.dump(job.recipe)
    if path.exists():
        before = path.read_text("utf-8")
        if before == text:
            return
        was_limited = "limit" in tomllib.loads(before).get("run", {})
        if job.recipe.run.limit is not None and not was_limited and job.corpus.parts(Stage.PAGES):
            raise InputError(
                f"{job.corpus.folder}: holds a run without a limit, of which --limit would delete parts; "
                "give another --corpus for a trial"
            )
    job.corpus.write_text(path, text)


def _planned(job: Job) -> list[Slice] | None:
    """The plan, or None if something must be crawled before there can be one."""
    for source in job.recipe.sources:
        if source.crawl is not None and not finished(job.corpus.folder / "raw" / source.name, source.crawl):
            return None
    return plan(job.recipe.sources, job.recipe.run, folder=job.folder, corpus=job.corpus)


def _tell_plan(job: Job, slices: Sequence[Slice], screen: Display) -> None:
    """What there is to read, and what can't be divided."""
    screen.message(f"plan: {len(slices)} slices from {len({(s.root, f) for s in slices for f in s.files})} files")
    whole = [s for s in slices if len(s.files) == 1 and not can_be_cut(s.kind, s.files[0])]
    large = [s for s in whole if _size(s) > job.recipe.run.slice_bytes]
    if large:
        names = ", ".join(s.files[0] for s in large[:3]) + (", ..." if len(large) > 3 else "")
        screen.message(f"  {len(large)} of them are larger than a slice and can't be cut in the middle: {names}")


def _size(piece: Slice) -> int:
    path = Path(piece.root) / piece.files[0]
    return path.stat().st_size if path.is_file() else 0


class _Run:
    """One run of the driver, and its resumptions."""

    def __init__(self, job: Job, until: Stage, workers: int, beam: list[str], lock: int, screen: Display) -> None:
        self.job, self.until, self.workers, self.beam, self.lock, self.screen = job, until, workers, beam, lock, screen
        stamp = time.strftime("%Y%m%dT%H%M%S")
        self.log = job.corpus.folder / "logs" / f"run-{stamp}-{os.getpid()}.log"

    def to_the_end(self) -> None:
        """Run the driver until it is done; RunError or InputError if it fails, InterruptedRunError on a signal."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        for attempt in range(RESUMES + 1):
            if attempt:
                self.screen.message(f"resuming (attempt {attempt + 1} of {RESUMES + 1})")
            outcome = self._once()
            if outcome.kind == "done":
                return
            if outcome.name != LOST:
                kind: type[CorpusmillError] = getattr(errors, outcome.name)
                more = f" (details in {self.log})" if outcome.unexpected else ""
                raise kind(outcome.text + more)
            self.screen.message(outcome.text)
        raise RunError(f"{outcome.text}, {RESUMES + 1} times; is there enough memory? (details in {self.log})")

    def _once(self) -> Event:
        """Start the driver and watch it; its last event, or one of our own about a lost process."""
        driver = subprocess.Popen(
            [sys.executable, "-P", "-m", "corpusmill.pipelines.driver"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            pass_fds=(self.lock,),
            env=os.environ | {SUPERVISOR: str(os.getpid())},
        )
        try:
            with _signals() as received:
                return self._watch(driver, received)
        finally:
            _kill_group(driver)

    def _watch(self, driver: "subprocess.Popen[bytes]", received: list[int]) -> Event:
        assert driver.stdin is not None
        assert driver.stdout is not None
        assert driver.stderr is not None
        with suppress(BrokenPipeError):
            driver.stdin.write(self._request().to_json().encode() + b"\n")
            driver.stdin.flush()
        events = _Events(driver.stdout)
        threading.Thread(target=_keep_log, args=(driver.stderr, self.log), daemon=True).start()
        lost: tuple[float, Event] | None = None
        watch: Watch | None = None
        crawling = ""
        while True:
            if received:
                name = signal.Signals(received[0]).name
                raise InterruptedRunError(f"interrupted by {name}; the same command resumes the run")
            for event in events.new():
                if event.kind in ("done", "error"):
                    return event
                if event.kind == "planned":
                    watch = self._start_watching()
                crawling = event.text if event.kind == "crawling" else crawling
                self._say(event)
                lost = (time.monotonic(), event) if event.kind == "lost" else lost
            if watch is not None:
                self.screen.update(watch)
            elif crawling:
                self.screen.status(self._crawl_status(crawling))
            if driver.poll() is not None and events.closed:
                return _death(driver.returncode)
            if lost is not None and time.monotonic() > lost[0] + GRACE_S:
                return Event(kind="error", name=LOST, text=lost[1].text)
            time.sleep(POLL_S)

    def _crawl_status(self, source: str) -> str:
        rounds, fetched, pending, size = progress(self.job.corpus.folder / "raw" / source)
        return f"crawl of {source}: round {rounds}, {fetched:,} pages, {size / 1e6:.1f} MB, {pending:,} URLs waiting"

    def _start_watching(self) -> Watch:
        slices = _planned(self.job)
        assert slices is not None
        return Watch(self.job, slices, self.until, self.workers)

    def _say(self, event: Event) -> None:
        if event.kind == "crawling":
            self.screen.message(f"crawling '{event.text}'")
        elif event.kind == "compiling":
            self.screen.message("compiling kernels, once on this machine ...")
        elif event.kind == "compiled":
            self.screen.message(f"kernels compiled in {event.text}")

    def _request(self) -> Request:
        job = self.job
        return Request(
            recipe=job.recipe.model_dump_json(),
            folder=str(job.folder),
            corpus=str(job.corpus.folder),
            modules=[(module.name, module.source) for module in job.modules],
            workers=self.workers,
            until=self.until,
            beam=self.beam,
        )


class _Events:
    """The driver's events, read in a thread so that nothing waits for them."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._queue: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self.closed = False
        threading.Thread(target=self._read, args=(stream,), daemon=True).start()

    def _read(self, stream: IO[bytes]) -> None:
        for line in stream:
            self._queue.put(Event.from_json(line))
        self._queue.put(None)

    def new(self) -> Iterator[Event]:
        """Those that came since the last call."""
        while not self._queue.empty():
            event = self._queue.get()
            if event is None:
                self.closed = True
            else:
                yield event


def _keep_log(stream: IO[bytes], path: Path) -> None:
    """Read what the driver and its workers print into a file; on a full disk it is lost, and nobody has to wait."""
    with stream:
        with suppress(OSError), path.open("ab", buffering=0) as log:
            while chunk := os.read(stream.fileno(), 65536):
                with suppress(OSError):
                    log.write(chunk)
        while os.read(stream.fileno(), 65536):  # if there could be no file
            pass


@contextmanager
def _signals() -> Iterator[list[int]]:
    """The signals that ask for an end while the block runs; outside the main thread Python lets none be caught."""
    received: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield received
        return

    def note(number: int, _: FrameType | None) -> None:
        received.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _kill_group(driver: "subprocess.Popen[bytes]") -> None:
    """End the driver and everything that it started; it leads its own session and group."""
    with suppress(ProcessLookupError):
        os.killpg(driver.pid, signal.SIGKILL)
    for stream in (driver.stdin, driver.stdout):
        if stream is not None:
            with suppress(OSError):
                stream.close()
    driver.wait()


def _death(code: int) -> Event:
    """A driver that ended without a word: killed, which a new one may survive, or unable to start."""
    if code < 0:
        return Event(kind="error", name=LOST, text=f"the driver process was killed ({signal.Signals(-code).name})")
    text = f"the driver process ended with exit code {code} before it could say why"
    return Event(kind="error", name="RunError", text=text, unexpected=True)
