"""The driver: the process of a run that imports Beam.  `supervise` starts it in a process group of its own.

It reads one request (a line of JSON) from its standard input, and keeps the input open.  When the input closes, or the
supervisor asks for it, the driver cancels the job where the runner can, and kills its whole group.  It writes events
(lines of JSON) to its standard output.

The output of Beam, workers and libraries goes to its standard error, and the supervisor copies that into the run's log
file.  The workers cannot write to a file directly: Beam hangs when they cannot write their output, as on a full disk.
A pipe always accepts it.
"""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

from corpusmill.collect.crawl.state import CrawlFolder
from corpusmill.collect.slices import Slice
from corpusmill.corpus import Corpus
from corpusmill.errors import CorpusmillError, InputError, RunError
from corpusmill.extensions import UserModule
from corpusmill.kernels import ON_REQUEST, WARM_UPS, kernels_are_cached, note_cached
from corpusmill.pipelines import workers
from corpusmill.pipelines.request import CANCEL, LOST, Event, Request, names_a_runner
from corpusmill.stages.job import Job, recipe_of
from corpusmill.stages.planning import check_input, make_plan, read_plan, write_tables
from corpusmill.stages.state import unfinished_crawls
from corpusmill.terminal import counted

WORKER_DIED = "a worker process died"
RUNNING: list[Any] = []  # the pipelines that run, as Beam's runner returned them


def main() -> None:
    """Entry point of the driver process."""
    request = Request.from_json(sys.stdin.readline())
    events = os.fdopen(os.dup(1), "w", buffering=1)
    _die_with_the_supervisor(os.dup(0))
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    threading.excepthook = lambda crash: _thread_died(crash, events)
    logging.basicConfig(level=logging.WARNING)
    try:
        mill(request, events)
        _send(events, Event(kind="done"))
    except BaseException as error:  # noqa: BLE001  # the supervisor must receive every error
        traceback.print_exc()  # first, because the supervisor ends this process after it has received the error
        sys.stderr.flush()
        _send(events, _failure(error))
        sys.exit(1)


def mill(request: Request, events: TextIO) -> None:
    """Run the crawls, then the pipeline."""
    job = make_job(request)
    crawled = bool(unfinished_crawls(job))
    slices = None if crawled or request.roots is None else read_plan(job.corpus, request.roots)
    worker_command = None
    if slices is not None and kernels_are_cached():
        worker_command = _fork_server(request, slices)  # it loads while this process continues
    prepare(job, take=request.files is None)
    if slices is None:
        crawl_sources(job, request, events)
        slices = make_plan(job)
    check_input(job, slices)
    write_tables(job)
    _send(events, Event(kind="planned"))
    _warm_up(events)
    run_pipeline(job, slices, request, worker_command or _fork_server(request, slices))


def _fork_server(request: Request, slices: Sequence[Slice]) -> str | None:
    """The command that starts a worker of a local run; None if this process is the only worker."""
    if not workers.SUPPORTED or names_a_runner(request.beam) or min(request.workers, len(slices)) < 2:
        return None
    return workers.start_fork_server(Path(request.scratch))


def make_job(request: Request) -> Job:
    """The job of the supervisor's request."""
    modules = tuple(UserModule(name, source, digest) for name, source, digest in request.modules)
    corpus = Corpus(request.corpus, token=request.token)
    job = Job(recipe=recipe_of(request.recipe, modules), corpus=corpus, folder=Path(request.folder), modules=modules)
    return job if request.files is None else job.with_files(request.files)


def crawl_sources(job: Job, request: Request, events: TextIO) -> None:
    """Run the crawls that are not finished.  A crawl ends in WARC files, which are then input like any other.

    InputError or RunError if every source of the recipe is a crawl that gave no page.
    """
    failures: list[CorpusmillError] = []
    for source, folder in unfinished_crawls(job):
        from corpusmill.collect.crawl.seeds import nothing_fetched, without_page
        from corpusmill.pipelines.crawl import crawl

        _send(events, Event(kind="crawling", text=source.name))
        summary, crawled = crawl(source, str(folder), request.beam), CrawlFolder(folder)
        if summary.gave_pages:
            text = f"crawl of {source.name}: {counted(summary.pages, 'page')}, {counted(summary.urls, 'URL')}"
            missing, _ = without_page(crawled, source.crawl)
            _send(events, Event(kind="note", text=f"{text}; {missing}" if missing else text))
        else:
            failures.append(nothing_fetched(crawled, source.crawl))
    if failures and len(failures) == len(job.recipe.sources):
        kind = RunError if any(isinstance(failure, RunError) for failure in failures) else InputError
        raise kind("; ".join(map(str, failures)))
    for failure in failures:
        _send(events, Event(kind="note", text=str(failure)))


def run_pipeline(job: Job, slices: Sequence[Slice], request: Request, worker_command: str | None) -> None:
    """Build the graph and wait for it."""
    from corpusmill.pipelines.corpus import build
    from corpusmill.pipelines.runner import new_pipeline

    n = max(1, min(request.workers, len(slices)))
    pipeline = new_pipeline(request.beam, workers=n, worker_command=worker_command)
    build(pipeline, job, slices, request.until, spill=not names_a_runner(request.beam))
    result = pipeline.run()
    RUNNING.append(result)
    result.wait_until_finish()


def prepare(job: Job, *, take: bool = True) -> None:
    """Before any work, copy the files that filters use, and check all that a stage could fail on later.

    That is whether every rule can be evaluated, every file can be used, and every language is known.
    take: False if the corpus's copies are used, which were checked when they were made.
    """
    from corpusmill.filters.rules import check_filters
    from corpusmill.stages.signals import rule_columns, take_files

    check_filters(job.recipe.judging, rule_columns(job))
    if take:
        take_files(job)


def _warm_up(events: TextIO) -> None:
    """Compile all kernels before workers start, so that these load them from the cache.  Once per machine.

    Two processes compile side by side, because numba compiles one kernel at a time in each.
    """
    if kernels_are_cached():
        return
    _send(events, Event(kind="compiling"))
    started = time.monotonic()
    first, *others = WARM_UPS
    groups = ((*first, *ON_REQUEST), *others)
    codes = ["; ".join(f"from corpusmill.{package} import {f}; {f}()" for package, f in group) for group in groups]
    compilers = [subprocess.Popen([sys.executable, "-P", "-c", code]) for code in codes]
    statuses = [compiler.wait() for compiler in compilers]
    if any(statuses):
        raise RunError("compiling kernels failed: the reason is in the log of the run")
    note_cached()
    _send(events, Event(kind="compiled", text=f"{time.monotonic() - started:.0f} s"))


def _thread_died(crash: threading.ExceptHookArgs, events: TextIO) -> None:
    """Report a lost worker.  Beam waits for it forever, and its exit appears only as an exception in a thread."""
    traceback.print_exception(crash.exc_type, crash.exc_value, crash.exc_traceback)
    if "Worker subprocess exited" in str(crash.exc_value):
        _send(events, Event(kind="lost", text=WORKER_DIED))


def _send(events: TextIO, event: Event) -> None:
    events.write(event.to_json() + "\n")


def _failure(error: BaseException) -> Event:
    """The event for an error.  Our own errors are kept; of others the event has the type and the last line."""
    from corpusmill.pipelines.work import reported

    ours = error if isinstance(error, CorpusmillError) else None
    ours = reported("".join(traceback.format_exception(error))) or ours
    if ours is not None:
        return Event(kind="error", name=type(ours).__name__, text=str(ours))
    last = traceback.format_exception_only(error)[-1].strip().splitlines()[-1]
    if any(sign in last for sign in _OF_A_LOST_WORKER):
        return Event(kind="error", name=LOST, text=WORKER_DIED)
    if any(sign in last for sign in _OF_FULL_MEMORY):
        advice = "give fewer --workers, or a smaller run.slice_bytes"
        return Event(kind="error", name="RunError", text=f"memory ran out: {advice} ({last[:200]})", unexpected=True)
    return Event(kind="error", name="RunError", text=f"the run failed: {last[:500]}", unexpected=True)


_OF_FULL_MEMORY = ("MemoryError", "bad_alloc", "malloc of size", "Cannot allocate memory", "can't start new thread")
_OF_A_LOST_WORKER = ("Channel closed prematurely", "Worker subprocess exited")  # messages of Beam for a lost worker


def _die_with_the_supervisor(descriptor: int) -> None:
    """End the process group when the supervisor asks for it or is gone.  A job on a cluster is cancelled first."""

    def wait() -> None:
        said = b""
        while CANCEL not in said and (piece := os.read(descriptor, 4096)):
            said += piece
        for result in RUNNING:
            try:
                result.cancel()
            except Exception:  # noqa: BLE001  # the runner cannot cancel.  Whatever the job publishes later is refused
                traceback.print_exc()
        os.killpg(os.getpgrp(), signal.SIGKILL)

    threading.Thread(target=wait, daemon=True).start()


if __name__ == "__main__":
    main()
