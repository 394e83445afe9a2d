"""Small kernels that features, context and classifier share."""

import numpy as np
import numpy.typing as npt

from corpusmill.kernels import kernel

F32 = npt.NDArray[np.float32]

LOG2_E, LN_2 = 1.4426950408889634, 0.6931471805599453
LIMIT = 60.0
POWERS = np.array([2.0**k for k in range(-90, 91)])  # exact


@kernel
def sigmoid(x: float) -> float:
    """1 / (1 + exp(-x)) by additions, multiplications and one division.

    The C library's exp differs in its last bit between processors; what is kept of a page must not.
    """
    x = min(max(np.float64(x), -LIMIT), LIMIT)
    k = np.floor(-x * LOG2_E + 0.5)
    r = -x - k * LN_2  # |r| <= ln(2) / 2: eight terms give 1e-9
    series = 1 + r * (1 + r / 2 * (1 + r / 3 * (1 + r / 4 * (1 + r / 5 * (1 + r / 6 * (1 + r / 7 * (1 + r / 8)))))))
    return 1 / (1 + series * POWERS[np.int64(k) + 90])


@kernel
def best_segment(values: F32) -> tuple[int, int]:
    """The contiguous part values[start:end] with the greatest sum (Kadane), the first of equals; (0, 0) if none > 0."""
    best, start, end = np.float32(0), 0, 0
    current, since = np.float32(0), 0
    for i in range(len(values)):
        if current <= 0:
            current, since = np.float32(0), i
        current += values[i]
        if current > best:
            best, start, end = current, since, i + 1
    return start, end


@kernel
def outside(i: int, start: int, end: int) -> int:
    """How far i lies before (< 0) or behind (> 0) the range [start, end); 0 in it."""
    return i - start if i < start else i - end + 1 if i >= end else 0
