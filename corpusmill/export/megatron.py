"""Megatron: tokens_train.bin and .idx, tokens_validation.bin and .idx, as its IndexedDataset reads them.

    .bin   the ids of all documents, a boundary after each (its option --append-eod)
    .idx   magic, version, code of the ids' type, numbers of sequences and of document bounds, lengths of sequences
           (int32), their places in the .bin in bytes (int64), the bounds of documents (int64).  Each document is one
           sequence.

As in Megatron, ids have 16 bits if the vocabulary has fewer than 65,500 entries, else they are int32.
"""

import struct
from pathlib import Path
from typing import Any

import numpy as np

from corpusmill.draws import Ints
from corpusmill.export.documents import SPLITS, Documents, joined
from corpusmill.export.formats import Request, Written

MAGIC = b"MMIDIDX\x00\x00"
CODES = {"uint16": 8, "int32": 4}
LARGEST_OF_16_BITS = 65_500


def write(request: Request) -> Written:
    """Write the files of both splits, if they have documents."""
    documents = Documents(request)
    dtype = np.dtype("<u2" if documents.vocab_size < LARGEST_OF_16_BITS else "<i4")
    lengths: dict[str, list[Ints]] = {split: [] for split in SPLITS}
    for split, table in documents.tables():
        stream, of_documents = joined(table, documents.boundary, dtype, first=False)
        with _file(request.out, split, "bin").open("ab") as file:
            file.write(stream.tobytes())
        lengths[split].append(of_documents)
    for split, found in lengths.items():
        if found:
            _file(request.out, split, "idx").write_bytes(_index(np.concatenate(found), dtype))
    return documents.written(dtype=dtype.name)


def _file(folder: Path, split: str, ending: str) -> Path:
    return folder / f"tokens_{split}.{ending}"


def _index(lengths: Ints, dtype: np.dtype[Any]) -> bytes:
    n = len(lengths)
    places = (np.cumsum(lengths) - lengths) * dtype.itemsize
    head = MAGIC + struct.pack("<QBQQ", 1, CODES[dtype.name], n, n + 1)
    return (
        head
        + lengths.astype("<i4").tobytes()
        + places.astype("<i8").tobytes()
        + np.arange(n + 1, dtype="<i8").tobytes()
    )
