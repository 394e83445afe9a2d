"""Pretrained models with the output layer of a task, and the names that HF transformers gives to them.

    encoder            ModernBertFor...: mean of the tokens, the pretrained head, a linear layer
    decoder            Qwen3For...: the last token, a linear layer
    encoder-decoder    its encoder alone: mean of the tokens, a linear layer
    lstm               the last token, a linear layer

A model scores whole texts or every token.  transformers loads the first two with equal scores.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from corpusmill.train.attention import document_mask
from corpusmill.train.batch import Inputs, Model
from corpusmill.train.models.decoder import Decoder, ModelConfig
from corpusmill.train.models.encoder import Encoder
from corpusmill.train.models.encoder_decoder import EncoderDecoder
from corpusmill.train.models.lstm import Lstm
from corpusmill.train.settings import EncoderDecoderSettings, EncoderSettings, LstmSettings

ENDINGS = {"classification": "SequenceClassification", "tokens": "TokenClassification"}
ENDINGS["question-answering"] = "QuestionAnswering"
TASK = "corpusmill_task"  # the key of config.json


class Headed(Model):
    """A model whose output layer scores classes: (rows, 1, classes) of texts, or (rows, tokens, classes)."""

    architecture: str | None = None  # the beginning of the name of transformers' class; None: it has no such model
    output: str  # the name of the output layer
    prefixes: dict[str, str] = {}  # of names of weights here, and in transformers
    task: str

    def prepare(self, inputs: Inputs) -> tuple[Any, ...]:
        """Which tokens are real, and what the pretrained model needs."""
        return inputs.documents >= 0, *super().prepare(inputs)

    def forward(self, real: Tensor, *arguments: Any) -> Tensor:
        """The scores of each class."""
        x = self.hidden(*arguments)
        if self.task == "classification":
            x = self.pooled(x, real)[:, None]
        scores: Tensor = getattr(self, self.output)(self.before_output(x))
        return scores

    def pooled(self, x: Tensor, real: Tensor) -> Tensor:
        """The mean of a text's tokens: (rows, tokens, width), (rows, tokens) -> (rows, width)."""
        return mean_of(x, real)

    def before_output(self, x: Tensor) -> Tensor:
        """What stands between the last layer and the output layer."""
        return x

    def config_json(self, boundary: int) -> dict[str, Any]:
        """The content of config.json."""
        config = {**super().config_json(boundary), TASK: self.task}
        if self.architecture is not None:
            config["architectures"] = [f"{self.architecture}For{ENDINGS[self.task]}"]
        return config


def mean_of(x: Tensor, real: Tensor) -> Tensor:
    """The mean over real tokens: (rows, tokens, width), (rows, tokens) -> (rows, width)."""
    weights = real[..., None].to(x.dtype)
    return (x * weights).sum(1) / weights.sum(1)


def last_of(x: Tensor, real: Tensor) -> Tensor:
    """The last real token: (rows, tokens, width), (rows, tokens) -> (rows, width)."""
    return x[torch.arange(len(x), device=x.device), real.sum(1) - 1]


class HeadedEncoder(Headed, Encoder):  # type: ignore[misc]  # its forward returns one tensor of scores
    """ModernBertForSequenceClassification, ...ForTokenClassification, ...ForQuestionAnswering."""

    architecture, output = "ModernBert", "classifier"

    def __init__(self, task: str, classes: int, settings: EncoderSettings, vocab_size: int, row_length: int) -> None:
        super().__init__(settings, vocab_size, row_length)
        self.task = task
        del self.decoder
        self.classifier = nn.Linear(settings.width, classes)

    def before_output(self, x: Tensor) -> Tensor:
        """The pretrained head."""
        out: Tensor = self.head(x)
        return out

    def config_json(self, boundary: int) -> dict[str, Any]:
        """The content of config.json."""
        return {**super().config_json(boundary), "classifier_pooling": "mean"}


class HeadedDecoder(Headed, Decoder):
    """Qwen3ForSequenceClassification, ...ForTokenClassification, ...ForQuestionAnswering."""

    architecture = "Qwen3"

    def __init__(self, task: str, classes: int, config: ModelConfig, dropout: float) -> None:
        super().__init__(config, dropout=dropout)
        self.task, self.output = task, "score" if task != "question-answering" else "qa_outputs"
        if task == "question-answering":
            self.prefixes = {"model.": "transformer."}
        if not config.tie_word_embeddings:
            del self.lm_head
        setattr(self, self.output, nn.Linear(config.hidden_size, classes, bias=task != "classification"))

    def pooled(self, x: Tensor, real: Tensor) -> Tensor:
        """The last token, which has seen the others."""
        return last_of(x, real)


class HeadedEncoderDecoder(Headed, EncoderDecoder):
    """The encoder of an encoder-decoder, with an output layer."""

    output = "score"

    def __init__(self, task: str, classes: int, settings: EncoderDecoderSettings, vocab_size: int, row: int) -> None:
        super().__init__(settings, vocab_size, row)
        self.task = task
        del self.decoder
        self.score = nn.Linear(settings.width, classes)

    def prepare(self, inputs: Inputs) -> tuple[Any, ...]:
        """Which tokens are real, their ids, and the mask of the encoder."""
        return inputs.documents >= 0, inputs.ids, document_mask(inputs.documents)

    def hidden(self, *arguments: Any) -> Tensor:
        """What the encoder makes of its tokens."""
        return self.encode(*arguments)


class HeadedLstm(Headed, Lstm):
    """An LSTM with an output layer."""

    output = "score"

    def __init__(self, task: str, classes: int, settings: LstmSettings, vocab_size: int, row_length: int) -> None:
        super().__init__(settings, vocab_size, row_length)
        self.task = task
        self.score = nn.Linear(settings.width, classes)

    def pooled(self, x: Tensor, real: Tensor) -> Tensor:
        """The last token, which has seen the others."""
        return last_of(x, real)


class VectorEncoder(Encoder):
    """An encoder whose output is the mean of the last layer's tokens: the vector of a text."""

    def prepare(self, inputs: Inputs) -> tuple[Any, ...]:
        """Which tokens are real, and what the encoder needs."""
        return inputs.documents >= 0, *super().prepare(inputs)

    def forward(self, real: Tensor, *arguments: Any) -> Tensor:  # type: ignore[override]
        """The vectors: (rows, width)."""
        return mean_of(self.hidden(*arguments), real)


def headed(task: str, classes: int, base: Model, size: int, row_length: int, dropout: float) -> Headed:
    """A model of the base's kind with an output layer, with weights that are still to be replaced."""
    if isinstance(base, Encoder):
        return HeadedEncoder(task, classes, _with(base.settings, dropout), size, row_length)
    if isinstance(base, Decoder):
        return HeadedDecoder(task, classes, resized(base.config, size), dropout)
    if isinstance(base, EncoderDecoder):
        return HeadedEncoderDecoder(task, classes, _with(base.settings, dropout), size, row_length)
    assert isinstance(base, Lstm)
    lstm = HeadedLstm(task, classes, _with(base.settings, dropout), size, row_length)
    lstm.scale = base.scale
    return lstm


def plain(base: Model, size: int, row_length: int, dropout: float) -> Model:
    """A model of the same kind as the base, which writes text, or makes vectors."""
    if isinstance(base, Encoder):
        return VectorEncoder(_with(base.settings, dropout), size, row_length)
    if isinstance(base, Decoder):
        return Decoder(resized(base.config, size), dropout=dropout)
    assert isinstance(base, EncoderDecoder)
    return EncoderDecoder(_with(base.settings, dropout), size, row_length)


_Settings = TypeVar("_Settings", EncoderSettings, EncoderDecoderSettings, LstmSettings)


def _with(settings: _Settings, dropout: float) -> _Settings:
    return settings.model_copy(update={"dropout": dropout})


def resized(config: ModelConfig, size: int) -> ModelConfig:
    """The shape with another number of tokens."""
    return replace(config, vocab_size=size)


def take_weights(model: Model, base: Mapping[str, Tensor], seed: int) -> None:
    """Give a model the pretrained weights, and draw those that are new: the output layer, rows of new tokens."""
    random = torch.Generator().manual_seed(seed)
    own = model.state_dict()
    for name, weight in own.items():
        old = base.get(name)
        if old is None:
            drawn = torch.randn(weight.shape, generator=random) * 0.02
            own[name] = drawn if weight.ndim == 2 else torch.zeros_like(weight)
        elif old.shape == weight.shape:
            own[name] = old
        else:  # an embedding with new tokens, or an output layer for them
            new = torch.randn((len(weight) - len(old), *old.shape[1:]), generator=random) * 0.02
            own[name] = torch.cat([old, new if old.ndim == 2 else torch.zeros_like(new)])
    model.load_state_dict(own)


def renamed(weights: Mapping[str, Tensor], prefixes: Mapping[str, str]) -> dict[str, Tensor]:
    """The weights with other beginnings of their names."""

    def name_of(name: str) -> str:
        return next((new + name.removeprefix(old) for old, new in prefixes.items() if name.startswith(old)), name)

    return {name_of(name): weight for name, weight in weights.items()}
