"""What in a picture decides a discriminator's score, and what would convince it.

Three ways to ask, and none of them is the whole truth. Occlusion hides a part and sees how much
the score falls (Zeiler and Fergus 2014, arXiv 1311.2901); a part that is only noticed together with
another stays unseen. The input gradient says how much the score reacts to a small change of each
pixel (Simonyan et al. 2013, arXiv 1312.6034); it is noisy. A walk along the directions of the
generator towards a better score shows what the discriminator would rather see.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from genimg.checks import require_whole_number
from genimg.explore.arguments import check_directions, class_number
from genimg.explore.gan import GanModel
from genimg.models.mapping import MappedGenerator
from genimg.tensors import network_input

_PARTS = 8  # a side of the hidden square is this part of the picture's: an eighth
_BATCH = 64
_STRIDE = 0.25  # standard deviations of all directions together, in one step of a walk
_LIMIT = 3.0  # of each direction, as on the page's sliders


def occlusion(model: GanModel, picture: np.ndarray, label: str | int | None = None) -> np.ndarray:
    """Return how much the score falls where a square is hidden, float32 (H, W), in logits.

    The square has an eighth of the picture's side, and the picture's mean colour. Each pixel gets
    the mean over the squares that hid it; below 0 the score rises when that place is hidden.

    Args:
        picture: uint8 (H, W, C).
        label: the class as which it is judged; as for `GanModel.judge`.

    Raises:
        ValueError: as for `GanModel.judge`.
    """
    given = model.judge(picture[None], label)[0]
    height, width = picture.shape[:2]
    side = max(2, height // _PARTS)
    starts = [*range(0, height - side + 1, max(1, side // 2))]
    if starts[-1] != height - side:
        starts.append(height - side)
    corners = [(top, left) for top in starts for left in starts]
    hidden = np.repeat(picture[None], len(corners), axis=0)
    for one, (top, left) in zip(hidden, corners, strict=True):
        one[top : top + side, left : left + side] = picture.mean(axis=(0, 1)).round()
    parts = (hidden[i : i + _BATCH] for i in range(0, len(hidden), _BATCH))
    falls = given - np.concatenate([model.judge(part, label) for part in parts])
    total, times = np.zeros((2, height, width), np.float32)
    for fall, (top, left) in zip(falls, corners, strict=True):
        total[top : top + side, left : left + side] += fall
        times[top : top + side, left : left + side] += 1
    return total / times


def input_gradient(
    model: GanModel, picture: np.ndarray, label: str | int | None = None
) -> np.ndarray:
    """Return how strongly the score reacts to each pixel, float32 (H, W), in logits per grey level.

    It is the length of the gradient over the channels; its sign is lost.

    Args:
        picture, label: as for `occlusion`.

    Raises:
        ValueError: as for `GanModel.judge`.
    """
    model.judge(picture[None], label)  # refuses what cannot be judged
    x = model.here(network_input(picture[None], model.config, model.name)).requires_grad_()
    number = class_number(label, model.classes, model.name) if model.classes else None
    labels = None if number is None else model.here(torch.tensor([number]))
    (gradient,) = torch.autograd.grad(model.discriminator(x, labels).sum(), x)
    return gradient[0].float().norm(dim=0).cpu().numpy() / 127.5  # -1 to 1 are 255 grey levels


def convince(
    model: GanModel,
    *,
    seed: int = 0,
    label: str | int | None = None,
    truncation: float = 1.0,
    directions: Sequence[float] | Mapping[str, float] = (),
    latents: Mapping[int, float] | None = None,
    code: np.ndarray | str | None = None,
    count: int = 10,
    steps: int = 8,
) -> np.ndarray:
    """Return amounts of directions with which the discriminator likes a picture better.

    The amounts take a short walk up the gradient of the score, each step a quarter of a standard
    deviation long; the result is the place on the way with the best score.

    Args:
        seed, label, truncation, directions, latents, code: which picture, as for
            `GanModel.picture`.
        count: how many directions to use, the first ones, 1 to 10.
        steps: how far to go, 1 to 100.

    Returns:
        float32 (count,), each within -3 to 3; where nothing is better, the amounts as they were.

    Raises:
        ValueError: an argument is out of range, or the model has no discriminator.
    """
    require_whole_number("count", count, 1, 10)
    require_whole_number("steps", steps, 1, 100)
    model.judge(model.sample(1), 0 if model.classes else None)  # refuses what has no discriminator
    start, labels, noise = model.origin(
        seed=seed, label=label, truncation=truncation, latents=latents, code=code
    )
    moves = torch.from_numpy(model.directions(None if labels is None else int(labels), count))
    given = check_directions(directions, tuple(model.named_directions))[: len(moves)]
    amounts = torch.tensor([*given, *[0.0] * (len(moves) - len(given))])
    best, best_score = amounts, -np.inf
    for _ in range(steps + 1):
        amounts.requires_grad_()
        score = _score(model, start + amounts @ moves, labels, noise)
        if score.item() > best_score:
            best, best_score = amounts.detach(), score.item()
        (gradient,) = torch.autograd.grad(score, amounts)
        step = _STRIDE * gradient / gradient.norm().clamp(min=1e-12)
        amounts = (amounts.detach() + step).clamp(-_LIMIT, _LIMIT)
    return best.numpy()


def _score(
    model: GanModel, code: Tensor, labels: Tensor | None, noise: list[Tensor] | None
) -> Tensor:
    """Return the discriminator's logit, a scalar, for the picture of a code (1, D)."""
    code, labels = model.here(code), None if labels is None else model.here(labels)
    if isinstance(model.generator, MappedGenerator):
        noise = None if noise is None else [model.here(layer) for layer in noise]
        picture = model.generator.synthesise(code, noise)
    else:
        picture = model.generator(code, labels)
    return model.discriminator(model.here(picture), labels).float().sum()
