"""Attention within documents, and rotary positions: what the models share.

Several documents stand in one row.  A token attends only to tokens of its own document.  `document_mask` makes the mask
once per step and `attend` uses it.  There are two backends:

- a boolean mask for SDPA, on any device;
- a block mask for flex_attention on CUDA, which skips blocks that are masked completely.  Its backward pass does not
  exist on CPU.  Its import takes a third of torch's own import time, so it is imported only where it is used.

A token of padding has the document -1.  It attends to padding, and no other token attends to it.
"""

from typing import TYPE_CHECKING, TypeAlias

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

if TYPE_CHECKING:
    from torch.nn.attention.flex_attention import BlockMask

Mask: TypeAlias = "Tensor | BlockMask | None"


def document_mask(
    documents: Tensor, keys: Tensor | None = None, *, causal: bool = False, window: int | None = None
) -> Mask:
    """Which tokens attend to which.

    documents: (rows, tokens), the number of each token's document
    keys: (rows, other tokens), if the tokens attend to another sequence (cross-attention)
    causal: a token does not see later tokens
    window: a token sees only tokens at most this far away
    """
    others = documents if keys is None else keys
    make = _block_mask if documents.device.type == "cuda" else _boolean_mask
    return make(documents, others, causal, window)


def _boolean_mask(documents: Tensor, others: Tensor, causal: bool, window: int | None) -> Tensor:
    """For SDPA: (rows, 1, tokens, other tokens)."""
    mask = documents[:, None, :, None] == others[:, None, None, :]
    near = torch.ones(documents.shape[1], others.shape[1], dtype=torch.bool, device=documents.device)
    if causal:
        near = near.tril()
    if window is not None:
        near = near.tril(window).triu(-window)
    return mask & near


def _block_mask(documents: Tensor, others: Tensor, causal: bool, window: int | None) -> "BlockMask":
    """For flex_attention."""
    from torch.nn.attention.flex_attention import create_block_mask

    def visible(row: Tensor, head: Tensor, query: Tensor, key: Tensor) -> Tensor:
        seen = documents[row, query] == others[row, key]
        if causal:
            seen = seen & (query >= key)
        if window is not None:
            seen = seen & ((query - key).abs() <= window)
        return seen

    rows, n = documents.shape
    return create_block_mask(visible, rows, None, n, others.shape[1], device=str(documents.device))


def attend(q: Tensor, k: Tensor, v: Tensor, mask: Mask) -> Tensor:
    """Scaled dot-product attention.

    q: (rows, heads, tokens, head_dim)
    k, v: with kv_heads instead of heads, and any number of tokens

    A token whose mask is empty gets zeros.  Without a mask, the queries are the last tokens of one document, and each
    sees all keys up to its own.
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


def angles(start: int, n: int, head_dim: int, theta: float, device: torch.device) -> tuple[Tensor, Tensor]:
    """Cosine and sine of RoPE's angles at positions start to start + n: (n, head_dim) each."""
    return angles_at(torch.arange(start, start + n, device=device), head_dim, theta)


def angles_at(positions: Tensor, head_dim: int, theta: float) -> tuple[Tensor, Tensor]:
    """Cosine and sine of RoPE's angles at positions (..., n): (..., n, head_dim) each."""
    frequency = theta ** (-torch.arange(0, head_dim, 2, device=positions.device, dtype=torch.float32) / head_dim)
    angle = positions.float()[..., None] * frequency
    angle = torch.cat([angle, angle], -1)
    return angle.cos(), angle.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotate each pair (i, i + head_dim / 2) by its token's angle.  x: (rows, heads, tokens, head_dim)."""
    first, second = x.chunk(2, -1)
    return x * cos + torch.cat([-second, first], -1) * sin
