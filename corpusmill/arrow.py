"""Arrow's text columns as numpy buffers, the form that compiled kernels read, without copying the text."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

_NOTHING = np.zeros(1, np.uint8)
_NOTHING.flags.writeable = False  # as Arrow's buffers are: numba would compile every kernel again for one that is not


@dataclass(frozen=True, slots=True)
class Utf8Column:
    """A text column of n rows: row i is the bytes data[offsets[i]:offsets[i + 1]]; a null row is empty.

    data: uint8 (total bytes; at least 1 element, so that kernels can take its address)
    offsets: int64 (n + 1)
    """

    data: npt.NDArray[np.uint8]
    offsets: npt.NDArray[np.int64]

    @classmethod
    def of(cls, column: pa.Array | pa.ChunkedArray) -> Self:
        """Any string, large_string, binary or large_binary column."""
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
