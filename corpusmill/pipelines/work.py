"""How a plain function becomes a step of a Beam pipeline, how work is counted, and how our errors reach the driver.

An exception that leaves a worker becomes text with a traceback around it, in a form that depends on the runner.  So an
error of ours is written into the message between two marks, and `reported` reads it back.
"""

import base64
import json
import os
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import apache_beam as beam
from apache_beam.metrics import Metrics
from apache_beam.pvalue import AsList

from corpusmill.errors import CorpusmillError, named
from corpusmill.pipelines.request import SUPERVISOR
from corpusmill.receipts import Receipt
from corpusmill.stages.job import Job

_MARKED = re.compile(r"<<corpusmill:([A-Za-z0-9+/=]+)>>")


class Work(beam.DoFn):
    """(job, element, *more) -> elements, in a worker that has loaded the user's modules."""

    def __init__(self, job: Job, function: Callable[..., Iterable[Any]]) -> None:
        self.job, self.function = job, function

    def setup(self) -> None:
        """Prepare a worker; called once."""
        set_up(self.job)

    def process(self, element: Any, *more: Any) -> Iterator[Any]:
        """Process one element.  An error of ours is marked; other errors are not changed."""
        with marking_errors():
            yield from self.function(self.job, element, *more)


def set_up(job: Job) -> None:
    """Prepare a worker before its first element."""
    die_with_the_supervisor()


class Barrier(beam.PTransform):
    """All elements as one list, after the last one has arrived.  It also fires on an empty input."""

    def expand(self, elements: beam.PCollection[Any]) -> beam.PCollection[list[Any]]:
        """One element: the list, in any order."""
        start = elements.pipeline | beam.Create([None])
        return start | beam.Map(lambda _, everything: everything, AsList(elements)).with_output_types(list[Any])


def work(job: Job, function: Callable[..., Iterable[Any]], *more: Any, output: Any) -> beam.ParDo:
    """A step that runs `function(job, element, *more)`.  Flink requires the output type of every step."""
    return beam.ParDo(Work(job, function), *more).with_output_types(output)


def count(stage: str, receipts: Sequence[Receipt], since: float) -> None:
    """Count the parts, documents and bytes made since a time in Beam's metrics, which a cluster's console shows."""
    made = [receipt for receipt in receipts if receipt.finished_at >= round(since, 3)]
    for what, n in (
        ("parts", len(made)),
        ("documents", sum(receipt.rows_in for receipt in made)),
        ("bytes", sum(receipt.bytes_in for receipt in made)),
        ("parts found", len(receipts) - len(made)),
    ):
        Metrics.counter("corpusmill", f"{stage}: {what}").inc(n)


@contextmanager
def marking_errors() -> Iterator[None]:
    """Add a mark to an error of ours that leaves the block."""
    try:
        yield
    except CorpusmillError as error:
        raise type(error)(f"{marked(error)} {error}") from error


def marked(error: CorpusmillError) -> str:
    """The error as marked text, which survives escaping and wrapping."""
    text = json.dumps([type(error).__name__, str(error)])
    return f"<<corpusmill:{base64.b64encode(text.encode()).decode()}>>"


def reported(text: str) -> CorpusmillError | None:
    """The error that a worker marked somewhere in `text`, or None."""
    found = _MARKED.search(text)
    if found is None:
        return None
    name, message = json.loads(base64.b64decode(found.group(1)))
    return named(name)(message)


def die_with_the_supervisor() -> None:
    """End this process when the local run's parent is gone, so that no process outlives a killed run."""
    supervisor = int(os.environ.get(SUPERVISOR, "0"))
    if supervisor and not _watching.is_set():
        _watching.set()
        threading.Thread(target=_watch, args=(supervisor,), daemon=True).start()


_watching = threading.Event()


def _watch(supervisor: int) -> None:
    while True:
        try:
            os.kill(supervisor, 0)
        except ProcessLookupError:
            os._exit(1)
        time.sleep(0.5)
