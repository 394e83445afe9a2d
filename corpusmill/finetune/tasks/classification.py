"""Classification of a text or a pair of texts: one label, or several."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from corpusmill.errors import InputError
from corpusmill.finetune.examples import Labelled, named
from corpusmill.finetune.metrics.figure import Figure
from corpusmill.finetune.settings import ClassificationSettings
from corpusmill.finetune.tasks.base import Task
from corpusmill.finetune.texts import Codec, Row
from corpusmill.train.trained import Trained


class Classification(Task):
    """Labels of texts.  The notes have the labels in their order, and the weight of each in the loss."""

    settings: ClassificationSettings

    @classmethod
    def learned_from(
        cls, examples: Sequence[Labelled], settings: ClassificationSettings, codec: Codec
    ) -> dict[str, Any]:
        """The labels.  InputError if there are fewer than two, or the examples mix one label and several."""
        several = {isinstance(example.label, list) for example in examples}
        if len(several) > 1:
            raise InputError("some examples have one label and others a list of labels; write lists in all of them")
        counts = Counter(label for example in examples for label in example.labels)
        labels = sorted(counts)
        is_multiple = several == {True}
        if len(labels) < (1 if is_multiple else 2):
            raise InputError(f"all examples have the label '{', '.join(labels)}'; classification needs two at least")
        if is_multiple and settings.class_weights != "none":
            raise InputError("finetune.class_weights is for one label per example; these examples have lists of labels")
        balanced = [len(examples) / (len(labels) * counts[label]) for label in labels]
        weights = balanced if settings.class_weights == "balanced" else [1.0] * len(labels)
        return {"labels": labels, "multi_label": is_multiple, "weights": weights}

    @property
    def labels(self) -> list[str]:
        """The labels, in the order of the scores."""
        return list(self.notes["labels"])

    @property
    def classes(self) -> int:
        """One score per label."""
        return len(self.labels)

    def config(self) -> dict[str, Any]:
        """The names of the labels."""
        kind = "multi_label_classification" if self.notes["multi_label"] else "single_label_classification"
        return {**label_names(self.labels), "problem_type": kind}

    def rows(self, example: Labelled) -> list[Row]:
        """One row.  Of a pair, the longer text is cut first."""
        texts = [self.codec.ids(text) for text in example.content]
        room = self.codec.max_tokens - len(texts)
        if len(texts) == 2:
            second = min(len(texts[1]), max(room - len(texts[0]), room // 2))
            texts = [texts[0][: room - second], texts[1][:second]]
        ids = [token for text in texts for token in (self.codec.boundary, *text)]
        return [Row(ids=ids[: self.codec.max_tokens], targets=(self._targets(example),))]

    def _targets(self, example: Labelled) -> list[int]:
        known = self.labels
        if self.notes["multi_label"]:
            return [int(label in (example.labels if example.is_labelled else ())) for label in known]
        return [known.index(example.labels[0]) if example.is_labelled and example.labels[0] in known else 0]

    def losses(self, model: Any, arguments: Any, targets: tuple[Tensor, ...], training: bool) -> tuple[Tensor, ...]:
        """Cross-entropy of the label, times its weight; of several labels, that of each."""
        if self.notes["multi_label"]:
            scores = model(*arguments)[:, 0].float()
            return (
                F.binary_cross_entropy_with_logits(scores, targets[0].to(scores.dtype), reduction="none").flatten(),
            )
        (losses,) = super().losses(model, arguments, targets, training)
        if self.settings.class_weights == "none":
            return (losses,)
        weights = torch.tensor(self.notes["weights"], device=losses.device)
        return (losses * weights[targets[0].flatten()],)

    def _probabilities(self, model: Trained, examples: Sequence[Labelled]) -> Tensor:
        """(examples, labels)."""
        scores = torch.cat(self.scores(model, [row for example in examples for row in self.rows(example)]))
        return scores.sigmoid() if self.notes["multi_label"] else scores.softmax(-1)

    def predict(self, model: Trained, examples: Sequence[Labelled]) -> list[dict[str, Any]]:
        """The label or labels, and the probability of each label."""
        answers = []
        for example, chances in zip(examples, self._probabilities(model, examples).tolist(), strict=True):
            by_label = dict(zip(self.labels, chances, strict=True))
            said: str | list[str] = max(by_label, key=lambda label: by_label[label])
            if self.notes["multi_label"]:
                said = [label for label, chance in by_label.items() if chance >= 0.5]
            rounded = {label: round(chance, 6) for label, chance in by_label.items()}
            answers.append({**named(example), "label": said, "probabilities": rounded})
        return answers

    def evaluate(self, model: Trained, examples: Sequence[Labelled], train: Sequence[Labelled]) -> list[Figure]:
        """As in `metrics.classes`.  Examples whose label no training example has are left out, and counted."""
        from corpusmill.finetune.metrics.classes import of_label_sets, of_labels

        known = [example for example in examples if set(example.labels) <= set(self.labels)]
        unknown = [Figure(metric="unknown_labels", value=len(examples) - len(known), n=len(examples))]
        if not known:
            return unknown
        probabilities = self._probabilities(model, known).double().numpy()
        right = np.array([self._targets(example) for example in known])
        counts = Counter(label for example in train for label in example.labels)
        if self.notes["multi_label"]:
            most = np.array([int(2 * counts[label] > len(train)) for label in self.labels])
            figures = of_label_sets(right, probabilities, self.labels, most)
        else:
            majority = max(range(self.classes), key=lambda i: counts[self.labels[i]])
            figures = of_labels(right[:, 0], probabilities, self.labels, majority)
        return figures if len(known) == len(examples) else [*figures, *unknown]


def label_names(labels: Sequence[str]) -> dict[str, Any]:
    """The keys of config.json that name the classes."""
    return {
        "id2label": {str(number): label for number, label in enumerate(labels)},
        "label2id": {label: number for number, label in enumerate(labels)},
    }
