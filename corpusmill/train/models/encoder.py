"""The encoder: ModernBERT's architecture (arXiv 2412.13663), with the names of its weights in HF transformers.

It has pre-normalisation with LayerNorm, rotary positions, GeGLU, and no biases except that of the output.  Every
`global_every`-th layer, from the first on, attends to the whole document.  The others attend to `window` tokens.  The
embedding is also the output head.  So the state dict is that of a ModernBertForMaskedLM.

Optionally it has a second head, `order`, which ModernBERT does not have.  It reads the boundary token of a document and
says whether the document's paragraphs stand in their order.
"""

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from corpusmill.train.attention import Mask, angles, attend, document_mask, rotate
from corpusmill.train.batch import Inputs, Model, Scored, draw_weights
from corpusmill.train.settings import EncoderSettings

EPS = 1e-5
GLOBAL_THETA, LOCAL_THETA = 160_000.0, 10_000.0


def _norm(width: int) -> nn.LayerNorm:
    return nn.LayerNorm(width, eps=EPS, bias=False)


class Attention(nn.Module):
    """Attention in both directions; queries, keys and values come from one matrix."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.Wqkv = nn.Linear(width, 3 * width, bias=False)
        self.Wo = nn.Linear(width, width, bias=False)

    def forward(self, x: Tensor, turn: tuple[Tensor, Tensor], mask: Mask) -> Tensor:
        """(rows, tokens, width) -> the same shape."""
        rows, n, width = x.shape
        q, k, v = self.Wqkv(x).view(rows, n, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        q, k = rotate(q.float(), *turn).to(v.dtype), rotate(k.float(), *turn).to(v.dtype)
        out: Tensor = self.Wo(attend(q, k, v, mask).transpose(1, 2).reshape(rows, n, width))
        return out


class MLP(nn.Module):
    """GeGLU."""

    def __init__(self, width: int) -> None:
        super().__init__()
        inner = intermediate(width)
        self.Wi = nn.Linear(width, 2 * inner, bias=False)
        self.Wo = nn.Linear(inner, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(..., width) -> the same shape."""
        value, gate = self.Wi(x).chunk(2, -1)
        out: Tensor = self.Wo(F.gelu(value) * gate)
        return out


def intermediate(width: int) -> int:
    """The inner width of the MLP: 1.5 times the width, as in ModernBERT."""
    return width * 3 // 2


class Layer(nn.Module):
    """Attention, then MLP.  The first layer's input is normalised already."""

    def __init__(self, settings: EncoderSettings, index: int) -> None:
        super().__init__()
        self.attn_norm = _norm(settings.width) if index else nn.Identity()
        self.attn = Attention(settings.width, settings.heads)
        self.mlp_norm = _norm(settings.width)
        self.mlp = MLP(settings.width)
        self.dropout = nn.Dropout(settings.dropout)

    def forward(self, x: Tensor, turn: tuple[Tensor, Tensor], mask: Mask) -> Tensor:
        """(rows, tokens, width) -> the same shape."""
        x = x + self.dropout(self.attn(self.attn_norm(x), turn, mask))
        out: Tensor = x + self.dropout(self.mlp(self.mlp_norm(x)))
        return out


class Embeddings(nn.Module):
    """Token embeddings, normalised."""

    def __init__(self, vocab_size: int, settings: EncoderSettings) -> None:
        super().__init__()
        self.tok_embeddings = nn.Embedding(vocab_size, settings.width)
        self.norm = _norm(settings.width)
        self.dropout = nn.Dropout(settings.dropout)

    def forward(self, ids: Tensor) -> Tensor:
        """(rows, tokens) -> (rows, tokens, width)."""
        out: Tensor = self.dropout(self.norm(self.tok_embeddings(ids)))
        return out


class Backbone(nn.Module):
    """All layers except the heads."""

    def __init__(self, vocab_size: int, settings: EncoderSettings) -> None:
        super().__init__()
        self.embeddings = Embeddings(vocab_size, settings)
        self.layers = nn.ModuleList(Layer(settings, index) for index in range(settings.layers))
        self.final_norm = _norm(settings.width)


class Head(nn.Module):
    """What stands between the last layer and the scores."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.dense = nn.Linear(width, width, bias=False)
        self.norm = _norm(width)

    def forward(self, x: Tensor) -> Tensor:
        """(..., width) -> the same shape."""
        out: Tensor = self.norm(F.gelu(self.dense(x)))
        return out


class Bias(nn.Module):
    """The output layer: its matrix is the embedding, so only the bias is its own."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(size))


class Encoder(Model):
    """A masked language model: token ids -> scores of the token at each place."""

    def __init__(
        self,
        settings: EncoderSettings,
        vocab_size: int,
        row_length: int,
        classes: int = 0,
        generator: torch.Generator | None = None,
    ) -> None:
        """`classes` is the number of classes of the head `order`; 0 for none."""
        super().__init__()
        self.settings, self.vocab_size, self.row_length = settings, vocab_size, row_length
        self.model = Backbone(vocab_size, settings)
        self.head = Head(settings.width)
        self.decoder = Bias(vocab_size)
        self.order = nn.Linear(settings.width, classes) if classes else None
        draw_weights(self.model.layers, generator, zero=("Wo.weight",))
        draw_weights(self.head, generator, zero=())
        nn.init.normal_(self.model.embeddings.tok_embeddings.weight, std=0.02, generator=generator)
        if self.order is not None:
            nn.init.zeros_(self.order.weight)
            nn.init.zeros_(self.order.bias)

    def _is_global(self, layer: int) -> bool:
        return layer % self.settings.global_every == 0

    def prepare(self, inputs: Inputs) -> tuple[Tensor, Mask, Mask, Tensor | None]:
        """Token ids, the masks of global and of local layers, and the places to score."""
        everywhere = document_mask(inputs.documents)
        near = document_mask(inputs.documents, window=self.settings.window // 2)
        return inputs.ids, everywhere, near, inputs.positions

    def hidden(self, ids: Tensor, everywhere: Mask, near: Mask, positions: Tensor | None = None) -> Tensor:
        """Token ids (rows, tokens) -> (rows, tokens, width).  `positions` is there for `forward` only."""
        head_dim = self.settings.width // self.settings.heads
        wide, narrow = (angles(0, ids.shape[1], head_dim, theta, ids.device) for theta in (GLOBAL_THETA, LOCAL_THETA))
        x = self.model.embeddings(ids)
        for index, layer in enumerate(self.model.layers):
            x = layer(x, wide, everywhere) if self._is_global(index) else layer(x, narrow, near)
        out: Tensor = self.model.final_norm(x)
        return out

    def forward(self, ids: Tensor, everywhere: Mask, near: Mask, positions: Tensor | None = None) -> tuple[Tensor, ...]:
        """Scores (rows, positions, vocab_size), and those of the head `order`: (rows, tokens, classes)."""
        return tuple(head(x) for x, head in self.heads(ids, everywhere, near, positions))

    def heads(self, ids: Tensor, everywhere: Mask, near: Mask, positions: Tensor | None = None) -> tuple[Scored, ...]:
        """The last layer's output at the positions, and the output head; that at every token, and the head `order`."""
        x = self.hidden(ids, everywhere, near)
        chosen = x if positions is None else x.gather(1, positions[..., None].expand(-1, -1, x.shape[2]))
        return ((chosen, self._scores),) if self.order is None else ((chosen, self._scores), (x, self.order))

    def _scores(self, x: Tensor) -> Tensor:
        return F.linear(self.head(x), self.model.embeddings.tok_embeddings.weight, self.decoder.bias)

    def config_json(self, boundary: int) -> dict[str, Any]:
        """The content of config.json, with the names of HF's ModernBertConfig."""
        settings = self.settings
        kinds = ["full_attention" if self._is_global(i) else "sliding_attention" for i in range(settings.layers)]
        return {
            "architectures": ["ModernBertForMaskedLM"],
            "model_type": "modernbert",
            "vocab_size": self.vocab_size,
            "hidden_size": settings.width,
            "intermediate_size": intermediate(settings.width),
            "num_hidden_layers": settings.layers,
            "num_attention_heads": settings.heads,
            "max_position_embeddings": self.row_length,
            "norm_eps": EPS,
            "layer_types": kinds,
            "local_attention": settings.window // 2 * 2,
            "rope_parameters": {
                "full_attention": {"rope_type": "default", "rope_theta": GLOBAL_THETA},
                "sliding_attention": {"rope_type": "default", "rope_theta": LOCAL_THETA},
            },
            "tie_word_embeddings": True,
            "pad_token_id": boundary,
            "bos_token_id": boundary,
            "cls_token_id": boundary,
            "eos_token_id": boundary,
            "sep_token_id": boundary,
            "dtype": "float32",
        }

    @staticmethod
    def settings_from(config: dict[str, Any]) -> EncoderSettings:
        """The settings of the model that wrote this config.json."""
        kinds = config["layer_types"]
        return EncoderSettings(
            layers=config["num_hidden_layers"],
            width=config["hidden_size"],
            heads=config["num_attention_heads"],
            window=max(config["local_attention"], 2),
            global_every=next((i for i, kind in enumerate(kinds) if i and kind == "full_attention"), len(kinds)),
        )

    def _attention_flops(self, row_length: int) -> float:
        seen = [row_length if self._is_global(i) else self.settings.window for i in range(self.settings.layers)]
        return 12.0 * self.settings.width * sum(min(n, row_length) for n in seen)
