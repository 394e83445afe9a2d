"""A scaling law over sizes of the model and tokens, on the corpus of the base recipe.

Each size is trained once per seed, with a constant learning rate.  So each measured point of its curve counts as a
training of that many tokens (Hägele et al., arXiv 2405.18392, show that this ranks as separate trainings do).  The
beginning of a curve is not used: the warmup and the first fall follow no power law.

N is the number of weights without embeddings, D the number of tokens.  L is in bits per byte of the held-out documents,
so laws of different tokenizers can be compared.

Intervals are percentiles of a bootstrap that draws seeds and documents with replacement, the same ones for all sizes,
and fits the law again.  They contain what other seeds and other documents of the kind would change.  They do not
contain that a power law may be wrong far from the measured sizes.  With three seeds they are somewhat too narrow.
"""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from corpusmill import schema
from corpusmill.ablate.compare import usable
from corpusmill.ablate.experiment import Curve, Experiment
from corpusmill.ablate.fit import NAMES, Law, fit
from corpusmill.ablate.settings import BASE, Size
from corpusmill.ablate.statistics import LN2, Floats, Interval
from corpusmill.errors import InputError
from corpusmill.recipe import sentence
from corpusmill.train.settings import TrainSettings

EMBEDDINGS = ("embed_tokens.weight", "lm_head.weight")  # ends of their names
FEWEST_POINTS = 3  # per size
FEW_SIZES = 4


@dataclass(frozen=True, slots=True)
class Measured:
    """The curve of one size."""

    name: str
    parameters: int  # without embeddings
    curve: dict[int, float]  # tokens -> bits per byte, mean over seeds; used for the law
    fitted: dict[int, float]  # the same by the law


@dataclass(frozen=True, slots=True)
class Predicted:
    """What the law says of a size and a number of tokens."""

    parameters: float
    tokens: float
    loss: Interval
    beyond: float  # how many times larger than measured the size or the tokens are; at most 1: not larger


@dataclass(frozen=True, slots=True)
class ScalingAnswer:
    """A scaling law, its intervals and its predictions."""

    name: str
    seeds: list[int]
    documents: int
    left_out: dict[str, int]
    confidence: float
    law: dict[str, Interval]  # E, A, alpha, B, beta
    worst_error: float  # largest relative difference of law and measurement
    sizes: list[Measured]
    predictions: list[Predicted]
    notes: list[str]


def scaling(experiment: Experiment) -> ScalingAnswer:
    """Train what is not trained yet, fit the law, and write the answers into the experiment's folder."""
    settings, wanted = experiment.settings, experiment.settings.scaling
    if wanted is None:
        raise InputError(f"{experiment.config}: has no [scaling]")
    trainings = {_name(size): _sized(experiment, size) for size in wanted.sizes}
    every = range(settings.every, settings.steps + 1, settings.every)
    steps = [step for step in every if step >= wanted.from_share * settings.steps]
    if len(trainings) < len(wanted.sizes) or len(steps) < FEWEST_POINTS:
        raise InputError(
            f"{experiment.config}: a scaling law needs different sizes, and at least {FEWEST_POINTS} points of each "
            "curve; lower evaluate_every or scaling.from_share"
        )
    experiment.make_corpora([])
    reasons = experiment.reasons([BASE])
    chosen = usable(experiment, reasons)
    experiment.runs = len(trainings) * len(settings.seeds)
    curves = {
        name: [
            experiment.curve(BASE, f"{name}-seed-{seed}", training.model_copy(update={"seed": seed}))
            for seed in settings.seeds
        ]
        for name, training in trainings.items()
    }
    parameters = [weights_of(_folder(experiment, name)) for name in trainings]
    nats = _stacked(curves, steps)[..., chosen]
    n_bytes = experiment.held_out.n_bytes[chosen]
    answer = _answer(experiment, dict(zip(trainings, parameters, strict=True)), steps, nats, n_bytes, reasons)
    experiment.write_documents("scaling", reasons)
    experiment.write(schema.ABLATION_SCALING, "scaling", _rows(answer))
    return answer


def _name(size: Size) -> str:
    return f"layers-{size.layers}-width-{size.width}"


def _sized(experiment: Experiment, size: Size) -> TrainSettings:
    """The settings of a training of that size.  InputError if its heads do not fit."""
    training = experiment.settings.training(0)
    changed = training.model.model_dump() | size.model_dump(exclude_none=True)
    if training.model.kind == "lstm":
        changed = {key: value for key, value in changed.items() if key not in ("heads", "kv_heads")}
    kind = type(training.model)
    try:
        model = kind.model_validate(changed)
    except ValidationError as error:
        where = f"{experiment.config}: scaling.sizes, {_name(size)}"
        raise InputError(f"{where}: {sentence(error, kind)}") from None
    return training.model_copy(update={"model": model})


def _folder(experiment: Experiment, name: str) -> Path:
    return experiment.corpus_of(BASE) / "models" / f"{name}-seed-{experiment.settings.seeds[0]}"


def weights_of(model: Path) -> int:
    """The number of weights of a trained model, without embeddings and the output head."""
    from safetensors import safe_open

    with safe_open(model / "model.safetensors", "numpy") as file:
        shapes = {name: file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118  # it is no dict
    return sum(int(np.prod(shape)) for name, shape in shapes.items() if not name.endswith(EMBEDDINGS))


def _stacked(curves: dict[str, list[Curve]], steps: list[int]) -> Floats:
    """The losses of all models: (sizes, seeds, steps, documents)."""
    return np.array([[[curve[step] for step in steps] for curve in of_seeds] for of_seeds in curves.values()])


def _answer(
    experiment: Experiment,
    sizes: dict[str, int],
    steps: list[int],
    nats: Floats,
    n_bytes: Floats,
    reasons: dict[str, str],
) -> ScalingAnswer:
    """The law of measured losses.  sizes: parameters by name; nats: (sizes, seeds, steps, documents)."""
    settings, wanted = experiment.settings, experiment.settings.scaling
    assert wanted is not None
    tokens = [step * settings.tokens_per_step for step in steps]
    n = np.repeat(np.array(list(sizes.values()), np.float64), len(steps))
    d = np.tile(np.array(tokens, np.float64), len(sizes))
    losses = mean_losses(nats, n_bytes)
    law = fit(n, d, losses.ravel())
    again = resampled(n, d, nats, n_bytes, law, wanted.resamples)
    ends = [(1 - settings.confidence) / 2, (1 + settings.confidence) / 2]

    def interval(estimate: float, values: list[float]) -> Interval:
        return Interval(estimate, *np.quantile(values, ends).tolist())

    fitted = law.loss(n, d).reshape(losses.shape)
    return ScalingAnswer(
        name=experiment.name,
        seeds=settings.seeds,
        documents=len(n_bytes),
        left_out=dict(Counter(reasons.values())),
        confidence=settings.confidence,
        law={name: interval(getattr(law, name), [getattr(each, name) for each in again]) for name in NAMES},
        worst_error=float(np.abs(fitted / losses - 1).max()),
        sizes=[
            Measured(name, size, *(dict(zip(tokens, row.tolist(), strict=True)) for row in (mine, by_law)))
            for name, size, mine, by_law in zip(sizes, sizes.values(), losses, fitted, strict=True)
        ],
        predictions=[
            Predicted(
                each.parameters,
                each.tokens,
                interval(
                    float(law.loss(each.parameters, each.tokens)),
                    [float(one.loss(each.parameters, each.tokens)) for one in again],
                ),
                max(each.parameters / max(sizes.values()), each.tokens / max(tokens)),
            )
            for each in wanted.predict
        ],
        notes=_notes(law, sizes),
    )


def _notes(law: Law, sizes: dict[str, int]) -> list[str]:
    """What a reader of the law should know."""
    notes = []
    if law.E == 0:
        notes.append("the measured curves do not flatten, so E cannot be told from 0; train larger sizes for longer")
    if len(sizes) < FEW_SIZES:
        notes.append(f"{len(sizes)} sizes fix the three numbers of E, A and alpha without any left to check them")
    return notes


def mean_losses(nats: Floats, n_bytes: Floats) -> Floats:
    """Bits per byte, mean over seeds: (sizes, seeds, steps, documents), (documents) -> (sizes, steps)."""
    losses: Floats = nats.sum(3).mean(1) / (LN2 * n_bytes.sum())
    return losses


def resampled(parameters: Floats, tokens: Floats, nats: Floats, n_bytes: Floats, law: Law, resamples: int) -> list[Law]:
    """The laws of a bootstrap over seeds and documents; the same each time."""
    random = np.random.default_rng(1)
    _, seeds, _, documents = nats.shape
    found = []
    for _ in range(resamples):
        of_seeds, of_documents = random.integers(seeds, size=(seeds,)), random.integers(documents, size=(documents,))
        drawn = mean_losses(nats[:, of_seeds][..., of_documents], n_bytes[of_documents])
        found.append(fit(parameters, tokens, drawn.ravel(), start=law))
    return found


def _rows(answer: ScalingAnswer) -> list[dict[str, Any]]:
    figures: list[tuple[str, float | None, float | None, Interval]] = [
        *((name, None, None, each) for name, each in answer.law.items()),
        *(("prediction", each.parameters, each.tokens, each.loss) for each in answer.predictions),
    ]
    return [
        {"quantity": name, "parameters": n, "tokens": d, "value": each.estimate, "low": each.low, "high": each.high}
        for name, n, d, each in figures
    ]
