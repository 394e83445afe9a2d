"""The encoder-decoder: layers of the decoder in both halves, and cross-attention in the second.

The encoder's layers see their document in both directions.  The decoder's layers see the earlier tokens of their
document, then what the encoder made of the same document, and then comes the MLP.  Both halves and the output share one
embedding.  Positions are rotary within each half.  Cross-attention has none, as in T5 (arXiv 1910.10683).
"""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from corpusmill.train.attention import Mask, angles, angles_at, attend, document_mask
from corpusmill.train.batch import Inputs, Model, Scored, draw_weights
from corpusmill.train.cache import Cache
from corpusmill.train.models.decoder import MLP, Attention, Layer, ModelConfig
from corpusmill.train.settings import DecoderSettings, EncoderDecoderSettings


class CrossAttention(Attention):
    """Attention of the decoder's tokens to those of the encoder, with normalised queries and keys."""

    def keys(self, memory: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values of the encoder's tokens: (rows, tokens, width) -> (rows, kv_heads, tokens, head_dim) each."""
        rows, n, _ = memory.shape
        k, v = (proj(memory).view(rows, n, -1, self.head_dim).transpose(1, 2) for proj in (self.k_proj, self.v_proj))
        return self.k_norm(k.float()).to(v.dtype), v

    def cross(self, x: Tensor, keys: tuple[Tensor, Tensor], mask: Mask) -> Tensor:
        """(rows, tokens, width), the encoder's keys and values -> the shape of the first."""
        rows, n, _ = x.shape
        k, v = keys
        q = self.q_proj(x).view(rows, n, -1, self.head_dim).transpose(1, 2)
        out: Tensor = self.o_proj(
            attend(self.q_norm(q.float()).to(v.dtype), k, v, mask).transpose(1, 2).reshape(rows, n, -1)
        )
        return out


class CrossLayer(nn.Module):
    """Attention, cross-attention, MLP."""

    def __init__(self, config: ModelConfig, dropout: float) -> None:
        super().__init__()
        self.self_attn, self.cross_attn, self.mlp = Attention(config), CrossAttention(config), MLP(config)
        self.input_layernorm, self.cross_layernorm, self.post_attention_layernorm = (
            nn.RMSNorm(config.hidden_size, config.rms_norm_eps) for _ in range(3)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(
        self,
        x: Tensor,
        turn: tuple[Tensor, Tensor],
        mask: Mask,
        memory: Tensor | tuple[Tensor, Tensor],
        across: Mask,
        cache: Cache | None,
        index: int,
    ) -> Tensor:
        """(rows, tokens, width) -> the same shape; `memory` is the encoder's last layer, or what `keys` makes of it."""
        keys = self.cross_attn.keys(memory) if isinstance(memory, Tensor) else memory
        x = x + self.dropout(self.self_attn(self.input_layernorm(x), turn, mask, cache, index))
        x = x + self.dropout(self.cross_attn.cross(self.cross_layernorm(x), keys, across))
        out: Tensor = x + self.dropout(self.mlp(self.post_attention_layernorm(x)))
        return out


class Half(nn.Module):
    """The layers of the encoder or of the decoder, and the last norm."""

    def __init__(self, layers: Sequence[nn.Module], config: ModelConfig) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.norm = nn.RMSNorm(config.hidden_size, config.rms_norm_eps)


class EncoderDecoder(Model):
    """A model of two token sequences: those that it reads, and those that it writes."""

    def __init__(
        self,
        settings: EncoderDecoderSettings,
        vocab_size: int,
        row_length: int,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.settings = settings
        shape = DecoderSettings(
            layers=settings.layers, width=settings.width, heads=settings.heads, kv_heads=settings.kv_heads
        )
        self.config = ModelConfig.of(shape, vocab_size, row_length)
        n, dropout = settings.layers, settings.dropout
        self.embed_tokens = nn.Embedding(vocab_size, settings.width)
        self.encoder = Half([Layer(self.config, dropout) for _ in range(n)], self.config)
        self.decoder = Half([CrossLayer(self.config, dropout) for _ in range(n)], self.config)
        self.dropout = nn.Dropout(dropout)
        nn.init.normal_(self.embed_tokens.weight, std=0.02, generator=generator)
        for half in (self.encoder, self.decoder):
            draw_weights(half, generator, zero=("o_proj.weight", "down_proj.weight"))

    def prepare(self, inputs: Inputs) -> tuple[Tensor, Tensor, Mask, Mask, Mask]:
        """Ids of both halves; masks of the encoder, of the decoder, and between them."""
        assert inputs.decoder_ids is not None
        assert inputs.decoder_documents is not None
        return (
            inputs.ids,
            inputs.decoder_ids,
            document_mask(inputs.documents),
            document_mask(inputs.decoder_documents, causal=True),
            document_mask(inputs.decoder_documents, inputs.documents),
        )

    def encode(self, ids: Tensor, within: Mask, first: Tensor | None = None) -> Tensor:
        """What the encoder makes of its tokens: (rows, tokens) -> (rows, tokens, width).

        first: (rows), the place of each row's first token, if padding stands before it
        """
        x = self.dropout(self.embed_tokens(ids))
        head_dim, theta, n = self.config.head_dim, self.config.rope_theta, ids.shape[1]
        if first is None:
            turn = angles(0, n, head_dim, theta, ids.device)
        else:
            turn = angles_at(torch.arange(n, device=ids.device) - first[:, None, None], head_dim, theta)
        for index, layer in enumerate(self.encoder.layers):
            x = layer(x, turn, within, None, index)
        out: Tensor = self.encoder.norm(x)
        return out

    def keys(self, memory: Tensor) -> list[tuple[Tensor, Tensor]]:
        """What each layer of the decoder attends to, from the encoder's last layer (rows, tokens, width).

        For generation, which needs it for many calls of `decode`.
        """
        attentions: list[Any] = [layer.cross_attn for layer in self.decoder.layers]
        return [attention.keys(memory) for attention in attentions]

    def decode(
        self,
        ids: Tensor,
        memory: Tensor | list[tuple[Tensor, Tensor]],
        causal: Mask,
        across: Mask,
        cache: Cache | None = None,
    ) -> Tensor:
        """The decoder's last layer: (rows, tokens) -> (rows, tokens, width); a cache holds the earlier tokens.

        `memory` is the encoder's last layer.  Each layer makes its keys of it, because its weights may be in shards
        outside of its own call.  It may also be what `keys` returns.
        """
        x = self.dropout(self.embed_tokens(ids))
        head_dim, theta = self.config.head_dim, self.config.rope_theta
        turn = angles(0, ids.shape[1], head_dim, theta, ids.device) if cache is None else cache.angles(head_dim, theta)
        for index, layer in enumerate(self.decoder.layers):
            x = layer(x, turn, causal, memory if isinstance(memory, Tensor) else memory[index], across, cache, index)
        out: Tensor = self.decoder.norm(x)
        return out

    def hidden(self, ids: Tensor, decoder_ids: Tensor, within: Mask, causal: Mask, across: Mask) -> Tensor:
        """The decoder's last layer: (rows, tokens of the decoder, width)."""
        return self.decode(decoder_ids, self.encode(ids, within), causal, across)

    def forward(self, ids: Tensor, decoder_ids: Tensor, within: Mask, causal: Mask, across: Mask) -> Tensor:
        """Scores of the decoder's next tokens: (rows, tokens of the decoder, vocab_size)."""
        return self._scores(self.hidden(ids, decoder_ids, within, causal, across))

    def heads(self, *arguments: Any) -> tuple[Scored]:
        """The decoder's last layer at every token, and the output head."""
        return ((self.hidden(*arguments), self._scores),)

    def _scores(self, x: Tensor) -> Tensor:
        return F.linear(x, self.embed_tokens.weight)

    def config_json(self, boundary: int) -> dict[str, Any]:
        """The content of config.json.  HF transformers has no such model."""
        return {
            "model_type": "corpusmill-encoder-decoder",
            "settings": self.settings.model_dump(mode="json"),
            "vocab_size": self.config.vocab_size,
            "max_position_embeddings": self.config.max_position_embeddings,
            "bos_token_id": boundary,
            "eos_token_id": boundary,
        }

    def _attention_flops(self, row_length: int) -> float:
        return (
            12.0 * self.settings.layers * self.settings.width * row_length
        )  # of the encoder, which is the longer half
