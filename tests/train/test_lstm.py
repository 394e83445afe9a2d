"""The LSTM against torch's own cell and embedding, document by document."""

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

from corpusmill.tokenize.settings import TokenizerSettings
from corpusmill.tokenize.train import train_tokenizer
from corpusmill.train.batch import Inputs, document_numbers
from corpusmill.train.checkpoint import ModelFiles
from corpusmill.train.models.lstm import Lstm
from corpusmill.train.settings import LstmSettings
from corpusmill.train.trained import load
from corpusmill.train.vocabulary import Vocabulary


def model(*, attention):
    made = Lstm(LstmSettings(layers=2, width=8, attention=attention), 30, 16, torch.Generator().manual_seed(1))
    random = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter += 0.3 * torch.randn(parameter.shape, generator=random)
    return made.eval()


def scores(lstm, rows):
    ids = torch.tensor(rows)
    with torch.no_grad():
        return lstm(*lstm.prepare(Inputs(ids, document_numbers(ids, 0))))


def cells_of(lstm):
    cells = []
    for layer in range(2):
        cell = nn.LSTMCell(8, 8)
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
            setattr(cell, name, nn.Parameter(getattr(lstm.lstm, f"{name}_l{layer}")))
        cells.append(cell)
    return cells


@pytest.mark.parametrize("attention", [False, True])
def test_a_document_is_read_cell_by_cell(attention):
    lstm, document = model(attention=attention), [0, 5, 6, 7, 20, 21]
    states = [(torch.zeros(1, 8), torch.zeros(1, 8)) for _ in range(2)]
    outputs, expected = [], []
    with torch.no_grad():
        for id_ in document:
            x = lstm.embed_tokens(torch.tensor([id_])) * 8**0.5
            for layer, cell in enumerate(cells_of(lstm)):
                states[layer] = cell(x, states[layer])
                x = states[layer][0]
            outputs.append(x[0])
            h = x[0]
            if attention:
                part, seen = lstm.attention, torch.stack(outputs)
                weight = torch.softmax(part.k_proj(seen) @ part.q_proj(h) / 8**0.5, 0)
                h = h + part.o_proj(weight @ part.v_proj(seen))
            h = h / (h.square().mean() + 1e-6).sqrt() * lstm.norm.weight
            expected.append(F.linear(h, lstm.embed_tokens.weight))
    torch.testing.assert_close(scores(lstm, [document])[0], torch.stack(expected), atol=1e-5, rtol=1e-5)


def test_an_lstm_of_an_earlier_version_reads_its_embedding_as_it_is(tmp_path):
    lstm, row = model(attention=False), [0, 5, 6, 7]
    definition = train_tokenizer(["red fox"], TokenizerSettings(vocab_size=300)).encode()
    files = ModelFiles(lstm.config_json(0), Vocabulary.of(definition, "").files())
    files.write(tmp_path, lstm.state_dict())
    torch.testing.assert_close(scores(load(tmp_path).model, [row]), scores(lstm, [row]))
    del files.config["embedding_scale"]
    files.write(tmp_path, lstm.state_dict())
    lstm.scale = 1.0
    torch.testing.assert_close(scores(load(tmp_path).model, [row]), scores(lstm, [row]))


@pytest.mark.parametrize("attention", [False, True])
def test_nothing_passes_from_document_to_document_or_row_to_row(attention):
    lstm, a, b, c = model(attention=attention), [0, 5, 6], [0, 7, 8, 9, 9], [4, 4, 4, 0, 3, 2, 1, 0]
    together = scores(lstm, [a + b, c])
    torch.testing.assert_close(together[0, :3], scores(lstm, [a])[0], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(together[0, 3:], scores(lstm, [b])[0], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(together[1], scores(lstm, [c])[0], atol=1e-5, rtol=1e-5)


def test_floating_point_operations_are_those_of_torchs_counter():
    """Forward and backward are three times the forward pass, which torch's counter sees for the output head."""
    lstm = model(attention=False)
    matrices = 30 * 8 + 2 * 2 * (4 * 8 * 8)  # the embedding is the output head; two layers with two matrices each
    assert lstm.flops_per_token(16) == 6 * matrices
