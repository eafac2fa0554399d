"""Ways from code to code."""

import torch
from torch import Tensor


def walk(keys: Tensor, steps: int, mode: str, *, endpoint: bool) -> Tensor:
    """Return (steps, D) points along keys (K, D), in equal times from one to the next.

    Args:
        mode: "lerp" goes straight, "slerp" along an arc.
        endpoint: whether the last point is the last key.
    """
    position = torch.linspace(0, len(keys) - 1, steps + (0 if endpoint else 1))[:steps]
    index = position.long().clamp(max=len(keys) - 2)
    t = (position - index)[:, None]
    start, end = keys[index], keys[index + 1]
    if mode == "lerp":
        return torch.lerp(start, end, t)
    return slerp(start, end, t)


def slerp(start: Tensor, end: Tensor, t: Tensor) -> Tensor:
    """Go from start (B, D) to end (B, D) by t (B, 1) along an arc; lengths change evenly.

    Shoemake 1985. Where the two point the same way, or opposite ways, the arc is not defined and
    the straight line is taken.
    """
    lengths = start.norm(dim=1, keepdim=True), end.norm(dim=1, keepdim=True)
    a, b = start / lengths[0], end / lengths[1]
    angle = (a * b).sum(dim=1, keepdim=True).clamp(-1, 1).acos()
    sine = angle.sin()
    arc = (((1 - t) * angle).sin() * a + (t * angle).sin() * b) / sine
    arc = arc * torch.lerp(lengths[0], lengths[1], t)
    return torch.where(sine.abs() > 1e-4, arc, torch.lerp(start, end, t))
