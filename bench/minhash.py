"""Compare MinHash in corpusmill and in datasketch: same text, same number of permutations, one run.

    python bench/minhash.py FILE_OR_FOLDER... [--chars 4000]

Text files are cut into documents of this number of characters.  One thread; the best of several rounds.  Three figures:

- corpusmill, the whole sketch: tokens, shingles, minima, band hashes, content hash, Arrow table;
- datasketch as in its documentation: `update_batch` of the encoded word 5-grams (on 2 MB only, because it takes long);
- datasketch with the 32-bit shingle hashes that corpusmill computed: only the permutations and minima.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa
from datasketch import MinHash

from corpusmill.dedup import sketch_documents, warm_up
from corpusmill.recipe import DedupSettings

SETTINGS = DedupSettings()
NUM_PERM = SETTINGS.bands * SETTINGS.rows
PERMUTATIONS = MinHash(num_perm=NUM_PERM, seed=SETTINGS.seed, scheme="affine32").permutations
DATASKETCH_BYTES = 2_000_000


def documents(paths: Sequence[Path], chars: int) -> list[str]:
    """Every text file under the paths, cut into pieces."""
    files = [file for path in paths for file in (sorted(path.rglob("*")) if path.is_dir() else [path])]
    texts = [file.read_text("utf-8", "replace") for file in files if file.is_file()]
    return [text[start : start + chars] for text in texts for start in range(0, len(text), chars)]


def seconds(function: Callable[[], object], rounds: int) -> float:
    """Seconds of the fastest of several rounds."""
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        function()
        times.append(time.perf_counter() - started)
    return min(times)


def with_strings(texts: Sequence[str]) -> None:
    """Sketch as in datasketch's documentation, on 5-grams of words."""
    for text in texts:
        words = text.lower().split()
        ngrams = {" ".join(words[i : i + SETTINGS.ngram]) for i in range(max(1, len(words) - SETTINGS.ngram + 1))}
        MinHash(num_perm=NUM_PERM, permutations=PERMUTATIONS, scheme="affine32").update_batch(
            ngram.encode() for ngram in ngrams
        )


def with_hashes(shingles: Sequence[Sequence[int]]) -> None:
    """Compute only the permutations and minima."""
    for hashes in shingles:
        MinHash(num_perm=NUM_PERM, permutations=PERMUTATIONS, scheme="affine32", hashfunc=int).update_batch(hashes)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--chars", type=int, default=4000, help="characters per document (default 4000)")
    arguments = parser.parse_args()
    texts = documents(arguments.paths, arguments.chars)
    n_bytes = sum(len(text.encode()) for text in texts)
    few = texts[: max(1, len(texts) * DATASKETCH_BYTES // max(n_bytes, DATASKETCH_BYTES))]
    few_bytes = sum(len(text.encode()) for text in few)
    doc_ids, column = pa.array([f"{row:024x}" for row in range(len(texts))]), pa.array(texts)
    warm_up()
    sketches = sketch_documents(doc_ids, column, SETTINGS)
    shingles = sketches["shingles"][: len(few)].to_pylist()
    print(f"{len(texts):,} documents, {n_bytes / 1e6:.1f} MB, {NUM_PERM} permutations, MB/s on one core")
    rates = {
        "corpusmill": n_bytes / seconds(lambda: sketch_documents(doc_ids, column, SETTINGS), 5),
        "datasketch": few_bytes / seconds(lambda: with_strings(few), 2),
        "datasketch, hashes given": few_bytes / seconds(lambda: with_hashes(shingles), 2),
    }
    for name, rate in rates.items():
        print(f"{name:26} {rate / 1e6:8.1f}  1/{rates['corpusmill'] / rate:.1f}")


if __name__ == "__main__":
    main()
