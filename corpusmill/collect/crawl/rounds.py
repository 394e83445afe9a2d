"""The rounds of a crawl: plan them from the files on disk, read their results, and check the counts at the end.

    round   shards of hosts | fetch | group by part of the frontier | merge       then the next round is planned

Each part of the frontier holds the URLs of some hosts, and is merged by itself.  So memory is bounded by the size of a
part and of a shard's round, whatever the size of the crawl.

A stopped crawl continues.  A finished crawl continues, too, if its settings have changed: fetched pages stay, and all
other URLs are decided again with the present settings.  A crawl that gave no page starts again.  To start another crawl
again, delete its folder.
"""

import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpusmill import schema
from corpusmill.collect.crawl.agent import agent_of
from corpusmill.collect.crawl.frontier import (
    PAGE_FATES,
    PAGES_PER_ROUND,
    URLS_PER_PART,
    WAITS,
    Frontier,
    key_of,
    keys_of_part,
    shards_for,
    share_out,
)
from corpusmill.collect.crawl.previous import previous_folder
from corpusmill.collect.crawl.seeds import gave_page
from corpusmill.collect.crawl.shard import Shard, fetch_shard, keys_of_shard
from corpusmill.collect.crawl.state import CrawlFolder, CrawlSummary, PlanReceipt, fingerprint
from corpusmill.collect.crawl.tables import note_of, publish_table, read_table, table_of
from corpusmill.collect.settings import CrawlSettings
from corpusmill.errors import BalanceError, RunError
from corpusmill.reasons import Fate
from corpusmill.store import full_disk_is_a_run_error


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """Identifies a part of the frontier before a round: what `merge` makes."""

    folder: CrawlFolder
    settings: CrawlSettings
    round: int
    index: int
    parts: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Round:
    """A round that was planned: its shards are fetched, then the parts of the frontier after it are made."""

    folder: CrawlFolder
    settings: CrawlSettings
    number: int
    plan: PlanReceipt

    @property
    def shards(self) -> list[Shard]:
        """What is fetched."""
        return [Shard(folder=self.folder, settings=self.settings, round=self.number, index=i) for i in self.plan.shards]

    @property
    def parts(self) -> list[Part]:
        """What is made when all shards are fetched."""
        return _parts(self.folder, self.settings, self.number + 1, self.plan.parts_after)


def crawl_rounds(
    folder: CrawlFolder, settings: CrawlSettings, run: Callable[[Round], object] | None = None
) -> CrawlSummary:
    """Crawl into a folder, or continue the crawl there, until nothing is left to fetch.

    `run` gets a round, and must call `fetch_shard` for each of its shards and then `merge` for each of its parts, in
    any process.  Without `run` this is done here, one after the other.  RunError if the disk is full, or a shard was
    not fetched; InputError if a seed is not a URL, or the settings name no contact.
    """
    summary = folder.summary()
    if summary is not None and summary.gave_pages and summary.fingerprint == fingerprint(settings):
        return summary
    agent_of(settings)
    previous_folder(folder, settings)
    Frontier(settings, 0)
    if summary is not None and not summary.gave_pages:
        shutil.rmtree(folder.path)
    folder.reopen()
    number = latest(folder)
    if number > 1 and not (folder.path / "hosts").exists():
        raise RunError(f"{folder.path}: an earlier version has begun this crawl; delete the folder to start it again")
    with full_disk_is_a_run_error(folder.path):
        while True:
            parts = _parts(folder, settings, 1, 1)
            if plan := folder.plan_receipt(number):
                round = Round(folder=folder, settings=settings, number=number, plan=plan)
                _restore(round)
                (run or _run_here)(round)
                _check_done(round)
                parts = round.parts
            for part in parts:
                merge(part)
            if not plan_round(folder, settings, number + 1, len(parts)):
                break
            folder.forget(number)
            number += 1
        return close(folder, settings, number, parts)


def latest(folder: CrawlFolder) -> int:
    """The number of the last round that was planned; 0 if none was."""
    number = 0
    while folder.plan_receipt(number + 1) is not None:
        number += 1
    return number


def _run_here(round: Round) -> None:
    for shard in round.shards:
        fetch_shard(shard)


def _parts(folder: CrawlFolder, settings: CrawlSettings, round: int, parts: int) -> list[Part]:
    return [Part(folder=folder, settings=settings, round=round, index=index, parts=parts) for index in range(parts)]


def plan_round(folder: CrawlFolder, settings: CrawlSettings, round: int, parts: int) -> bool:
    """Write the plan of a round from the frontier's parts.  False if nothing is left to fetch."""
    offers = [folder.part("offers", round, part) for part in range(parts)]
    n_shards = shards_for(settings)
    left = settings.max_pages - _pages(folder, round - 1)
    plan = share_out(offers, min(left, PAGES_PER_ROUND * n_shards))
    if not len(plan):
        return False
    publish_table(plan, folder.plan(round))
    known = waiting = 0
    for part in range(parts):
        states = read_table(folder.part("frontier", round, part), ["state"])["state"]
        known += len(states)
        waiting += pc.sum(pc.equal(states, WAITS)).as_py() or 0
    first = folder.plan_receipt(1)
    receipt = PlanReceipt(
        candidates=sum(pq.read_metadata(path).num_rows for path in offers),
        pending=waiting,
        shards=sorted({key * n_shards // (keys_of_part(0, 1)[1]) for key in plan["key"].to_pylist()}),
        n_shards=n_shards,
        parts=parts,
        parts_after=2 * parts if known > parts * URLS_PER_PART else parts,
        year=first.year if first else datetime.now(UTC).year,
    )
    folder.write_plan_receipt(round, receipt)
    return True


def _pages(folder: CrawlFolder, rounds: int) -> int:
    """The pages that some rounds have fetched."""
    plans = [(number, folder.plan_receipt(number)) for number in range(1, rounds + 1)]
    receipts = [folder.shard_receipt(number, shard) for number, plan in plans if plan for shard in plan.shards]
    return sum(receipt.pages for receipt in receipts if receipt)


def is_done(shard: Shard) -> bool:
    """Whether a shard has been fetched."""
    return shard.folder.shard_receipt(shard.round, shard.index) is not None


def _restore(round: Round) -> None:
    """Make what a round was planned from again, if its files are lost and a shard needs them."""
    if not all(is_done(shard) for shard in round.shards):
        for part in _parts(round.folder, round.settings, round.number, round.plan.parts):
            if not round.folder.part("offers", round.number, part.index).exists():
                merge(part)


def _check_done(round: Round) -> None:
    if not all(is_done(shard) for shard in round.shards):
        raise RunError(
            f"{round.folder.path}: the runner ended before round {round.number} was done; run the same command again"
        )


def merge(part: Part) -> None:
    """Make a part of the frontier, unless it is there: from the part before the last round, and from what it did.

    If the settings have changed, it is made from the results of all rounds.  RunError if a shard was not fetched;
    BalanceError if its results do not match its plan.
    """
    folder, round = part.folder, part.round
    note = f"{fingerprint(part.settings)} {part.parts}"
    names = ("offers", "accounts", "frontier")  # the last one is written last
    if note_of(folder.part("frontier", round, part.index)) == note:
        return
    frontier, first, asked = _before(part)
    for number in range(first, round):
        for urls, links, retries, hosts in _results(part, number):
            if asked is not None and not asked.issuperset(_own(part, urls)):
                raise BalanceError(
                    f"{folder.path}: round {number} fetched URLs that it did not plan; please report this"
                )
            frontier.add(number, urls, links, retries, hosts)
    urls, accounts = frontier.tables()
    for name, table in zip(names, (frontier.offers(), accounts, urls), strict=True):
        publish_table(table, folder.part(name, round, part.index), note)


def _own(part: Part, urls: pa.Table) -> Iterator[str]:
    """The URLs of a shard's table that belong to a part."""
    keys = range(*keys_of_part(part.index, part.parts))
    for url, host in zip(urls["url"].to_pylist(), urls["host"].to_pylist(), strict=True):
        if key_of(host) in keys:
            yield url


def _before(part: Part) -> tuple[Frontier, int, set[str] | None]:
    """The part before the last round, that round, and what it may have fetched.

    If there is no such part for the present settings: the part before the first round, 1, None.
    """
    folder, before = part.folder, part.round - 1
    first = folder.plan_receipt(1)
    frontier = Frontier(part.settings, first.year if first else datetime.now(UTC).year, part.index, part.parts)
    plan = folder.plan_receipt(before)
    if plan is None:
        return frontier, 1, None
    index = part.index * plan.parts // part.parts
    path = folder.part("frontier", before, index)
    if note_of(path) != f"{fingerprint(part.settings)} {plan.parts}":
        return frontier, 1, None
    frontier.load(read_table(path), read_table(folder.part("accounts", before, index)))
    return frontier, before, set(read_table(folder.part("offers", before, index), ["url"])["url"].to_pylist())


def _results(part: Part, number: int) -> Iterator[tuple[pa.Table, pa.Table, pa.Table, pa.Table]]:
    """What the shards of a round did and found that concerns a part: rows of urls, links, retries and hosts.

    The rows of links are those of the part.  The others may include those of other parts.
    """
    folder, plan, keys = part.folder, part.folder.plan_receipt(number), keys_of_part(part.index, part.parts)
    assert plan is not None, "a round is merged after it was planned"
    for shard in plan.shards:
        if folder.shard_receipt(number, shard) is None:
            raise RunError(
                f"{folder.path}: the runner ended before round {number} was done; run the same command again"
            )
        first, last = keys_of_shard(shard, plan.n_shards)
        own = first < keys[1] and keys[0] < last
        tables = [read_table(folder.file(kind, number, shard)) for kind in ("urls", "retries", "hosts")]
        urls, retries, hosts = tables if own else [table.slice(0, 0) for table in tables]
        yield urls, read_table(folder.file("links", number, shard), keys=keys), retries, hosts


def close(folder: CrawlFolder, settings: CrawlSettings, rounds: int, parts: list[Part]) -> CrawlSummary:
    """Write why the other URLs were not fetched, check the counts, and close the crawl."""
    met = 0
    for part in parts:
        frontier = Frontier(settings, 0, part.index, part.parts)
        frontier.load(*(read_table(folder.part(kind, part.round, part.index)) for kind in ("frontier", "accounts")))
        met += len(frontier)
        unfetched = list(frontier.unfetched(folder.source))
        publish_table(table_of(unfetched, schema.URLS), folder.path / "urls" / f"unfetched-{part.index:04d}.parquet")
    fates: Counter[str] = Counter()
    good = 0
    for path in folder.files("urls"):
        outcomes = read_table(path, ["fate", "http_status"])
        fates.update(outcomes["fate"].to_pylist())
        good += sum(map(gave_page, outcomes["fate"].to_pylist(), outcomes["http_status"].to_pylist()))
    plans = [(number, folder.plan_receipt(number)) for number in range(1, rounds + 1)]
    receipts = [folder.shard_receipt(number, shard) for number, plan in plans if plan for shard in plan.shards]
    done = [receipt for receipt in receipts if receipt]
    pages = sum(receipt.pages for receipt in done)
    if fates.total() != met or sum(fates[fate] for fate in PAGE_FATES) != pages:
        raise BalanceError(
            f"{folder.path}: {met} URLs were met and {pages} pages stored, but {fates.total()} URLs are on "
            f"record, {fates[Fate.FETCHED]} of them as fetched; please report this"
        )
    summary = CrawlSummary(
        fingerprint=fingerprint(settings),
        rounds=rounds,
        urls=fates.total(),
        pages=pages,
        bytes=sum(receipt.bytes for receipt in done),
        fates=dict(sorted(fates.items())),
        seconds=round(sum(receipt.seconds for receipt in done), 3),
        finished_at=round(time.time(), 3),
        good=good,
    )
    folder.close(summary)
    return summary
