"""A trained model, read again from its folder, is the one that was written."""

import json

import pytest
import torch

from corpusmill.errors import InputError
from corpusmill.recipe import TrainSettings
from corpusmill.train.batch import Inputs
from corpusmill.train.run import train
from corpusmill.train.trained import load

SMALL = {"layers": 2, "width": 32}
MODELS = {
    "decoder": {**SMALL, "heads": 2, "kv_heads": 1, "tied_embeddings": False},
    "encoder": {**SMALL, "heads": 2, "window": 8, "global_every": 2},
    "encoder-decoder": {**SMALL, "heads": 2, "kv_heads": 1},
    "lstm": {**SMALL, "attention": True},
}


@pytest.mark.parametrize("kind", MODELS)
def test_every_kind_is_read_as_it_was_written(corpus, tmp_path, kind):
    settings = TrainSettings.model_validate(
        {
            "model": {"kind": kind, **MODELS[kind]},
            "row_length": 32,
            "rows_per_step": 2,
            "steps": 2,
            "validation_rows": 2,
        }
    )
    train(corpus, settings, tmp_path / kind)
    trained = load(tmp_path / kind)
    assert (trained.kind, trained.row_length, trained.model.training) == (kind, 32, False)
    written = json.loads((tmp_path / kind / "config.json").read_text())
    assert trained.model.config_json(trained.boundary) == written
    ids = torch.tensor([[trained.boundary, *trained.encode("red fox runs home.")]])
    documents = torch.zeros_like(ids)
    both = (ids, documents) if kind == "encoder-decoder" else ()
    arguments = trained.model.prepare(Inputs(ids, documents, None, *both))
    with torch.no_grad():
        assert trained.model.hidden(*arguments).shape == (*ids.shape, 32)


def test_settings_of_an_encoder_survive(corpus, tmp_path):
    model = {"kind": "encoder", "layers": 5, "width": 32, "heads": 4, "window": 6, "global_every": 2}
    settings = TrainSettings.model_validate(
        {"model": model, "row_length": 32, "rows_per_step": 2, "steps": 1, "validation_rows": 1}
    )
    train(corpus, settings, tmp_path / "m")
    read = load(tmp_path / "m").model.settings.model_dump()
    assert {name: read[name] for name in model} == model


def test_a_device_that_is_not_here(tmp_path):
    with pytest.raises(InputError, match="device 'foo' cannot be used here"):
        load(tmp_path, "foo")
