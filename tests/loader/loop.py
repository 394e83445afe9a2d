"""A training loop of somebody else, one process per rank: it notes the rows that it sees, and where it is.

    python -m tests.loader.loop CORPUS FOLDER RUN RANK RANKS WORKERS STEPS

It goes on from FOLDER/state.json if that is there.  Rank 0 writes the state after each step, when all ranks of the run
have seen its rows, as a training does that adds up gradients.
"""

import hashlib
import json
import sys
import time
from pathlib import Path

from corpusmill.loader import Steps, open_rows

ROWS_PER_STEP = 12


def steps_of(corpus, rank, ranks, state=None):
    rows = open_rows(corpus, row_length=16, seed=7, window_tokens=2000)
    return Steps(rows, rows_per_step=ROWS_PER_STEP, rank=rank, ranks=ranks, state=state)


def digests(ids):
    """A short name for each row."""
    return [hashlib.blake2b(bytes(row), digest_size=8).hexdigest() for row in ids.astype("<i8")]


def at(path):
    """The step that a rank has seen last."""
    text = path.read_text() if path.exists() else ""
    return int(text or 0)


def main(corpus, folder, run, rank, ranks, workers, n_steps):
    kept = folder / "state.json"
    state, done = None, 0
    if kept.exists():
        data = json.loads(kept.read_text())
        state, done = data["state"], data["done"]
    steps = steps_of(corpus, rank, ranks, state)
    if workers:
        from torch.utils.data import DataLoader

        from corpusmill.loader.dataset import StepDataset

        dataset = StepDataset(steps, n_steps - done)
        batches = (ids.numpy() for ids in DataLoader(dataset, batch_size=None, num_workers=workers, timeout=120))
    else:
        batches = (steps.step(number) for number in range(n_steps - done))
    with (folder / f"rows-{rank}.jsonl").open("a") as log:
        for number, ids in enumerate(batches, 1):
            log.write(json.dumps({"step": done + number, "rank": rank, "ranks": ranks, "rows": digests(ids)}) + "\n")
            log.flush()
            (folder / f"run-{run}" / str(rank)).write_text(str(done + number))
            if rank == 0:
                while any(at(folder / f"run-{run}" / str(other)) < done + number for other in range(ranks)):
                    time.sleep(0.001)
                new = kept.with_suffix(".new")
                new.write_text(json.dumps({"done": done + number, "state": steps.state(number).as_json()}))
                new.rename(kept)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), *map(int, sys.argv[3:]))
