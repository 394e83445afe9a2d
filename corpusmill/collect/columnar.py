"""Rows of Arrow tables as records, for Parquet and Arrow files.

Few rows are converted at a time.  A dictionary can hold one string for all rows, so a file of one kilobyte can hold a
thousand rows of several megabytes each.  The cost per row is 18 us with 1 row at a time, 7 us with 8 rows, and 6 us
with 512 rows.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from corpusmill.collect.columns import from_columns, no_column
from corpusmill.collect.records import Record
from corpusmill.collect.settings import Columns


def lacking(schema: pa.Schema, columns: Columns) -> str | None:
    """Why no column of a file is the text: it is not there, or it cannot hold text.  None if one is."""
    name = columns.text
    if schema.names.count(name) > 1:
        return f"there are {schema.names.count(name)} columns '{name}'; name another one"
    kind = _type_of(schema, name)
    if kind is None:
        return no_column(name, schema.names)
    return None if _may_be_text(kind) else f"column '{name}' holds {kind}, not text; name another column for the text"


def _type_of(schema: pa.Schema, name: str) -> pa.DataType | None:
    """The type of a column, also of one in another column."""
    if name in schema.names:
        return schema.field(name).type
    outer, *inner = name.split(".")
    if not inner or schema.names.count(outer) != 1:
        return None
    kind = schema.field(outer).type
    for each in inner:
        if not pa.types.is_struct(kind) or kind.get_field_index(each) < 0:
            return None
        kind = kind.field(each).type
    return kind


def _may_be_text(kind: pa.DataType) -> bool:
    """Whether values of a type can be a text, or paragraphs or messages of one."""
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    if any(test(kind) for test in _LIST_TYPES):
        return pa.types.is_struct(kind.value_type) or _may_be_text(kind.value_type)
    return any(test(kind) for test in _TEXT_TYPES)


def records_of(batch: pa.RecordBatch, names: list[str], columns: Columns, path: str, row: int) -> Iterator[Record]:
    """The records of a batch of few rows, of which `row` is the first one's number in the file."""
    for values in zip(*(_values(column) for column in batch.columns), strict=True):
        yield from_columns(dict(zip(names, values, strict=True)), columns, path, row)
        row += 1


_LIST_TYPES = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
_TEXT_TYPES = (
    pa.types.is_string,
    pa.types.is_large_string,
    pa.types.is_string_view,
    pa.types.is_binary,
    pa.types.is_large_binary,
    pa.types.is_binary_view,
    pa.types.is_null,
)


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
