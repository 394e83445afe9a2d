"""Where a run stands, from receipts alone: what is left to do, whether the books balance, what it all came to.

Imports neither Beam nor anything that reads data, so that a run with nothing to do answers at once.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from corpusmill.collect.plan import Slice
from corpusmill.errors import BalanceError, RunError
from corpusmill.pipelines import grouping, vocabulary
from corpusmill.pipelines.job import Job
from corpusmill.pipelines.stages import STAGES, is_current
from corpusmill.reasons import Stage


def chain(until: Stage = Stage.TOKENS) -> list[Stage]:
    """The stages in order, up to `until`."""
    stages = list(Stage)
    return stages[: stages.index(until) + 1]


def unfinished(job: Job, slices: Sequence[Slice], until: Stage = Stage.TOKENS) -> Stage | None:
    """The first stage with something to do, or None."""
    return next((stage for stage in chain(until) if not stage_is_current(job, slices, stage)), None)


def stage_is_current(job: Job, slices: Sequence[Slice], stage: Stage) -> bool:
    """Whether a stage is done for all slices, given that those before it are."""
    if stage is Stage.TWINS:
        return grouping.is_current(job, [piece.part for piece in slices])
    if stage is Stage.TOKENIZER:
        return vocabulary.is_current(job, [piece.part for piece in slices])
    return all(is_current(job, piece, stage) for piece in slices)


@dataclass(slots=True)
class Books:
    """What came in and what became of it, over all parts.  `dropped` is by stage: pages, verdicts, twins."""

    pages: int = 0
    docs: int = 0
    tokens: int = 0
    input_bytes: int = 0
    text_bytes: int = 0
    dropped: Counter[str] = field(default_factory=Counter)


def balance(job: Job, slices: Sequence[Slice], until: Stage = Stage.TOKENS) -> Books:
    """The run's books.  RunError if a part is missing or stale, BalanceError if rows were lost between stages."""
    left = unfinished(job, slices, until)
    if left is not None:
        raise RunError(
            f"{job.corpus.folder}: the runner ended before stage {left} was done; run the same command again"
        )
    books, stages = Books(), [stage for stage in chain(until) if stage in STAGES]
    for piece in slices:
        receipts = {stage: job.corpus.receipt(stage, piece.part) for stage in stages}
        pages = receipts[Stage.PAGES]
        assert pages is not None  # it is current
        books.pages += pages.rows_out
        books.input_bytes += pages.bytes_in
        for stage, receipt in receipts.items():
            assert receipt is not None
            came = receipts[Stage.DOCS] if stage is Stage.TOKENS else pages
            expected = came.rows_out if came else 0
            if receipt.rows_in != expected:
                raise BalanceError(
                    f"{stage} of part {piece.part} read {receipt.rows_in} rows where {expected} were published; "
                    "please report this"
                )
        docs, tokens = receipts.get(Stage.DOCS), receipts.get(Stage.TOKENS)
        if docs is not None:
            books.docs += docs.rows_out
            books.text_bytes += docs.counts["text_bytes"]
            books.dropped.update(docs.dropped)
        if tokens is not None:
            books.tokens += tokens.counts["tokens"]
    return books
