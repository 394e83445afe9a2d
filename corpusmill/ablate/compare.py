"""Variants side by side: the difference of each to the base recipe, and how many more tokens the worse one needs."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from corpusmill import schema
from corpusmill.ablate.experiment import Curve, Experiment, TrainingData, stacked
from corpusmill.ablate.settings import BASE, AblationSettings
from corpusmill.ablate.statistics import Interval, Multiplier, bits_per_byte, corrected, difference, multiplier
from corpusmill.errors import InputError
from corpusmill.train.settings import StableSettings

MOST_EPOCHS = 4  # repeating data more often is worth less and less (Muennighoff et al., arXiv 2305.16264)
FEW_SEEDS = 3
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Difference:
    """A variant compared with the base recipe."""

    variant: str
    source: str | None  # of the held-out documents; None: all
    documents: int
    difference: Interval  # bits per byte of the variant minus those of the base; negative is better
    slower: str | None  # the worse one; None for a single source
    multiplier: Multiplier | None  # None for a single source

    @property
    def verdict(self) -> str:
        """What the interval says."""
        if not self.difference.excludes_zero:
            return "no difference shown"
        return "better" if self.difference.estimate < 0 else "worse"


@dataclass(frozen=True, slots=True)
class Measured:
    """A variant's figures on the held-out documents."""

    data: TrainingData
    bits_per_byte: float  # mean over seeds, after the budget
    by_seed: list[float]
    curve: dict[int, float]  # tokens -> bits per byte, mean over seeds


@dataclass(frozen=True, slots=True)
class Comparison:
    """The answer of a comparison."""

    name: str
    budget: int  # tokens
    longest: int  # tokens of each training
    seeds: list[int]
    documents: int  # held out, used
    n_bytes: int
    left_out: dict[str, int]  # number of held-out documents by reason
    confidence: float  # of all intervals together
    each_confidence: float  # of one interval
    variants: list[Measured]
    differences: list[Difference]
    notes: list[str]


def compare(experiment: Experiment) -> Comparison:
    """Train all variants that are not trained yet, compare them, and write the answers into the experiment's folder."""
    settings = experiment.settings
    if not settings.variants:
        raise InputError(f"{experiment.config}: has no [[variants]] to compare with the base recipe")
    names = [BASE, *(variant.name for variant in settings.variants)]
    experiment.make_corpora(settings.variants)
    reasons = experiment.reasons(names)
    chosen = usable(experiment, reasons)
    experiment.runs = len(names) * len(settings.seeds)
    curves = {name: experiment.curves(name, settings.seeds) for name in names}
    answer = compared(experiment, curves, chosen, reasons)
    experiment.write_documents("compare", reasons)
    experiment.write(schema.ABLATION_DIFFERENCES, "compare", rows_of(answer, "compare"))
    return answer


def usable(experiment: Experiment, reasons: dict[str, str]) -> Mask:
    """Which held-out documents are used.  InputError if they are fewer than two."""
    documents = experiment.held_out.documents
    chosen = np.array([each.doc_id not in reasons for each in documents])
    if chosen.sum() < 2:
        most = Counter(reasons.values()).most_common(1)[0][0]
        raise InputError(
            f"of {len(documents)} held-out documents only {int(chosen.sum())} can be used (most often: {most}); "
            "give other files in held_out.files, or raise held_out.overlap if shared phrases are harmless"
        )
    return chosen


def compared(
    experiment: Experiment, curves: dict[str, list[Curve]], chosen: Mask, reasons: dict[str, str]
) -> Comparison:
    """The answer from the losses of all variants; the first is the base."""
    settings, held_out = experiment.settings, experiment.held_out
    budget, per_step = settings.train.steps, settings.tokens_per_step
    n_bytes = held_out.n_bytes[chosen]
    each = corrected(settings.confidence, len(curves) - 1)
    variants = []
    for name, of_seeds in curves.items():
        by_seed = bits_per_byte(stacked(of_seeds, budget, chosen), n_bytes)
        curve = {
            step * per_step: float(bits_per_byte(stacked(of_seeds, step, chosen), n_bytes).mean())
            for step in of_seeds[0]
        }
        variants.append(Measured(experiment.training_data(name), float(by_seed.mean()), by_seed.tolist(), curve))
    return Comparison(
        name=experiment.name,
        budget=budget * per_step,
        longest=settings.steps * per_step,
        seeds=settings.seeds,
        documents=int(chosen.sum()),
        n_bytes=int(n_bytes.sum()),
        left_out=dict(Counter(reasons.values())),
        confidence=settings.confidence,
        each_confidence=each,
        variants=variants,
        differences=[
            found
            for name in list(curves)[1:]
            for found in _differences(experiment, name, curves[name], curves[BASE], chosen, each)
        ],
        notes=_notes(settings, variants),
    )


def _differences(
    experiment: Experiment, name: str, variant: list[Curve], base: list[Curve], chosen: Mask, confidence: float
) -> list[Difference]:
    """The difference over all held-out documents, and over those of each source if there are several."""
    settings, held_out = experiment.settings, experiment.held_out
    budget, n_bytes = settings.train.steps, held_out.n_bytes
    whole = between(variant, base, budget, chosen, n_bytes, confidence)
    slower, worse, better = (name, variant, base) if whole.estimate > 0 else (BASE, base, variant)
    needed = multiplier(
        {step: stacked(worse, step, chosen) for step in worse[0]},
        stacked(better, budget, chosen),
        budget,
        n_bytes[chosen],
        confidence,
    )
    found = [Difference(name, None, int(chosen.sum()), whole, slower, needed)]
    source = np.array([document.source for document in held_out.documents])
    for each in sorted(set(source[chosen])):
        mine = chosen & (source == each)
        if 2 <= mine.sum() < chosen.sum():
            part = between(variant, base, budget, mine, n_bytes, confidence)
            found.append(Difference(name, str(each), int(mine.sum()), part, None, None))
    return found


def between(
    variant: list[Curve], base: list[Curve], step: int, chosen: Mask, n_bytes: npt.NDArray[np.float64], level: float
) -> Interval:
    """Bits per byte of a variant minus those of the base after a step."""
    return difference(stacked(variant, step, chosen) - stacked(base, step, chosen), n_bytes[chosen], level)


def _notes(settings: AblationSettings, variants: list[Measured]) -> list[str]:
    """What a reader of the figures should know."""
    notes = [
        f"{each.data.variant} has only {each.data.tokens:,} tokens, so its documents are seen "
        f"{each.data.epochs:.1f} times within the budget"
        for each in variants
        if each.data.epochs > MOST_EPOCHS
    ]
    if len(settings.seeds) < FEW_SEEDS:
        notes.append(f"with {len(settings.seeds)} seeds the intervals are wide; 3 to 5 are usual")
    schedule = settings.training(settings.seeds[0]).schedule
    if not (isinstance(schedule, StableSettings) and schedule.decay_share == 0):
        notes.append("the learning rate falls within a training, so the number of tokens to reach a loss is biased")
    return notes


def rows_of(answer: Comparison, question: str) -> list[dict[str, Any]]:
    """The rows of `schema.ABLATION_DIFFERENCES`."""
    rows = []
    for each in answer.differences:
        needed = each.multiplier or Multiplier(None, None, None)
        rows.append({
            "question": question,
            **{key: getattr(each, key) for key in ("variant", "source", "documents", "slower")},
            "seeds": len(answer.seeds),
            "tokens": answer.budget,
            "base_bits_per_byte": answer.variants[0].bits_per_byte,
            "difference": each.difference.estimate,
            "low": each.difference.low,
            "high": each.difference.high,
            "confidence": answer.each_confidence,
            "multiplier": needed.estimate,
            "multiplier_low": needed.low,
            "multiplier_high": needed.high,
        })  # fmt: skip
    return rows
