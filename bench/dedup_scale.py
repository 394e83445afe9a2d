"""Group, verify and resolve generated sketches of millions of documents: wall time, memory, bytes read and shuffled.

    python bench/dedup_scale.py FOLDER [--millions 1 3 10] [--workers 2] [--shingles 200]

Real text of ten million documents does not fit here, so the sketches are generated: of every seven documents, four have
no duplicate, two are near-duplicates of each other (J = 0.9), and one belongs to a cluster of 2 to 200.  A sketch has
random shingles and the bands that `corpusmill.dedup.sketch` computes from them.  The stage `twins` runs
on them as in a corpus: every part scatters, every partition gathers, the edges are joined, and every task verifies.
Parts and partitions are divided among processes, and what is sent between them goes through files.

What the answer must be is known: of every pair and cluster that shares a band, one document stays.  It is checked.
"""

import argparse
import json
import multiprocessing
import shutil
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from frame import sample

from corpusmill import schema
from corpusmill.dedup.group import assignments, band_blobs, components, member_blobs, partitions_for, spanning_edges
from corpusmill.dedup.local import DOCUMENTS_PER_TASK
from corpusmill.dedup.settings import DedupSettings
from corpusmill.dedup.sketch import _hash_bands, permutations
from corpusmill.dedup.verify import twins_table, verify_task
from corpusmill.kernels import kernel

SETTINGS = DedupSettings()
ROWS = 50_000  # of a part
LARGEST = 200  # documents of a cluster
BAND_COLUMNS = ["doc_id", "content_hash", "bands"]
SKETCH_COLUMNS = [*BAND_COLUMNS, "n_chars", "shingles"]


@kernel
def _sketches(seeds: Any, copies: Any, size: int, a: Any, b: Any, rows: int, bands: int) -> Any:
    """Sorted shingles (n * size) and band hashes (n, bands): document d is copy `copies[d]` of the unit `seeds[d]`.

    Of a copy's shingles, 2.5 to 5 % are its own.
    """
    n, mix = len(seeds), np.uint64(0xD6E8FEB86659FD93)
    shingles, found = np.empty(n * size, np.uint32), np.zeros((n, bands), np.uint64)
    scratch = np.empty(size + 64, np.uint32)
    for d in range(n):
        own = shingles[d * size : (d + 1) * size]
        copy = np.uint64(copies[d])
        changed = size // 40 + copy * np.uint64(7) % np.uint64(size // 40) if copies[d] else np.uint64(0)
        for i in range(size):
            h = seeds[d] + np.uint64(i) * np.uint64(0x9E3779B97F4A7C15)
            if (np.uint64(i) * np.uint64(61) + copy * np.uint64(13)) % np.uint64(size) < changed:
                h += copy << np.uint64(40)
            for _ in range(2):
                h = (h ^ h >> np.uint64(32)) * mix
            own[i] = np.uint32(h >> np.uint64(32))
        own.sort()
        _hash_bands(own, size, a, b, rows, scratch, found[d])
    return shingles, found


def make_part(folder: Path, part: int, n_parts: int, size: int) -> tuple[int, int]:
    """Write the sketches of a part; (documents, documents that belong to a cluster but are not its first).

    Clusters lie across parts: member k of a cluster is in part (part + k) % n_parts.  Every part can say what the
    clusters of the others are, because all come from the same numbers.
    """
    seeds, copies, extra = [], [], 0
    for first in range(n_parts):
        rng = np.random.default_rng([17, first])
        # units that begin in part `first`: single documents, pairs, and few large clusters
        large = rng.integers(2, LARGEST + 1, ROWS // 7 // (1 + LARGEST // 2))
        sizes = np.concatenate([np.ones(ROWS * 4 // 7, np.int64), np.full(ROWS // 7, 2), large])
        of_units = rng.integers(1 << 63, size=len(sizes)).astype(np.uint64)
        for copy in range((part - first) % n_parts, LARGEST, n_parts):
            chosen = of_units[sizes > copy]
            seeds.append(chosen)
            copies.append(np.full(len(chosen), copy))
            extra += len(chosen) if copy else 0
    return _write(folder, part, np.concatenate(seeds), np.concatenate(copies), size), extra


def _write(folder: Path, part: int, seeds: Any, copies: Any, size: int) -> int:
    a, b = permutations(SETTINGS.bands * SETTINGS.rows, SETTINGS.seed)
    shingles, bands = _sketches(seeds, copies, size, a, b, SETTINGS.rows, SETTINGS.bands)
    n = len(seeds)
    keys = seeds + copies.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) | np.uint64(1)
    table = pa.table(
        {
            "doc_id": pa.array([f"{part:08x}{row:016x}" for row in range(n)]),
            "content_hash": pa.array(keys),
            "n_chars": pa.array(np.full(n, 5 * size)),
            "bands": pa.ListArray.from_arrays(np.arange(n + 1, dtype=np.int32) * SETTINGS.bands, bands.ravel()),
            "shingles": pa.ListArray.from_arrays(np.arange(n + 1, dtype=np.int32) * size, shingles),
        },
        schema=schema.SKETCHES.arrow,
    )
    pq.write_table(table, folder / f"sketches/{part:05}.parquet", compression="none", use_dictionary=False)
    return n


def sketches(folder: Path, part: int, columns: list[str]) -> tuple[pa.Table, int]:
    """Columns of a part's sketches, and the bytes that were read for them."""
    path = folder / f"sketches/{part:05}.parquet"
    table = pq.read_table(path, columns=columns)
    return table, table.nbytes


def scatter_bands(folder: Path, part: int, partitions: int) -> tuple[int, int]:
    """Send a part's bands to every partition; bytes read and sent."""
    table, n_read = sketches(folder, part, BAND_COLUMNS)
    sent = 0
    blobs = band_blobs(table, np.ones(len(table), np.bool_), part, partitions)
    with (folder / f"bands/{part:05}").open("wb") as file:
        for blob in blobs:
            file.write(blob)
            sent += len(blob)
    (folder / f"bands/{part:05}.json").write_text(json.dumps([len(blob) for blob in blobs]))
    return n_read, sent


def gather_bands(folder: Path, partition: int, n_parts: int) -> tuple[int, int]:
    """Edges of one partition; bytes read and sent."""
    blobs = []
    for part in range(n_parts):
        sizes = json.loads((folder / f"bands/{part:05}.json").read_text())
        with (folder / f"bands/{part:05}").open("rb") as file:
            file.seek(sum(sizes[:partition]))
            blobs.append(file.read(sizes[partition]))
    edges = spanning_edges(blobs)
    (folder / f"edges/{partition:05}").write_bytes(edges)
    return sum(map(len, blobs)), len(edges)


def scatter_members(folder: Path, part: int) -> tuple[int, int, list[int]]:
    """Send a part's members to their tasks; bytes read and sent, and the tasks."""
    table, n_read = sketches(folder, part, SKETCH_COLUMNS)
    sent, tasks = 0, []
    for task, _, blob in member_blobs({part: table}, (folder / f"members/{part:05}").read_bytes()):
        (folder / f"tasks/{task:05}").mkdir(exist_ok=True)
        (folder / f"tasks/{task:05}/{part:05}").write_bytes(blob)
        sent += len(blob)
        tasks.append(task)
    return n_read, sent, tasks


def verify(folder: Path, task: int, n_parts: int) -> tuple[int, int, list[tuple[int, bytes]]]:
    """One task's answers."""
    blobs = [(int(path.name), path.read_bytes()) for path in sorted((folder / f"tasks/{task:05}").iterdir())]
    found = verify_task(blobs, SETTINGS, n_parts)
    return sum(len(blob) for _, blob in blobs), sum(len(blob) for _, blob in found), found


def call(work: tuple[Callable[..., Any], tuple[Any, ...]]) -> Any:
    """Call a function with arguments."""
    function, arguments = work
    return function(*arguments)


class Memory(threading.Thread):
    """Watches the memory of this process and its children."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak, self.cpu, self.ended = 0.0, dict[int, float](), threading.Event()
        self.start()

    def run(self) -> None:
        """Sample until the end."""
        while not self.ended.wait(0.2):
            self.peak = max(self.peak, sample(psutil.Process().pid, self.cpu))


def measure(
    folder: Path, n_parts: int, workers: int, see: Callable[[pa.Table], None] | None = None
) -> dict[str, float]:
    """Run the stage on the sketches of a folder.  see: called with the twins of each part."""
    for name in ("bands", "edges", "members", "tasks"):
        shutil.rmtree(folder / name, ignore_errors=True)
        (folder / name).mkdir()
    n = sum(pq.ParquetFile(folder / f"sketches/{part:05}.parquet").metadata.num_rows for part in range(n_parts))
    partitions = partitions_for(n, SETTINGS.bands)
    n_read = n_sent = 0
    memory, started = Memory(), time.perf_counter()
    laps: dict[str, float] = {}
    with multiprocessing.get_context("spawn").Pool(workers) as pool:

        def every(function: Callable[..., Any], arguments: Iterable[tuple[Any, ...]]) -> Iterable[Any]:
            lap = time.perf_counter()
            yield from pool.imap_unordered(call, [(function, (folder, *each)) for each in arguments])
            laps[function.__name__] = time.perf_counter() - lap

        for read, sent in every(scatter_bands, [(part, partitions) for part in range(n_parts)]):
            n_read, n_sent = n_read + read, n_sent + sent
        for _, sent in every(gather_bands, [(partition, n_parts) for partition in range(partitions)]):
            n_sent += sent
        lap = time.perf_counter()
        edges = [(folder / f"edges/{partition:05}").read_bytes() for partition in range(partitions)]
        print(f"   {sum(map(len, edges)) / 1e6:,.1f} MB of edges", flush=True)
        for part, members in assignments(components(edges), DOCUMENTS_PER_TASK, n_parts):
            (folder / f"members/{part:05}").write_bytes(members)
            n_sent += len(members)
        del edges
        laps["join"] = time.perf_counter() - lap
        tasks: set[int] = set()
        hosts = [(int(path.name),) for path in sorted((folder / "members").iterdir())]
        for read, sent, own in every(scatter_members, hosts):
            n_read, n_sent = n_read + read, n_sent + sent
            tasks |= {*own}
        records: dict[int, list[bytes]] = defaultdict(list)
        for _, sent, found in every(verify, [(task, n_parts) for task in sorted(tasks)]):
            n_sent += sent
            for part, content in found:
                records[part].append(content)
    dropped = limited = 0
    for part in sorted(records):
        table = twins_table(records.pop(part), SETTINGS)
        dropped += len(table["rule"].drop_null())
        limited += pc.sum(table["limited"]).as_py()
        if see is not None:
            see(table)
    wall = time.perf_counter() - started
    memory.ended.set()
    memory.join()
    print("   " + ", ".join(f"{name} {seconds:.1f} s" for name, seconds in laps.items()))
    return {
        "documents": n,
        "wall": wall,
        "cpu": sum(memory.cpu.values()),
        "memory": memory.peak,
        "read": n_read,
        "sent": n_sent,
        "dropped": dropped,
        "limited": limited,
    }


def make(folder: Path, n_parts: int, size: int, workers: int) -> int:
    """Write all sketches; returns how many documents are in a cluster and not its first."""
    (folder / "sketches").mkdir(parents=True)
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        made = pool.starmap(make_part, [(folder, part, n_parts, size) for part in range(n_parts)])
    return sum(extra for _, extra in made)


def main(arguments: Sequence[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--millions", nargs="+", type=float, default=[1, 3, 10])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--shingles", type=int, default=200)
    given = parser.parse_args(arguments)
    for millions in given.millions:
        folder = given.folder / f"{millions:g}m"
        shutil.rmtree(folder, ignore_errors=True)
        n_parts = max(1, round(millions * 1e6 / ROWS))
        extra = make(folder, n_parts, given.shingles, given.workers)
        found = measure(folder, n_parts, given.workers)
        shutil.rmtree(folder)
        print(
            f"{found['documents']:>12,} documents: {found['wall']:.0f} s, CPU {found['cpu']:.0f} s, "
            f"{found['memory'] / 1e6:,.0f} MB of memory, {found['read'] / 1e6:,.0f} MB read, "
            f"{found['sent'] / 1e6:,.0f} MB sent; {found['dropped']:,} dropped of {extra:,} copies "
            f"({found['dropped'] / max(extra, 1):.4f}), {found['limited']:,} limited",
            flush=True,
        )


if __name__ == "__main__":
    main(sys.argv[1:])
