"""Moving through the latent space of a GAN.

A *code* is where a picture comes from: the style w for a generator with a mapping network, the
latent vector z for one without. Directions, truncation and neighbours are all moves of the code.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from genimg import trails
from genimg.checkpoints import Checkpoint
from genimg.checks import require_choice, require_flag, require_number, require_whole_number
from genimg.explore.arguments import (
    Label,
    check_amounts,
    check_count,
    check_directions,
    check_latents,
    check_seeds,
    class_number,
    class_numbers,
)
from genimg.explore.codes import checked_code, mean_code
from genimg.explore.finding import Finder
from genimg.explore.latents import near, seed_latents
from genimg.explore.outputs import Output, Pictures, as_output, check_output
from genimg.explore.paths import path_through
from genimg.explore.presenting import sheet
from genimg.models.mapping import MappedGenerator
from genimg.randomness import generator
from genimg.tensors import to_uint8

_BATCH = 250


class GanModel(Finder):
    """A trained GAN, ready to use.

    Attributes:
        spaces: in which spaces it can interpolate: ("z",) or ("z", "w").
        named_directions: the directions that have names, in their order; for each, by how many
            standard deviations it moves every measured property, by the property's name.
        trail: after how many pictures of its training there are snapshots; see `at`.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__(checkpoint)
        self.spaces = ("z", "w") if isinstance(self.generator, MappedGenerator) else ("z",)
        self.named_directions: dict[str, dict[str, float]] = {
            entry["name"]: entry["effects"] for entry in self.info.get("directions", [])
        }
        self._named = [*checkpoint.directions.values()]
        self._known_directions = lru_cache(maxsize=64)(self._directions)
        self.trail = trails.moments(checkpoint.path)
        self._checkpoint = checkpoint
        self._snapshots = lru_cache(maxsize=8)(self._read_snapshot)

    def at(self, images_seen: int) -> "GanModel":
        """Return this model as it was after `images_seen` pictures, one of `trail`.

        Its directions are those of this model, so that a move can be followed through the training.

        Raises:
            ValueError: there is no such snapshot, or it is damaged.
        """
        return self._snapshots(trails.checked_moment(images_seen)).with_noise(self.noise)

    def _read_snapshot(self, images_seen: int) -> "GanModel":
        kept = self._checkpoint
        model = trails.read(kept.path, images_seen, kept.kind, kept.config)
        card = kept.card | {"images_seen": images_seen}
        snapshot = GanModel(replace(kept, model=model, card=card)).to(self.device, self.dtype)
        snapshot._known_directions = self._known_directions
        return snapshot

    def sample(
        self,
        count: int,
        *,
        seed: int = 0,
        label: Label = None,
        truncation: float = 1.0,
        output: Output = "numpy",
    ) -> Pictures:
        """Return new pictures, uint8 (count, H, W, C).

        Args:
            count: how many; sample i of a seed does not depend on it (up to one grey level).
            seed: which pictures, 0 to 2^32 - 1.
            label: a class by name or number, one of these for each picture, or None for all
                classes in turn. A model trained without labels takes None only.
            truncation: 1 leaves the code as it is, 0 moves it to the average one; between them,
                less varied and more typical pictures. Only models with a mapping network have it.
            output: "numpy" for an array, "torch" for a tensor, uint8 (count, C, H, W), "pil" for a
                list of Pillow images.

        Raises:
            ValueError: an argument is out of range, or the model does not know the label.
        """
        check_count(count)
        check_output(output)
        labels = self._labels(label, count)
        pictures = []
        for start in range(0, count, _BATCH):
            rows = range(start, min(start + _BATCH, count))
            part = None if labels is None else labels[rows.start : rows.stop]
            code = self._code(self._latents(seed, rows), part, truncation)
            pictures.append(self._render(code, part, self._noise(seed, rows)))
        return as_output(np.concatenate(pictures), output)

    def picture(
        self,
        *,
        seed: int = 0,
        label: str | int | None = None,
        truncation: float = 1.0,
        directions: Sequence[float] | Mapping[str, float] = (),
        latents: Mapping[int, float] | None = None,
        code: np.ndarray | str | None = None,
        output: Output = "numpy",
    ) -> Pictures:
        """Return one picture, uint8 (H, W, C): sample 0 of `seed`, moved.

        Args:
            directions: how far to go along each direction (see `directions`), in standard
                deviations, in their order or by name: {"glasses: round": 1.5}.
            latents: amounts to add to single dimensions of z, before the mapping.
            code: where to begin instead of at the seed's own code: what `invert` has found, float
                (D,), or the text of it in a link. Then the seed decides the noise only. A code is
                counted from the average of its class, so it can be used with another class.
            output: as for `sample`, of one picture.

        Raises:
            ValueError: as for `sample`, or there is no such direction or dimension, or the code
                does not fit this model.
        """
        check_output(output)
        style, labels = self._moved(seed, label, truncation, directions, latents, start=code)
        return as_output(self._render(style, labels, self._noise(seed, range(1)))[0], output)

    def along(
        self,
        amounts: np.ndarray,
        *,
        seed: int = 0,
        label: str | int | None = None,
        truncation: float = 1.0,
        latents: Mapping[int, float] | None = None,
        code: np.ndarray | str | None = None,
    ) -> np.ndarray:
        """Return one picture moved in many ways at once, uint8 (N, H, W, C).

        Args:
            amounts: float (N, K): row i is the `directions` of picture i, in their order.
            code: as for `picture`.

        Raises:
            ValueError: as for `picture`.
        """
        amounts = check_amounts(amounts)
        still, labels = self._moved(seed, label, truncation, (), latents, start=code)
        moves = self._moves(self._one_class(label), len(amounts[0]))
        codes = still + torch.from_numpy(amounts) @ moves
        labels = None if labels is None else labels.expand(len(codes))
        noise = self._noise(seed, range(1))
        noise = None if noise is None else [layer.expand(len(codes), -1, -1, -1) for layer in noise]
        return self._render(codes, labels, noise)

    def neighbours(
        self,
        count: int = 16,
        *,
        spread: float = 0.35,
        seed: int = 0,
        label: str | int | None = None,
        truncation: float = 1.0,
        directions: Sequence[float] | Mapping[str, float] = (),
        latents: Mapping[int, float] | None = None,
        code: np.ndarray | str | None = None,
        output: Output = "numpy",
    ) -> Pictures:
        """Return pictures around one, uint8 (count, H, W, C); the first is `picture` itself.

        Each of the others mixes the latent vector with a fresh one: sqrt(1 - spread^2) of the old
        and `spread` (0 to 1) of the new, which keeps its distribution.

        Raises:
            ValueError: as for `picture`, or count or spread is out of range.
        """
        require_whole_number("count", count, 1, 1000)
        require_number("spread", spread, 0, 1)
        check_output(output)
        z = near(self._latents(seed, range(1)), count, spread, seed)
        style, labels = self._moved(seed, label, truncation, directions, latents, z, code)
        noise = self._noise(seed, range(1))
        noise = None if noise is None else [layer.expand(count, -1, -1, -1) for layer in noise]
        return as_output(self._render(style, labels, noise), output)

    def interpolate(
        self,
        seeds: Sequence[int],
        *,
        steps: int = 60,
        mode: str = "slerp",
        space: str = "z",
        label: str | int | None = None,
        truncation: float = 1.0,
        directions: Sequence[float] | Mapping[str, float] = (),
        latents: Mapping[int, float] | None = None,
        loop: bool = False,
        output: Output = "numpy",
    ) -> Pictures:
        """Return a walk from seed to seed, uint8 (steps, H, W, C), with the first seed's noise.

        Args:
            seeds: 2 to 16 seeds to pass through, in equal times.
            steps: pictures in all, 2 to 2000; the first is the first seed's and, without `loop`,
                the last is the last seed's.
            mode: "lerp" goes straight; "slerp" goes round the sphere that high-dimensional normal
                vectors lie on (White 2016, arXiv 1609.04468).
            space: "z", or "w" for a model with a mapping network.
            label: one class, by name or number; None is the first.
            directions, latents: move every picture of the walk, as in `picture`.
            loop: go back to the first seed, so that the film can repeat.
            output: as for `sample`.

        Raises:
            ValueError: an argument is out of range.
        """
        seeds = check_seeds(seeds)
        require_whole_number("steps", steps, 2, 2000)
        require_choice("mode", mode, ("lerp", "slerp"))
        require_choice("space", space, self.spaces)
        require_flag("loop", loop)
        check_output(output)
        number = self._one_class(label)

        def code_of(z: Tensor) -> tuple[Tensor, Tensor | None]:
            return self._moved(seeds[0], number, truncation, directions, latents or {}, z)

        keys = torch.cat([self._latents(seed, range(1)) for seed in seeds])
        if space == "w":
            keys, _ = code_of(keys)
        if loop:
            keys = torch.cat([keys, keys[:1]])
        frames = path_through(keys, steps, mode, endpoint=not loop)
        if space == "z":
            frames, labels = code_of(frames)
        else:
            labels = self._labels(number, steps)
        noise = self._noise(seeds[0], range(1))
        pictures = []
        for start in range(0, steps, _BATCH):
            code = frames[start : start + _BATCH]
            part = None if labels is None else labels[: len(code)]
            same = None if noise is None else [x.expand(len(code), -1, -1, -1) for x in noise]
            pictures.append(self._render(code, part, same))
        return as_output(np.concatenate(pictures), output)

    @torch.inference_mode()
    def judge(self, images: np.ndarray, labels: Label = None) -> np.ndarray:
        """Return the discriminator's logits, float32 (N,), for pictures uint8 (N, H, W, C).

        Args:
            labels: a class by name or number, or one of these for each picture; None only for a
                model without labels.

        Raises:
            ValueError: the checkpoint has no discriminator, the pictures are not of its size and
                channels, or the labels do not fit.
        """
        if self.discriminator is None:
            raise ValueError(f"{self.name} ships without its discriminator")
        if labels is None and self.classes:
            raise ValueError(f"{self.name} judges a picture by its class, so give the labels")
        x = self._input(images)
        numbers = self._labels(labels, len(x))
        numbers = None if numbers is None else self.here(numbers)
        return self.discriminator(x, numbers).float().cpu().numpy()

    def directions(self, label: str | int | None = None, count: int = 10) -> np.ndarray:
        """Return directions, float32 (count, D): those with names first, then principal ones.

        A named one moves what it is called after by about one standard deviation; what else it
        moves is in `named_directions`. A principal one is one standard deviation of the code long.
        With a mapping network: principal components of w for the class (GANSpace, Harkonen et al.
        2020, arXiv 2004.02546). Without: the latent directions that move the first layer most
        (SeFa, Shen and Zhou 2021, arXiv 2007.06600, equation 6).

        Args:
            label: a class by name or number; None is the average over all of them.
            count: how many at most, 1 to 1000; the first ones matter most.

        Raises:
            ValueError: there is no such class, or the count is out of range.
        """
        require_whole_number("count", count, 1, 1000)
        number = None if label is None else class_number(label, self.classes, self.name)
        return self._known_directions(number, count)

    def _directions(self, label: int | None, count: int) -> np.ndarray:
        if isinstance(self.generator, MappedGenerator):
            z = torch.randn(
                4000, self.config.latent_dimensions, generator=generator(0, "directions", 0)
            )
            style = self._code(z, self._labels(label, len(z)), 1.0)
            centred = style - style.mean(dim=0)
            _, sizes, vectors = torch.linalg.svd(centred, full_matrices=False)
            scaled = vectors * sizes[:, None] / len(z) ** 0.5
        else:
            matrix = self.generator.latent_matrix().float().cpu()  # (Z, outputs)
            scaled = torch.linalg.svd(matrix, full_matrices=False)[0].T  # z has deviation 1
        # The sign of a singular vector is arbitrary: fix it, so that every machine agrees.
        largest = scaled.gather(1, scaled.abs().argmax(dim=1, keepdim=True))
        principal = scaled * largest.sign()
        return torch.cat([*(vector[None] for vector in self._named), principal])[:count].numpy()

    def origin(
        self,
        *,
        seed: int = 0,
        label: str | int | None = None,
        truncation: float = 1.0,
        directions: Sequence[float] | Mapping[str, float] = (),
        latents: Mapping[int, float] | None = None,
        code: np.ndarray | str | None = None,
    ) -> tuple[Tensor, Tensor | None, list[Tensor] | None]:
        """Return where a picture comes from, as tensors that pass gradients on.

        Returns:
            Its code (1, D), its class (1,) or None, its noise (1, 1, H, W) for each layer or None.

        Raises:
            ValueError: as for `picture`.
        """
        style, labels = self._moved(seed, label, truncation, directions, latents, start=code)
        labels = None if labels is None else labels.clone()
        return style.clone(), labels, self._noise(seed, range(1))

    @torch.inference_mode()
    def _moved(
        self,
        seed: int,
        label: str | int | None,
        truncation: float,
        directions: Sequence[float] | Mapping[str, float],
        latents: Mapping[int, float] | None,
        z: Tensor | None = None,
        start: np.ndarray | str | None = None,
    ) -> tuple[Tensor, Tensor | None]:
        """Return codes (B, D) and labels (B,) after all moves, from `start` where it is given."""
        z = self._latents(seed, range(1)) if z is None else z
        for dimension, amount in check_latents(latents, z.shape[1]).items():
            z[:, dimension] += amount
        number = self._one_class(label)
        labels = self._labels(number, len(z))
        if start is None:
            code = self._code(z, labels, truncation)
        else:
            code = self._continued(start, z, seed, labels, truncation)
        if amounts := check_directions(directions, tuple(self.named_directions)):
            moves = self._moves(number, len(amounts))
            code = code + torch.tensor(amounts, dtype=torch.float32) @ moves
        return code, labels

    def _continued(
        self,
        start: np.ndarray | str,
        z: Tensor,
        seed: int,
        labels: Tensor | None,
        truncation: float,
    ) -> Tensor:
        """Return codes (B, D): `start`, moved by how far z is from the seed's own z."""
        mean = mean_code(self.generator, labels)
        own = self._latents(seed, range(1)).expand_as(z)
        moved = self._code(z, labels, 1.0) - self._code(own, labels, 1.0)
        offset = torch.from_numpy(checked_code(start, mean.shape[1])) + moved
        if "w" not in self.spaces:
            return self._code(offset, labels, truncation)
        require_number("truncation", truncation, 0, 2)
        return mean + truncation * offset

    def _moves(self, label: int | None, count: int) -> Tensor:
        """Return the first directions, float32 (count, D)."""
        known = self.directions(label, max(10, len(self._named)))
        if count > len(known):
            raise ValueError(f"there are {len(known)} directions, not {count}")
        return torch.from_numpy(known[:count])

    def _latents(self, seed: int, rows: range) -> Tensor:
        return seed_latents(seed, rows, self.config.latent_dimensions)

    def _examples(self) -> Image.Image:
        return sheet(self.sample(10, seed=0))

    def _forget(self) -> None:
        self._known_directions.cache_clear()
        self._snapshots.cache_clear()

    @torch.inference_mode()
    def _code(self, z: Tensor, labels: Tensor | None, truncation: float) -> Tensor:
        """Return codes, float32 (B, D) on the CPU, where all moves are computed."""
        require_number("truncation", truncation, 0, 2)
        if isinstance(self.generator, MappedGenerator):
            labels = None if labels is None else self.here(labels)
            return self.generator.map(self.here(z), labels, truncation).float().cpu()
        if truncation != 1:
            raise ValueError(f"{self.name} has no mapping network, so truncation must be 1")
        return z

    @torch.inference_mode()
    def _render(
        self, code: Tensor, labels: Tensor | None, noise: list[Tensor] | None
    ) -> np.ndarray:
        code = self.here(code)
        if isinstance(self.generator, MappedGenerator):
            noise = None if noise is None else [self.here(layer) for layer in noise]
            return to_uint8(self.generator.synthesise(code, noise))
        return to_uint8(self.generator(code, None if labels is None else self.here(labels)))

    def _one_class(self, label: str | int | None) -> int | None:
        """Return the number of one class, where None is the first; None without classes."""
        if label is None:
            return 0 if self.classes else None
        return class_number(label, self.classes, self.name)

    def _labels(self, label: Label, count: int) -> Tensor | None:
        """Return class numbers (count,), or None for a model without classes."""
        return class_numbers(label, count, self.classes, self.name)
