"""Architectures: torch in, torch out. One file each, readable in one sitting."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import nn

from genimg.configuration import Configuration
from genimg.models.attribute_classifier import AttributeClassifier, AttributeClassifierConfig
from genimg.models.classifier import Classifier, ClassifierConfig
from genimg.models.dcgan import DcganConfig, DcganDiscriminator, DcganGenerator
from genimg.models.drawer import Drawer, DrawerConfig
from genimg.models.gan import Gan
from genimg.models.mlp_gan import MlpDiscriminator, MlpGanConfig, MlpGenerator
from genimg.models.style_dcgan import (
    PlainDiscriminator,
    StyleDcganConfig,
    StyleDcganGenerator,
)
from genimg.models.stylegan import ProjectionDiscriminator, StyleGanConfig, StyleGenerator
from genimg.models.tokenizer import FsqTokenizer, FsqTokenizerConfig
from genimg.models.vision_transformer import VisionTransformer, VisionTransformerConfig


@dataclass(frozen=True, slots=True)
class Kind:
    """One architecture: how to configure it, how to build it, how it is trained and used.

    Attributes:
        task: a key of `genimg.training.spec.TASKS`.
        use: a key of `genimg.explore.uses.USES`.
    """

    config: type[Configuration]
    build: Callable[[Any], nn.Module]
    task: str
    use: str


KINDS: dict[str, Kind] = {
    "mlp-gan": Kind(
        MlpGanConfig, lambda config: Gan(config, MlpGenerator, MlpDiscriminator), "gan", "gan"
    ),
    "dcgan": Kind(
        DcganConfig, lambda config: Gan(config, DcganGenerator, DcganDiscriminator), "gan", "gan"
    ),
    "stylegan": Kind(
        StyleGanConfig,
        lambda config: Gan(config, StyleGenerator, ProjectionDiscriminator),
        "gan",
        "gan",
    ),
    "style-dcgan": Kind(
        StyleDcganConfig,
        lambda config: Gan(config, StyleDcganGenerator, PlainDiscriminator),
        "gan",
        "gan",
    ),
    "classifier": Kind(ClassifierConfig, Classifier, "classifier", "classifier"),
    "attribute-classifier": Kind(
        AttributeClassifierConfig, AttributeClassifier, "attributes", "attributes"
    ),
    "vision-transformer": Kind(VisionTransformerConfig, VisionTransformer, "classifier", "vision"),
    "fsq-tokenizer": Kind(FsqTokenizerConfig, FsqTokenizer, "tokenizer", "tokenizer"),
    "image-gpt": Kind(DrawerConfig, Drawer, "prior", "drawer"),
}


def kind_named(name: str) -> Kind:
    """Return the architecture `name`; ValueError lists the known ones."""
    if name not in KINDS:
        raise ValueError(f"there is no model kind {name!r}; the kinds are {', '.join(KINDS)}")
    return KINDS[name]
