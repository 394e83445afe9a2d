"""How a model in training is measured.

Validation reads the same `validation_rows` rows each time, with the same masks.  Bits per byte make
tokenizers and sources comparable: the loss of a document's tokens in bits, divided by its bytes.  If the end of a row
cuts a document, each token counts as the document's mean number of bytes per token.  Boundary tokens count in the loss.
They have no bytes, so they do not count in bits per byte.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch
from torch import Tensor

from corpusmill import schema
from corpusmill.draws import Ints
from corpusmill.loader import Position, Rows
from corpusmill.train.baselines import Trigrams
from corpusmill.train.batch import IGNORED, Batch
from corpusmill.train.job import Job
from corpusmill.train.objectives.base import Objective

VALIDATION = 0x76616C  # in the keys of the rows' random numbers


class Validation:
    """The validation rows and how they are scored.  There may be no rows."""

    def __init__(self, job: Job, objective: Objective) -> None:
        settings = job.settings
        rows = job.rows("validation")
        n = rows.n_rows(at_most=settings.validation_rows)
        ids = rows.take(Position(), n)
        keys = [(settings.seed, VALIDATION, row) for row in range(n)]
        size = min(settings.rows_per_step, settings.rows_per_pass or settings.rows_per_step)
        self._losses_are, self._per_byte = objective.losses_are, objective.predicts_every_token
        self._boundary = rows.boundary
        self._batches = [
            objective.batch(ids[at : at + size], keys[at : at + size], training=False) for at in range(0, n, size)
        ]
        sources, size_of = self._describe(rows, ids)
        self.sources, self._source, self._bytes = sources, *self._of_targets(size_of)
        targets = [batch.targets[0].flatten().numpy() for batch in self._batches]
        self._targets: Ints = np.concatenate(targets) if targets else np.zeros(0, np.int64)

    def _describe(self, rows: Rows, ids: Ints) -> tuple[list[str], npt.NDArray[np.float64]]:
        """The sources, and for each token of each row: the number of its source (-1 for padding) and its bytes."""
        owners, size = np.full(ids.shape, -1, np.int64), np.zeros(ids.shape)
        documents = rows.documents(Position(), len(ids)) if len(ids) else []
        sources = sorted({each.source for each in documents})
        code = {name: index for index, name in enumerate(sources)}
        for each in documents:
            part = slice(each.first, each.first + each.n_tokens)
            owners[each.row, part] = code[each.source]
            size[each.row, part] = each.document_bytes / max(each.document_tokens, 1)
        size[ids == rows.boundary] = 0
        return sources, np.stack([owners.astype(np.float64), size], 2)

    def _of_targets(self, of_tokens: npt.NDArray[np.float64]) -> tuple[Ints, npt.NDArray[np.float64]]:
        """The source and the bytes of every target: -1 and 0 for those that are ignored or that are no token."""
        found, at = [np.zeros((0, 2))], 0
        for batch in self._batches:
            origins = batch.origins.numpy()
            rows = of_tokens[at : at + len(origins)]
            chosen = np.take_along_axis(rows, np.maximum(origins, 0)[:, :, None], 1)
            chosen[(origins < 0) | (batch.targets[0].numpy() == IGNORED)] = (-1, 0)
            found.append(chosen.reshape(-1, 2))
            at += len(origins)
        both = np.concatenate(found)
        return both[:, 0].astype(np.int64), both[:, 1]

    @property
    def n_targets(self) -> int:
        """The number of tokens that are predicted."""
        return int((self._source >= 0).sum())

    @property
    def all_are_tokens(self) -> bool:
        """Whether every target is a token of a document, and none a sentinel."""
        return self._per_byte or self.n_targets == int((self._targets != IGNORED).sum())

    @property
    def _counted(self) -> npt.NDArray[np.bool_]:
        """The targets whose mean is the validation loss."""
        return self._source >= 0 if self._per_byte else self._targets != IGNORED

    def mean_of(self, loss_of_token: npt.NDArray[np.float64]) -> float:
        """The mean loss of a model whose loss for a token is the same everywhere (vocab_size)."""
        return float(loss_of_token[self._targets[self._counted]].mean())

    def mean_of_trigrams(self, trigrams: Trigrams) -> float | None:
        """The mean loss of a trigram model on the same targets; None unless every token is predicted from the left."""
        if not self._per_byte or self.n_targets == 0:
            return None
        last = np.concatenate([batch.inputs.ids.numpy() for batch in self._batches])
        before = np.full_like(last, trigrams.start)
        before[:, 1:] = np.where(last[:, 1:] == self._boundary, trigrams.start, last[:, :-1])
        counted = self._counted
        return float(trigrams.losses(before.flatten()[counted], last.flatten()[counted], self._targets[counted]).mean())

    def measure(self, losses_of: Callable[[Batch], tuple[Tensor, ...]]) -> list[tuple[str, str | None, float]]:
        """(metric, source, value): the loss in nats per target; and by source, bits per byte or the loss.

        Bits per byte need an objective that predicts every token.
        """
        if self.n_targets == 0:
            return []
        per_batch = [losses_of(batch) for batch in self._batches]
        all_losses = [torch.cat(each).cpu().double().numpy() for each in zip(*per_batch, strict=True)]
        losses = all_losses[0]
        counts = self._counted
        measured: list[tuple[str, str | None, float]] = [("validation_loss", None, float(losses[counts].mean()))]
        for number, name in enumerate(self._losses_are[1:], start=1):
            targets = torch.cat([batch.targets[number].flatten() for batch in self._batches]).numpy()
            if (targets != IGNORED).any():
                measured.append((f"validation_{name}_loss", None, float(all_losses[number][targets != IGNORED].mean())))
        text = self._bytes > 0
        groups: list[str | None] = [None, *self.sources] if self._per_byte else [*self.sources]
        for source in groups:
            chosen = text if source is None else text & (self._source == self.sources.index(source))
            if chosen.any() and self._per_byte:
                bits = losses[chosen].sum() / math.log(2)
                measured.append(("validation_bits_per_byte", source, float(bits / self._bytes[chosen].sum())))
            elif chosen.any():
                measured.append(("validation_loss", source, float(losses[chosen].mean())))
        return measured


class Metrics:
    """The figures measured so far, one row per figure, as in `schema.METRICS`."""

    def __init__(self, table: pa.Table | None = None) -> None:
        self._rows: list[dict[str, Any]] = []
        self._series: dict[str, list[float]] = {}
        for row in [] if table is None else table.to_pylist():
            self.add(**row)

    def add(self, *, step: int, seconds: float, tokens: int, metric: str, source: str | None, value: float) -> None:
        """Add a figure."""
        row = {"step": step, "seconds": seconds, "tokens": tokens, "metric": metric, "source": source, "value": value}
        self._rows.append(row)
        if source is None:
            self._series.setdefault(metric, []).append(value)

    def newest(self, metric: str) -> float | None:
        """The last value of a metric over all sources; None if it was not measured."""
        series = self.series(metric)
        return series[-1] if series else None

    def series(self, metric: str) -> list[float]:
        """All values of a metric over all sources, in order."""
        return self._series.get(metric, [])

    def table(self) -> pa.Table:
        """All figures as a table."""
        return pa.Table.from_pylist(self._rows, schema=schema.METRICS.arrow)
