import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from genimg.render import color_bar, heat_map, overlay
from genimg.render.colors import COLOR_MAPS, MISSING, color_table


def one_color(value, low=0.0, high=1.0, color_map="sequential"):
    values = np.array([[value]])
    picture = heat_map(values, low=low, high=high, size_px=1, color_map=color_map)
    return picture.getpixel((0, 0))


@pytest.mark.parametrize("color_map", COLOR_MAPS)
def test_every_color_of_the_table_is_reached_in_order(color_map):
    table = color_table(color_map)
    values = np.linspace(-3, 5, len(table))[None]
    picture = heat_map(values, low=-3, high=5, size_px=1, color_map=color_map)
    np.testing.assert_array_equal(np.asarray(picture)[0], table)


def test_zero_is_neutral_on_a_symmetric_diverging_scale():
    red, green, blue = one_color(0.0, -0.3, 0.3, "diverging")
    assert red == green == blue


def test_the_scale_does_not_depend_on_the_picture():
    alone = one_color(0.25)
    beside = heat_map(np.array([[0.25, 0.9]]), low=0, high=1, size_px=2)
    assert beside.getpixel((0, 0)) == alone
    flat = heat_map(np.full((4, 4), 0.25) + 1e-6 * np.eye(4), low=0, high=1, size_px=4)
    assert len(flat.getcolors()) == 1  # an almost even map is not stretched


@given(
    hnp.arrays(np.float32, hnp.array_shapes(min_dims=2, max_dims=2, max_side=6)),
    st.integers(1, 40),
)
def test_any_values_make_blocks_of_table_colors(values, size_px):
    picture = heat_map(values, low=-1, high=1, size_px=size_px)
    factor = picture.width // values.shape[1]
    pixels = np.asarray(picture)
    blocks = pixels[::factor, ::factor]
    np.testing.assert_array_equal(pixels, blocks.repeat(factor, axis=0).repeat(factor, axis=1))
    missing = (blocks == MISSING).all(axis=2)
    np.testing.assert_array_equal(missing, np.isnan(values))
    allowed = {tuple(color) for color in color_table("sequential").tolist()}
    assert {tuple(color) for color in blocks[~missing].tolist()} <= allowed


def test_values_outside_the_range_get_the_end_colors():
    assert one_color(-np.inf) == one_color(-7.0) == one_color(0.0)
    assert one_color(np.inf) == one_color(7.0) == one_color(1.0)


@pytest.mark.parametrize("dtype", [np.float16, np.float64, np.uint8, np.int64])
def test_other_number_types_give_the_same_picture(dtype):
    values = np.array([[0, 1], [2, 3]])
    expected = heat_map(values.astype(np.float32), low=-1, high=4, size_px=8)
    assert heat_map(values.astype(dtype), low=-1, high=4, size_px=8) == expected


def test_overlay_is_the_stated_mixture():
    image = np.random.default_rng(0).integers(0, 256, (6, 8, 3), np.uint8)
    values = np.random.default_rng(1).random((3, 2))
    values[0, 0] = np.nan
    colors = np.asarray(heat_map(values, low=0, high=1, size_px=1), np.float64)
    colors = np.kron(colors, np.ones((2, 4, 1)))  # (6, 8, 3)
    for alpha in (0, 0.25, 1):
        got = np.asarray(overlay(image, values, 0, 1, alpha), np.float64)
        assert np.abs(got - ((1 - alpha) * image + alpha * colors)).max() <= 0.5 + 1e-4


def test_overlay_takes_grey_images_and_pictures():
    grey = np.random.default_rng(0).integers(0, 256, (4, 4, 1), np.uint8)
    values = np.eye(2)
    from_grey = overlay(grey, values, 0, 1, 0.5)
    assert from_grey == overlay(grey.repeat(3, axis=2), values, 0, 1, 0.5)
    assert from_grey == overlay(Image.fromarray(grey[:, :, 0]), values, 0, 1, 0.5)


@pytest.mark.parametrize("color_map", COLOR_MAPS)
def test_color_bar_shows_the_whole_table_and_writes_both_ends(color_map):
    picture = np.asarray(color_bar(-1, 1, width=257, height=9, color_map=color_map))
    assert picture.shape == (25, 257, 3)
    for row in picture[:9]:
        np.testing.assert_array_equal(row, color_table(color_map))
    below = picture[9:].min(axis=(0, 2))  # (257,), dark where a number is written
    assert below[:20].min() < 128
    assert below[-20:].min() < 128
    assert below[60:-60].min() == 255


def test_color_bar_writes_the_numbers_it_is_given():
    assert color_bar(0, 1) != color_bar(0, 2)
    assert color_bar(0, 1) != color_bar(-1, 1)


@pytest.mark.parametrize(
    "values",
    [
        np.zeros(4),
        np.zeros((2, 2, 2)),
        np.zeros((0, 2)),
        np.zeros((2, 2), complex),
        np.zeros((2, 2), bool),
        [[0.0]],
    ],
)
def test_bad_values_are_refused(values):
    with pytest.raises(ValueError, match=r"^values must be a numpy array of numbers of shape"):
        heat_map(values, low=0, high=1, size_px=8)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"low": 1.0}, "low must be less than high, not 1 and 1"),
        ({"low": 2}, "low must be less than high, not 2 and 1"),
        ({"low": float("nan")}, "low must be a number"),
        ({"high": float("inf")}, "high must be a number"),
        ({"high": None}, "high must be a number"),
        ({"color_map": "jet"}, "color_map must be one of"),
        ({"size_px": 0}, "size_px must be a whole number"),
    ],
)
def test_bad_arguments_are_named(changes, sentence):
    arguments = {"low": 0, "high": 1, "size_px": 8} | changes
    with pytest.raises(ValueError, match=f"^{sentence}"):
        heat_map(np.zeros((2, 2)), **arguments)


@pytest.mark.parametrize("missing", ["low", "high"])
def test_the_range_cannot_be_left_out(missing):
    arguments = {"low": 0, "high": 1, "size_px": 8}
    del arguments[missing]
    with pytest.raises(TypeError, match=missing):
        heat_map(np.zeros((2, 2)), **arguments)


@pytest.mark.parametrize("shape", [(3, 2), (2, 3), (8, 8)])
def test_overlay_refuses_patches_that_do_not_fit(shape):
    with pytest.raises(ValueError, match=r"do not divide an image of shape \(4, 4\)"):
        overlay(np.zeros((4, 4), np.uint8), np.zeros(shape), 0, 1, 0.5)


def test_overlay_and_bar_name_what_is_out_of_range():
    with pytest.raises(ValueError, match=r"^alpha must be a number from 0 to 1"):
        overlay(np.zeros((4, 4), np.uint8), np.zeros((2, 2)), 0, 1, 1.5)
    with pytest.raises(ValueError, match=r"^width must be"):
        color_bar(0, 1, width=5)
    with pytest.raises(ValueError, match=r"^low must be less than high"):
        color_bar(1, 0)
