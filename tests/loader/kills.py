"""A training loop that is killed at random moments, and goes on with other numbers of ranks and workers.

    python -m tests.loader.kills --kills 20 --seed 7

Each start has 1 to 4 ranks, a process each, with 0 or 2 workers of torch's DataLoader.  All of them are killed with
SIGKILL after a random number of steps.  The rows of each step, of all ranks together, are those of a loop without
interruption.
"""

import argparse
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from corpusmill.tokenize import shards
from tests.loader.conftest import documents, write
from tests.loader.loop import ROWS_PER_STEP, digests, steps_of

STEPS = 600


def corpus_in(folder):
    """Two sources, and some 700 rows of 16 tokens in an epoch."""
    rng, tables, start = np.random.default_rng(8), {}, 1
    shards.TOKENS_PER_ROW_GROUP = 300
    for number in range(4):
        sizes = rng.integers(0, 40, 140)
        tables[f"p{number}"] = documents(f"p{number}", sizes, start=start, source=f"s{number % 2}")
        start += int(sizes.sum())
    return write(folder, tables, weights={"s0": 1.5})


def done_in(folder):
    try:
        return json.loads((folder / "state.json").read_text())["done"]
    except FileNotFoundError:
        return 0


def battery(folder, kills, seed, steps=STEPS):
    """Kill a loop this often; returns what was used.  AssertionError if it has seen other rows."""
    corpus, rng, told = corpus_in(folder / "corpus"), random.Random(seed), []
    whole = steps_of(corpus.folder, 0, 1)
    for number in range(kills + 1):
        last, ranks, workers = number == kills, rng.randint(1, 4), rng.choice([0, 2])
        until = steps if last else done_in(folder) + rng.randint(1, max(1, steps // (kills + 1)))
        (folder / f"run-{number}").mkdir()
        arguments = [sys.executable, "-m", "tests.loader.loop", str(corpus.folder), str(folder), str(number)]
        processes = [
            subprocess.Popen([*arguments, str(rank), str(ranks), str(workers), str(steps)], start_new_session=True)
            for rank in range(ranks)
        ]
        deadline = time.monotonic() + 240
        while done_in(folder) < until:
            assert time.monotonic() < deadline, "the loop does not go on"
            failed = [each.returncode for each in processes if each.poll() not in (None, 0)]
            assert not failed, f"a rank ended with {failed}"
            time.sleep(0.002)
        for process in processes:
            if last:
                assert process.wait(120) == 0
            else:
                with contextlib.suppress(ProcessLookupError):  # a rank that has run ahead and is done
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        told.append((ranks, workers, done_in(folder)))
    seen: dict[tuple[int, int, int], list[str]] = {}
    for log in folder.glob("rows-*.jsonl"):
        for line in log.read_text().splitlines():
            try:
                row = json.loads(line)
            except ValueError:
                continue  # a line that the kill has cut
            seen[row["step"], row["ranks"], row["rank"]] = row["rows"]
    for step, ranks, rank in seen:  # also what was seen and then lost with the kill
        share = slice(rank * ROWS_PER_STEP // ranks, (rank + 1) * ROWS_PER_STEP // ranks)
        assert seen[step, ranks, rank] == digests(whole.step(step - 1))[share], f"step {step}: other rows"
    for step in range(1, steps + 1):
        assert any(all((step, n, rank) in seen for rank in range(n)) for n in range(1, 5)), f"step {step} was not seen"
    return told


def main() -> None:
    """Print what was killed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        for ranks, workers, done in battery(Path(temporary), options.kills, options.seed):
            print(f"{ranks} ranks with {workers} workers each, until step {done}")
    print("all steps had the rows of the uninterrupted loop")


if __name__ == "__main__":
    main()
