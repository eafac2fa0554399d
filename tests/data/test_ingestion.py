"""The public function; what its child does in detail is in `test_ingestion_worker.py`."""

import io
import json
import os
import threading
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from genimg import data
from genimg.data import ingestion
from genimg.data.ingestion import UploadLimits, ingest
from genimg.data.manifest import MANIFEST, verified_hash


def write_zip(path, labels=("cats", "dogs"), count=5, mode="RGB"):
    with zipfile.ZipFile(path, "w") as archive:
        for seed in range(count):
            for label in labels:
                pixels = np.random.default_rng([seed, len(label)]).integers(0, 256, (40, 60, 3))
                buffer = io.BytesIO()
                Image.fromarray(pixels.astype(np.uint8)).convert(mode).save(buffer, "PNG")
                archive.writestr(f"{label}{label}/{seed}.png", buffer.getvalue())
    return path


def published(root):
    """Everything that is left, hidden or not."""
    folder = Path(root, "datasets")
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def test_an_upload_becomes_a_data_set_with_a_report(tmp_path):
    write_zip(tmp_path / "mine.zip")
    loose = tmp_path / "extra.webp"
    Image.new("L", (50, 20), 200).save(loose)
    (tmp_path / "notes.txt").write_text("hello")
    sources = [tmp_path / "mine.zip", loose, tmp_path / "notes.txt"]
    report = ingest(sources, tmp_path, size=48, fit="pad")
    assert report.classes == {"catscats": 5, "dogsdogs": 5, "pictures": 1}
    assert report.accepted == 11
    assert report.refused == [("notes.txt", "it is not a PNG, JPEG or WebP picture")]
    assert report.preview.shape == (11, 48, 48, 3)
    assert report.preview.dtype == np.uint8
    assert json.loads(json.dumps(report.to_dict()))["dataset"] == report.dataset
    assert published(tmp_path) == [report.sha256[:16]]
    loaded = data.load(report.dataset, 48)
    assert loaded.classes == tuple(report.classes)
    assert len(loaded) + len(data.load(report.dataset, 48, "test")) == 11
    assert loaded.source == f"{report.path} (sha256 {report.sha256[:16]})"
    assert data.describe(report.dataset)["source"] == loaded.source


def test_the_same_pictures_are_published_once_even_at_once(tmp_path, monkeypatch):
    write_zip(tmp_path / "mine.zip")
    reports = []

    def run():
        reports.append(ingest([tmp_path / "mine.zip"], tmp_path / "root", size=28))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(reports) == 2
    assert reports[0].path == reports[1].path
    created = Path(reports[0].path, MANIFEST).read_bytes()
    in_this_process(monkeypatch)
    run()
    assert Path(reports[2].path, MANIFEST).read_bytes() == created
    assert published(tmp_path / "root") == [reports[0].sha256[:16]]


@pytest.mark.parametrize(
    ("sources", "settings", "words"),
    [
        ([], {}, "nothing was uploaded"),
        (["nowhere.zip"], {}, "there is no file"),
        (["a\0b.zip"], {}, "there is no file"),
        (["."], {}, "there is no file"),
        (["mine.zip"], {"size": 30}, "size must be one of 28, 32, 48, 64"),
        (["mine.zip"], {"fit": "stretch"}, "fit must be one of crop, pad"),
        (["mine.zip"], {"limits": UploadLimits(upload_bytes=100)}, "too large: .* at most 100"),
        (["mine.zip"] * 3, {"limits": UploadLimits(files=2)}, "3 files are too many; at most 2"),
    ],
)
def test_what_is_wrong_from_the_start_starts_no_child(
    tmp_path, monkeypatch, sources, settings, words
):
    write_zip(tmp_path / "mine.zip")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(ingestion.subprocess, "run", None)
    with pytest.raises(ValueError, match=words) as error:
        ingest(sources, tmp_path / "root", **{"size": 32} | settings)
    assert "\n" not in str(error.value)
    assert published(tmp_path / "root") == []


def child_that(monkeypatch, *command):
    """Start `command` instead of the worker."""
    run = ingestion.subprocess.run
    monkeypatch.setattr(
        ingestion.subprocess, "run", lambda arguments, **options: run(command, **options)
    )


@pytest.mark.skipif(os.name == "nt", reason="needs a POSIX shell")
@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo noise >&2; echo 'error: a sentence' >&2; exit 2", "^a sentence$"),
        ("echo 'Traceback' >&2; echo 'KeyError: 3' >&2; exit 1", r"not be read \(KeyError: 3\)"),
        ("exit 3", "no reason given"),
        ("kill -9 $$", "ended by signal 9, so nothing was published"),
        ("kill -XCPU $$", "more than 300 seconds of processor time"),
        ("exec sleep 60", "longer than 0.5 seconds"),
    ],
)
def test_every_bad_end_of_the_child_is_one_sentence(tmp_path, monkeypatch, script, words):
    write_zip(tmp_path / "mine.zip")
    child_that(monkeypatch, "sh", "-c", script)
    begin = time.monotonic()
    with pytest.raises(ValueError, match=words) as error:
        ingest([tmp_path / "mine.zip"], tmp_path, size=32, limits=UploadLimits(seconds=0.5))
    assert time.monotonic() - begin < 20
    assert "\n" not in str(error.value)
    assert published(tmp_path) == []


def in_this_process(monkeypatch):
    """Let the child's work be done here, which is faster."""
    from genimg.data.ingestion_worker import collect

    def run(request, limits):
        sources = [Path(source) for source in request["sources"]]
        size, fit = request["size"], request["fit"]
        collect(sources, Path(request["folder"]), size=size, fit=fit, limits=limits)

    monkeypatch.setattr(ingestion, "_run_child", run)


def test_a_changed_data_set_is_set_aside_and_published_anew(tmp_path, monkeypatch):
    in_this_process(monkeypatch)
    write_zip(tmp_path / "mine.zip")
    first = ingest([tmp_path / "mine.zip"], tmp_path, size=32)
    Path(first.path, "catscats", "000001.png").write_bytes(b"changed")
    with pytest.raises(ValueError, match="import them again"):
        data.load(first.dataset, 32)
    second = ingest([tmp_path / "mine.zip"], tmp_path, size=32)
    assert second.path == first.path
    assert verified_hash(Path(second.path)) == second.sha256
    [aside] = [name for name in published(tmp_path) if name.startswith(".changed")]
    assert (tmp_path / "datasets" / aside / "catscats" / "000001.png").read_bytes() == b"changed"


def test_leftovers_of_killed_servers_are_swept_away_but_not_those_in_use(tmp_path, monkeypatch):
    in_this_process(monkeypatch)
    write_zip(tmp_path / "mine.zip")
    old, young = (tmp_path / "datasets" / f".incoming-{name}" for name in ("old", "young"))
    for folder in (old, young):
        (folder / "decoded").mkdir(parents=True)
    os.utime(old, (time.time() - 2 * 86_400,) * 2)
    report = ingest([tmp_path / "mine.zip"], tmp_path, size=32)
    assert published(tmp_path) == [young.name, report.sha256[:16]]


def test_a_disk_that_fails_at_the_rename_leaves_nothing(tmp_path, monkeypatch):
    in_this_process(monkeypatch)
    write_zip(tmp_path / "mine.zip")

    rename = os.rename

    def fail_to_publish(source, target):
        if Path(source).name == ingestion.PICTURES:
            assert Path(source, MANIFEST).is_file()  # all was ready
            raise OSError(28, "No space left on device")
        rename(source, target)

    monkeypatch.setattr(ingestion.os, "rename", fail_to_publish)
    with pytest.raises(OSError, match="No space"):
        ingest([tmp_path / "mine.zip"], tmp_path, size=32)
    assert published(tmp_path) == []


def test_the_preview_is_of_all_classes_and_at_most_forty(tmp_path, monkeypatch):
    in_this_process(monkeypatch)
    write_zip(tmp_path / "mine.zip", labels=("a", "bb"), count=30, mode="L")
    report = ingest([tmp_path / "mine.zip"], tmp_path, size=28)
    assert report.preview.shape == (40, 28, 28, 1)
    assert len({picture.tobytes() for picture in report.preview}) == 40


@pytest.mark.parametrize(("name", "value"), [("ratio", 0), ("files", 70_000), ("seconds", 0)])
def test_limits_are_checked(name, value):
    with pytest.raises(ValueError, match=name):
        UploadLimits(**{name: value})
