import runpy

import numpy as np
import pytest
from PIL import Image

from genimg import data
from genimg.ui import pad
from genimg.ui.pad import PadPicture
from genimg.ui.pixels import disc, picture_of, text_of
from genimg.ui.texts import class_name, sent


@pytest.fixture
def model(vision_shelf):
    with vision_shelf.use(vision_shelf.names[0]) as model:
        return model


@pytest.fixture
def known(model, monkeypatch):
    """The model, as if it was trained on Fashion-MNIST."""
    monkeypatch.setattr(model, "info", model.info | {"dataset": "fashion-mnist"})
    return model


def test_without_test_pictures_the_pad_shows_a_disc(model):
    value = pad.first_value(model, "x")
    np.testing.assert_array_equal(picture_of(value["pixels"], 32, 1), disc(32, 1))
    assert (value["count"], value["number"], value["lightOnBlack"]) == (0, None, False)
    assert "hidden" not in value


def test_the_pad_shows_a_test_picture_first(known):
    hidden = np.zeros((8, 8), bool)
    hidden[5, 2] = True
    value = pad.first_value(known, "x", hidden)
    split = data.load("fashion-mnist", size=32, split="test")
    expected = split.pictures()[value["number"]]
    np.testing.assert_array_equal(picture_of(value["pixels"], 32, 1), expected)
    label = split.classes[split.labels[value["number"]]]
    assert value["caption"]["label"] == sent(class_name(label))
    assert value["hidden"].index("1") == 5 * 8 + 2
    assert value["lightOnBlack"]


def test_a_number_counts_only_for_its_own_picture(known):
    value = pad.first_value(known, "x")
    assert PadPicture.checked(known, value).number == value["number"]
    for changed in ({"pixels": text_of(disc(32, 1))}, {"number": value["number"] + 1},
                    {"number": None}, {"number": "19"}, {"number": 1e99}):  # fmt: skip
        assert PadPicture.checked(known, value | changed).number is None


@pytest.mark.parametrize("value", [None, [], "text", {}, {"pixels": None}, {"pixels": "AAAA"}])
def test_what_is_no_picture_is_refused(model, value):
    with pytest.raises(ValueError, match=r"there is no picture|the picture must be"):
        PadPicture.checked(model, value)


def test_the_snippet_makes_the_picture(known, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    drawn = PadPicture(pixels=np.arange(1024, dtype=np.uint8).reshape(32, 32, 1))
    Image.fromarray(drawn.pixels[..., 0]).convert("RGBA").save("picture.png")  # as a browser does
    tested = PadPicture.checked(known, pad.first_value(known, "x"))
    assert tested.number is not None
    for picture in (drawn, tested):
        (tmp_path / "snippet.py").write_text(picture.imports() + picture.snippet(known))
        image = runpy.run_path("snippet.py")["image"]
        assert image.dtype == np.uint8
        np.testing.assert_array_equal(image, picture.pixels)


def test_pick_answers_with_a_picture_or_a_sentence(vision_shelf, known):
    name = vision_shelf.names[0]
    answer = pad.pick(vision_shelf, {"checkpoint": name, "number": 3})
    expected = data.load("fashion-mnist", size=32, split="test").pictures()[3]
    np.testing.assert_array_equal(picture_of(answer["pixels"], 32, 1), expected)
    assert answer["number"] == 3
    any_picture = pad.pick(vision_shelf, {"checkpoint": name, "number": None})
    assert PadPicture.checked(known, any_picture).number == any_picture["number"]
    for request in (
        None,
        [],
        {},
        {"checkpoint": "/etc/passwd"},
        {"checkpoint": ["x"]},
        {"checkpoint": name, "number": "3"},
        {"checkpoint": name, "number": -1},
    ):
        assert set(pad.pick(vision_shelf, request)) == {"error"}


def test_pick_says_when_there_are_no_pictures(vision_shelf):
    answer = pad.pick(vision_shelf, {"checkpoint": vision_shelf.names[0], "number": 0})
    assert answer["error"]["say"] == "pad.not_here"
