"""A small convolutional classifier whose penultimate features are the project's yardstick.

Three stages of two 3x3 convolutions with batch normalisation (Ioffe and Szegedy 2015,
arXiv 1502.03167), global average pooling, and one linear layer. Distances between sets of pictures
are measured on the vector before that layer; see `genimg.metrics`.

Shapes: B batch, C channels, H x W pixels, F features, K classes.
"""

from dataclasses import dataclass
from typing import Any, Protocol

from torch import Tensor, nn

from genimg.configuration import Configuration, setting


@dataclass(frozen=True, kw_only=True, slots=True)
class ClassifierConfig(Configuration):
    """Architecture of the classifier."""

    size: int = setting(32, "Height and width of the pictures, in pixels.", low=16, high=64)
    channels: int = setting(1, "Colour channels of the pictures.", choices=(1, 3))
    classes: int = setting(10, "Number of classes.", low=2, high=1000)
    widths: tuple[int, ...] = setting(
        (32, 64, 128),
        "Channels of each stage; the last is the length of the features.",
        low=4,
        high=1024,
    )

    def __post_init__(self) -> None:
        """Check each field, then that pixels are left after the last halving."""
        Configuration.__post_init__(self)
        if self.size < 2 ** (len(self.widths) - 1):
            raise ValueError(
                f"widths has {len(self.widths)} entries, so size {self.size} would shrink to"
                " nothing; use fewer stages or larger pictures"
            )


class Recogniser(Protocol):
    """A module whose last hidden layer may serve as a yardstick; `Classifier` is one.

    One that names attributes also has `texture`, see `AttributeClassifier`.
    """

    head: nn.Module

    def eval(self) -> Any:
        """Return itself in evaluation mode."""

    def features(self, images: Tensor) -> Tensor:
        """Return the features (B, F) of pictures (B, C, H, W) in [-1, 1] that `head` reads."""

    def __call__(self, images: Tensor) -> Tensor:
        """Return the logits (B, K) of classes, or the outputs (B, O) about attributes."""


class Classifier(nn.Module):
    """Pictures (B, C, H, W) in [-1, 1] to class logits (B, K)."""

    def __init__(self, config: ClassifierConfig) -> None:
        super().__init__()
        self.config = config
        layers: list[nn.Module] = []
        inputs = config.channels
        for index, width in enumerate(config.widths):
            if index:
                layers.append(nn.MaxPool2d(2))  # (B, width, H/2, W/2)
            for _ in range(2):
                layers += [nn.Conv2d(inputs, width, 3, padding=1, bias=False)]
                layers += [nn.BatchNorm2d(width), nn.ReLU()]
                inputs = width
        self.body = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())  # (B, F)
        self.head = nn.Linear(inputs, config.classes)

    def features(self, images: Tensor) -> Tensor:
        """Return the features (B, F) before the last layer; all are at least 0."""
        return self.body(images)

    def forward(self, images: Tensor) -> Tensor:
        """Return class logits (B, K)."""
        return self.head(self.features(images))
