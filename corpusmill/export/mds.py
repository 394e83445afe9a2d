"""MosaicML streaming (MDS, version 2): the folders train and validation, with shards and an index.json each.

A sample is a document: doc_id, source, language and tokens, which are bytes: `np.frombuffer(sample["tokens"],
np.uint16)`, or uint32 from 65,536 vocabulary entries on.  There are no boundaries in the tokens.

    shard   number of samples n, n + 1 places of samples (all uint32), the configuration as JSON, the samples
    sample  the sizes of its four values (uint32), the values
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from corpusmill.export.documents import SPLITS, Documents
from corpusmill.export.formats import Request, Written

SHARD_BYTES = 1 << 26
COLUMNS = {"doc_id": "str", "language": "str", "source": "str", "tokens": "bytes"}  # in the order of their names


def write(request: Request) -> Written:
    """Write the shards of both splits, if they have documents."""
    documents = Documents(request)
    folders = {split: _Folder(request.out / split) for split in SPLITS}
    for split, table in documents.tables():
        folders[split].add(table)
    for folder in folders.values():
        folder.close()
    return documents.written(dtype="uint16" if documents.vocab_size <= 1 << 16 else "uint32")


class _Folder:
    """The shards of a split."""

    def __init__(self, path: Path) -> None:
        self._path, self._size = path, 0
        self._samples: list[bytes] = []
        self._shards: list[dict[str, Any]] = []
        self._config: dict[str, Any] = {
            "version": 2,
            "format": "mds",
            "compression": None,
            "hashes": [],
            "size_limit": SHARD_BYTES,
            "column_names": list(COLUMNS),
            "column_encodings": list(COLUMNS.values()),
            "column_sizes": [None] * len(COLUMNS),
        }

    def add(self, table: pa.Table) -> None:
        """Add documents."""
        ids = table["ids"].combine_chunks()
        ids = ids.combine_chunks() if isinstance(ids, pa.ChunkedArray) else ids
        tokens, offsets = ids.flatten().to_numpy(), ids.offsets.to_numpy() - ids.offsets[0].as_py()
        tokens = tokens.astype(tokens.dtype.newbyteorder("<"))
        texts = [[(value or "").encode() for value in table[name].to_pylist()] for name in list(COLUMNS)[:-1]]
        for row, of in enumerate(zip(*texts, strict=True)):
            values = [*of, tokens[offsets[row] : offsets[row + 1]].tobytes()]
            sample = np.array([len(value) for value in values], "<u4").tobytes() + b"".join(values)
            if self._size + len(sample) + 4 > SHARD_BYTES - 10_000:
                self._flush()
            self._samples.append(sample)
            self._size += len(sample) + 4

    def close(self) -> None:
        """Write the last shard and the index."""
        self._flush()
        if self._shards:
            content = json.dumps({"version": 2, "shards": self._shards}, sort_keys=True)
            (self._path / "index.json").write_text(content, "utf-8")

    def _flush(self) -> None:
        if not self._samples:
            return
        config = json.dumps(self._config, sort_keys=True).encode()
        n = len(self._samples)
        places = np.cumsum([4 + 4 * (n + 1) + len(config), *map(len, self._samples)]).astype("<u4")
        content = np.uint32(n).astype("<u4").tobytes() + places.tobytes() + config + b"".join(self._samples)
        name = f"shard.{len(self._shards):05}.mds"
        self._path.mkdir(exist_ok=True)
        (self._path / name).write_bytes(content)
        raw = {"basename": name, "bytes": len(content), "hashes": {}}
        self._shards.append({**self._config, "samples": n, "raw_data": raw, "zip_data": None})
        self._samples, self._size = [], 0
