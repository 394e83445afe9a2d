"""The rows that a stage made for a part, and the part as a Parquet file."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    import pyarrow as pa

ROWS_PER_GROUP = 16_384
LAYOUT = 2  # how a table becomes a file; raise it when the bytes of a part change, but not its rows


@dataclass(frozen=True, kw_only=True, slots=True)
class Made:
    """The result of a stage for one part: its rows, and the row counts."""

    table: "pa.Table"
    rows_in: int
    bytes_in: int
    dropped: dict[str, int] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)


def write_parquet(table: "pa.Table", sink: BinaryIO) -> None:
    """Write a table as Parquet with the options that every stage except tokens uses.

    A table without rows becomes a file without row groups, because HF `datasets` refuses a row group without rows.
    """
    import pyarrow.parquet as pq

    options = {"compression": "zstd", "compression_level": 3, "write_page_checksum": True}
    with pq.ParquetWriter(sink, table.schema, **options) as writer:
        if len(table):
            writer.write_table(table, row_group_size=ROWS_PER_GROUP)


def column_digests(content: bytes | memoryview, columns: Sequence[str] | None = None) -> dict[str, str]:
    """BLAKE2b-64 of each top-level column's chunks in a Parquet file: of all columns, or of some."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    hashes: dict[str, Any] = {}
    file = pq.ParquetFile(pa.BufferReader(content))
    metadata, data = file.metadata, memoryview(content)
    for group in range(metadata.num_row_groups):
        for index in range(metadata.num_columns):
            chunk = metadata.row_group(group).column(index)
            begin = chunk.data_page_offset
            if chunk.has_dictionary_page:
                begin = min(begin, chunk.dictionary_page_offset)
            name = chunk.path_in_schema.split(".", 1)[0]
            if columns is not None and name not in columns:
                continue
            hashes.setdefault(name, hashlib.blake2b(digest_size=8)).update(
                data[begin : begin + chunk.total_compressed_size]
            )
    empty = hashlib.blake2b(digest_size=8)
    names = file.schema_arrow.names if columns is None else columns
    return {name: hashes.get(name, empty).hexdigest() for name in names}
