"""What users write, for the type checker alone: `.ci/run` gives it this file, nobody runs it."""

from typing import assert_type

import numpy as np
import torch

import genimg
from genimg.explore import DrawerModel, GanModel


def draw(name: str) -> np.ndarray:
    """Use what a name gives without saying which kind of model it is."""
    model = genimg.load(name, device="cpu", dtype=torch.bfloat16)
    assert model.to("cpu").dtype == torch.bfloat16
    model.generate(label="Coat", seed=3, temperature=0.8)
    return model.sample(16, seed=0, label="Sneaker")


def shipped() -> None:
    """Use models that ship: their names tell what they are."""
    assert_type(genimg.load("fashion-style"), GanModel)
    assert_type(genimg.load("fashion-maskgit").draw(label="Coat").masked, np.ndarray)
    assert_type(genimg.load("fashion-gpt", "cuda").generate(label="Coat").tokens, np.ndarray)


def know(model: GanModel | DrawerModel) -> None:
    """Use models that are known to be of a kind."""
    if isinstance(model, DrawerModel):
        assert_type(model.generate(label=None).attention(0, 0, 0), np.ndarray)
    else:
        assert_type(model.to(torch.float32), GanModel)
        assert_type(model.judge(model.sample(2), [0, 1]), np.ndarray)
