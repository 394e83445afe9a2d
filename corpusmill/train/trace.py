"""What each step is trained on: the rows of a job, and from a step back to its documents.  Imports no torch."""

from dataclasses import dataclass
from pathlib import Path

from corpusmill.errors import InputError
from corpusmill.train.data import Position, TokenRows
from corpusmill.train.job import Job
from corpusmill.train.settings import TrainSettings


@dataclass(frozen=True, slots=True)
class StepDocument:
    """A run of tokens of one document in one row of a step."""

    row: int  # in the step's batch
    first: int  # token of the row, from 0; the document's boundary token, where the row has it, is counted
    n_tokens: int
    doc_id: str
    source: str


def training_rows(job: Job) -> TokenRows:
    """The rows of the train split; InputError if they don't fill one step."""
    settings = job.settings
    rows = job.rows("train")
    n = rows.n_rows(at_most=settings.rows_per_step)
    if n < settings.rows_per_step:
        raise InputError(
            f"{job.corpus}: its training tokens fill only {n} rows of {settings.row_length} tokens, and one step takes "
            f"{settings.rows_per_step}; lower train.rows_per_step or train.row_length, or add documents"
        )
    return rows


def documents_of_step(corpus: str | Path, settings: TrainSettings, step: int) -> list[StepDocument]:
    """What a step (from 1) was trained on, row by row.  Does not need the model, and reads tokens' small columns only.

    `settings` are those of the training; only seed, row_length and rows_per_step matter.
    """
    if step < 1:
        raise InputError(f"there is no step {step}; steps count from 1")
    rows = training_rows(Job.of(Path(corpus), settings, Path()))
    start = rows.advance(Position(), (step - 1) * settings.rows_per_step)
    found, row = [], 0
    for window, run in rows.runs(start, settings.rows_per_step):
        pieces = [(row + i, piece) for i, index in enumerate(run) for piece in window.pieces(index)]
        names = window.doc_ids([piece.document for _, piece in pieces])
        found += [
            StepDocument(at, piece.first, piece.n_tokens, name, str(window.source[piece.document]))
            for (at, piece), name in zip(pieces, names, strict=True)
        ]
        row += len(run)
    return found
