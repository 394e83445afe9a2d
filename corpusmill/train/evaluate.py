"""What a model in training is measured by.

Validation reads the same `validation_rows` rows each time.  Bits per byte compare tokenizers and sources: the loss of
a document's tokens in bits, over its bytes; where a row's end cuts a document, each token counts for the document's
mean bytes a token.  Boundary tokens are in the loss, and, having no bytes, not in bits per byte.
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
from corpusmill.train.data import Position
from corpusmill.train.job import Job


class Validation:
    """The validation rows and how they are scored; there may be none."""

    def __init__(self, job: Job) -> None:
        settings = job.settings
        rows = job.rows("validation", keep_rest=True)
        n = rows.n_rows(at_most=settings.validation_rows)
        self._ids = rows.take(Position(), n)
        self._batch = settings.rows_per_step
        shape = (n, settings.row_length + 1)
        owners, size = np.full(shape, -1, np.int64), np.zeros(shape)
        names: list[str] = []
        at = 0
        for window, run in rows.runs(Position(), n):
            base = len(names)
            names.extend(window.source)
            mean_bytes = window.n_bytes / np.maximum(window.n_tokens, 1)
            for row in run:
                for piece in window.pieces(row):
                    part = slice(piece.first, piece.first + piece.n_tokens)
                    owners[at, part], size[at, part] = base + piece.document, mean_bytes[piece.document]
                at += 1
        size[self._ids == rows.boundary] = 0
        self.sources = sorted(set(names))
        code = {name: index for index, name in enumerate(self.sources)}
        source_of = np.array([*(code[name] for name in names), -1], np.int64)  # the last is for padding, owner -1
        self._source = source_of[owners[:, 1:]].ravel()
        self._bytes: npt.NDArray[np.float64] = size[:, 1:].ravel()
        self._targets = self._ids[:, 1:].ravel()

    @property
    def n_targets(self) -> int:
        """Tokens that are predicted."""
        return int((self._source >= 0).sum())

    def mean_of(self, loss_of_token: npt.NDArray[np.float64]) -> float:
        """Mean loss of a model that gives each token the same loss everywhere (vocab_size)."""
        return float(loss_of_token[self._targets[self._source >= 0]].mean())

    def measure(
        self, loss_of_each: Callable[[Tensor], Tensor], device: torch.device
    ) -> list[tuple[str, str | None, float]]:
        """(metric, source, value): the loss in nats a token, and bits per byte of all and of each source."""
        if self.n_targets == 0:
            return []
        ids = torch.from_numpy(self._ids).to(device)
        batches = [ids[at : at + self._batch] for at in range(0, len(ids), self._batch)]
        losses = torch.cat([loss_of_each(batch) for batch in batches]).cpu().double().numpy()
        measured: list[tuple[str, str | None, float]] = [
            ("validation_loss", None, float(losses[self._source >= 0].mean()))
        ]
        text = self._bytes > 0
        for index, name in enumerate([None, *self.sources], start=-1):
            chosen = text if name is None else text & (self._source == index)
            if chosen.any():
                bits = losses[chosen].sum() / math.log(2)
                measured.append(("validation_bits_per_byte", name, float(bits / self._bytes[chosen].sum())))
        return measured


class Metrics:
    """Figures measured so far, one row each, as in `schema.METRICS`."""

    def __init__(self, table: pa.Table | None = None) -> None:
        self._rows: list[dict[str, Any]] = []
        self._newest: dict[str, float] = {}
        for row in [] if table is None else table.to_pylist():
            self.add(**row)

    def add(self, *, step: int, seconds: float, tokens: int, metric: str, source: str | None, value: float) -> None:
        """Add a figure."""
        row = {"step": step, "seconds": seconds, "tokens": tokens, "metric": metric, "source": source, "value": value}
        self._rows.append(row)
        if source is None:
            self._newest[metric] = value

    def newest(self, metric: str) -> float | None:
        """The last value of a metric over all sources."""
        return self._newest.get(metric)

    def table(self) -> pa.Table:
        """All of them."""
        return pa.Table.from_pylist(self._rows, schema=schema.METRICS.arrow)
