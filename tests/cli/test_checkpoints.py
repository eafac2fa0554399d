import json
import shutil

import numpy as np
import pytest
from PIL import Image

from genimg import checkpoints, data, load, train
from genimg.explore.previews import preview_pictures

TINY = {"batch_size": 32, "images": 32, "precision": "fp32", "device": "cpu", "sheets": 0}


@pytest.fixture
def gan_run(tmp_path):
    widths = {"generator_widths": (8,), "discriminator_widths": (8,)}
    return train("fashion-mlp", tmp_path / "gan", classes=10, **widths, **TINY)


@pytest.fixture
def classifier_run(tmp_path):
    return train("fashion-features", tmp_path / "classifier", widths=(4, 4), **TINY)


def test_list_has_every_checkpoint(call):
    outcome = call("checkpoints", "list")
    assert outcome.code == 0
    assert [line.split()[0] for line in outcome.out.splitlines()[1:]] == checkpoints.names()


def test_show_prints_the_card(call):
    outcome = call("checkpoints", "show", "tiny-style")
    assert outcome.code == 0
    assert "Untrained stylegan" in outcome.out
    assert "Sneaker" in outcome.out


def test_a_card_of_a_stranger(refuse, shelf, tmp_path, monkeypatch):
    mine = tmp_path / "mine"
    shutil.copytree(shelf / "tiny-style", mine)
    card = checkpoints.read(mine).card
    for name, value in (("metrics", {"a": 3}), ("title", "\x1b[2J\nhello"), ("dataset", [1])):
        (mine / "card.json").write_text(json.dumps(card | {name: value}))
        assert f"damaged: {name!r} must be" in refuse("checkpoints", "show", mine)
        monkeypatch.setattr(checkpoints, "SHIPPED", tmp_path)
        assert f"damaged: {name!r} must be" in refuse("checkpoints", "list")


def test_publish_makes_a_checkpoint_of_a_run(call, gan_run, tmp_path):
    out = tmp_path / "published"
    words = ["--title", "My GAN", "--license", "CC0-1.0"]
    outcome = call("checkpoints", "publish", gan_run, out, *words)
    assert outcome.code == 0
    assert str(out) in outcome.out
    model = load(out)
    assert model.info["title"] == "My GAN"
    assert model.info["license"] == "CC0-1.0"
    assert model.discriminator is not None
    expected = load(gan_run).sample(40, seed=0)
    preview = np.asarray(Image.open(out / "preview.png"))
    tiles = preview.reshape(4, 32, 10, 32).swapaxes(1, 2).reshape(40, 32, 32, 1)
    assert np.array_equal(tiles, expected)


def test_a_generator_can_be_published_alone(call, gan_run, tmp_path):
    words = ["--title", "My GAN", "--license", "CC0-1.0"]
    call("checkpoints", "publish", gan_run, tmp_path / "whole", *words)
    call("checkpoints", "publish", gan_run, tmp_path / "alone", *words, "--generator-only")
    whole, alone = load(tmp_path / "whole"), load(tmp_path / "alone")
    assert alone.discriminator is None
    assert set(alone.info["parameters"]) == {"generator"}
    assert np.array_equal(alone.sample(3), whole.sample(3))
    sizes = [(tmp_path / name / "model.safetensors").stat().st_size for name in ("alone", "whole")]
    assert sizes[0] < sizes[1]


def test_the_preview_of_a_classifier_is_in_columns_of_its_answers(call, classifier_run, tmp_path):
    words = ["--title", "Mine", "--license", "CC0-1.0"]
    assert call("checkpoints", "publish", classifier_run, tmp_path / "out", *words).code == 0
    model = load(tmp_path / "out")
    pictures = preview_pictures(model)
    test = data.load("fashion-mnist", size=32, split="test")
    known = {image.tobytes() for image in test.images.permute(0, 2, 3, 1).numpy()}
    answers = model.classify(pictures).argmax(axis=1)
    shown = 0
    for index, picture in enumerate(pictures):
        if (picture == 255).all():
            continue
        shown += 1
        assert picture.tobytes() in known
        assert answers[index] == index % 10
    assert shown >= 4  # every test picture is taken for something


def test_bad_requests_are_refused(refuse, classifier_run, tmp_path):
    words = ["--title", "x", "--license", "y"]
    assert "no checkpoint" in refuse("checkpoints", "show", "nope")
    for folder in (tmp_path, "x" * 5000):
        assert "holds no run" in refuse("checkpoints", "publish", folder, tmp_path / "o", *words)
    assert "--title" in refuse("checkpoints", "publish", classifier_run, tmp_path / "out")
    assert "no discriminator" in refuse(
        "checkpoints", "publish", classifier_run, tmp_path / "out", *words, "--generator-only"
    )
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "README.md").write_text("mine")
    assert "choose another folder" in refuse(
        "checkpoints", "publish", classifier_run, tmp_path / "theirs", *words
    )
    assert "choose another folder" in refuse(  # into its own folder
        "checkpoints", "publish", classifier_run, classifier_run, *words
    )
    (tmp_path / "file").write_text("")
    assert "file" in refuse("checkpoints", "publish", classifier_run, tmp_path / "file", *words)
