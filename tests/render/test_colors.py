import numpy as np
import pytest

from genimg.render.colors import COLOR_MAPS, MISSING, color_table


def oklab(srgb):
    """Convert sRGB 0 to 255 to OKLab with the forward matrices of Ottosson (2020)."""
    srgb = np.asarray(srgb, np.float64) / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    to_lms = [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
    to_lab = [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
    return np.cbrt(linear @ np.transpose(to_lms)) @ np.transpose(to_lab)


def test_sequential_lightness_rises_at_every_step_that_uint8_can_show():
    lightness = oklab(color_table("sequential"))[:, 0]
    assert (np.diff(lightness) > -1e-3).all()  # rounding to uint8 moves it by about 1e-3
    assert (np.diff(lightness[::4]) > 0).all()
    assert lightness[-1] - lightness[0] > 0.65


def test_diverging_is_symmetric_about_an_exactly_neutral_middle():
    table = color_table("diverging")
    lightness = oklab(table)[:, 0]
    np.testing.assert_allclose(lightness, lightness[::-1], atol=4e-3)
    assert lightness.argmax() == len(table) // 2
    assert len(set(table[len(table) // 2].tolist())) == 1
    blue_end, red_end = table[0].astype(int), table[-1].astype(int)
    assert blue_end[2] > blue_end[0] + 50
    assert red_end[0] > red_end[2] + 50


@pytest.mark.parametrize("name", COLOR_MAPS)
def test_equal_steps_of_the_value_are_equal_steps_to_the_eye(name):
    points = oklab(color_table(name))[::16]  # 16 steps at a time, to see past the rounding
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    assert steps.max() < 1.15 * steps.min()


@pytest.mark.parametrize("name", COLOR_MAPS)
def test_missing_is_far_from_every_color_of_the_table(name):
    distance = np.linalg.norm(oklab(color_table(name)) - oklab(MISSING), axis=1)
    assert distance.min() > 0.2  # ten times what the eye tells apart


def test_the_shared_table_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        color_table("sequential")[0] = 0


def test_unknown_name():
    with pytest.raises(ValueError, match=r"one of sequential, diverging, not 'jet'"):
        color_table("jet")
