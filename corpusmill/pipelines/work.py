"""How a plain function becomes a step of a Beam pipeline, and how our errors come back from workers.

An exception that crosses a worker's boundary arrives as text with a traceback around it, and differently on every
runner.  So an error of ours is written into the message between two marks, from which `reported` reads it back.
"""

import base64
import json
import os
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import AsList

from corpusmill import errors
from corpusmill.pipelines.job import Job
from corpusmill.pipelines.request import SUPERVISOR

_MARKED = re.compile(r"<<corpusmill:([A-Za-z0-9+/=]+)>>")


class Work(beam.DoFn):
    """(job, element, *side inputs) -> elements, in a worker that knows the user's modules."""

    def __init__(self, job: Job, function: Callable[..., Iterable[Any]]) -> None:
        self.job, self.function = job, function

    def setup(self) -> None:
        """Once a worker."""
        die_with_the_supervisor()
        self.job.load_modules()

    def process(self, element: Any, *side: Any) -> Iterator[Any]:
        """One element; an error of ours is marked, any other goes on as it is."""
        with marking_errors():
            yield from self.function(self.job, element, *side)


class Barrier(beam.PTransform):
    """All elements as one list, once the last one is there; fires on an empty input, too."""

    def expand(self, elements: beam.PCollection[Any]) -> beam.PCollection[list[Any]]:
        """One element: the list, in no particular order."""
        start = elements.pipeline | beam.Create([None])
        return start | beam.Map(lambda _, everything: everything, AsList(elements)).with_output_types(list[Any])


def work(job: Job, function: Callable[..., Iterable[Any]], *side: Any, output: Any) -> beam.ParDo:
    """A step that runs `function(job, element, *side)`; every step declares its output type, or Flink refuses it."""
    return beam.ParDo(Work(job, function), *side).with_output_types(output)


@contextmanager
def marking_errors() -> Iterator[None]:
    """An error of ours that leaves the block carries its mark."""
    try:
        yield
    except errors.CorpusmillError as error:
        raise type(error)(f"{marked(error)} {error}") from error


def marked(error: errors.CorpusmillError) -> str:
    """The error as a mark that survives escaping and wrapping."""
    text = json.dumps([type(error).__name__, str(error)])
    return f"<<corpusmill:{base64.b64encode(text.encode()).decode()}>>"


def reported(text: str) -> errors.CorpusmillError | None:
    """The error that a worker marked somewhere in `text`, or None."""
    found = _MARKED.search(text)
    if found is None:
        return None
    name, message = json.loads(base64.b64decode(found.group(1)))
    kind: type[errors.CorpusmillError] = getattr(errors, name)
    return kind(message)


def die_with_the_supervisor() -> None:
    """End this process when the local run's parent is gone, so that nothing outlives a killed run."""
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
