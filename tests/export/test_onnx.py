"""ONNX graphs in onnxruntime, also with weights of 8 bits."""

import onnxruntime
import pyarrow.parquet as pq
import pytest
import torch

from corpusmill.errors import InputError
from corpusmill.export.folder import ModelFolder
from corpusmill.export.formats import Request, export
from corpusmill.export.int8 import graph_losses, validation_of
from corpusmill.export.onnx import Graph
from corpusmill.train.batch import Inputs
from corpusmill.train.trained import load
from tests.train.conftest import metrics

CLOSE = {"rtol": 1e-4, "atol": 1e-4}


def job_of(model):
    return ModelFolder.of(Request(path=model, out=model, corpus=None, progress=print)).job()[0]


def inputs_of(trained, rows, n):
    """Rows of several documents, and padding at the end of the first."""
    random = torch.Generator().manual_seed(n)
    ids = torch.randint(5, 300, (rows, n), generator=random)
    documents = (torch.rand(rows, n, generator=random) < 0.2).cumsum(1)
    documents[0, n - 3 :] = -1
    both = (ids[:, : n // 2], documents[:, : n // 2]) if trained.kind == "encoder-decoder" else ()
    return Inputs(ids, documents, None, *both)


@pytest.mark.parametrize("kind", ["encoder", "encoder-decoder"])
def test_the_graph_gives_our_scores_for_any_rows_and_documents(models, tmp_path, kind):
    export(models(kind), "onnx", tmp_path / "out")
    session, trained = onnxruntime.InferenceSession(tmp_path / "out/model.onnx"), load(models(kind))
    for rows, n in ((1, 8), (3, 31)):
        inputs = inputs_of(trained, rows, n)
        given = {"input_ids": inputs.ids, "attention_mask": inputs.documents + 1}
        if kind == "encoder-decoder":
            given |= {"decoder_input_ids": inputs.decoder_ids, "decoder_attention_mask": inputs.decoder_documents + 1}
        (theirs,) = session.run(None, {name: each.numpy() for name, each in given.items()})
        with torch.inference_mode():
            ours = trained.model(*trained.model.prepare(inputs))
        ours = ours[0] if isinstance(ours, tuple) else ours
        text = (inputs.documents if inputs.decoder_documents is None else inputs.decoder_documents) >= 0
        torch.testing.assert_close(torch.from_numpy(theirs)[text], ours[text], **CLOSE)
    loss = graph_losses(validation_of(job_of(models(kind))), Graph(tmp_path / "out/model.onnx"))[
        "validation_loss", None
    ]
    assert loss == pytest.approx(metrics(models(kind), "validation_loss")[-3][3], rel=1e-4)  # as in training


def test_what_8_bits_cost_in_loss_and_size(models, tmp_path):
    kind = "decoder"
    exported = export(models(kind), "int8", tmp_path / "out")
    figures = {(each.metric, each.source): each for each in exported.figures}
    trained = {(metric, source): value for _, metric, source, value in metrics(models(kind), *{m for m, _ in figures})}
    losses = {key: figure for key, figure in figures.items() if key[0].startswith("validation")}
    assert {("validation_loss", None)} < losses.keys()
    assert {source for _, source in losses} == {None, "en", "zh"}
    for key, figure in losses.items():
        assert figure.baseline == pytest.approx(trained[key], rel=1e-4)  # as in training
        assert figure.value == pytest.approx(figure.baseline, rel=0.05)
        assert figure.value != figure.baseline
    size = figures["model_bytes", None]
    assert size.value == (tmp_path / "out/model.onnx").stat().st_size
    rows = pq.read_table(models(kind) / "exports.parquet").to_pylist()
    loss = figures["validation_loss", None]
    assert (rows[-1]["format"], {row["metric"] for row in rows} >= {"validation_loss"}) == ("int8", True)
    assert [r["value"] for r in rows if (r["metric"], r["source"]) == ("validation_loss", None)] == [loss.value]


@pytest.mark.parametrize("format", ["onnx", "int8"])
def test_an_lstm_has_no_graph(models, tmp_path, format):
    with pytest.raises(InputError, match="is of the kind 'lstm'; only a decoder, an encoder and an encoder-decoder"):
        export(models("lstm"), format, tmp_path / "out")
