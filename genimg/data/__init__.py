"""Data sets as tensors: one call gives pictures, labels and class names.

    from genimg import data
    train = data.load("fashion-mnist", size=32)
    train.images, train.labels, train.classes     # uint8 (12000, 1, 32, 32), int64 (12000,), names

Fashion-MNIST works without a network: a sample ships with the package, and the whole set is used
where a local copy is found. So do `portraits` and `critters`, drawn pictures in colour, each with
all its attributes known: `draw_set` draws the whole sets once, on this machine. The other published
sets are downloaded once by torchvision, and plug-ins may bring more. `folder:PATH` reads your own
pictures, one folder per class.
"""

import reprlib
from pathlib import Path
from typing import Any

import numpy as np

from genimg.data import bundled, drawn_sets, folder, plugged_sets, torchvision_sets
from genimg.data.attributes import Attribute
from genimg.data.drawing import Names
from genimg.data.drawn_sets import draw_set
from genimg.data.fit import SIZES, fit
from genimg.data.given import MEMORY_PREFIX, given_dataset
from genimg.data.registry import SPLITS, Dataset, Facts, published

__all__ = [
    "MEMORY_PREFIX",
    "SIZES",
    "Attribute",
    "Dataset",
    "describe",
    "draw_set",
    "given_dataset",
    "has_sample",
    "load",
    "names",
]

FOLDER_PREFIX = "folder:"


def has_sample(name: str) -> bool:
    """Return whether a sample of the data set ships with genimg, so that no download is needed."""
    return name in _sample_counts()


def names() -> tuple[str, ...]:
    """Return the names of the published data sets that `load` knows."""
    return tuple(published())


def load(name: str, size: int = 32, split: str = "train", *, full: bool | None = None) -> Dataset:
    """Load one split of a data set, every picture `size` pixels square.

    Args:
        name: one of `names()`, or "folder:PATH" for your own pictures (see `genimg.data.folder`).
        size: side in pixels, one of 28, 32, 48, 64 (see `genimg.data.fit` for how it is reached).
        split: "train" or "test"; your own pictures are divided 90 to 10 within each class, unless
            they come in folders for the two.
        full: for the data sets that have a bundled sample: fashion-mnist, portraits, critters. None
            takes the whole set if there is a local copy, else the sample; True downloads or draws
            the whole set if there is none (drawing takes minutes; see `draw_set`); False forces
            the sample. The other data sets are always whole.

    Raises:
        ValueError: an argument is not one of those above, a folder has no usable picture, a local
            file is damaged, a package that draws is not installed, or a plug-in fails.
        OSError: a download or a drawing failed.
    """
    _check_name(name)
    if isinstance(size, bool) or not isinstance(size, (int, np.integer)) or size not in SIZES:
        raise ValueError(f"size must be one of {', '.join(map(str, SIZES))}, not {_shown(size)}")
    if not isinstance(split, str) or split not in SPLITS:
        raise ValueError(f"split must be train or test, not {_shown(split)}")
    if full is not None and not isinstance(full, bool):
        raise ValueError(f"full must be True, False or None, not {_shown(full)}")
    sampled = _sample_counts()
    if full is False and name not in sampled:
        raise ValueError(
            f"full=False asks for a bundled sample, and only {', '.join(sampled)} have one"
        )
    if name.startswith(FOLDER_PREFIX):
        return folder.load_folder(name.removeprefix(FOLDER_PREFIX), size, split)

    facts = _facts(name)
    attributes: dict[str, Attribute] = {}
    local = _find_local(name)
    whole = name not in sampled or full or (full is None and local is not None)
    if facts.design:
        images, attributes = drawn_sets.read(name, split, whole)
        labels = attributes[facts.design.class_attribute].data
    elif facts.read:
        images, labels = plugged_sets.read(name, split)
    elif whole:
        images, labels = torchvision_sets.read(name, split, local)
    else:
        images, labels = bundled.read_sample(split)
    source = _source(name, local) if whole else f"bundled sample of {len(images)}"
    if int(labels.max()) >= len(facts.classes):
        raise ValueError(f"{name} from {source} has labels beyond its {len(facts.classes)} classes")
    images = fit(images, size)
    return Dataset(name, images, labels, facts.classes, source, attributes=attributes)


def describe(name: str) -> dict[str, Any]:
    """Say what a data set is and where `load(name)` would take it from now; downloads nothing.

    Returns:
        A JSON-ready dictionary: name, title, images (a count for "train" and "test", or None where
        a download is needed), size (native side in pixels, None for a folder), channels, classes,
        attributes (for each its values, or [] if it is continuous), license, attribution (what
        the license asks to be said, or ""), homepage, source; for a folder also found, its classes
        and splits in words.

    Raises:
        ValueError: the name is unknown, or a folder has no usable picture.
    """
    _check_name(name)
    if name.startswith(FOLDER_PREFIX):
        told = folder.describe_folder(name.removeprefix(FOLDER_PREFIX))
        return told | {"attributes": {}, "attribution": ""}
    facts = _facts(name)
    local = _find_local(name)
    if facts.read or (local is not None and facts.design):
        images, source = dict(facts.counts), _source(name, local)
    elif local is not None:
        images = {split: torchvision_sets.count(name, split, local) for split in SPLITS}
        source = _source(name, local)
    elif name in _sample_counts():
        images = dict(_sample_counts()[name])
        source = f"bundled sample of {images['train']}"
    else:
        images, source = None, "torchvision download (not fetched yet)"
    kinds = facts.design.attributes if facts.design else {}
    return {
        "name": name,
        "title": facts.title,
        "images": images,
        "size": facts.size,
        "channels": facts.channels,
        "classes": list(facts.classes),
        "attributes": {
            attribute: list(kind.values) if isinstance(kind, Names) else []
            for attribute, kind in kinds.items()
        },
        "license": facts.license,
        "attribution": facts.attribution,
        "homepage": facts.homepage,
        "source": source,
    }


def _sample_counts() -> dict[str, dict[str, int]]:
    """Return how many pictures each split of the samples that ship has, by data set."""
    drawn = dict.fromkeys(drawn_sets.names(), drawn_sets.SAMPLE_COUNTS)
    return {"fashion-mnist": bundled.COUNTS} | drawn


def _find_local(name: str) -> Path | None:
    """Return where the whole of a data set lies on this machine, or None."""
    if _facts(name).read:
        return None  # only its plug-in knows
    if _facts(name).design:
        return drawn_sets.find_local(name)
    return torchvision_sets.find_local(name)


def _source(name: str, local: Path | None) -> str:
    """Return in words where a whole data set comes from."""
    if _facts(name).read:
        return "a plug-in"
    if _facts(name).design:
        return "drawn on this machine"
    return torchvision_sets.describe_source(local)


def _shown(value: object) -> str:
    text = " ".join(reprlib.repr(value).split())
    return text if len(text) <= 80 else text[:80] + " ..."


def _check_name(name: str) -> None:
    if not isinstance(name, str):
        raise ValueError(f"the name of a data set must be a text, not {_shown(name)}")


def _facts(name: str) -> Facts:
    if name.startswith(MEMORY_PREFIX):
        raise ValueError(
            f"the pictures {name} were given in Python and are kept nowhere; give the same ones"
            " again: to genimg.train as dataset, to genimg.explore.evaluating.evaluate_model as"
            " train and test"
        )
    if name not in published():
        raise ValueError(
            f"there is no data set {name!r}; the known ones are {', '.join(names())}, "
            f"and folder:PATH for your own pictures{published().left_out()}"
        )
    return published()[name]
