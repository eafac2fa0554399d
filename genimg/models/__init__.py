"""Architectures: torch in, torch out. One file each, readable in one sitting."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from genimg.configuration import Configuration
from genimg.models.classifier import Classifier, ClassifierConfig
from genimg.models.dcgan import DcganConfig, DcganDiscriminator, DcganGenerator
from genimg.models.gan import Gan
from genimg.models.mlp_gan import MlpDiscriminator, MlpGanConfig, MlpGenerator
from genimg.models.stylegan import ProjectionDiscriminator, StyleGanConfig, StyleGenerator


@dataclass(frozen=True, slots=True)
class Kind:
    """One architecture: how to configure it, how to build it, how it is trained."""

    config: type[Configuration]
    build: Callable[[Configuration], nn.Module]
    task: str


KINDS: dict[str, Kind] = {
    "mlp-gan": Kind(
        MlpGanConfig, lambda config: Gan(config, MlpGenerator, MlpDiscriminator), "gan"
    ),
    "dcgan": Kind(
        DcganConfig, lambda config: Gan(config, DcganGenerator, DcganDiscriminator), "gan"
    ),
    "stylegan": Kind(
        StyleGanConfig, lambda config: Gan(config, StyleGenerator, ProjectionDiscriminator), "gan"
    ),
    "classifier": Kind(ClassifierConfig, Classifier, "classifier"),
}


def kind_named(name: str) -> Kind:
    """Return the architecture `name`; ValueError lists the known ones."""
    if name not in KINDS:
        raise ValueError(f"there is no model kind {name!r}; the kinds are {', '.join(KINDS)}")
    return KINDS[name]
