"""Every kind of model that writes text, behind one interface: read tokens, give scores of the next one.

A reader remembers what it has read: keys and values, the encoder's keys and values, or the state of an LSTM.  So each
token is read once.  `corpusmill.train.cache` says what happens beyond the row length.
"""

from collections.abc import Sequence
from typing import Protocol

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from corpusmill.errors import InputError
from corpusmill.train.attention import Mask
from corpusmill.train.cache import Cache
from corpusmill.train.models.decoder import Decoder
from corpusmill.train.models.encoder_decoder import EncoderDecoder
from corpusmill.train.models.lstm import Lstm, State
from corpusmill.train.trained import Trained


class Reader(Protocol):
    """A model in the middle of several texts, one per row."""

    def read(self, ids: Tensor, real: Tensor) -> Tensor:
        """Read the next tokens of each row.

        ids, real: (rows, tokens); `real` is false for padding, which stands before the first token of a row
        Returns the scores of the token after them: (rows, vocab_size).
        """

    def select(self, rows: Tensor) -> None:
        """Keep these rows, in this order; a row may be taken more than once."""


class DecoderReader:
    """A decoder with its keys and values."""

    def __init__(self, model: Decoder, rows: int, device: torch.device) -> None:
        self._model, self._cache = model, Cache(rows, model.config.max_position_embeddings, device)

    def read(self, ids: Tensor, real: Tensor) -> Tensor:
        """As in `Reader`."""
        last = self._model.hidden(ids, self._cache.place(real), self._cache)[:, -1]
        model = self._model
        head = model.model.embed_tokens if model.config.tie_word_embeddings else model.lm_head
        return F.linear(last, head.weight)

    def select(self, rows: Tensor) -> None:
        """As in `Reader`."""
        self._cache.select(rows)


class EncoderDecoderReader:
    """The decoder of an encoder-decoder, with its keys and values and those of the encoder."""

    def __init__(self, model: EncoderDecoder, sources: Tensor, real: Tensor) -> None:
        """Let the encoder read its sources: (rows, tokens) each; `real` is false for padding before a source."""
        self._model = model
        self._cache = Cache(len(sources), model.config.max_position_embeddings, sources.device)
        self._real = real
        within: Mask = real[:, None, :, None] == real[:, None, None, :]
        self._keys = model.keys(model.encode(sources, within, (~real).sum(1)))

    def read(self, ids: Tensor, real: Tensor) -> Tensor:
        """As in `Reader`."""
        across: Mask = self._real[:, None, None, :] & real[:, None, :, None]
        last = self._model.decode(ids, self._keys, self._cache.place(real), across, self._cache)[:, -1]
        return F.linear(last, self._model.embed_tokens.weight)

    def select(self, rows: Tensor) -> None:
        """As in `Reader`."""
        self._cache.select(rows)
        self._real = self._real[rows]
        self._keys = [(k[rows], v[rows]) for k, v in self._keys]


class LstmReader:
    """An LSTM with its state, and the keys and values of its attention."""

    def __init__(self, model: Lstm, rows: int, device: torch.device) -> None:
        self._model, self._cache = model, Cache(rows, model.row_length, device)
        self._state: State | None = None

    def read(self, ids: Tensor, real: Tensor) -> Tensor:
        """As in `Reader`."""
        x, self._state = self._model.read(ids, real, self._cache.place(real), self._cache, self._state)
        return F.linear(x[:, -1], self._model.embed_tokens.weight)

    def select(self, rows: Tensor) -> None:
        """As in `Reader`."""
        self._cache.select(rows)
        if self._state is not None:
            hidden, cell = self._state
            self._state = hidden[:, rows].contiguous(), cell[:, rows].contiguous()


def begin(trained: Trained, prompts: Sequence[Sequence[int]]) -> tuple[Reader, Tensor]:
    """A reader that has read prompts, and the scores of the next token: (rows, vocab_size).

    The prompts of an encoder-decoder are what its encoder reads; of other models, the newest `row_length` tokens of a
    prompt count.  InputError if the model writes no text.
    """
    model, device = trained.model, trained.device
    if isinstance(model, EncoderDecoder):
        reader: Reader = EncoderDecoderReader(model, *padded(prompts, trained.boundary, device))
        prompts = [[trained.boundary]] * len(prompts)
    elif isinstance(model, Decoder):
        reader = DecoderReader(model, len(prompts), device)
    elif isinstance(model, Lstm):
        reader = LstmReader(model, len(prompts), device)
    else:
        raise InputError(
            f"{trained.folder}: a model of the kind '{trained.kind}' continues no text; see 'corpusmill fill'"
        )
    return reader, reader.read(*padded([ids[-trained.row_length :] for ids in prompts], trained.boundary, device))


def padded(rows: Sequence[Sequence[int]], filler: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Rows of ids that end at the same place, and where the ids are: (rows, longest row) each."""
    width = max(map(len, rows))
    ids = torch.tensor([[*[filler] * (width - len(row)), *row] for row in rows], device=device)
    sizes = torch.tensor([len(row) for row in rows], device=device)
    return ids, torch.arange(width, device=device) >= width - sizes[:, None]
