"""What a training works on: rows, an objective, a model and how they are measured.  The loop knows no more.

`Pretraining` is the work of `corpusmill train`: rows of a corpus's tokens, and a model with new weights.  Fine-tuning
(`corpusmill.finetune`) is another work for the same loop.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from corpusmill.draws import Ints
from corpusmill.loader import Position
from corpusmill.train.baselines import Trigrams
from corpusmill.train.batch import IGNORED, Batch, Model
from corpusmill.train.checkpoint import ModelFiles
from corpusmill.train.evaluate import Validation
from corpusmill.train.job import Job
from corpusmill.train.models import build
from corpusmill.train.objectives import objective_class
from corpusmill.train.objectives.base import Objective
from corpusmill.train.trace import training_rows

BASELINE = 0x626173  # in the keys of random numbers
BASELINE_ROWS = 256  # whose targets are counted, if these are not the tokens themselves


class Rows(Protocol):
    """Training rows in their order, found by a position.  They have no state."""

    def take(self, position: Position, n: int, *, rank: int = 0, ranks: int = 1) -> Ints:
        """This rank's part of the next `n` rows, for `Objective.batch`: (n / ranks, numbers per row)."""
        ...

    def advance(self, position: Position, n: int) -> Position:
        """The position `n` rows later."""
        ...


class Measured(Protocol):
    """Validation."""

    def measure(self, losses_of: Callable[[Batch], tuple[Tensor, ...]]) -> list[tuple[str, str | None, float]]:
        """(metric, source, value) of the model whose losses the function returns; empty without validation rows."""
        ...


class Work(Protocol):
    """Everything that differs between trainings of the same loop."""

    rows: Rows
    objective: Objective
    validation: Measured
    tokens_per_step: int
    some_unused: bool  # whether a pass may leave weights without a gradient
    keeps_best: bool  # the published weights are those with the lowest validation loss, and not the last ones

    def new_model(self) -> Model:
        """The model before the first step, on the CPU; each call returns the same weights."""
        ...

    def files(self, model: Model) -> ModelFiles:
        """The files beside the weights."""
        ...

    def baselines(self) -> list[tuple[str, float]]:
        """(metric, value) of trivial models, recorded before the first step."""
        ...

    def publishable(self, weights: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """The weights as they are published, made from those of a checkpoint."""
        ...


class Pretraining:
    """A model with new weights, and the rows of a corpus's tokens."""

    keeps_best = False

    def __init__(self, job: Job) -> None:
        """InputError if the corpus has fewer rows than one step needs."""
        settings = self._settings = job.settings
        self._rows = training_rows(job)
        self.rows: Rows = self._rows
        kind = objective_class(settings.objective)
        self._vocabulary = job.vocabulary(kind.tokens(settings.objective))
        self._classes = kind.classes(settings.objective)
        self.objective = kind(settings.objective, self._vocabulary)
        self._validation = Validation(job, self.objective)
        self.validation: Measured = self._validation
        self.tokens_per_step = settings.rows_per_step * settings.row_length
        self.some_unused = settings.objective.kind == "own"

    def new_model(self) -> Model:
        """The model of the settings, with weights from the seed."""
        settings = self._settings
        generator = torch.Generator().manual_seed(settings.seed)
        return build(settings.model, self._vocabulary.size, settings.row_length, self._classes, generator)

    def files(self, model: Model) -> ModelFiles:
        """config.json and the tokenizer."""
        return ModelFiles(model.config_json(self._rows.boundary), self._vocabulary.files())

    def baselines(self) -> list[tuple[str, float]]:
        """The entropy of single tokens; what unigrams, and trigrams if they fit, reach on the validation targets."""
        vocabulary, validation, boundary = self._vocabulary, self._validation, self._rows.boundary
        windows = self._rows.first_windows()
        counts = np.zeros(vocabulary.size)
        for n_rows, texts, sizes in windows:  # each group as often as its rows come
            here = np.sum([np.bincount(ids, minlength=vocabulary.size) for ids in texts], axis=0)
            here[boundary] += len(sizes)
            counts += here * (n_rows / (here.sum() / self._settings.row_length))
        share = counts[counts > 0] / counts.sum()
        found = [("unigram_entropy", float(-(share * np.log(share)).sum()))]
        if not validation.n_targets:
            return found
        targets = counts[: vocabulary.n_text] if validation.all_are_tokens else self._target_counts()
        smoothed = -np.log((targets + 1) / (targets.sum() + len(targets)))
        found.append(("unigram_validation_loss", validation.mean_of(smoothed)))
        if self.objective.predicts_every_token:
            ids = np.concatenate([ids for _, texts, _ in windows for ids in texts])
            trigrams = Trigrams.of(ids, np.concatenate([each[2] for each in windows]), vocabulary.n_text, boundary)
            loss = validation.mean_of_trigrams(trigrams)
            assert loss is not None
            found.append(("trigram_validation_loss", loss))
        return found

    def _target_counts(self) -> Ints:
        """How often each token is a target in the first rows, for an objective with other targets than the tokens."""
        n = self._rows.n_rows(at_most=BASELINE_ROWS)
        keys = [(self._settings.seed, BASELINE, row) for row in range(n)]
        targets = self.objective.batch(self._rows.take(Position(), n), keys, training=False).targets[0].numpy()
        return np.bincount(targets[targets != IGNORED], minlength=self._vocabulary.size)

    def publishable(self, weights: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """The same weights."""
        return weights
