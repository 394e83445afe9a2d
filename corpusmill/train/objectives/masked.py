"""Masked language modelling (BERT, arXiv 1810.04805), optionally with the order of paragraphs as a second loss.

A share of the tokens is chosen and predicted: 30 % in training and 15 % in evaluation (as ModernBERT).  Of the chosen
tokens, 80 % are replaced by [MASK], 10 % by any token, and 10 % stay.  Boundary tokens are never chosen.

The second loss reads the boundary token of a document.  Its pairs are made of the document's own lines.  A document
`A B rest` is cut after lines, so that A and B are one or more lines.

    sentence-order (ALBERT, arXiv 1909.11942)   half of the documents become `B A rest`: is A before B?
    next-sentence (BERT)                        two documents of a row exchange their B: does B follow A?

Documents that begin in an earlier row, and documents with fewer than two line ends, have no pair.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from corpusmill.draws import Ints, shuffled, uniform
from corpusmill.train.batch import IGNORED, Batch, Inputs, document_numbers
from corpusmill.train.objectives.base import Key, Objective, tensor
from corpusmill.train.settings import MaskedSettings
from corpusmill.train.vocabulary import MASK, Vocabulary

IN_ORDER, CHANGED = 0, 1


class Masked(Objective):
    """Tokens that were masked."""

    settings: MaskedSettings

    def __init__(self, settings: MaskedSettings, vocabulary: Vocabulary) -> None:
        super().__init__(settings, vocabulary)
        self._mask = vocabulary.special[MASK]
        if settings.order != "none":
            self.losses_are = ("tokens", "order")
            self._line_ends = vocabulary.line_ends()

    @classmethod
    def tokens(cls, settings: MaskedSettings) -> list[str]:
        """[MASK]."""
        return [MASK]

    @classmethod
    def classes(cls, settings: MaskedSettings) -> int:
        """In order, or changed."""
        return 0 if settings.order == "none" else 2

    def batch(self, rows: Ints, keys: Sequence[Key], *, training: bool) -> Batch:
        """The first `row_length` tokens of each row with masks.  A row has as many targets as it could need at most."""
        share = self.settings.share if training else self.settings.evaluation_share
        n = rows.shape[1] - 1
        ids, order, width = np.empty((len(rows), n), np.int64), [], max(1, round(share * n))
        positions, targets, origins = (np.zeros((len(rows), width), np.int64) for _ in range(3))
        for i, (row, key) in enumerate(zip(rows[:, :-1], keys, strict=True)):
            places, labels = self._ordered(row, key)
            order.append(labels)
            ids[i] = row[places]
            positions[i], targets[i] = self._choose(ids[i], share, width, key)
            origins[i] = places[positions[i]]
            self._hide(ids[i], positions[i][targets[i] != IGNORED], key)
        read = tensor(ids)  # its boundary tokens were never masked
        inputs = Inputs(read, document_numbers(read, self.vocabulary.boundary), tensor(positions))
        classes = (tensor(np.array(order)),) if len(self.losses_are) > 1 else ()
        return Batch(inputs, (tensor(targets), *classes), tensor(origins))

    def _choose(self, ids: Ints, share: float, width: int, key: Key) -> tuple[Ints, Ints]:
        """Places of tokens to predict, in order, and these tokens; filled up to `width` with IGNORED."""
        possible = np.flatnonzero(ids != self.vocabulary.boundary)
        chosen = np.sort(possible[shuffled((*key, 0), len(possible))[: min(width, round(share * len(possible)))]])
        positions, targets = np.zeros(width, np.int64), np.full(width, IGNORED, np.int64)
        positions[: len(chosen)], targets[: len(chosen)] = chosen, ids[chosen]
        return positions, targets

    def _hide(self, ids: Ints, chosen: Ints, key: Key) -> None:
        """Replace the chosen tokens, in place."""
        how, other = uniform((*key, 1), len(chosen)), uniform((*key, 2), len(chosen))
        text = (other * (self.vocabulary.n_text - 1)).astype(np.int64)
        text += text >= self.vocabulary.boundary  # any token but the boundary
        ids[chosen] = np.where(how < 0.8, self._mask, np.where(how < 0.9, text, ids[chosen]))

    def _ordered(self, row: Ints, key: Key) -> tuple[Ints, Ints]:
        """The place of each token in the row before, and a class for each boundary token of a pair, else IGNORED."""
        n = len(row)
        labels = np.full(n, IGNORED, np.int64)
        if self.settings.order == "none":
            return np.arange(n), labels
        edges = [*np.flatnonzero(row == self.vocabulary.boundary).tolist(), n]
        pieces: dict[int, list[range]] = {}  # by the document's first token: what it consists of
        pairs: list[int] = []
        for number, (first, end) in enumerate(pairwise(edges)):
            pieces[first] = [range(first, first + 1), *self._paragraphs(row, first + 1, end, (*key, 3, number))]
            if len(pieces[first]) == 4:
                pairs.append(first)
        draws = uniform((*key, 4), len(pairs))
        changed = set()
        if self.settings.order == "sentence-order":
            for first, draw in zip(pairs, draws, strict=True):
                if draw < 0.5:
                    boundary, a, b, rest = pieces[first]
                    pieces[first] = [boundary, b, a, rest]
                    changed.add(first)
        else:
            pairs = pairs[: len(pairs) // 2 * 2]
            for one, other, draw in zip(pairs[::2], pairs[1::2], draws[::2], strict=False):
                if draw < 0.5:
                    pieces[one][2], pieces[other][2] = pieces[other][2], pieces[one][2]
                    changed |= {one, other}
        places = [*range(edges[0])]
        for first, parts in pieces.items():
            if first in pairs:
                labels[len(places)] = CHANGED if first in changed else IN_ORDER
            for part in parts:
                places.extend(part)
        return np.array(places, np.int64), labels

    def _paragraphs(self, row: Ints, start: int, end: int, key: Key) -> list[range]:
        """The text of a document as `A B rest`, cut after lines; or as one piece, if it has too few lines."""
        is_end = self._line_ends[row[start:end]]
        cuts = start + 1 + np.flatnonzero(is_end[:-1] & ~is_end[1:])  # before the first token of a line
        if len(cuts) < 2:
            return [range(start, end)]
        cut = int(cuts[int(uniform(key, 1)[0] * (len(cuts) - 1))])
        last = int(cuts[-1])
        return [range(start, cut), range(cut, last), range(last, end)]
