"""Fine-tuning as work of the training loop: examples in a random order, a pretrained model with an output layer."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from corpusmill.draws import Ints, shuffled
from corpusmill.errors import InputError
from corpusmill.finetune import lora
from corpusmill.finetune.job import NOTES, TuneJob
from corpusmill.finetune.models import Headed, renamed, take_weights
from corpusmill.finetune.tasks.base import Task
from corpusmill.finetune.texts import Row
from corpusmill.loader import Position
from corpusmill.train.batch import Batch, Model
from corpusmill.train.checkpoint import ModelFiles
from corpusmill.train.objectives.base import Key, Objective
from corpusmill.train.settings import ObjectiveSettings
from corpusmill.train.trained import Trained
from corpusmill.train.vocabulary import Vocabulary
from corpusmill.train.work import Measured, Rows


class Order:
    """The numbers of rows, in an order of its own for each epoch."""

    def __init__(self, n: int, seed: int) -> None:
        self._n, self._order = n, lru_cache(2)(lambda epoch: shuffled((seed, epoch), n))

    def take(self, position: Position, n: int, *, rank: int = 0, ranks: int = 1) -> Ints:
        """This rank's part of the next `n` numbers: (n / ranks, 1)."""
        first = position.epoch * self._n + position.row
        mine = range(first + rank * n // ranks, first + (rank + 1) * n // ranks)
        return np.array([[self._order(at // self._n)[at % self._n]] for at in mine], np.int64)

    def advance(self, position: Position, n: int) -> Position:
        """The position `n` rows later."""
        epoch, row = divmod(position.epoch * self._n + position.row + n, self._n)
        return Position(epoch, row)


class Learning(Objective):
    """A task as an objective: batches of the rows of its examples."""

    def __init__(self, task: Task, rows: Sequence[Row], vocabulary: Vocabulary) -> None:
        super().__init__(ObjectiveSettings(), vocabulary)
        self._task, self._rows = task, rows

    def batch(self, rows: Ints, keys: Sequence[Key], *, training: bool) -> Batch:
        """The rows with these numbers."""
        return self._task.collate([self._rows[number] for number in rows[:, 0]])

    def losses(
        self, model: Model, arguments: tuple[Any, ...], targets: tuple[Tensor, ...], training: bool
    ) -> tuple[Tensor, ...]:
        """Those of the task."""
        return self._task.losses(model, arguments, targets, training)


class Validation:
    """The mean loss of the rows of the validation part."""

    def __init__(self, task: Task, rows: Sequence[Row], size: int) -> None:
        self._batches = [task.collate(rows[at : at + size]) for at in range(0, len(rows), size)]

    def measure(self, losses_of: Callable[[Batch], tuple[Tensor, ...]]) -> list[tuple[str, str | None, float]]:
        """The loss in nats per target; with several losses, the sum of their means."""
        if not self._batches:
            return []
        per_batch = [losses_of(batch) for batch in self._batches]
        total = 0.0
        for number, losses in enumerate(zip(*per_batch, strict=True)):
            n = sum(int((batch.targets[number] >= 0).sum()) for batch in self._batches)
            total += sum(float(each.double().sum()) for each in losses) / max(n, 1)
        return [("validation_loss", None, total)]


class Tuning:
    """The work of fine-tuning a model on examples."""

    keeps_best = True
    some_unused = True

    def __init__(self, job: TuneJob, base: Trained, task: Task, vocabulary: Vocabulary) -> None:
        """InputError if no example is left after it was cut to `max_tokens`."""
        self._job, self._base, self._task, self._vocabulary = job, base, task, vocabulary
        train, validation = (
            [row for e in part for row in task.rows(e)] for part in (job.parts.train, job.parts.validation)
        )
        if not train:
            raise InputError("no example has anything to learn in its first tokens; raise finetune.max_tokens")
        settings = job.settings
        self.rows: Rows = Order(len(train), settings.seed)
        self.objective: Objective = Learning(task, train, vocabulary)
        size = min(settings.rows_per_step, settings.rows_per_pass or settings.rows_per_step)
        self.validation: Measured = Validation(task, validation, size)
        mean = sum(len(row.ids) + len(row.decoder_ids or ()) for row in train) / len(train)
        self.tokens_per_step = max(1, round(mean * settings.rows_per_step))

    def new_model(self) -> Model:
        """The pretrained model, with an output layer that says nothing yet."""
        model = self._task.model(self._base.model, self._vocabulary.size, self._base.row_length)
        take_weights(model, self._base.model.state_dict(), self._job.task.seed)
        if self._job.task.lora is not None:
            lora.adapt(model, self._job.task.lora, self._job.task.seed)
        return model

    def files(self, model: Model) -> ModelFiles:
        """config.json, the tokenizer, and finetune.json."""
        base, task = self._base, self._task
        config = {**model.config_json(base.boundary), **task.config(), "pad_token_id": task.codec.pad}
        notes = {"settings": self._job.task.model_dump(mode="json"), "notes": task.notes, "base": str(self._job.base)}
        return ModelFiles(config, {**task.files(self._vocabulary), NOTES: notes})

    def baselines(self) -> list[tuple[str, float]]:
        """None: the trivial models of a task are measured at the end, by its metrics."""
        return []

    def publishable(self, weights: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """The weights with transformers' names.  Those of LoRA are added to the matrices, and written by themselves."""
        settings = self._job.task
        model = self._task.model(self._base.model, self._vocabulary.size, self._base.row_length)
        names = model.prefixes if isinstance(model, Headed) else {}
        weights = renamed(weights, names)
        if settings.lora is None:
            return weights
        lora.write_adapter(self._job.out, weights, settings.lora, settings.task, str(self._job.base))
        return {name: weight.contiguous() for name, weight in lora.merged(weights, settings.lora).items()}


def device_of(device: str | None) -> str:
    """The device on which a tuned model is measured."""
    return device or ("cuda" if torch.cuda.is_available() else "cpu")
