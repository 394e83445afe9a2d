"""The plan of a run, and other files that a run writes before it starts, to describe the corpus.

- `plan.json`: the slices; made once per run.
- `tables.json`: the stages and the meaning of a row of each, for readers that do not have the recipe's modules.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from corpusmill.belonging import TABLES
from corpusmill.collect.plan import plan
from corpusmill.collect.slices import Slice
from corpusmill.corpus import Corpus
from corpusmill.credentials import masked
from corpusmill.errors import InputError
from corpusmill.stages.chain import chain_of
from corpusmill.stages.job import Job
from corpusmill.stages.stage import Snapshot

PLAN = "plan.json"


def make_plan(job: Job, *, keep: bool = True) -> list[Slice]:
    """The slices of all sources.  If `keep`, they are written to plan.json, unless it has them already."""
    slices = plan(job.recipe.sources, job.recipe.run, folder=job.folder, corpus=job.corpus.workspace)
    if keep:
        write_plan(job.corpus, slices)
    return slices


def write_plan(corpus: Corpus, slices: Sequence[Slice]) -> None:
    """Write the slices to plan.json, unless it has them already."""
    data = {"slices": [piece.to_json() for piece in slices]}
    if corpus.read_json(PLAN) != data:
        corpus.write_json(PLAN, data)


def hidden_roots(slices: Sequence[Slice]) -> dict[str, str]:
    """By slice, the roots that plan.json holds only masked; for `read_plan`."""
    return {piece.name: piece.root for piece in slices if masked(piece.root) != piece.root}


def read_plan(corpus: Corpus, roots: Mapping[str, str] | None = None) -> list[Slice] | None:
    """The slices of the last plan; None if no plan can be read.

    roots: the roots with credentials, by slice.  Without them, such slices only describe the input, and cannot be read.
    """
    data = corpus.read_json(PLAN)
    try:
        slices = None if data is None else [Slice.from_json(piece) for piece in data["slices"]]
    except (KeyError, TypeError):
        return None
    return slices and [replace(piece, root=(roots or {}).get(piece.name, piece.root)) for piece in slices]


def check_nothing_shrinks(job: Job, before: Sequence[Slice] | None) -> None:
    """InputError if the corpus has a source that the recipe no longer names, because its parts would be deleted."""
    named = {source.name for source in job.recipe.sources}
    gone = sorted({piece.source for piece in before or ()} - named)
    if not gone:
        return
    n = sum(piece.source in gone for piece in before or ())
    raise InputError(
        f"{job.corpus.place}: holds parts of {'sources' if len(gone) > 1 else 'source'} "
        f"{', '.join(repr(name) for name in gone)} ({n} slices), which the recipe does not name and which would be "
        "deleted; say --prune if that is meant, or give another --corpus"
    )


def check_input(job: Job, slices: Sequence[Slice]) -> None:
    """InputError if the recipe does not fit any file of a source, of those that have something to read."""
    from corpusmill.collect.fit import check_files

    reading, snapshot = chain_of(job).reading, Snapshot(job.corpus)
    to_read = {piece.source for piece in slices if reading.parts(job, snapshot, piece) is None}
    check_files((piece for piece in slices if piece.source in to_read), job.source)


def write_tables(job: Job) -> None:
    """Write the stages in order, with what each reads and the meaning of a row."""
    stages: list[dict[str, Any]] = []
    for stage in chain_of(job):
        table = stage.table() if stage.table is not None else None
        stages.append(
            {
                "stage": stage.name,
                "kind": type(stage).__name__,
                "reads": {name: list(columns) for name, columns in stage.reads.items()},
                "singletons": list(stage.singletons),
                "table": table
                and {
                    "name": table.name,
                    "description": table.description,
                    "columns": [[column.name, str(column.type), column.description] for column in table.columns],
                },
            }
        )
    data = {"stages": stages}
    if job.corpus.read_json(TABLES) != data:
        job.corpus.write_json(TABLES, data)
