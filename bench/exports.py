"""Read the exports of a corpus with the libraries that they are for, in the environment of the peers.

    corpusmill export CORPUS --format mds --out FOLDER/mds
    corpusmill export CORPUS --format megatron --out FOLDER/megatron
    corpusmill export CORPUS --format hf --out FOLDER/hf
    bench/.venv-loaders/bin/python bench/exports.py CORPUS FOLDER

The environment is that of bench/loader.py, with megatron-core.  It prints the number of documents that are equal, and
fails if one is not.  It does not import corpusmill.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

Documents = Iterator[tuple[str, list[int]]]


def of_corpus(corpus: Path, split: str) -> Documents:
    """doc_id and ids of a split."""
    for path in sorted((corpus / "tokens").glob("*.parquet")):
        for row in pq.read_table(path, columns=["doc_id", "split", "ids"]).to_pylist():
            if row["split"] == split:
                yield row["doc_id"], row["ids"]


def of_mds(folder: Path, split: str) -> Documents:
    """With MosaicML's StreamingDataset."""
    from streaming import StreamingDataset

    dtype = json.loads((folder / "corpus.json").read_text())["dtype"]
    for sample in StreamingDataset(local=str(folder / split), shuffle=False, batch_size=1):
        yield sample["doc_id"], np.frombuffer(sample["tokens"], dtype).tolist()


def of_megatron(folder: Path, split: str) -> Documents:
    """With Megatron's IndexedDataset; it has no doc_id."""
    from megatron.core.datasets.indexed_dataset import IndexedDataset

    boundary = json.loads((folder / "corpus.json").read_text())["boundary"]
    found = IndexedDataset(str(folder / f"tokens_{split}"))
    for number in range(len(found)):
        *ids, last = found[number].tolist()
        assert last == boundary
        yield "", ids


def of_hf(folder: Path, split: str) -> Documents:
    """With HF datasets."""
    import datasets

    for row in datasets.load_dataset(str(folder), split=split, streaming=True):
        yield row["doc_id"], row["ids"]


def main() -> None:
    """Compare all."""
    corpus, folder = map(Path, sys.argv[1:])
    for name, read in (("mds", of_mds), ("megatron", of_megatron), ("hf", of_hf)):
        for split in ("train", "validation"):
            wanted = list(of_corpus(corpus, split))
            if not wanted:
                continue
            found = list(read(folder / name, split))
            if name == "megatron":
                wanted = [("", ids) for _, ids in wanted]
            assert found == wanted, f"{name}: other documents in {split}"
            print(f"{name}, {split}: {len(found):,} documents are equal")


if __name__ == "__main__":
    main()
