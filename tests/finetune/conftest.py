"""Small pretrained models of every kind, and the examples of `examples/finetune`."""

import json

import pyarrow as pa
import pytest

from corpusmill.finetune.run import finetune
from corpusmill.finetune.settings import settings_of
from corpusmill.recipe import TrainSettings
from corpusmill.train.run import train
from examples.finetune.make import examples, texts
from tests.train.conftest import write_tokens

SHAPE = {"layers": 2, "width": 64, "heads": 2}
MODELS = {
    "encoder": SHAPE | {"kind": "encoder", "window": 16, "global_every": 2},
    "decoder": SHAPE | {"kind": "decoder", "kv_heads": 1},
    "encoder-decoder": SHAPE | {"kind": "encoder-decoder", "kv_heads": 1},
    "lstm": {"kind": "lstm", "width": 32, "layers": 1},
}
KINDS = {
    "classification": "sentiment",
    "tokens": "names",
    "question-answering": "questions",
    "instruction": "chat",
    "sequence": "translation",
    "embeddings": "pairs",
}


@pytest.fixture(scope="session")
def corpus(tmp_path_factory):
    """A corpus of texts of the same kind as the examples."""
    folder = tmp_path_factory.mktemp("finetune") / "corpus"
    written = texts(400)
    documents = pa.table({
        "doc_id": [f"{i:024x}" for i in range(len(written))],
        "source": pa.array(["made"] * len(written), pa.string()),
        "language": pa.array(["en"] * len(written), pa.string()),
        "split": pa.array(["validation" if i % 20 == 0 else "train" for i in range(len(written))], pa.string()),
        "text": pa.array(written, pa.large_string()),
    })  # fmt: skip
    write_tokens(folder, [documents], vocab_size=600, sample=written)
    return folder


@pytest.fixture(scope="session")
def base(corpus):
    """The folder of a pretrained model of each kind, trained when it is first asked for."""

    def of(kind, steps=60):
        folder = corpus / "models" / f"{kind}-{steps}"
        settings = TrainSettings.model_validate({
            "model": MODELS[kind], "row_length": 96, "rows_per_step": 8, "steps": steps, "validate_every": 1000,
            "validation_rows": 4,
        })  # fmt: skip
        return train(corpus, settings, folder, device="cpu").model

    return of


def write_examples(path, rows):
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return path


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    """The file with the examples of a task, or of a kind."""
    folder = tmp_path_factory.mktemp("data")

    def of(name, n=200):
        path = folder / f"{name}-{n}.jsonl"
        return path if path.exists() else write_examples(path, examples(KINDS.get(name, name), n))

    return of


def tune(model, data, task, out, **settings):
    """Tune a model on the CPU."""
    return finetune(model, data, settings_of(task, settings), out, device="cpu")


def value(result, metric, part="test", class_=None):
    """A figure and its baseline."""
    (found,) = [f for f in result.figures if (f.metric, f.part, f.class_) == (metric, part, class_)]
    return found.value, found.baseline
