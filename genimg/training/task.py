"""What every kind of training has in common: a model, its average, optimizers, a guarded step.

The loop knows nothing of models and a task knows nothing of files: the loop hands a task one batch
and a progress, and gets back a few numbers to report.
"""

import copy
import math
from abc import ABC, abstractmethod
from typing import Any, Generic, TypeVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.optimizer import ParamsT

from genimg.configuration import Configuration
from genimg.data import Dataset
from genimg.randomness import generator
from genimg.training.distributed import ALONE, Group

Published = TypeVar("Published")
"""What a kind of model builds, and what is shipped of it: a module, or the protocol it follows."""
Settings = TypeVar("Settings")
"""The configuration of its training."""


class Diverged(RuntimeError):
    """A loss or gradient stopped being finite; raised *before* the optimizer used it."""


def learning_rate_factor(
    progress: float, *, warm_up: float = 0.0, hold: float = 0.5, final: float = 0.02
) -> float:
    """Return the factor on the learning rate at `progress` (0 to 1) through the run.

    Linear warm-up, then 1 until `hold`, then a cosine down to `final`.
    """
    if progress < warm_up:
        return progress / warm_up
    if progress <= hold or hold >= 1:
        return 1.0
    fall = (min(progress, 1.0) - hold) / (1 - hold)
    return final + (1 - final) * 0.5 * (1 + math.cos(math.pi * fall))


class Task(ABC, Generic[Published, Settings]):
    """One way to train one model.

    Attributes:
        model: everything that is trained.
        average: the moving average that is shown and shipped: of the generator for a GAN, of the
            whole model otherwise.
        optimizers: by name, each with the learning rate it starts from in its groups' `base`.
        validates: whether `validate` means anything, so that pictures may be held out for it.
        draws: whether `draw` means anything, and takes a second or so for 500 pictures, so that
            they may be compared with real ones.
        needs_tokenizer: whether it learns the tokens of a tokenizer that is already trained.
        learns_attributes: whether its model names the attributes of a data set.
        least_classes: the fewest classes of pictures from which it can learn anything.
        classes: the classes of what `draw` returns; 0 for a model without labels.
        tokenizer_name: the trained tokenizer that a fresh run begins with, by name; '' for none. A
            resumed run has it in its own checkpoint.
        examples: the first few training pictures, float32 (N, C, H, W) in [-1, 1], for sheets that
            compare; the loop puts them here.
        group: the processes that share each batch; the loop puts them here.
    """

    model: nn.Module
    average: nn.Module
    optimizers: dict[str, torch.optim.Optimizer]
    validates = False
    draws = False
    needs_tokenizer = False
    learns_attributes = False
    least_classes = 1
    classes = 0
    tokenizer_name = ""
    examples: Tensor
    group: Group = ALONE

    def __init__(
        self,
        model: nn.Module,
        config: Settings,
        device: torch.device,
        precision: str,
        *,
        averaged: nn.Module | None = None,
    ) -> None:
        """Move a model to `device`, in place.

        Args:
            precision: "bf16" or "fp32".
            averaged: the part of the model that is averaged; None is all of it.
        """
        self.config = config
        self.device = device
        self.bf16 = precision == "bf16"
        # PyTorch's stubs leave out the overload with `memory_format`, which its manual describes.
        model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.model = model.train()
        averaged = model if averaged is None else averaged
        self.average = copy.deepcopy(averaged).eval().requires_grad_(False)
        self.learning_rate_scale = 1.0  # halved when a run is rolled back

    @abstractmethod
    def begin_with(self, model: Published) -> None:
        """Copy the weights of a published model of the same shape, in place of random ones."""

    def take_tokenizer(self, tokenizer: nn.Module) -> None:
        """Take what `tokenizer_name` names, as it was trained."""
        raise NotImplementedError("only a task that names a tokenizer can")

    @staticmethod
    def targets(model: Any, dataset: Dataset) -> Tensor:
        """Return what a step is told of each picture, a row for each; usually its label.

        Args:
            model: the configuration, of its kind's own class, of the model that is trained.

        Raises:
            ValueError: the data set does not tell what has to be learned.
        """
        return dataset.labels

    @abstractmethod
    def step(
        self, images: Tensor, labels: Tensor, *, step: int, images_seen: int, progress: float
    ) -> dict[str, float]:
        """Make one step of training.

        Every process gets the whole batch, and draws the random numbers of all of it, before it
        keeps its share.

        Args:
            images: float32 (B, C, H, W) in [-1, 1], on the task's device.
            labels: the rows of `targets` for these pictures; int64 (B,) unless said otherwise.
            step: steps made before this one.
            images_seen: pictures seen including this batch.
            progress: from 0 to 1 through the run.

        Returns:
            Numbers to report.

        Raises:
            Diverged: a loss or a gradient is not finite; no optimizer has used it.
        """

    def validate(self, images: Tensor, labels: Tensor) -> float:
        """Return the averaged model's mean loss on held-out pictures (see `step` for shapes)."""
        raise NotImplementedError("only a task that `validates` can")

    def draw(self, labels: Tensor, seed: int) -> np.ndarray:
        """Return new pictures by the averaged model, from the same random numbers every time.

        Args:
            labels: int64 (N,), the class of each; a model without classes takes no notice.

        Returns:
            uint8 (N, H, W, C).
        """
        raise NotImplementedError("only a task that `draws` can")

    def labels_in_turn(self, count: int) -> Tensor:
        """Return labels int64 (count,), class after class; zeros for a model without classes."""
        return torch.arange(count) % max(self.classes, 1)

    @abstractmethod
    def sheet(self, seed: int) -> np.ndarray:
        """Return pictures, uint8 (N, H, W, C), that show what the averaged model does now."""

    @abstractmethod
    def published(self) -> nn.Module:
        """Return a copy of the model as it should be shipped, with the averaged weights."""

    @staticmethod
    @abstractmethod
    def outputs(model: Published) -> list[Tensor]:
        """Return all that a published model makes of inputs that are the same every time.

        Two models that do the same return the same bits.

        Args:
            model: on the CPU, in evaluation mode.
        """

    def set_learning_rate(self, factor: float) -> None:
        """Scale every optimizer's learning rate by `factor` of where it started."""
        for optimizer in self.optimizers.values():
            for group in optimizer.param_groups:
                group["lr"] = group["base"] * factor * self.learning_rate_scale

    def guarded_step(self, name: str, loss: Tensor, *, clip: float = math.inf) -> float:
        """Backpropagate `loss` into optimizer `name`'s parameters and step; return the norm.

        A gradient with a norm above `clip` is shortened to it; the norm returned is the one before.

        Raises:
            Diverged: the loss or the gradient is not finite; the parameters are unchanged.
        """
        optimizer = self.optimizers[name]
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        if not torch.isfinite(self.group.average_gradients(parameters, loss)):
            raise Diverged(f"the loss of the {name} is not finite")
        norm = nn.utils.get_total_norm([p.grad for p in parameters if p.grad is not None])
        if not torch.isfinite(norm):
            raise Diverged(f"the gradient of the {name} is not finite")
        if norm > clip:
            nn.utils.clip_grads_with_norm_(parameters, clip, norm)
        optimizer.step()
        return float(norm)

    def optimizer_tensors(self) -> dict[str, Tensor]:
        """Return the state of all optimizers as flat names and tensors."""
        tensors = {}
        for name, optimizer in self.optimizers.items():
            for index, state in optimizer.state_dict()["state"].items():
                for key, value in state.items():
                    tensors[f"{name}.{index}.{key}"] = torch.as_tensor(value)
        return tensors

    def load_optimizer_tensors(self, tensors: dict[str, Tensor]) -> None:
        """Undo `optimizer_tensors`."""
        for name, optimizer in self.optimizers.items():
            state: dict[int, dict[str, Any]] = {}
            for key, value in tensors.items():
                owner, index, entry = key.rsplit(".", 2)
                if owner == name:
                    state.setdefault(int(index), {})[entry] = value
            groups = optimizer.state_dict()["param_groups"]
            optimizer.load_state_dict({"state": state, "param_groups": groups})


def as_module(part: object) -> nn.Module:
    """Return a generator or a tokenizer as the module that it is, which no protocol can say."""
    assert isinstance(part, nn.Module)
    return part


def random_pictures(model: Configuration, count: int = 8) -> Tensor:
    """Return pictures for `Task.outputs`, float32 (count, C, H, W) in [-1, 1].

    Args:
        model: configuration of the model, which has a `size` and `channels`.
    """
    values = model.to_dict()
    shape = count, values["channels"], values["size"], values["size"]
    return torch.rand(shape, generator=generator(0, "outputs", 0)) * 2 - 1


def make_optimizer(
    kind: str,
    parameters: ParamsT,
    *,
    learning_rate: float,
    betas: tuple[float, float],
    **options: Any,
) -> torch.optim.Optimizer:
    """Return an optimizer over parameters or groups; with g a gradient and r the learning rate:

    - "sgd": v <- m v + g, w <- w - r v, with `betas[0]` as the momentum m (Polyak 1964; 0 is plain
      stochastic gradient descent, Robbins and Monro 1951);
    - "adam": w <- w - r m' / (sqrt(v') + 1e-8), where m' and v' are the decaying means of g and of
      g^2, corrected for their start from zero (Kingma and Ba 2015, arXiv 1412.6980, algorithm 1);
    - "adamw": the same, after w <- (1 - r d) w with the `weight_decay` d among the options
      (Loshchilov and Hutter 2019, arXiv 1711.05101, algorithm 2).

    Each group keeps the learning rate that it starts from as its `base`.
    """
    if kind == "sgd":
        optimizer: torch.optim.Optimizer = torch.optim.SGD(
            parameters, lr=learning_rate, momentum=betas[0], **options
        )
    else:
        maker = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[kind]
        optimizer = maker(parameters, lr=learning_rate, betas=betas, **options)
    for group in optimizer.param_groups:
        group["base"] = group["lr"]
    return optimizer


def decay_matrices_only(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Return the parameter groups of an optimizer that pulls matrices, and nothing else, to zero.

    Gains and biases, which have one dimension, are few and set the scale of what they act on.
    """
    parameters = [p for p in model.parameters() if p.requires_grad]
    return [
        {"params": [p for p in parameters if p.dim() >= 2], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0},
    ]
