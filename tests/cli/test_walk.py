import av
import numpy as np
import pytest
from PIL import Image

from genimg import load
from genimg.explore import GanModel


def test_a_strip_is_what_the_library_interpolates(call, shelf, tmp_path):
    out = tmp_path / "walk.png"
    options = ["--steps", 7, "--mode", "lerp", "--space", "w", "--label", "Bag", "--loop"]
    outcome = call("walk", "tiny-style", "--seeds", 3, 4, *options, "--out", out)
    assert outcome.code == 0
    assert str(out) in outcome.out
    expected = load(shelf / "tiny-style").interpolate(
        [3, 4], steps=7, mode="lerp", space="w", label="Bag", loop=True
    )
    assert np.array_equal(np.asarray(Image.open(out)), np.concatenate(expected[..., 0], axis=1))


@pytest.mark.parametrize(("ending", "format"), [(".gif", "GIF"), (".webp", "WEBP")])
def test_a_film_has_the_asked_length(call, tmp_path, ending, format):
    out = tmp_path / f"walk{ending}"
    options = ["--steps", 10, "--frames-per-second", 20, "--out", out]
    assert call("walk", "tiny-mlp", *options).code == 0
    film = Image.open(out)
    assert film.format == format
    milliseconds = 0
    for index in range(film.n_frames):
        film.seek(index)
        film.load()
        milliseconds += film.info["duration"]
    assert milliseconds == 500


def test_an_mp4_has_the_asked_length(call, tmp_path):
    out = tmp_path / "walk.mp4"
    options = ["--steps", 10, "--frames-per-second", 20, "--out", out]
    assert call("walk", "tiny-mlp", *options).code == 0
    with av.open(str(out)) as film:
        assert len(list(film.decode(video=0))) == 10
        assert film.duration == pytest.approx(500_000, abs=50_000)  # microseconds


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--seeds", "1"], "2 to 16"),
        (["--seeds", "1", "x"], "--seeds"),
        (["--steps", "1"], "2 to 2000"),
        (["--steps", "2000", "--frames-per-second", "1"], "frames"),
        (["--mode", "cubic"], "slerp"),
        (["--space", "w"], "z"),
        (["--frames-per-second", "0"], "1 to 50"),
        (["--label", "Bag"], "without labels"),
    ],
)
def test_bad_walks_are_refused(refuse, tmp_path, options, reason):
    assert reason in refuse("walk", "tiny-mlp", *options, "--out", tmp_path / "walk.gif")


def test_the_ending_must_be_known(refuse, tmp_path):
    assert ".gif, .webp, .mp4, .png" in refuse("walk", "tiny-mlp", "--out", tmp_path / "walk.avi")


def test_a_film_too_long_is_refused_before_anything_is_drawn(refuse, monkeypatch, tmp_path):
    monkeypatch.setattr(GanModel, "interpolate", None)
    said = refuse("walk", "tiny-style", "--steps", 2000, "--out", tmp_path / "a.gif")
    assert "more than 60 s" in said


def test_a_strip_has_no_speed(refuse, tmp_path):
    options = ["--frames-per-second", 30, "--out", tmp_path / "a.png"]
    assert "--frames-per-second would change nothing" in refuse("walk", "tiny-style", *options)
