"""Changing a Transformer while it computes: what is a head or a feed-forward network good for?

Nothing is done to the weights. Heads taken away one by one: Michel et al., "Are Sixteen
Heads Really Better than One?" (arXiv 1905.10650).

Shape letters: B batch, T tokens that look (queries), S tokens looked at, H heads, D width of a
head.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch.nn.functional as F
from torch import Tensor

Place = tuple[int, int]
"""A head: its layer and its number there, both from 0."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Surgery:
    """What is done to the parts of a Transformer; pass it as `surgery=` to a model.

    Attributes:
        maps: by head, the attention that it uses instead of its own, float (N, N) over all N
            positions of the sequence; row q is how much position q looks at each. Zeros switch the
            head off.
        borrowed: by head, another head of its layer, whose attention it uses.
        feed_forwards_off: layers whose feed-forward network adds nothing.
    """

    maps: Mapping[Place, Tensor] = field(default_factory=dict)
    borrowed: Mapping[Place, int] = field(default_factory=dict)
    feed_forwards_off: frozenset[int] = frozenset()

    def heads(
        self,
        layer: int,
        outputs: Tensor,
        *,
        queries: Tensor,
        keys: Tensor,
        values: Tensor,
        mask: Tensor | None,
        scale: float,
    ) -> Tensor:
        """Return what the heads of a layer find after it, (B, H, T, D); called by the layer.

        Args:
            outputs: (B, H, T, D), what they found by themselves.
            queries: (B, H, T, D), those of the last T positions.
            keys, values: (B, H, S, D).
            mask: bool (T, S), True = may look at; None: everything.
            scale: what the layer multiplies dot products by.
        """
        asked, seen = queries.shape[2], keys.shape[2]
        found = outputs.clone()
        for (place, head), weights in self.maps.items():
            if place == layer:
                rows = weights[seen - asked : seen, :seen].to(values)  # (T, S)
                found[:, head] = rows @ values[:, head]
        for (place, head), other in self.borrowed.items():
            if place == layer:
                q, k, v = queries[:, other], keys[:, other], values[:, head]  # (B, S, D)
                y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, scale=scale)
                found[:, head] = y
        return found
