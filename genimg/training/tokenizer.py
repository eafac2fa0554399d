"""Training an image tokenizer: reconstruct the pictures, and make them look real.

The reconstruction error alone is blind to sharpness. A discriminator that judges patches sees it
(VQGAN, Esser et al. 2021, arXiv 2012.09841); it joins late, when the rest is in place.
"""

import copy
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genimg.configuration import Configuration, setting
from genimg.models.patch_discriminator import PatchDiscriminator, PatchDiscriminatorConfig
from genimg.models.tokenizer import Tokenizer
from genimg.tensors import to_uint8
from genimg.training.averaging import update_average
from genimg.training.objectives import OBJECTIVES
from genimg.training.task import (
    Task,
    as_module,
    learning_rate_factor,
    make_optimizer,
    random_pictures,
)

# Pictures after which a token counts half in the reported use of the codes.
USE_HALF_LIFE = 20_000


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenizerTrainingConfig(Configuration):
    """How an image tokenizer is trained."""

    trained: str = setting(
        "all",
        "What learns: all of it, or the decoder alone, which leaves every picture its tokens"
        " (for a run that begins with a trained tokenizer).",
        choices=("all", "decoder"),
    )
    absolute: float = setting(1.0, "Weight of the mean absolute error of a pixel.", low=0)
    squared: float = setting(1.0, "Weight of the mean squared error of a pixel.", low=0)
    adversarial: float = setting(
        0.05, "Weight of looking real to a discriminator of patches; 0 has none.", low=0
    )
    adversarial_start: float = setting(
        0.2, "Fraction of the run after which the discriminator joins.", low=0, high=1
    )
    discriminator_width: int = setting(32, "Channels of the discriminator.", low=8, high=512)
    learning_rate: float = setting(1e-3, "Tokenizer's learning rate.", low=1e-7, high=1)
    discriminator_learning_rate: float = setting(
        5e-4, "Discriminator's learning rate.", low=1e-7, high=1
    )
    warm_up: float = setting(0.02, "Fraction of the run over which rates rise.", low=0, high=1)
    hold: float = setting(0.5, "Fraction of the run before the rates fall.", low=0, high=1)
    clip: float = setting(
        1.0, "Largest norm of the tokenizer's gradient; a longer one is shortened.", low=1e-3
    )
    average_half_life: float = setting(
        20_000, "Half-life of the averaged weights, in pictures.", low=1
    )


class TokenizerInTraining(nn.Module):
    """What a run's checkpoint holds.

    Attributes:
        tokenizer: what is published.
        discriminator: its critic, which judges patches.
        recent_use: float32 (V,), how often each token came lately (see `USE_HALF_LIFE`).
    """

    tokenizer: Tokenizer
    recent_use: Tensor

    def __init__(self, tokenizer: Tokenizer, discriminator: nn.Module) -> None:
        super().__init__()
        self.tokenizer, self.discriminator = tokenizer, discriminator
        self.register_buffer("recent_use", torch.zeros(tokenizer.vocabulary_size))


class TokenizerTask(Task[Tokenizer, TokenizerTrainingConfig]):
    """Pictures to tokens and back to the same pictures."""

    model: TokenizerInTraining

    def __init__(
        self,
        model: Tokenizer,
        config: TokenizerTrainingConfig,
        device: torch.device,
        precision: str,
    ) -> None:
        critic = PatchDiscriminatorConfig(
            channels=model.config.channels, width=config.discriminator_width
        )
        whole = TokenizerInTraining(model, PatchDiscriminator(critic))
        super().__init__(whole, config, device, precision, averaged=as_module(model))
        if config.trained == "decoder":
            for name, parameter in as_module(model).named_parameters():
                parameter.requires_grad_(name.startswith("decoder."))
        self.optimizers = {
            "tokenizer": make_optimizer(
                "adam",
                [p for p in as_module(model).parameters() if p.requires_grad],
                learning_rate=config.learning_rate,
                betas=(0.9, 0.99),
            ),
            "discriminator": make_optimizer(
                "adam",
                self.model.discriminator.parameters(),
                learning_rate=config.discriminator_learning_rate,
                betas=(0.5, 0.99),
            ),
        }

    def begin_with(self, model: Tokenizer) -> None:
        """Copy the weights of the tokenizer; its critic, which nobody publishes, begins anew."""
        weights = as_module(model).state_dict()
        as_module(self.model.tokenizer).load_state_dict(weights)
        self.average.load_state_dict(weights)

    def step(
        self, images: Tensor, labels: Tensor, *, step: int, images_seen: int, progress: float
    ) -> dict[str, float]:
        """Make one step of the tokenizer and, once it has joined, one of the discriminator."""
        config, batch_size = self.config, len(images)
        self.set_learning_rate(
            learning_rate_factor(progress, warm_up=config.warm_up, hold=config.hold)
        )
        images = self.group.share(images)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            reconstruction, tokens = self.model.tokenizer(images)
        absolute = F.l1_loss(reconstruction, images)
        squared = F.mse_loss(reconstruction, images)
        loss = config.absolute * absolute + config.squared * squared
        report = {"absolute_error": absolute.item(), "squared_error": squared.item()}

        if config.adversarial and progress > config.adversarial_start:
            report |= self._discriminator_step(images, reconstruction.detach())
            report["gradient"] = self._adversarial_step(reconstruction, loss)
        else:
            report["gradient"] = self.guarded_step("tokenizer", loss, clip=config.clip)
        update_average(
            self.average,
            as_module(self.model.tokenizer),
            images=batch_size,
            images_seen=images_seen,
            half_life=config.average_half_life,
        )
        return report | self._count(tokens, batch_size)

    def _judge(self, images: Tensor) -> Tensor:
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            return self.model.discriminator(images).float()

    def _discriminator_step(self, images: Tensor, fakes: Tensor) -> dict[str, float]:
        real, fake = self._judge(images), self._judge(fakes)
        loss = OBJECTIVES["hinge"].discriminator(real, fake)
        norm = self.guarded_step("discriminator", loss)
        return {
            "discriminator_loss": loss.item(),
            "real_accuracy": (real > 0).float().mean().item(),
            "fake_accuracy": (fake < 0).float().mean().item(),
            "discriminator_gradient": norm,
        }

    def _adversarial_step(self, reconstruction: Tensor, loss: Tensor) -> float:
        """Step the tokenizer on `loss` and on what the discriminator thinks; return the norm."""
        discriminator = self.model.discriminator.requires_grad_(False)
        try:
            fake = self._judge(reconstruction)
            looks = OBJECTIVES["hinge"].generator(fake.detach(), fake)
            loss = loss + self.config.adversarial * looks
            return self.guarded_step("tokenizer", loss, clip=self.config.clip)
        finally:
            discriminator.requires_grad_(True)

    @torch.no_grad()
    def _count(self, tokens: Tensor, batch_size: int) -> dict[str, float]:
        """Add tokens (B, N) to the recent use; report how much of the vocabulary that covers."""
        use = self.model.recent_use
        use *= 0.5 ** (batch_size / USE_HALF_LIFE)
        use += self.group.sum(torch.bincount(tokens.flatten(), minlength=len(use)))
        share = use / use.sum()
        return {
            "codes_used": float((use >= 0.5).sum()),  # came within about one half-life
            "perplexity": torch.special.entr(share).sum().exp().item(),
        }

    @torch.no_grad()
    def sheet(self, seed: int) -> np.ndarray:
        """Return rows of ten training pictures, each above the row of their reconstructions."""
        rows = []
        for originals in self.examples.split(10):
            rows += [originals, self.average(originals)[0]]
        return to_uint8(torch.cat(rows))

    def published(self) -> nn.Module:
        """Return a copy of the averaged tokenizer."""
        return copy.deepcopy(self.average)

    @staticmethod
    def outputs(model: Tokenizer) -> list[Tensor]:
        """Return eight pictures as they were put together again, and their tokens."""
        return list(model(random_pictures(model.config)))
