"""Write token rows as Parquet files that are small and fast to read.

The columns are those of `schema.TOKENS`: doc_id, source, language, split, n_bytes, n_tokens, ids.  A later version may
add columns.  It does not rename, retype or remove one of these.

Parquet has no 16-bit type: `list<uint16>` is stored as INT32, four bytes per token.  The values are plain, and zstd
removes the zero bytes.  Every reader of Parquet can read this.  docs/decisions/0012-readers.md lists the other
encodings that were measured, and docs/decisions/0014-shards.md sizes of row groups.  No id is null, and the schema says
so: then Parquet stores no level per id, and reading is 20 % faster.

A row group holds about 260,000 tokens, so a loader can read, shuffle and discard it as one unit.  It holds at least one
document.
"""

from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

TOKENS_PER_ROW_GROUP = 1 << 18


def write_parquet_tokens(table: pa.Table, sink: BinaryIO) -> None:
    """Write a table of tokens to an open binary file, in the format above; equal tables give equal bytes."""
    table = table.combine_chunks()
    with pq.ParquetWriter(
        sink,
        table.schema,
        compression="zstd",
        compression_level=3,
        use_dictionary=["source", "language", "split"],
        write_page_checksum=True,
    ) as writer:
        for start, stop in _row_groups(table["n_tokens"].to_numpy()):
            writer.write_table(table.slice(start, stop - start), row_group_size=stop - start)


def _row_groups(sizes: "np.ndarray[tuple[int], np.dtype[np.int32]]") -> Iterator[tuple[int, int]]:
    """Ranges of rows with at most TOKENS_PER_ROW_GROUP tokens, or one row that has more by itself."""
    ends = np.cumsum(sizes, dtype=np.int64)
    start = 0
    while start < len(sizes):
        done = ends[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, done + TOKENS_PER_ROW_GROUP, side="right")))
        yield start, stop
        start = stop
