"""The rounds of a crawl: plan them from the files on disk, read their results, and check the counts at the end.

A stopped crawl continues.  A finished crawl continues, too, if its settings have changed: fetched pages stay, and all
other URLs are decided again with the present settings.  To start a crawl again, delete its folder.
"""

import shutil
import time
from collections import Counter
from collections.abc import Callable
from itertools import count

import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpusmill import schema
from corpusmill.collect.crawl.frontier import PAGE_FATES, Frontier
from corpusmill.collect.crawl.shard import Shard, fetch_shard
from corpusmill.collect.crawl.state import CrawlFolder, CrawlSummary, PlanReceipt, fingerprint
from corpusmill.collect.crawl.tables import PLAN, publish_table, read_table, table_of
from corpusmill.collect.crawl.urls import normalise
from corpusmill.collect.settings import CrawlSettings
from corpusmill.errors import BalanceError, RunError
from corpusmill.reasons import Fate


def crawl_rounds(
    folder: CrawlFolder, settings: CrawlSettings, fetch: Callable[[list[Shard]], object] | None = None
) -> CrawlSummary:
    """Crawl into a folder, or continue the crawl there, until nothing is left to fetch.

    `fetch` gets the shards of a round, and must call `fetch_shard` for each of them, in any process.  Without `fetch`
    they are fetched here, one after the other.  RunError if no page at all could be fetched, the disk is full, or a
    shard was not fetched; InputError if a seed is not a URL.
    """
    summary = folder.summary()
    if summary is not None and summary.fingerprint == fingerprint(settings):
        return summary
    frontier = Frontier(settings)
    folder.reopen()
    for round in count(1):
        shards = plan_round(folder, frontier, settings, round)
        if not shards:
            break
        if todo := [shard for shard in shards if not is_done(shard)]:
            (fetch or _fetch_here)(todo)
        for shard in shards:
            take_in(frontier, shard)
    return close(folder, frontier, settings, round - 1)


def _fetch_here(shards: list[Shard]) -> None:
    for shard in shards:
        fetch_shard(shard)


def plan_round(folder: CrawlFolder, frontier: Frontier, settings: CrawlSettings, round: int) -> list[Shard]:
    """The round's shards, in order; none if the crawl is over.  The plan is written unless it exists."""
    receipt = folder.plan_receipt(round)
    if receipt is None:
        candidates = frontier.plan()
        if not candidates:
            return []
        publish_table(table_of(candidates, PLAN), folder.plan(round))
        shards = sorted({candidate.shard for candidate in candidates})
        receipt = PlanReceipt(candidates=len(candidates), pending=frontier.pending, shards=shards)
        folder.write_plan_receipt(round, receipt)
    return [Shard(folder=folder, settings=settings, round=round, index=index) for index in receipt.shards]


def is_done(shard: Shard) -> bool:
    """Whether a shard has been fetched."""
    return shard.folder.shard_receipt(shard.round, shard.index) is not None


def take_in(frontier: Frontier, shard: Shard) -> None:
    """Add a shard's results to the frontier.

    RunError if the shard was not fetched; BalanceError if its results do not match its plan.
    """
    folder, where = shard.folder, (shard.round, shard.index)
    if not is_done(shard):
        raise RunError(
            f"{folder.path}: the runner ended before round {shard.round} was done; run the same command again"
        )
    urls, plan = read_table(folder.file("urls", *where)), read_table(folder.plan(shard.round))
    asked = set(plan.filter(pc.equal(plan["shard"], shard.index))["url"].to_pylist())
    if not asked.issuperset(urls["url"].to_pylist()):
        raise BalanceError(f"{folder.path}: round {shard.round} fetched URLs that it did not plan; please report this")
    frontier.add(shard.round, urls, read_table(folder.file("links", *where)))


def close(folder: CrawlFolder, frontier: Frontier, settings: CrawlSettings, rounds: int) -> CrawlSummary:
    """Write why the other URLs were not fetched, check the counts, and close the crawl.

    RunError if no page at all could be fetched.  Then nothing is kept, so the next run requests all again.
    """
    unfetched = list(frontier.unfetched(folder.source))
    publish_table(table_of(unfetched, schema.URLS), folder.path / "urls" / "unfetched.parquet")
    fates: Counter[str] = Counter()
    for path in folder.files("urls"):
        fates.update(pq.read_table(path, columns=["fate"], use_threads=False)["fate"].to_pylist())
    plans = [(number, folder.plan_receipt(number)) for number in range(1, rounds + 1)]
    receipts = [folder.shard_receipt(number, shard) for number, plan in plans if plan for shard in plan.shards]
    done = [receipt for receipt in receipts if receipt]
    pages = sum(receipt.pages for receipt in done)
    if fates.total() != len(frontier) or sum(fates[fate] for fate in PAGE_FATES) != pages:
        raise BalanceError(
            f"{folder.path}: {len(frontier)} URLs were met and {pages} pages stored, but {fates.total()} URLs are on "
            f"record, {fates[Fate.FETCHED]} of them as fetched; please report this"
        )
    if pages == 0:
        raise _nothing_fetched(folder, settings)
    summary = CrawlSummary(
        fingerprint=fingerprint(settings),
        rounds=rounds,
        urls=fates.total(),
        pages=pages,
        bytes=sum(receipt.bytes for receipt in done),
        fates=dict(sorted(fates.items())),
        seconds=round(sum(receipt.seconds for receipt in done), 3),
        finished_at=round(time.time(), 3),
    )
    folder.close(summary)
    return summary


def _nothing_fetched(folder: CrawlFolder, settings: CrawlSettings) -> RunError:
    """The error that no page could be fetched; the first seed's fate is the reason.  It clears the folder."""
    seed = normalise(settings.seeds[0])
    rows = (row for path in folder.files("urls") for row in read_table(path).to_pylist())
    first = next(row for row in rows if row["url"] == seed)
    shutil.rmtree(folder.path)
    why = first["fate"].replace("_", " ") + (f": {first['error']}" if first["error"] else "")
    return RunError(f"source '{folder.source}': no page could be fetched; the first failure was {first['url']} ({why})")
