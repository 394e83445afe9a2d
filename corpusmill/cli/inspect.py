"""Commands that ask a corpus or a page: sql, why, whatif, rules, extract, report, verify."""

import sys
import time
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from corpusmill.cli.answers import answer_with, json, renewed_line, say
from corpusmill.cli.app import AsJson, CorpusPlace, app
from corpusmill.errors import InputError, RunError
from corpusmill.terminal import counted, printable, size


class Shape(StrEnum):
    """The output of `extract`: everything, for people or for programs, or the result only."""

    SHOW = "show"
    TEXT = "text"
    MARKDOWN = "markdown"
    JSON = "json"


class Format(StrEnum):
    """Output formats of `sql`."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


@app.command(short_help="Ask a corpus in SQL.")
def sql(
    corpus: CorpusPlace,
    query: Annotated[str, typer.Argument(metavar="QUERY", help="A DuckDB query over the catalog.")],
    format: Annotated[Format, typer.Option(help="How the answer is written to standard output.")] = Format.TABLE,
) -> None:
    """Ask a corpus in SQL.  Tables: pages, signals, ledger, twins, docs, tokens, urls, metrics and more.

    `SHOW TABLES` lists them; `DESCRIBE ledger` lists the columns of one.
    """
    from corpusmill.reports.query import run_sql

    answer = run_sql(corpus, query, format.value)
    if format is Format.TABLE or (format is not Format.PARQUET and sys.stdout.isatty()):
        sys.stdout.write(printable(answer.decode()))
    else:
        sys.stdout.buffer.write(answer)


@app.command(short_help="Show what became of one document, and why.")
def why(
    corpus: CorpusPlace,
    document: Annotated[
        str,
        typer.Argument(metavar="DOC_ID|URL|PATH", help="The document: its doc_id, its URL, or the path of its file."),
    ],
    everything: Annotated[
        bool, typer.Option("--all", help="Show every rule and signal with the page's values.")
    ] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Show the lines that each edit removed or changed.")] = False,
    recipe: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The recipe, for --diff; needed if it names modules.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what became of one document: where it came from, and why it was kept or dropped.

    The beginning of a doc_id, URL or path is enough if only one document has it.
    """
    from corpusmill.reports import why as story

    told = story.why(corpus, document, with_diff=diff or recipe is not None, recipe=recipe)
    answer_with(told, partial(story.render, everything=everything), as_json)


@app.command(short_help="Say what other rules would keep.")
def whatif(
    corpus: CorpusPlace,
    sets: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="RULE=EXPRESSION", help="Replace or add a rule; or RULE=NUMBER, its threshold."),
    ] = None,
    without: Annotated[list[str] | None, typer.Option(metavar="RULE", help="Leave a rule out.")] = None,
    examples: Annotated[int, typer.Option(min=0, help="How many pages that change sides are shown.")] = 10,
    as_json: AsJson = False,
) -> None:
    """What other rules would keep, from stored signals: nothing is read or judged again, and nothing is changed."""
    from corpusmill.reports import whatif as question

    answer = question.whatif(corpus, sets or [], without or [], examples)
    answer_with(answer, question.render, as_json)


@app.command(short_help="List profiles and rules, or try your own.")
def rules(
    what: Annotated[
        list[str] | None,
        typer.Argument(metavar="[CORPUS | try MODULE|RECIPE CORPUS]", help="A corpus; or what to try, on a corpus."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Without a corpus: every profile with its rules, thresholds and sources.

    With a corpus: the rules in force there, and the pages that each drops: first, alone, in all.

    With try: your signals, edits and rules on a sample of the corpus, before you run anything.
    """
    from corpusmill.reports import rules as listing

    match what or []:
        case []:
            found = listing.profiles()
            answer_with(found, listing.render_profiles, as_json)
        case ["try", given, corpus]:
            from corpusmill.reports import trial

            seen = trial.trial(Path(given), corpus)
            answer_with(seen, trial.render, as_json)
        case [corpus]:
            in_force = listing.rules_of_corpus(corpus)
            answer_with(in_force, listing.render_rules, as_json)
        case _:
            raise InputError("give nothing, a corpus, or 'try', then a module or a recipe, then a corpus")


@app.command(short_help="Show what is kept of one web page.")
def extract(
    page: Annotated[str, typer.Argument(metavar="FILE|URL", help="An HTML file, - for standard input, or a URL ...")],
    warcs: Annotated[list[str] | None, typer.Argument(metavar="[WARC]...", help="... in these WARC files.")] = None,
    format: Annotated[
        Shape | None, typer.Option(help="What is printed: every block with its probability, or the result alone.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option(metavar="OUT", help="Write the page, coloured by probability, to this HTML file.")
    ] = None,
    unmasked: Annotated[bool, typer.Option("--unmasked", help="Show e-mail and IP addresses.")] = False,
) -> None:
    """Show what is kept of one web page, what is dropped, and the probability of each block."""
    from corpusmill.reports import extraction
    from corpusmill.reports.one_page import find

    seen = extraction.see(extraction.extract(find(page, warcs or []), page), page, masked=not unmasked)
    if html is not None:
        extraction.write_overlay(seen, html)
        print(printable(str(html)))
        if format is None:
            return
    match format or Shape.SHOW:
        case Shape.TEXT:
            print(seen.text)
        case Shape.MARKDOWN:
            print(seen.markdown)
        case Shape.JSON:
            print(extraction.as_json(seen))
        case Shape.SHOW:
            extraction.show(seen)


@app.command(short_help="Write report.html with charts.")
def report(corpus: CorpusPlace) -> None:
    """Write report.html: what came in, what was kept, what was dropped and why, with charts."""
    from corpusmill.reports.page import write_report

    print(printable(write_report(corpus)))


@app.command(short_help="Check every file of a corpus.")
def verify(corpus: CorpusPlace, as_json: AsJson = False) -> None:
    """Read every file of a corpus and compare it with its checksum.

    A damaged file is withdrawn, so that the next run makes it again.
    """
    from corpusmill.interrupts import interruptible
    from corpusmill.verify import Verified
    from corpusmill.verify import verify as read_all

    show, start = renewed_line(), time.monotonic()

    def tell(seen: Verified) -> None:
        seconds = max(time.monotonic() - start, 1e-3)
        left = seconds * (seen.bytes - seen.bytes_read) / max(seen.bytes_read, 1)
        line = f"{seen.files_read:,}/{seen.files:,} files, {size(seen.bytes_read)}"
        line += f", {seen.bytes_read / 1e6 / seconds:,.1f} MB/s, {left:,.0f} s left"
        show(line, seen.files_read == seen.files)

    with interruptible():
        seen = read_all(corpus, tell)
    if as_json:
        print(json(seen))
    else:
        print(f"{counted(seen.files, 'file')} read ({size(seen.bytes)}), {len(seen.damaged) or 'none'} of them damaged")
        for name in seen.damaged:
            say(f"  damaged  {name}")
        for name in seen.missing:
            say(f"  missing  {name}")
    if seen.damaged or seen.missing:
        raise RunError("run the recipe again: it makes the damaged and missing files again")
