"""What a model remembers of the tokens that it has read, so that generation reads each token once."""

import torch
from torch import Tensor

from corpusmill.train.attention import angles_at


class Cache:
    """Keys and values of the newest `max_tokens` tokens of each row.

    All rows end at the same place.  A shorter row begins with padding, which no token of text sees.  A token sees the
    tokens at most `max_tokens` - 1 before it, and itself.  So beyond `max_tokens`, the scores are those of a model that
    reads everything again with this window.

    `place` is called before the model reads tokens; the model then calls `angles` once and `extend` in every layer.
    """

    def __init__(self, rows: int, max_tokens: int, device: torch.device) -> None:
        self._max_tokens = max_tokens
        self._positions = torch.zeros(rows, 0, dtype=torch.int64, device=device)  # of kept tokens; -1 for padding
        self._next = torch.zeros(rows, 1, dtype=torch.int64, device=device)
        self._new = self._positions  # of the tokens that are being read
        self._layers: dict[int, tuple[Tensor, Tensor]] = {}

    def place(self, real: Tensor) -> Tensor:
        """Give the next tokens their positions, and return their mask for `attend`.

        real: (rows, tokens), false for padding -> (rows, 1, tokens, kept tokens and these)
        """
        self._new = torch.where(real, self._next + real.cumsum(1) - 1, -1)
        self._next = self._next + real.sum(1, keepdim=True)
        positions = torch.cat([self._positions, self._new], 1)
        self._positions = positions[:, -self._max_tokens :]
        ago = self._new[:, None, :, None] - positions[:, None, None, :]
        same = (self._new < 0)[:, None, :, None] == (positions < 0)[:, None, None, :]
        return same & (ago >= 0) & (ago < self._max_tokens)

    def angles(self, head_dim: int, theta: float) -> tuple[Tensor, Tensor]:
        """Cosine and sine of RoPE's angles of the tokens that are being read: (rows, 1, tokens, head_dim) each."""
        return angles_at(self._new[:, None].clamp(min=0), head_dim, theta)

    def extend(self, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values of a layer, kept and new ones.  k, v: (rows, kv_heads, tokens, head_dim)."""
        if layer in self._layers:
            before_k, before_v = self._layers[layer]
            k, v = torch.cat([before_k, k], 2), torch.cat([before_v, v], 2)
        self._layers[layer] = k[:, :, -self._max_tokens :], v[:, :, -self._max_tokens :]
        return k, v

    def select(self, rows: Tensor) -> None:
        """Keep these rows, in this order; a row may be taken more than once."""
        self._positions, self._next = self._positions[rows], self._next[rows]
        self._layers = {layer: (k[rows], v[rows]) for layer, (k, v) in self._layers.items()}
