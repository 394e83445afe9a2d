"""Write token rows as Parquet, small and quick to read.

Parquet has no 16-bit type: `list<uint16>` is stored as INT32, four bytes per token.  The values are plain, and zstd
removes the zero bytes.  Every reader of Parquet can read that (docs/decisions/0012-readers.md: what else was measured).
Row groups hold about a million tokens, a unit that a loader can read, shuffle and forget; a row group has at least one
document.

Measured on 13.4 MB of technical English with a vocabulary of 8,192 entries, one core: 1.32 bytes per token, and 1.41
with 32,768 entries; bare uint16 would take 2.
"""

from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

TOKENS_PER_ROW_GROUP = 1 << 20


def write_parquet_tokens(table: pa.Table, sink: BinaryIO) -> None:
    """Write a table of tokens to an open binary file, laid out as above; equal tables give equal bytes."""
    table = table.combine_chunks()
    with pq.ParquetWriter(
        sink,
        table.schema,
        compression="zstd",
        compression_level=3,
        use_dictionary=["source", "split"],
        write_page_checksum=True,
    ) as writer:
        for start, stop in _row_groups(table["n_tokens"].to_numpy()):
            writer.write_table(table.slice(start, stop - start), row_group_size=stop - start)


def _row_groups(sizes: "np.ndarray[tuple[int], np.dtype[np.int32]]") -> Iterator[tuple[int, int]]:
    """Ranges of rows with at most TOKENS_PER_ROW_GROUP tokens each, or one row that alone has more."""
    ends = np.cumsum(sizes, dtype=np.int64)
    start = 0
    while start < len(sizes):
        done = ends[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, done + TOKENS_PER_ROW_GROUP, side="right")))
        yield start, stop
        start = stop
