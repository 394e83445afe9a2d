"""The command `run`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from corpusmill.cli.answers import json, say
from corpusmill.cli.app import AsJson, app
from corpusmill.corpus import Corpus
from corpusmill.errors import RunError
from corpusmill.reasons import Reason
from corpusmill.terminal import counted, size

if TYPE_CHECKING:
    from corpusmill.reports.unreadable import Unreadable
    from corpusmill.stages.state import Books


MOST_REASONS = 5  # kinds of unusable input in the summary of a run


@app.command(short_help="Turn the sources of a recipe into a corpus.")
def run(
    recipe: Annotated[Path, typer.Argument(metavar="RECIPE", help="The recipe, a TOML file.")],
    corpus: Annotated[str, typer.Option(metavar="CORPUS", help="The corpus directory, or s3://BUCKET/FOLDER.")],
    workers: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Worker processes; by default one per core.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, metavar="RECORDS", help="Read at most this number of records.")
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="STAGE", help="The last stage to run.")] = None,
    prune: Annotated[
        bool, typer.Option("--prune", help="Delete the parts of sources that the recipe no longer names.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be computed and why, and compute nothing.")
    ] = False,
    as_json: AsJson = False,
    beam: Annotated[list[str] | None, typer.Argument(metavar="-- BEAM OPTIONS", help="Options for Beam.")] = None,
) -> None:
    """Turn the sources of a recipe into a corpus.

    A run that was interrupted goes on where it stopped.  A changed setting recomputes only what depends on it.
    """
    from corpusmill.interrupts import interruptible
    from corpusmill.pipelines import supervise

    if dry_run:
        from corpusmill.pipelines.outlook import outlook

        seen = outlook(supervise.make_job(recipe, Corpus(corpus), limit=limit), until)
        print(json(seen)) if as_json else say(str(seen))
        return

    with interruptible(supervise.ADVICE):
        outcome = supervise.run(recipe, corpus, workers=workers, limit=limit, until=until, prune=prune, beam=beam or [])
        if outcome.worked or not (Corpus(corpus).workspace / "catalog.duckdb").exists():
            from corpusmill.reports.catalog import build

            build(corpus)
        from corpusmill.reports.unreadable import unreadable, useless_sources

        found = unreadable(corpus) if outcome.books.unusable else []
    if as_json:
        print(json(outcome.books.figures() | {"worked": outcome.worked, "reasons": found}))
    else:
        say(_summary(corpus, outcome.books, found, until))
    if useless := useless_sources(found):
        names = ", ".join(f"'{name}'" for name in useless)
        raise RunError(f"no record of source {names} could be used; the lines above say why")


def _summary(corpus: str, books: "Books", found: "list[Unreadable]", until: str | None) -> str:
    """The result of a run in a few lines."""
    lines = [f"{counted(books.pages, 'page')} in ({size(books.input_bytes)})"]
    if books.unusable:
        lines += [f"{books.unusable:,} could not be used"]
        lines += [f"  {each}" for each in found[:MOST_REASONS]]
    if len(found) > MOST_REASONS:
        lines += [f"  further reasons: {len(found) - MOST_REASONS}, in the table unusable"]
    if books.removed:
        lines += [f"{books.removed:,} taken down with 'corpusmill remove'"]
    if n := books.dropped[Reason.RULE]:
        lines += [f"{n:,} dropped by rules"]
    if n := books.dropped[Reason.CAP]:
        lines += [f"{n:,} over max_pages_per_host"]
    if n := books.dropped[Reason.DUPLICATE]:
        lines += [counted(n, "duplicate")]
    if books.has_docs:
        lines += [f"{counted(books.docs, 'document')} kept ({size(books.text_bytes)} of text)"]
    else:
        lines += [f"ended after stage {until}; which documents are kept, a run to the end decides"]
    if books.tokens:
        lines += [counted(books.tokens, "token")]
    return "\n".join([*(f"  {line}" for line in lines), f"corpus: {corpus}"])
