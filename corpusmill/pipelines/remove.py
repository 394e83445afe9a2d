"""Take documents down: `corpusmill remove`.

    list       entries go on the corpus's list first, so from then on every run applies them
    pages      the parts that hold a named page are written again from themselves
    raw        if wanted, the records are erased from the corpus's own WARC files
    rebuild    the last run's stages, from its plan: only what depends on a changed part is made
    sweep      what else may hold a removed page is deleted
    check      nothing is left

A kill in between leaves the list, so the same command, the command without new entries, or a run goes on.  The command
ends well only after the check.
"""

import os
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from corpusmill.collect.formats.crawl import CrawlSource
from corpusmill.collect.identity import stamp_now
from corpusmill.collect.slices import Slice
from corpusmill.corpus import Corpus, Place
from corpusmill.errors import InputError
from corpusmill.pipelines.progress import Display, display
from corpusmill.pipelines.supervise import rebuild
from corpusmill.reasons import Stage
from corpusmill.receipts import Receipt
from corpusmill.removals import Entry, Kind, read_removals, write_removals
from corpusmill.stages import state, sweep
from corpusmill.stages.chain import chain_of
from corpusmill.stages.job import Job
from corpusmill.stages.kept import kept_job, reached
from corpusmill.stages.planning import read_plan, write_plan
from corpusmill.stages.stage import Snapshot, parts_of
from corpusmill.stages.takedown import Found, take_down, takedown_of
from corpusmill.store import full_disk_is_a_run_error
from corpusmill.terminal import counted


@dataclass(frozen=True, kw_only=True, slots=True)
class Removed:
    """What a removal has done."""

    entries: int  # that are new on the list
    pages: int  # that were removed by this command
    documents: int  # of these, that were in the corpus
    promoted: int | None  # pages that came into the corpus in their place; None if the corpus was not complete
    parts: int  # page parts that were written again
    records: int  # that were erased from the corpus's own WARC files
    unmatched: list[str]  # URLs and hosts, as given, that no page has; they stay on the list
    unknown: list[str]  # doc_ids that no page has
    is_rebuilt: bool  # False: the corpus was not complete before, so a run must go on with it
    tokenizer: str  # "given", "trained again", "unchanged" or "none"
    models: list[str] = field(default_factory=list)  # that were trained before, maybe on removed documents
    had_report: bool = False  # there was a report, which was deleted


Given = dict[Entry, str]  # entries, each with the text that the user gave


def remove(
    place: Place,
    given: Given,
    *,
    raw: bool = False,
    recipe: Path | None = None,
    workers: int | None = None,
    show: Callable[[], Display] = display,
) -> Removed:
    """Take down what the entries name, and all that the list of the corpus names already.

    raw: also erase the records from the WARC files of the corpus's own crawls.
    recipe: see `kept_job`.
    InputError if there is no corpus, another run holds it, or there is nothing on the list.
    """
    corpus = Corpus(place, token=uuid.uuid4().hex)
    job = kept_job(corpus, recipe)
    n_workers = workers or os.cpu_count() or 1
    if raw and corpus.is_remote:
        raise InputError(f"{corpus.place}: a corpus on object storage has no WARC files of its own; leave out --raw")
    with full_disk_is_a_run_error(corpus.workspace), corpus.lock() as lock, show() as screen, corpus.taken():
        before = read_removals(corpus)
        removals = before.plus(given)
        if not removals.entries:
            raise InputError(f"{corpus.place}: nothing is on its list of removals; say what to remove")
        if removals != before:
            write_removals(corpus, removals)
        n_docs = _n_docs(job)
        tokenizer = corpus.receipt(Stage.TOKENIZER, Stage.TOKENIZER)
        found, n_removed_docs = _take_down_all(job, n_workers, screen)
        had_report = sweep.delete_what_shows(corpus)
        n_records = _erase(job, screen) if raw else 0
        is_rebuilt = _rebuild(job, n_workers, lock, screen)
        screen.message("checking that nothing is left ...")
        sweep.sweep(job)
        sweep.delete_strays(corpus)
        sweep.forget_in_models(corpus, {i for removed in sweep.removed_rows(corpus) for i in removed.doc_ids})
        sweep.check_nothing_is_left(corpus)
        now = _n_docs(job)
        no_page = {entry: text for entry, text in given.items() if entry.id not in found.ids}
        return Removed(
            entries=len(removals.entries) - len(before.entries),
            pages=found.pages,
            documents=n_removed_docs,
            promoted=now - (n_docs - n_removed_docs) if is_rebuilt and now is not None and n_docs is not None else None,
            parts=found.parts,
            records=n_records,
            unmatched=[text for entry, text in no_page.items() if entry.kind is not Kind.DOC_ID],
            unknown=[text for entry, text in no_page.items() if entry.kind is Kind.DOC_ID],
            is_rebuilt=is_rebuilt,
            tokenizer=_became(job, tokenizer),
            models=sweep.models_of(corpus),
            had_report=had_report,
        )


def put_back(place: Place, given: Iterable[Entry]) -> list[Entry]:
    """Take entries off the list; returns those that were on it.  The next run reads the pages again."""
    corpus = Corpus(place, token=uuid.uuid4().hex)
    if corpus.read_text("recipe.toml") is None:
        raise InputError(f"{corpus.place}: not a corpus directory (there is no recipe.toml in it)")
    with corpus.lock(), corpus.taken():
        before = read_removals(corpus)
        after = before.minus(given)
        if after != before:
            write_removals(corpus, after)
    return [entry for entry in before.entries if entry not in after.entries]


def _n_docs(job: Job) -> int | None:
    """Number of documents; None if not every page part has its docs."""
    receipts = job.corpus.receipts(Stage.DOCS)
    if receipts.keys() != job.corpus.receipts(Stage.PAGES).keys():
        return None
    return sum(receipt.rows_out for receipt in receipts.values())


def _take_down_all(job: Job, workers: int, screen: Display) -> tuple[Found, int]:
    """Apply the list to all page parts -> what was found, and how many of the removed pages were documents."""
    corpus, takedown = job.corpus, takedown_of(job)
    sweep.delete_strays(corpus)
    receipts = corpus.receipts(Stage.PAGES)
    firsts = [receipt for receipt in receipts.values() if receipt.inputs is not None]
    for part in receipts.keys() - {name for first in firsts for name in parts_of(first)}:
        corpus.delete(Stage.PAGES, part)  # nothing refers to it
    found = Found()

    def applied(first: Receipt) -> Found:
        seen = Found()
        take_down(corpus, takedown, first, parts_of(first)[1:], seen)
        return seen

    with ThreadPoolExecutor(workers) as pool:
        try:
            for number, seen in enumerate(pool.map(applied, firsts), 1):
                found.add(seen)
                done = f"{number:,} of {counted(len(firsts), 'slice')}, {counted(found.pages, 'page')}"
                screen.status(f"removing: {done}")
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    screen.message(f"removed {counted(found.pages, 'page')}, in {counted(found.parts, 'part')}")
    return found, _n_removed_docs(corpus)


def _n_removed_docs(corpus: Corpus) -> int:
    """How many removed pages the published docs still have, which were made before."""
    n = 0
    for removed in sweep.removed_rows(corpus):
        receipt = corpus.receipt(Stage.DOCS, removed.part)
        if receipt is not None:
            n += len(removed.doc_ids & set(corpus.read_columns(receipt, ["doc_id"])["doc_id"].to_pylist()))
    return n


def _erase(job: Job, screen: Display) -> int:
    """Erase the records of removed pages from the crawls' WARC files, and renew the plan; returns their number."""
    from corpusmill.collect.crawl.erase import Erased, erase
    from corpusmill.collect.takedown import removal_of

    crawls = {s.name: job.corpus.folder / "raw" / s.name for s in job.recipe.sources if isinstance(s, CrawlSource)}
    records: dict[Path, list[Erased]] = defaultdict(list)
    for removed in sweep.removed_rows(job.corpus):
        for row in removed.rows.to_pylist():
            if row["source"] in crawls:
                records[crawls[row["source"]] / row["origin_path"]].append(
                    Erased(
                        offset=row["origin_offset"],
                        removal=removal_of(row["metadata"]),
                        **{name: row[name] for name in ("n_bytes", "content_type", "fetched_at")},
                    )
                )
    n = 0
    for number, (path, erased) in enumerate(sorted(records.items()), 1):
        screen.status(f"erasing records: file {number:,} of {len(records):,}")
        n += erase(path, erased)
    slices = read_plan(job.corpus)
    if n and slices is not None:
        own = {str(folder) for folder in crawls.values()}
        write_plan(job.corpus, [replace(s, stamp=stamp_now(s) or "") if s.root in own else s for s in slices])
    screen.message(f"erased {counted(n, 'record')} in the WARC files of crawls")
    return n


def _rebuild(job: Job, workers: int, lock: int | None, screen: Display) -> bool:
    """Make what depends on the removed pages, up to the last stage that was made before.

    Returns False if that needs input of the user's, because the corpus was not complete.
    """
    slices, until = read_plan(job.corpus), reached(job)
    if slices is None or until is None or state.unfinished_crawls(job) or not _were_read(job, slices):
        return False
    rebuild(job, slices, until, workers, lock, screen, job.files)
    return True


def _were_read(job: Job, slices: Sequence[Slice]) -> bool:
    """Whether the parts of all slices are there, so that no input of the user's must be read."""
    reading, snapshot = chain_of(job).reading, Snapshot(job.corpus)
    return all(reading.holds(job, snapshot, piece) for piece in slices)


def _became(job: Job, before: Receipt | None) -> str:
    """What became of the tokenizer."""
    if job.recipe.tokenizer.path is not None:
        return "given"
    now = job.corpus.receipt(Stage.TOKENIZER, Stage.TOKENIZER)
    if now is None:
        return "none"
    return "unchanged" if before is not None and before.checksum == now.checksum else "trained again"
