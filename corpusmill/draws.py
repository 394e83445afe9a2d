"""Random numbers and orders that are functions of a key: a hash (splitmix64, Steele et al. 2014) of key and position.

So no new version of a library changes them, and none of them depends on how many were drawn before.
"""

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


def _bits(key: tuple[int, ...], n: int) -> npt.NDArray[np.uint64]:
    """Pseudo-random 64-bit numbers (n), a function of `key` only."""
    start = np.zeros(1, np.uint64)
    for number in key:
        start = _mix(start + np.uint64(number & 0xFFFF_FFFF_FFFF_FFFF))
    return _mix(start + np.arange(n, dtype=np.uint64) * np.uint64(0x9E37_79B9_7F4A_7C15))


def _mix(x: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """The finalizer of splitmix64."""
    x = x + np.uint64(0x9E37_79B9_7F4A_7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58_476D_1CE4_E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D0_49BB_1331_11EB)
    return x ^ (x >> np.uint64(31))


def uniform(key: tuple[int, ...], n: int) -> npt.NDArray[np.float64]:
    """Numbers in [0, 1) (n), a function of `key` only."""
    return (_bits(key, n) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def shuffled(key: tuple[int, ...], n: int) -> Ints:
    """The numbers 0 to n - 1 in a random order, a function of `key` only."""
    return np.argsort(_bits(key, n), kind="stable")
