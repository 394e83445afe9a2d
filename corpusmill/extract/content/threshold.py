"""Which probability is enough: the threshold with the greatest F1 to be expected of a page.

Cost: 1 microsecond an average page.
"""

import numpy as np
import numpy.typing as npt

from corpusmill.extract.segments.arithmetic import f32
from corpusmill.extract.segments.lean import lean_entry
from corpusmill.kernels import kernel

F32 = npt.NDArray[np.float32]
Table = npt.NDArray[np.void]

WEIGHT_OF_A_BLOCK = f32(0.3)  # besides its words: one without words counts, too


@kernel
def weigh(blocks: Table) -> F32:
    """How much every block counts."""
    weights = np.empty(len(blocks), np.float32)
    for i in range(len(blocks)):
        weights[i] = f32(blocks[i]["n_words"]) + WEIGHT_OF_A_BLOCK
    return weights


@lean_entry
def best_threshold(p: F32, weights: F32) -> tuple[float, float]:
    """The threshold on p with the greatest expected F1 of weights, and that F1; (0.5, 0) of nothing.

    With expected sums, the best threshold is half of the best F1 (Lipton et al., Thresholding classifiers to maximize
    F1 score, 2014): it is the fixed point of t -> F1(t) / 2, which this iterates to.
    """
    expected = 0.0
    for i in range(len(p)):
        expected += p[i] * weights[i]
    threshold, f1 = 0.5, 0.0
    for _ in range(20):
        right, taken = 0.0, 0.0
        for i in range(len(p)):
            if p[i] > threshold:
                right += p[i] * weights[i]
                taken += weights[i]
        f1 = 2 * right / max(taken + expected, 1e-6)
        if abs(f1 / 2 - threshold) < 1e-6:
            break
        threshold = f1 / 2
    return threshold, f1
