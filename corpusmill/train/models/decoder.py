"""The decoder: Qwen3's architecture (arXiv 2505.09388), with the names of its weights in HF transformers.

It has RMSNorm before attention and MLP, rotary positions (RoPE, arXiv 2104.09864), grouped queries, RMSNorm of queries
and keys, SwiGLU, and no biases.  The embedding is also the output head, as in Qwen3's models up to 4B.  So the state
dict is that of a Qwen3ForCausalLM: export to HF needs a config.json and no conversion of weights.

There are three differences from Qwen3's released sizes: head_dim is width / heads, the MLP is three times as wide as
the model, and RoPE's base is 10,000, which suits rows of a few thousand tokens.
"""

from dataclasses import asdict, dataclass
from typing import Any, Self

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from corpusmill.train.attention import Mask, angles, attend, document_mask, rotate
from corpusmill.train.batch import Inputs, Model, Scored, draw_weights
from corpusmill.train.cache import Cache
from corpusmill.train.settings import DecoderSettings


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelConfig:
    """The decoder's shape, with the names of HF's Qwen3Config."""

    vocab_size: int
    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int
    num_attention_heads: int
    num_key_value_heads: int
    head_dim: int
    max_position_embeddings: int  # tokens per row
    rms_norm_eps: float = 1e-6
    rope_theta: float = 10_000.0
    tie_word_embeddings: bool = True

    @classmethod
    def of(cls, settings: DecoderSettings, vocab_size: int, row_length: int) -> Self:
        """The shape that the settings describe."""
        return cls(
            vocab_size=vocab_size,
            hidden_size=settings.width,
            intermediate_size=3 * settings.width,
            num_hidden_layers=settings.layers,
            num_attention_heads=settings.heads,
            num_key_value_heads=settings.kv_heads,
            head_dim=settings.width // settings.heads,
            max_position_embeddings=row_length,
            tie_word_embeddings=settings.tied_embeddings,
        )

    def to_hf(self, boundary: int) -> dict[str, Any]:
        """The content of config.json, for this model and HF transformers."""
        return {
            "architectures": ["Qwen3ForCausalLM"],
            "model_type": "qwen3",
            **asdict(self),
            "attention_bias": False,
            "hidden_act": "silu",
            "bos_token_id": boundary,
            "eos_token_id": boundary,
            "dtype": "float32",
        }

    @classmethod
    def from_hf(cls, data: dict[str, Any]) -> Self:
        """The shape from a config.json that `to_hf` wrote."""
        return cls(**{name: data[name] for name in cls.__dataclass_fields__})


class Attention(nn.Module):
    """Causal attention with grouped queries, RoPE, and normalised queries and keys."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        d = self.head_dim = config.head_dim
        width, heads, kv_heads = config.hidden_size, config.num_attention_heads, config.num_key_value_heads
        self.q_proj = nn.Linear(width, heads * d, bias=False)
        self.k_proj = nn.Linear(width, kv_heads * d, bias=False)
        self.v_proj = nn.Linear(width, kv_heads * d, bias=False)
        self.o_proj = nn.Linear(heads * d, width, bias=False)
        self.q_norm = nn.RMSNorm(d, config.rms_norm_eps)
        self.k_norm = nn.RMSNorm(d, config.rms_norm_eps)

    def forward(self, x: Tensor, turn: tuple[Tensor, Tensor], mask: Mask, cache: Cache | None, layer: int) -> Tensor:
        """(rows, tokens, width) -> the same shape."""
        rows, n, _ = x.shape
        q, k, v = (
            proj(x).view(rows, n, -1, self.head_dim).transpose(1, 2) for proj in (self.q_proj, self.k_proj, self.v_proj)
        )
        q, k = rotate(self.q_norm(q.float()), *turn), rotate(self.k_norm(k.float()), *turn)
        q, k = q.to(v.dtype), k.to(v.dtype)  # bfloat16 under autocast, but normalised and rotated in float32
        if cache is not None:
            k, v = cache.extend(layer, k, v)
        out: Tensor = self.o_proj(attend(q, k, v, mask).transpose(1, 2).reshape(rows, n, -1))
        return out


class MLP(nn.Module):
    """SwiGLU."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(config.hidden_size, config.intermediate_size, bias=False)
        self.up_proj = nn.Linear(config.hidden_size, config.intermediate_size, bias=False)
        self.down_proj = nn.Linear(config.intermediate_size, config.hidden_size, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(..., width) -> the same shape."""
        out: Tensor = self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))
        return out


class Layer(nn.Module):
    """Attention, then MLP.  The input of each is normalised, and its output is added to the residual stream."""

    def __init__(self, config: ModelConfig, dropout: float = 0.0) -> None:
        super().__init__()
        self.self_attn = Attention(config)
        self.mlp = MLP(config)
        self.dropout = nn.Dropout(dropout)
        self.input_layernorm = nn.RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.post_attention_layernorm = nn.RMSNorm(config.hidden_size, config.rms_norm_eps)

    def forward(self, x: Tensor, turn: tuple[Tensor, Tensor], mask: Mask, cache: Cache | None, layer: int) -> Tensor:
        """(rows, tokens, width) -> the same shape."""
        x = x + self.dropout(self.self_attn(self.input_layernorm(x), turn, mask, cache, layer))
        out: Tensor = x + self.dropout(self.mlp(self.post_attention_layernorm(x)))
        return out


class Backbone(nn.Module):
    """All layers except the output head."""

    def __init__(self, config: ModelConfig, dropout: float = 0.0) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.ModuleList(Layer(config, dropout) for _ in range(config.num_hidden_layers))
        self.norm = nn.RMSNorm(config.hidden_size, config.rms_norm_eps)


class Decoder(Model):
    """A language model: token ids -> scores of the next token."""

    def __init__(self, config: ModelConfig, generator: torch.Generator | None = None, dropout: float = 0.0) -> None:
        """Draw weights from `generator`, or from torch's own.  Every layer starts as the identity."""
        super().__init__()
        self.config = config
        self.model = Backbone(config, dropout)
        nn.init.normal_(self.model.embed_tokens.weight, std=0.02, generator=generator)
        draw_weights(self.model.layers, generator, zero=("o_proj.weight", "down_proj.weight"))
        if not config.tie_word_embeddings:
            self.lm_head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
            nn.init.normal_(self.lm_head.weight, std=0.02, generator=generator)

    def prepare(self, inputs: Inputs) -> tuple[Tensor, Mask]:
        """Token ids, and the mask of their documents."""
        return inputs.ids, document_mask(inputs.documents, causal=True)

    def hidden(self, ids: Tensor, mask: Mask = None, cache: Cache | None = None) -> Tensor:
        """Token ids (rows, tokens) -> (rows, tokens, width); a cache holds the earlier tokens."""
        x = self.model.dropout(self.model.embed_tokens(ids))
        config = self.config
        if cache is None:
            turn = angles(0, ids.shape[1], config.head_dim, config.rope_theta, ids.device)
        else:
            turn = cache.angles(config.head_dim, config.rope_theta)
        for index, layer in enumerate(self.model.layers):
            x = layer(x, turn, mask, cache, index)
        out: Tensor = self.model.norm(x)
        return out

    def forward(self, ids: Tensor, mask: Mask = None, cache: Cache | None = None) -> Tensor:
        """Token ids (rows, tokens) -> scores (rows, tokens, vocab_size); a cache holds the earlier tokens."""
        return self._scores(self.hidden(ids, mask, cache))

    def heads(self, ids: Tensor, mask: Mask = None) -> tuple[Scored]:
        """The last layer's output at every token, and the output head."""
        return ((self.hidden(ids, mask), self._scores),)

    def _scores(self, x: Tensor) -> Tensor:
        head = self.model.embed_tokens if self.config.tie_word_embeddings else self.lm_head
        return F.linear(x, head.weight)

    def config_json(self, boundary: int) -> dict[str, Any]:
        """The content of config.json."""
        return self.config.to_hf(boundary)

    def _looked_up(self, name: str) -> bool:
        return name == "model.embed_tokens.weight" and not self.config.tie_word_embeddings

    def _attention_flops(self, row_length: int) -> float:
        config = self.config  # forward and backward: 12 for each pair of positions, half of which are seen
        return 6.0 * config.num_hidden_layers * config.num_attention_heads * config.head_dim * row_length
