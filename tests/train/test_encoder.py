"""The encoder: transformers opens the folder as ModernBERT, with the same scores; documents do not see each other."""

import logging

import pytest
import torch
from transformers import AutoTokenizer, ModernBertForMaskedLM

from corpusmill.train.attention import document_mask
from corpusmill.train.batch import Inputs, document_numbers
from corpusmill.train.models.encoder import Encoder
from corpusmill.train.run import train
from corpusmill.train.settings import EncoderSettings
from tests.train.conftest import KINDS, weights

SETTINGS = EncoderSettings(layers=4, width=32, heads=4, window=6, global_every=3)


@pytest.fixture
def model():
    encoder = Encoder(SETTINGS, 50, 32, 2, torch.Generator().manual_seed(1))
    random = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for parameter in encoder.parameters():  # nothing zero, no norm trivial
            parameter += 0.2 * torch.randn(parameter.shape, generator=random)
    return encoder.eval()


def scores(model, rows, positions=None):
    ids = torch.tensor(rows)
    inputs = Inputs(ids, document_numbers(ids, 0), None if positions is None else torch.tensor(positions))
    with torch.no_grad():
        return model(*model.prepare(inputs))


@pytest.mark.parametrize("kind", ["encoder", "encoder, sentence-order"])
def test_transformers_gives_the_same_scores(lines, kind, tmp_path, caplog):
    settings = KINDS[kind].model_copy(update={"steps": 3, "row_length": 32})
    out = train(lines, settings, tmp_path / "model").model
    caplog.set_level(logging.ERROR)  # transformers says that it does not know the second head
    theirs, problems = ModernBertForMaskedLM.from_pretrained(out, output_loading_info=True)
    assert not problems["missing_keys"]
    assert set(problems["unexpected_keys"]) == ({"order.weight", "order.bias"} if "order" in kind else set())
    tokenizer = AutoTokenizer.from_pretrained(out)
    assert tokenizer.mask_token_id == 320
    ours = Encoder(settings.model, 321, 32, 2 if "order" in kind else 0).eval()
    ours.load_state_dict(weights(out))
    text = tokenizer("red fox runs home.\ngreen owl runs home.\n" * 3)["input_ids"]
    ids = torch.tensor([[0, *text[:10], tokenizer.mask_token_id, *text[11:31]]])
    inputs = Inputs(ids, document_numbers(ids, 0))
    with torch.no_grad():
        mine, other = ours(*ours.prepare(inputs))[0], theirs(ids).logits
    assert other.std() > 0.01
    torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-4)


def test_transformers_gives_the_scores_of_a_model_without_zeros(model):
    from transformers import ModernBertConfig

    config = ModernBertConfig(**{k: v for k, v in model.config_json(0).items() if k not in ("architectures",)})
    theirs = ModernBertForMaskedLM(config).eval()
    found = theirs.load_state_dict(
        {name: tensor for name, tensor in model.state_dict().items() if not name.startswith("order")}, strict=False
    )
    assert (found.missing_keys, found.unexpected_keys) == (["decoder.weight"], [])
    theirs.tie_weights()
    ids = torch.randint(1, 50, (3, 32), generator=torch.Generator().manual_seed(3))
    ids[:, 0] = 0
    with torch.no_grad():
        torch.testing.assert_close(scores(model, ids.tolist())[0], theirs(ids).logits, rtol=1e-4, atol=1e-4)


def test_documents_packed_in_a_row_are_as_if_alone(model):
    """Positions are relative, so a document's place in the row does not matter."""
    first, second = [0, 5, 6, 7], [0, 8, 9, 10, 11, 12, 13, 14, 15, 16]
    for packed, alone in zip(scores(model, [first + second]), scores(model, [second]), strict=True):
        torch.testing.assert_close(packed[:, 4:], alone, atol=1e-4, rtol=1e-4)


def test_both_sides_are_seen(model):
    base = scores(model, [[0, 5, 6, 7, 8]])[0]
    assert not torch.allclose(base[:, 2], scores(model, [[0, 5, 6, 7, 9]])[0][:, 2])
    assert not torch.allclose(base[:, 2], scores(model, [[0, 4, 6, 7, 8]])[0][:, 2])


def test_scores_of_chosen_places_are_those_of_all(model):
    ids = [[0, 5, 6, 7, 8], [0, 9, 8, 0, 3]]
    every, chosen = scores(model, ids)[0], scores(model, ids, [[3, 1], [4, 2]])[0]
    torch.testing.assert_close(chosen, torch.stack([every[0, [3, 1]], every[1, [4, 2]]]))


def test_a_window_is_seen_on_both_sides():
    documents = torch.tensor([[0, 0, 0, 0, 1, 1, 1]])
    mask = document_mask(documents, window=2)[0, 0]
    expected = [
        [documents[0, i] == documents[0, j] and abs(i - j) <= 2 for j in range(7)] for i in range(7)
    ]  # fmt: skip
    assert mask.tolist() == expected
