"""Architectures: torch in, torch out. One file each, readable in one sitting."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import nn

from genimg.configuration import Configuration
from genimg.models.attribute_classifier import AttributeClassifier, AttributeClassifierConfig
from genimg.models.classifier import Classifier, ClassifierConfig
from genimg.models.dcgan import DcganConfig, DcganDiscriminator, DcganGenerator
from genimg.models.drawer import (
    Drawer,
    DrawerConfig,
    MaskedDrawer,
    MaskedDrawerConfig,
    PixelDrawerConfig,
)
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
from genimg.tables import Table


@dataclass(frozen=True, slots=True)
class Kind:
    """One architecture: how to configure it, how to build it, how it is trained and used.

    Attributes:
        task: a key of `genimg.training.spec.TASKS`.
        use: a key of `genimg.explore.uses.USES`.
        bytes_per_pixel: how much the peak memory of a worker grew for each pixel of a larger batch,
            in float32.
        bfloat16: whether its training is faster in bfloat16 where the processor has it.
    """

    config: type[Configuration]
    build: Callable[[Any], nn.Module]
    task: str
    use: str
    bytes_per_pixel: int = 5_200
    bfloat16: bool = True


# Transformers gain nothing by bfloat16: between their small matrices PyTorch converts back and
# forth. Measured on a thread with avx512_bf16, as multiples of the speed in float32: vision
# Transformer 0.6, image GPT 0.95 to 1.4; classifier, tokenizer and GANs 1.5 to 2, and 1.05 where
# penalties stay in float32.
KINDS: Table[Kind] = Table(
    {
        "mlp-gan": Kind(
            MlpGanConfig,
            lambda config: Gan(config, MlpGenerator, MlpDiscriminator),
            "gan",
            "gan",
            bytes_per_pixel=100,
        ),
        "dcgan": Kind(
            DcganConfig,
            lambda config: Gan(config, DcganGenerator, DcganDiscriminator),
            "gan",
            "gan",
            bytes_per_pixel=500,
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
        "classifier": Kind(
            ClassifierConfig, Classifier, "classifier", "classifier", bytes_per_pixel=2_000
        ),
        "attribute-classifier": Kind(
            AttributeClassifierConfig,
            AttributeClassifier,
            "attributes",
            "attributes",
            bytes_per_pixel=350,
        ),
        "vision-transformer": Kind(
            VisionTransformerConfig,
            VisionTransformer,
            "classifier",
            "vision",
            bytes_per_pixel=3_800,
            bfloat16=False,
        ),
        "fsq-tokenizer": Kind(
            FsqTokenizerConfig, FsqTokenizer, "tokenizer", "tokenizer", bytes_per_pixel=2_800
        ),
        "image-gpt": Kind(DrawerConfig, Drawer, "prior", "drawer", bfloat16=False),
        "pixel-gpt": Kind(
            PixelDrawerConfig,
            Drawer,
            "pixels",
            "drawer",
            bytes_per_pixel=86_000,  # a pixel is a token, with its activations in each layer
            bfloat16=False,
        ),
        "maskgit": Kind(
            MaskedDrawerConfig, MaskedDrawer, "masked-prior", "masked-drawer", bfloat16=False
        ),
    }
)


def kind_named(name: str) -> Kind:
    """Return the architecture `name`; ValueError lists the known ones."""
    if name not in KINDS:
        known = f"the kinds are {', '.join(KINDS)}"
        raise ValueError(f"there is no model kind {name!r}; {known}{KINDS.left_out()}")
    return KINDS[name]
