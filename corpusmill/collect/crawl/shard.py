"""One shard of a round: its hosts are fetched side by side, each by its own lane, and the results are published.

Each lane writes its WARC records to a file of its own.  At the end these files are joined in the order of the hosts.
So two crawls of an unchanged site write the same records in the same order, whatever the timing of the lanes was.  The
shard's files are renamed into place one by one, and the receipt comes last.  A shard without a receipt is fetched
again.
"""

import asyncio
import shutil
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.compute as pc

from corpusmill import schema
from corpusmill.collect.crawl.fetch import fetching
from corpusmill.collect.crawl.frontier import Candidate, best_ways
from corpusmill.collect.crawl.lane import Lane, Policies
from corpusmill.collect.crawl.robots import PolicyFile
from corpusmill.collect.crawl.state import CrawlFolder, ShardReceipt, publishing
from corpusmill.collect.crawl.tables import ROBOTS, policy_files, publish_table, read_table, table_of
from corpusmill.collect.crawl.urls import origin_of
from corpusmill.collect.crawl.warc import WarcFile
from corpusmill.collect.settings import CrawlSettings
from corpusmill.store import full_disk_is_a_run_error

HOSTS_AT_ONCE = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class Shard:
    """Identifies a shard: its crawl, its round and its number."""

    folder: CrawlFolder
    settings: CrawlSettings
    round: int
    index: int


def fetch_shard(shard: Shard) -> ShardReceipt:
    """Fetch a shard and publish its results, unless they are published already.  RunError if the disk is full."""
    folder = shard.folder
    with full_disk_is_a_run_error(folder.path), folder.claim(shard.round, shard.index):
        receipt = folder.shard_receipt(shard.round, shard.index)
        if receipt is None:
            prefix = f".round-{shard.round:04d}-{shard.index:02d}."
            with tempfile.TemporaryDirectory(dir=folder.path, prefix=prefix, suffix=".tmp") as scratch:
                receipt = _fetch(shard, Path(scratch))
            folder.write_shard_receipt(shard.round, shard.index, receipt)
    return receipt


def _fetch(shard: Shard, scratch: Path) -> ShardReceipt:
    started = time.time()
    candidates = _planned(shard)
    known = list(_fresh_policy_files(shard, {origin_of(c.url) for queue in candidates.values() for c in queue}))
    lanes, policies = asyncio.run(_run_lanes(shard, candidates, known, scratch))
    _publish(shard, lanes, policies)
    now = time.time()
    return ShardReceipt(
        urls=sum(len(lane.rows) for lane in lanes),
        pages=sum(lane.pages for lane in lanes),
        bytes=sum(lane.bytes for lane in lanes),
        seconds=round(now - started, 3),
        finished_at=round(now, 3),
    )


def _planned(shard: Shard) -> dict[str, list[Candidate]]:
    """The shard's candidates by host."""
    plan = read_table(shard.folder.plan(shard.round))
    queues: dict[str, list[Candidate]] = {}
    for row in plan.filter(pc.equal(plan["shard"], shard.index)).to_pylist():
        queues.setdefault(row["host"], []).append(Candidate(**row))
    return dict(sorted(queues.items()))


def _fresh_policy_files(shard: Shard, origins: set[str]) -> Iterator[PolicyFile]:
    """The policy files that earlier rounds read within the last day, for the given origins."""
    now = datetime.now(UTC)
    for path in shard.folder.files("robots"):
        table = read_table(path)
        yield from (f for f in policy_files(table) if f.origin in origins and f.is_fresh(now))


async def _run_lanes(
    shard: Shard, candidates: dict[str, list[Candidate]], known: list[PolicyFile], scratch: Path
) -> tuple[list[Lane], Policies]:
    """Run all lanes to their end, and return them in the order of their hosts."""
    at_once = asyncio.Semaphore(HOSTS_AT_ONCE)
    # One thread for each: slow name resolution and long pages must not delay the others.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(HOSTS_AT_ONCE, "crawl"))

    async def run(lane: Lane) -> None:
        async with at_once:
            await lane.run()

    async with fetching(shard.settings, _seconds_since_the_round_before(shard)) as fetcher:
        policies = Policies(shard.settings, fetcher, known)
        lanes = [
            Lane(
                source=shard.folder.source,
                round=shard.round,
                settings=shard.settings,
                fetcher=fetcher,
                policies=policies,
                queue=queue,
                members=scratch / f"{i:06d}",
                warc_name=f"{shard.folder.source}/{shard.folder.warc(shard.round, shard.index).name}",
            )
            for i, queue in enumerate(candidates.values())
        ]
        try:
            async with asyncio.TaskGroup() as group:
                for lane in lanes:
                    group.create_task(run(lane))
        except ExceptionGroup as failures:  # the other tasks were cancelled because of the first failure
            raise failures.exceptions[0] from None
    return lanes, policies


def _seconds_since_the_round_before(shard: Shard) -> float:
    """The least time since the last request to any of the hosts."""
    plan = shard.folder.plan_receipt(shard.round - 1)
    receipts = [shard.folder.shard_receipt(shard.round - 1, i) for i in plan.shards] if plan else []
    last = max((receipt.finished_at for receipt in receipts if receipt), default=0.0)
    return max(0.0, time.time() - last)


def _publish(shard: Shard, lanes: list[Lane], policies: Policies) -> None:
    """Publish the shard's four files."""
    folder, where = shard.folder, (shard.round, shard.index)
    warc = folder.warc(*where)
    warc.unlink(missing_ok=True)
    if any(lane.pages for lane in lanes):
        with publishing(warc) as temporary, temporary.open("wb") as file:
            date = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            WarcFile(file, shard.round).write_info(warc.name, date, shard.settings.user_agent)
            for lane in lanes:
                with lane.members.open("rb") as members:
                    shutil.copyfileobj(members, file)
    rows = [row for lane in lanes for row in lane.rows]
    publish_table(table_of(rows, schema.URLS), folder.file("urls", *where))
    publish_table(best_ways(met for lane in lanes for met in lane.links), folder.file("links", *where))
    files = sorted(policies.read, key=lambda file: (file.origin, file.path))
    publish_table(table_of(files, ROBOTS), folder.file("robots", *where))
