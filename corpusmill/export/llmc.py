"""llm.c: files of at most SHARD_TOKENS ids, with a header of 256 int32: magic number, version, number of ids.

A boundary stands before each document.  A vocabulary of up to 65,536 entries has the magic number and the 16-bit ids of
GPT-2, a larger one those of Llama 3, with 32 bits.  llm.c finds the files with tokens_train_*.bin and tokens_val_*.bin.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from corpusmill.export.documents import SPLITS, Documents, joined
from corpusmill.export.formats import Request, Written

SHARD_TOKENS = 100_000_000
SMALL = (20240520, 1, np.dtype("<u2"))  # magic number, version, ids
LARGE = (20240801, 7, np.dtype("<u4"))
NAMES = {"train": "train", "validation": "val"}


def write(request: Request) -> Written:
    """Write the files of both splits."""
    documents = Documents(request)
    magic, version, dtype = SMALL if documents.vocab_size <= 1 << 16 else LARGE
    held: dict[str, list[npt.NDArray[np.int_]]] = {split: [] for split in SPLITS}
    numbers = dict.fromkeys(SPLITS, 0)

    def flush(split: str, least: int) -> None:
        """Write files while there are at least so many ids."""
        while held[split] and sum(map(len, held[split])) >= least:
            ids = np.concatenate(held[split])
            now, held[split] = ids[:SHARD_TOKENS], [ids[SHARD_TOKENS:]] if len(ids) > SHARD_TOKENS else []
            header = np.zeros(256, "<i4")
            header[:3] = magic, version, len(now)
            path = request.out / f"tokens_{NAMES[split]}_{numbers[split]:06}.bin"
            path.write_bytes(header.tobytes() + now.astype(dtype).tobytes())
            numbers[split] += 1

    for split, table in _streams(documents, dtype):
        held[split].append(table)
        flush(split, SHARD_TOKENS)
    for split in SPLITS:
        flush(split, 1)
    return documents.written(files=numbers, dtype=dtype.name)


def _streams(documents: Documents, dtype: npt.DTypeLike) -> Iterator[tuple[str, npt.NDArray[np.int_]]]:
    for split, table in documents.tables():
        yield split, joined(table, documents.boundary, dtype, first=True)[0]
