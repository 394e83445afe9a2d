"""Figures of retrieval: recall@k, mean reciprocal rank (MRR), normalised discounted cumulative gain (nDCG@10).

Every query ranks all distinct texts by cosine similarity.  A tie with a wrong text counts against the model.  The
baseline is the expected value for a random order.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from corpusmill.finetune.metrics.figure import Figure

KS = (1, 5, 10)
DEPTH = 10  # of nDCG
_ORDERS = 200  # random orders of the baseline
_SEED = 1


def of_ranking(similarity: npt.NDArray[np.floating], right: Sequence[Sequence[int]]) -> list[Figure]:
    """The figures.

    similarity: (queries, texts)
    right: for each query, its texts (at least one)
    """
    n_texts = similarity.shape[1]
    ours = np.array([_scores(_ranks(row, texts), n_texts) for row, texts in zip(similarity, right, strict=True)])
    random = np.random.default_rng(_SEED)
    chance = np.array([
        _scores(np.sort(random.permutation(n_texts)[: len(texts)]) + 1, n_texts)
        for texts in right
        for _ in range(max(1, _ORDERS // len(right)))
    ])  # fmt: skip
    names = [*(f"recall_at_{k}" for k in KS), "mrr", f"ndcg_at_{DEPTH}"]
    return [
        Figure(metric=name, value=float(value), baseline=float(baseline), n=len(right))
        for name, value, baseline in zip(names, ours.mean(0), chance.mean(0), strict=True)
    ]


def _ranks(similarity: npt.NDArray[np.floating], right: Sequence[int]) -> npt.NDArray[np.int64]:
    """The ranks of the right texts, from 1, in ascending order."""
    wrong = np.ones(len(similarity), bool)
    wrong[list(right)] = False
    better = np.array([(similarity[wrong] >= similarity[text]).sum() for text in right])
    return np.sort(better) + 1 + np.arange(len(right))


def _scores(ranks: npt.NDArray[np.int64], n_texts: int) -> list[float]:
    """The figures of a query whose right texts have these ranks."""
    gains = (1 / np.log2(1 + ranks[ranks <= DEPTH])).sum()
    best = (1 / np.log2(1 + np.arange(1, min(len(ranks), DEPTH, n_texts) + 1))).sum()
    return [*(float((ranks <= k).mean()) for k in KS), float(1 / ranks[0]), float(gains / best)]
