"""The progress of a run, from receipts only: what is left to do, whether row counts match, and the totals.

It imports neither Beam nor modules that read data, so a run with nothing to do ends at once.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from corpusmill.collect.crawl.state import finished
from corpusmill.collect.formats.crawl import CrawlSource
from corpusmill.collect.slices import Slice
from corpusmill.errors import BalanceError, RunError
from corpusmill.reasons import Reason, Status
from corpusmill.reasons import Stage as Name
from corpusmill.stages.chain import chain_of
from corpusmill.stages.grouping import Grouping
from corpusmill.stages.job import Job
from corpusmill.stages.stage import PerPart, Published, Reading, Singleton, Snapshot, Stage, slice_of


def unfinished_crawls(job: Job) -> list[tuple[CrawlSource, Path]]:
    """The sources whose crawl is not finished, and their folders."""
    found = []
    for source in job.recipe.sources:
        if isinstance(source, CrawlSource):
            folder = job.corpus.folder / "raw" / source.name
            if not finished(folder, source.crawl):
                found.append((source, folder))
    return found


def parts_of(job: Job, published: Published, slices: Sequence[Slice]) -> list[str] | None:
    """The parts of all slices, sorted; None if a slice was not read yet, or its parts are not up to date."""
    found: list[str] = []
    for piece in slices:
        parts = chain_of(job).reading.parts(job, published, piece)
        if parts is None:
            return None
        found += parts
    return sorted(found)


def unfinished(
    job: Job, slices: Sequence[Slice], until: str | None, published: Published | None = None
) -> Stage | None:
    """The first stage with something to do, or None."""
    published = published or Snapshot(job.corpus)
    parts = parts_of(job, published, slices)
    if parts is None:
        return chain_of(job).reading
    return next((stage for stage in chain_of(job).until(until) if not _is_done(job, published, stage, parts)), None)


def _is_done(job: Job, published: Published, stage: Stage, parts: Sequence[str]) -> bool:
    """Whether a stage is done for all parts, if the stages before it are."""
    match stage:
        case Reading():
            return True  # otherwise there would be no parts
        case PerPart():
            return all(stage.is_current(job, published, part) for part in parts)
        case Grouping() | Singleton():
            return stage.is_current(job, published, parts)
        case _:
            raise AssertionError(f"{stage.name} is a stage of an unknown kind")


@dataclass(slots=True)
class Books:
    """The row counts of a corpus: what came in and what happened to it, over all parts."""

    input_bytes: int = 0  # of the records' content
    rows: Counter[str] = field(default_factory=Counter)  # rows that each stage has made
    dropped: Counter[str] = field(default_factory=Counter)  # by reason
    counts: dict[str, Counter[str]] = field(default_factory=dict)  # by stage, its other counts

    @property
    def pages(self) -> int:
        """Records that came in."""
        return self.rows[Name.PAGES]

    @property
    def unusable(self) -> int:
        """Records without text; without those that were removed."""
        return self.pages - self._count(Name.PAGES, f"status_{Status.OK}") - self.removed

    @property
    def removed(self) -> int:
        """Records that were taken down with `corpusmill remove`."""
        return self._count(Name.PAGES, f"status_{Status.REMOVED}")

    @property
    def docs(self) -> int:
        """Documents that were kept."""
        return self.rows[Name.DOCS]

    @property
    def has_docs(self) -> bool:
        """Whether the run reached the documents."""
        return Name.DOCS in self.rows

    @property
    def tokens(self) -> int:
        """Tokens of the documents."""
        return self._count(Name.TOKENS, "tokens")

    @property
    def text_bytes(self) -> int:
        """Bytes of the documents' text."""
        return self._count(Name.DOCS, "text_bytes")

    @property
    def limited(self) -> int:
        """Documents for which deduplication skipped some candidates."""
        return self._count(Name.TWINS, "limited")

    def figures(self) -> dict[str, int | None]:
        """The figures of a run, for programs; null for a stage that the run did not reach."""
        return {
            "pages": self.pages,
            "input_bytes": self.input_bytes,
            "unusable": self.unusable,
            "removed": self.removed,
            "dropped_by_rules": self.dropped[Reason.RULE],
            "over_host_cap": self.dropped[Reason.CAP],
            "duplicates": self.dropped[Reason.DUPLICATE],
            "documents": self.docs if self.has_docs else None,
            "text_bytes": self.text_bytes if self.has_docs else None,
            "tokens": self.tokens or None,
        }

    def _count(self, stage: str, what: str) -> int:
        return self.counts.get(stage, Counter())[what]


def balance(job: Job, slices: Sequence[Slice], until: str | None = None) -> Books:
    """The row counts of a run.  RunError if a part is missing or stale, BalanceError if rows were lost."""
    snapshot = Snapshot(job.corpus)
    left = unfinished(job, slices, until, snapshot)
    if left is not None:
        raise RunError(
            f"{job.corpus.place}: the runner ended before stage {left.name} was done; run the same command again"
        )
    return books_of(job, slices, until, snapshot)


def books_of(job: Job, slices: Sequence[Slice], until: str | None, snapshot: Snapshot) -> Books:
    """The row counts of a finished corpus.  BalanceError if rows were lost between stages."""
    books = Books()
    parts = parts_of(job, snapshot, slices)
    assert parts is not None, "nothing is left to do"
    for stage in chain_of(job).until(until):
        if isinstance(stage, Singleton):
            continue
        receipts = snapshot.stage(stage.name)
        if isinstance(stage, PerPart):
            _check_rows(stage, parts, snapshot)
        counts: Counter[str] = Counter()
        for part in parts:
            receipt = receipts[part]
            books.rows[stage.name] += receipt.rows_out
            books.dropped.update(receipt.dropped)
            counts.update(receipt.counts)
            if isinstance(stage, Reading):
                books.input_bytes += receipt.bytes_in
        books.counts[stage.name] = counts
    return books


def _check_rows(stage: PerPart, parts: Sequence[str], snapshot: Snapshot) -> None:
    """BalanceError unless every part has read all rows of the first stage that it is made from."""
    receipts, before = snapshot.stage(stage.name), snapshot.stage(next(iter(stage.reads)))
    for part in parts:
        if receipts[part].rows_in != before[part].rows_out:
            raise BalanceError(
                f"{stage.name} of part {part} read {receipts[part].rows_in} rows where {before[part].rows_out} were "
                "published; please report this"
            )


def has_more(job: Job, snapshot: Snapshot, slices: Sequence[Slice]) -> bool:
    """Whether a finished corpus has parts that nothing needs any more."""
    wanted = set(parts_of(job, snapshot, slices) or ())
    stages = [stage for stage in chain_of(job) if not isinstance(stage, Singleton)]
    return any(snapshot.stage(stage.name).keys() - wanted for stage in stages)


def tidy(job: Job, slices: Sequence[Slice], parts: Sequence[str] | None = None) -> list[str]:
    """Delete what a crash left, and the parts that nothing needs any more; returns the deleted names.

    These are the parts of other slices.  If `parts` are known, they are all other parts.  Only the run that holds the
    corpus may call this.
    """
    wanted, names = set(parts or ()), {piece.name for piece in slices}
    gone = []
    for stage in chain_of(job):
        if isinstance(stage, Singleton):
            gone += job.corpus.tidy(stage.name, lambda _: True)
            continue
        if isinstance(stage, Grouping):
            stage.clear(job)
        gone += job.corpus.tidy(stage.name, lambda part: part in wanted if parts else slice_of(part) in names)
    return gone
