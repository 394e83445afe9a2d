"""Parquet files: one record per row; a row group is never cut.

A row group belongs to the slice in which its first column chunk begins.  `offset` is the row's number in the file.  If
the text column is missing or holds numbers, the recipe is wrong (InputError).  A damaged footer or row group is one
broken record, and reading continues with the next row group.

Few rows are converted at a time.  A dictionary can hold one string for all rows, so a file of one kilobyte can hold a
thousand rows of several megabytes each.  The cost per row is 18 us with 1 row at a time, 7 us with 8 rows, and 6 us
with 512 rows.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpusmill.collect.columns import from_columns
from corpusmill.collect.records import Record
from corpusmill.collect.settings import Columns
from corpusmill.errors import InputError, is_of_the_system

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
        self._check(parquet.schema_arrow)
        self._names = _distinct(parquet.schema_arrow.names)
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
        if schema.names.count(name) > 1:
            raise InputError(f"{self.path}: there are {schema.names.count(name)} columns '{name}'; name another one")
        kind = schema.field(name).type
        value = kind.value_type if pa.types.is_dictionary(kind) else kind
        if not any(test(value) for test in _TEXT_TYPES):
            raise InputError(f"{self.path}: column '{name}' holds {kind}, not text; name another column for the text")

    def _rows(self, parquet: pq.ParquetFile, group: int, row: int) -> Iterator[Record]:
        largest = max(1, parquet.metadata.row_group(group).total_byte_size)
        n_rows = min(max(BATCH_BYTES // largest, 1), BATCH_ROWS)
        try:
            for batch in parquet.iter_batches(n_rows, row_groups=[group], use_threads=False):
                for values in zip(*(_values(column) for column in batch.columns), strict=True):
                    yield from_columns(dict(zip(self._names, values, strict=True)), self.columns, self.path, row)
                    row += 1
        except (OSError, pa.ArrowException) as error:
            if is_of_the_system(error):
                raise
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


def _first_byte(column: Any) -> int:
    dictionary: int | None = column.dictionary_page_offset
    data: int = column.data_page_offset
    return min(dictionary, data) if dictionary else data


def _distinct(names: list[str]) -> list[str]:
    """Column names, with a number added to each name that was there before."""
    return [name if name not in names[:place] else f"{name}_{place}" for place, name in enumerate(names)]


def _values(column: pa.Array) -> list[Any]:
    """A column as Python values.  Text that is not UTF-8 is returned as bytes, and the callers decode these.

    Nanoseconds do not fit into Python's own types, and pyarrow's result for them depends on whether pandas is
    installed.  Time zones depend on the machine's tables.  So both are returned as text, in UTC.
    """
    if _is_text_of_time(column.type):
        return list(_times(column).to_pylist())
    if not _holds(column.type, _is_text_of_time):
        try:
            return list(column.to_pylist())
        except MemoryError:
            raise
        except Exception:  # noqa: BLE001  # one of many values failed: convert each by itself
            pass
    return [_value(scalar) for scalar in column]


def _value(scalar: pa.Scalar) -> Any:
    """One value with its nested values; if Python has no value for it, a text that names its type."""
    try:
        return _plain_value(scalar)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001  # the text replaces the value
        return f"<{scalar.type}: {type(error).__name__}>"


def _plain_value(scalar: pa.Scalar) -> Any:
    kind = scalar.type
    if not scalar.is_valid:
        return None
    if pa.types.is_dictionary(kind):
        return _value(scalar.value)
    if pa.types.is_struct(kind):
        return {kind.field(place).name: _value(scalar[place]) for place in range(kind.num_fields)}
    if pa.types.is_map(kind):
        return {str(_value(item[0])): _value(item[1]) for item in scalar.values}
    if pa.types.is_nested(kind):
        return [_value(item) for item in scalar.values]
    if pa.types.is_temporal(kind):
        return _times(pa.array([scalar], kind)).to_pylist()[0]
    try:
        return scalar.as_py()
    except UnicodeDecodeError:
        return scalar.as_buffer().to_pybytes()


def _times(column: pa.Array) -> pa.Array:
    """Times as text in ISO 8601, with instants in UTC; durations as numbers of their unit."""
    kind = column.type
    has_zone = pa.types.is_timestamp(kind) and kind.tz is not None
    text = (column.cast(pa.timestamp(kind.unit)) if has_zone else column).cast(pa.string())
    text = pc.replace_substring_regex(text, r"^([0-9-]+) ", r"\1T")
    return pc.binary_join_element_wise(text, "Z", "") if has_zone else text


def _is_text_of_time(kind: pa.DataType) -> bool:
    return pa.types.is_temporal(kind) and (getattr(kind, "unit", "") == "ns" or getattr(kind, "tz", None) is not None)


def _holds(kind: pa.DataType, test: Callable[[pa.DataType], bool]) -> bool:
    """Whether a test holds for a type or for a type that is nested in it."""
    if pa.types.is_nested(kind):
        return any(_holds(kind.field(place).type, test) for place in range(kind.num_fields))
    return _holds(kind.value_type, test) if pa.types.is_dictionary(kind) else test(kind)
