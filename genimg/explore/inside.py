"""Inside a generator: what its units find in a picture, and the picture with units changed.

A unit is a channel of a hidden layer. GAN Dissection (Bau et al. 2019, arXiv 1811.10597) switches
units off, or sets them in a region, to see what they cause. Everything here is arithmetic around
one call of the generator: the model itself is never changed.

Which picture is meant is said by the arguments of `GanModel.picture` everywhere: seed, label,
truncation, directions, latents, code.

Shapes: U units of a layer, h x w its pixels.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from genimg.checks import is_whole, require_whole_number, shown
from genimg.explore.arguments import require_index
from genimg.explore.gan import GanModel
from genimg.explore.local_data import feature_net
from genimg.metrics.attributes import attribute_scores, read_outputs
from genimg.metrics.features import FeatureNet
from genimg.models.gan import LayeredGenerator
from genimg.models.mapping import MappedGenerator
from genimg.models.units import Alterations, Place
from genimg.randomness import generator
from genimg.tensors import to_uint8
from genimg.wording import Wording

Amount = float | np.ndarray
"""A number, or a map: float (h, w) over the pixels of a layer."""

_LARGEST = 1e6  # far more than any unit finds; the square of it is still a float32
_PEAK_PICTURES = 32
_BATCH = 64


@dataclass(frozen=True, slots=True)
class Layer:
    """A hidden layer of a generator.

    Attributes:
        units: how many it has.
        size: pixels a side; 0 for a layer that is no image, whose units are one number each.
    """

    units: int
    size: int


def layers_of(model: GanModel) -> list[Layer]:
    """Return the hidden layers of a model's generator, the one nearest to its code first.

    Raises:
        ValueError: the generator does not tell; that of a plug-in need not.
    """
    network = model.generator
    known = isinstance(network, (MappedGenerator, LayeredGenerator)) and network.unit_layers
    if not known:
        raise ValueError(
            Wording(
                "inside.no_layers",
                "this generator does not tell its layers (unit_layers), so nobody can look inside;"
                " choose another model",
            )
        )
    return [Layer(*each) for each in known]


def feature_maps(model: GanModel, layer: int, **picture: Any) -> np.ndarray:
    """Return what each unit of a layer finds in a picture, float32 (U, h, w); (U, 1, 1) without h.

    Args:
        layer: its number, from 0.
        picture: which picture, as for `GanModel.picture`.

    Raises:
        ValueError: there is no such layer, or as for `GanModel.picture`.
    """
    require_index("layer", layer, len(layers_of(model)))
    seen: dict[str, Tensor] = {}
    _make(model, *model.origin(**picture), capture=seen)
    return _as_images(seen[f"layer{layer}"])[0].numpy()


def peaks(model: GanModel, layer: int) -> np.ndarray:
    """Return how much each unit of a layer finds where it finds most, float32 (U,).

    It is the largest number of its map in a picture, averaged over 32 pictures, classes in turn: an
    amount to paint with.

    Args:
        layer: its number, from 0.

    Raises:
        ValueError: there is no such layer.
    """
    require_index("layer", layer, len(layers_of(model)))
    seen: dict[str, Tensor] = {}
    _make(model, *_several(model, _PEAK_PICTURES), capture=seen)
    largest = _as_images(seen[f"layer{layer}"]).amax(dim=(2, 3))  # (pictures, U)
    return largest.mean(dim=0).numpy()


def alter(
    model: GanModel,
    *,
    factors: Mapping[Place, Amount] | None = None,
    added: Mapping[Place, Amount] | None = None,
    **picture: Any,
) -> np.ndarray:
    """Return a picture with units changed, uint8 (H, W, C).

    Each becomes `factor * unit + added`. A factor of 0 switches a unit off; with a map of 0 and 1
    only in a region. `peaks` times a map of 0 and 1, added where the factor is 0, paints it in.

    Args:
        factors, added: by (layer, unit), a number from -1e6 to 1e6, or such a map, float (h, w); a
            layer that is no image takes numbers only. What is not named stays as it is, so without
            any change the picture is that of `GanModel.picture`, to the last bit.
        picture: which picture, as for `GanModel.picture`.

    Raises:
        ValueError: there is no such unit, the map does not fit its layer, an amount is out of
            range, or as for `GanModel.picture`.
    """
    layers = layers_of(model)
    alterations = Alterations(
        factors=_amounts("factors", factors, layers), added=_amounts("added", added, layers)
    )
    return to_uint8(_make(model, *model.origin(**picture), alterations=alterations))[0]


def attribute_net(model: GanModel) -> FeatureNet | None:
    """Return the network that names the attributes of a model's pictures; None if there is none."""
    net = feature_net(model.info.get("dataset"))
    if net is None or not net.heads:
        return None
    size, channels = net.model.config.size, net.model.config.channels
    fits = (size, channels) == (model.config.size, model.config.channels)
    return net if fits else None


@dataclass(frozen=True, slots=True, eq=False)
class Effects:
    """What the units of a layer cause, measured by switching each off.

    Attributes:
        names: of the scores, such as "glasses: round"; see `attribute_scores`.
        values: float32 (U, S): by how many standard deviations each score of a picture is higher
            with the unit than without it, on average; the deviation is that among the pictures.
    """

    names: list[str]
    values: np.ndarray


def measure_effects(
    model: GanModel, layer: int, *, count: int = 16, seed: int = 0
) -> Iterator[int | Effects]:
    """Switch each unit of a layer off, and measure what that does to the attributes of pictures.

    It is the average causal effect of GAN Dissection (Bau et al. 2019, section 3.2), with a network
    that names attributes in place of one that segments.

    Args:
        layer: its number, from 0.
        count: pictures that each unit is switched off in, 2 to 1000, classes in turn.
        seed: of these pictures.

    Yields:
        Time and again how many units are done; last the `Effects`. Between two of them nothing is
        under way, so that others can use the model.

    Raises:
        ValueError: no network names the attributes of these pictures, or as for `peaks`.
    """
    layers = layers_of(model)
    require_index("layer", layer, len(layers))
    require_whole_number("count", count, 2, 1000)
    net = attribute_net(model)
    if net is None:
        raise ValueError(
            Wording(
                "inside.no_attributes",
                "no network names the attributes of these pictures; choose a model of portraits or"
                " critters at 64 pixels",
            )
        )
    heads = [head for head in net.heads if head.values != model.classes]
    several = _several(model, count, seed)

    def scores(code: Tensor, labels: Tensor | None, noise: Any, off: Alterations) -> dict:
        pictures = to_uint8(_make(model, code, labels, noise, alterations=off))
        return attribute_scores(read_outputs(net(pictures)[1], net.heads), heads)

    whole = scores(*several, Alterations())
    names = list(whole)
    still = np.stack([whole[name] for name in names], axis=1)  # (count, S)
    deviations = np.maximum(still.std(axis=0), 1e-6)
    units, together = layers[layer].units, max(1, _BATCH // count)
    values = np.zeros((units, len(names)), np.float32)
    for start in range(0, units, together):
        some = range(start, min(start + together, units))
        code, labels, noise = (_repeated(part, len(some)) for part in several)
        rows = torch.arange(len(some)).repeat_interleave(count)
        shape = (-1, 1, 1) if layers[layer].size else (-1,)
        off = {(layer, unit): (rows != i).float().view(shape) for i, unit in enumerate(some)}
        found = scores(code, labels, noise, Alterations(factors=off))
        without = np.stack([found[name] for name in names], axis=1).reshape(len(some), count, -1)
        values[some.start : some.stop] = (still - without).mean(axis=1) / deviations
        yield some.stop
    yield Effects(names, values)


def served(effects: Effects, least: float = 0.1) -> list[str | None]:
    """Return what each unit serves: the score that it raises most; None below `least` deviations.

    Args:
        effects: of `measure_effects`.
        least: standard deviations.
    """
    best = effects.values.argmax(axis=1)
    strongest = effects.values.max(axis=1)
    return [
        effects.names[i] if amount >= least else None
        for i, amount in zip(best, strongest, strict=True)
    ]


@torch.inference_mode()
def _make(
    model: GanModel,
    code: Tensor,
    labels: Tensor | None,
    noise: list[Tensor] | None,
    **looking: Any,
) -> Tensor:
    """Return pictures (B, C, H, W) in (-1, 1); `looking` is capture, alterations, or both."""
    network: Any = model.generator  # `layers_of` made sure that it takes them
    if isinstance(network, MappedGenerator):
        here = None if noise is None else [model.here(layer) for layer in noise]
        return network.synthesise(model.here(code), here, **looking)
    return network(model.here(code), None if labels is None else model.here(labels), **looking)


@torch.inference_mode()
def _several(
    model: GanModel, count: int, seed: int = 0
) -> tuple[Tensor, Tensor | None, list[Tensor] | None]:
    """Return where `count` pictures come from, classes in turn, as `GanModel.origin` does."""
    network = model.generator
    numbers = generator(seed, "inside", 0)
    z = torch.randn(count, model.config.latent_dimensions, generator=numbers)
    labels = torch.arange(count) % len(model.classes) if model.classes else None
    if not isinstance(network, MappedGenerator):
        return z, labels, None
    style = network.map(model.here(z), None if labels is None else model.here(labels))
    return style.float().cpu(), labels, network.draw_noise(count, numbers)


def _as_images(features: Tensor) -> Tensor:
    """Return what a layer passed on as float32 (B, U, h, w) on the CPU; h and w may be 1."""
    maps = features.float().cpu()
    return maps if maps.ndim == 4 else maps[:, :, None, None]


def _repeated(part: Any, times: int) -> Any:
    """Return a code, labels or noise (B, ...) `times` times over, (times * B, ...)."""
    if isinstance(part, list):
        return [_repeated(each, times) for each in part]
    return None if part is None else part.repeat(times, *[1] * (part.ndim - 1))


def _amounts(
    name: str, given: Mapping[Place, Amount] | None, layers: list[Layer]
) -> dict[Place, Tensor]:
    """Return checked amounts as tensors; ValueError unless they fit the layers."""
    given = {} if given is None else given
    if not isinstance(given, Mapping):
        raise ValueError(f"{name} must be amounts by (layer, unit), not {shown(given)}")
    return {_place(place, layers): _amount(name, place, x, layers) for place, x in given.items()}


def _place(place: Any, layers: list[Layer]) -> Place:
    whole = isinstance(place, tuple) and len(place) == 2 and all(map(is_whole, place))
    if not whole:
        raise ValueError(f"a unit is given as (layer, unit), not as {shown(place)}")
    layer, unit = map(int, place)
    require_index("layer", layer, len(layers))
    require_index(f"a unit of layer {layer}", unit, layers[layer].units)
    return layer, unit


def _amount(name: str, place: Any, amount: Any, layers: list[Layer]) -> Tensor:
    size = layers[_place(place, layers)[0]].size
    number = isinstance(amount, (int, float, np.integer, np.floating, np.ndarray))
    array = np.asarray(amount) if number and not isinstance(amount, bool) else np.empty(0)
    fits = array.shape == () or (size > 0 and array.shape == (size, size))
    if not fits or array.dtype.kind not in "fiu" or not (abs(array) <= _LARGEST).all():
        wanted = f" or a map of {size} x {size} such" if size else ""
        raise ValueError(
            f"{name} of layer {place[0]} must be a number from -1e6 to 1e6{wanted}, not"
            f" {shown(amount)}"
        )
    return torch.from_numpy(array.astype(np.float32))
