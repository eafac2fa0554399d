"""One small convolutional network that names every attribute of a picture at once.

Each stage halves the picture by a 4x4 convolution and looks again with a 3x3 one, both with batch
normalisation (Ioffe and Szegedy 2015, arXiv 1502.03167); global average pooling gives the features
in which sets of such pictures are compared, and one linear layer reads all attributes off them.

An attribute with names has one logit for each. One that is a number in [0, 1] has two outputs, a
point on the unit circle: the number is an angle, of a full turn where 1 is the same as 0 (a hue),
of half a turn otherwise. So every attribute has a confidence: the largest probability, or how far
from the centre the point lies, since a network that hesitates between answers gives their mean.

Shapes: B batch, C channels, H x W pixels, F features, O outputs of all attributes.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from genimg.configuration import Configuration, setting

NUMBER, CYCLIC = "number", "cyclic"
_MOST_VALUES = 100
_STAGE_LAYERS = 6  # two convolutions, each with batch norm and ReLU
_TEXTURE_STAGES = 2


@dataclass(frozen=True, slots=True)
class AttributeHead:
    """What the network says about one attribute.

    Attributes:
        name: of the attribute.
        values: the names of its values, in the order of their logits; () for a number in [0, 1].
        cyclic: whether 1 is the same as 0.
    """

    name: str
    values: tuple[str, ...] = ()
    cyclic: bool = False

    @property
    def outputs(self) -> int:
        """How many outputs of the network are about it."""
        return len(self.values) or 2

    @property
    def turns(self) -> float:
        """The part of a full turn that a number from 0 to 1 takes."""
        return 1.0 if self.cyclic else 0.5

    def __str__(self) -> str:
        """Return the text that a configuration holds; `read_head` undoes it."""
        number = CYCLIC if self.cyclic else NUMBER
        return f"{self.name}: {', '.join(self.values) or number}"


def read_head(text: str) -> AttributeHead:
    """Return what a text such as "hair: long, bob", "size: number" or "hue: cyclic" describes.

    Raises:
        ValueError: it is not of that form; the sentence shows it.
    """
    name, _, rest = text.partition(":")
    name, values = name.strip(), tuple(value.strip() for value in rest.split(","))
    if values in ((NUMBER,), (CYCLIC,)):
        values, cyclic = (), values == (CYCLIC,)
    else:
        cyclic = False
    words = (name, *values)
    good = text.isprintable() and all(words) and len(set(values)) == len(values)
    if not good or len(values) == 1 or len(values) > _MOST_VALUES:
        raise ValueError(
            f"attributes has {text[:60]!r}; write NAME: VALUE, VALUE, ... with 2 to {_MOST_VALUES}"
            f" different values, or NAME: {NUMBER}, or NAME: {CYCLIC}"
        )
    return AttributeHead(name, values, cyclic)


@dataclass(frozen=True, kw_only=True, slots=True)
class AttributeClassifierConfig(Configuration):
    """Architecture of the network, and what its outputs mean."""

    size: int = setting(64, "Height and width of the pictures, in pixels.", low=16, high=64)
    channels: int = setting(3, "Colour channels of the pictures.", choices=(1, 3))
    attributes: tuple[str, ...] = setting(
        ("shape: round, square", "size: number", "hue: cyclic"),
        "What the network tells: NAME: VALUE, VALUE, ... or NAME: number or NAME: cyclic.",
    )
    widths: tuple[int, ...] = setting(
        (32, 64, 128, 128),
        "Channels of each stage, two at least; the last is the length of the features.",
        low=4,
        high=1024,
    )

    def __post_init__(self) -> None:
        """Check each field, then the attributes, and that pixels are left after all halvings."""
        Configuration.__post_init__(self)
        names = [head.name for head in self.heads()]
        if len(set(names)) < len(names):
            raise ValueError(f"attributes must have different names, not {', '.join(names)}")
        if len(self.widths) < _TEXTURE_STAGES:
            raise ValueError(f"widths must have at least {_TEXTURE_STAGES} entries")
        if self.size < 2 ** len(self.widths):
            raise ValueError(
                f"widths has {len(self.widths)} entries, so size {self.size} would shrink to"
                " nothing; use fewer stages or larger pictures"
            )

    def heads(self) -> tuple[AttributeHead, ...]:
        """Return what the outputs are about, in their order."""
        return tuple(map(read_head, self.attributes))


class AttributeClassifier(nn.Module):
    """Pictures (B, C, H, W) in [-1, 1] to the outputs (B, O) of all attributes side by side."""

    def __init__(self, config: AttributeClassifierConfig) -> None:
        super().__init__()
        self.config = config
        layers: list[nn.Module] = []
        inputs = config.channels
        for width in config.widths:
            layers += [nn.Conv2d(inputs, width, 4, stride=2, padding=1, bias=False)]  # H/2, W/2
            layers += [nn.BatchNorm2d(width), nn.ReLU()]
            layers += [nn.Conv2d(width, width, 3, padding=1, bias=False)]
            layers += [nn.BatchNorm2d(width), nn.ReLU()]
            inputs = width
        self.body = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())  # (B, F)
        self.head = nn.Linear(inputs, sum(head.outputs for head in config.heads()))

    def features(self, images: Tensor) -> Tensor:
        """Return the features (B, F) before the last layer; all are at least 0."""
        return self.body(images)

    def texture(self, images: Tensor) -> Tensor:
        """Return what the first two stages see anywhere in a picture, (B, 2 widths of each).

        The mean and the standard deviation of each of their channels over all places. The last
        features know what a picture shows, and take a blurred one, or the mean of all, for it;
        these know how it is drawn.
        """
        found, x = [], images
        for start in range(0, _TEXTURE_STAGES * _STAGE_LAYERS, _STAGE_LAYERS):
            x = self.body[start : start + _STAGE_LAYERS](x)  # (B, width, H/2, W/2)
            found += [x.mean(dim=(2, 3)), x.std(dim=(2, 3))]
        return torch.cat(found, dim=1)

    def forward(self, images: Tensor) -> Tensor:
        """Return the outputs (B, O): logits of names, points (cosine, sine) of numbers."""
        return self.head(self.features(images))
