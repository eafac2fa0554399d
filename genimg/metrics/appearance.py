"""What can be measured on any picture: how bright, how wide, how slanted the thing in it is.

Numbers for directions of models whose data have no attributes. A pixel counts
as part of the thing by how much it differs from the level of the picture's edge.
"""

import numpy as np

_DIFFERS = 0.1  # of the whole range, from the edge


def appearance(pictures: np.ndarray) -> dict[str, np.ndarray]:
    """Return numbers that grow with what their names say, float64 (N,) each.

    "brightness" and "area" are shares of the whole, "height" and "width" standard deviations in
    heights and widths of the picture, "slant" is the correlation of right and up, -1 to 1,
    "symmetry" how little the picture differs from its mirror image, "texture" how much neighbouring
    pixels differ within the thing. Pictures in colour also have "saturation", and "warmth", which
    is red less blue.

    Args:
        pictures: uint8 (N, H, W, C), at least 3 pixels a side.
    """
    values = pictures.astype(float) / 255
    grey = values.mean(axis=3)  # (N, H, W)
    edges = [grey[:, 0], grey[:, -1], grey[:, :, 0], grey[:, :, -1]]
    level = np.median(np.concatenate(edges, axis=1), axis=1)
    weight = abs(grey - level[:, None, None])
    total = weight.sum(axis=(1, 2)) + 1e-9
    y, x = (np.linspace(-0.5, 0.5, size) for size in grey.shape[1:])
    rows, columns = weight.sum(axis=2), weight.sum(axis=1)
    middle_y, middle_x = rows @ y / total, columns @ x / total
    height = np.sqrt(np.maximum(rows @ y**2 / total - middle_y**2, 1e-9))
    width = np.sqrt(np.maximum(columns @ x**2 / total - middle_x**2, 1e-9))
    together = np.einsum("nyx,y,x->n", weight, y, x) / total - middle_y * middle_x
    across = abs(np.diff(grey, axis=2)).sum(axis=(1, 2)) + abs(np.diff(grey, axis=1)).sum((1, 2))
    scores = {
        "brightness": grey.mean(axis=(1, 2)),
        "area": (weight > _DIFFERS).mean(axis=(1, 2)),
        "height": height,
        "width": width,
        "slant": -together / (height * width),
        "symmetry": -abs(grey - grey[:, :, ::-1]).mean(axis=(1, 2)),
        "texture": across / total,
    }
    if values.shape[3] == 3:
        scores["saturation"] = (values.max(axis=3) - values.min(axis=3)).mean(axis=(1, 2))
        scores["warmth"] = (values[..., 0] - values[..., 2]).mean(axis=(1, 2))
    return scores
