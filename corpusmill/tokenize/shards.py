"""Write token rows as Parquet, small and quick to read.

Parquet has no 16-bit type: `list<uint16>` is stored as INT32, four bytes a token.  BYTE_STREAM_SPLIT puts the first
bytes of all values together, then the second ones, and so on; the two upper streams are zeros, which zstd removes, and
the streams that remain compress better than whole values.  Row groups hold about a million tokens, a unit that a
loader can read, shuffle and forget; a row group has at least one document.

Measured on 6.8 MB of technical English (1.66 M tokens of an 8,192-entry vocabulary), bytes a token: 1.32, against 1.33
for plain INT32 at the same zstd level 3, 1.54 for Parquet's default layout (dictionary), 2 for bare uint16.  Plain
values catch up and win at higher levels (1.22 at 9: long repeats stay in one stream), at 2-5 times the time to write.
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
        column_encoding={"ids.list.element": "BYTE_STREAM_SPLIT"},
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
