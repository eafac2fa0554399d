"""What the sliders of the GAN tab do: as arguments of a picture, and how much each changes."""

import random
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from genimg.checks import require_whole_number
from genimg.explore import GanModel
from genimg.ui.gan.view import AMOUNT_STEP, DIRECTION_LIMIT, GanView
from genimg.ui.gan.words import score_words
from genimg.ui.texts import say
from genimg.wording import Wording

DIRECTIONS = 10
FEW = 6
"""How many are in sight at first."""
MOST_MOMENTS = 20
_FAR = 2.0  # standard deviations
_UNWANTED = 0.3  # standard deviations of another property, worth a word
_MUCH = 1 / 6  # of what the strongest direction changes; a judgement, not a measurement


def moves(directions: Sequence[Any], latents: Sequence[Any], model: GanModel) -> dict[str, Any]:
    """Return `directions` and `latents` of a view, as far as the model has dimensions."""
    known = list(latents)[: model.config.latent_dimensions]
    return {"directions": list(directions), "latents": dict(enumerate(known))}


def moves_sent(directions: Any, latents: Any) -> dict[str, Any]:
    """Return moves as they came from a browser, where every key is a text.

    Raises:
        ValueError: they are anything else.
    """
    try:
        return {
            "directions": list(directions)[:100],
            "latents": {int(dimension): amount for dimension, amount in latents.items()},
        }
    except (TypeError, ValueError, AttributeError):
        raise ValueError(say("gan.walk.unknown")) from None


def slider_labels(model: GanModel, count: int) -> list[dict[str, str]]:
    """Return `label` and `info` of the sliders of the first `count` directions.

    The info says what else a direction with a name moves much. Without any it is empty: None would
    leave what was there. Gradio writes both in English, and `static/names.js` in the page's
    language.
    """
    labels: list[dict[str, str]] = []
    for name, effects in list(model.named_directions.items())[:count]:
        own = name.partition(":")[0]
        others = [
            say("gan.slider.effect", name=score_words(other), amount=f"{amount:+.1f}")
            for other, amount in sorted(effects.items(), key=lambda effect: -abs(effect[1]))
            if abs(amount) >= _UNWANTED and other.partition(":")[0] != own
        ]
        info = say("gan.slider.also", effects=others[:2]) if others else ""
        called = score_words(name)
        capital = called[:1].upper() + called[1:]
        label = called.reading(capital) if isinstance(called, Wording) else capital
        labels.append({"label": label, "info": info})
    numbers = range(len(labels) + 1, count + 1)
    return labels + [
        {"label": say("gan.slider.direction", number=number), "info": ""} for number in numbers
    ]


def acting(model: GanModel, count: int) -> int:
    """Return how many of the first `count` directions deserve a slider: up to the last that acts.

    A direction acts if it changes the grey levels of one picture, on average, at least a sixth as
    much as the strongest one.
    """
    here: dict[str, Any] = {"seed": 0, "label": model.classes[0] if model.classes else None}
    still = model.picture(**here).astype(np.float32)

    def change(i: int, amount: float) -> float:
        moved = model.picture(**here, directions=[*[0.0] * i, amount])
        return float(abs(moved - still).mean())

    changes = [max(change(i, -_FAR), change(i, _FAR)) for i in range(count)]
    strong = 1 + max(i for i, amount in enumerate(changes) if amount >= _MUCH * max(changes))
    return max(strong, min(count, len(model.named_directions)))


def ends_of(model: GanModel, view: GanView, count: int) -> np.ndarray:
    """Return a view's picture at both ends of `count` sliders, uint8 (count, 2, H, W, C)."""
    amounts = np.zeros((count, 2, count), np.float32)
    amounts[:] = [*view.directions, *[0.0] * (count - len(view.directions))]
    for i in range(count):
        amounts[i, :, i] = -DIRECTION_LIMIT, DIRECTION_LIMIT
    still = {name: value for name, value in view.arguments().items() if name != "directions"}
    pictures = model.along(amounts.reshape(2 * count, count), **still)
    return pictures.reshape(count, 2, *pictures.shape[1:])


def in_slider_steps(amounts: Iterable[float]) -> list[float]:
    """Return amounts of directions as a slider can have them: whole steps within its limits.

    A browser shows nothing between two steps.
    """
    steps = (round(float(amount) / AMOUNT_STEP) for amount in amounts)
    return [
        min(DIRECTION_LIMIT, max(-DIRECTION_LIMIT, round(step * AMOUNT_STEP, 2))) for step in steps
    ]


def nudged(amounts: Sequence[float], spread: float = 0.4) -> list[float]:
    """Return the amounts of sliders, each moved a little at random."""
    return in_slider_steps(amount + random.gauss(0, spread) for amount in amounts)


def count_directions(model: GanModel) -> int:
    """Return how many directions the page has sliders for."""
    return min(DIRECTIONS, len(model.directions(0 if model.classes else None)))


def moments_of(model: GanModel) -> list[int]:
    """Return the snapshots of a model's training that a slider goes through before its end."""
    seen = model.info.get("images_seen", 0)
    return [moment for moment in model.trail if moment < seen][:MOST_MOMENTS]


def moment_of(model: GanModel, age: Any) -> int | None:
    """Return the snapshot that a slider names, None for the end.

    Raises:
        ValueError: `age` is no whole number from 0 to MOST_MOMENTS.
    """
    require_whole_number("the age of the model", age, 0, MOST_MOMENTS)
    return dict(enumerate(moments_of(model))).get(age)
