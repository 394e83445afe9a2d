"""The command `remove`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from corpusmill.cli.answers import answer_with, renewed_line
from corpusmill.cli.app import AsJson, CorpusPlace, app
from corpusmill.errors import InputError, RunError
from corpusmill.reasons import CAPS, REPEATED_LINES, REPEATED_TEXT, SAME_URL, SEMANTIC
from corpusmill.terminal import counted, printable

if TYPE_CHECKING:
    from corpusmill.pipelines.remove import Removed
    from corpusmill.removals import Entry
    from corpusmill.stages.foresee import Foreseen

MOST_NAMED = 10  # URLs, hosts or doc_ids without a page that are named
AGAIN = "; 'corpusmill remove CORPUS' goes on where it stopped"
DID_FOR_OTHERS = {SAME_URL: "dropped", SEMANTIC: "dropped", REPEATED_TEXT: "cut"}
COUNTS_AGAIN = {
    REPEATED_LINES: "has cut: it counts lines again, without the removed pages",
    CAPS: "has dropped: their hosts may have room for them",
}


@app.command(short_help="Take documents down, and keep them away.")
def remove(
    corpus: CorpusPlace,
    urls: Annotated[
        str | None, typer.Option(metavar="FILE", help="A file with a URL per line; - is standard input.")
    ] = None,
    hosts: Annotated[
        str | None, typer.Option(metavar="FILE|HOSTS", help="A file with a host per line, or hosts with commas.")
    ] = None,
    doc_ids: Annotated[
        str | None, typer.Option(metavar="FILE", help="A file with a doc_id per line; - is standard input.")
    ] = None,
    reason: Annotated[str, typer.Option(help="Why; it is kept with the list, and `why` tells it.")] = "",
    raw: Annotated[bool, typer.Option("--raw", help="Also erase the records from WARC files of own crawls.")] = False,
    undo: Annotated[
        bool, typer.Option("--undo", help="Take entries off the list; a run reads the pages again.")
    ] = False,
    listed: Annotated[bool, typer.Option("--list", help="Show the list of removals.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be removed, and change nothing.")] = False,
    recipe: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The recipe; needed if it names modules or corpora beside it.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Worker processes; by default one per core.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Take documents down by URL, host or doc_id, and keep them away in every later run.

    Nothing of their text is left in the corpus.  A duplicate that was dropped for one of them comes into the corpus.

    Without anything to remove, an interrupted removal goes on.
    """
    if listed:
        _show_list(corpus, as_json)
        return
    given = _given(urls, hosts, doc_ids, reason)
    if undo:
        _undo(corpus, given, as_json)
        return
    if dry_run:
        from corpusmill.corpus import Corpus
        from corpusmill.stages.foresee import foresee
        from corpusmill.stages.kept import kept_job

        show = renewed_line()
        seen = foresee(
            kept_job(Corpus(corpus), recipe), given, lambda n, of: show(f"looking: {n:,} of {of:,} parts", n == of)
        )
        answer_with(seen, _foreseen, as_json)
        return

    from corpusmill.interrupts import interruptible
    from corpusmill.pipelines.remove import remove as take_down
    from corpusmill.reports.catalog import build

    with interruptible(AGAIN):
        done = take_down(corpus, given, raw=raw, recipe=recipe, workers=workers)
        build(corpus)
        if done.had_report:
            from corpusmill.reports.page import write_report

            write_report(corpus)
    answer_with(done, _removed, as_json)
    if done.unknown:
        raise RunError(f"no page has {_named(done.unknown, 'doc_id')}; everything else was removed")


def _given(urls: str | None, hosts: str | None, doc_ids: str | None, reason: str) -> "dict[Entry, str]":
    """The entries that the options name, each with the text of its line."""
    if not any((urls, hosts, doc_ids)):
        return {}
    from corpusmill.collect.takedown import entries_of, now
    from corpusmill.removals import Kind

    added = now()
    given: dict[Entry, str] = {}
    if urls:
        given |= entries_of(Kind.URL, _lines(urls), urls, added, reason)
    if hosts:
        names = _lines(hosts) if hosts == "-" or Path(hosts).is_file() else hosts.split(",")
        given |= entries_of(Kind.HOST, names, "--hosts" if names == hosts.split(",") else hosts, added, reason)
    if doc_ids:
        given |= entries_of(Kind.DOC_ID, _lines(doc_ids), doc_ids, added, reason)
    return given


def _lines(file: str) -> list[str]:
    """The lines of a file or of standard input; InputError if it cannot be read."""
    try:
        content = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        return content.decode("utf-8-sig").splitlines()
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(f"{file}: is not UTF-8") from None


def _show_list(corpus: str, as_json: bool) -> None:
    from corpusmill.reports.catalog import open_catalog, rows_of

    with open_catalog(corpus) as catalog:
        rows = rows_of(catalog, "FROM removals ORDER BY added, removal")
    answer_with(rows, _list_told, as_json)


def _list_told(rows: list[dict[str, object]]) -> str:
    if not rows:
        return "nothing was removed"
    lines = []
    for row in rows:
        what = f"{row['kind']:<6}  {row['value']}" + (f" ({row['host']})" if row["host"] else "")
        pages = counted(int(str(row["pages"])), "page")
        lines.append(f"{row['added']:%Y-%m-%d %H:%M}  {what}  {pages}  {row['reason']}".rstrip())
    return "\n".join(lines)


def _undo(corpus: str, given: "dict[Entry, str]", as_json: bool) -> None:
    from corpusmill.pipelines.remove import put_back

    if not given:
        raise InputError("--undo needs --urls, --hosts or --doc-ids: say which entries to take off the list")
    off = {entry.id for entry in put_back(corpus, given)}
    missing = [text for entry, text in given.items() if entry.id not in off]
    answer_with({"entries": len(off), "not_listed": missing}, _undone, as_json)


def _undone(answer: dict[str, object]) -> str:
    lines = [f"taken off the list: {answer['entries']}"]
    if missing := answer["not_listed"]:
        assert isinstance(missing, list)
        lines.append(f"not on the list: {_named(missing, '')}")
    if answer["entries"]:
        lines.append("run the recipe again: it reads the pages again from the input")
    return "\n".join(lines)


def _foreseen(seen: "Foreseen") -> str:
    lines = [
        f"would remove {counted(seen.pages, 'page')}, {counted(seen.documents, 'document')} of the corpus among them",
        f"would write {counted(seen.parts, 'part')} of pages again, and what depends on them",
        f"would take {counted(len(seen.promoted), 'near-duplicate')} into the corpus in their place",
    ]
    for stage, n in seen.affected.items():
        if n:
            lines.append(f"not foreseen: {counted(n, 'page')} that {stage} has {DID_FOR_OTHERS[stage]} because of them")
    lines += [f"not foreseen: pages that {stage} {COUNTS_AGAIN[stage]}" for stage in seen.unforeseen]
    return "\n".join([*lines, *_without_page(seen.unmatched, seen.unknown, "would stay")])


def _removed(done: "Removed") -> str:
    lines = [
        f"{counted(done.pages, 'page')} removed, {counted(done.documents, 'document')} of the corpus among them",
        f"{counted(done.parts, 'part')} of pages written again",
    ]
    if done.promoted:
        lines.append(f"{counted(done.promoted, 'page')} came into the corpus in their place")
    if done.records:
        lines.append(f"{counted(done.records, 'record')} erased from the WARC files of crawls")
    lines += _without_page(done.unmatched, done.unknown, "stay")
    if not done.is_rebuilt:
        lines.append("the corpus was not complete: run the recipe, which goes on with it")
    lines += _advice(done)
    return "\n".join(lines)


def _advice(done: "Removed") -> list[str]:
    """What may still know the text."""
    if not done.documents:
        return []
    lines = []
    if done.tokenizer == "given":
        lines.append("the tokenizer is given and stays: if it was trained on these texts, train another")
    if done.tokenizer == "trained again":
        lines.append("the tokenizer was trained again, so all token parts are new")
    if done.models:
        lines.append(f"trained before, maybe on these texts; train again: {', '.join(done.models)}")
    return lines


def _without_page(unmatched: list[str], unknown: list[str], stay: str) -> list[str]:
    lines = []
    if unmatched:
        lines.append(f"no page yet has {_named(unmatched, '')}; they {stay} on the list for pages that come later")
    if unknown:
        lines.append(f"no page has {_named(unknown, 'doc_id')}")
    return lines


def _named(texts: list[str], noun: str) -> str:
    """The first texts, and how many more there are."""
    shown = ", ".join(map(printable, texts[:MOST_NAMED]))
    more = f" and {len(texts) - MOST_NAMED:,} more" if len(texts) > MOST_NAMED else ""
    return f"{noun} {shown}{more}".strip()
