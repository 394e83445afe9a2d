"""ONNX: a graph that onnxruntime and other programs run, without torch and without Python.

The graph reads `input_ids` and `attention_mask`, (rows, tokens) each with 64-bit integers, and gives `logits`, (rows,
tokens, vocab_size).  Numbers of rows and tokens are free.  In the mask, 0 is padding and 1 is text.  A row with several
documents has a number from 1 on for each; no token sees another document.  An encoder-decoder also reads
`decoder_input_ids` and `decoder_attention_mask`, whose numbers are those of the encoder's documents.

The graph remembers nothing between two calls: to generate, everything is read again for every token.  The LSTM cannot
be exported, because its rows are packed by document.

Made by torch's own exporter (torch.export, onnxscript).  It takes about 10 s, whatever the size of the model.
"""

import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import onnxruntime
import torch
from torch import Tensor, nn

from corpusmill.errors import InputError
from corpusmill.export.card import model_card
from corpusmill.export.figures import Figure
from corpusmill.export.folder import ModelFolder
from corpusmill.export.formats import Request, Written
from corpusmill.export.hf import write_tokenizer
from corpusmill.export.probe import largest_difference
from corpusmill.train.batch import Inputs
from corpusmill.train.models.decoder import Decoder
from corpusmill.train.models.encoder import Encoder
from corpusmill.train.models.encoder_decoder import EncoderDecoder
from corpusmill.train.trained import Trained, load

FILE = "model.onnx"
NAMES = ("input_ids", "attention_mask", "decoder_input_ids", "decoder_attention_mask")


def write(request: Request) -> Written:
    """Write the graph, and compare its scores in onnxruntime with ours."""
    model, trained = exportable(request)
    request.progress("writing the graph")
    write_graph(trained, request.out / FILE)
    write_beside(model, request.out, "onnx")
    request.progress("comparing the scores with those of onnxruntime")
    difference = largest_difference(trained, Graph(request.out / FILE).scores, "onnxruntime")
    return Written((Figure("largest_difference", difference),))


def exportable(request: Request) -> tuple[ModelFolder, Trained]:
    """The model, if there is a graph for its kind."""
    model = ModelFolder.of(request)
    if model.kind not in ("decoder", "encoder", "encoder-decoder"):
        raise InputError(
            f"{model.path}: is of the kind '{model.kind or model.architecture}'; only a decoder, an encoder and an "
            "encoder-decoder have an ONNX export"
        )
    return model, load(model.path)


def write_beside(model: ModelFolder, out: Path, format: str) -> None:
    """The config, the tokenizer and the card."""
    shutil.copyfile(model.path / "config.json", out / "config.json")
    write_tokenizer(model, out)
    (out / "README.md").write_text(model_card(model, format), "utf-8")


class _Whole(nn.Module):
    """A model that makes its masks itself, from the numbers of the documents."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(
        self, ids: Tensor, documents: Tensor, decoder_ids: Tensor | None = None, decoder: Tensor | None = None
    ) -> Tensor:
        """The arguments are NAMES; returns the logits."""
        model, within = self.model, _same(documents, documents)
        if isinstance(model, Decoder):
            return model.forward(ids, within & (_ago(ids) >= 0))
        if isinstance(model, Encoder):
            return model.forward(ids, within, within & (_ago(ids).abs() <= model.settings.window // 2))[0]
        assert isinstance(model, EncoderDecoder)
        assert decoder_ids is not None
        assert decoder is not None
        causal = _same(decoder, decoder) & (_ago(decoder_ids) >= 0)
        return model.forward(ids, decoder_ids, within, causal, _same(decoder, documents))


def _same(documents: Tensor, others: Tensor) -> Tensor:
    return documents[:, None, :, None] == others[:, None, None, :]


def _ago(ids: Tensor) -> Tensor:
    place = torch.arange(ids.shape[1])
    return place[:, None] - place


def write_graph(trained: Trained, file: Path) -> None:
    """Write the model as an ONNX graph."""
    ids = torch.tensor([[trained.boundary] * 6] * 2)
    arguments: tuple[Tensor, ...] = (ids, torch.ones_like(ids))
    if isinstance(trained.model, EncoderDecoder):
        arguments = (*arguments, ids[:, :4], torch.ones_like(ids[:, :4]))
    free = {0: torch.export.Dim.DYNAMIC, 1: torch.export.Dim.DYNAMIC}
    with _quiet_exporter():
        program = torch.onnx.export(
            _Whole(trained.model).eval(),
            arguments,
            dynamo=True,
            verbose=False,
            input_names=NAMES[: len(arguments)],
            output_names=["logits"],
            dynamic_shapes=(free,) * len(arguments),
        )
        assert program is not None
        program.save(file)


@contextmanager
def _quiet_exporter() -> Iterator[None]:
    """Without torch's warning that torchvision is missing."""
    logger = logging.getLogger("torch.onnx._internal.exporter._registration")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


class Graph:
    """An ONNX graph of ours, run by onnxruntime on the CPU."""

    def __init__(self, file: Path) -> None:
        self._session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])

    def run(self, inputs: Inputs) -> Tensor:
        """The scores of every token: (rows, tokens) -> (rows, tokens, vocab_size)."""
        given = {"input_ids": inputs.ids, "attention_mask": inputs.documents + 1}
        if inputs.decoder_ids is not None:
            assert inputs.decoder_documents is not None
            given |= {"decoder_input_ids": inputs.decoder_ids, "decoder_attention_mask": inputs.decoder_documents + 1}
        (scores,) = self._session.run(None, {name: value.numpy() for name, value in given.items()})
        return torch.from_numpy(scores)

    def scores(self, ids: Tensor) -> Tensor:
        """The scores for rows of one document each; of an encoder-decoder, both halves read it."""
        documents = torch.zeros_like(ids)
        both = (ids, documents) if len(self._session.get_inputs()) > 2 else ()
        return self.run(Inputs(ids, documents, None, *both))
