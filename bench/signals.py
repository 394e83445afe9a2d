"""How fast signals are measured, one core: kernels, language, masking, rules; and a cold compile of the kernels.

    python bench/signals.py FOLDER [PATTERN]     every text file under FOLDER, for instance the PEPs' sources

Processor time, best of five; a peer's definition in plain Python (datatrove's Gopher repetition) beside it, on a sample
of the same files.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa

from corpusmill.arrow import Utf8Column
from corpusmill.filters.language import identify
from corpusmill.filters.pii import mask
from corpusmill.filters.repetition import measure_n_grams, measure_repeats
from corpusmill.filters.rules import active_rules, judge_pages
from corpusmill.filters.shape import measure_shape
from corpusmill.filters.signals import measure_pages, measure_text
from corpusmill.filters.stop_words import count_stop_words
from corpusmill.recipe import FilterSettings, PiiSettings


def best(work: Callable[[], object], repeats: int = 5) -> float:
    """Seconds of processor time, the least of several runs after one to warm up."""
    work()
    times = []
    for _ in range(repeats):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return min(times)


def cold_compile() -> float:
    """Seconds that `warm_up` takes in a new process with an empty cache, less those with a full one."""
    code = "import time, corpusmill.filters as f; t = time.perf_counter(); f.warm_up(); print(time.perf_counter() - t)"
    with tempfile.TemporaryDirectory() as folder:
        runs = [
            subprocess.run(
                [sys.executable, "-c", code],
                env=os.environ | {"NUMBA_CACHE_DIR": folder},
                check=True,
                capture_output=True,
                text=True,
            )
            for _ in range(2)
        ]
    cold, warm = (float(run.stdout) for run in runs)
    print(f"warm_up: {cold:.1f} s with an empty cache, {warm:.1f} s with a full one")
    return cold


def gopher_repetition(text: str) -> None:
    """The arithmetic of datatrove's GopherRepetitionFilter on words split at spaces (its tokenizer left out)."""
    words = text.split()
    for n in (2, 3, 4):
        Counter(" ".join(words[i : i + n]) for i in range(len(words) - n + 1)).most_common(1)
    for n in range(5, 11):
        unique, i = set(), 0
        while i < len(words) - n + 1:
            gram = "".join(words[i : i + n])
            i += n if gram in unique else 1
            unique.add(gram)


def main(folder: str, pattern: str = "*.rst") -> None:
    """Measure and print."""
    texts = [path.read_text("utf-8") for path in sorted(Path(folder).rglob(pattern))]
    column = pa.array(texts, pa.large_string())
    pages = pa.table({"doc_id": [str(i) for i in range(len(texts))], "text": column})
    utf8 = Utf8Column.of(column)
    megabytes = len(utf8.data) / 1e6
    print(f"{len(texts)} documents, {megabytes:.1f} MB")
    cold_compile()

    languages, _ = identify(column)
    signals = measure_pages(pages, PiiSettings())
    rules, status = active_rules(FilterSettings()), pa.array(["ok"] * len(texts))
    shapes = [measure_shape(utf8.data, utf8.offsets[i : i + 21]) for i in range(0, len(texts), 20)]
    rows = [languages[i : i + 20] for i in range(0, len(texts), 20)]
    cases: dict[str, Callable[[], object]] = {
        "shape": lambda: [measure_shape(utf8.data, utf8.offsets[i : i + 21]) for i in range(0, len(texts), 20)],
        "n-grams": lambda: [measure_n_grams(s.units, np.ones(len(s.counts), np.int64)) for s in shapes],
        "lines, paragraphs": lambda: [(measure_repeats(s.lines), measure_repeats(s.paragraphs)) for s in shapes],
        "stop words": lambda: [count_stop_words(s.units, row) for s, row in zip(shapes, rows, strict=True)],
        "all kernels": lambda: measure_text(column, languages),
        "language": lambda: identify(column),
        "masking": lambda: mask(column, PiiSettings()),
        "measure_pages": lambda: measure_pages(pages, PiiSettings()),
        f"{len(rules)} rules": lambda: judge_pages(status, signals, rules),
    }
    for name, work in cases.items():
        seconds = best(work)
        print(f"{name:18} {megabytes / seconds:8.1f} MB/s {len(texts) / seconds:10.0f} documents/s")
    sample = texts[::20]
    seconds = best(lambda: [gopher_repetition(text) for text in sample], 1)
    print(f"{'in plain Python':18} {sum(map(len, sample)) / 1e6 / seconds:8.1f} MB/s (Gopher repetition only)")


if __name__ == "__main__":
    main(*sys.argv[1:])
