"""The exponential moving average of a model's weights, which is what gets shown and shipped."""

import torch
from torch import nn


@torch.no_grad()
def update_average(
    average: nn.Module, model: nn.Module, *, images: int, images_seen: int, half_life: float
) -> None:
    """Move `average` towards `model`.

    Args:
        images: pictures in the step just made.
        images_seen: pictures seen including that step.
        half_life: pictures after which old weights count half; at most 5 % of those seen so far
            (Karras et al. 2021, StyleGAN3), because early weights are not worth remembering.
    """
    half_life = min(half_life, 0.05 * images_seen)
    weight = 1 - 0.5 ** (images / max(half_life, 1e-8))
    torch._foreach_lerp_(list(average.parameters()), list(model.parameters()), weight)
    for kept, new in zip(average.buffers(), model.buffers(), strict=True):
        kept.copy_(new)  # running statistics are averages already
