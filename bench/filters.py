r"""All signals and rules against datatrove's four filters: the same texts, one run, one core, processor time.

    python bench/filters.py FOLDER --peers-python bench/.venv-datatrove/bin/python
    python bench/filters.py FOLDER --megabytes 200 --peer-megabytes 2

FOLDER holds texts (every file under it) or WCXB's pages (`ground-truth/ID.json`).  They are repeated, with a word of
their own at each start, until there are --megabytes of text; the peer gets the first --peer-megabytes, as it is slower.
Its environment is that of `bench/peers/requirements-datatrove.txt`.  The last lines are a cold compile of the kernels
and the share of each part of the work.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

import numpy as np
import pyarrow as pa

from corpusmill.arrow import Utf8Column
from corpusmill.filters.batches import batches
from corpusmill.filters.chinesewebtext import measure_chinesewebtext
from corpusmill.filters.datatrove import measure_c4, measure_datatrove
from corpusmill.filters.language import identify
from corpusmill.filters.profiles import active_rules
from corpusmill.filters.repetition import measure_n_grams, measure_repeats
from corpusmill.filters.rules import judge_pages
from corpusmill.filters.shape import count_lorem_ipsum, measure_shape
from corpusmill.filters.signals import measure_pages, measure_texts
from corpusmill.filters.stop_words import count_stop_words
from corpusmill.recipe import FilterSettings

WORKER = Path(__file__).parent / "peers" / "datatrove_filters.py"


def seconds_of(work: Callable[[], object], repeats: int = 1) -> float:
    """Processor time of one run, or the least of several; the kernels are compiled."""
    times = []
    for _ in range(repeats):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return min(times)


def texts_of(folder: Path, n_bytes: int) -> list[str]:
    """At least n_bytes of text."""
    gold = sorted(folder.glob("ground-truth/*.json"))
    if gold:
        given = [json.loads(path.read_text("utf-8"))["ground_truth"].get("main_content") or "" for path in gold]
    else:
        given = [path.read_text("utf-8", "replace") for path in sorted(folder.rglob("*")) if path.is_file()]
    given = [text for text in given if text]
    texts: list[str] = []
    size = 0
    for copy in count():
        for text in given:
            texts.append(f"c{copy} {text}" if copy else text)
            size += len(text.encode())
            if size >= n_bytes:
                return texts
    raise AssertionError


def cold_compile() -> tuple[float, float]:
    """Seconds until every kernel is ready in a new process: with an empty cache and with a full one."""
    with tempfile.TemporaryDirectory() as folder:
        program = "import time; t = time.time(); import corpusmill.filters as f; f.warm_up(); print(time.time() - t)"
        environment = {**os.environ, "NUMBA_CACHE_DIR": folder}
        runs = [
            subprocess.run([sys.executable, "-c", program], env=environment, check=True, capture_output=True, text=True)
            for _ in range(2)
        ]
        return float(runs[0].stdout), float(runs[1].stdout)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--megabytes", type=float, default=200)
    parser.add_argument("--peers-python")
    parser.add_argument("--peer-megabytes", type=float, default=2)
    arguments = parser.parse_args()
    pa.set_cpu_count(1)
    texts = texts_of(arguments.folder, int(arguments.megabytes * 1e6))
    column = pa.array(texts, pa.large_string())
    pages = pa.table({"doc_id": [str(i) for i in range(len(texts))], "text": column})
    utf8 = Utf8Column.of(column)
    megabytes = (utf8.offsets[-1] - utf8.offsets[0]) / 1e6
    few = pages.slice(0, 3)
    languages = identify(column)[0]
    measure_texts(few, languages[:3])
    measure_datatrove(column[:3])
    measure_chinesewebtext(column[:3])
    rules = active_rules(FilterSettings())
    status = pa.array(["ok"] * len(texts))
    signals = measure_pages(few)
    parts = [utf8.offsets[start : end + 1] for start, end in batches(utf8.offsets)]
    rows = [(start, end) for start, end in batches(utf8.offsets)]
    shapes = [measure_shape(utf8.data, part) for part in parts[:20]]
    share = sum(int(part[-1] - part[0]) for part in parts[:20]) / 1e6
    signals = pa.concat_tables([measure_texts(pages, languages)]).append_column("language", languages)
    signals = signals.append_column("language_score", pa.array(np.ones(len(texts))))
    for name in ("pii_emails", "pii_ip_addresses"):
        signals = signals.append_column(name, pa.array(np.zeros(len(texts), np.int64)))
    cases: list[tuple[str, float, Callable[[], object]]] = [
        ("signals-text", megabytes, lambda: measure_texts(pages, languages)),
        ("  characters, words, lines", share, lambda: [measure_shape(utf8.data, part) for part in parts[:20]]),
        ("  lorem ipsum", share, lambda: [count_lorem_ipsum(utf8.data, part) for part in parts[:20]]),
        ("  n-grams", share, lambda: [measure_n_grams(s.units, np.ones(len(s.counts), np.int64)) for s in shapes]),
        (
            "  repeated lines, paragraphs",
            share,
            lambda: [(measure_repeats(s.lines), measure_repeats(s.paragraphs)) for s in shapes],
        ),
        (
            "  stop words",
            share,
            lambda: [count_stop_words(s, languages[a:b]) for s, (a, b) in zip(shapes, rows, strict=False)],
        ),
        (f"{len(rules)} rules", megabytes, lambda: judge_pages(status, signals, rules)),
        ("signals-language", megabytes, lambda: identify(column)),
        ("signals-datatrove", megabytes, lambda: measure_datatrove(column)),
        ("signals-c4", megabytes, lambda: measure_c4(column)),
        ("signals-chinesewebtext", megabytes, lambda: measure_chinesewebtext(column)),
    ]
    print(f"{len(texts)} texts, {megabytes:.0f} MB")
    for name, size, work in cases:
        print(f"{name:30} {size / seconds_of(work):8.1f} MB/s", flush=True)
    if arguments.peers_python:
        sample = texts_of(arguments.folder, int(arguments.peer_megabytes * 1e6))
        size = sum(len(text.encode()) for text in sample) / 1e6
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder, "texts.jsonl")
            source.write_text("".join(json.dumps({"text": text}) + "\n" for text in sample), "utf-8")
            command = [arguments.peers_python, str(WORKER), str(source), "--time"]
            answers = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
        total = 0.0
        for answer in map(json.loads, answers):
            total += answer["seconds"]
            print(f"datatrove {answer['filter']:20} {size / answer['seconds']:8.2f} MB/s")
        print(f"datatrove, all four            {size / total:8.2f} MB/s, {size:.0f} MB")
    cold, warm = cold_compile()
    print(f"compile: {cold:.0f} s with an empty cache, {warm:.1f} s with a full one")


if __name__ == "__main__":
    main()
