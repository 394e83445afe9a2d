"""Span corruption (T5, arXiv 1910.10683): the decoder writes the spans that are missing in the encoder's input.

15 % of a document's tokens are taken out, in spans of 3 tokens on average, and a sentinel stands for each span.  The
decoder writes, for each span, its sentinel and its tokens, and at the end the boundary token:

    document       <|endoftext|> the cat sat on the mat
    encoder        <|endoftext|> the <extra_id_0> on <extra_id_1> mat
    decoder        <|endoftext|> <extra_id_0> cat sat <extra_id_1> the
    targets        <extra_id_0> cat sat <extra_id_1> the <|endoftext|>

Every document of a row is treated for itself, with sentinels from 0 on.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from corpusmill.draws import Ints, shuffled
from corpusmill.train.batch import IGNORED, Batch, Inputs
from corpusmill.train.objectives.base import Key, Objective, tensor
from corpusmill.train.settings import SpansSettings
from corpusmill.train.vocabulary import Vocabulary

SENTINELS = 100
WIDTH = 64  # the decoder's rows are filled up to a multiple of it, so that few widths occur


class SpanCorruption(Objective):
    """Spans that were taken out."""

    settings: SpansSettings

    def __init__(self, settings: SpansSettings, vocabulary: Vocabulary) -> None:
        super().__init__(settings, vocabulary)
        self._sentinels = [vocabulary.special[name] for name in self.tokens(settings)]

    @classmethod
    def tokens(cls, settings: SpansSettings) -> list[str]:
        """The sentinels, with T5's names."""
        return [f"<extra_id_{number}>" for number in range(SENTINELS)]

    def batch(self, rows: Ints, keys: Sequence[Key], *, training: bool) -> Batch:
        """The first `row_length` tokens of each row, with spans taken out."""
        n, boundary = rows.shape[1] - 1, self.vocabulary.boundary
        made = [self._corrupt(row, key) for row, key in zip(rows[:, :-1], keys, strict=True)]
        longest = max(len(decoder) for _, _, decoder, _, _, _ in made)
        width = max(1, -(-longest // WIDTH)) * WIDTH

        def filled(columns: Sequence[list[int]], size: int, value: int) -> Ints:
            return np.array([[*column, *[value] * (size - len(column))] for column in columns], np.int64)

        ids, documents, decoder, decoder_documents, targets, origins = zip(*made, strict=True)
        inputs = Inputs(
            tensor(filled(ids, n, boundary)),
            tensor(filled(documents, n, -1)),
            decoder_ids=tensor(filled(decoder, width, boundary)),
            decoder_documents=tensor(filled(decoder_documents, width, -1)),
        )
        return Batch(inputs, (tensor(filled(targets, width, IGNORED)),), tensor(filled(origins, width, -1)))

    def _corrupt(self, row: Ints, key: Key) -> tuple[list[int], ...]:
        """Ids and documents of the encoder, ids and documents of the decoder, targets, and origins of these."""
        boundary = self.vocabulary.boundary
        starts = np.flatnonzero(row == boundary).tolist()
        edges = sorted({0, *starts, len(row)})
        out: tuple[list[int], ...] = ([], [], [], [], [], [])
        ids, documents, decoder, decoder_documents, targets, origins = out
        for number, (first, end) in enumerate(pairwise(edges)):
            text = first + (int(row[first]) == boundary)
            spans = self._spans(text, end, (*key, number))
            at, written, sources = first, [], []
            for sentinel, span in zip(self._sentinels, spans, strict=False):
                ids += [*row[at : span.start].tolist(), sentinel]
                written += [sentinel, *row[span.start : span.stop].tolist()]
                sources += [-1, *span]
                at = span.stop
            ids += row[at:end].tolist()
            documents += [number] * (len(ids) - len(documents))
            if spans:
                decoder += [boundary, *written]
                decoder_documents += [number] * (1 + len(written))
                targets += [*written, boundary]
                origins += [*sources, -1]
        return out

    def _spans(self, start: int, end: int, key: Key) -> list[range]:
        """Spans of the tokens [start, end) of a document.  A sentinel never follows another one directly."""
        n = end - start
        hidden = min(round(n * self.settings.share), n - 1)
        count = min(max(1, round(hidden / self.settings.span_length)), n - hidden, SENTINELS)
        if hidden < 1:
            return []
        spans, at = [], start
        for seen, length in zip(_parts(n - hidden, count, (*key, 0)), _parts(hidden, count, (*key, 1)), strict=True):
            spans.append(range(at + seen, at + seen + length))
            at += seen + length
        return spans


def _parts(n: int, count: int, key: Key) -> list[int]:
    """`n` as a sum of `count` positive numbers; every such sum has the same probability."""
    cuts = np.sort(shuffled(key, n - 1)[: count - 1]) + 1
    edges = [0, *cuts.tolist(), n]
    return [end - start for start, end in pairwise(edges)]
