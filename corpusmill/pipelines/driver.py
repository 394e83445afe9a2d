"""The driver: the process of a run that imports Beam.  Started by `supervise`, in a process group of its own.

It reads one request (a line of JSON) from its standard input and keeps that open: when it closes, or the supervisor
says so, the driver cancels the job where the runner can, and kills its whole group.  It writes events (lines of JSON)
to its standard output.  Everything that Beam, workers or libraries print goes to its standard error, which the
supervisor reads into the run's log file: a pipe can always be written to, a file on a full disk cannot, and Beam hangs
when its workers can't print.
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

from corpusmill.collect.slices import Slice
from corpusmill.corpus import Corpus
from corpusmill.errors import CorpusmillError, RunError
from corpusmill.extensions import UserModule
from corpusmill.kernels import WARM_UPS, kernels_are_cached, note_cached
from corpusmill.pipelines import workers
from corpusmill.pipelines.request import CANCEL, LOST, Event, Request, names_a_runner
from corpusmill.stages.job import Job, recipe_of
from corpusmill.stages.planning import make_plan, read_plan, write_tables
from corpusmill.stages.state import unfinished_crawls

WORKER_DIED = "a worker process died"
RUNNING: list[Any] = []  # the pipeline that runs, as Beam's runner returned it


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
    except BaseException as error:  # noqa: BLE001  # whatever it is, the supervisor must hear of it
        traceback.print_exc()  # first: the supervisor ends this process when it has heard of the error
        sys.stderr.flush()
        _send(events, _failure(error))
        sys.exit(1)


def mill(request: Request, events: TextIO) -> None:
    """Crawl what is to be crawled, then run the one pipeline."""
    job = make_job(request)
    crawled = bool(unfinished_crawls(job))
    slices = None if crawled or request.roots is None else read_plan(job.corpus, request.roots)
    worker_command = None
    if slices is not None and kernels_are_cached():
        worker_command = _fork_server(request, slices)  # it loads while this process does
    _check_rules(job)
    if slices is None:
        crawl_sources(job, request, events)
        slices = make_plan(job)
    write_tables(job)
    _send(events, Event(kind="planned"))
    _warm_up(events)
    run_pipeline(job, slices, request, worker_command or _fork_server(request, slices))


def _fork_server(request: Request, slices: Sequence[Slice]) -> str | None:
    """The command that starts a worker of a local run; None if it has no workers but this process."""
    if not workers.SUPPORTED or names_a_runner(request.beam) or min(request.workers, len(slices)) < 2:
        return None
    return workers.start_fork_server(Path(request.scratch))


def make_job(request: Request) -> Job:
    """The job that the supervisor asks for."""
    modules = tuple(UserModule(name, source, digest) for name, source, digest in request.modules)
    corpus = Corpus(request.corpus, token=request.token)
    return Job(recipe=recipe_of(request.recipe, modules), corpus=corpus, folder=Path(request.folder), modules=modules)


def crawl_sources(job: Job, request: Request, events: TextIO) -> None:
    """Run the crawls that are not finished; a crawl ends in WARC files, which are then a source like any other."""
    for source, folder in unfinished_crawls(job):
        from corpusmill.pipelines.crawl import crawl

        _send(events, Event(kind="crawling", text=source.name))
        crawl(source, str(folder), request.beam)


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


def _check_rules(job: Job) -> None:
    """Find out before any work whether every rule can be evaluated."""
    from corpusmill.filters.rules import active_rules, check_rules
    from corpusmill.stages.signals import rule_columns

    check_rules(active_rules(job.recipe.filters), rule_columns(job))


def _warm_up(events: TextIO) -> None:
    """Compile all kernels before workers start, unless that was done on this machine: they load them from the cache.

    In two processes side by side: numba compiles one kernel at a time in each.
    """
    if kernels_are_cached():
        return
    _send(events, Event(kind="compiling"))
    started = time.monotonic()
    codes = ["; ".join(f"from corpusmill.{package} import {f}; {f}()" for package, f in group) for group in WARM_UPS]
    compilers = [subprocess.Popen([sys.executable, "-P", "-c", code]) for code in codes]
    statuses = [compiler.wait() for compiler in compilers]
    if any(statuses):
        raise RunError("compiling kernels failed: the run's log says why")
    note_cached()
    _send(events, Event(kind="compiled", text=f"{time.monotonic() - started:.0f} s"))


def _thread_died(crash: threading.ExceptHookArgs, events: TextIO) -> None:
    """Beam waits for ever for a worker process that ended; its exit shows only as an exception in a thread."""
    traceback.print_exception(crash.exc_type, crash.exc_value, crash.exc_traceback)
    if "Worker subprocess exited" in str(crash.exc_value):
        _send(events, Event(kind="lost", text=WORKER_DIED))


def _send(events: TextIO, event: Event) -> None:
    events.write(event.to_json() + "\n")


def _failure(error: BaseException) -> Event:
    """What the user is told: our own errors as they are, anything else by its type and last line."""
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
_OF_A_LOST_WORKER = ("Channel closed prematurely", "Worker subprocess exited")  # what Beam raises for one


def _die_with_the_supervisor(descriptor: int) -> None:
    """End the whole process group when the supervisor says so, or is gone; first cancel a job on somebody's cluster."""

    def wait() -> None:
        said = b""
        while CANCEL not in said and (piece := os.read(descriptor, 4096)):
            said += piece
        for result in RUNNING:
            try:
                result.cancel()
            except Exception:  # noqa: BLE001  # a runner that cannot cancel: what it publishes later is refused
                traceback.print_exc()
        os.killpg(os.getpgrp(), signal.SIGKILL)

    threading.Thread(target=wait, daemon=True).start()


if __name__ == "__main__":
    main()
