"""An LSTM language model (torch's nn.LSTM), with and without attention: the baseline at equal compute.

The state is reset at the beginning of every document: each document of a row is a sequence of its own, and torch runs
them together as a packed sequence.  So the work is that of the tokens, and nothing passes from document to document.

With attention, an output is added to a weighted mean of the earlier outputs of its document (after Luong et al. 2015).
The embedding is also the output head.  Its vectors have a length of about 1, which suits the head.  They are multiplied
by the root of the width before the LSTM reads them, so that the gates see numbers of about 1.  Without that, training
stays at the loss of a unigram model for 100 to 300 steps.
"""

from typing import Any, TypeAlias

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

from corpusmill.train.attention import Mask, attend, document_mask
from corpusmill.train.batch import Inputs, Model, Scored
from corpusmill.train.cache import Cache
from corpusmill.train.settings import LstmSettings

State: TypeAlias = tuple[Tensor, Tensor]  # of each layer and row: (layers, rows, width) each


class Attention(nn.Module):
    """Attention of one head to outputs of the LSTM.  It needs no positions, because the LSTM knows the order."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.q_proj, self.k_proj, self.v_proj, self.o_proj = (nn.Linear(width, width, bias=False) for _ in range(4))

    def forward(self, x: Tensor, mask: Mask, cache: Cache | None = None) -> Tensor:
        """(rows, tokens, width) -> the same shape; a cache holds the earlier tokens."""
        q, k, v = (proj(x)[:, None] for proj in (self.q_proj, self.k_proj, self.v_proj))
        if cache is not None:
            k, v = cache.extend(0, k, v)
        out: Tensor = self.o_proj(attend(q, k, v, mask)[:, 0])
        return out


class Lstm(Model):
    """A language model: token ids -> scores of the next token."""

    compiles = False  # torch.compile cannot see into nn.LSTM

    def __init__(
        self, settings: LstmSettings, vocab_size: int, row_length: int, generator: torch.Generator | None = None
    ) -> None:
        super().__init__()
        self.settings, self.vocab_size, self.row_length = settings, vocab_size, row_length
        self.scale = settings.width**0.5  # of the embedding, when it is read
        width, between = settings.width, settings.dropout if settings.layers > 1 else 0.0
        self.embed_tokens = nn.Embedding(vocab_size, width)
        self.lstm = nn.LSTM(width, width, settings.layers, batch_first=True, dropout=between)
        self.attention = Attention(width) if settings.attention else None
        self.norm = nn.RMSNorm(width, 1e-6)
        self.dropout = nn.Dropout(settings.dropout)
        for name, weight in self.named_parameters():
            if weight.ndim == 2:
                nn.init.normal_(weight, std=width**-0.5, generator=generator)
            elif name.startswith("lstm.bias_ih"):  # the order is input, forget, cell, output; it begins by remembering
                with torch.no_grad():
                    weight.zero_()[width : 2 * width] = 1.0
            elif name.startswith("lstm.bias_hh"):
                nn.init.zeros_(weight)
        if self.attention is not None:
            nn.init.zeros_(self.attention.o_proj.weight)

    def prepare(self, inputs: Inputs) -> tuple[Tensor, list[int], Mask]:
        """Token ids, the number of tokens of each document in each row, one after another, and the mask."""
        first = torch.ones_like(inputs.documents, dtype=torch.bool)
        first[:, 1:] = inputs.documents[:, 1:] != inputs.documents[:, :-1]
        starts = first.flatten().nonzero().flatten().tolist()
        sizes = [end - start for start, end in zip(starts, [*starts[1:], first.numel()], strict=True)]
        return inputs.ids, sizes, document_mask(inputs.documents, causal=True) if self.attention is not None else None

    def hidden(self, ids: Tensor, sizes: list[int], mask: Mask = None) -> Tensor:
        """Token ids (rows, tokens) -> (rows, tokens, width)."""
        x = self.dropout(self.embed_tokens(ids) * self.scale)
        padded = pad_sequence(x.flatten(0, 1).split(sizes), batch_first=True)
        packed = pack_padded_sequence(padded, torch.tensor(sizes), batch_first=True, enforce_sorted=False)
        out, _ = pad_packed_sequence(self.lstm(packed)[0], batch_first=True)
        real = torch.arange(out.shape[1], device=ids.device) < torch.tensor(sizes, device=ids.device)[:, None]
        x = out[real].view(x.shape)
        if self.attention is not None:
            x = x + self.attention(x, mask)
        last: Tensor = self.dropout(self.norm(x))
        return last

    def read(self, ids: Tensor, real: Tensor, mask: Mask, cache: Cache, state: State | None) -> tuple[Tensor, State]:
        """The last layer of the newest tokens, and the state after them: for generation.

        ids, real: (rows, tokens); padding, where `real` is false, stands before the text of a row
        state: what the call for the earlier tokens has returned; None at the beginning
        Returns (rows, tokens, width), where padding has zeros before the attention, and the state.
        """
        x, sizes = self.embed_tokens(ids) * self.scale, real.sum(1)
        padded = pad_sequence(x[real].split(sizes.tolist()), batch_first=True)
        packed = pack_padded_sequence(padded, sizes.cpu(), batch_first=True, enforce_sorted=False)
        packed_out, state = self.lstm(packed, state)
        out, _ = pad_packed_sequence(packed_out, batch_first=True)
        x = torch.zeros_like(x)
        x[real] = out[torch.arange(out.shape[1], device=ids.device) < sizes[:, None]]
        if self.attention is not None:
            x = x + self.attention(x, mask, cache)
        last: Tensor = self.norm(x)
        assert state is not None
        return last, state

    def forward(self, ids: Tensor, sizes: list[int], mask: Mask = None) -> Tensor:
        """Token ids (rows, tokens) -> scores (rows, tokens, vocab_size)."""
        return self._scores(self.hidden(ids, sizes, mask))

    def heads(self, ids: Tensor, sizes: list[int], mask: Mask = None) -> tuple[Scored]:
        """The last layer's output at every token, and the output head."""
        return ((self.hidden(ids, sizes, mask), self._scores),)

    def _scores(self, x: Tensor) -> Tensor:
        return F.linear(x, self.embed_tokens.weight)

    def config_json(self, boundary: int) -> dict[str, Any]:
        """The content of config.json.  HF transformers has no such model."""
        return {
            "model_type": "corpusmill-lstm",
            "embedding_scale": self.scale,
            "settings": self.settings.model_dump(mode="json"),
            "vocab_size": self.vocab_size,
            "max_position_embeddings": self.row_length,
            "bos_token_id": boundary,
            "eos_token_id": boundary,
        }

    def _attention_flops(self, row_length: int) -> float:
        return 6.0 * self.settings.width * row_length if self.attention is not None else 0.0
