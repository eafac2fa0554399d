"""From the logits of the next token to the distribution it is drawn from."""

import math

import torch
from torch import Tensor


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

    # Subtracting the maximum first keeps a tiny temperature from overflowing.
    logits = logits.float()
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
