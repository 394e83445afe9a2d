"""The command `dedup curve`."""

from typing import Annotated

import typer

from corpusmill.cli.answers import answer_with
from corpusmill.cli.app import AsJson, dedup_app


@dedup_app.command("curve", short_help="Show how likely bands and rows find a pair.")
def curve(
    corpus: Annotated[
        str | None, typer.Argument(metavar="[CORPUS]", help="A corpus: its settings, and what it probably missed.")
    ] = None,
    threshold: Annotated[
        float | None, typer.Option(min=0.01, max=1, metavar="J", help="The least similarity of duplicates.")
    ] = None,
    bands: Annotated[int | None, typer.Option(min=1, max=64, metavar="N", help="Number of bands.")] = None,
    rows: Annotated[int | None, typer.Option(min=1, max=64, metavar="N", help="MinHash values per band.")] = None,
    values: Annotated[
        int | None, typer.Option(min=1, max=4096, metavar="N", help="Most MinHash values; by default bands x rows.")
    ] = None,
    misses: Annotated[
        float,
        typer.Option(min=0, max=1, metavar="SHARE", help="Share of pairs above the threshold that may be missed."),
    ] = 0.05,
    as_json: AsJson = False,
) -> None:
    """Show how likely MinHash finds a pair of documents, and which bands and rows suit a threshold.

    With a corpus, also how many pairs it probably did not find, from the similarities of those that it found.
    """
    from corpusmill.reports import curve as question

    answer_with(question.curve(corpus, threshold, bands, rows, values, misses), question.render, as_json)
