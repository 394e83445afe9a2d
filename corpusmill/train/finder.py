"""The learning-rate finder (Smith, arXiv 1506.01186): one short training in which the learning rates grow.

All learning rates of the optimizer are multiplied by a scale, which grows from 1/1000 to 10 by the same factor in each
step.  The loss first stays, then falls, and at last rises.  The scale at which the smoothed loss falls fastest is the
suggestion.  The model is thrown away.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from corpusmill.errors import InputError
from corpusmill.train.job import Job
from corpusmill.train.loop import Training
from corpusmill.train.ranks import Ranks
from corpusmill.train.settings import GuardSettings, StableSettings, TrainSettings
from corpusmill.train.work import Pretraining

LOWEST, HIGHEST = 1e-3, 10.0
SMOOTHING = 0.9  # weight of the earlier losses
FEWEST = 20  # steps
TOO_HIGH = 1.5  # times the lowest smoothed loss: the search ends


@dataclass(frozen=True, slots=True)
class Trial:
    """A step of the search."""

    scale: float  # of all learning rates
    loss: float
    smoothed_loss: float


@dataclass(frozen=True, slots=True)
class Found:
    """The trials, and the learning rates that are suggested."""

    trials: list[Trial]
    scale: float
    learning_rates: dict[str, float]  # the keys of train.optimizer


def find_learning_rate(
    corpus: str | Path,
    settings: TrainSettings,
    *,
    steps: int = 100,
    device: str | None = None,
    progress: Callable[[Trial], None] = lambda trial: None,
) -> Found:
    """Search learning rates for this corpus and these settings; nothing is written.

    InputError if the corpus has too few tokens, there are fewer than 20 steps, or no scale lowers the loss.
    """
    if steps < FEWEST:
        raise InputError(f"a search needs at least {FEWEST} steps, not {steps}")
    constant = StableSettings(warmup_share=0.0, decay_share=0.0)
    plain = settings.model_copy(update={"schedule": constant, "guard": GuardSettings(max_skips=steps)})
    job = Job.of(Path(corpus), plain, Path())
    trials: list[Trial] = []
    with Ranks.joined(device) as ranks:
        training = Training(job, Pretraining(job), steps, ranks)
        mean, lowest = 0.0, math.inf
        for step in range(steps):
            scale = LOWEST * (HIGHEST / LOWEST) ** (step / (steps - 1))
            loss = training.update(scale)
            if not math.isfinite(loss):
                break
            mean = SMOOTHING * mean + (1 - SMOOTHING) * loss
            smoothed = mean / (1 - SMOOTHING ** (step + 1))
            trials.append(Trial(scale, loss, smoothed))
            progress(trials[-1])
            lowest = min(lowest, smoothed)
            if step >= FEWEST and smoothed > TOO_HIGH * lowest:
                break
    scale = steepest(trials)
    rates = settings.optimizer.model_dump(include={"learning_rate", "matrix_learning_rate"})
    return Found(trials, scale, {name: float(f"{scale * rate:.2g}") for name, rate in rates.items()})


def steepest(trials: list[Trial]) -> float:
    """The scale at which the smoothed loss falls fastest, before its lowest value.  InputError if it never falls."""
    losses = [trial.smoothed_loss for trial in trials]
    end = losses.index(min(losses)) if losses else 0
    if end < 2:
        raise InputError("no learning rate lowers the loss; look at train.optimizer and at the data")
    falls = [losses[i + 1] - losses[i - 1] for i in range(1, end)]
    return trials[1 + falls.index(min(falls))].scale
