"""What is known about every picture of a drawn data set: one value for each named attribute."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch


@dataclass(frozen=True, slots=True, eq=False)
class Attribute:
    """One attribute of all pictures of a data set."""

    values: tuple[str, ...]
    """The names of the values, in the order of their indices; () for a continuous attribute."""
    data: torch.Tensor
    """int64 (N,), indices into `values`; for a continuous attribute float32 (N,) in [0, 1]."""
    cyclic: bool = False
    """Whether 1 is the same as 0, as it is for a hue."""

    def __len__(self) -> int:
        return len(self.data)

    @property
    def continuous(self) -> bool:
        """Whether the values are numbers in [0, 1] instead of names."""
        return not self.values


def take(attributes: Mapping[str, Attribute], chosen: torch.Tensor | slice) -> dict[str, Attribute]:
    """Return the attributes of some of the pictures.

    Args:
        attributes: those of all pictures, by name.
        chosen: a slice, int64 indices (M,), or bool (N,).
    """
    return {
        name: Attribute(attribute.values, attribute.data[chosen], attribute.cyclic)
        for name, attribute in attributes.items()
    }
