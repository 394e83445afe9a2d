"""Figures of classification (scikit-learn): accuracy, precision, recall, F1, ROC-AUC, confusion matrix, calibration.

Calibration compares the probability of the predicted label with how often it is right.  The expected calibration error
(ECE, Guo et al. 2017) is the mean difference over ten bins, weighted by their numbers of examples.

The baseline of most figures predicts the most frequent label of the training examples.  That of ROC-AUC is 0.5.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from sklearn.metrics import accuracy_score, confusion_matrix, precision_recall_fscore_support, roc_auc_score

from corpusmill.finetune.metrics.figure import Figure

BINS = 10
NAMES = ("precision", "recall", "f1")
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def of_labels(right: Ints, probabilities: Floats, labels: Sequence[str], majority: int) -> list[Figure]:
    """One label per example.

    right: (examples), the number of the right label
    probabilities: (examples, labels)
    majority: the most frequent label of the training examples
    """
    n, said = len(right), probabilities.argmax(1)
    trivial = np.full(n, majority)
    found = [
        Figure(
            metric="accuracy",
            value=float(accuracy_score(right, said)),
            baseline=float(accuracy_score(right, trivial)),
            n=n,
        )
    ]
    found += [
        figure
        for figure in _rates(right, said, trivial, labels)
        if figure.metric not in ("precision_micro", "recall_micro")  # each is the accuracy
    ]
    found += _aucs(right[:, None] == np.arange(len(labels)), probabilities, labels)
    counts = confusion_matrix(right, said, labels=range(len(labels)))
    found += [
        Figure(metric="confusion", class_=labels[i], predicted=labels[j], value=float(counts[i, j]), n=n)
        for i in range(len(labels))
        for j in range(len(labels))
    ]
    return found + calibration(said == right, probabilities.max(1))


def of_label_sets(right: Ints, probabilities: Floats, labels: Sequence[str], majority: Ints) -> list[Figure]:
    """Several labels per example, each of which is said from a probability of 0.5 on.

    right: (examples, labels), 1 for right labels
    probabilities: (examples, labels)
    majority: (labels), 1 for those that most training examples have
    """
    said = (probabilities >= 0.5).astype(np.int64)
    trivial = np.tile(majority, (len(right), 1))
    found = [
        Figure(
            metric="accuracy",
            value=float(accuracy_score(right, said)),
            baseline=float(accuracy_score(right, trivial)),
            n=len(right),
        )
    ]
    found += _rates(right, said, trivial, labels)
    found += _aucs(right == 1, probabilities, labels)
    sure = np.where(said == 1, probabilities, 1 - probabilities)
    return found + calibration((said == right).ravel(), sure.ravel())


def _rates(right: Ints, said: Ints, trivial: Ints, labels: Sequence[str]) -> list[Figure]:
    """Precision, recall and F1: of each label, over all predictions (micro), and the mean over the labels (macro)."""
    found, numbers = [], range(len(labels))
    ours, theirs = (
        precision_recall_fscore_support(right, each, labels=numbers, zero_division=0) for each in (said, trivial)
    )
    for name, values, baselines in zip(NAMES, ours, theirs, strict=False):
        found += [
            Figure(metric=name, class_=label, value=float(values[i]), baseline=float(baselines[i]), n=int(ours[3][i]))
            for i, label in enumerate(labels)
        ]
    for mean in ("micro", "macro"):
        ours, theirs = (
            precision_recall_fscore_support(right, each, labels=numbers, average=mean, zero_division=0)
            for each in (said, trivial)
        )
        found += [
            Figure(metric=f"{name}_{mean}", value=float(value), baseline=float(baseline), n=len(right))
            for name, value, baseline in zip(NAMES, ours, theirs, strict=False)
        ]
    return found


def _aucs(right: npt.NDArray[np.bool_], probabilities: Floats, labels: Sequence[str]) -> list[Figure]:
    """ROC-AUC of each label against the others, and their mean; left out for labels that all or no examples have."""
    found = [
        Figure(
            metric="roc_auc",
            class_=label,
            value=float(roc_auc_score(right[:, i], probabilities[:, i])),
            baseline=0.5,
            n=int(right[:, i].sum()),
        )
        for i, label in enumerate(labels)
        if right[:, i].any() and not right[:, i].all()
    ]
    if found:
        mean = float(np.mean([figure.value for figure in found]))
        found.append(Figure(metric="roc_auc_macro", value=mean, baseline=0.5, n=len(right)))
    return found


def calibration(is_right: npt.NDArray[np.bool_], probability: Floats) -> list[Figure]:
    """The expected calibration error, and of each bin the mean probability and the share that is right."""
    bins = np.minimum((probability * BINS).astype(np.int64), BINS - 1)
    found, error = [], 0.0
    for number in np.unique(bins):
        chosen = bins == number
        name, n = f"{number / BINS:.1f} to {(number + 1) / BINS:.1f}", int(chosen.sum())
        sure, share = float(probability[chosen].mean()), float(is_right[chosen].mean())
        error += abs(sure - share) * n / len(bins)
        found.append(Figure(metric="bin_probability", class_=name, value=sure, n=n))
        found.append(Figure(metric="bin_accuracy", class_=name, value=share, n=n))
    return [Figure(metric="calibration_error", value=error, n=len(bins)), *found]
