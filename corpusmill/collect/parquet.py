"""Parquet files: one record a row, row groups as the units that are never cut.

A row group belongs to the slice in which its first column chunk begins.  `offset` is the row's number in the file.  A
file without the text column, or with numbers in it, is the recipe's mistake (InputError); a footer or row group that is
damaged is one broken record, and reading goes on with the next row group.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from corpusmill.collect.columns import from_columns
from corpusmill.collect.records import Record
from corpusmill.collect.settings import Columns
from corpusmill.errors import InputError

BATCH = 512  # rows converted at once


@dataclass(slots=True)
class ParquetReader:
    """The records of one slice of one file."""

    file: BinaryIO
    path: str
    start: int
    end: int | None
    columns: Columns

    def __iter__(self) -> Iterator[Record]:
        try:
            parquet = pq.ParquetFile(self.file)
        except (OSError, pa.ArrowException) as error:
            _reraise_if_passing(error)
            if self.start == 0:
                yield Record.broken(self.path, 0, "not a Parquet file, or its footer is damaged")
            return
        self._check(parquet.schema_arrow)
        first_row = 0
        for group in range(parquet.num_row_groups):
            metadata = parquet.metadata.row_group(group)
            at = _first_byte(metadata.column(0)) if metadata.num_columns else 0
            if self.start <= at and (self.end is None or at < self.end):
                yield from self._rows(parquet, group, first_row)
            first_row += metadata.num_rows

    def _check(self, schema: pa.Schema) -> None:
        name = self.columns.text
        if name not in schema.names:
            there = ", ".join(schema.names)
            raise InputError(f"{self.path}: there is no column '{name}' for the text; name one of: {there}")
        kind = schema.field(name).type
        value = kind.value_type if pa.types.is_dictionary(kind) else kind
        if not any(test(value) for test in _TEXT_TYPES):
            raise InputError(f"{self.path}: column '{name}' holds {kind}, not text; name another column for the text")

    def _rows(self, parquet: pq.ParquetFile, group: int, row: int) -> Iterator[Record]:
        try:
            for batch in parquet.iter_batches(BATCH, row_groups=[group], use_threads=False):
                for values in zip(*(_values(column) for column in batch.columns), strict=True):
                    yield from_columns(dict(zip(batch.schema.names, values, strict=True)), self.columns, self.path, row)
                    row += 1
        except (OSError, pa.ArrowException) as error:
            _reraise_if_passing(error)
            yield Record.broken(self.path, row, "the row group is damaged from here on")


_TEXT_TYPES = (
    pa.types.is_string,
    pa.types.is_large_string,
    pa.types.is_string_view,
    pa.types.is_binary,
    pa.types.is_large_binary,
    pa.types.is_binary_view,
    pa.types.is_null,
)


def _reraise_if_passing(error: Exception) -> None:
    """What the disk or the network raises has a number; what Arrow raises for damaged bytes has none."""
    if isinstance(error, OSError) and error.errno is not None:
        raise error


def _first_byte(column: Any) -> int:
    dictionary: int | None = column.dictionary_page_offset
    data: int = column.data_page_offset
    return min(dictionary, data) if dictionary else data


def _values(column: pa.Array) -> list[Any]:
    """A column as Python values; text that is not UTF-8 comes as bytes, which readers of rows decode."""
    try:
        return list(column.to_pylist())
    except UnicodeDecodeError:
        return list(
            column.cast(pa.large_binary() if pa.types.is_large_string(column.type) else pa.binary()).to_pylist()
        )
