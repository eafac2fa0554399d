"""What a GAN can do with a picture from elsewhere: find its code, or training pictures like it."""

import copy
from collections.abc import Callable
from typing import Self

import numpy as np
import torch
from torch import Tensor

from genimg.checkpoints import Checkpoint
from genimg.checks import check_seed, is_whole, require_number, require_whole_number, shown
from genimg.explore.arguments import class_number, one_picture
from genimg.explore.inversion import STEPS, Found, Progress, Search, run
from genimg.explore.loaded import LoadedModel
from genimg.explore.local_data import feature_net
from genimg.explore.neighbours import Neighbours, training_pictures
from genimg.models.mapping import MappedGenerator
from genimg.randomness import generator


class Finder(LoadedModel):
    """A generator that can be asked about pictures from elsewhere.

    Attributes:
        generator, discriminator: the PyTorch modules, parts of `module`; the discriminator is None
            where a checkpoint ships without one.
        noise: of its pictures; see `with_noise`.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__(checkpoint)
        self.noise: int | str = "own"
        self.generator = checkpoint.model.generator
        self.discriminator = checkpoint.model.discriminator

    def with_noise(self, noise: int | str) -> Self:
        """Return this model, its weights shared, with other noise in each layer.

        A model without a mapping network has no noise, so nothing changes.

        Args:
            noise: "own", where the seed of a picture decides its noise; "off" for none; or a seed,
                0 to 2^32 - 1, whose noise it then is in the place of a picture's own.

        Raises:
            ValueError: it is none of these.
        """
        if is_whole(noise):
            check_seed(int(noise))
        elif not isinstance(noise, str) or noise not in ("own", "off"):
            raise ValueError(f"noise must be own, off or a seed, not {shown(noise)}")
        other = copy.copy(self)
        other.noise = noise if isinstance(noise, str) else int(noise)
        return other

    def nearest(self, picture: np.ndarray, count: int = 5, by: str = "pixels") -> Neighbours:
        """Return the training pictures nearest to a picture, and how near unseen real ones come.

        All training pictures that are on this machine are searched; nothing is downloaded. The
        first call reads them, which takes seconds.

        Args:
            picture: uint8 (H, W, C), of the model's size and channels.
            count: how many, 1 to as many as there are.
            by: "pixels", or "features" for data sets with a feature net.

        Raises:
            ValueError: an argument is out of range, or the pictures are not on this machine.
        """
        one_picture(picture, self.config, self.name)
        known = training_pictures(self.info.get("dataset"), self.config.size)
        return known.nearest(picture, count, by)

    def search(
        self,
        pictures: np.ndarray,
        *,
        label: str | int | None = None,
        steps: int = STEPS,
        seed: int = 0,
    ) -> Search:
        """Return the search of `invert` for pictures uint8 (N, H, W, C), before its first step."""
        check_seed(seed)
        require_whole_number("steps", steps, 1, 10_000)
        number = None if label is None else class_number(label, self.classes, self.name)
        noise = self._noise(seed, range(1))
        return Search(
            self.generator,
            self._input(pictures),
            noise=noise and [self.here(layer) for layer in noise],
            label=number,
            net=feature_net(self.info.get("dataset")),
            steps=steps,
            seed=seed,
        )

    def invert(
        self,
        picture: np.ndarray,
        *,
        label: str | int | None = None,
        steps: int = STEPS,
        seconds: float | None = None,
        seed: int = 0,
        on_progress: Callable[[Progress], object] | None = None,
    ) -> Found:
        """Find the code from which the model comes as near to a picture as it can.

        `picture(code=found.code, label=found.label, seed=found.seed)` makes it again, moved as you
        like. Method and sources: `genimg.explore.inversion`.

        Args:
            picture: uint8 (H, W, C), of the model's size and channels.
            label: search in this class, by name or number; None begins in whichever fits best.
            steps: of the search, 1 to 10,000; they decide the result, not the clock.
            seconds: stop after so long, with what was found by then (`complete` is then False).
            seed: of the codes to begin with, and of the noise.
            on_progress: told of each step; where it returns False, the search stops.

        Raises:
            ValueError: an argument is out of range, or the picture is not one of this size.
        """
        one_picture(picture, self.config, self.name)
        if seconds is not None:
            require_number("seconds", seconds, 0, 86_400)
        search = self.search(picture[None], label=label, steps=steps, seed=seed)
        run(search, seconds, on_progress)
        return search.found(0, self.classes, seed)

    def _noise(self, seed: int, rows: range) -> list[Tensor] | None:
        """Return the noise of samples `rows` of a seed, a tensor (rows, 1, H, W) for each layer."""
        if not isinstance(self.generator, MappedGenerator) or self.noise == "off":
            return None
        seed = seed if self.noise == "own" else int(self.noise)
        drawn = [self.generator.draw_noise(1, generator(seed, "noise", i)) for i in rows]
        return [torch.cat(layer) for layer in zip(*drawn, strict=True)]
