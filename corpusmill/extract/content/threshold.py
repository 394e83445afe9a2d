"""Which probability is enough: a page's own threshold.

If blocks' probabilities were right and independent, the threshold with the greatest expected F1 could be computed
(`best_threshold`).  They are neither: a thread's posts or a shop's texts are wanted all or none.  So a few thresholds
are described in numbers, by what each would keep and what the page is like, and a forest that was trained on what word
F1 they reached says which is best: .003 more on unseen pages than by expectation alone, much of it on pages of which
nothing is wanted.  The best threshold of every page would be worth .05.  None of the numbers is about a language.

Cost: 15 microseconds an average page, with the forest.
"""

from enum import IntEnum

import numpy as np
import numpy.typing as npt

from corpusmill.extract.content.forest import Forest, sum_leaves
from corpusmill.extract.segments.arithmetic import f32, i64
from corpusmill.extract.segments.lean import lean_entry
from corpusmill.kernels import kernel

F32 = npt.NDArray[np.float32]
Table = npt.NDArray[np.void]

UNLIKELY = 0.35  # expected F1, below which there may be no content at all
WEIGHT_OF_A_BLOCK = f32(0.3)  # besides its words: one without words counts, too
CHOICES = np.array(
    [0.03, 0.06, 0.1, 0.14, 0.18, 0.22, 0.26, 0.3, 0.34, 0.38, 0.42, 0.46, 0.5, 0.55, 0.6, 0.7, 0.8], np.float32
)
NEIGHBOURS = 2  # choices on both sides of one that speak for it, too


class Choice(IntEnum):
    """Rows of what is known of a threshold; weights are words."""

    FROM_EXPECTED = 0  # how far it is above the threshold with the greatest expected F1
    F1 = 1  # to be expected of it
    F1_LOST = 2  # to be expected, against the best
    PRECISION = 3  # to be expected
    RECALL = 4
    TAKEN_SHARE = 5  # of the page's weight
    RUNS = 6  # of blocks that are kept
    RUNS_A_BLOCK = 7
    CLOSE = 8  # weight between it and the next ones, for each that is taken
    BEST_F1 = 9  # of the page: to be expected
    CONTENT = 10  # to be expected
    CONTENT_SHARE = 11
    MOST = 12  # the greatest probability
    WEIGHT = 13
    BLOCKS = 14


N_CHOICES, N_CHOICE = len(CHOICES), len(Choice)
CHOICE_FEATURES: tuple[str, ...] = tuple(f"choice_{row.name.lower()}" for row in Choice)


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


@kernel
def describe_choices(p: F32, weights: F32, expected: float, best_f1: float) -> F32:
    """Features of every threshold of `CHOICES` -> (N_CHOICE, N_CHOICES); `best_threshold` said expected and best_f1."""
    within = np.zeros((N_CHOICES + 1, 3))  # of blocks between two choices: how many, their weight, what of it is right
    begun = np.zeros(N_CHOICES)  # runs of kept blocks
    below, most = i64(0), f32(0)
    for i in range(len(p)):
        place = i64(0)
        while place < N_CHOICES and p[i] > CHOICES[place]:
            place += 1
        within[place, 0] += 1
        within[place, 1] += weights[i]
        within[place, 2] += weights[i] * p[i]
        for k in range(below, place):
            begun[k] += 1
        below, most = place, max(most, p[i])
    weight, content = 0.0, 0.0
    for k in range(N_CHOICES + 1):
        weight += within[k, 1]
        content += within[k, 2]
    features = np.empty((N_CHOICE, N_CHOICES), np.float32)
    blocks, taken, right = 0.0, 0.0, 0.0
    for k in range(N_CHOICES - 1, -1, -1):
        blocks += within[k + 1, 0]
        taken += within[k + 1, 1]
        right += within[k + 1, 2]
        f1 = 2 * right / max(taken + content, 1e-6)
        features[Choice.FROM_EXPECTED, k] = CHOICES[k] - expected
        features[Choice.F1, k] = f1
        features[Choice.F1_LOST, k] = best_f1 - f1
        features[Choice.PRECISION, k] = right / max(taken, 1.0)
        features[Choice.RECALL, k] = right / max(content, 1e-6)
        features[Choice.TAKEN_SHARE, k] = taken / max(weight, 1.0)
        features[Choice.RUNS, k] = begun[k]
        features[Choice.RUNS_A_BLOCK, k] = begun[k] / max(blocks, 1.0)
        features[Choice.CLOSE, k] = (within[k, 1] + within[k + 1, 1]) / (taken + 1)
        features[Choice.BEST_F1, k] = best_f1
        features[Choice.CONTENT, k] = content
        features[Choice.CONTENT_SHARE, k] = content / max(weight, 1.0)
        features[Choice.MOST, k] = most
        features[Choice.WEIGHT, k] = weight
        features[Choice.BLOCKS, k] = len(p)
    return features


@kernel
def choose_threshold(p: F32, weights: F32, gains: Forest) -> tuple[float, float]:
    """The threshold that gains most, with something above it unless little is expected; the greatest expected F1."""
    expected, best_f1 = best_threshold(p, weights)
    choices = describe_choices(p, weights, expected, best_f1)
    gained = sum_leaves(choices, gains)[0]
    n = i64(1)  # choices that leave something, unless there may be nothing to leave
    while n < N_CHOICES and (best_f1 < UNLIKELY or CHOICES[n] < choices[Choice.MOST, n]):
        n += 1
    best, most = i64(0), f32(-np.inf)
    for k in range(n):
        around = f32(0)  # its neighbours are nearly the same choice: their mean is less of an accident (+.0005)
        for step in range(-NEIGHBOURS, NEIGHBOURS + 1):
            around += gained[min(max(k + step, 0), n - 1)]
        if around > most:
            best, most = k, around
    return CHOICES[best], best_f1
