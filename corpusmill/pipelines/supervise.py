"""The parent process of a run, without Beam: it plans, starts the driver, watches it, and shows the progress.

Beam's local runner hangs when a worker dies (killed, out of memory) or cannot start.  The driver notices this in a
thread, and reports a lost worker.  Then its whole process group is killed.  It is started again at most twice, and
resumes from the receipts.  The same happens after a damaged part was found and withdrawn.  A signal ends the run with
exit code 130: a job on a cluster is cancelled, and the group is killed.

No process outlives the parent.  The driver has a pipe to the parent, and kills its own group when the pipe closes.
Each worker checks every half second whether the parent's process exists.
"""

import os
import shutil
import tempfile
import time
import tomllib
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpusmill import recipe as recipes
from corpusmill.belonging import described
from corpusmill.collect.crawl.state import progress
from corpusmill.collect.formats import format_of
from corpusmill.collect.slices import Slice
from corpusmill.corpus import RECEIPTS, Corpus, Place
from corpusmill.errors import CorruptPartError, InputError, InterruptedRunError, RunError, named
from corpusmill.extensions import UserModule
from corpusmill.interrupts import interruptible
from corpusmill.memory import without_collections
from corpusmill.mix import write_mix
from corpusmill.pipelines.attempt import Driver
from corpusmill.pipelines.progress import Display, Watch, display
from corpusmill.pipelines.request import LOST, Event, Request, names_a_runner
from corpusmill.stages import state
from corpusmill.stages.chain import chain_of
from corpusmill.stages.job import Job
from corpusmill.stages.planning import check_nothing_shrinks, hidden_roots, make_plan, read_plan
from corpusmill.stages.stage import Singleton, Snapshot
from corpusmill.store import full_disk_is_a_run_error
from corpusmill.terminal import counted

RESUMES = 2
ADVICE = "; the same command resumes the run"


RecipeLike = str | os.PathLike[str] | Mapping[str, Any] | recipes.Recipe


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """The result of a run: the row counts of the whole corpus, and whether there was anything to do."""

    books: state.Books
    worked: bool


def run(
    recipe: RecipeLike,
    place: Place,
    *,
    workers: int | None = None,
    limit: int | None = None,
    until: str | None = None,
    prune: bool = False,
    beam: Sequence[str] = (),
    show: Callable[[], Display] = display,
    folder: Path = Path(),
) -> Outcome:
    """Run the recipe's stages on its sources, and write the corpus.  An interrupted run is resumed.

    recipe: a TOML file, or the same as a mapping or a `Recipe`.  Their paths are relative to `folder`.
    workers: number of processes on this machine; by default one per core.  It never changes what is written.
    limit: read at most this many records, spread over all the input.
    until: name of the last stage to run.
    prune: delete the parts of sources that the recipe no longer names.
    beam: options for Beam; if they name a runner, the run goes there.
    Raises InputError (the recipe or its input is wrong), RunError (the run failed; run it again to resume) or
    InterruptedRunError.
    """
    with interruptible(ADVICE):
        token = uuid.uuid4().hex
        job = make_job(recipe, Corpus(place, token=token), limit=limit, folder=folder)
        chain_of(job).until(until)
        with (
            full_disk_is_a_run_error(job.corpus.workspace),
            _unless_refused(job.corpus) as lock,
            show() as screen,
        ):
            before = read_plan(job.corpus)
            if not prune:
                check_nothing_shrinks(job, before)
            _resolve(job)
            with job.corpus.taken():
                return _run(job, until, workers or os.cpu_count() or 1, list(beam), lock, screen)


@contextmanager
def _unless_refused(corpus: Corpus) -> Iterator[int | None]:
    """Hold the corpus.  If the recipe is refused before any work, what the run wrote into an empty place goes again."""
    folder = corpus.workspace
    was_there = folder.exists()
    is_new = not corpus.is_remote and not (was_there and any(folder.iterdir()))
    with corpus.lock() as lock:
        try:
            yield lock
        except InputError:
            if is_new and not any(folder.glob("raw/*")) and not any(folder.glob(f"*/{RECEIPTS}/*")):
                for path in folder.iterdir():
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
                if not was_there:
                    folder.rmdir()
            raise


def _run(job: Job, until: str | None, workers: int, beam: list[str], lock: int | None, screen: Display) -> Outcome:
    with without_collections():
        slices, snapshot = _planned(job), Snapshot(job.corpus)
        if slices is not None and described(job.corpus) and state.unfinished(job, slices, until, snapshot) is None:
            screen.message("nothing to do: all parts are up to date")
            if left := state.has_more(job, snapshot, slices):
                _settle(job, slices)
            return Outcome(books=state.books_of(job, slices, until, snapshot), worked=left)
    if slices is not None:
        _tell_plan(job, slices, screen)
        state.tidy(job, slices)
    _Run(job, slices, until, workers, beam, lock, screen).to_the_end()
    slices = slices if slices is not None else read_plan(job.corpus)
    assert slices is not None, "the driver has planned"
    return Outcome(books=_finished(job, slices, until), worked=True)


def rebuild(
    job: Job,
    slices: Sequence[Slice],
    until: str,
    workers: int,
    lock: int | None,
    screen: Display,
    files: dict[str, str],
) -> state.Books:
    """Make what is not up to date, from a plan that stays as it is and with the corpus's copies of files.

    For a corpus that the caller holds, and whose slices were read.
    """
    if state.unfinished(job, slices, until) is not None:
        _Run(job, slices, until, workers, [], lock, screen, files).to_the_end()
    return _finished(job, slices, until)


def _finished(job: Job, slices: Sequence[Slice], until: str | None) -> state.Books:
    """The books of a run that has ended."""
    books = state.balance(job, slices, until)
    _settle(job, slices)
    return books


def _settle(job: Job, slices: Sequence[Slice]) -> None:
    """Clean up the corpus for readers: delete parts that nothing needs, and put each stage's receipts into one file."""
    parts = state.parts_of(job, Snapshot(job.corpus), slices)
    state.tidy(job, slices, parts)
    for stage in chain_of(job):
        if not isinstance(stage, Singleton):
            job.corpus.compact(stage.name)


def make_job(given: RecipeLike, corpus: Corpus, *, limit: int | None = None, folder: Path = Path()) -> Job:
    """The job of a checked recipe: of a file, or of an object whose paths are relative to `folder`."""
    where = "recipe"
    if isinstance(given, recipes.Recipe):
        loaded = recipes.with_files(recipes.with_profiles(given, folder), folder)
        recipes.load_modules(loaded.modules, folder)
    elif isinstance(given, Mapping):
        loaded = recipes.parse(dict(given), folder=folder)
    else:
        folder, where = Path(given).parent, str(given)
        loaded = recipes.load(Path(given))
    recipes.check_extractor(loaded, where)
    if limit is not None:
        loaded = loaded.model_copy(update={"run": loaded.run.model_copy(update={"limit": limit})})
    modules = tuple(UserModule.find(name, folder) for name in loaded.modules)
    return Job(recipe=loaded, corpus=corpus, folder=folder.absolute(), modules=modules)


def _resolve(job: Job) -> None:
    """Write the resolved recipe into the corpus.  InputError if a run with a limit would replace a whole corpus."""
    before, text = job.corpus.read_text("recipe.toml"), recipes.dump(job.recipe)
    if before != text:
        if before is not None and job.recipe.run.limit is not None and not _was_limited(before):
            first = chain_of(job).reading.name
            if job.corpus.parts(first):
                raise InputError(
                    f"{job.corpus.place}: holds a run without a limit, of which --limit would delete parts; "
                    "give another --corpus for a trial"
                )
        job.corpus.write_text("recipe.toml", text)
    write_mix(job.corpus, {source.name: source.weight for source in job.recipe.sources}, job.recipe.mix)


def _was_limited(text: str) -> bool:
    """Whether the recipe of a corpus has a limit; False if the recipe cannot be read."""
    try:
        return "limit" in tomllib.loads(text).get("run", {})
    except (tomllib.TOMLDecodeError, TypeError):
        return False


def _planned(job: Job) -> list[Slice] | None:
    """The plan, or None if a crawl must come first."""
    return None if state.unfinished_crawls(job) else make_plan(job)


def _tell_plan(job: Job, slices: Sequence[Slice], screen: Display) -> None:
    """Show how much there is to read, and which files cannot be cut."""
    n_files = len({(s.root, f) for s in slices for f in s.files})
    screen.message(f"plan: {counted(len(slices), 'slice')} from {counted(n_files, 'file')}")
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
    """The driver's attempts at a run."""

    def __init__(
        self,
        job: Job,
        slices: Sequence[Slice] | None,
        until: str | None,
        workers: int,
        beam: list[str],
        lock: int | None,
        screen: Display,
        files: dict[str, str] | None = None,
    ) -> None:
        self.files = files
        self.job, self.slices, self.until, self.workers = job, slices, until, workers
        self.beam, self.lock, self.screen = beam, lock, screen
        stamp = time.strftime("%Y%m%dT%H%M%S")
        self.log = job.corpus.workspace / "logs" / f"run-{stamp}-{os.getpid()}.log"
        self.watch: Watch | None = None
        self.crawling, self.next_look = "", 0.0

    def to_the_end(self) -> None:
        """Run the driver until the job is done; RunError or InputError if it fails, InterruptedRunError on a signal."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        for attempt in range(RESUMES + 1):
            if attempt:
                self.screen.message(f"resuming (attempt {attempt + 1} of {RESUMES + 1})")
            outcome = self._once()
            if outcome.kind == "done":
                self.next_look = 0.0
                self._look()
                return
            if outcome.name not in (LOST, CorruptPartError.__name__):
                more = f" (details in {self.log})" if outcome.unexpected else ""
                raise named(outcome.name)(outcome.text + more)
            self.screen.message(outcome.text)
        if outcome.name != LOST:
            raise named(outcome.name)(outcome.text)
        raise RunError(
            f"this happened {RESUMES + 1} times: {outcome.text}; "
            f"check that the machine has enough memory (details in {self.log})"
        )

    def _once(self) -> Event:
        """Start the driver and watch it until it ends."""
        with (
            tempfile.TemporaryDirectory(prefix="corpusmill-") as scratch,
            Driver(self._request(scratch), self.lock, self.log, self.job.recipe.pii) as driver,
        ):
            try:
                return driver.watch(self._say, self._look)
            except InterruptedRunError:
                if names_a_runner(self.beam):
                    self.screen.message("cancelling the job on the cluster ...")
                    driver.cancel()
                raise

    def _look(self) -> None:
        """Show the present state of the run; looks take at most a tenth of the time."""
        if self.watch is not None and time.monotonic() >= self.next_look:
            looked = time.monotonic()
            self.screen.update(self.watch)
            self._rest_from(looked)
        elif self.watch is None and self.crawling:
            self.screen.status(f"crawl of {self.crawling}: {progress(self.job.corpus.folder / 'raw' / self.crawling)}")

    def _rest_from(self, looked: float) -> None:
        """Allow the next look after ten times the duration of the one that began at `looked`."""
        self.next_look = time.monotonic() + 10 * (time.monotonic() - looked)

    def _say(self, event: Event) -> None:
        match event.kind:
            case "planned":
                slices = self.slices if self.slices is not None else read_plan(self.job.corpus)
                assert slices is not None, "the driver has planned"
                looked = time.monotonic()
                self.watch = Watch(self.job, slices, self.until, self.workers)
                if there := self.watch.there_already():
                    self.screen.message(there)
                self._rest_from(looked)
                self.screen.message("starting ...")
            case "crawling":
                self.crawling = event.text
                self.screen.message(f"crawling '{event.text}'")
            case "note":
                self.screen.message(event.text)
            case "compiling":
                self.screen.message("compiling kernels, once on this machine ...")
            case "compiled":
                self.screen.message(f"kernels compiled in {event.text}")

    def _request(self, scratch: str) -> Request:
        job = self.job
        return Request(
            recipe=job.recipe.model_dump_json(),
            folder=str(job.folder),
            corpus=job.corpus.place,
            scratch=scratch,
            token=job.corpus.token or "",
            modules=[(module.name, module.source, module.digest) for module in job.modules],
            workers=self.workers,
            until=self.until,
            beam=self.beam,
            roots=None if self.slices is None else hidden_roots(self.slices),
            files=self.files,
        )
