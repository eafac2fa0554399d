import numpy as np
import pytest
from PIL import Image

from genimg import load


def test_a_png_is_what_the_library_draws(call, transformers, tmp_path):
    out = tmp_path / "coat.png"
    controls = ["--temperature", 0.8, "--top-k", 6, "--top-p", 0.9, "--guidance", 1.5]
    options = ["--label", "coat", "--seed", 3, *controls, "--enlarge", 1, "--out", out]
    outcome = call("draw", transformers / "gpt", *options)
    assert outcome.code == 0
    assert str(out) in outcome.out
    drawing = load(transformers / "gpt").generate(
        label="Coat", seed=3, temperature=0.8, top_k=6, top_p=0.9, guidance=1.5
    )
    assert np.array_equal(np.asarray(Image.open(out)), drawing.image[..., 0])


def test_a_sheet_of_several(call, transformers, tmp_path):
    out = tmp_path / "bags.png"
    options = ["--label", "Bag", "--count", 4, "--enlarge", 1, "--out", out]
    assert call("draw", transformers / "gpt", *options).code == 0
    sheet = np.asarray(Image.open(out)).reshape(2, 16, 2, 16).swapaxes(1, 2).reshape(4, 16, 16, 1)
    assert np.array_equal(sheet, load(transformers / "gpt").sample(4, label="Bag"))


def test_a_film_ends_at_the_picture(call, transformers, tmp_path):
    out = tmp_path / "coat.gif"
    options = ["--label", "Coat", "--seed", 3, "--enlarge", 16, "--out", out]
    assert call("draw", transformers / "gpt", *options).code == 0
    film = Image.open(out)
    first = np.asarray(film.convert("L"))
    assert (first == 128).sum() >= 15 * 16
    film.seek(film.n_frames - 1)
    drawing = load(transformers / "gpt").generate(label="Coat", seed=3)
    assert np.array_equal(np.asarray(film.convert("L")), drawing.image[..., 0])


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--label", "Hat"], "Sneaker"),
        (["--temperature", "-1"], "0 to 100"),
        (["--top-p", "0"], "--top-p"),
        (["--top-k", "1.5"], "--top-k"),
        (["--guidance", "nan"], "--guidance"),
        (["--count", "0"], "--count"),
    ],
)
def test_bad_requests_are_refused(refuse, transformers, tmp_path, options, reason):
    assert reason in refuse("draw", transformers / "gpt", *options, "--out", tmp_path / "a.png")


def test_a_film_shows_one_picture(refuse, transformers, tmp_path):
    out = tmp_path / "a.gif"
    assert "--count" in refuse("draw", transformers / "gpt", "--count", 2, "--out", out)
    assert ".gif" in refuse("draw", transformers / "gpt", "--out", tmp_path / "a.webp")


@pytest.mark.parametrize("name", ["tiny-style", "fashion-features"])
def test_only_an_image_gpt_draws(refuse, tmp_path, name):
    assert "image GPT" in refuse("draw", name, "--out", tmp_path / "a.png")


def test_a_film_without_a_class_ends_at_the_picture_without_one(call, transformers, tmp_path):
    for ending in ("gif", "png"):
        out = tmp_path / f"a.{ending}"
        outcome = call("draw", transformers / "gpt", "--seed", 5, "--out", out, "--enlarge", 16)
        assert outcome.code == 0, outcome.err
    film = Image.open(tmp_path / "a.gif")
    film.seek(film.n_frames - 1)
    picture = Image.open(tmp_path / "a.png").convert("L")
    assert film.size == picture.size
    assert np.abs(np.asarray(film.convert("L"), int) - np.asarray(picture, int)).max() <= 2


def test_a_maskgit_draws_in_steps_and_orders(call, transformers, tmp_path):
    out = tmp_path / "coat.png"
    controls = ["--steps", 5, "--order", "spiral", "--guidance", 1.5, "--noise", 2]
    options = ["--label", "coat", "--seed", 3, *controls, "--enlarge", 1, "--out", out]
    outcome = call("draw", transformers / "maskgit", *options)
    assert outcome.code == 0, outcome.err
    drawing = load(transformers / "maskgit").draw(
        label="Coat", seed=3, steps=5, order="spiral", guidance=1.5, noise=2
    )
    assert np.array_equal(np.asarray(Image.open(out)), drawing.image[..., 0])


def test_a_film_of_a_maskgit_shows_its_steps_and_ends_at_the_picture(call, transformers, tmp_path):
    out = tmp_path / "coat.gif"
    options = ["--label", "Coat", "--seed", 3, "--enlarge", 16, "--steps", 4, "--out", out]
    assert call("draw", transformers / "maskgit", *options).code == 0
    drawing = load(transformers / "maskgit").draw(label="Coat", seed=3, steps=4)
    film = Image.open(out)
    first = np.asarray(film.convert("L"))
    assert (first == 128).sum() >= drawing.masked[0].sum() * 16
    film.seek(film.n_frames - 1)
    last = np.asarray(film.convert("L"), int)
    assert np.abs(last - drawing.image[..., 0]).max() <= 1


def test_what_only_a_maskgit_takes_is_refused_for_an_image_gpt(refuse, transformers, tmp_path):
    for option, value in (("--steps", 4), ("--order", "raster"), ("--noise", 1)):
        said = refuse("draw", transformers / "gpt", option, value, "--out", tmp_path / "a.png")
        assert f"{option} would change nothing" in said
    for option, value in (("--steps", 0), ("--order", "zigzag"), ("--noise", -1)):
        assert option in refuse(
            "draw", transformers / "maskgit", option, value, "--out", tmp_path / "a.png"
        )
