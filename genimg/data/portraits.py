"""The design of the data set `portraits`: people drawn by the style Micah.

Micah is a remix of "Avatar Illustration System" by Micah Lanier, licensed under CC BY 4.0. Values
that hide another attribute (a bald head has no hair colour) or differ by a few pixels only (noses,
eyebrows) are left out.
"""

from collections.abc import Mapping
from typing import Any

from genimg.data.drawing import Design, Names, Numbers, color

HAIR = {
    "fringe": "dannyPhantom",
    "quiff": "fonze",
    "long": "full",
    "mohawk": "mrT",
    "bob": "pixie",
    "turban": "turban",
}
HAIR_COLORS = {
    "black": "2b2733",
    "brown": "5a3320",
    "blond": "f2cd5d",
    "red": "cf4a2a",
    "blue": "4a76d8",
    "grey": "b4bac4",
}
DARK = ("black", "brown")  # beards on which a black mouth could not be seen
SKINS = {
    "pale": "fde3d3",
    "light": "f2c4a0",
    "tan": "dda371",
    "brown": "bb7c4e",
    "dark": "965c3b",
}
MOUTHS = {
    "smile": "smile",
    "laugh": "laughing",
    "teeth": "nervous",
    "sad": "frown",
    "oh": "surprised",
}
EYES = {"open": "eyes", "smiling": "smiling"}
GLASSES = ("none", "round", "square")
SHIRTS = {"collar": "collared", "roll neck": "crew", "open neck": "open"}


def _options(names: Mapping[str, str], numbers: Mapping[str, float]) -> dict[str, Any]:
    hair = HAIR_COLORS[names["hair colour"]]
    bearded = names["beard"] == "yes"
    mouth = "000000"
    if bearded and names["hair colour"] in DARK:
        mouth = "d9485f" if names["mouth"] == "oh" else "ffffff"
    glasses = names["glasses"]
    return {
        "hairVariant": HAIR[names["hair"]],
        "hairColor": hair,
        "baseColor": SKINS[names["skin"]],
        "mouthVariant": MOUTHS[names["mouth"]],
        "mouthColor": mouth,
        "eyesVariant": EYES[names["eyes"]],
        "eyebrowsVariant": "up",
        "noseVariant": "curve",
        "earsVariant": "attached",
        "earringsProbability": 0,
        "glassesVariant": "round" if glasses == "none" else glasses,
        "glassesProbability": 0 if glasses == "none" else 100,
        "glassesColor": "000000",
        "facialHairVariant": "beard",
        "facialHairProbability": 100 if bearded else 0,
        "facialHairColor": hair,
        "clothesVariant": SHIRTS[names["shirt"]],
        "shirtColor": color(0.74, 0.125, numbers["shirt hue"]),
        "backgroundColor": color(0.92, 0.037, numbers["background hue"]),
    }


PORTRAITS = Design(
    style="micah",
    attributes={
        "hair": Names(tuple(HAIR)),
        "hair colour": Names(tuple(HAIR_COLORS)),
        "skin": Names(tuple(SKINS)),
        "mouth": Names(tuple(MOUTHS)),
        "eyes": Names(tuple(EYES)),
        "glasses": Names(GLASSES),
        "beard": Names(("no", "yes")),
        "shirt": Names(tuple(SHIRTS)),
        "shirt hue": Numbers(cyclic=True),
        "background hue": Numbers(cyclic=True),
    },
    class_attribute="hair",
    options=_options,
)
