"""What hostile uploads and sudden ends may do: nothing outside, nothing half, no trace, no wait."""

import io
import multiprocessing
import os
import signal
import struct
import subprocess
import sys
import threading
import time
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from genimg import data
from genimg.data import ingestion
from genimg.data.ingestion import UploadLimits, ingest
from genimg.data.ingestion_worker import Collector, collect
from genimg.data.manifest import verified_hash
from genimg.data.zip_reader import ZipReader

pytestmark = pytest.mark.slow

SMALL = UploadLimits(files=1000, total_bytes=2**24, file_bytes=2**20)


def png(seed=0, side=40):
    pixels = np.random.default_rng(seed).integers(0, 256, (side, side, 3), np.uint8)
    return encoded(Image.fromarray(pixels), "PNG")


def encoded(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def zipped(members, compression=zipfile.ZIP_DEFLATED):
    """A zip file of (name or ZipInfo, content)."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in members:
            archive.writestr(name, content, compression)
    return buffer.getvalue()


@pytest.fixture
def take(tmp_path):
    """Let the child's work be done in this process; return report and folder."""

    def run(content, limits=SMALL):
        (tmp_path / "in").mkdir(exist_ok=True)
        (tmp_path / "in" / "upload.zip").write_bytes(content)
        out = tmp_path / "jail" / "out"
        out.mkdir(parents=True)
        collector = Collector(out, size=28, fit="crop", limits=limits)
        with open(tmp_path / "in" / "upload.zip", "rb") as file:
            collector.add_zip(ZipReader(file, limits.files))
        collector.finish()
        return collector, out

    return run


def everything(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


# 20: bombs


def overlapping(count):
    """`count` members that are all the same bytes, as in the bombs that need no nesting."""
    one = zipped([("a", bytes(100_000))])
    end = one.rfind(b"PK\5\6")
    begin = one.find(b"PK\1\2")
    directory = one[begin:end] * count
    record = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, len(directory), begin, 0)
    return one[:begin] + directory + record


def lying(field, value):
    """A bomb of 100 MB that says another size in its directory."""
    content = bytearray(zipped([("a/1.png", bytes(10**8))]))
    struct.pack_into("<L", content, content.find(b"PK\1\2") + field, value)
    return bytes(content)


def nested(depth):
    content = zipped([("a.png", bytes(2**20))])
    for _ in range(depth):
        content = zipped([(f"a/{number}.zip", content) for number in range(16)])
    return content


BOMBS = {
    "flat": lambda: zipped([("a/1.png", bytes(10**8))]),
    "says less": lambda: lying(24, 1000),
    "says nothing": lambda: lying(24, 0),
    "says four gigabytes": lambda: lying(24, 2**32 - 1),
    "says it is not packed": lambda: lying(20, 10**8),
    "overlapping": lambda: overlapping(900),
    "too many overlapping": lambda: overlapping(65_000),
    "a million entries": lambda: overlapping(16) * 4000,
    "many": lambda: zipped([(f"a/{number}.png", b"") for number in range(1001)]),
    "nested": lambda: nested(3),
    "many large ones": lambda: zipped(
        [(f"a/{n}.png", np.random.default_rng(n).bytes(2**20)) for n in range(20)]
    ),
    "pictures of nothing": lambda: zipped(
        [(f"a/{n}.png", encoded(Image.new("1", (4001, 4000)), "PNG")) for n in range(20)]
    ),
}


@pytest.mark.parametrize("name", BOMBS)
def test_20_bombs_are_refused_soon_and_leave_nothing(tmp_path, name):
    """Fault 20: every bomb costs seconds and leaves nothing."""
    bomb = tmp_path / "bomb.zip"
    bomb.write_bytes(BOMBS[name]())
    begin = time.process_time()
    with pytest.raises(ValueError, match=r"^\S[^\n]{10,400}$"):
        collect([bomb], tmp_path, size=28, fit="crop", limits=SMALL)
    assert time.process_time() - begin < 5
    assert everything(tmp_path) == {"bomb.zip"}


def test_20_encrypted_members_are_refused_and_the_others_used(take):
    """Fault 20: an encrypted member."""
    content = bytearray(zipped([("cats/secret.png", png(1)), ("cats/open.png", png(2))]))
    at = content.find(b"PK\1\2")
    struct.pack_into("<H", content, at + 8, 1)
    collector, _ = take(bytes(content))
    assert collector.refused == [("cats/secret.png", "it is encrypted")]
    assert len(collector.accepted) == 1


# 21: names that lead elsewhere, and members that are no files


NAMES = [
    *("../../../escaped.png", "/absolute.png", "C:\\drive.png", "..\\..\\back\\slash.png"),
    *(
        "cats/../../up.png",
        "cats/" + "x" * 300 + ".png",
        "y" * 300 + "/1.png",
        "cats/\u202egnp.png",
    ),
    *("cats/1.png", "CATS/1.png", "cats/1.png", "con/1.png", "a\nb/1.png", "\x1b[2J/1.png"),
    *("<img src=x onerror=alert(1)>/1.png", "~/1.png", "$(id)/1.png", "-rf/1.png", "../1.png"),
]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_21_names_lead_nowhere(tmp_path, take):
    """Fault 21: names of members that lead elsewhere or clash."""
    content = zipped([(name, png(seed)) for seed, name in enumerate(NAMES)])
    collector, out = take(content)
    assert len(collector.accepted) == len(NAMES)
    assert collector.refused == []
    assert everything(tmp_path) - {"in", "in/upload.zip"} == {"jail", "jail/out"} | {
        f"jail/out/{path}" for path in everything(out)
    }
    published = out / ingestion.PICTURES
    labels = {path.name for path in published.iterdir() if path.is_dir()}
    assert all(label.isprintable() and not set(label) & set('<>:"/\\|?*') for label in labels)
    assert len({label.casefold() for label in labels}) == len(labels)
    files = [path.name for path in published.glob("*/*")]
    assert all(len(name) == 10 and name.endswith(".png") for name in files)
    assert len(files) == len(NAMES)
    assert data.load(f"folder:{published}", 28).skipped == ()


@pytest.mark.parametrize("nasty", [b"a\0b", b"\xff\xfe\xfd", b"\xed\xa0\x80", b"..\\", b"///"])
def test_21_bytes_that_are_no_name_lead_nowhere(tmp_path, take, nasty):
    """Fault 21: bytes that are no text."""
    placeholder = "Q" * len(nasty)
    content = zipped([(f"{placeholder}/1.png", png(1)), (f"x/{placeholder}a.png", png(2))])
    collector, out = take(content.replace(placeholder.encode(), nasty))
    assert len(collector.accepted) == 2
    assert len(data.load(f"folder:{out / ingestion.PICTURES}", 28)) >= 1
    assert {path.name for path in tmp_path.iterdir()} == {"in", "jail"}


def test_21_links_and_devices_are_refused(tmp_path, take):
    """Fault 21: members that are links, devices or pipes."""
    (tmp_path / "secret.png").write_bytes(png(9))
    members = [("cats/good.png", png(1))]
    for name, mode in (("link", 0o120777), ("device", 0o060666), ("pipe", 0o010666)):
        member = zipfile.ZipInfo(f"cats/{name}.png")
        member.create_system, member.external_attr = 3, mode << 16
        members.append((member, str(tmp_path / "secret.png").encode()))
    collector, out = take(zipped(members))
    assert [name for name, _ in collector.refused] == [
        *("cats/link.png", "cats/device.png", "cats/pipe.png")
    ]
    assert {reason for _, reason in collector.refused} == {"it is a link or a device, not a file"}
    assert not any(path.is_symlink() for path in out.rglob("*"))


# 22: pictures that are none, or not what they seem


def png_chunk(kind, content):
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum


def png_of(width, height, *chunks):
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = png_chunk(b"IHDR", header) + b"".join(chunks)
    return b"\x89PNG\r\n\x1a\n" + body + png_chunk(b"IEND", b"")


def refused_pictures():
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8))
    empty = png_chunk(b"IDAT", zlib.compress(bytes(100)))
    text = zlib.compress(bytes(10**8))
    jpeg = encoded(noise, "JPEG")
    return {
        "zero bytes": b"",
        "gif": encoded(noise, "GIF"),
        "bmp": encoded(noise, "BMP"),
        "tiff": encoded(noise, "TIFF"),
        "pdf": encoded(noise, "PDF"),
        "fits": b"SIMPLE  =                    T" + b" " * 2850,
        "psd": b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 3, 64, 64, 8, 3) + bytes(100),
        "svg": b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        "eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        "zip": zipped([("1.png", png())]),
        "144 megapixels": png_of(12_000, 12_000, empty),
        "above the cap": png_of(4001, 4000, empty),
        "huge header": png_of(2**31 - 1, 2**31 - 1, empty),
        "huge text": png_of(8, 8, png_chunk(b"iTXt", b"k\0\1\0\0\0" + text), empty),
        "cut jpeg": jpeg[: len(jpeg) // 2],
        "cut png": png()[:500],
        "cut webp": encoded(noise, "WEBP")[:300],
    }


def test_22_only_whole_pictures_of_three_formats_are_decoded(take):
    """Fault 22: other formats, huge ones, cut ones."""
    bad = refused_pictures()
    collector, _ = take(zipped([*((f"a/{n}.png", c) for n, c in bad.items()), ("a/ok.png", png())]))
    assert [name for name, _ in collector.refused] == [f"a/{name}.png" for name in bad]
    assert all(reason.startswith("it ") and "\n" not in reason for _, reason in collector.refused)
    assert len(collector.accepted) == 1


def test_22_unusual_pictures_are_accepted(take):
    """Fault 22: whole pictures of unusual kinds."""
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 48, 3), np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6
    deep = Image.fromarray(np.random.default_rng(0).integers(0, 2**16, (40, 40), np.uint16))
    frames = [noise, noise.rotate(90), noise.rotate(180)]
    good = {
        "deep": encoded(deep, "PNG"),
        "cmyk": encoded(noise.convert("CMYK"), "JPEG"),
        "palette": encoded(noise.convert("P"), "PNG"),
        "transparent": encoded(noise.convert("RGBA"), "WEBP"),
        "turned": encoded(noise, "JPEG", exif=exif),
        "animated png": encoded(noise, "PNG", save_all=True, append_images=frames),
        "animated webp": encoded(noise, "WEBP", save_all=True, append_images=frames),
    }
    collector, out = take(zipped([(f"a/{name}.gif", content) for name, content in good.items()]))
    assert collector.refused == []
    for file in (out / ingestion.PICTURES / "a").iterdir():
        with Image.open(file) as image:
            assert (image.format, image.size) == ("PNG", (28, 28))
            assert image.mode in ("L", "RGB")


# Sudden ends, with real processes


def slow_zip(path):
    """About ten seconds of work: large pictures of one color each."""
    large = encoded(Image.new("RGB", (3990, 4000), "red"), "PNG")
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(40):
            archive.writestr(f"cats/{number}.png", large)
    return path


def left_behind(root):
    return sorted(path.name for path in (root / "datasets").iterdir())


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_a_killed_child_is_one_sentence_and_leaves_nothing(tmp_path, monkeypatch):
    children, errors = [], []

    class Recorded(subprocess.Popen):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            children.append(self)

    monkeypatch.setattr(subprocess, "Popen", Recorded)

    def run():
        try:
            ingest([slow_zip(tmp_path / "slow.zip")], tmp_path, size=32)
        except ValueError as error:
            errors.append(str(error))

    thread = threading.Thread(target=run)
    thread.start()
    end = time.monotonic() + 90
    while not list(tmp_path.glob("datasets/.incoming-*/*.png")):  # it is in the middle of its work
        assert time.monotonic() < end
        assert thread.is_alive()
        time.sleep(0.01)
    children[0].kill()
    thread.join(30)
    assert errors == [
        "the process that read the pictures was ended by signal 9, so nothing was published;"
        " try again, or send fewer pictures"
    ]
    assert left_behind(tmp_path) == []


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are set on Linux only")
def test_too_little_memory_is_one_sentence_and_leaves_nothing(tmp_path):
    with pytest.raises(ValueError, match=r"^reading the pictures took too much memory; send fewer"):
        ingest(
            [slow_zip(tmp_path / "slow.zip")],
            tmp_path,
            size=32,
            limits=UploadLimits(memory_bytes=2**24),
        )
    assert left_behind(tmp_path) == []


def work_here(request, limits):
    """Do the child's work in this process."""
    sources = [Path(source) for source in request["sources"]]
    size, fit = request["size"], request["fit"]
    collect(sources, Path(request["folder"]), size=size, fit=fit, limits=limits)


def killed_server(source, root, moment):
    publish = ingestion._publish

    def killed(ready, target):
        if moment == "after":
            publish(ready, target)
        os.kill(os.getpid(), signal.SIGKILL)

    ingestion._publish = killed
    ingest([source], root, size=32)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_server_killed_while_publishing_leaves_all_or_nothing(tmp_path, monkeypatch, moment):
    source = tmp_path / "mine.zip"
    source.write_bytes(zipped([(f"cats/{seed}.png", png(seed)) for seed in range(4)]))
    monkeypatch.setattr(ingestion, "_run_child", work_here)
    server = multiprocessing.get_context("fork").Process(
        target=killed_server, args=(source, tmp_path, moment)
    )
    server.start()
    server.join(60)
    assert server.exitcode == -signal.SIGKILL
    visible = [name for name in left_behind(tmp_path) if not name.startswith(".")]
    assert len(visible) == (moment == "after")
    for name in visible:
        assert verified_hash(tmp_path / "datasets" / name)[:16] == name
    for folder in (tmp_path / "datasets").glob(".incoming-*"):  # a day later
        os.utime(folder, (time.time() - 2 * 86_400,) * 2)
    report = ingest([source], tmp_path, size=32)
    assert left_behind(tmp_path) == [report.sha256[:16]]
    assert visible in ([], [report.sha256[:16]])
