"""Nothing of a removed page is left behind: what else in a corpus may hold it, and the check at the end.

Page parts are the beginning (`takedown.py`), and a run makes what depends on them.  This module deletes what a run
would leave where it lies: parts that are out of date, parts of stages that the recipe has no longer, files without a
receipt, temporary files, logs, and the files that show the corpus, which are made again.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from corpusmill.corpus import RECEIPTS, Corpus
from corpusmill.errors import RunError
from corpusmill.reasons import Stage, Status
from corpusmill.receipts import COMPACTED, GROUPED, Receipt
from corpusmill.stages.chain import chain_of
from corpusmill.stages.grouping import Grouping
from corpusmill.stages.job import Job
from corpusmill.stages.stage import PerPart, Reading, Singleton, Snapshot
from corpusmill.stages.takedown import REMOVED
from corpusmill.store import temporary_beside

if TYPE_CHECKING:
    import pyarrow as pa

SHOWS = ("catalog.duckdb", "report.html")  # made again from the corpus
TEXTS = {Stage.PAGES: ("text", "title", "url"), Stage.TEXTS: ("text", "title", "url")}
ROW = ("doc_id", "source", "fetched_at", "content_type", "n_bytes", "origin_path", "origin_offset", "metadata")


@dataclass(frozen=True, slots=True)
class RemovedRows:
    """The removed pages of one part (columns: ROW)."""

    part: str
    rows: "pa.Table"

    @property
    def doc_ids(self) -> set[str]:
        """Their doc_ids."""
        return set(self.rows["doc_id"].to_pylist())


def parts_with_removed(corpus: Corpus) -> dict[str, Receipt]:
    """The page parts with a removed page, by name."""
    return {part: receipt for part, receipt in corpus.receipts(Stage.PAGES).items() if receipt.counts.get(REMOVED)}


def removed_rows(corpus: Corpus) -> Iterator[RemovedRows]:
    """The rows of all removed pages, part by part."""
    import pyarrow.compute as pc

    for part, receipt in sorted(parts_with_removed(corpus).items()):
        pages = corpus.read_columns(receipt, [*ROW, "status"])
        yield RemovedRows(part, pages.filter(pc.equal(pages["status"], Status.REMOVED)).select(ROW))


def delete_what_shows(corpus: Corpus) -> bool:
    """Delete what may quote pages, if any was removed: catalog, report, logs.  Returns whether there was a report."""
    if not parts_with_removed(corpus):
        return False
    had_report = corpus.store.entry("report.html") is not None
    for name in SHOWS:
        corpus.store.delete(name)
        (corpus.workspace / name).unlink(missing_ok=True)
    for path in [*(corpus.workspace / "logs").glob("*"), *corpus.workspace.glob(".*.tmp*")]:
        with suppress(IsADirectoryError, FileNotFoundError):
            path.unlink()
    return had_report


def delete_strays(corpus: Corpus) -> None:
    """Delete files in the stages' folders that no receipt vouches for: a killed run or removal has left them."""
    for stage in _folders(corpus):
        for folder in (stage, f"{stage}/{RECEIPTS}"):
            corpus.store.clear_temporaries(folder)
        vouched = {receipt.file for receipt in corpus.receipts(stage).values()}
        for name in corpus.store.entries(stage).keys() - vouched - {COMPACTED}:
            corpus.store.delete(f"{stage}/{name}")


def _folders(corpus: Corpus) -> list[str]:
    """The folders of stages, also of stages that the recipe has no longer."""
    return [name for name in corpus.store.folders() if corpus.store.entries(f"{name}/{RECEIPTS}")]


def sweep(job: Job) -> None:
    """Delete what may hold a removed page and was not made again.

    That is every part of a page part with removed pages that is not up to date; a grouping or a file of the whole
    corpus that is not; and all of the stages that the recipe has no longer.
    """
    corpus, snapshot = job.corpus, Snapshot(job.corpus)
    affected = parts_with_removed(corpus)
    if not affected:
        return
    pages = sorted(snapshot.stage(Stage.PAGES))
    for stage in chain_of(job):
        published = snapshot.stage(stage.name)
        match stage:
            case Reading():
                stale = []
            case PerPart():
                stale = [p for p in published if p in affected and not stage.is_current(job, snapshot, p)]
            case Grouping() | Singleton():
                stale = [] if stage.is_current(job, snapshot, pages) else list(published)
            case _:
                raise AssertionError(f"{stage.name} is a stage of an unknown kind")
        for part in stale:
            corpus.withdraw(stage.name, part)
            corpus.store.delete(f"{stage.name}/{published[part].file}")
        if stale:
            snapshot.renew()  # what was made from these is not up to date, either
    for folder in set(_folders(corpus)) - {stage.name for stage in chain_of(job)}:
        for part, receipt in corpus.receipts(folder).items():
            corpus.withdraw(folder, part)
            corpus.store.delete(f"{folder}/{receipt.file}")
        for key in (f"{folder}/{COMPACTED}", f"{folder}/{RECEIPTS}/{GROUPED}"):
            corpus.store.delete(key)


def forget_in_models(corpus: Corpus, doc_ids: set[str]) -> None:
    """Take the rows of removed documents out of the tables that models have of single documents."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    if corpus.is_remote or not doc_ids:
        return
    gone = pa.array(doc_ids, pa.string())
    for path in sorted((corpus.folder / "models").rglob("*.parquet")):
        if "doc_id" in pq.read_schema(path).names:
            table = pq.read_table(path)
            kept = table.filter(pc.invert(pc.is_in(table["doc_id"], gone)))
            if len(kept) < len(table):
                with temporary_beside(path) as temporary:
                    pq.write_table(kept, temporary)
                    temporary.rename(path)


def models_of(corpus: Corpus) -> list[str]:
    """Names of the models that were trained in the corpus."""
    return sorted(path.parent.name for path in _models(corpus).glob("*/config.json"))


def _models(corpus: Corpus) -> Path:
    return corpus.workspace / "models"


def check_nothing_is_left(corpus: Corpus) -> None:
    """RunError if a removed page has text, title or URL somewhere, or is a document."""
    for removed in removed_rows(corpus):
        gone = removed.doc_ids
        for stage in (Stage.PAGES, Stage.TEXTS, Stage.DOCS, Stage.TOKENS):
            if (receipt := corpus.receipt(stage, removed.part)) is None:
                continue
            columns = TEXTS.get(stage, ())
            rows = corpus.read_columns(receipt, ["doc_id", *columns]).to_pylist()
            left = [row for row in rows if row["doc_id"] in gone]
            if any(not columns or any(row[name] is not None for name in columns) for row in left):
                raise RunError(f"{corpus.place}: {stage}/{receipt.file} still has a removed page; please report this")
