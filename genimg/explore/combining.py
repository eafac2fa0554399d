"""Sums of pictures: between two, a plane through three, A - B + C, and from class to class.

Codes of a GAN can be added like the word vectors that the idea comes from: "man with glasses"
less "man" plus "woman" (Radford et al. 2016, arXiv 1511.06434, section 6.3.2). With a mapping
network styles are added, which say everything, so the pictures may be of different classes. Without
one latent vectors are, and the result is as long as the vectors on average: a sum of normal vectors
has another length, and a generator has never seen such.

A *place* says where a picture comes from: the keyword arguments "seed", "label", "truncation",
"directions", "latents" and "code" of `GanModel.picture`; what is missing has its default.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from genimg.checks import require_number, require_whole_number, shown
from genimg.explore.arguments import check_directions, check_latents
from genimg.explore.codes import checked_code, mean_code, text_of
from genimg.explore.gan import GanModel
from genimg.explore.latents import near, seed_latents
from genimg.wording import Wording

Place = Mapping[str, Any]
PARTS = ("seed", "label", "truncation", "directions", "latents", "code")
MOST_PICTURES = 16


def code_of(model: GanModel, place: Place) -> np.ndarray:
    """Return the code of a picture, float32 (D,), with all its moves.

    `model.picture(seed=..., label=..., code=code_of(model, place))`, with the seed and the class of
    the place, is the same picture, but for the rounding of codes (see `genimg.explore.codes`).

    Raises:
        ValueError: as for `GanModel.picture`, or something else is in the place.
    """
    style, mean = _style(model, place)
    return (style - mean).astype(np.float32)


def combine(model: GanModel, places: Sequence[Place], weights: Sequence[float]) -> dict[str, Any]:
    """Return the place of a weighted sum of pictures, such as A - B + C with weights 1, -1, 1.

    It has the noise, and the class, of the picture with the greatest weight, the first of equals.
    What is given several times counts once, with the sum of its weights, so A - A + C is exactly C.

    Args:
        places: 1 to 16 pictures.
        weights: one for each, -10 to 10; they sum to 1.

    Raises:
        ValueError: an argument is anything else, or pictures of several classes are combined in a
            model without a mapping network.
    """
    known = _checked(model, places, weights)
    merged: list[tuple[dict[str, Any], float]] = []
    for place, weight in known:
        same = [i for i, (other, _) in enumerate(merged) if other == place]
        if same:
            merged[same[0]] = (place, merged[same[0]][1] + weight)
        else:
            merged.append((place, weight))
    acting = [(place, weight) for place, weight in merged if abs(weight) > 1e-9]
    if len(acting) == 1:
        return dict(acting[0][0])
    if len({place.get("label") for place, _ in acting}) > 1 and "w" not in model.spaces:
        raise ValueError(
            Wording(
                "gan_model.one_class",
                "{model} has no mapping network, so take pictures of one class",
                model=model.name,
            )
        )
    total = np.zeros(mean_code(model.generator, None).shape[1])
    length = 0.0
    for place, weight in acting:
        style, _ = _style(model, place)
        total += weight * style
        length += weight * float(np.linalg.norm(style))
    if "w" not in model.spaces:
        total *= max(length, 0.0) / max(float(np.linalg.norm(total)), 1e-12)
    strongest = max(acting, key=lambda entry: entry[1])[0]
    kept: dict[str, Any] = {
        name: strongest[name] for name in ("seed", "label") if name in strongest
    }
    _, mean = _style(model, kept)
    return kept | {"code": text_of(checked_code(total - mean, len(total)))}


def plane(
    model: GanModel, a: Place, b: Place, c: Place, *, side: int = 9, rows: range | None = None
) -> np.ndarray:
    """Return a map of the plane through three pictures, uint8 (side, side, H, W, C).

    From the upper left to the right, A becomes B; from there down, B becomes C; and the lower left
    is A - B + C. The corners A, B and C are these pictures, to the bit.

    Args:
        side: pictures a side, 2 to 50.
        rows: only these of them; then the first axis is as long as `rows`.

    Raises:
        ValueError: as for `combine`, or side or rows is out of range.
    """
    require_whole_number("side", side, 2, 50)
    wanted = range(side) if rows is None else rows
    if not isinstance(wanted, range) or any(row not in range(side) for row in wanted) or not wanted:
        raise ValueError(f"rows must be a range within 0 to {side - 1}, not {shown(rows)}")
    lines = []
    for row in wanted:
        cells = [combine(model, [a, b, c], plane_weights(side, row, i)) for i in range(side)]
        lines.append(np.stack([model.picture(**cell) for cell in cells]))
    return np.stack(lines)


def plane_weights(side: int, row: int, column: int) -> tuple[float, float, float]:
    """Return the weights of A, B and C in a picture of `plane`.

    Raises:
        ValueError: there is no such picture.
    """
    require_whole_number("side", side, 2, 50)
    require_whole_number("row", row, 0, side - 1)
    require_whole_number("column", column, 0, side - 1)
    last = side - 1
    return (last - column) / last, (column - row) / last, row / last


def between_classes(
    model: GanModel, labels: Sequence[str | int], *, steps: int = 9, place: Place | None = None
) -> list[dict[str, Any]]:
    """Return the places on a straight way from class to class, with everything else the same.

    Args:
        labels: 2 to 16 classes to pass through, by name or number, in equal times.
        steps: places in all, 2 to 2000; the first and the last are of the first and the last class.
        place: seed, truncation and so on.

    Raises:
        ValueError: the model has no mapping network, there is no such class, or an argument is out
            of range.
    """
    require_whole_number("steps", steps, 2, 2000)
    if "w" not in model.spaces:
        raise ValueError(
            Wording(
                "gan_model.no_way",
                "{model} has no mapping network, so nothing is between its classes",
                model=model.name,
            )
        )
    if not isinstance(labels, (list, tuple)) or not 2 <= len(labels) <= MOST_PICTURES:
        raise ValueError(f"labels must be 2 to {MOST_PICTURES} classes, not {shown(labels)}")
    still = checked_place(model, {} if place is None else place)
    keys = [checked_place(model, still | {"label": label}) for label in labels]
    found = []
    for step in range(steps):
        index, rest = divmod(step * (len(keys) - 1), steps - 1)
        if rest == 0:
            found.append(dict(keys[index]))
        else:
            share = rest / (steps - 1)
            found.append(combine(model, keys[index : index + 2], [1 - share, share]))
    return found


def neighbour_code(
    model: GanModel,
    number: int,
    *,
    spread: float = 0.35,
    seed: int = 0,
    label: str | int | None = None,
    latents: Mapping[int, float] | None = None,
    code: np.ndarray | str | None = None,
) -> np.ndarray:
    """Return the code of picture `number` of `GanModel.neighbours`, float32 (D,).

    With it as `code`, and all else as it was (also truncation and directions), `GanModel.picture`
    is that picture, but for the rounding of codes.

    Args:
        number: 0 (the picture itself) to 999.
        spread, seed, label, latents, code: as for `neighbours`.

    Raises:
        ValueError: as for `neighbours`.
    """
    require_whole_number("number", number, 0, 999)
    require_number("spread", spread, 0, 1)
    place = {"seed": seed, "label": label}
    given = check_latents(latents, model.config.latent_dimensions)
    z = seed_latents(seed, range(1), model.config.latent_dimensions)
    away = (near(z, number + 1, spread, seed)[number] - z[0]).tolist()
    moved = {i: amount + given.get(i, 0.0) for i, amount in enumerate(away)}
    # What the sliders of z add stays theirs.
    added = _style(model, place | {"latents": given})[0] - _style(model, place)[0]
    style, mean = _style(model, place | {"latents": moved, "code": code})
    return (style - added - mean).astype(np.float32)


def checked_place(model: GanModel, place: Place) -> dict[str, Any]:
    """Return a place that says each thing in one way, without what is at its default.

    Raises:
        ValueError: something in it is no such argument, or the model does not have it.
    """
    if not isinstance(place, Mapping):
        raise ValueError(f"a place must be arguments of picture, by name, not {shown(place)}")
    for name in place:
        if name not in PARTS:
            known = ", ".join(PARTS)
            raise ValueError(f"a place has no {shown(name)}; it can have {known}")
    given = {name: value for name, value in place.items() if value is not None}
    start = {name: value for name, value in given.items() if name != "directions"}
    _, labels, _ = model.origin(**start)
    clean: dict[str, Any] = {"seed": int(given.get("seed", 0))}
    if labels is not None:
        clean["label"] = model.classes[int(labels)]
    if given.get("truncation", 1) != 1:
        clean["truncation"] = float(given["truncation"])
    amounts = check_directions(given.get("directions", ()), tuple(model.named_directions))
    while amounts and amounts[-1] == 0:
        amounts.pop()
    if amounts:
        clean["directions"] = amounts
    moved = check_latents(given.get("latents"), model.config.latent_dimensions)
    if latents := {i: amount for i, amount in moved.items() if amount}:
        clean["latents"] = latents
    if "code" in given:
        dimensions = mean_code(model.generator, None).shape[1]
        clean["code"] = text_of(checked_code(given["code"], dimensions))
    return clean


def _style(model: GanModel, place: Place) -> tuple[np.ndarray, np.ndarray]:
    """Return where a picture comes from, and what its code is counted from, float64 (D,) each."""
    clean = checked_place(model, place)
    amounts = clean.pop("directions", [])
    style, labels, _ = model.origin(**clean)
    if amounts:
        moves = model.directions(clean.get("label"), max(10, len(model.named_directions)))
        if len(amounts) > len(moves):
            raise ValueError(f"there are {len(moves)} directions, not {len(amounts)}")
        moved = torch.tensor(amounts, dtype=torch.float32)
        style = style + moved @ torch.from_numpy(moves[: len(amounts)])
    mean = mean_code(model.generator, labels)
    return style[0].numpy().astype(float), mean[0].numpy().astype(float)


def _checked(
    model: GanModel, places: Sequence[Place], weights: Sequence[float]
) -> list[tuple[dict[str, Any], float]]:
    """Return each place with its weight; ValueError unless `combine` can take them."""
    if not isinstance(places, (list, tuple)) or not 1 <= len(places) <= MOST_PICTURES:
        raise ValueError(f"places must be 1 to {MOST_PICTURES} pictures, not {shown(places)}")
    if not isinstance(weights, (list, tuple)) or len(weights) != len(places):
        raise ValueError(f"weights must be one number for each of the {len(places)} pictures")
    for weight in weights:
        require_number("a weight", weight, -10, 10)
    if abs(sum(weights) - 1) > 1e-6:
        raise ValueError(f"the weights must sum to 1, not to {sum(weights):g}")
    known = [checked_place(model, place) for place in places]
    return list(zip(known, map(float, weights), strict=True))
