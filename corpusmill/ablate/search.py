"""Search thresholds and mixes within a budget of trainings, and confirm the best trial on what the search did not see.

    trials    places of a Halton sequence (scipy), which covers all parameters evenly; more runs only add trials
    rounds    successive halving (Jamieson and Talwalkar 2016) over seeds: in each round, all trials that are left are
              trained with one more seed, and the best third goes on.  Seeds are what a small difference needs more of;
              shorter trainings would rank trials by another question
    best      the trial with the lowest mean difference to the base recipe, with the same seeds and the first half of
              the held-out documents
    confirm   the best trial and the base recipe are trained with other seeds, and measured on the other half

The lowest of many noisy figures is too low.  So the search's own figures decide nothing: the recipe should change only
if the interval of the confirmation lies below zero.

optuna was not taken: with two or three parameters and 20 trainings, its models of the loss have little to learn from,
and its results depend on the order in which trials end.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from json import dumps
from typing import Any

import numpy as np
import pyarrow as pa
from scipy.stats import qmc

from corpusmill import schema
from corpusmill.ablate.compare import Comparison, Mask, compared, rows_of, usable
from corpusmill.ablate.experiment import Curve, Experiment, stacked
from corpusmill.ablate.held_out import CONFIRM, SEARCH, overlapping
from corpusmill.ablate.settings import BASE, AblationSettings, SearchSettings, Variant
from corpusmill.ablate.statistics import bits_per_byte
from corpusmill.errors import InputError

MOST_DRAWS = 100  # per trial, to find one that is not there yet


@dataclass(frozen=True, slots=True)
class Trial:
    """A trial of a search."""

    name: str
    changes: dict[str, Any]  # keys of the recipe -> values
    round: int  # the last one that it reached
    seeds: int
    difference: float  # mean bits per byte minus those of the base, on the half that the search sees
    chosen: bool


@dataclass(frozen=True, slots=True)
class SearchAnswer:
    """The answer of a search."""

    name: str
    runs: int  # trainings
    trials: list[Trial]  # the best first
    best: str
    changes: dict[str, Any]
    recommendation: str  # change or keep
    confirmation: Comparison  # of the best trial with the base, on the other half


def search(experiment: Experiment) -> SearchAnswer:
    """Search, confirm, and write the answers into the experiment's folder.  What is trained already is not again."""
    settings, wanted = experiment.settings, experiment.settings.search
    if wanted is None:
        raise InputError(f"{experiment.config}: has no [search]")
    variants = trials(wanted, trials_within(settings, wanted))
    sizes = round_sizes(len(variants), wanted)
    experiment.make_corpora(variants)
    reasons = experiment.reasons([BASE, *(variant.name for variant in variants)], all_keep=False)
    half = _in_half(experiment, SEARCH)
    chosen = half & usable(experiment, {**reasons, **_outside(experiment, half)})
    experiment.runs = sum(sizes) + len(sizes) + 2 * len(settings.seeds)
    found = _rounds(experiment, variants, sizes, chosen)
    best = next(variant for variant in variants if variant.name == found[0].name)
    confirmation = _confirmed(experiment, best)
    whole = confirmation.differences[0].difference
    answer = SearchAnswer(
        name=experiment.name,
        runs=experiment.runs,
        trials=found,
        best=best.name,
        changes=best.set,
        recommendation="change" if whole.high < 0 else "keep",
        confirmation=confirmation,
    )
    _write(experiment, answer)
    return answer


def round_sizes(n: int, wanted: SearchSettings) -> list[int]:
    """The number of trials in each round, from n on."""
    sizes = [n]
    while len(sizes) < wanted.rounds:
        sizes.append(max(1, round(wanted.keep * sizes[-1])))
    return sizes


def trials_within(settings: AblationSettings, wanted: SearchSettings) -> int:
    """The largest number of trials whose rounds fit into the budget.  InputError if it is less than two."""
    left = wanted.runs - 2 * len(settings.seeds) - wanted.rounds
    n = max((n for n in range(1, wanted.runs + 1) if sum(round_sizes(n, wanted)) <= left), default=0)
    if n < 2:
        least = sum(round_sizes(2, wanted)) + wanted.rounds + 2 * len(settings.seeds)
        raise InputError(
            f"search.runs = {wanted.runs} is too few: 2 trials in {wanted.rounds} rounds, the base recipe in each, and "
            f"{len(settings.seeds)} seeds for the confirmation need {least}"
        )
    return n


def trials(wanted: SearchSettings, n: int) -> list[Variant]:
    """The first n different trials, fewer if there are not so many; the same for the same seed."""
    places = qmc.Halton(len(wanted.parameters), rng=np.random.default_rng(wanted.seed)).random(MOST_DRAWS * n)
    found: list[dict[str, Any]] = []
    for place in places.tolist():
        pairs = zip(wanted.parameters, place, strict=True)
        values = {parameter.key: parameter.value(at) for parameter, at in pairs}
        if values not in found:
            found.append(values)
        if len(found) == n:
            break
    return [Variant(name=f"trial-{number:02d}", set=values) for number, values in enumerate(found, 1)]


def _in_half(experiment: Experiment, half: str) -> Mask:
    return np.array([document.half == half for document in experiment.held_out.documents])


def _outside(experiment: Experiment, half: Mask) -> dict[str, str]:
    """doc_id -> why documents of the other half are not used."""
    pairs = zip(experiment.held_out.documents, half.tolist(), strict=True)
    return {document.doc_id: "in the other half" for document, inside in pairs if not inside}


def _rounds(experiment: Experiment, variants: Sequence[Variant], sizes: Sequence[int], chosen: Mask) -> list[Trial]:
    """All trials, the best first; those that reached a later round stand before the others."""
    first_seed = max(experiment.settings.seeds) + 1  # seeds of the confirmation are others
    curves: dict[str, list[Curve]] = {}
    left = [variant.name for variant in variants]
    ranked: list[str] = []
    reached = dict.fromkeys(left, 0)
    for number, size in enumerate(sizes):
        ranked[:0], left = left[size:], left[:size]
        for name in (BASE, *left):
            curves.setdefault(name, []).append(_searched(experiment, name, first_seed + number))
            reached[name] = number + 1
        left.sort(key=lambda name: _difference(experiment, curves, name, chosen))
    order = left + ranked
    changes = {variant.name: variant.set for variant in variants}
    return [
        Trial(name, changes[name], reached[name], len(curves[name]), _difference(experiment, curves, name, chosen),
              name == order[0])
        for name in order
    ]  # fmt: skip


def _searched(experiment: Experiment, name: str, seed: int) -> Curve:
    settings = experiment.settings
    return experiment.curve(name, f"search-{seed}", settings.training(seed, settings.train.steps))


def _difference(experiment: Experiment, curves: dict[str, list[Curve]], name: str, chosen: Mask) -> float:
    """The mean difference to the base with the seeds that the trial has."""
    step, n_bytes = experiment.settings.train.steps, experiment.held_out.n_bytes[chosen]
    mine, base = curves[name], curves[BASE][: len(curves[name])]
    return float(bits_per_byte(stacked(mine, step, chosen) - stacked(base, step, chosen), n_bytes).mean())


def _confirmed(experiment: Experiment, best: Variant) -> Comparison:
    """The best trial and the base recipe, with the seeds and documents that the search did not see."""
    half = _in_half(experiment, CONFIRM)
    reasons = {**experiment.reasons([BASE, best.name], all_keep=False), **_outside(experiment, half)}
    documents = experiment.held_out.documents
    seen = pa.chunked_array([[each.text for each in documents if each.half == SEARCH]], pa.large_string())
    unseen = [each for each in documents if each.half == CONFIRM]
    copies = overlapping(unseen, seen, experiment.held_out.overlap)
    reasons |= dict.fromkeys(copies, "overlap with documents that the search saw")
    chosen = usable(experiment, reasons)
    curves = {name: experiment.curves(name, experiment.settings.seeds) for name in (BASE, best.name)}
    experiment.write_documents("search", reasons)
    return compared(experiment, curves, chosen, reasons)


def _write(experiment: Experiment, answer: SearchAnswer) -> None:
    rows = [
        {
            "trial": each.name,
            "changes": dumps(each.changes, ensure_ascii=False),
            "round": each.round,
            "seeds": each.seeds,
            "difference": each.difference,
            "chosen": each.chosen,
        }
        for each in answer.trials
    ]
    experiment.write(schema.ABLATION_TRIALS, "search", rows)
    experiment.write(schema.ABLATION_DIFFERENCES, "search", rows_of(answer.confirmation, "search"))
