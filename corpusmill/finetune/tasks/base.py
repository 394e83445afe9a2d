"""What a task is: how examples become rows of tokens, what the scores of a model mean, and how they are measured."""

import json
from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from tokenizers import Tokenizer
from torch import Tensor

from corpusmill.errors import InputError
from corpusmill.finetune.metrics.figure import Figure
from corpusmill.finetune.models import headed
from corpusmill.finetune.settings import AnyTask
from corpusmill.finetune.texts import Codec, Row, batch_of, pad_id, tokenizer_files
from corpusmill.train.batch import Batch, Model
from corpusmill.train.objectives.base import token_losses
from corpusmill.train.trained import Trained
from corpusmill.train.vocabulary import Vocabulary

KINDS = ("encoder", "decoder", "encoder-decoder", "lstm")
ROWS = 32  # of a pass of predictions


class Task:
    """One task with its labels and the tokenizer of a model."""

    kinds: ClassVar[tuple[str, ...]] = KINDS  # of models that can learn it
    special: ClassVar[tuple[str, ...]] = ()  # tokens that it needs

    def __init__(self, settings: AnyTask, codec: Codec, kind: str, notes: dict[str, Any]) -> None:
        """`notes` are what the task has learned from its examples, such as the labels; the model's folder has them."""
        self.settings, self.codec, self.kind, self.notes = settings, codec, kind, notes

    @classmethod
    def learned_from(cls, examples: Sequence[Any], settings: Any, codec: Codec) -> dict[str, Any]:
        """The notes.  InputError if the examples cannot teach anything."""
        return {}

    @classmethod
    def needs_han_split(cls, examples: Sequence[Any], codec: Codec) -> bool:
        """Whether the answers of examples can only be said if Han characters are tokens of their own."""
        return False

    @property
    def classes(self) -> int:
        """The number of scores of the output layer."""
        raise NotImplementedError

    def model(self, base: Model, size: int, row_length: int) -> Model:
        """The model, with weights that are still to be replaced."""
        return headed(self.settings.task, self.classes, base, size, row_length, self.settings.dropout)

    def config(self) -> dict[str, Any]:
        """What config.json has beside the shape of the model."""
        return {}

    def files(self, vocabulary: Vocabulary) -> dict[str, Any]:
        """The tokenizer's files, and others that the task needs."""
        return tokenizer_files(vocabulary)

    def rows(self, example: Any) -> list[Row]:
        """The rows of an example; none if nothing of it is left after it was cut to `max_tokens`."""
        raise NotImplementedError

    def collate(self, rows: Sequence[Row]) -> Batch:
        """Rows as a batch."""
        return batch_of(rows, self.codec.pad)

    def losses(self, model: Model, arguments: Any, targets: tuple[Tensor, ...], training: bool) -> tuple[Tensor, ...]:
        """For each loss, its value for every target."""
        smoothing = getattr(self.settings, "label_smoothing", 0.0) if training else 0.0
        return (token_losses(model(*arguments), targets[0], smoothing, 0.0),)

    def predict(self, model: Trained, examples: Sequence[Any]) -> list[dict[str, Any]]:
        """What the model says of each example, as it is written out."""
        raise NotImplementedError

    def evaluate(self, model: Trained, examples: Sequence[Any], train: Sequence[Any]) -> list[Figure]:
        """The figures of a model on examples that it has not seen, beside those of a baseline made of `train`."""
        raise NotImplementedError

    def scores(self, model: Trained, rows: Sequence[Row]) -> list[Tensor]:
        """The scores of each row, without those of padding: (1 or tokens, classes) in float32, on the CPU."""
        found: list[Tensor] = []
        order = sorted(range(len(rows)), key=lambda i: len(rows[i].ids))  # rows of similar length together
        for at in range(0, len(order), ROWS):
            part = [rows[i] for i in order[at : at + ROWS]]
            found += self._scores(model, part)
        placed: list[Tensor] = [torch.empty(0)] * len(rows)
        for i, scores in zip(order, found, strict=True):
            placed[i] = scores
        return placed

    def _scores(self, model: Trained, rows: Sequence[Row]) -> list[Tensor]:
        inputs = self.collate(rows).inputs.to(model.device)
        with torch.inference_mode():
            scores = model.model(*model.model.prepare(inputs)).float().cpu()
        return [each[: len(row.ids)] for each, row in zip(scores, rows, strict=True)]


def codec_of(vocabulary: Vocabulary, definition: dict[str, Any], max_tokens: int) -> Codec:
    """The tokenizer of a definition (tokenizer.json), without the special tokens that it may add."""
    tokenizer = Tokenizer.from_str(json.dumps(definition))
    tokenizer.encode_special_tokens = True
    return Codec(tokenizer, vocabulary.boundary, pad_id(vocabulary), max_tokens)


def checked(task: type[Task], name: str, kind: str, where: object) -> None:
    """InputError if a model of this kind cannot learn the task."""
    if kind not in task.kinds:
        raise InputError(f"{where}: is a model of the kind '{kind}'; the task '{name}' needs: {', '.join(task.kinds)}")
