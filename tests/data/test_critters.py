import json
from importlib import resources

from genimg.data.critters import BODIES, CRITTERS, EYES, MOUTHS, PATTERNS, TOPS


def test_classes_are_the_bodies():
    assert CRITTERS.classes == tuple(BODIES)
    assert len(CRITTERS.classes) == 8


def test_every_part_is_one_of_the_style():
    text = resources.files("dicebear_styles").joinpath("critters.json").read_text("utf-8")
    parts = json.loads(text)["components"]
    chosen = {"body": BODIES, "top": TOPS, "eyes": EYES, "mouth": MOUTHS, "pattern": PATTERNS}
    for part, names in chosen.items():
        variants = [variant for variant in names.values() if variant is not None]
        assert set(variants) <= set(parts[part]["variants"])
        assert len(set(variants)) == len(variants)
