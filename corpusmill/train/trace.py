"""The training rows of a job, and the documents of a step.  Imports no torch."""

from collections.abc import Iterator
from pathlib import Path

from corpusmill.errors import InputError
from corpusmill.loader import Position, RowDocument, Rows
from corpusmill.train.job import Job
from corpusmill.train.settings import TrainSettings


def training_rows(job: Job) -> Rows:
    """The rows of the train split; InputError if they are fewer than one step needs."""
    settings = job.settings
    rows = job.rows("train")
    n = rows.n_rows(at_most=settings.rows_per_step)
    if n < settings.rows_per_step:
        raise InputError(
            f"{job.corpus}: its training tokens fill only {n} rows of {settings.row_length} tokens, and one step takes "
            f"{settings.rows_per_step}; lower train.rows_per_step or train.row_length, or add documents"
        )
    wanted = settings.steps * settings.rows_per_step
    if job.manifest.is_limited and wanted > rows.rows_of_epoch(0):
        raise InputError(
            f"{job.corpus}: the training takes {wanted:,} rows, and the epochs and max_tokens of its mix allow "
            f"{rows.rows_of_epoch(0):,}; lower train.steps, or raise what 'corpusmill mix' shows as capped"
        )
    return rows


def documents_of_step(corpus: str | Path, settings: TrainSettings, step: int) -> list[RowDocument]:
    """The documents of a step (from 1), row by row.  It needs no model.

    `settings` are those of the training; only seed, row_length and rows_per_step matter.
    """
    ((_, found),) = documents_of_steps(Job.of(Path(corpus), settings, Path()), step, step)
    return found


def documents_of_steps(job: Job, first: int, last: int) -> Iterator[tuple[int, list[RowDocument]]]:
    """The documents of the steps from `first` to `last` (both included, from 1), one step after another."""
    if first < 1:
        raise InputError(f"there is no step {first}; steps count from 1")
    n = job.settings.rows_per_step
    rows = training_rows(job)
    position = rows.advance(Position(), (first - 1) * n)
    for step in range(first, last + 1):
        yield step, rows.documents(position, n)
        position = rows.advance(position, n)
