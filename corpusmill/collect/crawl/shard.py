"""One shard of a round: its hosts are fetched side by side, each by its own lane, and the results are published.

All lanes write into one journal.  At the end its records are joined to a WARC file, in the order of the hosts.  So two
crawls of an unchanged site write the same records in the same order, whatever the timing of the lanes was.  The shard's
files are renamed into place one by one, and the receipt comes last.  A shard without a receipt goes on from its
journal.
"""

import asyncio
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import attrgetter
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from corpusmill import schema
from corpusmill.collect.crawl.agent import agent_of, operator_of
from corpusmill.collect.crawl.fetch import fetching
from corpusmill.collect.crawl.frontier import KEYS, SPARES, Candidate, best_ways, keys_of_part
from corpusmill.collect.crawl.journal import Journal
from corpusmill.collect.crawl.lane import Lane, Policies, Recovered
from corpusmill.collect.crawl.previous import earlier_answers
from corpusmill.collect.crawl.robots import PolicyFile
from corpusmill.collect.crawl.state import CrawlFolder, Live, ShardReceipt, publishing
from corpusmill.collect.crawl.tables import (
    HOSTS,
    RETRIES,
    ROBOTS,
    VALIDATORS,
    policy_files,
    publish_table,
    read_table,
    table_of,
)
from corpusmill.collect.crawl.urls import origin_of
from corpusmill.collect.crawl.warc import WarcFile
from corpusmill.collect.settings import CrawlSettings
from corpusmill.store import full_disk_is_a_run_error

HOSTS_AT_ONCE = 256
LIVE_S = 1.0  # between two looks at a shard's progress
COPY_BYTES = 1 << 24


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
        path = folder.journal(shard.round, shard.index)
        if receipt is None:
            with Journal(path) as journal:
                receipt = _fetch(shard, journal)
            folder.write_shard_receipt(shard.round, shard.index, receipt)
        for done in (path, path.with_suffix(".json")):
            done.unlink(missing_ok=True)
    return receipt


def _fetch(shard: Shard, journal: Journal) -> ShardReceipt:
    started = time.time()
    recovered = Recovered.of(journal)
    queues = _planned(shard)
    known = list(_fresh_policy_files(shard, {origin_of(c.url) for _, queue in queues for c in queue}))
    lanes, policies = asyncio.run(_run_lanes(shard, queues, known, journal, recovered))
    _publish(shard, lanes, policies, journal)
    now = time.time()
    return ShardReceipt(
        urls=sum(len(lane.rows) for lane in lanes),
        pages=sum(lane.pages for lane in lanes),
        bytes=sum(lane.bytes for lane in lanes),
        seconds=round(now - started, 3),
        finished_at=round(now, 3),
        errors=sum(lane.errors for lane in lanes),
    )


def _planned(shard: Shard) -> list[tuple[int, list[Candidate]]]:
    """(quota, candidates) of the shard's hosts, sorted by host."""
    folder, receipt = shard.folder, shard.folder.plan_receipt(shard.round)
    assert receipt is not None, "a shard is fetched after its round was planned"
    keys = keys_of_shard(shard.index, receipt.n_shards)
    plan = read_table(folder.plan(shard.round), keys=keys)
    quotas = dict(zip(plan["host"].to_pylist(), plan["quota"].to_pylist(), strict=True))
    queues: dict[str, list[Candidate]] = {host: [] for host in sorted(quotas)}
    for part in range(receipt.parts):
        first, last = keys_of_part(part, receipt.parts)
        if first < keys[1] and keys[0] < last:
            offers = read_table(folder.part("offers", shard.round, part), keys=keys)
            offers = offers.filter(pc.is_in(offers["host"], pa.array(quotas, pa.string())))
            for row in offers.to_pylist():
                if row["turn"] < SPARES * quotas[row["host"]]:
                    queues[row["host"]].append(Candidate(**row))
    return [(quotas[host], sorted(queue, key=attrgetter("turn"))) for host, queue in queues.items() if queue]


def keys_of_shard(shard: int, shards: int) -> tuple[int, int]:
    """The keys of the hosts of a shard: from the first to before the last."""
    return -(-shard * KEYS // shards), -(-(shard + 1) * KEYS // shards)


def _fresh_policy_files(shard: Shard, origins: set[str]) -> Iterator[PolicyFile]:
    """The policy files that earlier rounds read within the last day, for the given origins.

    A file that could not be had is asked for again in every round.
    """
    now = datetime.now(UTC)
    for path in shard.folder.files("robots"):
        table = read_table(path)
        chosen = table.filter(pc.is_in(table["origin"], pa.array(origins, pa.string())))
        files = policy_files(chosen)
        broken = {file.origin for file in files if file.fate is not None}
        yield from (file for file in files if file.is_fresh(now) and file.origin not in broken)


async def _run_lanes(
    shard: Shard,
    queues: list[tuple[int, list[Candidate]]],
    known: list[PolicyFile],
    journal: Journal,
    recovered: Recovered,
) -> tuple[list[Lane], Policies]:
    """Run all lanes to their end, and return them in the order of their hosts."""
    at_once = asyncio.Semaphore(HOSTS_AT_ONCE)
    # Many threads: slow name resolution and long pages must not delay the others.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(64, "crawl"))
    earlier = earlier_answers(shard.folder, shard.settings, (c.url for _, queue in queues for c in queue))

    async def run(lane: Lane) -> None:
        async with at_once:
            await lane.run()

    async with fetching(shard.settings, _seconds_since_the_last_request(shard, journal)) as fetcher:
        policies = Policies(shard.settings, fetcher, journal, [*known, *recovered.files])
        policies.read += recovered.files
        lanes = [
            Lane(
                source=shard.folder.source,
                round=shard.round,
                settings=shard.settings,
                fetcher=fetcher,
                policies=policies,
                journal=journal,
                recovered=recovered,
                queue=queue,
                quota=quota,
                earlier=earlier,
                warc_name=f"{shard.folder.source}/{shard.folder.warc(shard.round, shard.index).name}",
            )
            for quota, queue in queues
        ]
        reporter = asyncio.create_task(_say_how_far(shard, lanes))
        try:
            async with asyncio.TaskGroup() as group:
                for lane in lanes:
                    group.create_task(run(lane))
        except ExceptionGroup as failures:  # the other tasks were cancelled because of the first failure
            raise failures.exceptions[0] from None
        finally:
            reporter.cancel()
            with suppress(asyncio.CancelledError):
                await reporter
    return lanes, policies


async def _say_how_far(shard: Shard, lanes: list[Lane]) -> None:
    """Write every second how far the lanes are."""
    looks: deque[tuple[float, int]] = deque([(time.monotonic(), 0)], maxlen=10)
    while True:
        pages = sum(lane.pages for lane in lanes)
        now = time.monotonic()
        began, before = looks[0]
        looks.append((now, pages))
        live = Live(
            hosts=sum(lane.asking for lane in lanes),
            hosts_left=sum(not lane.ended for lane in lanes),
            urls=sum(len(lane.rows) for lane in lanes),
            pages=pages,
            bytes=sum(lane.bytes for lane in lanes),
            errors=sum(lane.errors for lane in lanes),
            pages_per_s=round((pages - before) / max(now - began, 0.1), 1),
            written_at=time.time(),
        )
        await asyncio.to_thread(shard.folder.write_live, shard.round, shard.index, live)
        await asyncio.sleep(LIVE_S)


def _seconds_since_the_last_request(shard: Shard, journal: Journal) -> float:
    """The least time since the last request to any of the hosts, in the round before or in this one before a kill."""
    plan = shard.folder.plan_receipt(shard.round - 1)
    receipts = [shard.folder.shard_receipt(shard.round - 1, i) for i in plan.shards] if plan else []
    last = max((receipt.finished_at for receipt in receipts if receipt), default=0.0)
    if journal.path.stat().st_size:
        last = max(last, journal.path.stat().st_mtime)
    return max(0.0, time.time() - last)


def _publish(shard: Shard, lanes: list[Lane], policies: Policies, journal: Journal) -> None:
    """Publish the shard's files."""
    folder, where = shard.folder, (shard.round, shard.index)
    warc = folder.warc(*where)
    warc.unlink(missing_ok=True)
    places: list[list[int]] = []
    if any(lane.pages for lane in lanes):
        with publishing(warc) as temporary, temporary.open("wb") as file:
            date = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            settings = shard.settings
            WarcFile(file, shard.round).write_info(warc.name, date, agent_of(settings), operator_of(settings))
            places = [[_copy(journal, member, file) for member in lane.members] for lane in lanes]
    rows = [row for lane in lanes for row in lane.rows]
    publish_table(table_of(rows, schema.URLS), folder.file("urls", *where))
    publish_table(best_ways(met for lane in lanes for met in lane.links), folder.file("links", *where))
    publish_table(
        table_of([retry for lane in lanes for retry in lane.retries], RETRIES), folder.file("retries", *where)
    )
    publish_table(table_of(lanes, HOSTS), folder.file("hosts", *where))
    publish_table(_validators(warc, lanes, places), folder.file("validators", *where))
    files = {(file.origin, file.path): file for file in policies.read}
    publish_table(table_of([files[name] for name in sorted(files)], ROBOTS), folder.file("robots", *where))


def _copy(journal: Journal, member: tuple[int, int], file: BinaryIO) -> int:
    """Copy records from the journal to the end of the WARC file; returns their offset in it."""
    place, (offset, length) = file.tell(), member
    for start in range(0, length, COPY_BYTES):
        file.write(journal.read(offset + start, min(COPY_BYTES, length - start)))
    return place


def _validators(warc: Path, lanes: list[Lane], places: list[list[int]]) -> pa.Table:
    rows = []
    for lane, offsets in zip(lanes, places or [[]] * len(lanes), strict=True):
        for index, validator in lane.validators:
            own = validator["warc_file"] is None
            file, _, offset = (validator["warc_file"] or "").partition("\n")
            place = (warc.name, offsets[index]) if own else (file, int(offset))
            rows.append(validator | {"warc_file": place[0], "offset": place[1]})
    return pa.Table.from_pylist(rows, schema=VALIDATORS.arrow)
