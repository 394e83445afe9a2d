"""Causal language modelling: every token is predicted from the tokens before it in its document."""

from collections.abc import Sequence

import numpy as np

from corpusmill.draws import Ints
from corpusmill.train.batch import IGNORED, Batch, Inputs, document_numbers
from corpusmill.train.objectives.base import Key, Objective, tensor


class Causal(Objective):
    """The next token."""

    predicts_every_token = True

    def batch(self, rows: Ints, keys: Sequence[Key], *, training: bool) -> Batch:
        """Each token of a row but the last, and each token but the first as its target."""
        ids = tensor(rows)
        read = ids[:, :-1]
        targets = ids[:, 1:].clone()
        targets[(read == self.vocabulary.boundary) & (targets == self.vocabulary.boundary)] = IGNORED  # padding
        origins = tensor(np.arange(1, rows.shape[1])).expand(len(rows), -1)
        return Batch(Inputs(read, document_numbers(read, self.vocabulary.boundary)), (targets,), origins)
