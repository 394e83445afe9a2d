"""Choose a threshold for the blocks' probabilities, for each page separately.

If the probabilities were right and independent, the threshold with the highest expected F1 could be computed
(`best_threshold`).  They are not: the posts of a thread, or the texts of a shop, are content all together or not at
all.  So each of a few thresholds is described with numbers: what it would keep, and properties of the page.  None of
the numbers depends on a language.  A forest, trained on the word F1 that thresholds reached, chooses the best one.

On unseen pages this gains 0.003 over the expectation alone, much of it on pages from which nothing is wanted.  With the
best threshold for every page, the gain would be 0.05.

Cost: 15 microseconds per average page, including the forest.
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

UNLIKELY = 0.35  # expected F1; below it, the page may have no content at all
WEIGHT_OF_A_BLOCK = f32(0.3)  # added to its number of words, so that a block without words counts, too
CHOICES = np.array(
    [0.03, 0.06, 0.1, 0.14, 0.18, 0.22, 0.26, 0.3, 0.34, 0.38, 0.42, 0.46, 0.5, 0.55, 0.6, 0.7, 0.8], np.float32
)
NEIGHBOURS = 2  # neighbouring choices on each side that are averaged with a choice


class Choice(IntEnum):
    """Rows of the features of a threshold.  Weights are numbers of words."""

    FROM_EXPECTED = 0  # distance to the threshold with the highest expected F1, positive above it
    F1 = 1  # expected
    F1_LOST = 2  # expected, compared with the best
    PRECISION = 3  # expected
    RECALL = 4
    TAKEN_SHARE = 5  # share of the page's weight
    RUNS = 6  # number of runs of kept blocks
    RUNS_A_BLOCK = 7
    CLOSE = 8  # weight between it and its neighbours, per weight that is kept
    BEST_F1 = 9  # expected, for the page
    CONTENT = 10  # expected weight of the content
    CONTENT_SHARE = 11
    MOST = 12  # the highest probability
    WEIGHT = 13
    BLOCKS = 14


N_CHOICES, N_CHOICE = len(CHOICES), len(Choice)
CHOICE_FEATURES: tuple[str, ...] = tuple(f"choice_{row.name.lower()}" for row in Choice)


@kernel
def weigh(blocks: Table) -> F32:
    """The weight of every block."""
    weights = np.empty(len(blocks), np.float32)
    for i in range(len(blocks)):
        weights[i] = f32(blocks[i]["n_words"]) + WEIGHT_OF_A_BLOCK
    return weights


@lean_entry
def best_threshold(p: F32, weights: F32) -> tuple[float, float]:
    """The threshold on p with the highest expected F1 of weights, and that F1; (0.5, 0) if there are no blocks.

    With expected sums, the best threshold is half of the best F1 (Lipton et al., Thresholding classifiers to maximize
    F1 score, 2014).  It is the fixed point of t -> F1(t) / 2, which is found by iteration.
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
    """Features of every threshold in `CHOICES` -> (N_CHOICE, N_CHOICES); `expected`, `best_f1`: of `best_threshold`."""
    within = np.zeros((N_CHOICES + 1, 3))  # blocks between two choices: number, weight, expected content
    begun = np.zeros(N_CHOICES)  # number of runs of kept blocks
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
    """(the threshold with the highest gain, the highest expected F1).

    Unless little content is expected, at least one block is above the threshold.
    """
    expected, best_f1 = best_threshold(p, weights)
    choices = describe_choices(p, weights, expected, best_f1)
    gained = sum_leaves(choices, gains)[0]
    n = i64(1)  # number of choices that keep something; all choices, if there may be nothing to keep
    while n < N_CHOICES and (best_f1 < UNLIKELY or CHOICES[n] < choices[Choice.MOST, n]):
        n += 1
    best, most = i64(0), f32(-np.inf)
    for k in range(n):
        around = f32(0)  # neighbours are nearly the same choice, and their mean has less noise (+0.0005)
        for step in range(-NEIGHBOURS, NEIGHBOURS + 1):
            around += gained[min(max(k + step, 0), n - 1)]
        if around > most:
            best, most = k, around
    return CHOICES[best], best_f1
