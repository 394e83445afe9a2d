"""fastText classifiers: the probability of a label for every page, and how one is trained on two samples.

A text is one line to fastText: runs of white space and NUL are one space.  That is the whole text, and the same when a
model is trained and when it is applied.  A text without a letter or digit has no probability.

Training is fastText's supervised mode on words and word pairs, in one thread with a fixed seed, so the same samples
give the same file.  The classes are of equal size, so a probability means: against an equal share of other pages.
"""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpusmill.errors import InputError
from corpusmill.filters.fasttext_file import Classifier, read_classifier
from corpusmill.filters.fasttext_predict import predict

PREFIX = "__label__"
BATCH = 512  # texts that are judged at a time


@dataclass(frozen=True, kw_only=True, slots=True)
class Training:
    """fastText's settings.  Its default of 2 million buckets for pairs of words would make a file of 256 MB."""

    dim: int = 32
    epoch: int = 5
    lr: float = 0.5
    wordNgrams: int = 2  # noqa: N815  # fastText's names
    bucket: int = 1 << 18
    minCount: int = 2  # noqa: N815
    seed: int = 1
    thread: int = 1


def training_for(n_texts: int) -> Training:
    """Settings for a sample: a small one is read more often, until 50,000 texts were read, but at most 100 times."""
    return Training(epoch=min(max(5, 50_000 // n_texts), 100))


def line_of(text: str) -> str:
    """A text as the one line that fastText reads; its words for a label and for the end of a line are taken apart."""
    return " ".join(text.replace("\0", " ").split()).replace(PREFIX, "__label ").replace("</s>", "< /s>")


def probabilities(path: Path, label: str, text: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Probability of a label for n texts: float64 (n); null for null and for a text without a letter or digit."""
    model = load_classifier(path)
    number = model.labels.index(label)
    values: list[float | None] = [None] * len(text)
    for start in range(0, len(text), BATCH):
        lines = {row: line_of(line) for row, line in _readable(text.slice(start, BATCH), start)}
        encoded = [line.encode() for line in lines.values()]
        ends = np.cumsum([len(line) for line in encoded], dtype=np.int64)
        starts = ends - np.array([len(line) for line in encoded], np.int64)
        data = np.frombuffer(b"".join(encoded), np.uint8)
        labels, scores = predict(model, data, starts, ends, len(model.labels))
        found = np.where(labels == number, scores, 0).sum(axis=1)
        for row, score in zip(lines, found.tolist(), strict=True):
            values[row] = min(score, 1.0)  # fastText's scores are up to 1.00001
    return pa.array(values, pa.float64())


def _readable(text: pa.Array | pa.ChunkedArray, start: int) -> Iterator[tuple[int, str]]:
    """The texts that have a letter or digit, with their rows, which are counted from `start`."""
    for row, each in enumerate(text.to_pylist(), start):
        if each is not None and any(map(str.isalnum, each)):
            yield row, each


def check_classifier(path: Path, label: str, where: str) -> None:
    """InputError unless this is a classifier of fastText with such a label."""
    try:
        labels = load_classifier(path).labels
    except InputError as error:
        raise InputError(f"{where}: {str(error).removeprefix(f'{path}: ')}") from error
    if label not in labels:
        raise InputError(f"{where}: the model has no label '{label}'; it has: {', '.join(sorted(labels)[:20])}")


@lru_cache(maxsize=8)
def load_classifier(path: Path) -> Classifier:
    """The model in a file, once in a process."""
    return read_classifier(path)


def train_classifier(positive: Sequence[str], negative: Sequence[str], out: Path, training: Training) -> None:
    """Train on two samples and write the model.  InputError if fastText finds nothing to learn."""
    import fasttext

    with tempfile.TemporaryDirectory() as folder:
        sample = Path(folder) / "sample.txt"
        with sample.open("w", encoding="utf-8", errors="replace", newline="\n") as file:
            for i in range(max(len(positive), len(negative))):  # one of each in turn, as one pass sees them
                for label, texts in (("positive", positive), ("negative", negative)):
                    if i < len(texts):
                        file.write(f"{PREFIX}{label} {line_of(texts[i])}\n")
        settings: dict[str, Any] = asdict(training)
        try:
            model = fasttext.train_supervised(input=str(sample), verbose=0, label=PREFIX, **settings)
        except (ValueError, RuntimeError) as error:
            raise InputError(f"fastText learns nothing from these samples: {error}") from error
    model.save_model(str(out))


# ---- how good it is ------------------------------------------------------------------------------------------------

BINS = 10


def auc(positive: npt.NDArray[np.float64], negative: npt.NDArray[np.float64]) -> float:
    """Area under the ROC curve: how often a positive has the higher score of a pair, a tie counting one half."""
    scores = np.concatenate([positive, negative])
    _, which, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[which]  # from 1, the mean of ties
    n, m = len(positive), len(negative)
    return float((ranks[:n].sum() - n * (n + 1) / 2) / (n * m))


def calibration(positive: npt.NDArray[np.float64], negative: npt.NDArray[np.float64]) -> list[dict[str, float | int]]:
    """By tenth of the probability: how many pages, their mean probability, and the share that is positive."""
    scores = np.concatenate([positive, negative])
    truth = np.concatenate([np.ones(len(positive)), np.zeros(len(negative))])
    tenths = np.minimum((scores * BINS).astype(np.int64), BINS - 1)
    table: list[dict[str, float | int]] = []
    for tenth in range(BINS):
        chosen = tenths == tenth
        if n := int(chosen.sum()):
            mean, share = float(scores[chosen].mean()), float(truth[chosen].mean())
            table.append(
                {
                    "lowest": tenth / BINS,
                    "highest": (tenth + 1) / BINS,
                    "documents": n,
                    "probability": mean,
                    "share": share,
                }
            )
    return table


def brier(positive: npt.NDArray[np.float64], negative: npt.NDArray[np.float64]) -> float:
    """Mean squared difference of probability and truth."""
    return float(np.concatenate([(1 - positive) ** 2, negative**2]).mean())
