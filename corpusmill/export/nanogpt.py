"""nanoGPT: train.bin and val.bin, the ids as uint16, a boundary after each document.  It reads them with np.memmap."""

import numpy as np

from corpusmill.export.documents import Documents, fits_16_bits, joined
from corpusmill.export.formats import Request, Written

FILES = {"train": "train.bin", "validation": "val.bin"}


def write(request: Request) -> Written:
    """Write both files; an empty split gives an empty file."""
    documents = Documents(request)
    fits_16_bits(documents, "nanoGPT")
    files = {split: (request.out / name).open("wb") for split, name in FILES.items()}
    try:
        for split, table in documents.tables():
            stream, _ = joined(table, documents.boundary, np.uint16, first=False)
            files[split].write(stream.astype("<u2").tobytes())
    finally:
        for file in files.values():
            file.close()
    return documents.written(files=FILES, dtype="uint16")
