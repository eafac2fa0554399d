"""The spectrum of pictures: blur, jaggies and the checkerboard, as numbers.

Natural pictures have less power the finer the detail; generators miss or overdo its end (Durall et
al. 2020, arXiv 2003.01826). A transposed convolution whose filter gives neighbouring pixels
different weights leaves a pattern that changes at every pixel (Odena et al. 2016, Distill,
"Deconvolution and checkerboard artifacts"): a peak in the corner of the spectrum.

Frequencies are in cycles per pixel: 0.5 is as fine as rows or columns can alternate, and a
checkerboard, which alternates both ways at once, is at sqrt(0.5) = 0.71.
"""

from dataclasses import dataclass

import numpy as np

from genimg.tensors import image_tensor

CHECKERBOARD = 0.5**0.5
"""The frequency of a checkerboard of single pixels, in cycles per pixel."""
FINE = 0.25
"""From which frequency on detail is fine: it changes within two pixels."""

_BATCH = 250
_AROUND = 2  # bins each way that a peak is compared with


@dataclass(frozen=True, slots=True, eq=False)
class Spectrum:
    """What frequencies a set of pictures consists of.

    Powers are variances, where 1 is the whole range of grey levels; of all frequencies together
    they sum to the mean variance of a picture.

    Attributes:
        frequencies: float64 (F,), cycles per pixel, above 0 to 0.71.
        power: float64 (F,): the mean over all waves of that frequency, in whatever direction.
        detail: the power of fine detail, above `FINE`. Blurred pictures have less than real ones.
        jaggies: the power where rows and columns are both finer than `FINE`. A smooth edge has next
            to none there; steps along a slanted edge, and speckles, have.
        checkerboard: the power of the checkerboard over the mean of the frequencies around it: 1
            for noise, less for most pictures, more where there is such a pattern.
    """

    frequencies: np.ndarray
    power: np.ndarray
    detail: float
    jaggies: float
    checkerboard: float


def spectrum(pictures: np.ndarray) -> Spectrum:
    """Return the spectrum of pictures, averaged over them and over their channels.

    Args:
        pictures: uint8 (N, H, W, C), at least 8 pixels a side.

    Raises:
        ValueError: they are anything else.
    """
    power = power_map(pictures)
    height, width = power.shape
    y, x = (abs(np.fft.fftfreq(side)) for side in (height, width))
    distance = np.hypot(y[:, None], x)  # (H, W)
    rings = np.rint(distance * max(height, width)).astype(int)
    counts = np.maximum(np.bincount(rings.ravel()), 1)
    means = np.bincount(rings.ravel(), power.ravel()) / counts
    both_fine = (y[:, None] > FINE) & (x > FINE)
    return Spectrum(
        np.arange(1, len(means)) / max(height, width),
        means[1:],
        float(power[distance > FINE].sum()),
        float(power[both_fine].sum()),
        _peak(power, height // 2, width // 2),
    )


def power_map(pictures: np.ndarray) -> np.ndarray:
    """Return the mean power of every wave, float64 (H, W), as `numpy.fft.fft2` orders them.

    Args:
        pictures: as for `spectrum`.

    Raises:
        ValueError: as for `spectrum`.
    """
    images = image_tensor(pictures)
    height, width = images.shape[2:]
    if min(height, width) < 2 * _AROUND + 4:
        raise ValueError(f"a spectrum needs pictures of at least 8 pixels a side, not {width}")
    total = np.zeros((height, width))
    for part in images.split(_BATCH):
        values = part.numpy().astype(np.float64) / 255
        values -= values.mean(axis=(2, 3), keepdims=True)
        waves = np.fft.fft2(values, axes=(2, 3)) / (height * width)
        total += (abs(waves) ** 2).mean(axis=1).sum(axis=0)
    return total / len(images)


def _peak(power: np.ndarray, row: int, column: int) -> float:
    """Return the power of one wave over the mean of those around it; 1 where there is none."""
    near = np.arange(-_AROUND, _AROUND + 1)
    rows, columns = (row + near) % power.shape[0], (column + near) % power.shape[1]
    around = power[np.ix_(rows, columns)]
    others = (around.sum() - power[row, column]) / (around.size - 1)
    nothing = 1e-15
    return float((power[row, column] + nothing) / (others + nothing))
