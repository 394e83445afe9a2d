"""Fit the extractor's model on labelled pages: the linear model, and forests for blocks, thresholds and kinds of pages.

Each level is trained on the output of the level below for pages that the level below has not seen (stacking, Wolpert
1992).  For this, the pages are split by domain into `INNER` groups.  For each group, the levels below are fitted on the
other groups.  In the final model, each level is fitted on all pages.

Everything is deterministic: seeds are fixed, LightGBM runs with a fixed number of threads, and pages come in order.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import lightgbm
import numba
import numpy as np
import numpy.typing as npt
from pages import LabelledPage
from scores import f1_of
from shorten import shortened

from corpusmill.extract.content.classify import kept, probabilities
from corpusmill.extract.content.features import Measured, features_of, measure
from corpusmill.extract.content.forest import LEAVES, Forest, from_lightgbm, predict, sortable
from corpusmill.extract.content.kinds import KINDS, page_features
from corpusmill.extract.content.linear import Family, Linear, LinearInputs, compact, linear_inputs
from corpusmill.extract.content.model import Model
from corpusmill.extract.content.threshold import CHOICES, best_threshold, describe_choices, weigh

INNER = 5
MIN_PAGES = 3  # a word must be on so many pages to have a weight
LEAST_WEIGHT = np.array([0.03, 0.03, 0.1, 0.1, 0.1])  # by family; without smaller ones: +0.002, smaller tables
EPOCHS, RATE, DECAY = 4, 0.02, 1e-3
MAX_WEIGHT = 0.3  # of one block, so that a page with one block does not outweigh ten others
COMMON = 0.05  # a word on at least this share of the pages is common
LEAST_COMMON = 0.38  # of common words; 99 in 100 English pages have 0.45 or more, French ones at most 0.32
N_SHORTENED = 4  # number of times that an article is shortened
SHORTENED_WEIGHT = 0.5  # of each; with a higher weight, services and listings in other languages get worse
SEED = 20261122
THREADS = 2


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The sizes of the forests."""

    n_trees: int = 240
    rate: float = 0.08
    n_kind_trees: int = 32  # trees per kind
    n_threshold_trees: int = 200


INNER_FOREST = Settings(n_trees=120, rate=0.13)  # nearly as good; one is needed for each group


Pair = tuple[LabelledPage, LabelledPage]  # a page, and the same page in another script
Version = tuple[LabelledPage, int]  # one page of a pair, and its group


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Blocks of many pages, which forests are fitted on."""

    columns: npt.NDArray[np.float32]  # (N_FEATURES, n)
    labels: npt.NDArray[np.float32]  # (n,)
    weights: npt.NDArray[np.float32]  # (n,)

    def where(self, chosen: npt.NDArray[np.bool_]) -> "Rows":
        """The chosen rows."""
        return Rows(columns=self.columns[:, chosen], labels=self.labels[chosen], weights=self.weights[chosen])

    def and_those_of(self, others: "Rows") -> "Rows":
        """The rows of both."""
        return Rows(
            columns=np.concatenate([self.columns, others.columns], axis=1),
            labels=np.concatenate([self.labels, others.labels]),
            weights=np.concatenate([self.weights, others.weights]),
        )


def fold_of(page: LabelledPage, n: int, salt: str) -> int:
    """The group of a page's domain."""
    return zlib.crc32(f"{salt}{page.domain}".encode()) % n


def fit(pairs: Sequence[Pair], settings: Settings, provenance: str) -> Model:
    """The model for these pages."""
    groups = np.array([fold_of(page, INNER, "inner") for page, _ in pairs])
    inputs = [linear_inputs(page.segments) for page, _ in pairs]
    linears = [_linear(pairs, inputs, groups != group) for group in range(INNER)]
    linear = _linear(pairs, inputs, groups >= 0)
    versions = [(page, group) for pair, group in zip(pairs, groups, strict=True) for page in pair]
    measured = [measure(page.segments, linears[group]) for page, group in versions]
    columns = [features_of(page.segments, one) for (page, _), one in zip(versions, measured, strict=True)]
    rows = _rows([page for page, _ in versions], columns, 1.0)
    is_news = np.repeat([bool(page.language) for page, _ in versions], [len(page.shares) for page, _ in versions])
    short = [
        (page, group)
        for pair, group in zip(pairs, groups, strict=True)
        for cut in range(N_SHORTENED)
        if (page := shortened(pair[1], cut)) is not None
    ]
    more = _rows(
        [page for page, _ in short],
        [features_of(page.segments, measure(page.segments, linears[group])) for page, group in short],
        SHORTENED_WEIGHT,
    )
    chances = _chances(versions, columns, rows)
    return Model(
        linear=linear,
        general=_forest(rows.where(~is_news), settings),
        stories=_forest(rows.and_those_of(more), settings),
        thresholds=_threshold_forest([page for page, _ in pairs], measured[::2], chances[::2], settings),
        kinds=_kind_forest([page for page, _ in versions], measured, chances, settings),
        least_common=LEAST_COMMON,
        provenance=provenance,
    )


def _rows(pages: Sequence[LabelledPage], columns: Sequence[npt.NDArray[np.float32]], weight: float) -> Rows:
    """The blocks of some pages, each page with this weight."""
    return Rows(
        columns=np.concatenate(columns, axis=1),
        labels=np.concatenate([page.shares for page in pages]),
        weights=np.concatenate([page.weights * np.float32(weight) for page in pages]),
    )


def _linear(pairs: Sequence[Pair], inputs: Sequence[LinearInputs], chosen: npt.NDArray[np.bool_]) -> Linear:
    """Logistic regression on hashed words, fitted by AdaGrad (Duchi et al. 2011).  Rare words are left out."""
    used = np.flatnonzero(chosen)
    on_page = [np.unique(inputs[index].keys) for index in used]
    found, n_pages = np.unique(np.concatenate(on_page), return_counts=True)
    known = found[n_pages >= MIN_PAGES]
    keys = np.concatenate([inputs[index].keys for index in used])
    place = np.minimum(np.searchsorted(known, keys), len(known) - 1)
    place[known[place] != keys] = -1
    values = np.concatenate([inputs[index].values for index in used])
    starts = np.concatenate([[0], np.cumsum(np.concatenate([np.diff(inputs[index].ptr) for index in used]))])
    labels = np.concatenate([pairs[index][0].shares for index in used])
    weights = np.minimum(np.concatenate([pairs[index][0].weights for index in used]), 0.2)
    weights = (weights / weights.mean()).astype(np.float32)
    theta = np.zeros(len(known) + 1, np.float32)  # the last element is the bias
    squares = np.full(len(known) + 1, 1e-3, np.float32)
    rng = np.random.default_rng(SEED)
    for _ in range(EPOCHS):
        _epoch(place.astype(np.int32), values, starts, labels, weights, rng.permutation(len(labels)), theta, squares)
    of_any_kind = [keys for index, keys in zip(used, on_page, strict=True) if not pairs[index][0].language]
    english, n_english = np.unique(np.concatenate(of_any_kind), return_counts=True)
    common = np.isin(known, english[n_english >= COMMON * len(of_any_kind)]) & (known >> 32 == Family.WORD)
    matters = (np.abs(theta[:-1]) >= LEAST_WEIGHT[known >> 32]) | common
    return compact(known[matters], theta[:-1][matters], float(theta[-1]), common[matters])


@numba.njit(cache=True)
def _epoch(ids, values, starts, labels, weights, order, theta, squares):  # noqa: ANN001, ANN202
    bias = len(theta) - 1
    for row in order:
        score = theta[bias]
        for k in range(starts[row], starts[row + 1]):
            if ids[k] >= 0:
                score += theta[ids[k]] * values[k]
        slope = (np.float32(1) / (np.float32(1) + np.exp(-score)) - labels[row]) * weights[row]
        for k in range(starts[row], starts[row + 1]):
            if ids[k] < 0:
                continue
            step = slope * values[k] + np.float32(DECAY) * theta[ids[k]] * weights[row]
            squares[ids[k]] += step * step
            theta[ids[k]] -= np.float32(RATE) * step / np.sqrt(squares[ids[k]])
        theta[bias] -= np.float32(0.02) * slope


def _chances(
    versions: Sequence[Version], columns: Sequence[npt.NDArray[np.float32]], rows: Rows
) -> list[npt.NDArray[np.float32]]:
    """Probabilities of every page's blocks, from forests that have not seen the page."""
    of_page = np.array([group for _, group in versions])
    of_block = np.repeat(of_page, [len(page.shares) for page, _ in versions])
    forests = [_forest(rows.where(of_block != group), INNER_FOREST) for group in range(INNER)]
    return [probabilities(predict(one, forests[group])[0]) for (_, group), one in zip(versions, columns, strict=True)]


def _forest(rows: Rows, settings: Settings) -> Forest:
    """Gradient-boosted trees.  Of blocks with little weight only a sample is used, and each of it counts more."""
    rng = np.random.default_rng(SEED)
    chance = np.clip(rows.weights / 0.006, 0.15, 1)  # with all blocks it takes twice as long, and is no better
    chosen = rng.random(len(rows.weights)) < chance
    capped = (np.minimum(rows.weights, MAX_WEIGHT) + 0.0005) / chance
    return _fitted(
        rows.columns[:, chosen],
        rows.labels[chosen],
        (capped / capped.mean())[chosen],
        settings.n_trees,
        objective="cross_entropy",
        learning_rate=settings.rate,
        num_leaves=LEAVES,
        min_data_in_leaf=100,
        lambda_l2=5,
        feature_fraction=0.3,
        bagging_fraction=0.8,
    )


def _threshold_forest(
    pages: Sequence[LabelledPage],
    measured: Sequence[Measured],
    chances: Sequence[npt.NDArray[np.float32]],
    settings: Settings,
) -> Forest:
    """A forest for the gain of every threshold over the one with the highest expected F1."""
    described, gains = [], []
    for page, one, p in zip(pages, measured, chances, strict=True):
        weights, f1 = weigh(page.segments.blocks), f1_of(page)
        expected, expected_f1 = best_threshold(p, weights)
        described.append(describe_choices(p, weights, expected, expected_f1))
        text, blocks = page.segments.text, page.segments.blocks
        f1s = np.array([f1(kept(text, blocks, one.texts, p, choice)) for choice in (*CHOICES.tolist(), expected)])
        gains.append(f1s[:-1] - f1s[-1])
    return _fitted(
        np.concatenate(described, axis=1),
        np.concatenate(gains),
        np.repeat([page.importance for page in pages], len(CHOICES)),
        settings.n_threshold_trees,
        objective="regression",
        learning_rate=0.07,
        num_leaves=LEAVES,
        min_data_in_leaf=50,
        lambda_l2=20,
        feature_fraction=0.5,
        extra_trees=True,  # borders are chosen at random: +0.001
        bagging_fraction=0.7,
    )


def _kind_forest(
    pages: Sequence[LabelledPage],
    measured: Sequence[Measured],
    chances: Sequence[npt.NDArray[np.float32]],
    settings: Settings,
) -> Forest:
    """A forest for the kind of a page.  News pages are left out: a web of articles only has no other kinds."""
    chosen = [(page, one, p) for page, one, p in zip(pages, measured, chances, strict=True) if not page.language]
    summaries = [page_features(page.segments.blocks, one, p) for page, one, p in chosen]
    return _fitted(
        np.stack(summaries, axis=1),
        np.array([page.kind for page, _, _ in chosen]),
        None,
        settings.n_kind_trees,
        objective="multiclass",
        num_class=len(KINDS),
        learning_rate=0.12,
        num_leaves=8,
        min_data_in_leaf=10,
        lambda_l2=5,
        feature_fraction=0.2,
        bagging_fraction=0.7,
    )


def _fitted(
    columns: npt.NDArray[np.float32],
    labels: npt.NDArray[np.generic],
    weights: npt.NDArray[np.float32] | None,
    n_trees: int,
    **settings: object,
) -> Forest:
    """A forest for rows that are given as columns."""
    rows = sortable(columns)[:, : columns.shape[1]].T
    ours: dict[str, object] = {
        "max_bin": 63,
        "bagging_freq": 1,
        "seed": SEED,
        "deterministic": True,
        "force_col_wise": True,
        "num_threads": THREADS,
        "verbosity": -1,
    }
    data = lightgbm.Dataset(rows.astype(np.float32), labels, weight=weights)
    return from_lightgbm(lightgbm.train(settings | ours, data, n_trees).dump_model())
