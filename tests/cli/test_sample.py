import json
import shutil

import numpy as np
import pytest
from PIL import Image

from genimg import load
from genimg.explore import GanModel


def read(path):
    return np.asarray(Image.open(path))


def test_writes_what_the_library_samples(call, shelf, tmp_path):
    out = tmp_path / "sheet.png"
    arguments = ["--seed", 5, "--count", 6, "--columns", 3, "--label", "sneaker"]
    outcome = call("sample", "tiny-style", *arguments, "--truncation", 0.7, "--out", out)
    assert outcome.code == 0
    assert str(out) in outcome.out
    expected = load(shelf / "tiny-style").sample(6, seed=5, label="Sneaker", truncation=0.7)
    sheet = read(out).reshape(2, 32, 3, 32).swapaxes(1, 2).reshape(6, 32, 32, 1)
    assert np.array_equal(sheet, expected)


def test_enlarging_repeats_pixels(call, tmp_path):
    small, large = tmp_path / "small.png", tmp_path / "large.png"
    call("sample", "tiny-mlp", "--count", 1, "--out", small)
    call("sample", "tiny-mlp", "--count", 1, "--enlarge", 100, "--out", large)
    assert np.array_equal(read(large), read(small).repeat(4, axis=0).repeat(4, axis=1))


@pytest.mark.parametrize(
    ("ending", "format"),
    [(".jpg", "JPEG"), (".jpeg", "JPEG"), (".webp", "WEBP"), (".PNG", "PNG")],
)
def test_the_ending_is_the_format(call, tmp_path, ending, format):
    out = tmp_path / f"sheet{ending}"
    assert call("sample", "tiny-mlp", "--out", out).code == 0
    assert Image.open(out).format == format


def test_unknown_checkpoint_lists_the_known(refuse, tmp_path):
    line = refuse("sample", "fashion-stile", "--out", tmp_path / "a.png")
    assert "fashion-features, fashion-tokenizer, portraits-tokenizer, tiny-mlp, tiny-style" in line


def test_unknown_label_lists_the_known(refuse, tmp_path):
    line = refuse("sample", "tiny-style", "--label", "Hat", "--out", tmp_path / "a.png")
    assert "Sneaker" in line


def test_a_label_needs_a_model_with_labels(refuse, tmp_path):
    line = refuse("sample", "tiny-mlp", "--label", "Bag", "--out", tmp_path / "a.png")
    assert "without labels" in line


def test_a_classifier_cannot_draw(refuse, tmp_path):
    assert "GAN" in refuse("sample", "fashion-features", "--out", tmp_path / "a.png")


@pytest.mark.parametrize("option", ["--seed", "--count", "--columns", "--enlarge"])
@pytest.mark.parametrize("value", ["-1", "1.5", "many", "99999999999", "nan", ""])
def test_numbers_out_of_range_tell_the_range(refuse, tmp_path, option, value):
    line = refuse("sample", "tiny-style", f"{option}={value}", "--out", tmp_path / "a.png")
    assert option in line
    assert " to " in line


@pytest.mark.parametrize("value", ["-0.1", "2.1", "nan", "inf", "half"])
def test_truncation_out_of_range(refuse, tmp_path, value):
    line = refuse("sample", "tiny-style", f"--truncation={value}", "--out", tmp_path / "a.png")
    assert "0 to 2" in line


def test_truncation_needs_a_mapping_network(refuse, tmp_path):
    line = refuse("sample", "tiny-mlp", "--truncation", "0.5", "--out", tmp_path / "a.png")
    assert "mapping network" in line


def test_an_image_gpt_samples_too(call, transformers, tmp_path):
    out = tmp_path / "a.png"
    assert call("sample", transformers / "gpt", "--seed", 2, "--count", 1, "--out", out).code == 0
    assert np.array_equal(read(out)[..., None], load(transformers / "gpt").sample(1, seed=2)[0])


def test_truncation_is_for_gans(refuse, transformers, tmp_path):
    options = ["--truncation", "0.5", "--out", tmp_path / "a.png"]
    assert "no GAN" in refuse("sample", transformers / "gpt", *options)


def test_outputs_that_cannot_be_written(refuse, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    (tmp_path / "folder.png").mkdir()
    assert ".png" in refuse("sample", "tiny-style", "--out", tmp_path / "a.bmp")
    assert "no folder" in refuse("sample", "tiny-style", "--out", tmp_path / "none" / "a.png")
    assert "no folder" in refuse("sample", "tiny-style", "--out", tmp_path / "file" / "a.png")
    assert "is a folder" in refuse("sample", "tiny-style", "--out", tmp_path / "folder.png")


def test_a_folder_without_permission(refuse, tmp_path, monkeypatch):
    # The superuser may write anywhere, so ask the system in its place.
    monkeypatch.setattr("os.access", lambda path, mode: False)
    assert "cannot be written" in refuse("sample", "tiny-style", "--out", tmp_path / "a.png")


def test_a_full_disk_is_one_line(refuse, tmp_path, monkeypatch):
    def full(path, content):
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr("genimg.cli.sample.atomic_write", full)
    assert "No space left" in refuse("sample", "tiny-style", "--out", tmp_path / "a.png")


@pytest.mark.parametrize("harm", ["cut", "header", "config", "format", "huge", "classes"])
def test_corrupt_and_hostile_checkpoints_are_refused(refuse, shelf, tmp_path, harm):
    victim = tmp_path / "victim"
    shutil.copytree(shelf / "tiny-style", victim)
    weights, config = victim / "model.safetensors", victim / "config.json"
    described = json.loads(config.read_text())
    if harm == "cut":
        weights.write_bytes(weights.read_bytes()[:-10])
    elif harm == "header":
        weights.write_bytes(b"\xff" * 8 + weights.read_bytes()[8:])
    elif harm == "config":
        config.write_text("{")
    elif harm == "format":
        config.write_text(json.dumps(described | {"format": 99}))
    elif harm == "huge":
        described["model"]["style_dimensions"] = 10**12
        config.write_text(json.dumps(described))
    else:
        (victim / "card.json").write_text("{}")
    assert "victim" in refuse("sample", victim, "--out", tmp_path / "a.png")
    assert not (tmp_path / "a.png").exists()


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.jpg", ["--count", 2100, "--columns", 1]),
        ("a.webp", ["--count", 600, "--columns", 1]),
        ("a.webp", ["--count", 2, "--columns", 600]),
    ],
)
def test_what_no_format_can_hold_is_refused_before_anything_is_drawn(
    refuse, monkeypatch, tmp_path, name, options
):
    monkeypatch.setattr(GanModel, "sample", None)
    assert "pixels a side" in refuse("sample", "tiny-style", "--out", tmp_path / name, *options)
