"""The parent of a run.  No Beam here: it plans, starts the driver, watches it and its workers, and shows the progress.

Beam's local runner hangs when a worker dies (killed, out of memory) or can't start; the driver hears of it in a thread
and reports a lost worker.  Then its whole process group is killed and it is started again, at most twice, and resumes
from the receipts.  The same happens when a part turns out to be damaged, after it was taken back.  A signal ends the
run with exit code 130: a job on a cluster is cancelled, and the group is killed.
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
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO

from corpusmill import recipe
from corpusmill.collect.crawl.state import progress
from corpusmill.collect.formats import format_of
from corpusmill.collect.plan import Slice
from corpusmill.corpus import Corpus
from corpusmill.errors import CorruptPartError, InputError, InterruptedRunError, RunError, named
from corpusmill.extensions import UserModule
from corpusmill.lease import RUN_FILE
from corpusmill.mix import write_weights
from corpusmill.pipelines.progress import Display, Watch, display
from corpusmill.pipelines.request import CANCEL, SUPERVISOR, Event, Request
from corpusmill.stages import state
from corpusmill.stages.chain import chain_of
from corpusmill.stages.job import Job
from corpusmill.stages.planning import check_nothing_shrinks, make_plan, read_plan
from corpusmill.stages.stage import Singleton, Snapshot
from corpusmill.store import full_disk_is_a_run_error

RESUMES = 2
POLL_S = 0.25
GRACE_S = 3.0  # a worker that was lost because the run failed: the driver says so this soon
CANCEL_S = 20.0  # that a job on a cluster is given to be cancelled
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
    until: str | None = None,
    prune: bool = False,
    beam: Sequence[str] = (),
    show: Callable[[], Display] = display,
) -> Outcome:
    """Mill the recipe's sources into the corpus, resumed where an earlier run stopped.

    workers: processes on this machine; by default one for each core.  They never change what is written.
    limit: read at most so many records, spread over all the input.
    until: name of the last stage to run.
    prune: delete the parts of sources that the recipe no longer names.
    beam: options for Beam; if they name a runner, the run goes there.
    Raises InputError (the recipe or its input is wrong), RunError (the run failed; run it again to resume) or
    InterruptedRunError.
    """
    with interruptible():
        token = uuid.uuid4().hex
        job = make_job(recipe_path, Corpus(corpus_folder, token=token), limit=limit)
        chain_of(job).until(until)
        with full_disk_is_a_run_error(job.corpus.folder), job.corpus.lock() as lock, show() as screen:
            before = read_plan(job.corpus)
            if not prune:
                check_nothing_shrinks(job, before)
            _resolve(job)
            job.corpus.write_json(RUN_FILE, {"token": token, "pid": os.getpid(), "started": time.time()})
            try:
                return _run(job, until, workers or os.cpu_count() or 1, list(beam), lock, screen)
            finally:
                job.corpus.store.delete(RUN_FILE)


def _run(job: Job, until: str | None, workers: int, beam: list[str], lock: int, screen: Display) -> Outcome:
    slices = _planned(job)
    if slices is not None and state.unfinished(job, slices, until) is None:
        screen.message("nothing to do: every part is there as the recipe wants it")
        return Outcome(books=state.balance(job, slices, until), worked=False)
    if slices is not None:
        _tell_plan(job, slices, screen)
        state.tidy(job, slices)
    _Run(job, slices, until, workers, beam, lock, screen).to_the_end()
    slices = slices if slices is not None else read_plan(job.corpus)
    assert slices is not None, "the driver has planned"
    books = state.balance(job, slices, until)
    _settle(job, slices)
    return Outcome(books=books, worked=True)


def _settle(job: Job, slices: Sequence[Slice]) -> None:
    """Leave the corpus as readers like it: no part that nothing wants, and each stage's receipts in one file."""
    parts = state.parts_of(job, Snapshot(job.corpus), slices)
    state.tidy(job, slices, parts)
    for stage in chain_of(job):
        if not isinstance(stage, Singleton):
            job.corpus.compact(stage.name)


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
    before = path.read_text("utf-8", "replace") if path.exists() else None
    if before != text:
        if before is not None and job.recipe.run.limit is not None and not _was_limited(before):
            first = chain_of(job).reading.name
            if job.corpus.parts(first):
                raise InputError(
                    f"{job.corpus.folder}: holds a run without a limit, of which --limit would delete parts; "
                    "give another --corpus for a trial"
                )
        job.corpus.write_text("recipe.toml", text)
    write_weights(job.corpus, {source.name: source.weight for source in job.recipe.sources})


def _was_limited(text: str) -> bool:
    """Whether the recipe that a corpus was made by has a limit; one that cannot be read has none."""
    try:
        return "limit" in tomllib.loads(text).get("run", {})
    except (tomllib.TOMLDecodeError, TypeError):
        return False


def _planned(job: Job) -> list[Slice] | None:
    """The plan, or None if something must be crawled before there can be one."""
    return None if state.unfinished_crawls(job) else make_plan(job)


def _tell_plan(job: Job, slices: Sequence[Slice], screen: Display) -> None:
    """What there is to read, and what can't be divided."""
    screen.message(f"plan: {len(slices)} slices from {len({(s.root, f) for s in slices for f in s.files})} files")
    large = [s for s in slices if not _can_be_cut(s) and _size(s) > job.recipe.run.slice_bytes]
    if large:
        names = ", ".join(s.files[0] for s in large[:3]) + (", ..." if len(large) > 3 else "")
        screen.message(f"  {len(large)} of them can only be read from their start, by one worker each: {names}")


def _can_be_cut(piece: Slice) -> bool:
    format = format_of(piece.kind)
    return len(piece.files) > 1 or (format is not None and format.can_be_cut(piece.files[0]))


def _size(piece: Slice) -> int:
    path = Path(piece.root) / piece.files[0]
    return path.stat().st_size if path.is_file() else 0


class _Run:
    """One run of the driver, and its resumptions."""

    def __init__(
        self,
        job: Job,
        slices: Sequence[Slice] | None,
        until: str | None,
        workers: int,
        beam: list[str],
        lock: int,
        screen: Display,
    ) -> None:
        self.job, self.slices, self.until, self.workers = job, slices, until, workers
        self.beam, self.lock, self.screen = beam, lock, screen
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
            if outcome.name not in (LOST, CorruptPartError.__name__):
                more = f" (details in {self.log})" if outcome.unexpected else ""
                raise named(outcome.name)(outcome.text + more)
            self.screen.message(outcome.text)
        if outcome.name != LOST:
            raise named(outcome.name)(outcome.text)
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
            return self._watch(driver)
        except InterruptedRunError:
            if any(option.startswith("--runner") for option in self.beam):
                self._cancel(driver)
            raise
        finally:
            _kill_group(driver)

    def _cancel(self, driver: "subprocess.Popen[bytes]") -> None:
        """Ask the driver to cancel the job on the cluster, and wait for it."""
        assert driver.stdin is not None
        self.screen.message("cancelling the job on the cluster ...")
        with suppress(OSError):
            driver.stdin.write(CANCEL)
            driver.stdin.flush()
        with suppress(subprocess.TimeoutExpired):
            driver.wait(CANCEL_S)

    def _watch(self, driver: "subprocess.Popen[bytes]") -> Event:
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
        crawling, next_look = "", 0.0
        while True:
            for event in events.new():
                if event.kind in ("done", "error"):
                    return event
                if event.kind == "planned":
                    watch = self._start_watching()
                crawling = event.text if event.kind == "crawling" else crawling
                self._say(event)
                lost = (time.monotonic(), event) if event.kind == "lost" else lost
            if watch is not None and time.monotonic() >= next_look:
                looked = time.monotonic()
                self.screen.update(watch)
                next_look = time.monotonic() + 10 * (time.monotonic() - looked)
            elif watch is None and crawling:
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
        slices = self.slices if self.slices is not None else read_plan(self.job.corpus)
        assert slices is not None, "the driver has planned"
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
            token=job.corpus.token or "",
            modules=[(module.name, module.source, module.digest) for module in job.modules],
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
def interruptible() -> Iterator[None]:
    """Signals that ask for an end raise InterruptedRunError while the block runs; a second one is ignored.

    Outside the main thread Python lets no signal be caught.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def interrupt(number: int, _: FrameType | None) -> None:
        for each in numbers:
            signal.signal(each, signal.SIG_IGN)
        name = signal.Signals(number).name
        raise InterruptedRunError(f"interrupted by {name}; the same command resumes the run")

    before = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
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
