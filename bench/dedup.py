"""Near-duplicates found by corpusmill and by other programs in the same text: speed, memory, precision, recall.

    python bench/near_copies.py SHARED TEXT --bytes 1e9            makes the text
    python bench/dedup.py TEXT WORK [--tools ours library fastdedup datatrove text-dedup datasketch rensa]
        [--rounds 1] [--peers .../bin/python] [--text-dedup .../bin/python] [--fastdedup .../fastdedup]

    ours         `corpusmill run --until docs`, one worker: read, extract nothing, sketch, group, verify, write
    library      the functions of `corpusmill.dedup` in one process without Beam, with sketches in files
    fastdedup    github.com/wapplewhite4/fastdedup, built with cargo
    others       `peers/near_duplicates.py` says how they run, `peers/requirements-near-duplicates.txt` what they need

All get word 5-grams, 14 bands of 8 rows, and a threshold of 0.75.  All read the same files and write the texts that
stay.  CPU seconds are those of all processes.  Memory is the peak of the proportional set sizes of all processes.

Recall: of the pairs of `near_copies.py`, how many lost one document, by decile of the true similarity.  In brackets:
how far from the probability of 14 bands of 8 rows, in standard errors; those of a tool that estimates similarities from
112 values are not comparable near the threshold.  A few documents are real duplicates of a third one, which counts as
lost, too.  Precision: of the documents that were removed, how many have a
similarity of 0.75 or more with the document that the tool names, computed from the texts' sets of word 5-grams.
"""

import argparse
import itertools
import json
import re
import shutil
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from frame import measure

from corpusmill.dedup.curve import probability
from corpusmill.dedup.settings import DedupSettings

SETTINGS = DedupSettings()
HERE = Path(__file__).parent
RECIPE = """
[[sources]]
name = "text"
kind = "jsonl"
paths = ["{text}/*.jsonl"]
[filters]
profiles = ["none"]
[pii]
emails = false
ip_addresses = false
phones = false
credit_cards = false
ibans = false
national_ids = false
credentials = false
keys = false
[tokenizer]
vocab_size = 1000
"""
PEERS = ("datatrove", "text-dedup", "datasketch", "rensa")
Removed = dict[int, int]  # a removed document and the one that the tool names as its twin


def commands(given: argparse.Namespace, text: Path, out: Path) -> dict[str, list[object]]:
    """How each tool is started."""
    shape = ("--num-hashes", 112, "--bands", 14, "--rows-per-band", 8, "--word-shingles", "--shingle-size", 5)
    run = [sys.executable, "-m", "corpusmill", "run", out / "recipe.toml", "--corpus", out / "corpus"]
    joined = out / "all.jsonl"
    found: dict[str, list[object]] = {
        "ours": [*run, "--until", "docs", "--workers", given.workers],
        "library": [sys.executable, Path(__file__).absolute(), "--library", text, out],
        "fastdedup": [
            *(given.fastdedup, "fuzzy-dedup", "-i", joined, "-o", out / "kept.jsonl", "--threshold", 0.75, *shape)
        ],
    }
    for peer in PEERS:
        python = given.text_dedup if peer == "text-dedup" else given.peers
        found[peer] = [python, (HERE / "peers/near_duplicates.py").absolute(), peer, text, out]
    return found


def prepare(tool: str, text: Path, out: Path) -> None:
    """What a tool needs besides the text."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    if tool == "ours":
        (out / "recipe.toml").write_text(RECIPE.format(text=text))
    if tool == "fastdedup":  # it reads one file
        with (out / "all.jsonl").open("wb") as target:
            for path in sorted(text.glob("*.jsonl")):
                with path.open("rb") as source:
                    shutil.copyfileobj(source, target)


def removed_by(tool: str, out: Path) -> Removed:
    """What a tool has removed."""
    if tool == "ours":
        pages = [pq.read_table(path, columns=["doc_id", "url"]) for path in sorted(out.glob("corpus/pages/*.parquet"))]
        table = pa.concat_tables(pages).to_pydict()
        number = dict(zip(table["doc_id"], (int(url.rpartition("/")[2]) for url in table["url"]), strict=True))
        twins = [pq.read_table(path) for path in sorted(out.glob("corpus/twins/*.parquet"))]
        rows = [row for row in pa.concat_tables(twins).to_pylist() if row["rule"] is not None]
        return {number[row["doc_id"]]: number[row["twin_doc_id"]] for row in rows}
    if tool == "fastdedup":
        with (out / "all.jsonl").open(encoding="utf-8") as file:
            ids = [int(re.match(r'\{"id": (\d+)', line).group(1)) for line in file]  # type: ignore[union-attr]
        with (out / "kept.removed.jsonl").open(encoding="utf-8") as file:
            rows = [json.loads(line) for line in file]
        return {ids[row["row_id"]]: ids[row["duplicate_of_row_id"]] for row in rows}
    with (out / "removed.jsonl").open() as file:
        return {row["id"]: row["twin"] for row in map(json.loads, file)}


def library(text: Path, out: Path) -> None:
    """The functions that the pipeline runs, without Beam: one file after the other, with the sketches in files."""
    from corpusmill.dedup.group import assignments, band_blobs, components, member_blobs, partitions_for, spanning_edges
    from corpusmill.dedup.local import DOCUMENTS_PER_TASK
    from corpusmill.dedup.sketch import sketch_documents
    from corpusmill.dedup.verify import twins_table, verify_task

    files = sorted(text.glob("*.parquet"))
    n_rows = [pq.ParquetFile(path).metadata.num_rows for path in files]
    partitions = partitions_for(sum(n_rows), SETTINGS.bands)
    (out / "sketches").mkdir()
    (out / "kept").mkdir()
    blobs = []
    for part, path in enumerate(files):
        table = pq.read_table(path, columns=["id", "text"])
        doc_id = pa.array([f"{row:024}" for row in table["id"].to_pylist()])
        sketches = sketch_documents(doc_id, table["text"].combine_chunks(), SETTINGS)
        blobs.append(band_blobs(sketches, np.ones(len(sketches), np.bool_), part, partitions))
        pq.write_table(sketches, out / f"sketches/{path.name}", compression="none", use_dictionary=False)
    edges = [spanning_edges(received) for received in zip(*blobs, strict=True)]
    del blobs
    tasks: dict[int, list[tuple[int, bytes]]] = defaultdict(list)
    for part, members in assignments(components(edges), DOCUMENTS_PER_TASK, len(files)):
        for task, _, blob in member_blobs({part: pq.read_table(out / f"sketches/{files[part].name}")}, members):
            tasks[task].append((part, blob))
    records: list[list[bytes]] = [[] for _ in files]
    for task in sorted(tasks):
        for part, found in verify_task(tasks.pop(task), SETTINGS, len(files)):
            records[part].append(found)
    with (out / "removed.jsonl").open("w") as file:
        for path, found in zip(files, records, strict=True):
            twins = twins_table(found, SETTINGS).to_pylist()
            gone = {int(row["doc_id"]): int(row["twin_doc_id"]) for row in twins if row["rule"] is not None}
            file.writelines(json.dumps({"id": row, "twin": twin}) + "\n" for row, twin in gone.items())
            table = pq.read_table(path)
            stays = ~np.isin(table["id"].to_numpy(), list(gone))
            pq.write_table(table.filter(pa.array(stays)), out / f"kept/{path.name}", compression="zstd")


class Truth:
    """The texts and the pairs that were made."""

    def __init__(self, folder: Path) -> None:
        self.pairs = pq.read_table(folder / "pairs.parquet")
        self.files = sorted((folder / "text").glob("*.parquet"))
        self.first = np.cumsum([0, *(pq.ParquetFile(path).metadata.num_rows for path in self.files)])
        self.texts: dict[int, str] = {}

    def load(self, rows: set[int]) -> None:
        """Read the texts of some documents."""
        for number, path in enumerate(self.files):
            own = [row for row in rows - self.texts.keys() if self.first[number] <= row < self.first[number + 1]]
            if own:
                column = pq.read_table(path, columns=["text"])["text"]
                self.texts |= {row: column[row - int(self.first[number])].as_py() for row in own}

    def jaccard(self, x: int, y: int) -> float:
        """The similarity of two documents, from sets of words in plain Python."""
        first, second = (ngrams(self.texts[row]) for row in (x, y))
        return len(first & second) / len(first | second)


def ngrams(text: str) -> set[tuple[str, ...]]:
    """Word 5-grams."""
    words = re.findall(r"\w+", text.lower())
    return {tuple(words[at : at + SETTINGS.ngram]) for at in range(max(1, len(words) - SETTINGS.ngram + 1))}


def precision(truth: Truth, removed: Removed) -> tuple[int, int]:
    """How many removed documents are similar enough to the one that the tool names, and how many were removed."""
    made = truth.pairs.to_pydict()
    known = {frozenset(pair[:2]): pair[2] for pair in zip(made["original"], made["copy"], made["jaccard"], strict=True)}
    unknown = [pair for pair in removed.items() if frozenset(pair) not in known]
    truth.load({row for pair in unknown for row in pair})
    values = [known[frozenset(pair)] for pair in removed.items() if frozenset(pair) in known]
    values += [truth.jaccard(*pair) for pair in unknown]
    return sum(value >= SETTINGS.threshold for value in values), len(values)


def recall(truth: Truth, removed: Removed) -> Iterator[str]:
    """By decile of the similarity: pairs, and the share of which a document was removed."""
    values: npt.NDArray[np.float64] = truth.pairs["jaccard"].to_numpy()
    pairs = zip(truth.pairs["original"].to_pylist(), truth.pairs["copy"].to_pylist(), strict=True)
    found = np.array([x in removed or y in removed for x, y in pairs])
    bounds = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, SETTINGS.threshold, 0.8, 0.9, 1.0]
    for low, high in itertools.pairwise(bounds):
        chosen = (values >= low) & ((values < high) | (high == 1))
        chances = np.array([probability(value, SETTINGS.bands, SETTINGS.rows) for value in values[chosen].tolist()])
        expected = chances.sum() if low >= SETTINGS.threshold else 0.0
        error = np.sqrt((chances * (1 - chances)).sum())
        n, hits = int(chosen.sum()), int(found[chosen].sum())
        distance = f" ({(hits - expected) / error:+.1f})" if low >= SETTINGS.threshold and error else ""
        yield f"{low:.2f} to {high:.2f}: {hits / max(n, 1):.4f} of {n:,}{distance}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--tools", nargs="+", default=["ours", "library"])
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--peers", type=Path, help="Python with datatrove, datasketch and rensa")
    parser.add_argument("--text-dedup", type=Path, help="Python with text-dedup")
    parser.add_argument("--fastdedup", type=Path, help="its program")
    given = parser.parse_args()
    folder, work = given.text.absolute(), given.work.absolute()
    size = int((folder / "bytes").read_text())
    truth = Truth(folder)
    print(f"{truth.first[-1]:,} documents, {size / 1e6:,.0f} MB, {len(truth.pairs):,} pairs", flush=True)
    for turn in range(given.rounds):
        for tool in given.tools:
            out = work / tool
            prepare(tool, folder / "text", out)
            wall, cpu, memory = measure(commands(given, folder / "text", out)[tool])
            rate = size / 1e6 / cpu
            print(
                f"{tool:12} {wall:7.1f} s  CPU {cpu:7.1f} s  {rate:6.2f} MB per CPU second  {memory:6.0f} MB of memory"
            )
            if turn + 1 == given.rounds:
                removed = removed_by(tool, out)
                right, n = precision(truth, removed)
                print(f"  precision {right / max(n, 1):.5f}, {n - right} of {n:,} wrong")
                for line in recall(truth, removed):
                    print(f"  {line}")
            sys.stdout.flush()
            shutil.rmtree(out)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--library"]:
        library(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        main()
