"""Models in a corpus that has documents, too."""

import time

import pytest

from corpusmill.corpus import Corpus
from corpusmill.parts import Made
from corpusmill.reasons import Stage
from corpusmill.schema import DOCS
from corpusmill.train.run import train
from tests.train.conftest import documents, small, write_tokens

GROUPED = {"layers": 2, "width": 32, "heads": 2, "kv_heads": 1}
MODELS = {
    "decoder": GROUPED,
    "untied": {**GROUPED, "tied_embeddings": False},
    "encoder": {"kind": "encoder", "layers": 2, "width": 32, "heads": 2, "window": 8, "global_every": 2},
    "encoder-decoder": {**GROUPED, "kind": "encoder-decoder"},
    "lstm": {"kind": "lstm", "width": 32},
}
LICENCES = {"en": "CC|BY *4.0*", "zh": None}


@pytest.fixture(scope="session")
def corpus(tmp_path_factory):
    """A corpus of 90 documents in two languages; those in English have a licence."""
    folder = tmp_path_factory.mktemp("exports") / "corpus"
    table = documents(90)
    write_tokens(folder, [table])
    (folder / "recipe.toml").write_text("# a recipe\n")
    languages = table["source"].to_pylist()
    docs = DOCS.filled({
        **{name: table[name] for name in ("doc_id", "source", "split", "text")},
        "url": [None] * 90, "title": [None] * 90, "language": languages,
        "licence": [LICENCES[each] for each in languages],
    })  # fmt: skip
    made = Made(table=docs, rows_in=docs.num_rows, bytes_in=docs.nbytes)
    Corpus(folder).publish(Stage.DOCS, "part-0", made, fingerprint="-", started=time.time())
    return folder


@pytest.fixture(scope="session")
def models(corpus):
    """The folder of a model of each kind in the corpus, trained when it is first asked for."""

    def of(kind):
        out = corpus / "models" / kind
        objective = {"order": "sentence-order"} if kind == "encoder" else {}
        train(corpus, small(model=MODELS[kind], objective=objective, row_length=48, steps=20, validate_every=10), out)
        return out

    return of
