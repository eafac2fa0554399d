"""Find my picture: the code from which a generator comes as near to a given picture as it can.

Gradient descent on the style, with weights and noise fixed, towards the picture's pixels and its
features (Abdal et al. 2019, Image2StyleGAN, arXiv 1904.03189; Karras et al. 2020, arXiv 1912.04958,
appendix D, whose schedule of a short rise and a cosine descent of the learning rate is used here).
All layers share one style, because that is what sliders move: with a style for each layer pictures
would come a little nearer, but sliders would fit them less. The search begins at the best of many
random codes. For a generator without a mapping network it searches z.

The number of steps decides the result, not the clock: the same arguments find the same code.

Shapes: B pictures, D numbers of a code, C channels, H x W pixels.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from genimg.data.fit import only_pads
from genimg.explore.codes import checked_code, mean_code
from genimg.metrics.features import FeatureNet
from genimg.models.gan import Generator
from genimg.models.mapping import MappedGenerator
from genimg.randomness import generator as random_generator
from genimg.tensors import to_uint8

STEPS = 200
_STARTS = 96  # random codes, of which the best is where the search begins
_AT_ONCE = 32  # of these
_LEARNING_RATE = 0.13  # of the standard deviation of the codes
_RISE = 5  # steps until it is reached
_BETAS = (0.9, 0.99)
_FEATURES = 0.3  # weight beside the pixels, each in units of how much generated pictures vary


@dataclass(frozen=True, slots=True, eq=False)
class Progress:
    """Where a search is.

    Attributes:
        step: how many steps it has done, of `steps`.
        steps: of the whole search.
        picture: uint8 (H, W, C), the best so far.
        error: its root mean square difference from the given one in grey levels, 0 to 255.
    """

    step: int
    steps: int
    picture: np.ndarray
    error: float


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What a search has found.

    Attributes:
        code: float32 (D,), for `GanModel.picture(code=...)`; each number is one of float16.
        label: the class that goes with it, by name; None for a model without classes.
        seed: of the noise that goes with it.
        picture: uint8 (H, W, C), what the model generates from it.
        error: root mean square difference from the given picture in grey levels, 0 to 255.
        steps: how many were done.
        complete: False if the search was stopped before its last step.
    """

    code: np.ndarray
    label: str | None
    seed: int
    picture: np.ndarray
    error: float
    steps: int
    complete: bool


class Search:
    """A search for the codes of pictures, one step at a time; it is stopped by calling no more.

    Args:
        network: the generator; its weights stay as they are.
        target: float (B, C, H, W) in [-1, 1], each searched for by itself; it and the noise are
            on the device of the network, and of its dtype.
        noise: of the generator, for one picture; None for a generator without noise.
        label: the class to search in; None for all, where the generator has classes.
        net: in whose features pictures are compared, beside the pixels; None for pixels only.
        steps, seed: of the search.
    """

    def __init__(
        self,
        network: Generator,
        target: Tensor,
        *,
        noise: list[Tensor] | None,
        label: int | None,
        net: FeatureNet | None,
        steps: int = STEPS,
        seed: int = 0,
    ) -> None:
        self.network, self.target, self.steps, self.step_number = network, target, steps, 0
        self._noise = noise
        self._net = net if net and net.model.config.channels == target.shape[1] else None
        self._wanted = self._features(target)  # (B, F) or None
        codes, labels, pictures = self._candidates(label, seed)
        features = self._features(pictures)
        self._pixel_scale = pictures.var(dim=0).mean().clamp(min=1e-6)
        self._feature_scale = (
            None if features is None else features.var(dim=0).sum().clamp(min=1e-6)
        )
        distances = torch.stack(
            [
                self._loss(
                    pictures - target[i],
                    _minus(features, None if self._wanted is None else self._wanted[i]),
                )
                for i in range(len(target))
            ]
        )  # (B, candidates)
        best = distances.argmin(dim=1)
        self.labels = None if labels is None else labels[best.cpu()]  # (B,)
        self._code = codes[best].clone().requires_grad_(True)  # (B, D)
        self._rate = _LEARNING_RATE * float(codes.std(dim=0).mean())
        self._adam = torch.optim.Adam([self._code], lr=self._rate, betas=_BETAS)
        # The best so far of each picture.
        self._losses = distances.amin(dim=1)  # (B,)
        self._codes, self._pictures = codes[best], pictures[best]

    @property
    def done(self) -> bool:
        """Whether the last step has been done."""
        return self.step_number >= self.steps

    def step(self) -> None:
        """Do one step."""
        with torch.enable_grad():
            rise = min(1.0, (self.step_number + 1) / _RISE)
            fall = 0.5 + 0.5 * np.cos(np.pi * self.step_number / self.steps)
            self._adam.param_groups[0]["lr"] = self._rate * rise * fall
            pictures = self._draw(self._code, self.labels)
            features = self._features(pictures)
            losses = self._loss(pictures - self.target, _minus(features, self._wanted))
            better = losses.detach() < self._losses
            self._losses = torch.where(better, losses.detach(), self._losses)
            self._codes[better] = self._code.detach()[better]
            self._pictures[better] = pictures.detach()[better]
            self._adam.zero_grad()
            losses.sum().backward()
            self._adam.step()
        self.step_number += 1

    def progress(self, index: int = 0) -> Progress:
        """Return where the search for picture `index` is."""
        picture = self._pictures[index]
        error = _error(picture, self.target[index])
        return Progress(self.step_number, self.steps, to_uint8(picture[None])[0], error)

    @torch.inference_mode()
    def found(self, index: int, classes: tuple[str, ...], seed: int) -> Found:
        """Return what has been found for picture `index`."""
        labels = None if self.labels is None else self.labels[index : index + 1]
        mean = mean_code(self.network, labels)
        offset = self._codes[index : index + 1].cpu() - mean
        code = checked_code(offset[0].numpy(), offset.shape[1])
        picture = self._draw(torch.from_numpy(code)[None] + mean, labels)[0]
        return Found(
            code=code,
            label=None if labels is None else classes[int(labels)],
            seed=seed,
            picture=to_uint8(picture[None])[0],
            error=_error(picture, self.target[index]),
            steps=self.step_number,
            complete=self.done,
        )

    @torch.no_grad()
    def _candidates(self, label: int | None, seed: int) -> tuple[Tensor, Tensor | None, Tensor]:
        """Return codes (N, D), their classes (N,), and their pictures (N, C, H, W)."""
        config = self.network.config
        z = torch.randn(
            _STARTS, config.latent_dimensions, generator=random_generator(seed, "starts", 0)
        )
        labels = None
        if config.classes:
            every = torch.arange(_STARTS) % config.classes
            labels = every if label is None else torch.full_like(every, label)
        codes = z
        if isinstance(self.network, MappedGenerator):
            there = None if labels is None else labels.to(self.target.device)
            codes = self.network.map(z.to(self.target), there)
        codes = codes.to(self.target.device).float()
        parts = [
            self._draw(codes[rows], None if labels is None else labels[rows])
            for rows in torch.arange(_STARTS).split(_AT_ONCE)
        ]
        return codes, labels, torch.cat(parts)

    def _draw(self, code: Tensor, labels: Tensor | None) -> Tensor:
        code = code.to(self.target)
        if not isinstance(self.network, MappedGenerator):
            return self.network(code, None if labels is None else labels.to(code.device)).float()
        noise = self._noise and [layer.expand(len(code), -1, -1, -1) for layer in self._noise]
        return self.network.synthesise(code, noise).float()

    def _features(self, pictures: Tensor) -> Tensor | None:
        if self._net is None:
            return None
        size, wanted = pictures.shape[-1], self._net.model.config.size
        if only_pads(size, wanted):  # as the data loader brings pictures there
            before = (wanted - size) // 2
            after = wanted - size - before
            pictures = F.pad(pictures, (before, after, before, after), value=-1.0)
        else:
            pictures = F.interpolate(pictures, size=(wanted, wanted), mode="area")
        judged = pictures.float().to(next(self._net.model.parameters()).device)
        features = [self._net.model.features(part) for part in judged.split(_AT_ONCE)]
        return torch.cat(features).to(pictures.device)

    def _loss(self, pixels: Tensor, features: Tensor | None) -> Tensor:
        """Return the loss (B,) of differences of pixels (B, C, H, W) and features (B, F)."""
        loss = pixels.square().mean(dim=(1, 2, 3)) / self._pixel_scale
        if features is None or self._feature_scale is None:
            return loss
        return loss + _FEATURES * features.square().sum(dim=1) / self._feature_scale


def _minus(features: Tensor | None, wanted: Tensor | None) -> Tensor | None:
    """Return how far features are off; None without a network that has them."""
    return None if features is None or wanted is None else features - wanted


def run(
    search: Search,
    seconds: float | None = None,
    on_progress: Callable[[Progress], object] | None = None,
) -> None:
    """Do the steps of a search.

    Args:
        seconds: begin no step after so long; None for no limit.
        on_progress: told of each step; where it returns False, no other step follows.
    """
    begun = time.monotonic()
    while not search.done:
        if seconds is not None and time.monotonic() - begun >= seconds:
            return
        search.step()
        if on_progress is not None and on_progress(search.progress()) is False:
            return


def _error(picture: Tensor, target: Tensor) -> float:
    return float((picture - target).square().mean().sqrt()) * 127.5
