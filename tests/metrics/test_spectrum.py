import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from genimg.metrics.spectrum import CHECKERBOARD, power_map, spectrum

SIZE = 32
Y, X = np.mgrid[:SIZE, :SIZE]


def pictures(values):
    """Grey levels 0 to 1, (N, H, W), as pictures."""
    return np.rint(255 * np.asarray(values)).astype(np.uint8)[..., None]


@pytest.fixture
def noise():
    return np.random.default_rng(0).uniform(size=(200, SIZE, SIZE))


@given(st.integers(1, 15), st.integers(0, 15), st.floats(0.2, 0.45))
def test_a_wave_has_its_power_at_its_frequency(rows, columns, amplitude):
    wave = 0.5 + amplitude * np.cos(2 * np.pi * (rows * Y + columns * X) / SIZE)
    found = power_map(pictures([wave]))
    assert found[rows, columns] + found[-rows, -columns] == pytest.approx(
        amplitude**2 / 2, rel=0.05
    )
    seen = spectrum(pictures([wave]))
    strongest = seen.frequencies[seen.power.argmax()]
    assert strongest == pytest.approx(np.hypot(rows, columns) / SIZE, abs=0.5 / SIZE)


@pytest.mark.parametrize("channels", [1, 3])
def test_all_power_together_is_the_variance(channels):
    given = np.random.default_rng(1).integers(0, 256, (300, 12, 20, channels), np.uint8)
    expected = (given / 255.0).var(axis=(1, 2)).mean()
    assert power_map(given).sum() == pytest.approx(expected, rel=1e-10)


def test_a_ring_is_the_mean_of_its_waves(noise):
    found, power = spectrum(pictures(noise)), power_map(pictures(noise))
    f = np.fft.fftfreq(SIZE)
    ring = np.rint(SIZE * np.hypot(f[:, None], f)) == 7
    assert found.frequencies[6] == 7 / SIZE
    assert found.power[6] == pytest.approx(power[ring].mean(), rel=1e-12)
    assert found.frequencies[-1] == pytest.approx(CHECKERBOARD, abs=0.5 / SIZE)


def test_noise_has_no_peak_and_a_checkerboard_has_one(noise):
    plain = spectrum(pictures(0.25 + noise / 2))
    assert plain.checkerboard == pytest.approx(1, abs=0.3)
    amplitude = 0.02
    board = amplitude * (-1.0) ** (Y + X)
    marked = spectrum(pictures(0.25 + noise / 2 + board))
    around = (
        1 / 48 + 1 / 12 / 255**2
    ) / SIZE**2  # of even noise from 0.25 to 0.75, and of rounding
    assert marked.checkerboard == pytest.approx(1 + amplitude**2 / around, rel=0.1)
    stripes = spectrum(pictures(0.25 + noise / 2 + amplitude * (-1.0) ** Y))
    assert stripes.checkerboard == pytest.approx(plain.checkerboard, abs=0.05)


def test_blur_takes_the_power_that_its_filter_takes(noise):
    def blur(values, axis):
        return (np.roll(values, 1, axis) + 2 * values + np.roll(values, -1, axis)) / 4

    blurred = blur(blur(noise, 1), 2)
    f = np.fft.fftfreq(SIZE)
    passes = np.cos(np.pi * f) ** 4  # the square of what [1, 2, 1] / 4 does to a wave
    expected = power_map(pictures(noise)) * passes[:, None] * passes
    rounding = 1 / 12 / 255**2 / SIZE**2
    assert power_map(pictures(blurred)) == pytest.approx(expected + rounding, rel=0.3, abs=1e-7)
    before, after = spectrum(pictures(noise)), spectrum(pictures(blurred))
    assert after.detail < before.detail / 4
    assert after.jaggies < before.jaggies / 8


def test_a_stepped_edge_is_more_jagged_than_a_smooth_one():
    stepped, smooth = [], []
    for angle in np.linspace(0.1, 1.4, 30):
        side = np.cos(angle) * (X - 15.5) + np.sin(angle) * (Y - 15.5)
        inside = np.exp(-((X - 15.5) ** 2 + (Y - 15.5) ** 2) / 60)  # nothing at the border
        stepped.append(0.1 + 0.8 * inside * (side > 0))
        smooth.append(0.1 + 0.8 * inside * (side + 0.5).clip(0, 1))
    assert spectrum(pictures(stepped)).jaggies > 3 * spectrum(pictures(smooth)).jaggies


def test_transposed_convolutions_leave_a_checkerboard_and_bilinear_resampling_none():
    """Odena et al.: not what was learned, but how pictures are made larger."""
    numbers = torch.Generator().manual_seed(0)
    coarse = torch.rand(400, 8, 16, 16, generator=numbers)
    kernel = torch.rand(8, 1, 4, 4, generator=numbers)
    transposed = F.conv_transpose2d(coarse, kernel, stride=2, padding=1)
    bilinear = F.interpolate(coarse.sum(1, keepdim=True), scale_factor=2, mode="bilinear")
    found = [
        spectrum(pictures(((x - x.mean()) / 20 + 0.5).clamp(0, 1)[:, 0].numpy())).checkerboard
        for x in (transposed, bilinear)
    ]
    assert found[0] > 2
    assert found[1] < 1


def test_even_pictures_have_no_peak():
    assert spectrum(np.full((3, 8, 8, 1), 7, np.uint8)).checkerboard == 1


@pytest.mark.parametrize("bad", [None, np.zeros((2, 8, 8)), np.zeros((1, 4, 4, 1), np.uint8)])
def test_what_has_no_spectrum_is_refused(bad):
    with pytest.raises(ValueError, match="pictures"):
        spectrum(bad)
