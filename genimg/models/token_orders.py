"""Orders in which the tokens of a picture can be drawn.

A model of masked tokens can follow any of them; an image GPT knows only the one that it was trained
in. Which orders suit pictures: Esser et al., arXiv 2012.09841, appendix B.

Shape letters: N tokens of a picture.
"""

import math

import torch
from torch import Tensor

FIXED = ("raster", "spiral", "centre-out")
"""Orders that are the same for every picture; "random" is another for each."""


def fixed_ranks(order: str, rows: int, columns: int) -> Tensor:
    """Return when each token of a grid is drawn, int64 (N,): 0 for the first.

    Args:
        order: "raster", row by row from the top left; "spiral", clockwise inwards from there;
            "centre-out", by the distance from the middle, and in raster order where it is the same.

    Raises:
        ValueError: there is no such order.
    """
    places = [(row, column) for row in range(rows) for column in range(columns)]
    if order == "spiral":
        places = _spiral(rows, columns)
    elif order == "centre-out":
        middle = (rows - 1) / 2, (columns - 1) / 2
        places.sort(key=lambda place: math.dist(place, middle))  # stable: raster order in a tie
    elif order != "raster":
        raise ValueError(f"the orders are {', '.join(FIXED)}, not {order!r}")
    ranks = torch.empty(rows * columns, dtype=torch.int64)
    for rank, (row, column) in enumerate(places):
        ranks[row * columns + column] = rank
    return ranks


def _spiral(rows: int, columns: int) -> list[tuple[int, int]]:
    """Return the places (row, column) of a grid, clockwise from the top left inwards."""
    top, bottom, left, right = 0, rows - 1, 0, columns - 1
    places: list[tuple[int, int]] = []
    while top <= bottom and left <= right:
        places += [(top, column) for column in range(left, right + 1)]
        places += [(row, right) for row in range(top + 1, bottom + 1)]
        if top < bottom and left < right:
            places += [(bottom, column) for column in range(right - 1, left - 1, -1)]
            places += [(row, left) for row in range(bottom - 1, top, -1)]
        top, bottom, left, right = top + 1, bottom - 1, left + 1, right - 1
    return places
