"""A generator and its discriminator under one roof."""

from collections.abc import Callable

from torch import nn

from genimg.configuration import Configuration


class Gan(nn.Module):
    """What a GAN's checkpoint holds: `generator` and, unless it was left out, `discriminator`."""

    def __init__(
        self,
        config: Configuration,
        generator: Callable[[Configuration], nn.Module],
        discriminator: Callable[[Configuration], nn.Module] | None,
    ) -> None:
        super().__init__()
        self.config = config
        self.generator = generator(config)
        self.discriminator = discriminator(config) if discriminator else None
