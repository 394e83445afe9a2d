"""Small kernels that the features and the classifier share."""

import numpy as np
import numpy.typing as npt

from corpusmill.extract.segments.lean import lean_entry, lean_kernel

F32 = npt.NDArray[np.float32]

# Types of numbers in kernels.  For numba they have 64 and 32 bits; for mypy they are int and float.  A variable that
# begins as i64(0), not as a literal, has one type from its start.  Kernels that get it are compiled for this type only.
i64: type[int] = np.int64  # type: ignore[assignment]
f32: type[float] = np.float32  # type: ignore[assignment]

LOG2_E, LN_2 = 1.4426950408889634, 0.6931471805599453
LIMIT = 60.0
POWERS = np.array([2.0**k for k in range(-90, 91)])  # exact


@lean_entry
def sigmoid(x: float) -> float:
    """1 / (1 + exp(-x)) by additions, multiplications and one division.

    The C library's exp differs in its last bit between processors.  The blocks that are kept must not differ.
    """
    x = min(max(np.float64(x), -LIMIT), LIMIT)
    k = np.floor(-x * LOG2_E + 0.5)
    r = -x - k * LN_2  # |r| <= ln(2) / 2: six terms of the series of exp are exact to 1e-6, the precision of float32
    series = 1 + r * (1 + r * (1 / 2 + r * (1 / 6 + r * (1 / 24 + r * (1 / 120 + r * (1 / 720))))))
    return 1 / (1 + series * POWERS[i64(k) + 90])  # type: ignore[no-any-return]


@lean_entry
def best_segment(values: F32) -> tuple[int, int]:
    """The contiguous part values[start:end] with the greatest sum (Kadane), the first if equal; (0, 0) if none > 0."""
    best, start, end = f32(0), 0, 0
    current, since = f32(0), 0
    for i in range(len(values)):
        if current <= 0:
            current, since = f32(0), i
        current += values[i]
        if current > best:
            best, start, end = current, since, i + 1
    return start, end


@lean_kernel
def outside(i: int, start: int, end: int) -> int:
    """How far i lies before (< 0) or after (> 0) the range [start, end); 0 inside it."""
    return i - start if i < start else i - end + 1 if i >= end else 0
