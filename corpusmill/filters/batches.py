"""What all groups of signals share: texts are measured in batches, and one number is divided by another."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

BATCH_BYTES = 1 << 20  # of text at a time, so that its units, lines and paragraphs stay in the processor's cache


def batches(offsets: npt.NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Ranges of rows with BATCH_BYTES of text, or with one row; one empty range if there are none."""
    start, n = 0, len(offsets) - 1
    while start < n or n == 0:
        end = int(np.searchsorted(offsets, offsets[start] + BATCH_BYTES, "right")) - 1
        end = min(max(end, start + 1), n)
        yield start, end
        if n == 0:
            return
        start = end


def ratio(part: npt.NDArray[Any], whole: npt.NDArray[np.int64]) -> pa.Array:
    """Part by whole as float64, null where the whole is 0."""
    empty = whole == 0
    return pa.array(part / np.where(empty, 1, whole), mask=empty)
