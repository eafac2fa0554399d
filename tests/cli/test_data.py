import math
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from genimg import data
from genimg.data import idx, ingestion
from genimg.data.ingestion_worker import collect


def test_list_names_every_data_set(call):
    outcome = call("data", "list")
    assert outcome.code == 0
    for name in (*data.names(), "folder:PATH"):
        assert name in outcome.out


def test_show_tells_what_is_known(call):
    outcome = call("data", "show", "fashion-mnist")
    assert outcome.code == 0
    for fact in ("MIT", "Sneaker", "28", "12000", "bundled"):
        assert fact in outcome.out


def test_show_tells_the_attributes_and_whom_to_name(call):
    outcome = call("data", "show", "portraits")
    assert outcome.code == 0
    for fact in (
        "CC BY 4.0",
        "Micah Lanier",
        "mohawk",
        "shirt hue",
        "from 0 to 1",
        "2000",
        "bundled",
    ):
        assert fact in outcome.out


@pytest.mark.parametrize("name", ["portraits", "critters"])
def test_preview_of_a_drawn_set(call, tmp_path, name):
    out = tmp_path / "sheet.png"
    outcome = call("data", "preview", name, "--size", 64, "--count", 4, "--out", out)
    assert outcome.code == 0
    assert "4 of 2000 pictures (train, bundled sample" in outcome.out
    sheet = np.asarray(Image.open(out))
    assert sheet.shape == (128, 128, 3)
    assert np.array_equal(sheet[64:, 64:], data.load(name, 64).pictures()[3])


def test_draw_shows_its_progress(call, monkeypatch, tmp_path):
    def draw_set(name, processes, report):
        report({"images_seen": 500, "total": 28_000, "images_per_second": 130.0})
        return tmp_path / f"{name}-by-{processes}"

    monkeypatch.setattr(data, "draw_set", draw_set)
    outcome = call("data", "draw", "critters", "--processes", 3)
    assert outcome.code == 0
    assert "500 of 28,000 images, 130 images/s, 3:32 left" in outcome.err
    assert outcome.out == f"critters is in {tmp_path / 'critters-by-3'}\n"


def test_show_of_what_is_not_downloaded(call):
    outcome = call("data", "show", "kmnist")
    assert outcome.code == 0
    assert "not fetched" in outcome.out


def test_preview_shows_the_first_pictures(call, tmp_path):
    out = tmp_path / "sheet.png"
    outcome = call(
        "data", "preview", "fashion-mnist", "--count", 4, "--split", "test", "--out", out
    )
    assert outcome.code == 0
    assert "4 of 2000" in outcome.out
    images = data.load("fashion-mnist", size=32, split="test").images[:4, 0].numpy()
    sheet = np.asarray(Image.open(out)).reshape(2, 32, 2, 32).swapaxes(1, 2).reshape(4, 32, 32)
    assert np.array_equal(sheet, images)


def test_preview_of_a_folder_lists_what_was_skipped(call, tmp_path):
    folder = tmp_path / "mine" / "cats"
    folder.mkdir(parents=True)
    for index in range(3):
        Image.new("RGB", (40, 40), (index * 50, 0, 0)).save(folder / f"{index}.png")
    (folder / "broken.png").write_bytes(b"not a picture")
    outcome = call("data", "preview", f"folder:{tmp_path / 'mine'}", "--out", tmp_path / "a.png")
    assert outcome.code == 0
    assert "cats/broken.png" in outcome.err


def test_show_tells_what_was_found_in_a_folder(call, tmp_path):
    for split, count in (("train", 3), ("val", 1)):
        for label in ("cats", "C:"):
            folder = tmp_path / "mine" / split / label
            folder.mkdir(parents=True)
            for index in range(count):
                Image.new("L", (40, 40), index * 50).save(folder / f"{index}.png")
    outcome = call("data", "show", f"folder:{tmp_path / 'mine'}")
    assert outcome.code == 0
    assert "train 6, test 2" in outcome.out
    assert (
        'found 2 classes: C_, cats; 1 renamed ("C:" is "C_"); splits train and val understood'
    ) in outcome.out


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["show", "fashion"], "fashion-mnist, portraits, critters, mnist"),
        (["show", "folder:nowhere"], "no folder"),
        (["preview", "nope", "--out", "a.png"], "fashion-mnist, portraits, critters, mnist"),
        (["preview", "fashion-mnist", "--size", "31", "--out", "a.png"], "28, 32, 48, 64"),
        (["preview", "fashion-mnist", "--count", "0", "--out", "a.png"], "1 to 10000"),
        (["preview", "fashion-mnist", "--split", "val", "--out", "a.png"], "test"),
        (["preview", "fashion-mnist", "--out", "a.gif"], ".png"),
        (["delete", "fashion-mnist"], "list"),
        (["draw", "mnist"], "portraits"),
        (["draw", "critters", "--processes", "0"], "1 to 256"),
        (["import", "nowhere.zip", "--root", ".", "--size", "32"], "there is no file"),
        (["import", "a.zip", "--root", ".", "--size", "31"], "28, 32, 48, 64"),
        (["import", "--root", ".", "--size", "32"], "FILE"),
    ],
)
def test_bad_requests_are_refused(refuse, tmp_path, monkeypatch, arguments, reason):
    monkeypatch.chdir(tmp_path)
    assert reason in refuse("data", *arguments)
    assert not list(tmp_path.iterdir())


def test_import_makes_a_data_set_to_train_on(call, tmp_path, monkeypatch):
    def work_here(request, limits):  # a child would be slower, and has tests of its own
        sources, folder = map(Path, request["sources"]), Path(request["folder"])
        collect(list(sources), folder, size=request["size"], fit=request["fit"], limits=limits)

    monkeypatch.setattr(ingestion, "_run_child", work_here)
    for index in range(3):
        Image.new("RGB", (40, 20), (index * 50, 0, 0)).save(tmp_path / f"{index}.png")
    (tmp_path / "broken.png").write_bytes(b"not a picture")
    files = [tmp_path / f"{name}.png" for name in (0, 1, 2, "broken")]
    outcome = call("data", "import", *files, "--root", tmp_path, "--size", 28, "--fit", "pad")
    assert outcome.code == 0
    assert outcome.err == "refused broken.png: it is not a PNG, JPEG or WebP picture\n"
    assert "accepted 3 pictures, refused 1 files" in outcome.out
    assert "found 1 class: pictures" in outcome.out
    [name] = [word for word in outcome.out.split() if word.startswith("folder:")]
    assert len(data.load(name, size=28)) == 2  # and one for testing


def test_fetch_finds_a_set_that_is_here(call, monkeypatch, tmp_path):
    for names, count in zip(idx.FILES.values(), (3, 2), strict=True):
        for name, shape in zip(names, [(count, 28, 28), (count,)], strict=True):
            head = bytes([0, 0, 8, len(shape)]) + struct.pack(f">{len(shape)}I", *shape)
            (tmp_path / name).write_bytes(head + bytes(math.prod(shape)))
    monkeypatch.setenv("GENIMG_DATA", str(tmp_path))
    outcome = call("data", "fetch", "fashion-mnist")
    assert outcome.code == 0
    assert "3 training and 2 test pictures" in outcome.out
    assert str(tmp_path) in outcome.out


def test_fetch_downloads_what_is_not_here(call, refuse, monkeypatch, tmp_path):
    monkeypatch.setenv("GENIMG_CACHE", str(tmp_path))
    asked = []

    def download(url, folder, filename, md5):
        asked.append(filename)
        raise OSError("no network here")

    monkeypatch.setattr("torchvision.datasets.utils.download_url", download)
    said = refuse("data", "fetch", "fashion-mnist")
    assert "fashion-mnist could not be downloaded (no network here)" in said
    assert asked
    assert "there is no data set 'nope' to fetch" in refuse("data", "fetch", "nope")


def test_a_folder_needs_no_import(refuse, tmp_path):
    said = refuse("data", "import", tmp_path, "--root", tmp_path / "root", "--size", 28)
    assert f"{tmp_path} is a folder" in said
    assert f"--dataset folder:{tmp_path}" in said
    assert not (tmp_path / "root").exists()
