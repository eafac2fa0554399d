"""Taking an image GPT apart: a drawing made again without some of its parts.

Shape letters: L layers, H heads of each, N tokens of a picture, and as many positions that predict
one: the class token and all tokens but the last.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from genimg.checks import shown
from genimg.explore.arguments import require_index
from genimg.explore.drawn import Drawing, token_losses
from genimg.explore.presenting import card, large, line, png
from genimg.models.attention import Capture, KeyValueCache
from genimg.models.image_gpt import MOST_MASKED, ImageGpt
from genimg.models.sampling import draw_tokens
from genimg.models.surgery import Place, Surgery
from genimg.randomness import generator

Treatment = Literal["off", "uniform", "mean"] | int
"""What is done to a head.

"off": it finds nothing; "uniform": it looks equally at all that it may see; "mean": it looks where
it looks on average, whatever the picture; a number: it looks where that head of its layer looks.
"""

_AVERAGED = 16  # pictures
_AVERAGED_LONG = 4  # of more than 256 tokens: they take seconds, and their maps much memory


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Ablation:
    """A drawing made again from the same random numbers, by its model without some of its parts.

    Attributes:
        image: uint8 (H, W, C).
        tokens: int64 (N,).
        losses: float32 (N,), -log p in nats that the changed model gives each token of the first
            drawing, given the class and the tokens before it.
        whole: float32 (N,), the same for the whole model.
    """

    image: np.ndarray
    tokens: np.ndarray
    losses: np.ndarray
    whole: np.ndarray

    @property
    def change(self) -> float:
        """How much less likely the first drawing has become, in nats per token; below 0, more."""
        return float((self.losses - self.whole).mean())

    def __repr__(self) -> str:
        return line("Ablation", self._facts())

    def _repr_html_(self) -> str:
        return card("Ablation", self._facts(), large(self.image))

    def _repr_png_(self) -> bytes | None:
        return png(large(self.image))

    def _facts(self) -> dict[str, str]:
        return {"change": f"{self.change:+.3f} nats per token"}


class ChangedPrior:
    """An image GPT under surgery, which draws like any other (`genimg.models.sampling.Prior`)."""

    def __init__(self, prior: ImageGpt, surgery: Surgery) -> None:
        self.num_tokens, self.unconditional = prior.num_tokens, prior.unconditional
        self._prior, self._surgery = prior, surgery

    def __call__(
        self,
        tokens: Tensor,
        labels: Tensor,
        *,
        cache: KeyValueCache | None = None,
    ) -> Tensor:
        """Return the logits, as `ImageGpt.forward` does."""
        return self._prior(tokens, labels, cache=cache, surgery=self._surgery)


@torch.inference_mode()
def ablate(drawing: Drawing, prior: ImageGpt, surgery: Surgery) -> Ablation:
    """Make a drawing of `prior` again under surgery."""
    changed = ChangedPrior(prior, surgery)
    tokens = drawing.again(changed).cpu()  # (1, N)
    device = next(prior.parameters()).device
    read = (
        torch.from_numpy(drawing.tokens)[None, :-1].to(device),  # (1, N - 1)
        torch.tensor([drawing.label], device=device),
    )
    return Ablation(
        image=drawing.decode(tokens)[0],
        tokens=tokens[0].numpy(),
        losses=token_losses(changed(*read)[0], drawing.tokens),
        whole=token_losses(prior(*read)[0], drawing.tokens),  # as it is now: it may have moved
    )


def surgery_of(
    prior: ImageGpt,
    heads: Mapping[Place, Treatment] | None,
    feed_forwards: Collection[int],
    averages: Callable[[], Tensor],
) -> Surgery:
    """Return what is to be done to a model.

    Args:
        heads: by (layer, head).
        feed_forwards: layers.
        averages: returns the `average_maps` of the model.

    Raises:
        ValueError: there is no such layer, head or treatment; one sentence.
    """
    config = prior.config
    maps: dict[Place, Tensor] = {}
    borrowed: dict[Place, int] = {}
    visible = prior.visible().float()  # (N, N)
    for (layer, head), treatment in _items(heads):
        require_index("layer", layer, config.layers)
        require_index("head", head, config.heads)
        if not isinstance(treatment, str):
            require_index("the head to look as", treatment, config.heads)
            borrowed[layer, head] = int(treatment)
        elif treatment == "off":
            maps[layer, head] = torch.zeros_like(visible)
        elif treatment == "uniform":
            maps[layer, head] = visible / visible.sum(dim=1, keepdim=True)
        elif treatment == "mean":
            maps[layer, head] = averages()[layer, head]
        else:
            raise ValueError(
                "a head can be 'off', 'uniform', 'mean' or the number of another head of its"
                f" layer, not {shown(treatment)}"
            )
    return Surgery(
        maps=maps, borrowed=borrowed, feed_forwards_off=_layers(feed_forwards, config.layers)
    )


@torch.inference_mode()
def average_maps(prior: ImageGpt) -> Tensor:
    """Return where each head looks on average over drawings of several classes, (L, H, N, N)."""
    device = next(prior.parameters()).device
    count = _AVERAGED if prior.num_tokens <= MOST_MASKED else _AVERAGED_LONG
    spread = torch.linspace(0, prior.config.classes - 1, count, device=device)
    labels = spread.round().long()
    uniforms = torch.rand(count, prior.num_tokens, generator=generator(0, "averages", 0))
    tokens = draw_tokens(prior, labels, uniforms.to(device))
    capture = Capture()
    prior(tokens[:, :-1], labels, capture=capture)
    layers = range(prior.config.layers)
    return torch.stack([capture.weights(layer).mean(dim=0) for layer in layers])


def _items(heads: Any) -> list[tuple[Place, Any]]:
    items = list(heads.items()) if isinstance(heads, Mapping) else []
    if heads is not None and not isinstance(heads, Mapping):
        raise ValueError(f"heads must be a dict {{(layer, head): treatment}}, not {shown(heads)}")
    for place, _ in items:
        if not isinstance(place, tuple) or len(place) != 2:
            raise ValueError(f"a head is (layer, head), two whole numbers, not {shown(place)}")
    return items


def _layers(layers: Any, count: int) -> frozenset[int]:
    try:
        chosen = list(layers)
    except TypeError:
        raise ValueError(f"feed_forwards must be a list of layers, not {shown(layers)}") from None
    for layer in chosen:
        require_index("layer", layer, count)
    return frozenset(int(layer) for layer in chosen)
