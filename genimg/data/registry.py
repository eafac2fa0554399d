"""What a data set is once it is loaded, and the facts about the published ones."""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Self

import numpy as np
import torch

from genimg.checks import shown
from genimg.data.attributes import Attribute, take
from genimg.data.critters import CRITTERS
from genimg.data.drawing import Design
from genimg.data.portraits import PORTRAITS
from genimg.tables import Table

SPLITS = ("train", "test")
DRAWN_SIZE = 64
"""Side in pixels at which `portraits` and `critters` are drawn and kept."""


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """One split of a data set, wholly in memory."""

    name: str
    """The name it was loaded by."""
    images: torch.Tensor
    """uint8 (N, C, H, W), C = 1 (grey) or 3 (RGB), H = W."""
    labels: torch.Tensor
    """int64 (N,), each an index into `classes`."""
    classes: tuple[str, ...]
    """Class names, in label order; the same for both splits."""
    source: str
    """Where the pictures came from, for people to read."""
    skipped: tuple[tuple[str, str], ...] = ()
    """(file, reason) for each file of a folder that was not used."""
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    """What is known about every picture, by name; empty for most data sets."""

    def __post_init__(self) -> None:
        """Raise ValueError if an attribute does not have one value for each picture."""
        for name, attribute in self.attributes.items():
            if len(attribute) != len(self.images):
                raise ValueError(
                    f"the attribute {name!r} has {len(attribute)} values for {len(self.images)}"
                    " pictures; use Dataset.subset to choose some of the pictures"
                )

    def subset(self, chosen: torch.Tensor | slice) -> Self:
        """Return some of the pictures, with their labels and attributes.

        Args:
            chosen: a slice, int64 indices (M,), or bool (N,).
        """
        return replace(
            self,
            images=self.images[chosen],
            labels=self.labels[chosen],
            attributes=take(self.attributes, chosen),
        )

    def __repr__(self) -> str:
        colour = "grey" if self.channels == 1 else "colour"
        count = len(self.attributes)
        known = f", {count} attribute{'s' * (count > 1)}" if count else ""
        return (
            f"<Dataset {shown(self.name)}: {len(self):,} pictures of {self.size} x {self.size}"
            f" {colour} pixels, {len(self.classes)} classes{known}>"
        )

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        """Return one picture, uint8 (C, H, W), and its label, as a torch `DataLoader` takes them.

        Raises:
            IndexError: there is no such picture.
            TypeError: `index` is not a whole number.
        """
        try:
            row = operator.index(index)
        except TypeError:
            raise TypeError(
                "a data set is indexed by one whole number; Dataset.subset chooses several pictures"
            ) from None
        if not -len(self) <= row < len(self):
            raise IndexError(f"there are {len(self)} pictures, and none is number {row}")
        return self.images[row], int(self.labels[row])

    def pictures(self) -> np.ndarray:
        """Return the pictures as `genimg.render` and the models take them, uint8 (N, H, W, C)."""
        return self.images.permute(0, 2, 3, 1).numpy()

    @property
    def channels(self) -> int:
        """1 for grey pictures, 3 for RGB."""
        return self.images.shape[1]

    @property
    def size(self) -> int:
        """Side of the square pictures in pixels."""
        return self.images.shape[-1]


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """What its authors say about a published data set."""

    title: str
    classes: tuple[str, ...]
    size: int
    """Native side in pixels."""
    channels: int
    counts: dict[str, int]
    """Number of pictures in each split."""
    license: str
    homepage: str
    attribution: str = ""
    """What must be said where the pictures, or models trained on them, are published."""
    design: Design | None = None
    """How the pictures are drawn, if they are."""
    read: Callable[[str], tuple[Any, Any]] | None = None
    """Returns the pictures and the labels of a split, for a data set that a plug-in brings."""


@cache
def published() -> Table[Facts]:
    """Return the published data sets by name; their `classes` are in the order of the labels."""
    digits = tuple("0123456789")
    mnist_counts = {"train": 60_000, "test": 10_000}
    drawn_counts = {"train": 24_000, "test": 4_000}
    ours = {
        "fashion-mnist": Facts(
            title="Fashion-MNIST: grey pictures of clothes",
            classes=(
                *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
                *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
            ),
            size=28,
            channels=1,
            counts=mnist_counts,
            license="MIT",
            homepage="github.com/zalandoresearch/fashion-mnist",
        ),
        "portraits": Facts(
            title="Portraits: drawn people in colour, each attribute known",
            classes=PORTRAITS.classes,
            size=DRAWN_SIZE,
            channels=3,
            counts=drawn_counts,
            license="CC BY 4.0",
            homepage="www.dicebear.com/styles/micah",
            attribution=(
                'Remix of "Avatar Illustration System"'
                " (https://www.figma.com/community/file/829741575478342595) by Micah Lanier,"
                " licensed under CC BY 4.0 (https://creativecommons.org/licenses/by/4.0/)"
            ),
            design=PORTRAITS,
        ),
        "critters": Facts(
            title="Critters: drawn monsters in colour, each attribute known",
            classes=CRITTERS.classes,
            size=DRAWN_SIZE,
            channels=3,
            counts=drawn_counts,
            license="CC0 1.0",
            homepage="www.dicebear.com/styles/critters",
            design=CRITTERS,
        ),
        "mnist": Facts(
            title="MNIST: handwritten digits",
            classes=digits,
            size=28,
            channels=1,
            counts=mnist_counts,
            license="CC BY-SA 3.0",
            homepage="yann.lecun.com/exdb/mnist",
        ),
        "kmnist": Facts(
            title="Kuzushiji-MNIST: cursive Japanese characters",
            classes=("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
            size=28,
            channels=1,
            counts=mnist_counts,
            license="CC BY-SA 4.0",
            homepage="github.com/rois-codh/kmnist",
        ),
        "cifar10": Facts(
            title="CIFAR-10: small colour photographs",
            classes=(
                *("airplane", "automobile", "bird", "cat", "deer"),
                *("dog", "frog", "horse", "ship", "truck"),
            ),
            size=32,
            channels=3,
            counts={"train": 50_000, "test": 10_000},
            license="not stated by its authors",
            homepage="www.cs.toronto.edu/~kriz/cifar.html",
        ),
        "svhn": Facts(
            title="SVHN: house numbers in street photographs",
            classes=digits,
            size=32,
            channels=3,
            counts={"train": 73_257, "test": 26_032},
            license="non-commercial use only",
            homepage="ufldl.stanford.edu/housenumbers",
        ),
    }
    return Table(ours)


def design_of(name: str) -> Design:
    """Return how the pictures of a drawn data set are drawn."""
    design = published()[name].design
    assert design is not None, f"{name} is not drawn"
    return design
