"""95 % intervals of shares and of means."""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Z = 1.959964  # 97.5 % of a normal distribution lie below it
FEWEST = 10


class Estimate(NamedTuple):
    """A figure with its interval; None where there is none."""

    value: float
    low: float | None = None
    high: float | None = None


def share(n: int, of: int) -> Estimate:
    """A share of at least one, with Wilson's interval (1927), which also holds for few items and near 0 and 1."""
    p, z = n / of, Z * Z / of
    middle, half = (p + z / 2) / (1 + z), Z * math.sqrt(p * (1 - p) / of + z / (4 * of)) / (1 + z)
    return Estimate(p, max(0.0, middle - half), min(1.0, middle + half))


def ratio(sums: npt.ArrayLike, sizes: npt.ArrayLike) -> Estimate:
    """The sum of `sums` by the sum of `sizes`, over documents that are drawn at random (Cochran 1977, section 6.4).

    Without an interval for fewer than FEWEST documents, where it would mean little.
    """
    x, n = np.asarray(sums, np.float64), np.asarray(sizes, np.float64)
    value = float(x.sum() / n.sum())
    if len(x) < FEWEST:
        return Estimate(value)
    half = Z * math.sqrt(float(((x - value * n) ** 2).sum()) * len(x) / (len(x) - 1)) / float(n.sum())
    return Estimate(value, value - half, value + half)
