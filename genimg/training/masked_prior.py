"""Training a MaskGIT: masked tokens of pictures that a finished tokenizer has read.

How many tokens are masked is drawn anew for each picture: by a cosine, as many as are masked in the
steps of a drawing (MaskGIT, Chang et al., arXiv 2202.04200, section 3.3).
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genimg.models.masking import even_masks, mask_places
from genimg.models.parallel_drawing import parallel_steps
from genimg.randomness import generator
from genimg.training.prior import PriorTask

_SHEET_STEPS = 8


class MaskedPriorTask(PriorTask):
    """Labels and some of the tokens to the others, which are masked."""

    def _loss(self, prior: nn.Module, tokens: Tensor, labels: Tensor, batch_size: int) -> Tensor:
        """Return the mean over the masked tokens of the whole batch of -log p, in nats."""
        size = tokens.shape[1]
        shares = torch.cos(torch.rand(batch_size) * math.pi / 2)
        masked = mask_places(torch.rand(batch_size, size), (shares * size).ceil())
        mine = self.group.share(masked).to(self.device)
        # Processes mask different numbers of tokens; the mean of their losses is that of all.
        per_process = masked.sum() / self.group.size
        return self._losses(prior, tokens, labels, mine).sum() / per_process.to(self.device)

    @torch.no_grad()
    def validate(self, images: Tensor, labels: Tensor) -> float:
        """Return the averaged model's -log p with the true labels, in nats per token.

        It is that of drawing one token at a time in a random order, estimated from one step for
        each picture (arXiv 2110.02037, section 3): the mean over its masked tokens, of which any
        number is as likely.
        """
        tokens = self.model.tokenizer.encode(images)
        pictures, size = tokens.shape
        masked = even_masks(pictures, size, generator(0, "validation", 0)).to(self.device)
        losses = self._losses(self.average, tokens, labels, masked)
        return (losses.sum(dim=1) / masked.sum(dim=1)).mean().item()

    def _losses(self, prior: nn.Module, tokens: Tensor, labels: Tensor, masked: Tensor) -> Tensor:
        """Return -log p of the masked tokens and 0 for others, float32 (B, N)."""
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            logits = prior(tokens.masked_fill(masked, -1), labels)  # (B, N, V)
        losses = F.cross_entropy(logits.float().mT, tokens, reduction="none")  # (B, N)
        return losses.masked_fill(~masked, 0)

    def _draw(self, labels: Tensor, numbers: torch.Generator) -> Tensor:
        """Return tokens int64 (B, N) for labels (B,), drawn by the averaged MaskGIT."""
        shape = len(labels), _SHEET_STEPS, 2, self.average.num_tokens
        uniforms = torch.rand(shape, generator=numbers).to(self.device)
        *_, last = parallel_steps(self.average, labels, uniforms, noise=1.0)
        return last.tokens
