"""Drawing pictures token by token: from logits to distributions to tokens.

Shape letters: B batch, N tokens of a picture, V size of the vocabulary.
"""

import math
from collections.abc import Iterator
from typing import Any, Protocol

import torch
from torch import Tensor

from genimg.models.attention import KeyValueCache


class Prior(Protocol):
    """A module that says which token comes next; `ImageGpt` is one.

    Attributes:
        num_tokens: N, tokens of a picture.
        unconditional: the label that means "any class".
    """

    num_tokens: int
    unconditional: int

    def __call__(
        self, tokens: Tensor, labels: Tensor, *, cache: KeyValueCache | None = None
    ) -> Tensor:
        """Return the logits float (B, T + 1, V) after the class and after each of the tokens.

        Once the cache holds tokens, the logits (B, T, V) after each of the T new ones.

        Args:
            tokens: int64 (B, T), those that the cache has not seen.
            labels: int64 (B,).
        """


def next_token_distribution(
    logits: Tensor, temperature: float = 1.0, top_k: int = 0, top_p: float = 1.0
) -> Tensor:
    """Return the probabilities of the next token, reshaped by the three usual controls.

    First the logits are divided by the temperature; then only the `top_k` likeliest tokens are
    kept; then only the smallest set of the likeliest whose total probability reaches `top_p`
    (nucleus sampling, arXiv 1904.09751). The rest get exactly 0 and what is kept sums to 1.
    Among equally likely tokens the lower number goes first.

    Args:
        logits: float (..., V).
        temperature: 0 or more; below 1 sharpens, above 1 flattens, 0 keeps the likeliest only.
        top_k: how many tokens to keep; 0 keeps all.
        top_p: probability to keep, above 0 and at most 1; 1 keeps all.

    Returns:
        float32 (..., V).

    Raises:
        ValueError: one of the controls is out of range.
    """
    if not (math.isfinite(temperature) and temperature >= 0):
        raise ValueError(f"temperature must be 0 or more, not {temperature}")
    if top_k < 0:
        raise ValueError(f"top_k must be 0 (all) or more, not {top_k}")
    if not 0 < top_p <= 1:
        raise ValueError(f"top_p must be above 0 and at most 1, not {top_p}")
    if temperature == 0:
        temperature, top_k = 1.0, 1

    # Subtracting the maximum first keeps a tiny temperature from overflowing, and one that float32
    # would take for 0 is taken for the least that it knows.
    logits = logits.float()
    temperature = max(temperature, torch.finfo(torch.float32).tiny)
    logits = (logits - logits.amax(dim=-1, keepdim=True)) / temperature
    sorted_logits, order = logits.sort(dim=-1, descending=True, stable=True)
    if top_k:
        sorted_logits[..., top_k:] = -torch.inf
    probabilities = sorted_logits.softmax(dim=-1)
    if top_p < 1:
        # A token stays while those before it do not reach top_p, so the first always stays.
        before = probabilities.cumsum(dim=-1) - probabilities
        probabilities = probabilities.masked_fill(before >= top_p, 0.0)
        probabilities = probabilities / probabilities.sum(dim=-1, keepdim=True)
    return torch.zeros_like(probabilities).scatter(-1, order, probabilities)


@torch.inference_mode()
def draw_steps(
    prior: Prior,
    labels: Tensor,
    uniforms: Tensor,
    *,
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
    guidance: float = 1.0,
    known: Tensor | None = None,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Draw pictures token by token, with a cache, and yield after each token.

    The randomness comes in as numbers: picture i depends on row i of `uniforms`, its label and the
    controls, and on nothing else in the batch.

    Args:
        labels: int64 (B,) from 0 to classes, which is the unconditional label.
        uniforms: float (B, N), drawn uniformly from [0, 1).
        temperature, top_k, top_p: see `next_token_distribution`.
        guidance: 1 takes the conditional logits c; other values take u + guidance * (c - u) with
            the unconditional logits u (arXiv 2207.12598), at twice the cost.
        known: int64 (B, N), tokens that are given, and -1 for those to draw.

    Yields:
        The tokens at the next place, int64 (B,), and the probabilities they were drawn from, or
        would have been, (B, V).

    Raises:
        ValueError: `uniforms` or `known` has another shape, or a control is out of range.
    """
    shape = (len(labels), prior.num_tokens)
    known = torch.full(shape, -1, device=labels.device) if known is None else known
    for name, given in (("uniforms", uniforms), ("known", known)):
        if given.shape != shape:
            raise ValueError(f"{name} must be {shape}, not {tuple(given.shape)}")
    if not math.isfinite(guidance):
        raise ValueError(f"guidance must be a finite number, not {guidance}")
    guided = guidance != 1
    if guided:
        labels = torch.cat((labels, torch.full_like(labels, prior.unconditional)))  # (2B,)
    cache = KeyValueCache(prior.num_tokens)
    tokens = labels.new_empty(len(labels), 0)  # none yet
    for position in range(prior.num_tokens):
        logits = prior(tokens, labels, cache=cache)[:, -1]  # (B, V) or (2B, V)
        if guided:
            conditional, unconditional = logits.chunk(2)
            logits = unconditional + guidance * (conditional - unconditional)  # (B, V)
        probabilities = next_token_distribution(logits, temperature, top_k, top_p)
        drawn = draw_by_uniforms(probabilities, uniforms[:, position])  # (B,)
        drawn = torch.where(known[:, position] < 0, drawn, known[:, position])
        yield drawn, probabilities
        tokens = (drawn.repeat(2) if guided else drawn)[:, None]  # (B, 1) or (2B, 1)


def draw_tokens(prior: Prior, labels: Tensor, uniforms: Tensor, **controls: Any) -> Tensor:
    """Return the tokens of whole pictures, int64 (B, N); see `draw_steps` for the arguments."""
    steps = draw_steps(prior, labels, uniforms, **controls)
    return torch.stack([tokens for tokens, _ in steps], dim=1)


def draw_by_uniforms(probabilities: Tensor, uniforms: Tensor) -> Tensor:
    """Return the first token at which the summed probabilities exceed a share `uniforms`.

    Args:
        probabilities: float (B, V), each row with a positive sum.
        uniforms: float (B,) in [0, 1).

    Returns:
        int64 (B,), never a token of probability 0.
    """
    # In float64, and measured against the sum itself: no rounding can lead beyond the last token.
    # On the CPU, because Apple's GPUs have no float64.
    sums = probabilities.cpu().double().cumsum(dim=-1)
    target = uniforms.cpu().double()[:, None] * sums[:, -1:]  # (B, 1)
    chosen = torch.searchsorted(sums, target, right=True).squeeze(1)  # (B,)
    return chosen.to(probabilities.device)
