"""The command line: parse, call, print.  Everything heavy is imported by the command that needs it."""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from corpusmill import __version__
from corpusmill.corpus import Corpus
from corpusmill.errors import CorpusmillError, InputError, InterruptedRunError, RunError
from corpusmill.reasons import Reason
from corpusmill.terminal import one_line, printable, size, write_any_sign

if TYPE_CHECKING:
    from corpusmill.reports.unreadable import Unreadable
    from corpusmill.stages.state import Books
    from corpusmill.train.job import StepReport

app = typer.Typer(
    help="Raw web crawls, dumps and files in; a pretraining corpus with every decision on record out.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

AsJson = Annotated[bool, typer.Option("--json", help="Print the answer as one JSON object, for programs.")]
CorpusPlace = Annotated[str, typer.Argument(metavar="DIR", help="The corpus directory, or s3://BUCKET/FOLDER.")]


class Shape(StrEnum):
    """What `extract` prints: everything for people, for programs, or the result alone."""

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


MOST_REASONS = 5  # of what could not be used, in the summary of a run


def main() -> None:
    """Run the command of the arguments; errors of ours are one sentence and an exit code (see `__main__`)."""
    write_any_sign()
    try:
        app()
    except InputError as error:
        _fail(error, 2)
    except InterruptedRunError as error:
        _fail(error, 130)
    except CorpusmillError as error:
        _fail(error, 1)
    except KeyboardInterrupt:
        _fail("interrupted", 130)
    except BrokenPipeError:  # the reader of our output has gone: `corpusmill sql ... | head`
        sys.stderr.close()
        sys.exit(1)
    except OSError as error:  # a disk that fails, a file system that is read-only
        _fail(f"{f'{error.filename}: ' if error.filename else ''}{error.strerror or error}", 1)


def _fail(error: Exception | str, code: int) -> None:
    from corpusmill.credentials import masked
    from corpusmill.filters.personal import mask_text

    words = one_line(masked(mask_text(str(error))))  # it may quote a page
    print(f"corpusmill: {words}", file=sys.stderr)
    sys.exit(code)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"corpusmill {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")] = False,
) -> None:
    """Options of corpusmill itself."""


@app.command(short_help="Mill the sources of a recipe into a corpus.")
def run(
    recipe: Annotated[Path, typer.Argument(metavar="RECIPE", help="The recipe, a TOML file.")],
    corpus: Annotated[str, typer.Option(metavar="DIR", help="The corpus directory, or s3://BUCKET/FOLDER.")],
    workers: Annotated[int | None, typer.Option(min=1, help="Worker processes; by default one per core.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, metavar="RECORDS", help="Read at most so many records.")] = None,
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
    """Mill the recipe's sources into a corpus, resumed where it stopped."""
    from corpusmill.interrupts import interruptible
    from corpusmill.pipelines import supervise

    if dry_run:
        from corpusmill.pipelines.outlook import outlook

        seen = outlook(supervise.make_job(recipe, Corpus(corpus), limit=limit), until)
        print(_json(asdict(seen)) if as_json else printable(str(seen)))
        return

    with interruptible(supervise.ADVICE):
        outcome = supervise.run(recipe, corpus, workers=workers, limit=limit, until=until, prune=prune, beam=beam or [])
        if outcome.worked or not (Corpus(corpus).workspace / "catalog.duckdb").exists():
            from corpusmill.reports.catalog import build

            build(corpus)
        from corpusmill.reports.unreadable import unreadable, useless_sources

        found = unreadable(corpus) if outcome.books.unusable else []
    if as_json:
        print(_json(outcome.books.figures() | {"worked": outcome.worked, "reasons": [asdict(each) for each in found]}))
    else:
        print(_summary(corpus, outcome.books, found, until))
    if useless := useless_sources(found):
        names = ", ".join(f"'{name}'" for name in useless)
        raise RunError(f"no record of source {names} could be used; the lines above say why")


def _json(answer: object) -> str:
    return _for_programs(json.dumps(answer, ensure_ascii=False, default=str, indent=1))


def _for_programs(text: str) -> str:
    """As it is; on a terminal without what could write over it."""
    return printable(text) if sys.stdout.isatty() else text


def _summary(corpus: str, books: "Books", found: "list[Unreadable]", until: str | None) -> str:
    """What the run came to, in a few lines."""
    lines = [f"{books.pages:,} pages in ({size(books.input_bytes)})"]
    if books.unusable:
        lines += [f"{books.unusable:,} could not be used"]
        lines += [f"  {printable(str(each))}" for each in found[:MOST_REASONS]]
    if len(found) > MOST_REASONS:
        lines += [f"  and {len(found) - MOST_REASONS} more reasons, in the table unusable"]
    if n := books.dropped[Reason.RULE]:
        lines += [f"{n:,} dropped by rules"]
    if n := books.dropped[Reason.DUPLICATE]:
        lines += [f"{n:,} duplicates"]
    if books.has_docs:
        lines += [f"{books.docs:,} documents kept ({size(books.text_bytes)} of text)"]
    else:
        lines += [f"ended after stage {until}; which documents are kept, a run to the end decides"]
    if books.tokens:
        lines += [f"{books.tokens:,} tokens"]
    return "\n".join([*(f"  {line}" for line in lines), f"corpus: {printable(corpus)}"])


@app.command(short_help="Ask the corpus in SQL.")
def sql(
    corpus: CorpusPlace,
    query: Annotated[str, typer.Argument(metavar="QUERY", help="A DuckDB query over the catalog.")],
    format: Annotated[Format, typer.Option(help="How the answer is written to standard output.")] = Format.TABLE,
) -> None:
    """Ask the corpus: pages, signals, ledger, twins, docs, tokens, urls, metrics."""
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
        str, typer.Argument(metavar="DOC_ID|URL|PATH", help="A document, by its doc_id, its URL, its file's path, ...")
    ],
    everything: Annotated[
        bool, typer.Option("--all", help="Show every rule and signal with the page's values.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """The story of one document: where it came from, and why it was kept or dropped.

    The beginning of a doc_id or of a URL is enough if only one document has it.
    """
    from corpusmill.reports import why as story

    told = story.why(corpus, document)
    print(_for_programs(story.as_json(told)) if as_json else story.render(told, everything=everything))


@app.command(short_help="Show what is kept of one web page.")
def extract(
    page: Annotated[str, typer.Argument(metavar="FILE|URL", help="An HTML file, - for standard input, or a URL ...")],
    warcs: Annotated[list[str] | None, typer.Argument(metavar="[WARC]...", help="... in these WARC files.")] = None,
    format: Annotated[
        Shape | None, typer.Option(help="What is printed: every block with its probability, or the result alone.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option(metavar="OUT", help="Write the page, tinted by probability, to this HTML file.")
    ] = None,
    unmasked: Annotated[bool, typer.Option("--unmasked", help="Show e-mail and IP addresses.")] = False,
) -> None:
    """Look at one page: what is kept, what is dropped, and each block's probability."""
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
    """Write report.html: charts of what came in, what was dropped and why."""
    from corpusmill.reports.page import write_report

    print(printable(write_report(corpus)))


@app.command(short_help="Check that every file is what was written.")
def verify(corpus: CorpusPlace, as_json: AsJson = False) -> None:
    """Read every file of the corpus and take back what is damaged; the next run makes it anew."""
    from corpusmill.interrupts import interruptible
    from corpusmill.verify import Verified
    from corpusmill.verify import verify as read_all

    show, start = _renewed_line(), time.monotonic()

    def tell(seen: Verified) -> None:
        seconds = max(time.monotonic() - start, 1e-3)
        left = seconds * (seen.bytes - seen.bytes_read) / max(seen.bytes_read, 1)
        line = f"{seen.files_read:,}/{seen.files:,} files, {size(seen.bytes_read)}"
        line += f", {seen.bytes_read / 1e6 / seconds:,.1f} MB/s, {left:,.0f} s left"
        show(line, seen.files_read == seen.files)

    with interruptible():
        seen = read_all(corpus, tell)
    if as_json:
        print(_json(asdict(seen)))
    else:
        print(f"{seen.files:,} files read ({size(seen.bytes)}), {len(seen.damaged) or 'none'} of them damaged")
        for name in seen.damaged:
            print(f"  damaged  {printable(name)}")
        for name in seen.missing:
            print(f"  missing  {printable(name)}")
    if seen.damaged or seen.missing:
        raise RunError("run the recipe again: what is damaged was taken back, and is made anew like what is missing")


@app.command(short_help="Pretrain a model on the corpus.")
def train(
    corpus: CorpusPlace,
    config: Annotated[Path | None, typer.Option(metavar="FILE", help="TOML with [train]; else the recipe's.")] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Instead of the settings' number of steps.")] = None,
    out: Annotated[str, typer.Option(metavar="MODEL", help="Name under DIR/models, or a path.")] = "base",
) -> None:
    """Pretrain a decoder on the corpus's tokens, resumed exactly where it stopped."""
    from corpusmill.recipe import load_training
    from corpusmill.train.run import train as run_training

    root = Corpus(corpus).folder
    if not (root / "recipe.toml").exists():
        raise InputError(f"{corpus}: not a corpus directory (there is no recipe.toml in it)")
    settings = load_training(config or root / "recipe.toml")
    folder = Path(out) if "/" in out else root / "models" / out
    result = run_training(root, settings, folder, steps=steps, progress=_training_line())
    if not result.trained:
        print("nothing to do: the model is there, trained on these tokens with these settings")
    print(f"  {result.steps:,} steps, {result.tokens:,} tokens, {result.seconds:,.0f} s")
    if result.validation_loss is not None and result.unigram_validation_loss is not None:
        print(
            f"  validation loss {result.validation_loss:.3f} nats per token"
            f" ({result.validation_bits_per_byte:.3f} bits per byte);"
            f" knowing only how frequent each token is: {result.unigram_validation_loss:.3f}"
        )
    print(f"  unigram entropy of the training tokens {result.unigram_entropy:.3f} nats per token")
    print(f"model: {printable(str(result.model))}")


def _training_line() -> "Callable[[StepReport], None]":
    """What shows how far training is."""
    line = _renewed_line()

    def show(report: "StepReport") -> None:
        bits = report.validation_bits_per_byte
        line(
            f"step {report.step:,}/{report.steps:,}, loss {report.loss:.3f}"
            + (f", validation {bits:.3f} bits per byte" if bits is not None else "")
            + f", {report.tokens_per_second:,.0f} tokens/s, {report.seconds_left:,.0f} s left",
            report.step == report.steps,
        )

    return show


def _renewed_line() -> Callable[[str, bool], None]:
    """(line, whether it is the last) -> one that is renewed on a terminal, else one every 5 s; on standard error."""
    terminal, every = sys.stderr.isatty(), 0.2 if sys.stderr.isatty() else 5.0
    last = 0.0

    def show(line: str, ends: bool) -> None:
        nonlocal last
        if time.monotonic() - last >= every or ends:
            last = time.monotonic()
            print(f"\r\x1b[K{line}" if terminal else line, end="\n" if ends or not terminal else "", file=sys.stderr)

    return show


@app.command(short_help="Print text that a model writes.")
def generate(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A model's folder.")],
    prompt: Annotated[str, typer.Argument(metavar="PROMPT", help="How the text begins.")],
    max_tokens: Annotated[int, typer.Option(min=1, help="Stop after so many tokens.")] = 200,
    temperature: Annotated[float, typer.Option(min=0, help="0 always takes the likeliest token.")] = 0.8,
    top_p: Annotated[float, typer.Option(help="Choose among the likeliest tokens of this probability.")] = 0.95,
    seed: Annotated[int, typer.Option(help="The same seed gives the same text.")] = 1,
) -> None:
    """Print text that a model writes."""
    try:
        from corpusmill.train.generate import generate as pieces_of
    except ModuleNotFoundError as error:
        raise InputError(f"generating needs '{error.name}'; install it with: pip install 'corpusmill[train]'") from None

    pieces = pieces_of(model, prompt, max_tokens=max_tokens, temperature=temperature, top_p=top_p, seed=seed)
    first = next(pieces, "")  # what is wrong with the arguments is said before anything else
    print(printable(prompt + first), end="", flush=True)
    for piece in pieces:
        print(printable(piece), end="", flush=True)
    print()
