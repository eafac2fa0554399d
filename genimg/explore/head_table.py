"""What each head of an image GPT is like, measured over many of its drawings.

Shape letters: L layers, H heads of each, N tokens of a picture, and as many positions that predict
one: the class token and all tokens but the last; B drawings at a time.
"""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from genimg.models.attention import Capture
from genimg.models.image_gpt import ImageGpt
from genimg.models.surgery import Surgery

_BATCH = 50


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class HeadTable:
    """Figures of every head, float32 (L, H) each, averages over drawings and positions.

    Attributes:
        effect: how much less likely the drawings become without the head, in nats per token. They
            are drawn without guidance, so it estimates how far the model without the head is from
            the whole one (the Kullback-Leibler divergence); below 0 only by chance.
        distance: how far away the patches are that it looks at, from the one that is predicted,
            weighted by its attention; 1 is the width of a patch.
        entropy: of its attention, in nats.
        class_share: of its attention, on the class token, 0 to 1.
    """

    effect: np.ndarray
    distance: np.ndarray
    entropy: np.ndarray
    class_share: np.ndarray

    def rows(self) -> list[dict[str, Any]]:
        """Return {"layer", "head"} and the figures of every head, as a card keeps them."""
        named = [(field.name, getattr(self, field.name)) for field in fields(self)]
        return [
            {"layer": layer, "head": head}
            | {name: round(float(figures[layer, head]), 4) for name, figures in named}
            for layer, head in np.ndindex(self.effect.shape)
        ]


@torch.inference_mode()
def head_table(prior: ImageGpt, tokens: Tensor, labels: Tensor) -> HeadTable:
    """Return the figures of every head of a model.

    Args:
        tokens: its own drawings, int64 (M, N), on its device.
        labels: their classes, int64 (M,), likewise.
    """
    away = _distances(prior)  # (N, N)
    sums: dict[str, Tensor] = {}
    for part, classes in zip(tokens.split(_BATCH), labels.split(_BATCH), strict=True):
        found = _looks(prior, part, classes, away) | {"effect": _effects(prior, part, classes)}
        sums = {name: figures + sums.get(name, 0) for name, figures in found.items()}
    places = tokens.numel()
    return HeadTable(
        effect=_array(sums["effect"] / places),
        distance=_array(sums["far"] / sums["on_patches"].clamp(min=1e-12)),
        entropy=_array(sums["entropy"] / places),
        class_share=_array(sums["on_class"] / places),
    )


def _looks(prior: ImageGpt, tokens: Tensor, labels: Tensor, away: Tensor) -> dict[str, Tensor]:
    """Return sums over drawings (B, N) and positions, of each head, float64 (L, H)."""
    capture = Capture()
    prior(tokens[:, :-1], labels, capture=capture)
    found: dict[str, list[Tensor]] = {"far": [], "on_patches": [], "entropy": [], "on_class": []}
    for layer in range(prior.config.layers):
        weights = capture.weights(layer).cpu().double()  # (B, H, N, N)
        found["far"].append((weights * away).sum(dim=(0, 2, 3)))
        found["on_patches"].append(weights[..., 1:].sum(dim=(0, 2, 3)))
        found["entropy"].append(torch.special.entr(weights).sum(dim=(0, 2, 3)))
        found["on_class"].append(weights[..., 0].sum(dim=(0, 2)))
    return {name: torch.stack(figures) for name, figures in found.items()}


def _effects(prior: ImageGpt, tokens: Tensor, labels: Tensor) -> Tensor:
    """Return by how many nats each head's absence makes the drawings less likely, (L, H)."""
    nothing = torch.zeros(1, device=tokens.device).expand(prior.num_tokens, prior.num_tokens)
    whole = _loss(prior, tokens, labels)
    config = prior.config
    effects = [
        _loss(prior, tokens, labels, Surgery(maps={(layer, head): nothing})) - whole
        for layer in range(config.layers)
        for head in range(config.heads)
    ]
    return torch.stack(effects).view(config.layers, config.heads)


def _loss(
    prior: ImageGpt, tokens: Tensor, labels: Tensor, surgery: Surgery | None = None
) -> Tensor:
    """Return -log p of all tokens together, float64 ()."""
    logits = prior(tokens[:, :-1], labels, surgery=surgery).float()
    return F.cross_entropy(logits.mT, tokens, reduction="none").cpu().double().sum()


def _distances(prior: ImageGpt) -> Tensor:
    """Return how far the patch that position q predicts is from that of position k, (N, N).

    The class token, position 0, is no patch: it has 0.
    """
    places = prior.layout.coordinates()[1:].double()  # (N, 2)
    between = torch.cdist(places, places)  # of tokens; position k holds token k - 1
    return F.pad(between[:, :-1], (1, 0))


def _array(figures: Tensor) -> np.ndarray:
    return figures.float().numpy()
