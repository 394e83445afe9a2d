"""The loss of each document under a trained model that predicts every next token.

A document is read after a boundary token, alone in its row.  A document longer than a training row is cut into pieces
of that length, and each piece is read without the pieces before it, as in training.  The boundary token that ends a
document is not predicted here, because it has no bytes.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import torch

from corpusmill.errors import InputError
from corpusmill.train.batch import IGNORED, Inputs
from corpusmill.train.objectives.base import token_losses
from corpusmill.train.trained import Trained

TOKENS_PER_BATCH = 8192  # with padding
PREDICTING = ("decoder", "lstm")  # kinds of models that predict every next token
PADDING = -1  # number of the document that padding belongs to

Piece = tuple[int, Sequence[int]]  # index of the document; the tokens to read, and one more to predict


def document_losses(trained: Trained, documents: Sequence[Sequence[int]]) -> npt.NDArray[np.float64]:
    """Nats of each document, the sum over its tokens: n lists of ids, without boundary tokens -> (n).

    InputError if the model does not predict every next token.
    """
    if trained.kind not in PREDICTING:
        raise InputError(
            f"{trained.folder}: holds a model of the kind '{trained.kind}'; bits per byte need a decoder or an LSTM"
        )
    nats = np.zeros(len(documents))
    for pieces in _batches(_pieces(documents, trained.boundary, trained.row_length)):
        owners = [index for index, _ in pieces]
        np.add.at(nats, owners, _losses(trained, [tokens for _, tokens in pieces]))
    return nats


def best_device() -> str:
    """The device cuda if there is one, else cpu; training without a `device` uses the same."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def _pieces(documents: Sequence[Sequence[int]], boundary: int, row_length: int) -> list[Piece]:
    """The documents in pieces of at most `row_length` tokens to predict, the shortest first."""
    pieces: list[Piece] = []
    for index, ids in enumerate(documents):
        tokens = [boundary, *ids]
        pieces += [(index, tokens[at : at + row_length + 1]) for at in range(0, len(ids), row_length)]
    return sorted(pieces, key=lambda piece: len(piece[1]))


def _batches(pieces: Sequence[Piece]) -> Iterator[list[Piece]]:
    """Pieces of similar lengths, together at most TOKENS_PER_BATCH tokens with padding."""
    batch: list[Piece] = []
    for piece in pieces:
        if batch and (len(batch) + 1) * len(piece[1]) > TOKENS_PER_BATCH:
            yield batch
            batch = []
        batch.append(piece)
    if batch:
        yield batch


@torch.inference_mode()
def _losses(trained: Trained, pieces: Sequence[Sequence[int]]) -> npt.NDArray[np.float64]:
    """Nats of each piece: n lists of tokens -> (n)."""
    shape = len(pieces), max(map(len, pieces)) - 1
    ids = torch.full(shape, trained.boundary)
    targets, documents = torch.full(shape, IGNORED), torch.full(shape, PADDING)
    for row, tokens in enumerate(pieces):
        whole, n = torch.tensor(tokens), len(tokens) - 1
        ids[row, :n], targets[row, :n], documents[row, :n] = whole[:-1], whole[1:], 0
    device = trained.device
    scores = trained.model(*trained.model.prepare(Inputs(ids.to(device), documents.to(device))))
    losses = token_losses(scores, targets.to(device)).view(shape)
    summed: npt.NDArray[np.float64] = losses.double().sum(1).cpu().numpy()
    return summed
