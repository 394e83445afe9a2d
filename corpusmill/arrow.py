"""Arrow's text columns as numpy buffers, which compiled kernels read; the text is not copied."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Bytes = npt.NDArray[np.uint8]

_NOTHING = np.zeros(1, np.uint8)


def read_only(data: Bytes) -> Bytes:
    """The array as one that is not written to: numba compiles a kernel twice if it gets both kinds."""
    data = data.view()
    data.flags.writeable = False
    return data


def to_stream(table: pa.Table) -> bytes:
    """A table as bytes that go through a shuffle."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def from_streams(contents: Sequence[bytes], schema: pa.Schema) -> pa.Table:
    """The rows of several such tables; an empty table if there are none."""
    tables = [pa.ipc.open_stream(content).read_all() for content in contents]
    return pa.concat_tables([schema.empty_table(), *tables]).combine_chunks()


@dataclass(frozen=True, slots=True)
class Utf8Column:
    """A text column of n rows: row i is the bytes data[offsets[i]:offsets[i + 1]]; a null row is empty.

    data: uint8 (total bytes; at least 1 element, so that kernels can take its address), read-only whatever it was
    offsets: int64 (n + 1)
    """

    data: Bytes
    offsets: npt.NDArray[np.int64]

    def __post_init__(self) -> None:
        """See `read_only`."""
        object.__setattr__(self, "data", read_only(self.data))

    @classmethod
    def of(cls, column: pa.Array | pa.ChunkedArray) -> Self:
        """Make one from any string, large_string, binary or large_binary column."""
        array: Any = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
        if pa.types.is_string(array.type) or pa.types.is_binary(array.type):
            width: type[np.int32 | np.int64] = np.int32
        else:
            assert pa.types.is_large_string(array.type) or pa.types.is_large_binary(array.type), array.type
            width = np.int64
        n = len(array)
        if n == 0:
            return cls(_NOTHING, np.zeros(1, np.int64))
        if array.null_count:
            array = array.fill_null("" if "string" in str(array.type) else b"")
        _, starts, values = array.buffers()
        offsets = np.frombuffer(starts, width)[array.offset : array.offset + n + 1].astype(np.int64)
        data = np.frombuffer(values, np.uint8) if values is not None and values.size else _NOTHING
        return cls(data, offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1
