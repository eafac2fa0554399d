"""Data sets as tensors: one call gives pictures, labels and class names.

    from genimg import data
    train = data.load("fashion-mnist", size=32)
    train.images, train.labels, train.classes     # uint8 (12000, 1, 32, 32), int64 (12000,), names

Fashion-MNIST works without a network: a sample ships with the package, and the whole set is used
where a local copy is found. The other published sets are downloaded once by torchvision.
`folder:PATH` reads your own pictures, one folder per class.
"""

from genimg.data import bundled, folder, torchvision_sets
from genimg.data.fit import SIZES, fit
from genimg.data.registry import SPLITS, Dataset, published

__all__ = ["Dataset", "describe", "load", "names"]

FOLDER_PREFIX = "folder:"


def names() -> tuple[str, ...]:
    """Return the names of the published data sets that `load` knows."""
    return tuple(published())


def load(name: str, size: int = 32, split: str = "train", *, full: bool | None = None) -> Dataset:
    """Load one split of a data set, every picture `size` pixels square.

    Args:
        name: one of `names()`, or "folder:PATH" for your own pictures (see `genimg.data.folder`).
        size: side in pixels, one of 28, 32, 48, 64 (see `genimg.data.fit` for how it is reached).
        split: "train" or "test"; a folder is divided 90 to 10 in every class.
        full: for fashion-mnist. None takes the whole set if a local copy exists, else the bundled
            sample, and never downloads; True downloads it when there is no local copy; False
            forces the bundled sample. The other data sets are always whole.

    Raises:
        ValueError: an argument is not one of those above, a folder has no usable picture, or a
            local file is damaged.
        OSError: a download failed.
    """
    if size not in SIZES:
        raise ValueError(f"size must be one of {', '.join(map(str, SIZES))}, not {size!r}")
    if split not in SPLITS:
        raise ValueError(f"split must be train or test, not {split!r}")
    if full is False and name != "fashion-mnist":
        raise ValueError("full=False asks for a bundled sample, and only fashion-mnist has one")
    if name.startswith(FOLDER_PREFIX):
        return folder.load_folder(name.removeprefix(FOLDER_PREFIX), size, split)

    facts = _facts(name)
    local = torchvision_sets.find_local(name)
    if name == "fashion-mnist" and (full is False or (full is None and local is None)):
        images, labels = bundled.read_sample(split)
        source = f"bundled sample of {len(images)}"
    else:
        images, labels = torchvision_sets.read(name, split, local)
        source = torchvision_sets.describe_source(local)
    if int(labels.max()) >= len(facts.classes):
        raise ValueError(f"{name} from {source} has labels beyond its {len(facts.classes)} classes")
    return Dataset(name, fit(images, size), labels, facts.classes, source)


def describe(name: str) -> dict:
    """Say what a data set is and where `load(name)` would take it from now; downloads nothing.

    Returns:
        A JSON-ready dictionary: name, title, images (a count for "train" and "test", or None where
        a download is needed), size (native side in pixels, None for a folder), channels, classes,
        license, homepage, source.

    Raises:
        ValueError: the name is unknown, or a folder has no usable picture.
    """
    if name.startswith(FOLDER_PREFIX):
        return folder.describe_folder(name.removeprefix(FOLDER_PREFIX))
    facts = _facts(name)
    local = torchvision_sets.find_local(name)
    if local is not None:
        images = {split: torchvision_sets.count(name, split, local) for split in SPLITS}
        source = torchvision_sets.describe_source(local)
    elif name == "fashion-mnist":
        images, source = dict(bundled.COUNTS), f"bundled sample of {bundled.COUNTS['train']}"
    else:
        images, source = None, "torchvision download (not fetched yet)"
    return {
        "name": name,
        "title": facts.title,
        "images": images,
        "size": facts.size,
        "channels": facts.channels,
        "classes": list(facts.classes),
        "license": facts.license,
        "homepage": facts.homepage,
        "source": source,
    }


def _facts(name: str):
    if name not in published():
        raise ValueError(
            f"there is no data set {name!r}; the known ones are {', '.join(names())}, "
            "and folder:PATH for your own pictures"
        )
    return published()[name]
