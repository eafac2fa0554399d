"""Style mixing: the coarse features of one picture with the fine ones of another.

Every layer of a mapped generator takes a style of its own, so the first layers can have that of one
picture and the others that of another (Karras et al. 2019, arXiv 1812.04948, section 3.1).
"""

from collections.abc import Sequence

import numpy as np
import torch

from genimg.checks import require_whole_number
from genimg.explore.arguments import check_seeds
from genimg.explore.gan import GanModel
from genimg.models.mapping import MappedGenerator
from genimg.tensors import to_uint8
from genimg.wording import Wording


def layers_of(model: GanModel) -> int:
    """Return how many layers of a model take a style, 0 without a mapping network."""
    mapped = isinstance(model.generator, MappedGenerator)
    return model.generator.num_layers if mapped else 0


@torch.inference_mode()
def mix(
    model: GanModel,
    coarse: Sequence[int],
    fine: Sequence[int],
    *,
    layers: int,
    label: str | int | None = None,
    truncation: float = 1.0,
) -> np.ndarray:
    """Return a picture for each pair of seeds, uint8 (coarse, fine, H, W, C).

    Args:
        coarse: seeds whose styles the first layers have, and whose noise the picture has.
        fine: seeds whose styles the other layers have; 2 to 16 seeds each.
        layers: how many layers are the first ones, 0 to `layers_of(model)`: with all of them, every
            picture of a row is that of its coarse seed.
        label, truncation: as for `GanModel.picture`.

    Raises:
        ValueError: the model has no mapping network, or an argument is out of range.
    """
    if not layers_of(model):
        raise ValueError(_one_code(model))
    require_whole_number("layers", layers, 0, layers_of(model))
    coarse, fine = check_seeds(coarse), check_seeds(fine)
    sources = {
        seed: model.origin(seed=seed, label=label, truncation=truncation)
        for seed in dict.fromkeys([*coarse, *fine])
    }
    pictures = []
    for seed in coarse:
        style, _, noise = sources[seed]
        rows = torch.cat([sources[other][0] for other in fine])  # (fine, W)
        mixed = rows[:, None].repeat(1, layers_of(model), 1)
        mixed[:, :layers] = style
        same = noise and [model.here(layer.expand(len(fine), -1, -1, -1)) for layer in noise]
        pictures.append(to_uint8(model.generator.synthesise(model.here(mixed), same)))
    return np.stack(pictures)


@torch.inference_mode()
def mix_layers(
    model: GanModel,
    seeds: Sequence[int],
    *,
    label: str | int | None = None,
    truncation: float = 1.0,
) -> np.ndarray:
    """Return a picture each of whose layers has the style of a seed of its own, uint8 (H, W, C).

    Args:
        seeds: one for each layer, the coarsest first; the noise is that of the first one. Several
            layers may have the same, and one for all of them gives its own picture.
        label, truncation: as for `GanModel.picture`.

    Raises:
        ValueError: the model has no mapping network, or an argument is out of range.
    """
    if not layers_of(model):
        raise ValueError(_one_code(model))
    if not isinstance(seeds, (list, tuple)) or len(seeds) != layers_of(model):
        raise ValueError(
            Wording(
                "gan_model.seed_of_each",
                "give a seed for each of the {count} layers of {model}",
                count=layers_of(model),
                model=model.name,
            )
        )
    sources = {
        seed: model.origin(seed=seed, label=label, truncation=truncation)
        for seed in dict.fromkeys(check_seeds(seeds))
    }
    styles = torch.stack([sources[seed][0][0] for seed in seeds])[None]  # (1, L, W)
    noise = sources[seeds[0]][2]
    same = noise and [model.here(layer) for layer in noise]
    return to_uint8(model.generator.synthesise(model.here(styles), same))[0]


def _one_code(model: GanModel) -> str:
    return Wording(
        "gan_model.one_code",
        "{model} has no mapping network, so its layers share one code",
        model=model.name,
    )
