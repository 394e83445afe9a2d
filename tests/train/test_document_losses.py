"""The loss of documents against a plain computation, one document after the other."""

import pytest
import torch

from corpusmill.errors import InputError
from corpusmill.train import document_losses as module
from corpusmill.train.batch import Inputs
from corpusmill.train.document_losses import document_losses
from corpusmill.train.run import train
from corpusmill.train.trained import load
from tests.train.conftest import KINDS, sentence

TEXTS = [sentence(i) for i in range(12)] + ["", "x"]


@pytest.fixture(scope="module", params=["decoder", "lstm, attention"])
def trained(request, corpus, tmp_path_factory):
    folder = tmp_path_factory.mktemp("model") / "m"
    return load(train(corpus, KINDS[request.param], folder, device="cpu").model)


def plain(trained, ids):
    """The loss of one document: a piece of a row after the other."""
    tokens, total = torch.tensor([trained.boundary, *ids]), 0.0
    for at in range(0, len(ids), trained.row_length):
        piece = tokens[at : at + trained.row_length + 1]
        read = Inputs(piece[None, :-1], torch.zeros(1, len(piece) - 1, dtype=torch.long))
        with torch.no_grad():
            chances = trained.model(*trained.model.prepare(read))[0].log_softmax(-1)
        total -= float(chances.gather(1, piece[1:, None]).sum())
    return total


@pytest.mark.parametrize("tokens_per_batch", [8192, 40])
def test_the_losses_are_those_of_each_document_alone(trained, tokens_per_batch, monkeypatch):
    monkeypatch.setattr(module, "TOKENS_PER_BATCH", tokens_per_batch)
    documents = [trained.encode(text) for text in TEXTS]
    assert max(map(len, documents)) > 2 * trained.row_length  # some are longer than a row
    expected = [plain(trained, ids) for ids in documents]
    assert document_losses(trained, documents) == pytest.approx(expected, rel=1e-5, abs=1e-6)
    assert expected[-2] == 0  # of the empty text


def test_a_model_that_does_not_predict_every_token_is_refused(corpus, tmp_path):
    model = load(train(corpus, KINDS["encoder"], tmp_path / "m", device="cpu").model)
    with pytest.raises(InputError, match="a decoder or an LSTM"):
        document_losses(model, [[1, 2]])
