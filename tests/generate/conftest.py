"""One small trained model of each kind, on the corpus of the tests of training."""

import pytest
import torch

from corpusmill.train.run import train
from corpusmill.train.trained import load
from tests.train.conftest import corpus, small  # noqa: F401  # a fixture

SHAPE = {"layers": 2, "width": 64, "heads": 2, "kv_heads": 1}
MODELS = {
    "decoder": SHAPE,
    "encoder": {"kind": "encoder", "layers": 2, "width": 64, "heads": 2},
    "encoder-decoder": {**SHAPE, "kind": "encoder-decoder", "width": 32},
    "lstm": {"kind": "lstm", "width": 32},
    "lstm, attention": {"kind": "lstm", "width": 32, "attention": True},
}
WRITERS = [name for name in MODELS if name != "encoder"]


@pytest.fixture(scope="session")
def models(corpus, tmp_path_factory):  # noqa: F811
    """The folder of a model of each kind, trained when it is first asked for."""
    made = {}

    def of(kind):
        if kind not in made:
            folder = tmp_path_factory.mktemp("models") / "model"
            steps = {"decoder": 60, "encoder": 120}.get(kind, 20)
            settings = small(model=MODELS[kind], row_length=64, rows_per_step=8, steps=steps, validate_every=steps)
            with torch.inference_mode(False):  # the test that asks first may run without gradients
                train(corpus, settings, folder)
            made[kind] = folder
        return made[kind]

    return of


@pytest.fixture(scope="session")
def loaded(models):
    """The same, read into memory once."""
    made = {}

    def of(kind):
        if kind not in made:
            with torch.inference_mode(False):
                made[kind] = load(models(kind))
        return made[kind]

    return of
