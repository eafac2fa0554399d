import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from genimg.render import animate, strip

FORMATS = ("gif", "webp", "png")


def noise(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def decoded(content):
    """Return the frames as uint8 (T, H, W, 3), their delays in ms, and the file's loop entry."""
    image = Image.open(io.BytesIO(content))
    frames, delays = [], []
    for i in range(image.n_frames):
        image.seek(i)
        frames.append(np.asarray(image.convert("RGB")))
        delays.append(image.info.get("duration"))
    return np.stack(frames), np.array(delays), image.info.get("loop")


@pytest.mark.parametrize("format", FORMATS)
def test_every_grey_is_exact_and_every_frame_is_there(format):
    every_grey = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
    frames = np.stack([np.roll(every_grey, 7 * t, axis=1) for t in range(12)])  # (T, H, W, 1)
    got, delays, loop = decoded(animate(frames, format, frames_per_second=30, enlarge_to=32))
    expected = frames.repeat(2, axis=1).repeat(2, axis=2).repeat(3, axis=3)
    np.testing.assert_array_equal(got, expected)
    assert len(delays) == 12
    assert delays.sum() == 400  # 12 frames at 30 a second
    assert loop == 0


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("rate", [7, 12.5, 24, 30, 49, 50])
def test_delays_are_whole_ticks_and_their_rounding_does_not_add_up(format, rate):
    frames = noise(20, 8, 8, 1)
    _, delays, _ = decoded(animate(frames, format, frames_per_second=rate, enlarge_to=8))
    tick = 10 if format == "gif" else 1
    true_ends = np.arange(1, 21) * 1000 / rate
    assert np.abs(np.cumsum(delays) - true_ends).max() <= tick / 2 + 1e-6
    assert (delays % tick == 0).all()
    assert delays.min() >= 20


@pytest.mark.parametrize("format", ["webp", "png"])
def test_colors_are_exact_in_lossless_formats(format):
    frames = noise(4, 9, 6, 3)
    got, _, _ = decoded(animate(frames, format, enlarge_to=1))
    np.testing.assert_array_equal(got, frames)


def test_gif_colors_come_from_one_palette_and_are_close():
    corners = noise(1, 4, 4, 3)
    frames = np.stack(
        [
            np.asarray(Image.fromarray(np.roll(corners[0], t, axis=0)).resize((32, 32)))
            for t in range(4)
        ]
    )
    got, _, _ = decoded(animate(frames, enlarge_to=32))
    assert got.shape == frames.shape
    assert len(np.unique(got.reshape(-1, 3), axis=0)) <= 256
    assert np.abs(got.astype(int) - frames).mean() < 12


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("format", FORMATS)
def test_a_few_flat_colors_are_exact_in_every_format(format, channels):
    levels = np.array([0, 1, 128, 254, 255], np.uint8)
    frames = np.broadcast_to(levels[:, None, None, None], (5, 3, 4, channels))
    got, _, _ = decoded(animate(frames, format, enlarge_to=4))
    np.testing.assert_array_equal(got, frames[..., :1].repeat(3, axis=3))


def test_still_parts_of_a_gif_do_not_flicker():
    frames = np.repeat(noise(1, 16, 16, 3), 6, axis=0)
    frames[:, :4] = noise(6, 4, 16, 3)
    got, _, _ = decoded(animate(frames, enlarge_to=16))
    assert (got[:, 4:] == got[:1, 4:]).all()


@given(st.lists(st.integers(0, 2), min_size=2, max_size=12), st.sampled_from(FORMATS))
@settings(deadline=None, max_examples=40)
def test_repeated_frames_are_merged_and_keep_their_time(order, format):
    frames = noise(3, 5, 5, 1)[order]
    got, delays, _ = decoded(animate(frames, format, frames_per_second=20, enlarge_to=5))
    kept = [i for i, k in enumerate(order) if i == 0 or order[i - 1] != k]
    np.testing.assert_array_equal(got, frames[kept].repeat(3, axis=3))
    if len(kept) > 1:  # a still picture has no time
        assert delays.sum() == 50 * len(order)


@pytest.mark.parametrize("format", FORMATS)
def test_the_longest_pause_can_be_stored(format):
    frames = np.concatenate([np.zeros((59, 2, 2, 1), np.uint8), noise(1, 2, 2, 1)])
    _, delays, _ = decoded(animate(frames, format, frames_per_second=1, enlarge_to=2))
    assert delays.tolist() == [59_000, 1_000]


@pytest.mark.parametrize(("format", "entry"), [("gif", None), ("webp", 1), ("png", 1)])
def test_playing_once(format, entry):
    content = animate(noise(3, 4, 4, 1), format, enlarge_to=4, loop=False)
    assert decoded(content)[2] == entry


@pytest.mark.parametrize("channels", [1, 3])
def test_strip_is_one_row_in_order(channels):
    frames = noise(5, 4, 6, channels)
    expected = np.concatenate(list(frames), axis=1)  # (H, T * W, C)
    np.testing.assert_array_equal(np.asarray(strip(frames)).reshape(expected.shape), expected)
    assert strip(frames, columns=2).size == (12, 12)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"frames": noise(2, 4, 4)}, r"^images need the shape"),
        ({"frames": noise(0, 4, 4, 1)}, r"^images need the shape"),
        ({"frames": np.full((2, 4, 4, 1), np.nan)}, r"^images must be a numpy array of uint8"),
        ({"format": "avi"}, r"^format must be one of gif, webp, png, mp4, not 'avi'"),
        ({"frames_per_second": 0}, r"^frames_per_second must be a number from 1 to 50"),
        ({"frames_per_second": 60}, r"^frames_per_second must be a number from 1 to 50"),
        ({"frames_per_second": float("nan")}, r"^frames_per_second must be a number"),
        ({"frames_per_second": "30"}, r"^frames_per_second must be a number"),
        ({"enlarge_to": 4096}, r"^enlarge_to must be a whole number from 1 to 1024"),
        ({"frames": noise(61, 2, 2, 1), "frames_per_second": 1}, r"^61 frames last more than 60 s"),
        ({"frames": noise(200, 2, 2, 1), "enlarge_to": 1024}, r"^200 frames of this size"),
    ],
)
def test_bad_arguments_are_refused_in_one_sentence(changes, sentence):
    arguments = {"frames": noise(2, 4, 4, 1)} | changes
    with pytest.raises(ValueError, match=sentence):
        animate(**arguments)


def test_strip_refuses_what_is_no_stack():
    with pytest.raises(ValueError, match=r"^images "):
        strip(None)
