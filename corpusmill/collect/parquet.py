"""Parquet files: one record per row; a row group is never cut.

A row group belongs to the slice in which its first column chunk begins.  `offset` is the row's number in the file.  A
file whose text column is missing or holds numbers is one record, which says so.  A damaged footer or row group is one
broken record, and reading continues with the next row group.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from corpusmill.collect.columnar import lacking, records_of
from corpusmill.collect.columns import distinct
from corpusmill.collect.records import EMPTY, DamageError, Record
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
            parquet = opened_parquet(self.file)
        except DamageError as error:
            if self.start == 0:
                yield Record.broken(self.path, 0, str(error))
            return
        if (reason := lacking(parquet.schema_arrow, self.columns)) is not None:
            if self.start == 0:
                yield Record.without_text(self.path, reason, parquet.metadata.num_rows)
            return
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


def opened_parquet(file: BinaryIO) -> pq.ParquetFile:
    """A file whose footer was read; DamageError if it cannot be."""
    if not file.read(1):
        raise DamageError(EMPTY)
    file.seek(0)
    try:
        return pq.ParquetFile(file)
    except (OSError, pa.ArrowException) as error:
        if is_of_the_system(error):
            raise
        raise DamageError("not a Parquet file, or its footer is damaged") from None


def parquet_misfit(file: BinaryIO, columns: Columns) -> str | None:
    """Why no column of a file is the text; None if one is.  DamageError if its footer cannot be read."""
    return lacking(opened_parquet(file).schema_arrow, columns)


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
