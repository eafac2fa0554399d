"""The design of the data set `critters`: small monsters drawn by the style Critters (CC0 1.0).

Of the many bodies, eyes and mouths, only those are used that differ clearly at 64 pixels. However a
critter is tilted, it reaches the lower edge of the picture and no other.
"""

from collections.abc import Mapping
from typing import Any

from genimg.data.drawing import Design, Names, Numbers, color

BODIES = {
    "dome": "dome",
    "block": "block",
    "tower": "chimney",
    "mound": "squat",
    "drop": "peak",
    "bell": "bell",
    "bucket": "wedgeInv",
    "steps": "steps",
}
TOPS = {
    "horns": "horns",
    "antennae": "antennae",
    "round ears": "earsRound",
    "sprout": "sprout",
    "bobble": "bobble",
    "fin": "fin",
}
EYES = {
    "two": "wide",
    "one": "mono",
    "three": "threeRow",
    "happy": "happy",
    "sleepy": "sleepy",
    "angry": "angry",
}
MOUTHS = {
    "smile": "smile",
    "laugh": "grin",
    "sad": "frown",
    "oh": "open",
    "zigzag": "zigzag",
    "teeth": "teeth",
}
PATTERNS = {"none": None, "belly": "belly", "bars": "bars", "stripes": "stripes"}


def _options(names: Mapping[str, str], numbers: Mapping[str, float]) -> dict[str, Any]:
    pattern = PATTERNS[names["pattern"]]
    scale = 0.78 + 0.16 * numbers["size"]
    return {
        "bodyVariant": BODIES[names["body"]],
        "topVariant": TOPS[names["top"]],
        "topProbability": 100,
        "eyesVariant": EYES[names["eyes"]],
        "mouthVariant": MOUTHS[names["mouth"]],
        "patternVariant": pattern or "belly",
        "patternProbability": 0 if pattern is None else 100,
        "cheeksProbability": 0,
        "animationVariant": "none",
        "bodyColor": color(0.76, 0.12, numbers["body hue"]),
        "accentColor": color(0.7, 0.118, numbers["top hue"]),
        "backgroundColor": color(0.92, 0.037, numbers["background hue"]),
        "scale": scale,
        "rotate": 12 * numbers["tilt"] - 6,
        # The body ends 56 below the middle; its lower corners rise when it is tilted.
        "translateY": 57 - 56 * scale,
    }


def _adapt(definition: dict[str, Any]) -> None:
    """Make the patterns twice as strong: as they come, they are lost at 64 pixels."""
    for variant in definition["components"]["pattern"]["variants"].values():
        for element in variant["elements"]:
            element["attributes"]["opacity"] = "0.45"


CRITTERS = Design(
    style="critters",
    attributes={
        "body": Names(tuple(BODIES)),
        "top": Names(tuple(TOPS)),
        "eyes": Names(tuple(EYES)),
        "mouth": Names(tuple(MOUTHS)),
        "pattern": Names(tuple(PATTERNS)),
        "size": Numbers(),
        "tilt": Numbers(),
        "body hue": Numbers(cyclic=True),
        "top hue": Numbers(cyclic=True),
        "background hue": Numbers(cyclic=True),
    },
    class_attribute="body",
    options=_options,
    adapt=_adapt,
)
