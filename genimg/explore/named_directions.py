"""Directions with names: where in the mapped space a property of the pictures grows.

As in InterFaceGAN (Shen et al. 2020, arXiv 1907.10786) a linear model is fitted from the styles of
generated pictures to what is measured on these pictures. Here the measured property is a number, so
it is a ridge regression instead of a support vector machine, and the styles are whitened first: a
direction is a move among styles that occur.

What a slider does is then measured, not assumed: its length is set so that +1 moves the property by
one standard deviation, and what else it moves is kept beside it.

Shapes: N pictures, W style dimensions, K whitened dimensions, S scores.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch

from genimg import checkpoints
from genimg.checks import check_seed, require_whole_number
from genimg.explore import AttributeClassifierModel, GanModel, load
from genimg.metrics.appearance import appearance
from genimg.metrics.attributes import attribute_scores
from genimg.metrics.features import FEATURE_NETS
from genimg.models.mapping import MappedGenerator
from genimg.randomness import generator as random_generator
from genimg.tensors import to_uint8

Measure = Callable[[np.ndarray], Mapping[str, np.ndarray]]
"""Pictures uint8 (N, H, W, C) to scores: a name, such as "glasses: round", to float64 (N,)."""

_BATCH = 250
_KEPT_VARIANCE = 0.995  # of the styles; the rest is too thin to be divided by
_RIDGE = 10.0  # weighs as much as so many pictures without any effect
_LEAST_EFFECT = 0.2  # standard deviations of the score for one of the styles, to deserve a slider
_LONGEST = 2.5  # standard deviations of the styles: beyond, pictures fall apart
_PROBED = 100  # pictures on which an effect is measured
_CANDIDATES = 2  # measured for each direction that is wanted
_SEPARATION = 0.2  # the less, the more a direction avoids what moves other properties


@dataclass(frozen=True, slots=True)
class NamedDirection:
    """A direction in the space of styles.

    Attributes:
        name: what grows along it.
        vector: float32 (W,); adding it moves the property by about one standard deviation.
        effects: by how much adding it moves every property, in standard deviations of each,
            the strongest first; measured.
    """

    name: str
    vector: np.ndarray
    effects: dict[str, float]


def name_directions(
    name: str | os.PathLike,
    *,
    feature_net: str | os.PathLike | None = None,
    count: int = 10,
    images: int = 4000,
    seed: int = 0,
) -> list[NamedDirection]:
    """Find directions for the attributes of a GAN's data set, and keep them with its checkpoint.

    The attribute that is the model's class has none: it is chosen, not moved. Where no network
    names attributes, directions are found for what can be measured on any picture (see
    `genimg.metrics.appearance`).

    Args:
        name: of a checkpoint that ships, or its path; directions it had are replaced.
        feature_net: a classifier of attributes for the model's pictures; by default the one that
            ships for its data set, if there is one.
        count, images, seed: as for `fit_directions`.

    Raises:
        ValueError: one of the two models is of another kind or for other pictures, no direction was
            found, or as for `fit_directions`.
        OSError: the checkpoint cannot be written.
    """
    folder = checkpoints.find(name)
    model = load(name)
    if not isinstance(model, GanModel):
        raise ValueError(f"{name} is not a GAN, so it has no directions to name")
    measure = _measure(model, feature_net)
    found = fit_directions(model, measure, count=count, images=images, seed=seed)
    if not found:
        raise ValueError(
            f"no direction of {name} moves an attribute enough to be called after it; train it"
            " longer, or give more images"
        )
    named = [
        {"name": each.name, "effects": {k: round(by, 3) for k, by in each.effects.items()}}
        for each in found
    ]
    vectors = torch.from_numpy(np.stack([each.vector for each in found]))
    checkpoints.write_directions(folder, vectors, named)
    return found


def _measure(model: GanModel, feature_net: str | os.PathLike | None) -> Measure:
    """Return what measures pictures of the model."""
    chosen = feature_net or FEATURE_NETS.get(model.info.get("dataset", ""))
    net = load(chosen) if chosen else None
    if isinstance(net, AttributeClassifierModel):
        heads = [head for head in net.heads if head.values != model.classes]
        return lambda pictures: attribute_scores(net.read(pictures), heads)
    if feature_net:
        raise ValueError(
            f"{feature_net} names no attributes, so it cannot name directions; give a classifier of"
            " attributes, or no feature net"
        )
    return appearance


def fit_directions(
    model: GanModel,
    measure: Measure,
    *,
    count: int = 10,
    images: int = 3000,
    seed: int = 0,
) -> list[NamedDirection]:
    """Return directions for what is measured on a model's pictures, best fitted first.

    Each property, the part of a score's name before a colon, has its best direction first; then
    further values of properties follow. A score that no direction moves enough has none.

    Args:
        model: with a mapping network.
        measure: takes some pictures at a time, and returns scores of them.
        count: directions at most, 1 to 100.
        images: pictures that are generated and measured, 300 to 100 000.
        seed: of the pictures.

    Raises:
        ValueError: the model has no mapping network, or an argument is out of range.
    """
    require_whole_number("count", count, 1, 100)
    require_whole_number("images", images, 300, 100_000)
    check_seed(seed)
    if not isinstance(model.generator, MappedGenerator):
        raise ValueError(f"{model.name} has no mapping network, so it has no space to name")
    sample = _Sample(model, images, seed)
    names, scores = sample.scores(sample.styles, measure)
    wanted = sample.centred(scores)
    deviation = np.maximum(wanted.std(axis=0), 1e-9)
    wanted = wanted / deviation
    gradients = _regress(sample.whitened, wanted)  # (K, S)
    fit = 1 - (wanted - sample.whitened @ gradients).var(axis=0)  # R^2 of each score

    def effects(move: np.ndarray) -> np.ndarray:
        """Return what adding a style moves all scores by, (S,), in standard deviations."""
        here, step = sample.styles[:_PROBED], torch.from_numpy(move)
        _, more = sample.scores(here + step, measure)
        _, less = sample.scores(here - step, measure)
        return (more - less).mean(axis=0) / 2 / deviation

    found: list[NamedDirection] = []
    order = _best_of_each_first(names, fit)
    for index in order[: _CANDIDATES * count]:
        move = sample.style_move(_separated(gradients, index, names))
        effect = effects(move)[index]
        if effect < _LEAST_EFFECT:
            continue
        move = move * np.float32(min(1 / effect, _LONGEST))
        by_name = dict(zip(names, effects(move).tolist(), strict=True))
        strongest = dict(sorted(by_name.items(), key=lambda entry: -abs(entry[1])))
        found.append(NamedDirection(names[index], move, strongest))
        if len(found) == count:
            break
    return found


class _Sample:
    """Pictures of a model: their styles, and the same without the classes and whitened."""

    def __init__(self, model: GanModel, images: int, seed: int) -> None:
        self.synthesise = model.generator.synthesise
        config = model.config
        z = torch.randn(
            images, config.latent_dimensions, generator=random_generator(seed, "named", 0)
        )
        labels = torch.arange(images) % len(model.classes) if model.classes else None
        with torch.inference_mode():
            here = None if labels is None else model.here(labels)
            styles = model.generator.map(model.here(z), here)
            self.styles = styles.float().cpu()  # (N, W)
            # One noise for all: what it changes is no property of the style.
            noise = model.generator.draw_noise(1, random_generator(seed, "noise", 0))
            self.noise = [model.here(layer) for layer in noise]
        self.labels = np.zeros(images, int) if labels is None else labels.numpy()
        centred = self.centred(self.styles.numpy().astype(float))
        _, sizes, axes = np.linalg.svd(centred, full_matrices=False)
        share = np.cumsum(sizes**2) / np.maximum((sizes**2).sum(), 1e-12)
        kept = 1 + int(np.searchsorted(share, _KEPT_VARIANCE))
        self.axes = axes[:kept]  # (K, W)
        self.deviations = np.maximum(sizes[:kept] / images**0.5, 1e-9)
        self.whitened = centred @ self.axes.T / self.deviations  # (N, K)

    def centred(self, values: np.ndarray) -> np.ndarray:
        """Return values (N, ...) less the mean of their class: a class is chosen, not moved to."""
        centred = values.copy()
        for number in np.unique(self.labels):
            centred[self.labels == number] -= values[self.labels == number].mean(axis=0)
        return centred

    def style_move(self, direction: np.ndarray) -> np.ndarray:
        """Return a unit vector of the whitened space (K,) as a move of styles, float32 (W,)."""
        return ((direction * self.deviations) @ self.axes).astype(np.float32)

    @torch.inference_mode()
    def scores(self, styles: torch.Tensor, measure: Measure) -> tuple[list[str], np.ndarray]:
        """Return the names of the scores, and those of the pictures of styles (n, W), (n, S)."""
        names, parts = [], []
        for part in styles.split(_BATCH):  # many pictures at once would only take more memory
            noise = [layer.expand(len(part), -1, -1, -1) for layer in self.noise]
            measured = measure(to_uint8(self.synthesise(part.to(noise[0].device), noise)))
            names = list(measured)
            parts.append(np.stack([np.asarray(measured[name], float) for name in names], axis=1))
        return names, np.concatenate(parts)


def _regress(inputs: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return the ridge regression (K, S) of wanted (N, S) on inputs (N, K)."""
    square = inputs.T @ inputs + _RIDGE * np.eye(inputs.shape[1])
    return np.linalg.solve(square, inputs.T @ wanted)


def _separated(gradients: np.ndarray, index: int, names: list[str]) -> np.ndarray:
    """Return the unit vector (K,) that moves score `index` much and other properties little.

    It maximises the square of what it moves the score by, over what it moves the others by plus
    `_SEPARATION`.
    """
    others = [i for i, name in enumerate(names) if _property(name) != _property(names[index])]
    moved = gradients[:, others]  # (K, others)
    cost = moved @ moved.T + _SEPARATION * np.eye(len(gradients))
    direction = np.linalg.solve(cost, gradients[:, index])
    return direction / np.maximum(np.linalg.norm(direction), 1e-12)


def _property(name: str) -> str:
    return name.partition(":")[0]


def _best_of_each_first(names: list[str], fit: np.ndarray) -> list[int]:
    """Return the numbers of all scores: the best fitted of each property, then the others."""
    order = sorted(range(len(names)), key=lambda index: -fit[index])
    best: dict[str, int] = {}
    for index in order:
        best.setdefault(_property(names[index]), index)
    first = list(best.values())
    return first + [i for i in order if i not in first]
