"""The decoder: Qwen3's architecture (arXiv 2505.09388), with the names of its weights in HF transformers.

RMSNorm before attention and MLP, rotary positions (RoPE, arXiv 2104.09864), grouped queries, RMSNorm of queries and
keys, SwiGLU, no biases, and the embedding used again as output head, as in Qwen3's models up to 4B.  So the state dict
is a Qwen3ForCausalLM's: export to HF is a config.json and no conversion of weights.

Differences from Qwen3's released sizes: head_dim is width / heads, the MLP is three times as wide as the model, and
RoPE's base is 10,000, which suits rows of a few thousand tokens.

A token attends to the tokens before it in its own document; a boundary token begins its document.  `document_mask`
makes the mask once a step and `attend` uses it, with two backends: a boolean mask for SDPA (any device), and a block
mask for flex_attention on CUDA, which skips blocks that are all masked (its backward does not exist on CPU, and
importing it costs a CPU run a third of torch's own import, so that is done where it is used).
"""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self, TypeAlias

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

if TYPE_CHECKING:
    from torch.nn.attention.flex_attention import BlockMask


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelConfig:
    """The decoder's shape; the names are those of HF's Qwen3Config."""

    vocab_size: int
    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int
    num_attention_heads: int
    num_key_value_heads: int
    head_dim: int
    max_position_embeddings: int  # tokens a row
    rms_norm_eps: float = 1e-6
    rope_theta: float = 10_000.0

    def to_hf(self, boundary: int) -> dict[str, Any]:
        """The content of config.json, for this model and HF transformers."""
        return {
            "architectures": ["Qwen3ForCausalLM"],
            "model_type": "qwen3",
            **asdict(self),
            "attention_bias": False,
            "hidden_act": "silu",
            "tie_word_embeddings": True,
            "bos_token_id": boundary,
            "eos_token_id": boundary,
            "dtype": "float32",
        }

    @classmethod
    def from_hf(cls, data: dict[str, Any]) -> Self:
        """The shape in a config.json that `to_hf` wrote."""
        return cls(**{name: data[name] for name in cls.__dataclass_fields__})


Mask: TypeAlias = "Tensor | BlockMask | None"


def document_mask(ids: Tensor, boundary: int) -> Mask:
    """Which tokens attend to which: those before them in their document.  ids: (rows, tokens)."""
    documents = (ids == boundary).cumsum(1)
    rows, n = ids.shape

    if ids.device.type == "cuda":
        from torch.nn.attention.flex_attention import create_block_mask

        def visible(row: Tensor, head: Tensor, query: Tensor, key: Tensor) -> Tensor:
            return (query >= key) & (documents[row, query] == documents[row, key])

        return create_block_mask(visible, rows, None, n, n, device=str(ids.device))
    same = documents[:, None, :, None] == documents[:, None, None, :]
    return same & torch.ones(n, n, dtype=torch.bool, device=ids.device).tril()


def attend(q: Tensor, k: Tensor, v: Tensor, mask: Mask) -> Tensor:
    """Scaled dot-product attention.  q: (rows, heads, tokens, head_dim); k, v: with kv_heads and any more tokens.

    Without a mask, the queries are the last tokens of one document: each sees every key up to its own.
    """
    if mask is not None and not isinstance(mask, Tensor):
        from torch.nn.attention.flex_attention import flex_attention

        out = flex_attention(q, k, v, block_mask=mask, enable_gqa=True)
        assert isinstance(out, Tensor)
        return out
    if mask is None and q.shape[2] > 1:
        ones = torch.ones(q.shape[2], k.shape[2], dtype=torch.bool, device=q.device)
        mask = ones.tril(k.shape[2] - q.shape[2])
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask, enable_gqa=True)


class Cache:
    """Keys and values of the tokens seen so far in generation; `max_tokens` of them at most, the newest."""

    def __init__(self, config: ModelConfig) -> None:
        self.seen = 0
        self._max_tokens = config.max_position_embeddings
        self._layers: list[tuple[Tensor, Tensor] | None] = [None] * config.num_hidden_layers

    def extend(self, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """All keys and values of a layer, these included.  k, v: (rows, kv_heads, tokens, head_dim)."""
        before = self._layers[layer]
        if before is not None:
            k, v = torch.cat([before[0], k], 2), torch.cat([before[1], v], 2)
        kept = k[:, :, -self._max_tokens :], v[:, :, -self._max_tokens :]
        self._layers[layer] = kept
        return kept


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn each pair (i, i + head_dim / 2) by its token's angle.  x: (rows, heads, tokens, head_dim)."""
    first, second = x.chunk(2, -1)
    return x * cos + torch.cat([-second, first], -1) * sin


class Attention(nn.Module):
    """Causal attention with grouped queries, RoPE and normed queries and keys."""

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
        """(rows, tokens, width) -> the same."""
        rows, n, _ = x.shape
        q, k, v = (
            proj(x).view(rows, n, -1, self.head_dim).transpose(1, 2) for proj in (self.q_proj, self.k_proj, self.v_proj)
        )
        q, k = rotate(self.q_norm(q.float()), *turn), rotate(self.k_norm(k.float()), *turn)
        q, k = q.to(v.dtype), k.to(v.dtype)  # bfloat16 under autocast, but normed and turned in float32
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
        """(..., width) -> the same."""
        out: Tensor = self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))
        return out


class Layer(nn.Module):
    """Attention, then MLP, each normed before and added to the stream."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.self_attn = Attention(config)
        self.mlp = MLP(config)
        self.input_layernorm = nn.RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.post_attention_layernorm = nn.RMSNorm(config.hidden_size, config.rms_norm_eps)

    def forward(self, x: Tensor, turn: tuple[Tensor, Tensor], mask: Mask, cache: Cache | None, layer: int) -> Tensor:
        """(rows, tokens, width) -> the same."""
        x = x + self.self_attn(self.input_layernorm(x), turn, mask, cache, layer)
        out: Tensor = x + self.mlp(self.post_attention_layernorm(x))
        return out


class Backbone(nn.Module):
    """Everything but the output head."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.num_hidden_layers))
        self.norm = nn.RMSNorm(config.hidden_size, config.rms_norm_eps)


class Decoder(nn.Module):
    """A language model: token ids -> scores of the next token."""

    def __init__(self, config: ModelConfig, generator: torch.Generator | None = None) -> None:
        """Weights are drawn from `generator` (else torch's own): every layer starts as the identity."""
        super().__init__()
        self.config = config
        self.model = Backbone(config)
        nn.init.normal_(self.model.embed_tokens.weight, std=0.02, generator=generator)
        for name, weight in self.model.layers.named_parameters():
            if name.endswith(("o_proj.weight", "down_proj.weight")):
                nn.init.zeros_(weight)
            elif weight.ndim == 2:
                nn.init.normal_(weight, std=weight.shape[1] ** -0.5, generator=generator)

    def forward(self, ids: Tensor, mask: Mask = None, cache: Cache | None = None) -> Tensor:
        """Token ids (rows, tokens) -> scores (rows, tokens, vocab_size); a cache has the tokens before."""
        x = self.model.embed_tokens(ids)
        turn = self._angles(cache.seen if cache else 0, ids.shape[1], ids.device)
        for index, layer in enumerate(self.model.layers):
            x = layer(x, turn, mask, cache, index)
        if cache is not None:
            cache.seen += ids.shape[1]
        return F.linear(self.model.norm(x), self.model.embed_tokens.weight)

    def loss(self, rows: Tensor, mask: Mask, reduction: str = "mean") -> Tensor:
        """Cross-entropy in nats of each row's next tokens.  rows: (n, tokens + 1); mask: of the first `tokens`."""
        scores = self(rows[:, :-1], mask).flatten(0, 1).float()
        return F.cross_entropy(scores, rows[:, 1:].flatten(), reduction=reduction)

    def _angles(self, start: int, n: int, device: torch.device) -> tuple[Tensor, Tensor]:
        """Cosine and sine of RoPE's angles at positions start to start + n: (n, head_dim) each."""
        d = self.config.head_dim
        frequency = self.config.rope_theta ** (-torch.arange(0, d, 2, device=device, dtype=torch.float32) / d)
        angle = torch.arange(start, start + n, device=device, dtype=torch.float32)[:, None] * frequency
        angle = torch.cat([angle, angle], -1)
        return angle.cos(), angle.sin()
