"""The units of a generator: what each finds, and changing it while a picture is made.

A unit is a channel of a hidden layer, and where the layer is an image, a small image itself. Bau et
al., "GAN Dissection" (2019, arXiv 1811.10597), switch units off, or set them in a region, to see
what they are for. Nothing is done to the weights: a call takes the changes, and nobody else sees
them.

Shapes: B batch, U units of a layer, h x w its pixels.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor, nn

Place = tuple[int, int]
"""A unit: its layer and its number there, both from 0."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Alterations:
    """What is done to units while a picture is made: each becomes `factor * unit + added`.

    Attributes:
        factors, added: by unit, a tensor that broadcasts to what the unit finds: (B, h, w), or (B,)
            in a layer that is no image. What is not named stays as it is, to the last bit.
    """

    factors: Mapping[Place, Tensor] = field(default_factory=dict)
    added: Mapping[Place, Tensor] = field(default_factory=dict)

    def of(self, layer: int, x: Tensor) -> Tensor:
        """Return what a layer passes on, where `x` (B, U, h, w) or (B, U) is what it found."""
        units = {unit for place, unit in (*self.factors, *self.added) if place == layer}
        if not units:
            return x
        x = x.clone()  # in the same memory format
        for unit in units:
            if (layer, unit) in self.factors:
                x[:, unit] = x[:, unit] * self.factors[layer, unit].to(x)
            if (layer, unit) in self.added:
                x[:, unit] = x[:, unit] + self.added[layer, unit].to(x)
        return x


def passed_on(
    layer: int,
    x: Tensor,
    capture: dict[str, Tensor] | None,
    alterations: Alterations | None,
) -> Tensor:
    """Return what layer number `layer` passes on of what it found, `x`, and capture it."""
    if alterations is not None:
        x = alterations.of(layer, x)
    if capture is not None:
        capture[f"layer{layer}"] = x
    return x


def through(
    body: nn.Sequential,
    x: Tensor,
    capture: dict[str, Tensor] | None = None,
    alterations: Alterations | None = None,
) -> Tensor:
    """Return what `body` makes of x; each of its activations ends a layer."""
    layer = 0
    for module in body:
        x = module(x)
        if isinstance(module, (nn.ReLU, nn.LeakyReLU)):
            x = passed_on(layer, x, capture, alterations)
            layer += 1
    return x
