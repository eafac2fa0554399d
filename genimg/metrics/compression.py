"""How many bits a pixel takes without a model: what a likelihood of pixels is measured against.

All numbers are bits per dimension, which is a pixel rounded to some number of greys. Bits at other
numbers of greys do not compare.
"""

import io

import numpy as np
from PIL import Image


def order_zero_bits(train: np.ndarray, test: np.ndarray, greys: int) -> float:
    """Return what a pixel costs if only how often each grey occurs is known.

    The frequencies come from the training pictures, with one more of each grey so that none is
    impossible; the cost is the mean of -log2 p over the test pictures.

    Args:
        train, test: whole numbers from 0 to greys - 1, of any shape.

    Raises:
        ValueError: there are no pixels, or one is not from 0 to greys - 1.
    """
    for name, pixels in (("train", train), ("test", test)):
        if not pixels.size or pixels.min() < 0 or pixels.max() >= greys:
            raise ValueError(f"{name} must be pixels from 0 to {greys - 1}, one at least")
    count = np.bincount(train.ravel(), minlength=greys) + 1.0
    share = np.bincount(test.ravel(), minlength=greys) / test.size
    return float(-(share * np.log2(count / count.sum())).sum())


def png_bits(pixels: np.ndarray, greys: int) -> float:
    """Return what a pixel takes in a PNG, all pictures below one another in one file.

    One file, because the heads of many would take more than the pictures. It is the smaller of
    two: a byte for each pixel, before it is packed, or just the bits that its greys need.

    Args:
        pixels: whole numbers from 0 to greys - 1, (N, H, W).
        greys: 2 to 256.

    Raises:
        ValueError: these are not pictures, or not of such numbers.
    """
    if pixels.ndim != 3 or not pixels.size or pixels.min() < 0 or pixels.max() >= greys:
        raise ValueError(f"pixels must be pictures (N, H, W) of numbers from 0 to {greys - 1}")
    tall = Image.fromarray(pixels.astype(np.uint8).reshape(-1, pixels.shape[2]))
    coded = Image.frombytes("P", tall.size, tall.tobytes())
    coded.putpalette(list(range(greys)) * 3)  # any palette: a colour for each number
    needed = next(bits for bits in (1, 2, 4, 8) if 2**bits >= greys)
    sizes = []
    for image, options in ((tall, {}), (coded, {"bits": needed})):
        buffer = io.BytesIO()
        image.save(buffer, "png", optimize=True, **options)
        sizes.append(len(buffer.getvalue()))
    return 8 * min(sizes) / pixels.size
