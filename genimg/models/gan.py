"""A generator and its discriminator under one roof."""

from collections.abc import Callable

from torch import nn

from genimg.configuration import Configuration


class Gan(nn.Module):
    """What a GAN's checkpoint holds.

    Attributes:
        generator: labels and random numbers to pictures.
        discriminator: pictures to logits; set to None where a checkpoint ships without it.
    """

    def __init__(
        self,
        config: Configuration,
        generator: Callable[[Configuration], nn.Module],
        discriminator: Callable[[Configuration], nn.Module],
    ) -> None:
        super().__init__()
        self.config = config
        self.generator = generator(config)
        self.discriminator = discriminator(config)
