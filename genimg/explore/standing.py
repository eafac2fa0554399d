"""What a measured figure stands on: how many pictures, and whether it compares with another."""

from typing import Any

from genimg import data
from genimg.data import drawn_sets
from genimg.data.torchvision_sets import TORCHVISION_CLASSES
from genimg.explore import DrawerModel, GanModel, MaskedDrawerModel, Model
from genimg.explore.arguments import pictures_of
from genimg.metrics.random_features import RANDOM

FEW = 1000
"""With fewer pictures a Fréchet distance is mostly chance: its features have 128 dimensions."""
_WORDS = {"generated": "drawn pictures", "real": "test pictures", "images": "test pictures"}
Metrics = dict[str, dict[str, Any]]


def pictures_measured(metrics: Metrics) -> dict[str, int]:
    """Return how many pictures were measured: made ("generated"), real ("real", "images")."""
    return {
        kind: max(entry[kind] for entry in metrics.values() if kind in entry)
        for kind in _WORDS
        if any(isinstance(entry.get(kind), int) for entry in metrics.values())
    }


def pictures_planned(model: Model, count: int) -> dict[str, int]:
    """Return how many pictures `evaluate_model` would measure, as far as that is known before.

    Raises:
        ValueError: the card of the model does not name its data set.
    """
    counts = data.describe(pictures_of(model)[0])["images"]
    draws = isinstance(model, GanModel | DrawerModel | MaskedDrawerModel)
    drawn = {"generated": count} if draws else {}
    if counts is None:  # it has to be downloaded first
        return drawn
    return drawn | {"real" if drawn else "images": counts["test"]}


def difference(new: dict[str, int], old: dict[str, int], *, fewer: bool = False) -> str:
    """Say in which numbers of pictures two measurements differ; '' where they do not.

    Args:
        new, old: of `pictures_measured` or `pictures_planned`.
        fewer: count only what `new` has fewer of.
    """
    differs = [kind for kind in old if kind in new and new[kind] != old[kind]]
    parts = {
        f"{old[kind]:,} {_WORDS[kind]}, these of {new[kind]:,}"
        for kind in differs
        if not fewer or new[kind] < old[kind]
    }
    return f"the figures on the card are of {' and of '.join(sorted(parts))}" if parts else ""


def advice(model: Model, new: dict[str, int], old: dict[str, int]) -> str:
    """Return what makes `new` as well founded as `old`, or ''."""
    tips = []
    if new.get("generated", 0) < old.get("generated", 0):
        tips.append(f"draw as many with --count {old['generated']}")
    dataset = pictures_of(model)[0]
    lacks = any(new[kind] < old[kind] for kind in ("real", "images") if {kind} <= new.keys() & old)
    if lacks and dataset in (*drawn_sets.names(), *TORCHVISION_CLASSES):
        verb = "draw" if dataset in drawn_sets.names() else "fetch"
        tips.append(f"get the whole set with: python -m genimg data {verb} {dataset}")
    return "; ".join(tips)


def doubts(metrics: Metrics) -> list[str]:
    """Return sentences on figures that say less than they seem to."""
    distance, floor = metrics.get("frechet_distance"), metrics.get("frechet_distance_floor")
    found = []
    if any(entry.get("feature_net") == RANDOM for entry in metrics.values()):
        found.append(
            f"no feature net ships for these pictures, so the features are those of an untrained"
            f" network ({RANDOM}): compare these figures only with others in the same features, or"
            " train a classifier on the pictures and give it as --feature-net"
        )
    if distance is None:
        return found
    drawn, real = distance["generated"], distance["real"]
    if min(drawn, real) < FEW:
        found.append(
            f"a Fréchet distance of {drawn:,} drawn and {real:,} real pictures is mostly chance;"
            f" it takes at least {FEW:,} of each"
        )
    if floor is not None and distance["value"] <= floor["value"]:
        found.append(
            f"the Fréchet distance is not above its floor, {floor['value']:.4g} between real and"
            " real pictures, so it cannot tell how good these are"
        )
    return found
