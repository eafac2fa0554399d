"""Paths through a space of codes: from key to key, straight or along arcs."""

import torch
from torch import Tensor


def points_between(keys: Tensor, steps: int, mode: str, *, endpoint: bool) -> Tensor:
    """Return points along keys (K, D) in equal steps, (steps, D).

    Args:
        mode: "lerp" for straight lines, "slerp" for arcs.
        endpoint: whether the last key is the last point; if not, a walk that ends where it began
            does not show that point twice.
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
