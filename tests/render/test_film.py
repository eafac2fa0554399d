import io

import av
import numpy as np
import pytest

from genimg.render import animate


def decoded(content):
    """Return the frames as uint8 (T, H, W, 3), and the seconds that the film lasts."""
    with av.open(io.BytesIO(content)) as file:
        frames = [frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)]
        return np.stack(frames), file.duration / 1e6


@pytest.mark.parametrize("rate", [12.5, 30])
def test_a_film_has_every_frame_and_lasts_as_long_as_it_should(rate):
    greys = np.linspace(0, 255, 16).astype(np.uint8).reshape(16, 1)
    frames = np.stack([np.roll(greys, t, axis=0).repeat(16, axis=1) for t in range(15)])[..., None]
    got, seconds = decoded(animate(frames, "mp4", frames_per_second=rate, enlarge_to=64))
    expected = frames.repeat(4, axis=1).repeat(4, axis=2).repeat(3, axis=3)
    assert got.shape == expected.shape
    assert np.abs(got.astype(int) - expected).mean() < 3
    assert seconds == pytest.approx(15 / rate, abs=0.05)


def test_colours_are_close_where_pixels_are_enlarged():
    blocks = np.random.default_rng(0).integers(0, 256, (3, 4, 4, 3), np.uint8)
    frames = blocks.repeat(4, axis=0)
    got, _ = decoded(animate(frames, "mp4", enlarge_to=64))
    expected = frames.repeat(16, axis=1).repeat(16, axis=2)
    assert np.abs(got.astype(int) - expected).mean() < 6


def test_the_same_frames_give_the_same_bytes_and_odd_sides_work():
    frames = np.random.default_rng(0).integers(0, 256, (4, 9, 7, 1), np.uint8)
    first = animate(frames, "mp4", enlarge_to=1)
    assert animate(frames, "mp4", enlarge_to=1) == first
    got, _ = decoded(first)
    assert got.shape == (4, 8, 6, 3)


def test_a_film_that_never_ends_is_refused_before_any_work():
    with pytest.raises(ValueError, match="last more than 60 s"):
        animate(np.zeros((3001, 8, 8, 1), np.uint8), "mp4", frames_per_second=50)
