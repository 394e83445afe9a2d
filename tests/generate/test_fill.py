"""The masks of a text."""

import pytest
import torch

from corpusmill.errors import InputError
from corpusmill.generate.fill import fill
from corpusmill.train.vocabulary import MASK


def test_probabilities_are_those_of_the_model(loaded):
    trained = loaded("encoder")
    filled = fill(trained, "red [MASK] runs home. green owl [MASK] home.", top=400)
    pieces = [trained.encode(piece) for piece in ("red", " runs home. green owl", " home.")]
    mask = trained.tokenizer.token_to_id(MASK)
    ids = torch.tensor([[trained.boundary, *pieces[0], mask, *pieces[1], mask, *pieces[2]]])
    seen = torch.ones(1, 1, ids.shape[1], ids.shape[1], dtype=torch.bool)
    with torch.no_grad():
        expected = trained.model(ids, seen, seen)[0][0].softmax(1)[ids[0] == mask]
    assert len(filled.masks) == 2
    for candidates, chances in zip(filled.masks, expected, strict=True):
        assert [each.probability for each in candidates] == pytest.approx(
            chances.sort(descending=True)[0].tolist(), rel=1e-4
        )
        assert candidates[0].token == trained.tokenizer.id_to_token(int(chances.argmax()))


def test_a_trained_encoder_knows_what_is_missing(loaded):
    filled = fill(loaded("encoder"), "red fox [MASK] home. blue elk runs home. green owl runs home.")
    assert filled.masks[0][0].text == " runs"
    assert filled.text == "red fox runs home. blue elk runs home. green owl runs home."


def test_a_part_of_a_character_is_a_candidate(loaded):
    (candidates,) = fill(loaded("encoder"), "今天天[MASK]很好。", top=400).masks
    assert any("\ufffd" in each.text for each in candidates)


def test_what_cannot_be_filled(loaded, models):
    with pytest.raises(InputError, match="only encoders fill masks"):
        fill(models("decoder"), "red [MASK]")
    with pytest.raises(InputError, match=r"the text has no \[MASK\]"):
        fill(loaded("encoder"), "red fox")
    with pytest.raises(InputError, match="the text has 65 tokens, and the model reads at most 63"):
        fill(loaded("encoder"), " fox" * 64 + "[MASK]")
