"""Masks for self-attention: which token may look at which.

A mask is boolean (T, T) with True = the token of this row may look at the token of this column,
as `F.scaled_dot_product_attention` has it; `nn.MultiheadAttention` means the opposite. In every
mask a token sees itself, so that no row of weights is empty.
"""

import torch
from torch import Tensor


def causal_mask(length: int, device: torch.device | None = None) -> Tensor:
    """Return a bool (length, length) mask: each token sees itself and what came before."""
    return torch.ones(length, length, dtype=torch.bool, device=device).tril()


def sliding_window_mask(
    length: int, window: int, global_tokens: int = 0, device: torch.device | None = None
) -> Tensor:
    """Return a bool mask: each token sees those at most `window` positions away, on both sides.

    The first `global_tokens` see everything and are seen by everyone (Longformer, arXiv
    2004.05150, section 3.1). Combine it with `causal_mask` by `&` for a window that looks back.
    """
    position = torch.arange(length, device=device)
    mask = (position[:, None] - position[None, :]).abs() <= window  # (T, T)
    mask[:global_tokens] = True
    mask[:, :global_tokens] = True
    return mask
