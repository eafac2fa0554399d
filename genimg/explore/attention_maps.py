"""Attention as numbers: who looks at whom in one pass of a Transformer, and what comes of it.

Every number is computed from the queries, keys and values that the layers really used, with their
own scale and mask (see `genimg.models.attention.Capture`).

Shape letters: T tokens of the sequence, S <= T tokens that went through (the last token of a
drawing predicts nothing and is left out), H heads, D width of one head, C width of the model.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from genimg.explore.arguments import require_index
from genimg.models.attention import Capture
from genimg.models.transformer import Transformer


class AttentionMaps:
    """What the attention of one pass over one sequence can tell.

    Positions count from 0: the class token, then registers, then patches in raster order.

    Attributes:
        layout: what each of the T positions is.
        layers: number of layers.
        heads: number of heads in each.
    """

    def __init__(self, capture: Capture, transformer: Transformer) -> None:
        """Take what `capture` received, with its values, while `transformer` read one sequence."""
        self._capture = capture
        blocks: list[Any] = [*transformer.blocks]
        self._projections = [block.attention.output.weight for block in blocks]
        self._residual = 0.5 if blocks[0].residual else 0.0
        assert capture.layout is not None  # the model has set it
        self.layout = capture.layout
        self.layers = len(blocks)
        self.heads = blocks[0].attention.heads

    def attention(self, layer: int, head: int, query: int) -> np.ndarray:
        """Return how much a token looks at each token, float32 (T,); sums to 1.

        Tokens it may not look at have exactly 0.

        Raises:
            ValueError: there is no such layer, head or query.
        """
        self._check(layer, query, head)
        return self._padded(self._capture.weights(layer, head, query)[0].cpu())

    def contribution(self, layer: int, head: int, query: int) -> np.ndarray:
        """Return how much each token adds to a token through one head, float32 (T,).

        It is the length of `parts`: a weight alone says nothing about tokens whose value is short
        (Kobayashi et al. 2020, arXiv 2004.10102, section 3).

        Raises:
            ValueError: there is no such layer, head or query.
        """
        return self.attention(layer, head, query) * self.value_lengths()[layer, head]

    def parts(self, layer: int, head: int, query: int) -> np.ndarray:
        """Return what each token adds to a token through one head, float32 (T, C).

        Its attention weight times its value times the head's part of the output projection. The
        sum over tokens and heads is what the layer's attention returns for this token.

        Raises:
            ValueError: there is no such layer, head or query.
        """
        weights = self.attention(layer, head, query)  # (T,)
        vectors = self._projected_values(layer)[head]  # (S, C)
        return weights[:, None] * np.pad(vectors, ((0, len(weights) - len(vectors)), (0, 0)))

    def value_lengths(self) -> np.ndarray:
        """Return the length of each token's value after each head's output projection.

        Returns:
            float32 (layers, H, T); times `attention` it is the `contribution`.
        """
        vectors = np.stack([self._projected_values(layer) for layer in range(self.layers)])
        return self._padded(torch.from_numpy(np.linalg.norm(vectors, axis=-1)))

    def all_heads(self, query: int) -> np.ndarray:
        """Return `attention` of every head of every layer, float32 (layers, H, T)."""
        self._check(0, query)
        rows = [self._capture.weights(layer, None, query)[0] for layer in range(self.layers)]
        return self._padded(torch.stack(rows).cpu())

    def all_queries(self) -> np.ndarray:
        """Return `all_heads` of every query, float32 (layers, H, S, T)."""
        return self._padded(torch.stack(list(self._weights())))

    def entropy(self, layer: int, head: int, query: int) -> float:
        """Return the entropy of `attention` in nats: 0 for one token, log(n) for n evenly."""
        return float(entropy(self.attention(layer, head, query)))

    def rollout(self, query: int) -> np.ndarray:
        """Return the attention rollout of a token, float32 (T,); sums to 1. See `rollout`."""
        self._check(0, query)
        return self.all_rollouts()[query]

    def all_rollouts(self) -> np.ndarray:
        """Return `rollout` of every query, float32 (S, T)."""
        return self._padded(rollout(self._weights(), self._residual))

    def stages(self, layer: int, head: int, query: int) -> dict[str, np.ndarray]:
        """Return scaled dot-product attention of one token in one head, step by step.

        Returns:
            float32 arrays, in the order of the computation:
            `query` (D,) and `keys` (S, D), after their normalisation and rotation;
            `dot_products` (S,) = keys @ query;
            `scale` () and `scaled` (S,) = dot_products * scale;
            `mask` (S,), 1 = may look at, and `masked` (S,) = scaled, or -inf where the mask is 0;
            `weights` (S,) = softmax(masked);
            `values` (S, D) and `output` (D,) = weights @ values;
            `projection` (C, D), this head's part of the output projection, and
            `projected` (C,) = projection @ output: what the head adds. The sum over all heads is
            what the layer's attention returns for this token.

        Raises:
            ValueError: there is no such layer, head or query.
        """
        self._check(layer, query, head)
        weights = self._capture.weights(layer, head, query)[0].cpu()  # (S,)
        record = self._capture.layer(layer)
        q, keys = _plain(record.queries[0, head, query]), _plain(record.keys[0, head])
        assert record.values is not None  # the capture was told to keep them
        values = _plain(record.values[0, head])  # (S, D)
        mask = torch.ones(len(keys)) if record.mask is None else _plain(record.mask[query])
        dot_products = keys @ q  # (S,)
        scaled = dot_products * record.scale
        output = weights @ values  # (D,)
        width = len(q)
        projection = _plain(self._projections[layer][:, head * width : (head + 1) * width])
        stages = {
            "query": q,
            "keys": keys,
            "dot_products": dot_products,
            "scale": torch.tensor(record.scale, dtype=torch.float32),
            "scaled": scaled,
            "mask": mask,
            "masked": scaled.masked_fill(mask == 0, -torch.inf),
            "weights": weights,
            "values": values,
            "output": output,
            "projection": projection,
            "projected": projection @ output,
        }
        return {name: stage.numpy() for name, stage in stages.items()}

    def _projected_values(self, layer: int) -> np.ndarray:
        """Return each token's value after each head's part of the output projection, (H, S, C)."""
        values = self._capture.layer(layer).values
        assert values is not None  # the capture was told to keep them
        projection = _plain(self._projections[layer]).unflatten(1, (self.heads, -1))  # (C, H, D)
        return torch.einsum("hsd,chd->hsc", _plain(values[0]), projection).numpy()

    def _weights(self) -> Iterator[Tensor]:
        """Yield the attention (H, S, S) of each layer; one alone of a long sequence is large."""
        for layer in range(self.layers):
            yield self._capture.weights(layer)[0].cpu()

    def _check(self, layer: int, query: int, head: int = 0) -> None:
        require_index("layer", layer, self.layers)
        require_index("head", head, self.heads)
        require_index("query", query, self._capture.layer(layer).queries.shape[2])

    def _padded(self, rows: Tensor) -> np.ndarray:
        """Return rows (..., S) with 0 for the tokens that did not go through, (..., T)."""
        return F.pad(rows, (0, self.layout.length - rows.shape[-1])).numpy()


def _plain(tensor: Tensor) -> Tensor:
    """Return what a model computed with, on whatever device, as float32 on the CPU."""
    return tensor.float().cpu()


def entropy(weights: np.ndarray) -> np.ndarray:
    """Return the entropy in nats of distributions (..., T), float64 (...)."""
    return torch.special.entr(torch.from_numpy(weights).double()).sum(dim=-1).numpy()


def rollout(weights: Iterable[Tensor], residual: float = 0.5) -> Tensor:
    """Follow attention through all layers (Abnar and Zuidema 2020, arXiv 2005.00928, section 3).

    Each layer is taken as the average of its heads, mixed with the identity for the residual
    connection around it; the layers are multiplied, the last one on the left.

    Args:
        weights: attention (H, S, S) of each layer, the first layer first; rows sum to 1.
        residual: share of the identity, 0 to 1; 0 where a model has no residual connections.

    Returns:
        (S, S); rows sum to 1.
    """
    flow = None
    for layer in weights:
        identity = torch.eye(layer.shape[-1], dtype=layer.dtype)
        mixed = (1 - residual) * layer.mean(dim=0) + residual * identity
        flow = mixed if flow is None else mixed @ flow
    assert flow is not None  # no Transformer is without a layer
    return flow


def gradient_relevance(weights: Sequence[Tensor], gradients: Sequence[Tensor]) -> Tensor:
    """Return the relevance of each token for each token (Chefer et al. 2021, arXiv 2103.15679).

    Equation 5: the average over heads of the positive part of gradient times attention. Equation
    6: R <- R + that @ R, beginning with the identity at the first layer.

    Args:
        weights: attention (H, S, S) of each layer, the first layer first.
        gradients: of the class's logit by these weights, likewise.

    Returns:
        (S, S), not negative; row i tells what went into token i.
    """
    relevance = torch.eye(weights[0].shape[-1], dtype=weights[0].dtype)
    for layer, gradient in zip(weights, gradients, strict=True):
        relevance = relevance + (gradient * layer).clamp(min=0).mean(dim=0) @ relevance
    return relevance
