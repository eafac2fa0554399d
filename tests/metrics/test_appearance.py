"""What is measured on any picture grows with what its name says."""

import numpy as np
import pytest

from genimg.metrics.appearance import appearance


def ellipse(*, height=0.2, width=0.2, slant=0.0, level=200, channels=1):
    """A bright ellipse on black, uint8 (1, 48, 48, C)."""
    y, x = np.meshgrid(np.linspace(0.5, -0.5, 48), np.linspace(-0.5, 0.5, 48), indexing="ij")
    x, y = x - slant * y, y
    inside = (x / width) ** 2 + (y / height) ** 2 < 1
    return np.repeat((inside * level).astype(np.uint8)[None, :, :, None], channels, axis=3)


@pytest.mark.parametrize(
    ("name", "less", "more"),
    [
        ("brightness", {"level": 100}, {"level": 220}),
        ("area", {"height": 0.1}, {"height": 0.4}),
        ("height", {"height": 0.1}, {"height": 0.4}),
        ("width", {"width": 0.1}, {"width": 0.4}),
        ("slant", {"slant": -0.7}, {"slant": 0.7}),
        ("symmetry", {"slant": 0.7}, {"slant": 0.0}),
    ],
)
def test_it_grows_with_what_its_name_says(name, less, more):
    low, high = (appearance(ellipse(**changes))[name][0] for changes in (less, more))
    assert high > low * 1.05 if low > 0 else high > low + 0.01


def test_noise_has_more_texture_than_a_ramp():
    noise = np.random.default_rng(0).integers(0, 256, (1, 48, 48, 1), np.uint8)
    ramp = np.broadcast_to(
        np.linspace(0, 255, 48).astype(np.uint8)[None, :, None, None], noise.shape
    )
    assert appearance(noise)["texture"] > 3 * appearance(ramp)["texture"]


def test_colours_only_of_colour_pictures():
    grey, red = ellipse(channels=3), ellipse(channels=3)
    red[..., 1:] //= 4
    scores = appearance(np.concatenate([grey, red]))
    assert scores["saturation"][0] == 0 < scores["saturation"][1]
    assert scores["warmth"][0] == 0 < scores["warmth"][1]
    assert {"saturation", "warmth"}.isdisjoint(appearance(ellipse()))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("value", [0, 127, 255])
def test_an_empty_picture_has_finite_numbers(value, channels):
    scores = appearance(np.full((2, 16, 16, channels), value, np.uint8))
    assert all(np.isfinite(score).all() and score.shape == (2,) for score in scores.values())
