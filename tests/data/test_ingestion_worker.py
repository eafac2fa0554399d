"""What the child does, in this process: `test_ingestion.py` and the fault tests start real ones."""

import io
import json
import os
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from genimg import data
from genimg.data.ingestion import OUTCOME, PICTURES, UploadLimits
from genimg.data.ingestion_worker import collect
from genimg.data.manifest import MANIFEST, verified_hash
from genimg.kept_wording import read


def picture(seed, kind="PNG", size=(40, 40)):
    pixels = np.random.default_rng(seed).integers(0, 256, (*size, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


@pytest.fixture
def upload(tmp_path):
    """Zip members, or name loose files; return what `collect` made of them."""
    made = iter(range(1000))

    def run(members=(), loose=(), limits=None, size=32, fit="crop"):
        folder = tmp_path / f"upload-{next(made)}"
        (folder / "out").mkdir(parents=True)
        sources = []
        if members:
            sources.append(folder / "pictures.zip")
            with zipfile.ZipFile(sources[0], "w", zipfile.ZIP_DEFLATED) as archive:
                for name, content in members:
                    archive.writestr(name, content)
        for name, content in loose:
            sources.append(folder / name)
            sources[-1].write_bytes(content)
        collect(sources, folder / "out", size=size, fit=fit, limits=limits or UploadLimits())
        assert {p.name for p in (folder / "out").iterdir()} == {PICTURES, OUTCOME}
        return folder / "out"

    return run


def manifest(out):
    return json.loads((out / PICTURES / MANIFEST).read_text())


def outcome(out):
    return json.loads((out / OUTCOME).read_text())


def test_folders_are_classes_and_every_format_is_read(upload):
    kinds = ("PNG", "JPEG", "WEBP")
    members = [(f"cats/{n}.jpg", picture(n, kinds[n % 3])) for n in range(6)]
    members += [(f"dogs/deep/er/{n}.png", picture(n)) for n in range(10, 13)]
    out = upload(members)
    assert manifest(out)["classes"] == {"cats": 6, "dogs": 3}
    assert manifest(out)["count"] == 9
    assert outcome(out) == {"refused": [], "refused_count": 0}
    names = sorted(p.relative_to(out / PICTURES).as_posix() for p in (out / PICTURES).rglob("*.*"))
    assert names == [
        *(f"cats/{n:06d}.png" for n in range(1, 7)),
        *(f"dogs/{n:06d}.png" for n in range(1, 4)),
        MANIFEST,
    ]
    assert verified_hash(out / PICTURES) == manifest(out)["sha256"]
    loaded = data.load(f"folder:{out / PICTURES}", 32)
    assert loaded.classes == ("cats", "dogs")
    assert loaded.skipped == ()
    assert manifest(out)["sha256"][:16] in loaded.source


@pytest.mark.parametrize(("mode", "channels"), [("L", 1), ("RGB", 3)])
@pytest.mark.parametrize("count", [1, 2, 9, 10, 25])
def test_the_manifest_describes_what_reading_would_tell(upload, mode, channels, count):
    def grey_or_not(seed, mode):
        buffer = io.BytesIO()
        Image.open(io.BytesIO(picture(seed))).convert(mode).save(buffer, "PNG")
        return buffer.getvalue()

    members = [(f"cats/{n}.png", grey_or_not(n, "L")) for n in range(count)]
    out = upload([*members, ("dogs/1.png", grey_or_not(99, mode))]) / PICTURES
    told = data.describe(f"folder:{out}")
    (out / MANIFEST).unlink()
    read = data.describe(f"folder:{out}")
    assert told.pop("source") != read.pop("source")
    assert told == read
    assert told["channels"] == channels


@pytest.mark.parametrize("fit", ["crop", "pad"])
def test_pixels_are_those_of_the_folder_loader(upload, fit):
    content = picture(0, size=(32, 32))
    out = upload([("cats/1.png", content)], fit=fit)
    with Image.open(out / PICTURES / "cats" / "000001.png") as published:
        assert np.array_equal(published, Image.open(io.BytesIO(content)))
    assert manifest(out)["fit"] == fit


def test_nothing_of_the_old_file_is_left(upload):
    image, buffer, exif = Image.new("RGB", (40, 40), "red"), io.BytesIO(), Image.Exif()
    exif[0x010E] = "at home, 12 Secret Street"
    image.save(buffer, "JPEG", exif=exif, comment=b"Secret")
    assert b"Secret" in buffer.getvalue()
    out = upload([("cats/1.jpg", buffer.getvalue())])
    published = (out / PICTURES / "cats" / "000001.png").read_bytes()
    assert b"Secret" not in published
    with Image.open(io.BytesIO(published)) as reopened:
        assert reopened.info == {}


def test_order_names_and_packing_do_not_matter(upload):
    contents = [picture(n) for n in range(5)]
    one = upload([(f"cats/{n}.png", content) for n, content in enumerate(contents)])
    two = upload([(f"cats/x/{n + 7}.jpg", c) for n, c in enumerate(reversed(contents))])
    three = upload(loose=[(f"{n}.png", content) for n, content in enumerate(contents)])
    assert manifest(one)["sha256"] == manifest(two)["sha256"] != manifest(three)["sha256"]
    assert manifest(three)["classes"] == {"pictures": 5}


def test_one_folder_around_several_is_looked_through(upload):
    members = [("mine/read me.txt", b"hello"), ("mine/cats/1.png", picture(1))]
    members += [("mine/dogs/1.png", picture(2)), ("__MACOSX/mine/cats/._1.png", b"resource fork")]
    out = upload(members)
    assert manifest(out)["classes"] == {"cats": 1, "dogs": 1}
    assert [name for name, _ in outcome(out)["refused"]] == ["mine/read me.txt"]
    # One class with folders in it, and pictures beside folders, are what they look like.
    deep = [("cats/a/1.png", picture(1)), ("cats/a/2.png", picture(2))]
    assert manifest(upload(deep))["classes"] == {"cats": 2}
    beside = [
        ("cats/a/1.png", picture(1)),
        ("cats/b/1.png", picture(2)),
        ("cats/2.png", picture(3)),
    ]
    assert manifest(upload(beside))["classes"] == {"cats": 3}


def both(pattern, count, start=0):
    """Pictures of two classes in folders such as "train/*"."""
    return [
        (f"{pattern.replace('*', name)}/{n}.png", picture(start + 100 * len(name) + n))
        for name in ("cats", "horses")
        for n in range(count)
    ]


def test_folders_for_training_and_testing_stay_the_splits(upload):
    out = upload(both("set/train/*", 5) + both("set/val/*", 2, start=50)) / PICTURES
    told = json.loads((out / MANIFEST).read_text())
    assert told["classes"] == {"cats": 7, "horses": 7}
    assert told["splits"] == {
        "train": {"cats": 5, "horses": 5},
        "test": {"cats": 2, "horses": 2},
    }
    assert told["found"] == (
        "found 2 classes: cats, horses; splits train and val understood (val is for testing)"
    )
    facts = data.describe(f"folder:{out}")
    assert facts["images"] == {"train": 10, "test": 4}
    assert facts["found"] == told["found"]
    for split, count in (("train", 5), ("test", 2)):
        loaded = data.load(f"folder:{out}", 32, split)
        assert loaded.labels.bincount().tolist() == [count, count]
        names = {f"{split}/{name}" for name in ("cats", "horses")}
        assert {path.parent.relative_to(out).as_posix() for path in out.glob(f"{split}/*/*")} == (
            names
        )
    # Without the manifest the folder's own layout says the same.
    (out / MANIFEST).unlink()
    assert data.describe(f"folder:{out}")["images"] == {"train": 10, "test": 4}


LAYOUTS = {
    "splits": both("train/*", 3) + both("test/*", 1, 50),
    "splits in an outer folder": both("a/train/*", 3) + both("a/test/*", 1, 50),
    "splits inside": both("*/train", 3) + both("*/test", 1, 50),
    "outer folders": both("a/b/*", 3),
    "a preview": [*both("a/*", 3), ("a/preview.png", picture(7))],
    "depths": [*both("a/*", 3), ("a/cats/deep/er/1.png", picture(7))],
    "system files": [
        *both("*", 3),
        *((f"cats/{name}", b"x") for name in ("Thumbs.db", "desktop.ini", ".DS_Store", "._1.png")),
        *((f"{name}/cats/1.png", picture(7)) for name in ("__MACOSX", "@eaDir", "#recycle")),
    ],
    "names": [(f"{name}/1.png", picture(n)) for n, name in enumerate(["C#", "C@", "犬", "😀"])],
    "endings": [
        (f"{'cats' if n % 2 else 'dogs'}/{n}{ending}", picture(n, "JPEG"))
        for n, ending in enumerate([".jfif", ".JPG", ".JPE", ".Jpeg", ".jfif", ".JFIF"])
    ],
    "loose": [(f"{n}.png", picture(n)) for n in range(3)],
    "labels": [("labels.csv", b"file,label\n0.png,a\n1.png,b\n"), *both("", 2)[:2]],
    "one class": [(f"cats/{n}.png", picture(n)) for n in range(3)],
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_zip_file_and_a_folder_are_understood_alike(upload, tmp_path, name):
    members = [(path.lstrip("/"), content) for path, content in LAYOUTS[name]]
    out = upload(members)
    for path, content in members:
        file = tmp_path / "folder" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    sent = data.describe(f"folder:{out / PICTURES}")
    own = data.describe(f"folder:{tmp_path / 'folder'}")
    for facts in ("classes", "channels", "found"):
        assert sent[facts] == own[facts]
    for split in ("train", "test") if own["images"]["test"] else ("train",):
        counts = [
            data.load(f"folder:{path}", 32, split).labels.bincount().tolist()
            for path in (out / PICTURES, tmp_path / "folder")
        ]
        assert counts[0] == counts[1]
    if name == "system files":
        assert outcome(out)["refused_count"] == 0
        assert data.load(f"folder:{tmp_path / 'folder'}", 32).skipped == ()


def test_files_of_a_system_are_no_change_of_the_data(upload):
    out = upload(both("*", 3)) / PICTURES
    for name in ("Thumbs.db", "cats/desktop.ini", "cats/@eaDir/1.png/SYNOPHOTO_THUMB_S.jpg"):
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_bytes(b"x")
    assert data.describe(f"folder:{out}")["classes"] == ["cats", "horses"]
    assert len(data.load(f"folder:{out}", 32)) == 4


def test_what_was_done_to_pictures_is_said(upload):
    deep, buffer = np.linspace(0, 4095, 1600).astype(np.uint16).reshape(40, 40), io.BytesIO()
    Image.fromarray(deep).save(buffer, "PNG")
    out = upload([("scans/1.png", buffer.getvalue()), ("scans/2.png", picture(1))])
    assert manifest(out)["found"] == (
        "found 1 class: scans; 1 pictures: only 12 of 16 bits used, so they were brightened"
    )
    with Image.open(out / PICTURES / "scans" / "000001.png") as published:
        bright = np.asarray(published.convert("L")).max()
    assert bright > 200


@pytest.mark.parametrize(
    ("start", "words"),
    [
        (b"Rar!\x1a\7", "is a RAR archive; make a new zip file"),
        (b"7z\xbc\xaf\x27\x1c", "is a 7z archive"),
        (b"MZ", "cannot be used: it has no list of files at its end"),
    ],
)
def test_other_archives_are_called_what_they_are(upload, start, words):
    with pytest.raises(ValueError, match=words):
        upload(loose=[("mine.zip", start + bytes(100))])


def test_an_archive_that_unpacks_itself_is_one(upload):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("cats/1.png", picture(1))
    for name in ("mine.zip", "mine.exe"):
        out = upload(loose=[(name, b"MZ a program" + buffer.getvalue())])
        assert manifest(out)["classes"] == {"cats": 1}


def test_two_zip_files_are_one_layout(upload, tmp_path):
    sources = []
    for name in ("train", "test"):
        sources.append(tmp_path / f"{name}.zip")
        with zipfile.ZipFile(sources[-1], "w") as archive:
            for path, content in both(f"{name}/*", 3, start=len(name)):
                archive.writestr(path, content)
    out = upload(loose=[(source.name, source.read_bytes()) for source in sources])
    assert manifest(out)["splits"]["test"] == {"cats": 3, "horses": 3}


def test_names_that_differ_in_case_are_different_classes_with_folders_of_their_own(upload):
    members = [("cats/1.png", picture(1)), ("Cats/1.png", picture(2)), ("CATS/1.png", picture(3))]
    out = upload(members)
    assert manifest(out)["classes"] == {"CATS": 1, "Cats (2)": 1, "cats (3)": 1}
    assert "2 renamed" in manifest(out)["found"]
    assert manifest(upload(members[::-1]))["sha256"] == manifest(out)["sha256"]


def test_refused_files_are_listed_up_to_a_limit(upload):
    bad = [(f"cats/{n}\x1b.png", b"GIF89a") for n in range(250)]
    out = upload([*bad, ("cats/good.png", picture(1))])
    assert outcome(out)["refused_count"] == 250
    refused = outcome(out)["refused"]
    assert len(refused) == 200
    name, reason = refused[0]
    assert (name, read(reason)) == ("cats/0\\x1b.png", "it is not a PNG, JPEG or WebP picture")


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"files": 3}, r"pictures\.zip cannot be used: it lists 5 files"),
        ({"total_bytes": 10_000}, "unpacked, 10,000 bytes are allowed"),
        ({"file_bytes": 100}, r"no usable picture \(cats/0\.png: it has .* at most 100"),
        ({"classes": 1}, "2 classes, and at most 1"),
    ],
)
def test_limits_are_kept_in_one_sentence(upload, limits, words):
    members = [(f"{'cats' if n else 'dogs'}/{n}.png", picture(n)) for n in range(4)]
    members = [("cats/0.png", picture(0)), *members]
    with pytest.raises(ValueError, match=words) as error:
        upload(members, limits=UploadLimits(**limits))
    assert "\n" not in str(error.value)


def test_loose_files_count_too(upload):
    loose = [(f"{n}.png", picture(n)) for n in range(3)]
    with pytest.raises(ValueError, match="too many files; at most 2"):
        upload(loose=loose, limits=UploadLimits(files=2))
    with pytest.raises(ValueError, match=r"no usable picture .* at most 100"):
        upload(loose=loose, limits=UploadLimits(file_bytes=100))


def test_what_is_no_zip_file_is_called_so(upload):
    with pytest.raises(ValueError, match=r"fake\.zip is not a zip file"):
        upload(loose=[("fake.zip", picture(0))])
    with pytest.raises(ValueError, match=r"no usable picture \(notes\.txt"):
        upload(loose=[("notes.txt", b"hello")])
    # A zip file by its content is one whatever its name says.
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("cats/1.png", picture(1))
    assert manifest(upload(loose=[("odd.png", buffer.getvalue())]))["classes"] == {"cats": 1}


def test_an_empty_zip_has_no_picture(upload):
    buffer = io.BytesIO()
    zipfile.ZipFile(buffer, "w").close()
    with pytest.raises(ValueError, match="no usable picture; send PNG"):
        upload(loose=[("empty.zip", buffer.getvalue())])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=300), start=st.sampled_from([b"PK\3\4", b"PK\5\6", b""]))
def test_random_bytes_are_one_sentence(upload, content, start):
    with pytest.raises(ValueError, match=r"^\S[^\n]+$"):
        upload(loose=[("random.zip", start + content)])


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are set on Linux only")
def test_the_process_is_restricted_by_the_system():
    code = """
import resource, time
from genimg.data.ingestion import UploadLimits
from genimg.data.ingestion_worker import restrict_process
restrict_process(UploadLimits(memory_bytes=2**26, processor_seconds=1))
try:
    bytes(2**27)
except MemoryError:
    print("memory", flush=True)
try:
    with open({file!r}, "wb") as file:
        file.write(bytes(2**24 + 1))
except OSError:
    print("file", flush=True)
end = time.process_time() + 30
while time.process_time() < end:
    pass
print("endless", flush=True)
"""
    file = f"/tmp/genimg-test-{os.getpid()}"
    result = subprocess.run(
        [sys.executable, "-c", code.replace("{file!r}", repr(file))], capture_output=True, text=True
    )
    os.unlink(file)
    assert result.stdout.split() == ["memory", "file"], result.stderr
    assert result.returncode < 0
