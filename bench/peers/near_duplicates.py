"""Find near-duplicates with another program, in an environment of its own; `bench/dedup.py` starts it.

    python bench/peers/near_duplicates.py PEER TEXT OUT

PEER: datatrove, text-dedup, datasketch, rensa.  TEXT: a folder of JSON lines and Parquet files with `id` and `text`.
Each uses word 5-grams, 14 bands of 8 rows and, where it can verify, the threshold 0.75.  It reads the text, and writes
the texts that stay into OUT/kept and what it removed into OUT/removed.jsonl: {"id", "twin"}, where twin is a document
of the same cluster.  This file imports nothing of corpusmill.
"""

import json
import re
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

NGRAM, BANDS, ROWS, THRESHOLD = 5, 14, 8, 0.75


def datatrove(text: Path, out: Path) -> None:
    """Its four steps, with their default settings."""
    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.dedup import (
        MinhashDedupBuckets,
        MinhashDedupCluster,
        MinhashDedupFilter,
        MinhashDedupSignature,
    )
    from datatrove.pipeline.dedup.minhash import MinhashConfig
    from datatrove.pipeline.readers import JsonlReader
    from datatrove.pipeline.writers.jsonl import JsonlWriter

    config = MinhashConfig(n_grams=NGRAM, num_buckets=BANDS, hashes_per_bucket=ROWS)
    work = {name: str(out / name) for name in ("signatures", "buckets", "clusters")}
    reader = JsonlReader(str(text), glob_pattern="*.jsonl")
    steps = [
        ([reader, MinhashDedupSignature(work["signatures"], config=config)], 1),
        ([MinhashDedupBuckets(work["signatures"], work["buckets"], config=config)], BANDS),
        ([MinhashDedupCluster(work["buckets"], work["clusters"], config=config, save_cluster_id=True)], 1),
        ([reader, MinhashDedupFilter(work["clusters"]), JsonlWriter(str(out / "kept"), compression=None)], 1),
    ]
    for number, (pipeline, tasks) in enumerate(steps):
        LocalPipelineExecutor(pipeline, tasks=tasks, workers=1, logging_dir=str(out / f"logs{number}")).run()
    rows = [json.loads(line)["id"] for path in sorted(text.glob("*.jsonl")) for line in path.open(encoding="utf-8")]
    removed = {row for (row,) in struct.iter_unpack("<I", (out / "clusters/000000.remove").read_bytes())}
    clusters: dict[int, list[int]] = {}
    for row, cluster in struct.iter_unpack("<2I", (out / "clusters/000000.clusters").read_bytes()):
        clusters.setdefault(cluster, []).append(row)
    pairs = []
    for members in clusters.values():
        (kept,) = (row for row in members if row not in removed)
        pairs += [(rows[row], rows[kept]) for row in members if row in removed]
    write_removed(out, pairs)


def text_dedup(text: Path, out: Path) -> None:
    """Its program `text_dedup.minhash`."""
    import pickle

    command = [
        *(sys.executable, "-m", "text_dedup.minhash", "--path", "parquet", "--data_files", str(text / "*.parquet")),
        *("--split", "train", "--cache_dir", str(out / "cache"), "--output", str(out / "kept"), "--column", "text"),
        *("--ngram", str(NGRAM), "--num_perm", str(BANDS * ROWS), "--b", str(BANDS), "--r", str(ROWS), "--debug"),
        *("--threshold", str(THRESHOLD), "--num_proc", "1", "--idx_column", "id", "--hash_func", "xxh3"),
    ]
    subprocess.run(command, check=True)
    with (out / "kept/uf.pkl").open("rb") as file:
        parents = pickle.load(file)  # it was written a moment ago
    parents = getattr(parents, "parent", parents)

    def root(row: int) -> int:
        while parents[row] != row:
            row = parents[row]
        return row

    write_removed(out, [(row, root(row)) for row in parents if root(row) != row])


def texts(folder: Path) -> Iterator[tuple[int, str]]:
    """The documents of all Parquet files."""
    import pyarrow.parquet as pq

    for path in sorted(folder.glob("*.parquet")):
        for batch in pq.ParquetFile(path).iter_batches(1000, columns=["id", "text"]):
            yield from zip(batch["id"].to_pylist(), batch["text"].to_pylist(), strict=True)


def ngrams(text: str) -> set[str]:
    """Word 5-grams."""
    words = re.findall(r"\w+", text.lower())
    return {" ".join(words[at : at + NGRAM]) for at in range(max(1, len(words) - NGRAM + 1))}


def filtered(folder: Path, out: Path, twin_of: "callable") -> None:  # type: ignore[valid-type]
    """Visit the documents in order, drop what has a twin, and write the others."""
    pairs = []
    (out / "kept").mkdir(parents=True)
    with (out / "kept/kept.jsonl").open("w", encoding="utf-8") as kept:
        for row, text in texts(folder):
            twin = twin_of(row, ngrams(text))
            if twin is None:
                kept.write(json.dumps({"id": row, "text": text}, ensure_ascii=False) + "\n")
            else:
                pairs.append((row, twin))
    write_removed(out, pairs)


def datasketch(folder: Path, out: Path) -> None:
    """A script as its documentation has it: MinHash of the shingles, an LSH index, the estimate as verification."""
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(threshold=THRESHOLD, num_perm=BANDS * ROWS, params=(BANDS, ROWS))
    sketches: dict[int, MinHash] = {}
    first = MinHash(num_perm=BANDS * ROWS, scheme="affine32")

    def twin_of(row: int, shingles: set[str]) -> int | None:
        sketch = MinHash(num_perm=BANDS * ROWS, permutations=first.permutations, scheme="affine32")
        sketch.update_batch([shingle.encode() for shingle in shingles])
        similar = [(sketch.jaccard(sketches[other]), -other) for other in index.query(sketch)]
        if similar and max(similar)[0] >= THRESHOLD:
            return -max(similar)[1]
        index.insert(row, sketch, check_duplication=False)
        sketches[row] = sketch
        return None

    filtered(folder, out, twin_of)


def rensa(folder: Path, out: Path) -> None:
    """A script as its documentation has it: RMinHash and RMinHashLSH, the estimate as verification."""
    from rensa import RMinHash, RMinHashLSH

    index = RMinHashLSH(threshold=THRESHOLD, num_perm=BANDS * ROWS, num_bands=BANDS)
    sketches: dict[int, RMinHash] = {}

    def twin_of(row: int, shingles: set[str]) -> int | None:
        sketch = RMinHash(num_perm=BANDS * ROWS, seed=1)
        sketch.update(list(shingles))
        similar = [(sketch.jaccard(sketches[other]), -other) for other in index.query(sketch)]
        if similar and max(similar)[0] >= THRESHOLD:
            return -max(similar)[1]
        index.insert(row, sketch)
        sketches[row] = sketch
        return None

    filtered(folder, out, twin_of)


def write_removed(out: Path, pairs: list[tuple[int, int]]) -> None:
    """What was removed, and a document of its cluster."""
    with (out / "removed.jsonl").open("w") as file:
        file.writelines(json.dumps({"id": row, "twin": twin}) + "\n" for row, twin in sorted(pairs))


PEERS = {"datatrove": datatrove, "text-dedup": text_dedup, "datasketch": datasketch, "rensa": rensa}

if __name__ == "__main__":
    PEERS[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]))
