"""Parquet files: one record per row; a row group is never cut.

A row group belongs to the slice in which its first column chunk begins.  `offset` is the row's number in the file.  If
the text column is missing or holds numbers, the recipe is wrong (InputError).  A damaged footer or row group is one
broken record, and reading continues with the next row group.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from corpusmill.collect.columnar import check_columns, records_of
from corpusmill.collect.columns import distinct
from corpusmill.collect.records import Record
from corpusmill.collect.settings import Columns
from corpusmill.errors import is_of_the_system

BATCH_ROWS = 8  # rows converted at a time, or fewer because of BATCH_BYTES
BATCH_BYTES = 1 << 28  # most bytes of these rows, assuming that each is as large as the whole row group


@dataclass(slots=True)
class ParquetReader:
    """The records of one slice of one file."""

    file: BinaryIO
    path: str
    start: int
    end: int | None
    columns: Columns
    _names: list[str] = field(default_factory=list)

    def __iter__(self) -> Iterator[Record]:
        try:
            parquet = pq.ParquetFile(self.file)
        except (OSError, pa.ArrowException) as error:
            if is_of_the_system(error):
                raise
            if self.start == 0:
                yield Record.broken(self.path, 0, "not a Parquet file, or its footer is damaged")
            return
        check_columns(parquet.schema_arrow, self.columns, self.path)
        self._names = distinct(parquet.schema_arrow.names)
        for group, first_row in groups_of(parquet, self.start, self.end):
            yield from self._rows(parquet, group, first_row)

    def _rows(self, parquet: pq.ParquetFile, group: int, row: int) -> Iterator[Record]:
        largest = max(1, parquet.metadata.row_group(group).total_byte_size)
        n_rows = min(max(BATCH_BYTES // largest, 1), BATCH_ROWS)
        try:
            for batch in parquet.iter_batches(n_rows, row_groups=[group], use_threads=False):
                yield from records_of(batch, self._names, self.columns, self.path, row)
                row += batch.num_rows
        except (OSError, pa.ArrowException) as error:
            if is_of_the_system(error):
                raise
            yield Record.broken(self.path, row, "the row group is damaged from here on")


def groups_of(parquet: pq.ParquetFile, start: int, end: int | None) -> Iterator[tuple[int, int]]:
    """(number, first row) of the row groups whose first column chunk begins in [start, end)."""
    first_row = 0
    for group in range(parquet.num_row_groups):
        metadata = parquet.metadata.row_group(group)
        at = _first_byte(metadata.column(0)) if metadata.num_columns else 0
        if start <= at and (end is None or at < end):
            yield group, first_row
        first_row += metadata.num_rows


def _first_byte(column: Any) -> int:
    dictionary: int | None = column.dictionary_page_offset
    data: int = column.data_page_offset
    return min(dictionary, data) if dictionary else data
