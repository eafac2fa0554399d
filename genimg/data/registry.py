"""What a data set is once loaded, and the facts about the published ones."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch

SPLITS = ("train", "test")


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

    def __len__(self) -> int:
        return len(self.images)

    def pictures(self) -> np.ndarray:
        """Return the images as `genimg.render` and the models take them, uint8 (N, H, W, C)."""
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
    """Images in each split."""
    license: str
    homepage: str


@cache
def published() -> dict[str, Facts]:
    """Return the published data sets by name; the order of `classes` is the order of the labels."""
    digits = tuple("0123456789")
    mnist_counts = {"train": 60_000, "test": 10_000}
    return {
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
