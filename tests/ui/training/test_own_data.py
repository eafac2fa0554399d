import io
import zipfile

import numpy as np
import pytest

from genimg import data
from genimg.render import encode
from genimg.ui.training.own_data import OWN, DataShelf, accepted_uploads


@pytest.fixture
def shelf(tmp_path):
    (tmp_path / "root").mkdir()
    return DataShelf(tmp_path / "root")


@pytest.fixture
def upload(tmp_path):
    numbers = np.random.default_rng(0)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for i in range(8):
            picture = numbers.integers(0, 256, (20, 20, 3), np.uint8)
            archive.writestr(f"{'cats' if i < 5 else 'dogs'}/{i}.png", encode(picture, "png"))
        archive.writestr("cats/../../../<b>.png", b"x")
    path = tmp_path / "pets.zip"
    path.write_bytes(buffer.getvalue())
    return path


@pytest.mark.slow
def test_pictures_that_were_sent_can_be_trained_on(shelf, upload):
    value, report = shelf.publish(upload, 32, "ada")
    assert report["title"].startswith("8 pictures")
    assert report["refused_count"] == len(report["refused"]) == 1
    assert report["preview"].startswith("data:image/png")
    title, first = shelf.choices()[0]
    assert first == value
    assert title == "Sent by ada: cats, dogs (8 pictures, 32 px)"
    name = shelf.name(value)
    assert data.load(name).classes == ("cats", "dogs")
    assert shelf.value(name) == value
    assert shelf.owners(value) == ["ada"]
    shelf.publish(upload, 32, "bob")
    shelf.publish(upload, 32, "ada")
    assert shelf.owners(value) == ["ada", "bob"]
    assert data.load(name).classes == ("cats", "dogs")  # who sent them is no part of the hash


@pytest.mark.slow
def test_the_splits_that_were_sent_are_told(shelf, tmp_path):
    numbers = np.random.default_rng(0)
    with zipfile.ZipFile(tmp_path / "pets.zip", "w") as archive:
        for split, count in (("train", 3), ("test", 1)):
            for name in ("cats", "dogs"):
                for i in range(count):
                    picture = numbers.integers(0, 256, (20, 20, 3), np.uint8)
                    archive.writestr(f"{split}/{name}/{i}.png", encode(picture, "png"))
    value, report = shelf.publish(tmp_path / "pets.zip", 32, "ada")
    assert report["title"] == "8 pictures of 32 px are ready: 6 to learn from, 2 to test with."
    assert report["classes"] == "Found 2 classes: cats, dogs; splits train and test understood."
    assert report["counts"] == "Pictures of each: cats 4, dogs 4"
    assert shelf.found(value) == report["classes"]
    assert shelf.found("fashion-mnist") == shelf.found(OWN + "../..") == ""


def test_what_can_be_sent_is_said_with_its_limits():
    said = accepted_uploads()
    for words in ("one folder", "train, val and test", "256 MB", "20,000 files", "16 megapixels"):
        assert words in said


def test_the_published_data_sets_are_choices(shelf):
    values = [value for _, value in shelf.choices()]
    assert tuple(values) == data.names()
    for value in values:
        assert shelf.value(shelf.name(value)) == value


@pytest.mark.parametrize(
    "value",
    [
        "folder:/etc",
        "/etc",
        OWN + "../..",
        OWN + "/etc",
        OWN,
        OWN + "0" * 16,
        None,
        3,
        ["mnist"],
        {},
    ],
)
def test_nothing_from_a_visitor_becomes_a_path(shelf, value):
    with pytest.raises(ValueError, match="choose a data set from the list"):
        shelf.name(value)


def test_pictures_from_elsewhere_are_no_choice(shelf, tmp_path):
    assert shelf.value(f"folder:{tmp_path}") == ""
    assert shelf.value("nonsense") == ""


def test_a_bad_upload_is_one_sentence(shelf, tmp_path):
    bad = tmp_path / "bad.zip"
    bad.write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(ValueError, match=r"^[^\n]+$"):
        shelf.publish(bad, 32, "ada")
    assert [value for _, value in shelf.choices()] == list(data.names())
