"""Training a prior: what tokens of pictures are: pixels, or what a finished tokenizer has read.

An image GPT learns the next token; for the masked ones of a MaskGIT see `masked_prior.py`.
"""

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genimg.configuration import Configuration, setting
from genimg.models.drawer import Drawer, TokenDrawer
from genimg.models.sampling import draw_tokens
from genimg.randomness import generator as random_generator
from genimg.tensors import to_uint8
from genimg.training.averaging import update_average
from genimg.training.classification import augment
from genimg.training.task import (
    Task,
    decay_matrices_only,
    learning_rate_factor,
    make_optimizer,
    random_pictures,
)

BETAS = (0.9, 0.95)  # the usual ones of language models: a short memory of squared gradients


@dataclass(frozen=True, kw_only=True, slots=True)
class NextTokenTrainingConfig(Configuration):
    """How a prior is trained, whatever its tokens are."""

    label_dropout: float = setting(
        0.1, "Share of labels hidden, which guidance needs (arXiv 2207.12598).", low=0, high=1
    )
    mirror: bool = setting(False, "Mirror half of the pictures left to right.")
    learning_rate: float = setting(1.5e-3, "Learning rate after the warm-up.", low=1e-7, high=1)
    weight_decay: float = setting(0.05, "Pull on every matrix towards zero.", low=0, high=1)
    warm_up: float = setting(0.05, "Fraction of the run over which the rate rises.", low=0, high=1)
    clip: float = setting(1.0, "Largest norm of the gradient; a longer one is shortened.", low=1e-3)
    average_half_life: float = setting(
        20_000, "Half-life of the averaged weights, in pictures.", low=1
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class PriorTrainingConfig(NextTokenTrainingConfig):
    """How an image GPT or a MaskGIT over the tokens of a trained tokenizer is trained."""

    tokenizer: str = setting(
        "fashion-tokenizer", "The trained FSQ tokenizer: a checkpoint, or the folder of a run."
    )


class NextTokenTask(Task[TokenDrawer, NextTokenTrainingConfig]):
    """Labels to tokens, which are pixels or come from a tokenizer that stays as it is."""

    model: TokenDrawer
    average: Any  # like `model.prior`
    validates = True

    def __init__(
        self,
        model: TokenDrawer,
        config: NextTokenTrainingConfig,
        device: torch.device,
        precision: str,
    ) -> None:
        super().__init__(model, config, device, precision, averaged=model.prior)
        self.model.tokenizer.eval().requires_grad_(False)
        self.optimizers = {
            "prior": make_optimizer(
                "adamw",
                decay_matrices_only(self.model.prior, config.weight_decay),
                learning_rate=config.learning_rate,
                betas=BETAS,
            )
        }

    def begin_with(self, model: TokenDrawer) -> None:
        """Copy the weights of the prior; the tokenizer stays as it is."""
        self.model.prior.load_state_dict(model.prior.state_dict())
        self.average.load_state_dict(model.prior.state_dict())

    def step(
        self, images: Tensor, labels: Tensor, *, step: int, images_seen: int, progress: float
    ) -> dict[str, float]:
        """Make one step on the tokens of the pictures, with some labels hidden."""
        config, prior, batch_size = self.config, self.model.prior, len(images)
        self.set_learning_rate(
            learning_rate_factor(progress, warm_up=config.warm_up, hold=config.warm_up)
        )
        images = self.group.share(augment(images, shift=0, mirror=config.mirror))
        tokens = self.model.tokenizer.encode(images)
        hidden = (torch.rand(batch_size) < config.label_dropout).to(self.device)
        labels = self.group.share(labels.masked_fill(hidden, prior.unconditional))
        loss = self._loss(prior, tokens, labels, batch_size)
        norm = self.guarded_step("prior", loss, clip=config.clip)
        update_average(
            self.average,
            prior,
            images=batch_size,
            images_seen=images_seen,
            half_life=config.average_half_life,
        )
        return {"loss": loss.item(), "gradient": norm}

    def _loss(self, prior: nn.Module, tokens: Tensor, labels: Tensor, batch_size: int) -> Tensor:
        """Return the mean over tokens (B, N) of -log p, a scalar in nats.

        Args:
            batch_size: pictures in the batch of all processes, of which these are a share.
        """
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            logits = prior(tokens[:, :-1], labels)  # (B, N, V)
        return F.cross_entropy(logits.float().flatten(0, 1), tokens.flatten())

    @torch.no_grad()
    def validate(self, images: Tensor, labels: Tensor) -> float:
        """Return the averaged model's loss with the true labels, in nats per token."""
        tokens = self.model.tokenizer.encode(images)
        return self._loss(self.average, tokens, labels, len(images)).item()

    @torch.no_grad()
    def sheet(self, seed: int) -> np.ndarray:
        """Return 40 drawings, class after class, always by the same random numbers."""
        labels = (torch.arange(40) % self.average.config.classes).to(self.device)
        tokens = self._draw(labels, random_generator(seed, "sheet", 0))
        return to_uint8(self.model.tokenizer.decode(tokens))

    def _draw(self, labels: Tensor, numbers: torch.Generator) -> Tensor:
        """Return tokens int64 (B, N) for labels (B,), drawn by the averaged prior."""
        uniforms = torch.rand(len(labels), self.average.num_tokens, generator=numbers)
        return draw_tokens(self.average, labels, uniforms.to(self.device))

    def published(self) -> TokenDrawer:
        """Return the averaged prior with its tokenizer."""
        model = copy.deepcopy(self.model).eval().requires_grad_(False)
        model.prior.load_state_dict(self.average.state_dict())
        return model

    @staticmethod
    def outputs(model: TokenDrawer) -> list[Tensor]:
        """Return the tokens of eight pictures, what they decode to, and the logits of each."""
        tokens = model.tokenizer.encode(random_pictures(model.config))
        labels = torch.arange(len(tokens)) % model.prior.config.classes
        given = tokens[:, :-1] if isinstance(model, Drawer) else tokens
        return [tokens, model.tokenizer.decode(tokens), model.prior(given, labels)]


class PriorTask(NextTokenTask):
    """Labels to the tokens of a trained tokenizer, which is part of the model."""

    needs_tokenizer = True

    def __init__(
        self, model: TokenDrawer, config: PriorTrainingConfig, device: torch.device, precision: str
    ) -> None:
        super().__init__(model, config, device, precision)
        self.tokenizer_name = config.tokenizer

    def take_tokenizer(self, tokenizer: nn.Module) -> None:
        """Copy the weights of a trained tokenizer of the same configuration."""
        self.model.tokenizer.load_state_dict(tokenizer.state_dict())
