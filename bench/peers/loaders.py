"""Run one training loader in a process of its own.  `bench/loader.py` starts it, with the Python of the peers or ours.

    python bench/peers/loaders.py prepare PEER CORPUS DATA ROW_LENGTH
    python bench/peers/loaders.py run PEER DATA ROW_LENGTH FIRST LAST WORKERS STATE STOP

`prepare` writes the tokens in the format of the peer.  `run` makes batches of ROWS rows from step FIRST on until LAST,
going on from STATE if FIRST is not 0; else it writes STATE after step STOP.  Standard output gets one JSON object:
seconds until the first batch, seconds and processor seconds of the others, and a digest of each row.

Everything starts from documents of token ids.  litdata and MosaicML get rows that were packed before, in files of their
own; HF datasets and corpusmill pack while they load.  This file imports corpusmill only for the peer `corpusmill`.
"""

import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

ROWS = 32
Batches = Iterator[np.ndarray]
Loaded = tuple[Batches, Callable[[int], Any]]  # batches, and a function from their number to the state after them


def documents(corpus: Path) -> Iterator[np.ndarray]:
    """The ids of each document, in the order of the files, after a boundary."""
    import pyarrow.parquet as pq

    for path in sorted((corpus / "tokens").glob("*.parquet")):
        for ids in pq.read_table(path, columns=["ids"])["ids"]:
            yield np.concatenate([[0], ids.values.to_numpy()]).astype(np.uint16)


def rows(corpus: Path, row_length: int) -> Iterator[np.ndarray]:
    """Packed rows, each with the first token of the next."""
    held = np.zeros(0, np.uint16)
    for ids in documents(corpus):
        held = np.concatenate([held, ids])
        while len(held) > row_length:
            yield held[: row_length + 1]
            held = held[row_length:]


def in_litdata(path: str) -> Iterator[Any]:
    """Documents of a file, for litdata.optimize."""
    import pyarrow.parquet as pq
    import torch

    for ids in pq.read_table(path, columns=["ids"])["ids"]:
        yield torch.from_numpy(np.concatenate([[0], ids.values.to_numpy()]).astype(np.int32))


def prepare(peer: str, corpus: Path, data: Path, row_length: int) -> None:
    """Write the tokens as the peer reads them."""
    match peer:
        case "litdata":
            from litdata import TokensLoader, optimize

            files = [str(path) for path in sorted((corpus / "tokens").glob("*.parquet"))]
            optimize(
                fn=in_litdata, inputs=files, output_dir=str(data), num_workers=1,
                chunk_size=(row_length + 1) * 512, item_loader=TokensLoader(),
            )  # fmt: skip
        case "mosaicml":
            from streaming import MDSWriter

            with MDSWriter(out=str(data), columns={"ids": "ndarray:uint16"}) as writer:
                for row in rows(corpus, row_length):
                    writer.write({"ids": row})
        case "datasets" | "corpusmill":  # these read the shards of the corpus
            data.symlink_to(corpus.resolve())


def load(peer: str, data: Path, row_length: int, workers: int, state: Any) -> Loaded:
    """The loader, from the beginning or from a state."""
    return LOADERS[peer](data, row_length, workers, state)


def of_corpusmill(data: Path, row_length: int, workers: int, state: Any) -> Loaded:
    """Ours, with torch's DataLoader if there are workers."""
    from corpusmill.loader import Steps, open_rows

    steps = Steps(open_rows(data.resolve(), row_length=row_length, seed=1), rows_per_step=ROWS, state=state)
    if not workers:
        return iter(steps), lambda n: steps.state(n).as_json()
    from torch.utils.data import DataLoader

    from corpusmill.loader.dataset import StepDataset

    loader = DataLoader(StepDataset(steps), batch_size=None, num_workers=workers)
    return (batch.numpy() for batch in loader), lambda n: steps.state(n).as_json()


def of_datasets(data: Path, row_length: int, workers: int, state: Any) -> Loaded:
    """HF datasets: streaming, shuffled, packed in batches of documents, with torchdata's StatefulDataLoader."""
    import datasets
    from torchdata.stateful_dataloader import StatefulDataLoader

    def pack(batch: dict[str, Any]) -> dict[str, Any]:
        stream = np.concatenate([part for ids in batch["ids"] for part in ([0], ids)])
        n = (len(stream) - 1) // row_length
        return {"row": [stream[i * row_length : (i + 1) * row_length + 1] for i in range(n)]}

    files = str(data / "tokens/*.parquet")
    stream = datasets.load_dataset("parquet", data_files=files, split="train", streaming=True).select_columns(["ids"])
    stream = stream.with_format("numpy").shuffle(seed=1, buffer_size=1000)
    packed = stream.map(pack, batched=True, batch_size=1000, remove_columns=["ids"])
    loader = StatefulDataLoader(packed, batch_size=ROWS, num_workers=workers, drop_last=True)
    if state is not None:
        loader.load_state_dict(state)
    return (np.asarray(batch["row"]) for batch in loader), lambda n: loader.state_dict()


def of_litdata(data: Path, row_length: int, workers: int, state: Any) -> Loaded:
    """litdata: StreamingDataset of token blocks, shuffled."""
    from litdata import StreamingDataLoader, StreamingDataset, TokensLoader

    blocks = StreamingDataset(str(data), item_loader=TokensLoader(block_size=row_length + 1), shuffle=True, seed=1)
    loader = StreamingDataLoader(blocks, batch_size=ROWS, num_workers=workers)
    if state is not None:
        loader.load_state_dict(state)
    return (batch.numpy() for batch in loader), lambda n: loader.state_dict()


def of_mosaicml(data: Path, row_length: int, workers: int, state: Any) -> Loaded:
    """MosaicML streaming: StreamingDataset, shuffled."""
    from streaming import StreamingDataLoader, StreamingDataset
    from streaming.base.util import clean_stale_shared_memory

    clean_stale_shared_memory()
    samples = StreamingDataset(local=str(data), shuffle=True, shuffle_seed=1, batch_size=ROWS)
    loader = StreamingDataLoader(samples, batch_size=ROWS, num_workers=workers)
    if state is not None:
        loader.load_state_dict(state)
    return (batch["ids"].numpy() for batch in loader), lambda n: loader.state_dict()


LOADERS = {"corpusmill": of_corpusmill, "datasets": of_datasets, "litdata": of_litdata, "mosaicml": of_mosaicml}


def processor_seconds() -> float:
    """Of this process and of its children that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def run(peer: str, data: Path, row_length: int, first: int, last: int, workers: int, place: Path, stop: int) -> None:
    """Make batches; print what was measured."""
    import pickle

    state = pickle.loads(place.read_bytes()) if first else None
    __import__({"corpusmill": "corpusmill.loader", "mosaicml": "streaming"}.get(peer, peer))
    if workers:
        import torch.utils.data  # noqa: F401
    started, used = time.perf_counter(), processor_seconds()
    batches, state_after = load(peer, data, row_length, workers, state)
    found = [np.asarray(next(batches)).astype(np.int64)]
    told = {"first_s": time.perf_counter() - started, "first_processor_s": processor_seconds() - used}
    started, used = time.perf_counter(), processor_seconds()
    for step in range(first + 1, last):
        if not first and step == stop:
            place.write_bytes(pickle.dumps(state_after(stop)))
        found += [np.asarray(next(batches)).astype(np.int64)]
    told |= {"seconds": time.perf_counter() - started, "processor_s": processor_seconds() - used}
    digests = [hashlib.blake2b(row.tobytes(), digest_size=8).hexdigest() for batch in found for row in batch]
    print(json.dumps(told | {"rows": digests}), flush=True)
    os._exit(0)  # some loaders wait for their threads


if __name__ == "__main__":
    kind, peer, *others = sys.argv[1:]
    if kind == "prepare":
        prepare(peer, Path(others[0]), Path(others[1]), int(others[2]))
    else:
        run(peer, Path(others[0]), *map(int, others[1:5]), Path(others[5]), int(others[6]))
