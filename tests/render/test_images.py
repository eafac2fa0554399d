import ast
import base64
import io
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import genimg.render
from genimg.render import data_uri, encode, enlarge, grid, to_image


def noise(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def decoded(content):
    return Image.open(io.BytesIO(content))


def test_render_imports_only_numpy_pillow_pyav_checks_and_itself():
    allowed = sys.stdlib_module_names | {"numpy", "PIL", "av", "genimg.render", "genimg.checks"}
    for path in Path(genimg.render.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [node.module] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                package = ".".join(name.split(".")[:2]) if name.startswith("genimg") else name
                assert package in allowed, f"{path.name} imports {name}"


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 1), (5, 7, 3), (1, 1), (28, 28, 1)])
def test_png_round_trip_is_exact(shape):
    array = noise(*shape)
    back = np.asarray(decoded(encode(array, "png")))
    np.testing.assert_array_equal(back, array[..., 0] if shape[2:] == (1,) else array)


def test_a_view_with_strides_is_the_same_picture_as_its_copy():
    view = noise(3, 6, 8).transpose(1, 2, 0)[::-1, ::2]  # (C, H, W) to (H, W, C), flipped
    np.testing.assert_array_equal(to_image(view), view)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_picture_does_not_change_with_its_array(channels):
    array = np.zeros((4, 4, channels), np.uint8)
    image = to_image(array)
    array[:] = 9
    assert not np.asarray(image).any()


@pytest.mark.parametrize("format", ["jpeg", "webp"])
def test_lossy_formats_stay_close_and_quality_matters(format):
    array = np.asarray(enlarge(noise(4, 4, 3), 64, smooth=True))
    error = {}
    for quality in (20, 95):
        image = decoded(encode(array, format, quality))
        assert image.format == format.upper()
        error[quality] = np.abs(np.asarray(image.convert("RGB"), float) - array).mean()
    assert error[95] < 8
    assert error[95] < error[20]


@pytest.mark.parametrize("format", ["png", "jpeg", "webp"])
def test_data_uri_holds_the_encoded_bytes(format):
    head, content = data_uri(noise(4, 4), format).split(",")
    assert head == f"data:image/{format};base64"
    assert base64.b64decode(content, validate=True) == encode(noise(4, 4), format)


@given(st.integers(1, 9), st.integers(1, 9), st.sampled_from([1, 3]), st.integers(1, 40))
@settings(deadline=None)
def test_enlarge_by_nearest_repeats_pixels(height, width, channels, size_px):
    array = noise(height, width, channels)
    image = enlarge(array, size_px)
    factor = image.width // width
    expected = array.repeat(factor, axis=0).repeat(factor, axis=1)
    np.testing.assert_array_equal(np.asarray(image).reshape(expected.shape), expected)
    assert max(image.size) >= size_px
    assert factor == 1 or max(height, width) * (factor - 1) < size_px
    assert enlarge(array, size_px, smooth=True).size == image.size


def test_smooth_enlarging_makes_values_between_the_neighbours():
    step = np.array([[0, 200]], np.uint8)
    assert set(np.unique(enlarge(step, 16))) == {0, 200}
    assert len(np.unique(enlarge(step, 16, smooth=True))) > 4


@given(st.data())
@settings(deadline=None)
def test_grid_places_every_image_where_it_says(data):
    count, height, width = (data.draw(st.integers(1, top)) for top in (12, 5, 5))
    channels = data.draw(st.sampled_from([1, 3]))
    columns = data.draw(st.one_of(st.none(), st.integers(1, 15)))
    gap, background = data.draw(st.integers(0, 3)), data.draw(st.integers(0, 255))
    images = noise(count, height, width, channels)

    canvas = np.array(grid(images, columns, gap, background))
    canvas = canvas.reshape(*canvas.shape[:2], channels)
    if columns is None:
        columns = next(c for c in range(1, 13) if c * c >= count)
    rows = -(-count // columns)
    assert canvas.shape[0] == rows * height + (rows - 1) * gap
    assert canvas.shape[1] == columns * width + (columns - 1) * gap
    covered = np.zeros(canvas.shape, bool)
    for i in range(count):
        row, column = divmod(i, columns)
        place = np.s_[row * (height + gap) :, column * (width + gap) :]
        np.testing.assert_array_equal(canvas[place][:height, :width], images[i])
        assert not covered[place][:height, :width].any()
        covered[place][:height, :width] = True
    assert (canvas[~covered] == background).all()


@pytest.mark.parametrize(
    "array",
    [
        noise(4, 4).astype(np.float32),
        noise(4, 4).astype(np.int64),
        [[0, 1], [2, 3]],
        None,
        noise(4),
        noise(4, 4, 2),
        noise(4, 4, 4),
        noise(2, 4, 4, 3),
        noise(0, 4),
        noise(4, 0, 3),
        np.full((4, 4), np.nan),
        Image.new("RGBA", (4, 4)),
    ],
)
def test_what_is_no_image_is_refused_in_one_sentence(array):
    for function in (to_image, encode, data_uri, lambda image: enlarge(image, 8)):
        with pytest.raises(ValueError, match=r"^(an image|a picture) .*not \S+") as caught:
            function(array)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "images",
    [noise(4, 4, 3), noise(0, 4, 4, 3), noise(2, 4, 4, 2), noise(2, 4, 4, 3) / 255, [noise(4, 4)]],
)
def test_what_is_no_stack_of_images_is_refused(images):
    with pytest.raises(ValueError, match=r"^images (need|must be)"):
        grid(images)


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: enlarge(noise(2, 2), 0), "size_px"),
        (lambda: enlarge(noise(2, 2), 10**9), "size_px"),
        (lambda: enlarge(noise(2, 2), 8.0), "size_px"),
        (lambda: grid(noise(2, 2, 2, 1), columns=0), "columns"),
        (lambda: grid(noise(2, 2, 2, 1), columns=True), "columns"),
        (lambda: grid(noise(2, 2, 2, 1), gap=-1), "gap"),
        (lambda: grid(noise(2, 2, 2, 1), background=256), "background"),
        (lambda: encode(noise(2, 2), "jpeg", quality=0), "quality"),
        (lambda: encode(noise(2, 2), "gif"), "format"),
        (lambda: data_uri(noise(2, 2), "svg"), "format"),
    ],
)
def test_arguments_out_of_range_are_named(call, name):
    with pytest.raises(ValueError, match=rf"^{re.escape(name)} must be "):
        call()


@pytest.mark.parametrize(("format", "side"), [("webp", 16_384), ("jpeg", 65_501)])
def test_a_side_too_long_for_the_format_is_refused_and_fits_in_png(format, side):
    line = np.zeros((1, side), np.uint8)
    with pytest.raises(ValueError, match=r"pixels a side, not \d+; use png"):
        encode(line, format)
    assert decoded(encode(line[:, :-1], format)).size == (side - 1, 1)
    assert decoded(encode(line, "png")).size == (side, 1)
