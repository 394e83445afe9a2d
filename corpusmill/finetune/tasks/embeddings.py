"""Sentence embeddings: the mean of an encoder's last layer, so that the texts of a pair are close to each other.

Contrastive learning with in-batch negatives (arXiv 1705.00652): for each query of a pass, its own text must be nearer
than the texts of all other pairs and the given negatives, by cosine similarity divided by `temperature`.  A text that
stands several times in a pass, or a second text of the same query, is no negative.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from corpusmill.finetune.examples import Pair, named
from corpusmill.finetune.metrics.figure import Figure
from corpusmill.finetune.metrics.retrieval import of_ranking
from corpusmill.finetune.models import plain
from corpusmill.finetune.settings import EmbeddingsSettings
from corpusmill.finetune.tasks.base import Task
from corpusmill.finetune.texts import Row, padded
from corpusmill.train.batch import Batch, Inputs, Model
from corpusmill.train.trained import Trained


class Embeddings(Task):
    """Vectors of texts."""

    kinds: ClassVar[tuple[str, ...]] = ("encoder",)
    settings: EmbeddingsSettings

    def model(self, base: Model, size: int, row_length: int) -> Model:
        """The encoder, with the mean of its tokens as its output."""
        return plain(base, size, row_length, self.settings.dropout)

    def _ids(self, text: str) -> list[int]:
        return [self.codec.boundary, *self.codec.ids(text)][: self.codec.max_tokens]

    def rows(self, example: Pair) -> list[Row]:
        """One row: the query, and as targets the texts; `collate` makes rows of all three."""
        texts = [self._ids(text) for text in (example.positive, example.negative) if text is not None]
        return [Row(ids=self._ids(example.query), targets=tuple(texts))]

    def collate(self, rows: Sequence[Row]) -> Batch:
        """First the queries, then their texts, then the negatives.  The target of a query is its place."""
        texts = [row.targets[0] for row in rows]
        negatives = [row.targets[1] for row in rows if len(row.targets) > 1]
        ids, documents = padded([*(row.ids for row in rows), *texts, *negatives], self.codec.pad)
        targets = torch.arange(len(rows))[:, None]
        return Batch(Inputs(ids, documents), (targets,), torch.full_like(targets, -1))

    def losses(self, model: Any, arguments: Any, targets: tuple[Tensor, ...], training: bool) -> tuple[Tensor, ...]:
        """Cross-entropy of each query's own text among all texts."""
        n, (real, ids) = len(targets[0]), arguments[:2]
        vectors = F.normalize(model(*arguments).float(), dim=-1)
        similarity = vectors[:n] @ vectors[n:].T / self.settings.temperature
        ids = ids.masked_fill(~real, -1)
        queries, texts = ids[:n], ids[n:]
        same = (texts[:n, None] == texts[None]).all(-1)  # (queries, texts): equal to the query's own text
        same[:, :n] |= (queries[:, None] == queries[None]).all(-1)  # or another text of the same query
        own = torch.eye(n, len(texts), dtype=torch.bool, device=ids.device)
        similarity = similarity.masked_fill(same & ~own, float("-inf"))
        return (F.cross_entropy(similarity, targets[0].flatten(), reduction="none"),)

    def vectors(self, model: Trained, texts: Sequence[str]) -> Tensor:
        """The vectors of texts, of length 1: (texts, width)."""
        rows = [Row(ids=self._ids(text), targets=(self._ids(text),)) for text in texts]
        return F.normalize(torch.stack(self.scores(model, rows)), dim=-1)

    def _scores(self, model: Trained, rows: Sequence[Row]) -> list[Tensor]:
        inputs = Inputs(*padded([row.ids for row in rows], self.codec.pad)).to(model.device)
        with torch.inference_mode():
            found: Tensor = model.model(*model.model.prepare(inputs)).float().cpu()
        return list(found)

    def predict(self, model: Trained, examples: Sequence[Pair]) -> list[dict[str, Any]]:
        """The cosine similarity of each pair."""
        queries, texts = (self.vectors(model, [getattr(e, key) for e in examples]) for key in ("query", "positive"))
        values = (queries * texts).sum(-1).tolist()
        return [{**named(e), "similarity": round(value, 6)} for e, value in zip(examples, values, strict=True)]

    def evaluate(self, model: Trained, examples: Sequence[Pair], train: Sequence[Pair]) -> list[Figure]:
        """As in `metrics.retrieval`, among all texts of these examples."""
        queries = list(dict.fromkeys(example.query for example in examples))
        pairs = [text for e in examples for text in (e.positive, e.negative) if text is not None]
        texts = {text: number for number, text in enumerate(dict.fromkeys(pairs))}
        right: dict[str, list[int]] = {query: [] for query in queries}
        for example in examples:
            right[example.query].append(texts[example.positive])
        similarity = self.vectors(model, queries) @ self.vectors(model, [*texts]).T
        return of_ranking(similarity.numpy(), [sorted(set(right[query])) for query in queries])
