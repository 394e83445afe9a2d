"""The folder of a crawl, and the crawl's progress, read from its receipts only.

    raw/SOURCE/
      round-0001-00.warc.gz            what shard 00 of the round fetched (absent if nothing)
      urls/round-0001-00.parquet       one row per URL whose fate the shard decided: `schema.URLS`
      urls/unfetched-0000.parquet      one row per URL whose fate no round decided, written at the end
      hosts/round-0001-00.parquet      what it asked each host: `tables.HOSTS`
      retries/round-0001-00.parquet    URLs to be tried again: `tables.RETRIES`
      links/round-0001-00.parquet      the URLs that its pages name: `tables.LINKS`
      robots/round-0001-00.parquet     robots.txt and other opt-out files that it read: `tables.ROBOTS`
      validators/round-0001-00.parquet how a later crawl can ask whether a page has changed: `tables.VALIDATORS`
      frontier/round-0001-0000.parquet part 0 of the frontier before the round: `tables.FRONTIER`
      accounts/, offers/               of the same part: `tables.ACCOUNTS`, `tables.OFFERS`
      plans/round-0001.parquet         which hosts the round asks: `tables.PLAN`
      plans/round-0001.json            the plan's receipt
      journals/round-0001-00           what a shard that is not done has fetched (`journal.py`)
      journals/round-0001-00.json      how far it is
      receipts/round-0001-00.json      the shard's receipt, written last: without it the shard goes on
      crawl.json                       the crawl's receipt, written when nothing is left to fetch

This module imports nothing heavy (no pyarrow, aiohttp, Beam), because a run with nothing to do uses it, and so does the
progress line.
"""

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple, TypeVar

from corpusmill.collect.settings import CrawlSettings
from corpusmill.corpus import Corpus, digest
from corpusmill.store import temporary_beside

# These settings say how a page is reached and how long to wait.  A change of them does not make a finished crawl
# stale.
_NO_PART_OF_THE_RESULT = {"delay_s", "max_delay_s", "timeout_s", "connect_to", "contact"}
# Settings that came later: with its default, none of them makes a crawl of an earlier version stale.
_LATER = ("exclude", "sitemaps", "max_bytes_per_host", "max_seconds_per_host", "max_variants", "attempts", "previous")
_OF_PARTS = ("frontier", "accounts", "offers")


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanReceipt:
    """A round that was planned."""

    candidates: int  # URLs that the round may fetch
    pending: int  # URLs that were waiting when the round was planned, including the candidates
    shards: list[int]
    n_shards: int = 1  # into which the hosts are divided; those without work are not in `shards`
    parts: int = 1  # of the frontier before the round
    parts_after: int = 1  # of the frontier after the round
    year: int = 0  # in which the crawl began


@dataclass(frozen=True, kw_only=True, slots=True)
class ShardReceipt:
    """A shard of a round that is done."""

    urls: int  # URLs that were dealt with, fetched or not
    pages: int  # records in the WARC file
    bytes: int  # of their bodies, as received
    seconds: float
    finished_at: float  # seconds since 1970
    errors: int = 0  # requests that failed


@dataclass(frozen=True, kw_only=True, slots=True)
class CrawlSummary:
    """A crawl that is done: its receipt."""

    fingerprint: str  # of the settings that determine the result
    rounds: int
    urls: int  # every URL met, fetched or not
    pages: int  # records in the WARC files
    bytes: int  # of their bodies, as received
    fates: dict[str, int]  # URLs by fate
    seconds: float  # of work, over all runs of the crawl
    finished_at: float  # seconds since 1970
    done: bool = True
    good: int | None = None  # URLs that were answered with 2xx, or are unchanged; None: from an earlier version

    @property
    def gave_pages(self) -> bool:
        """Whether the crawl fetched any page that is not an error or a redirect."""
        return self.good is None or self.good > 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Live:
    """How far a shard is that is not done."""

    hosts: int  # that are being asked
    hosts_left: int  # that are to be asked in this round, those that are being asked included
    urls: int
    pages: int
    bytes: int
    errors: int
    pages_per_s: float  # of the last seconds
    written_at: float  # seconds since 1970


_Receipt = TypeVar("_Receipt", PlanReceipt, ShardReceipt, CrawlSummary, Live)
STALE_S = 10.0  # after which a shard's Live says nothing about the present


class Progress(NamedTuple):
    """The progress of a crawl."""

    rounds: int  # planned so far
    urls_fetched: int
    urls_pending: int  # known and not dealt with yet, at the time of the latest round
    bytes: int
    errors: int = 0
    hosts: int = 0  # that are being asked
    pages_per_s: float = 0.0

    def __str__(self) -> str:
        now = f", {self.hosts:,} hosts at once, {self.pages_per_s:,.1f} pages/s" if self.hosts else ""
        return (
            f"round {self.rounds}, {self.urls_fetched:,} pages, {self.bytes / 1e6:.1f} MB, "
            f"{self.urls_pending:,} URLs waiting, {self.errors:,} errors{now}"
        )


class CrawlFolder:
    """Names and receipts in `raw/SOURCE`.  It is cheap to make, holds no open files, and can be pickled."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """`path` need not exist yet; its last part is the source's name."""
        self.path = Path(path).absolute()
        self.source = self.path.name
        self._json = Corpus(self.path)

    def file(self, kind: str, round: int, shard: int) -> Path:
        """The path of a shard's Parquet file of urls, links or robots; it need not exist."""
        return self.path / kind / f"round-{round:04d}-{shard:02d}.parquet"

    def files(self, kind: str) -> list[Path]:
        """The published Parquet files of `kind`, sorted."""
        return sorted(p for p in (self.path / kind).glob("*.parquet") if not p.name.startswith("."))

    def warc(self, round: int, shard: int) -> Path:
        """The path of a shard's WARC file; it need not exist."""
        return self.path / f"round-{round:04d}-{shard:02d}.warc.gz"

    def plan(self, round: int) -> Path:
        """The path of a round's plan; it need not exist."""
        return self.path / "plans" / f"round-{round:04d}.parquet"

    def plan_receipt(self, round: int) -> PlanReceipt | None:
        """The receipt of the round's plan; None if it is not planned yet."""
        return self._read(PlanReceipt, self.plan(round).with_suffix(".json"))

    def part(self, kind: str, round: int, part: int) -> Path:
        """The path of a part's file of frontier, accounts or offers, before a round; it need not exist."""
        return self.path / kind / f"round-{round:04d}-{part:04d}.parquet"

    def journal(self, round: int, shard: int) -> Path:
        """The path of a shard's journal; it need not exist."""
        return self.path / "journals" / f"round-{round:04d}-{shard:02d}"

    def live(self, round: int, shard: int) -> Live | None:
        """How far a shard is; None if nothing fetches it."""
        live = self._read(Live, self.journal(round, shard).with_suffix(".json"))
        return live if live and time.time() - live.written_at < STALE_S else None

    def write_live(self, round: int, shard: int, live: Live) -> None:
        """Say how far a shard is."""
        self._write(self.journal(round, shard).with_suffix(".json"), live)

    def forget(self, round: int) -> None:
        """Delete the parts of the frontier before a round, and the journals of its shards."""
        for kind in (*_OF_PARTS, "journals"):
            for path in (self.path / kind).glob(f"round-{round:04d}*"):
                path.unlink()

    def shard_receipt(self, round: int, shard: int) -> ShardReceipt | None:
        """The receipt of a shard that is done; None if it is not."""
        return self._read(ShardReceipt, self._shard_receipt(round, shard))

    def summary(self) -> CrawlSummary | None:
        """The crawl's receipt; None while URLs are left to fetch."""
        return self._read(CrawlSummary, self.path / "crawl.json")

    def write_plan_receipt(self, round: int, receipt: PlanReceipt) -> None:
        """Write the receipt that makes a plan valid."""
        self._write(self.plan(round).with_suffix(".json"), receipt)

    def write_shard_receipt(self, round: int, shard: int, receipt: ShardReceipt) -> None:
        """Write the receipt that makes a shard's files valid."""
        self._write(self._shard_receipt(round, shard), receipt)

    def close(self, summary: CrawlSummary) -> None:
        """Write the crawl's receipt, which marks it as done."""
        for path in (self.path / "receipts").glob(".*.lock"):
            path.unlink()
        for kind in (*_OF_PARTS, "journals"):  # a crawl that goes on with other settings makes them again
            shutil.rmtree(self.path / kind, ignore_errors=True)
        self._write(self.path / "crawl.json", summary)

    def reopen(self) -> None:
        """Delete the crawl's receipt and the files that are written at its end, and what a killed run left."""
        (self.path / "crawl.json").unlink(missing_ok=True)
        for path in (self.path / "urls").glob("unfetched*.parquet"):
            path.unlink()
        for path in list(self.path.rglob(".*.tmp")):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()

    @contextmanager
    def claim(self, round: int, shard: int) -> Iterator[None]:
        """Hold a shard; waits while another process holds it.  A process that dies releases it.

        A runner may run the same work twice side by side, and a host must not get the requests twice.
        """
        path = self.path / "receipts" / f".round-{round:04d}-{shard:02d}.lock"
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _read(self, kind: type[_Receipt], path: Path) -> _Receipt | None:
        data = self._json.read_json(str(path.relative_to(self.path)))
        try:
            return kind(**data) if data else None
        except TypeError:  # from another version
            return None

    def _write(self, path: Path, receipt: PlanReceipt | ShardReceipt | CrawlSummary | Live) -> None:
        self._json.write_json(str(path.relative_to(self.path)), asdict(receipt))

    def _shard_receipt(self, round: int, shard: int) -> Path:
        return self.path / "receipts" / f"round-{round:04d}-{shard:02d}.json"


def fingerprint(settings: CrawlSettings) -> str:
    """Hash of the settings that a finished crawl depends on."""
    fields = type(settings).model_fields
    defaults = {name for name in _LATER if getattr(settings, name) == fields[name].get_default()}
    return digest("crawl", 1, settings.model_dump(mode="json", exclude=_NO_PART_OF_THE_RESULT | defaults))


def finished(folder: Path, settings: CrawlSettings) -> bool:
    """Whether the crawl in `folder` is done, and was made with these settings.  A crawl that gave no page never is."""
    summary = CrawlFolder(folder).summary()
    if summary is None or not summary.gave_pages:
        return False
    return summary.done and summary.fingerprint == fingerprint(settings)


def progress(folder: Path) -> Progress:
    """The progress of the crawl in `folder`, from its receipts."""
    crawl = CrawlFolder(folder)
    rounds = pages = size = pending = errors = hosts = 0
    rate = 0.0
    while (plan := crawl.plan_receipt(rounds + 1)) is not None:
        rounds += 1
        done = [receipt for shard in plan.shards if (receipt := crawl.shard_receipt(rounds, shard))]
        live = [
            live
            for shard in plan.shards
            if not crawl.shard_receipt(rounds, shard) and (live := crawl.live(rounds, shard))
        ]
        both: list[ShardReceipt | Live] = [*done, *live]
        pages += sum(receipt.pages for receipt in both)
        size += sum(receipt.bytes for receipt in both)
        errors += sum(receipt.errors for receipt in both)
        pending = plan.pending - sum(receipt.urls for receipt in both)
        hosts, rate = sum(each.hosts for each in live), sum(each.pages_per_s for each in live)
    return Progress(rounds, pages, pending, size, errors, hosts, rate)


@contextmanager
def publishing(final: Path) -> Iterator[Path]:
    """A temporary path beside `final`, which is renamed to `final` at the end, and deleted after an error."""
    final.parent.mkdir(parents=True, exist_ok=True)
    with temporary_beside(final) as temporary:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.rename(final)
