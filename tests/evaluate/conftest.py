"""Models of every kind, trained for two steps on a tiny corpus of tokens."""

import pytest

from corpusmill.recipe import TrainSettings
from corpusmill.train.run import train
from tests.train.conftest import KINDS, documents, write_tokens

MODELS = ("decoder", "lstm", "encoder, sentence-order", "encoder-decoder")


def short(kind: str) -> TrainSettings:
    """Settings of a training of two steps."""
    return KINDS[kind].model_copy(update={"row_length": 32, "rows_per_step": 2, "rows_per_pass": None, "steps": 2,
                                          "validation_rows": 2})  # fmt: skip


@pytest.fixture(scope="session")
def place(tmp_path_factory):
    """A corpus of tokens, some documents of which are longer than a row, with a model of each kind."""
    folder = tmp_path_factory.mktemp("evaluated") / "corpus"
    write_tokens(folder, [documents(40), documents(30, first=40)])
    for kind in MODELS:
        train(folder, short(kind), folder / "models" / kind)
    return folder
