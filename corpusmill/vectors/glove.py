"""GloVe (Pennington et al. 2014): vectors whose products are the logarithms of co-occurrence counts.

Each pair of words that are at most `window` words apart in a document counts 1 / distance.  For each pair with a count
x, the model minimises

    f(x) (w_i . c_j + b_i + d_j - log x)^2,    f(x) = min(1, (x / 100) ** 0.75)

with AdaGrad, and the vector of a word is w + c.  The pairs come in a random order that depends on the epoch only.
"""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from corpusmill.draws import shuffled, uniform
from corpusmill.vectors.settings import VectorSettings

X_MAX, ALPHA = 100.0, 0.75
LEARNING_RATE = 0.05
PAIRS_PER_STEP = 4096
MERGED_PAIRS = 1 << 22  # so many new pairs are collected before they are added to the counts

Floats = npt.NDArray[np.float32]
Pairs = tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]


def train_glove(documents: Iterable[list[str]], words: list[str], settings: VectorSettings) -> Floats:
    """The vectors of the words: (words, size).  Words of the documents that are not listed have no effect."""
    keys, counts = co_occurrences(documents, words, settings.window)
    word, context = fit(keys, counts, len(words), settings.size, settings.epochs)
    return (word + context)[:, :-1].copy()


def fit(
    keys: npt.NDArray[np.int64], counts: npt.NDArray[np.float64], n: int, size: int, epochs: int
) -> tuple[Floats, Floats]:
    """The vectors of `n` words as words and as contexts: (n, size + 1) each; the last number is the bias.

    keys: word x n + context
    """
    word, context = (
        ((uniform((1, table), n * (size + 1)) - 0.5) / size).reshape(n, size + 1).astype(np.float32)
        for table in range(2)
    )
    squares = np.ones_like(word), np.ones_like(context)  # sums of squared gradients
    goal, weight = np.log(counts).astype(np.float32), _weight(counts).astype(np.float32)
    for epoch in range(epochs):
        order = shuffled((epoch,), len(keys))
        for at in range(0, len(keys), PAIRS_PER_STEP):
            chosen = order[at : at + PAIRS_PER_STEP]
            i, j = np.divmod(keys[chosen], n)
            w, c = word[i], context[j]
            product = (w[:, :-1] * c[:, :-1]).sum(1) + w[:, -1] + c[:, -1]
            slope = (weight[chosen] * (product - goal[chosen]))[:, None]
            to_word, to_context = slope * c, slope * w
            to_word[:, -1:] = to_context[:, -1:] = slope
            _descend(word, squares[0], i, to_word)
            _descend(context, squares[1], j, to_context)
    return word, context


def _weight(counts: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.minimum(1.0, (counts / X_MAX) ** ALPHA)


def _descend(table: Floats, squares: Floats, index: npt.NDArray[np.int64], gradients: Floats) -> None:
    """A step of AdaGrad, in place.  gradients: one row per index; rows with the same index are added."""
    order = np.argsort(index, kind="stable")
    rows, starts = np.unique(index[order], return_index=True)
    gradient = np.add.reduceat(gradients[order], starts)
    squares[rows] += np.square(gradient)
    table[rows] -= LEARNING_RATE * gradient / np.sqrt(squares[rows])


def co_occurrences(documents: Iterable[list[str]], words: list[str], window: int) -> Pairs:
    """Pairs of words, as i x len(words) + j in order, and the sum of 1 / distance of each pair; both directions count.

    Distances count all words of a document, also those that are not listed.
    """
    number, n = {word: i for i, word in enumerate(words)}, len(words)
    keys, counts = np.zeros(0, np.int64), np.zeros(0)
    new_keys: list[npt.NDArray[np.int64]] = []
    new_counts: list[npt.NDArray[np.float64]] = []
    waiting = 0
    for document in documents:
        ids = np.array([number.get(word, -1) for word in document], np.int64)
        for distance in range(1, min(window, len(ids) - 1) + 1):
            left, right = ids[:-distance], ids[distance:]
            real = (left >= 0) & (right >= 0)
            left, right = left[real], right[real]
            new_keys += [left * n + right, right * n + left]
            new_counts.append(np.full(2 * len(left), 1 / distance))
            waiting += 2 * len(left)
        if waiting > MERGED_PAIRS:
            keys, counts = _added([keys, *new_keys], [counts, *new_counts])
            new_keys, new_counts, waiting = [], [], 0
    return _added([keys, *new_keys], [counts, *new_counts])


def _added(keys: list[npt.NDArray[np.int64]], counts: list[npt.NDArray[np.float64]]) -> Pairs:
    found, which = np.unique(np.concatenate(keys), return_inverse=True)
    sums: npt.NDArray[np.float64] = np.bincount(which, np.concatenate(counts), len(found)).astype(np.float64)
    return found, sums
