"""Cost of the frame: wall time, CPU time and peak memory of whole runs, and of runs with nothing to do.

    python bench/frame.py FOLDER [--cases tiny web many parts plan] [--python OTHER/bin/python] [--workers 2]

    case     what is run
    tiny     200 short documents: the cost of starting
    web      the pages of WCXB in one WARC file, with a given tokenizer and without (needs --wcxb, WCXB's folder)
    many     400,000 generated documents of 1 kB in 8 files
    parts    10,000 parts: the run, and the run again with nothing to do
    plan     1 TB of input in sparse files: only the plan

Each case runs `--repeat` times, each time in a new process.  Every figure is printed.  Memory is the sum of the
proportional set sizes (PSS) of all processes, sampled every 0.1 s.  So pages of memory that processes share count once.
A second interpreter (`--python`) measures another checkout with the same input, so that two versions can be compared.
"""

import argparse
import json
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

STARTS = ("ba", "ke", "li", "mo", "nu", "ra", "se", "ti", "vo", "wu")
ENDS = ("n", "r", "st", "ck", "ld", "mp", "ng", "sh", "t", "v")
WORDS = [start + end for start in STARTS for end in ENDS]
RECIPE = """
[[sources]]
name = "own"
kind = "{kind}"
paths = ["in/*"]
[filters]
profiles = ["none"]
[run]
slice_bytes = {slice_bytes}
[tokenizer]
vocab_size = {vocab_size}
{more}
"""


def main() -> None:
    """Run the requested cases."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cases", nargs="+", default=["tiny", "many", "parts", "plan"])
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--wcxb", type=Path, help="folder of WCXB's development pages")
    parser.add_argument("--repeat", type=int, default=1)
    arguments = parser.parse_args()
    for case in arguments.cases:
        globals()[f"case_{case}"](arguments, arguments.folder / case)


def case_tiny(arguments: argparse.Namespace, folder: Path) -> None:
    """200 documents of about 300 bytes."""
    project(folder, documents(200, 50), files=2, vocab_size=1000)
    for workers in (1, 2):
        for _ in range(arguments.repeat):
            fresh(folder)
            report(f"tiny, {workers} workers", run(arguments.python, folder, workers))


def case_web(arguments: argparse.Namespace, folder: Path) -> None:
    """WCXB's pages; `bench/pack_wcxb.py` makes the WARC file."""
    if not (folder / "in").exists():
        (folder / "in").mkdir(parents=True)
        packer = Path(__file__).with_name("pack_wcxb.py")
        subprocess.run([sys.executable, packer, arguments.wcxb, folder / "in/wcxb.warc.gz"], check=True)
    text = RECIPE.format(kind="warc", slice_bytes=16_000_000, vocab_size=32768, more="").replace('"none"', '"default"')
    (folder / "recipe.toml").write_text(text)
    for _ in range(arguments.repeat):
        fresh(folder)
        report("web, tokenizer trained", run(arguments.python, folder, arguments.workers))
    shutil.copy(folder / "corpus/tokenizer/tokenizer.json", folder / "given.json")
    given = text.replace("vocab_size = 32768", 'path = "given.json"')
    (folder / "recipe.toml").write_text(given)
    for _ in range(arguments.repeat):
        fresh(folder)
        report("web, tokenizer given", run(arguments.python, folder, arguments.workers))


def case_many(arguments: argparse.Namespace, folder: Path) -> None:
    """400,000 documents of 1 kB, every fifth a near-duplicate."""
    project(folder, documents(400_000, 175), files=8, vocab_size=8192)
    for _ in range(arguments.repeat):
        fresh(folder)
        report("400,000 documents", run(arguments.python, folder, arguments.workers))


def case_parts(arguments: argparse.Namespace, folder: Path) -> None:
    """10,000 parts of about 10 documents."""
    project(folder, documents(100_000, 80), files=100, slice_bytes=4600, vocab_size=1000)
    if not (folder / "corpus/catalog.duckdb").exists():
        fresh(folder)
        report("10,000 parts, the run", run(arguments.python, folder, arguments.workers))
    print(f"{len(list((folder / 'corpus/pages').glob('*.parquet')))} parts")
    for _ in range(max(arguments.repeat, 3)):
        report("10,000 parts, nothing to do", run(arguments.python, folder, arguments.workers))


def case_plan(arguments: argparse.Namespace, folder: Path) -> None:
    """1,000 sparse files of 1 GB, which planning must not read."""
    (folder / "in").mkdir(parents=True, exist_ok=True)
    for i in range(1000):
        with (folder / f"in/{i:04}.jsonl").open("wb") as file:
            file.truncate(1_000_000_000)
    (folder / "recipe.toml").write_text(RECIPE.format(kind="jsonl", slice_bytes=16_000_000, vocab_size=1000, more=""))
    code = (
        "import sys; from pathlib import Path; from corpusmill import recipe; from corpusmill.collect.plan import plan;"
        "from corpusmill.corpus import Corpus; r = recipe.load(sys.argv[1]);"
        "print(len(plan(r.sources, r.run, folder=Path(sys.argv[1]).parent, corpus=Corpus(sys.argv[2]))), 'slices')"
    )
    for _ in range(arguments.repeat):
        fresh(folder)
        command = [arguments.python, "-c", code, folder / "recipe.toml", folder / "corpus"]
        report("plan of 1 TB", measure(command))


def documents(n: int, words: int) -> Iterator[dict[str, str]]:
    """N documents with this number of words.  Every fifth is a copy of an earlier one with a few words changed."""
    rng = random.Random(1)
    kept: list[list[str]] = []
    for i in range(n):
        text = rng.choices(WORDS, k=words)
        if kept and i % 5 == 0:
            text = list(rng.choice(kept))
            text[rng.randrange(words)] = "other"
        elif len(kept) < 5000:
            kept.append(text)
        sentences = [" ".join(text[k : k + 12]).capitalize() + "." for k in range(0, words, 12)]
        yield {"id": str(i), "url": f"https://host{i % 100}.example/{i}", "text": "\n".join(sentences)}


def project(
    folder: Path, rows: Iterator[dict[str, str]], *, files: int, vocab_size: int, slice_bytes: int = 16_000_000
) -> None:
    """Write a recipe and its input, unless the input is there."""
    folder.mkdir(parents=True, exist_ok=True)
    recipe = RECIPE.format(kind="jsonl", slice_bytes=slice_bytes, vocab_size=vocab_size, more="")
    (folder / "recipe.toml").write_text(recipe)
    if (folder / "in").exists():
        return
    (folder / "in").mkdir()
    handles = [(folder / f"in/{i:03}.jsonl").open("w") for i in range(files)]
    for i, row in enumerate(rows):
        handles[i % files].write(json.dumps(row) + "\n")
    for handle in handles:
        handle.close()


def fresh(folder: Path) -> None:
    """Delete the corpus, if there is one."""
    shutil.rmtree(folder / "corpus", ignore_errors=True)


def run(python: str, folder: Path, workers: int) -> tuple[float, float, float]:
    """Measure `corpusmill run`."""
    command = [python, "-m", "corpusmill", "run", folder / "recipe.toml", "--corpus", folder / "corpus"]
    return measure([*command, "--workers", workers])


def measure(command: Sequence[object]) -> tuple[float, float, float]:
    """(wall seconds, CPU seconds, peak memory in MB) of a command and all its children."""
    started = time.perf_counter()
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd="/")
    peak, cpu = 0.0, dict[int, float]()
    while process.poll() is None:
        peak = max(peak, sample(process.pid, cpu))
        time.sleep(0.1)
    wall = time.perf_counter() - started
    assert process.stderr is not None
    if process.returncode:
        raise SystemExit(process.stderr.read().decode())
    return wall, sum(cpu.values()), peak / 1e6


def sample(pid: int, cpu: dict[int, float]) -> float:
    """The memory of a process and its children in bytes; notes the CPU seconds of each one until now."""
    total = 0.0
    with suppress(psutil.Error):
        for process in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True)):
            with suppress(psutil.Error, OSError), Path(f"/proc/{process.pid}/smaps_rollup").open() as file:
                total += sum(1024 * int(line.split()[1]) for line in file if line.startswith("Pss:"))
                times = process.cpu_times()
                cpu[process.pid] = times.user + times.system
    return total


def report(what: str, figures: tuple[float, float, float]) -> None:
    """Print one line."""
    wall, cpu, memory = figures
    print(f"{what:32} wall {wall:7.2f} s   CPU {cpu:7.2f} s   memory {memory:7.0f} MB", flush=True)


if __name__ == "__main__":
    main()
