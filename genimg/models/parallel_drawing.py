"""Drawing pictures in a few steps, several tokens at a time.

Every step proposes a token for each place that is still masked, keeps some of the proposals and
masks the others again (MaskGIT, Chang et al., arXiv 2202.04200, section 3.2). Tokens that are kept
in the same step are drawn independently of one another: they may not fit together, which is what
few steps cost. With as many steps as tokens one is kept at a time, and nothing is lost.

Shape letters: B batch, N tokens of a picture, S steps, V size of the vocabulary.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from genimg.models.sampling import draw_by_uniforms, next_token_distribution


class MaskedPrior(Protocol):
    """A module that says what masked tokens may be; `MaskGit` is one.

    Attributes:
        num_tokens: N, tokens of a picture.
        unconditional: the label that means "any class".
    """

    num_tokens: int
    unconditional: int

    def __call__(self, tokens: Tensor, labels: Tensor) -> Tensor:
        """Return logits, float (B, N, V), of tokens int64 (B, N), -1 where they are masked."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ParallelStep:
    """One step of a drawing.

    Attributes:
        tokens: int64 (B, N), those kept so far, and -1 where it is masked after this step.
        proposals: int64 (B, N), the tokens kept before and those proposed now.
        confidence: float32 (B, N), the probability of each proposal when it was made, after
            guidance and before temperature, top-k and top-p; 1 for tokens that were given.
    """

    tokens: Tensor
    proposals: Tensor
    confidence: Tensor


def masked_after(count: int, steps: int) -> list[int]:
    """Return how many of `count` tokens are still masked after each step: S numbers, the last 0.

    A cosine, as in MaskGIT: the first steps, which know least, keep few tokens. Each step keeps at
    least one, so that there are never more steps than tokens.

    Raises:
        ValueError: there is no step, or no token.
    """
    if steps < 1 or count < 1:
        raise ValueError(f"steps and tokens must be 1 or more, not {steps} and {count}")
    steps = min(steps, count)
    cosines = [math.cos(math.pi / 2 * step / steps) for step in range(1, steps + 1)]
    left = [min(math.floor(count * c), count - step - 1) for step, c in enumerate(cosines)]
    return [*left[:-1], 0]


@torch.inference_mode()
def parallel_steps(
    prior: MaskedPrior,
    labels: Tensor,
    uniforms: Tensor,
    *,
    ranks: Tensor | None = None,
    noise: float = 0.0,
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
    guidance: float = 1.0,
    known: Tensor | None = None,
) -> Iterator[ParallelStep]:
    """Draw pictures in S steps and yield after each.

    The randomness comes in as numbers: picture i depends on row i of `uniforms`, its label and the
    controls, and on nothing else in the batch.

    Args:
        labels: int64 (B,) from 0 to classes, which is the unconditional label.
        uniforms: float (B, S, 2, N), drawn uniformly from [0, 1): for each step those that choose
            the tokens, and those of the noise. Of more steps than tokens the last are not needed.
        ranks: int64 (N,) or (B, N), which place comes first, second and so on; None keeps the
            proposals of the highest confidence.
        noise: how much Gumbel noise is added to the logarithms of the confidence before the highest
            are kept, at first; it falls linearly to 0 in the last step. Without any the drawings
            are more alike.
        temperature, top_k, top_p: see `next_token_distribution`.
        guidance: 1 takes the conditional logits c; other values take u + guidance * (c - u) with
            the unconditional logits u (arXiv 2207.12598), at twice the cost.
        known: int64 (B, N), tokens that are given, and -1 for those to draw: as many in each row.

    Raises:
        ValueError: `uniforms` or `known` has another shape, or a control is out of range.
    """
    shape = (len(labels), prior.num_tokens)
    tokens = torch.full(shape, -1, device=labels.device) if known is None else known
    if tokens.shape != shape:
        raise ValueError(f"known must be {shape}, not {tuple(tokens.shape)}")
    if uniforms.dim() != 4 or uniforms[:, 0, 0].shape != shape or uniforms.shape[2] != 2:
        wanted = f"({shape[0]}, steps, 2, {shape[1]})"
        raise ValueError(f"uniforms must be {wanted}, not {tuple(uniforms.shape)}")
    for name, control in (("guidance", guidance), ("noise", noise)):
        if not math.isfinite(control):
            raise ValueError(f"{name} must be a finite number, not {control}")
    counts = (tokens < 0).sum(dim=1)
    if (counts != counts[:1]).any():
        raise ValueError("known must leave as many tokens to draw in every row")
    confidence = torch.ones(shape, device=labels.device)
    left = int(counts[0]) if len(counts) else 0
    if not left:
        yield ParallelStep(tokens=tokens, proposals=tokens, confidence=confidence)
        return
    schedule = masked_after(left, uniforms.shape[1])
    for step, left_after in enumerate(schedule):
        masked = tokens < 0
        logits = guided_logits(prior, tokens, labels, guidance)  # (B, N, V)
        chances = next_token_distribution(logits, temperature, top_k, top_p)
        to_choose, to_disturb = uniforms[:, step].unbind(dim=1)  # (B, N) each
        drawn = draw_by_uniforms(chances.flatten(0, 1), to_choose.flatten()).view(shape)
        proposals = torch.where(masked, drawn, tokens)
        sure = logits.float().log_softmax(dim=-1).gather(-1, proposals[..., None]).squeeze(-1)
        confidence = torch.where(masked, sure.exp(), confidence)
        if ranks is None:
            fading = noise * (1 - (step + 1) / len(schedule))
            score = sure + fading * _gumbel(to_disturb.to(sure.device))
        else:
            score = -ranks.to(sure).expand(shape)
        score = score.masked_fill(~masked, -torch.inf)
        order = score.argsort(dim=1, descending=True, stable=True)  # (B, N)
        kept = order[:, : left - left_after]
        tokens = tokens.scatter(1, kept, proposals.gather(1, kept))
        left = left_after
        yield ParallelStep(tokens=tokens, proposals=proposals, confidence=confidence)


def guided_logits(prior: MaskedPrior, tokens: Tensor, labels: Tensor, guidance: float) -> Tensor:
    """Return logits, float (B, N, V), with guidance; see `parallel_steps` for the arguments."""
    if guidance == 1:
        return prior(tokens, labels)
    both = torch.cat((labels, torch.full_like(labels, prior.unconditional)))  # (2B,)
    conditional, unconditional = prior(tokens.repeat(2, 1), both).chunk(2)
    return unconditional + guidance * (conditional - unconditional)


def _gumbel(uniforms: Tensor) -> Tensor:
    """Return Gumbel noise, made of numbers drawn uniformly from [0, 1)."""
    inside = uniforms.float().clamp(torch.finfo(torch.float32).tiny, 1 - 2**-24)
    return -torch.log(-torch.log(inside))
