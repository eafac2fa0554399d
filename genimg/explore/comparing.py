"""GANs and Transformers side by side: time, tokens with two decoders, and a blind question.

Where a GAN and the decoder of an image GPT's tokenizer meet: Esser et al. 2021 (VQGAN,
arXiv 2012.09841) train the decoder against a discriminator of patches. Two decoders behind one
encoder read the same tokens, so all that differs between their pictures is what that term teaches.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import get_args

import numpy as np
import torch

from genimg import checkpoints
from genimg.checks import require_whole_number
from genimg.data import Dataset
from genimg.explore.arguments import one_picture
from genimg.explore.drawing import DrawerModel
from genimg.explore.gan import GanModel
from genimg.explore.shipped import TokenizerName
from genimg.explore.tokenizing import TokenizerModel
from genimg.models.tokenizer import Tokenizer
from genimg.randomness import derive, generator
from genimg.render.images import require_images

Maker = GanModel | DrawerModel
"""A model that makes pictures out of nothing but a seed and a class."""


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """Two pictures, of which one is real.

    Attributes:
        pictures: uint8 (2, H, W, C).
        real: which of them is, 0 or 1.
    """

    pictures: np.ndarray
    real: int


def question(model: Maker, real: np.ndarray, seed: int, label: str | None = None) -> Question:
    """Return a question: a picture that `model` makes beside a real one, in an order by chance.

    Args:
        model: a GAN or an image GPT.
        real: the real picture, uint8 (H, W, C), of the size and channels of the model's.
        seed: decides the generated picture and the order, 0 to 2^32 - 1.
        label: class of the generated picture; None for any.

    Raises:
        ValueError: an argument is out of range, or the real picture is not of that size.
    """
    one_picture(real, model.config, model.name)
    made = model.sample(1, seed=seed, label=None if label is None else [label])[0]
    place = derive(seed, "which one is real", 0) % 2
    pair = [made, real] if place else [real, made]
    return Question(np.stack(pair), place)


def seconds_per_picture(model: Maker, label: str | None = None, pictures: int = 3) -> float:
    """Return how long one picture takes here and now: the shortest of several, after a first one.

    Args:
        model: a GAN or an image GPT.
        label: class of the pictures; None for any.
        pictures: how many are timed, 1 to 1000.

    Raises:
        ValueError: an argument is out of range, or the model does not know the label.
    """
    require_whole_number("pictures", pictures, 1, 1000)
    labels = None if label is None else [label]
    taken = []
    for seed in range(pictures + 1):
        began = time.perf_counter()
        model.sample(1, seed=seed, label=labels)
        taken.append(time.perf_counter() - began)
    return min(taken[1:])


def same_tokens(one: Tokenizer, other: Tokenizer) -> bool:
    """Return whether two tokenizers give every picture the same tokens: equal up to the decoder.

    Args:
        one, other: the modules, as `TokenizerModel.tokenizer` and `DrawerModel.tokenizer` are.
    """
    mine, theirs = (_encoder(each) for each in (one, other))
    return (
        one.config == other.config
        and mine.keys() == theirs.keys()
        and all(torch.equal(mine[name], theirs[name]) for name in mine)
    )


def _encoder(tokenizer: Tokenizer) -> dict[str, torch.Tensor]:
    assert isinstance(tokenizer, torch.nn.Module)
    weights = tokenizer.state_dict()
    return {name: value for name, value in weights.items() if not name.startswith("decoder.")}


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """What a decoder made of the tokens of real pictures.

    Attributes:
        pictures: uint8 (N, H, W, C).
        error: mean absolute difference from the real pictures, in grey levels, 0 to 255.
        detail: their fine detail; see `detail_of`.
    """

    pictures: np.ndarray
    error: float
    detail: float


def decoded(decoders: Sequence[TokenizerModel], images: np.ndarray) -> list[Decoded]:
    """Return what each of several decoders makes of the same tokens.

    Args:
        decoders: tokenizers that give a picture the same tokens; see `same_tokens`.
        images: real pictures, uint8 (N, H, W, C), of their size and channels.

    Raises:
        ValueError: they give other tokens, there are none, or the pictures do not fit.
    """
    known = isinstance(decoders, (list, tuple))
    if not known or not decoders or not all(isinstance(d, TokenizerModel) for d in decoders):
        raise ValueError("decoders must be a list of one or more tokenizers, as genimg.load gives")
    first = decoders[0]
    if not all(same_tokens(first.tokenizer, other.tokenizer) for other in decoders[1:]):
        raise ValueError(
            "these tokenizers give a picture different tokens; train the decoder alone"
            " (trained decoder) from one of them"
        )
    tokens = first.encode(images)
    found = []
    for model in decoders:
        pictures = model.decode(tokens)
        error = np.abs(pictures.astype(float) - np.asarray(images)).mean()
        found.append(Decoded(pictures, float(error), detail_of(pictures)))
    return found


def decoders_of(own: Tokenizer) -> tuple[TokenizerModel | None, TokenizerModel | None]:
    """Return the tokenizers that ship with the tokens of `own`, None where there is none.

    Returns:
        One whose decoder learned with a discriminator, and one whose decoder went on without.
    """
    found: dict[bool, TokenizerModel] = {}
    for name in get_args(TokenizerName):
        model = _tokenizer(name)
        if same_tokens(model.tokenizer, own):
            found["initial_weights" not in model.info] = model
    return found.get(True), found.get(False)


@lru_cache(maxsize=8)
def _tokenizer(name: TokenizerName) -> TokenizerModel:
    return TokenizerModel(checkpoints.read(name))


def numbers_of(split: Dataset, label: str | None, seed: int, count: int) -> np.ndarray:
    """Return the numbers of some pictures of a split, int64 (count,), or of all that there are.

    Args:
        split: the pictures.
        label: of this class; None, or a class that the split does not know, for any.
        seed: which ones.
        count: how many at most.

    Raises:
        ValueError: there is no picture of that class.
    """
    known = label in split.classes
    fits = split.labels == split.classes.index(label) if known else split.labels >= 0
    among = fits.nonzero().flatten()
    if not len(among):
        raise ValueError("there are no test pictures of this class; choose another")
    order = torch.randperm(len(among), generator=generator(seed, "some pictures", 0))
    return among[order[:count]].numpy()


def detail_of(images: np.ndarray) -> float:
    """Return how much fine detail pictures have: the mean difference of neighbouring pixels.

    Args:
        images: uint8 (N, H, W, C).

    Returns:
        Mean absolute difference to the pixel on the right and to the one below, in grey levels, 0
        to 255; 0 for plain pictures.

    Raises:
        ValueError: they are no pictures.
    """
    require_images(images)
    values = images.astype(float)
    across = np.abs(np.diff(values, axis=2)).sum()
    down = np.abs(np.diff(values, axis=1)).sum()
    count, height, width, channels = images.shape
    pairs = count * channels * (height * (width - 1) + (height - 1) * width)
    return float((across + down) / max(pairs, 1))


def partner(name: str, datasets: Mapping[str, str | None], own: str | None) -> str:
    """Return which of several models to compare one with: the first of the same data set.

    Args:
        name: which is chosen now, and stays if no other fits better.
        datasets: for each model on offer the data set that it learned from.
        own: that of the other model.
    """
    if datasets.get(name) == own:
        return name
    return next((other for other, learned in datasets.items() if learned == own), name)


def classes_of_both(one: Sequence[str], other: Sequence[str]) -> list[str]:
    """Return the classes that two models know, in the order of the first."""
    return [name for name in one if name in other]
