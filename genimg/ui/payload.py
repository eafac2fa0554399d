"""Arrays on their way to the browser: one block of bytes with a table of what lies where.

A capture of a whole drawing is some hundred thousand numbers. As JSON they would be three times
as long and slow to read; as bytes they become typed arrays of JavaScript without being copied.
"""

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np

_TYPES = ("uint8", "int32", "float32")
_ALIGNMENT = 8  # a typed array must begin at a multiple of its item's size


def pack(arrays: Mapping[str, np.ndarray], /, **facts: Any) -> dict[str, Any]:
    """Return arrays and facts as a value that becomes JSON; `static/payload.js` reads it.

    Args:
        arrays: by name, uint8, int32 or float32, of any shape.
        facts: what else the browser must know; anything that can become JSON.

    Returns:
        The facts, and under "arrays" a list of {"name", "dtype", "shape", "offset"} and under
        "bytes" their items, little-endian in C order, as base64.

    Raises:
        ValueError: an array has another type, or a fact the name "arrays" or "bytes".
    """
    if {"arrays", "bytes"} & facts.keys():
        raise ValueError('a fact must not be called "arrays" or "bytes"')
    table, block = [], bytearray()
    for name, array in arrays.items():
        if array.dtype.name not in _TYPES:
            raise ValueError(f"{name} must be one of {', '.join(_TYPES)}, not {array.dtype}")
        block += bytes(-len(block) % _ALIGNMENT)
        table.append(
            {
                "name": name,
                "dtype": array.dtype.name,
                "shape": list(array.shape),
                "offset": len(block),
            }
        )
        block += array.astype(array.dtype.newbyteorder("<"), order="C").tobytes()
    return {**facts, "arrays": table, "bytes": base64.b64encode(block).decode("ascii")}
