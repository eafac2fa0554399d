import io
import os
import struct
import sys
import zlib

import numpy as np
import pytest
from PIL import Image

from genimg import data
from genimg.data import folder


def noise(seed, width=40, height=40, mode="RGB"):
    channels = len(Image.new(mode, (1, 1)).getbands())
    shape = (height, width, channels) if channels > 1 else (height, width)
    pixels = np.random.default_rng(seed).integers(0, 256, shape, np.uint8)
    return Image.frombytes(mode, (width, height), pixels.tobytes())


def encoded(image, kind):
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()


def png_chunk(kind, content):
    return (
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
    )


def png_header(width, height):
    """A PNG that says it is grey and this large, and holds almost nothing."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    content = png_chunk(b"IDAT", zlib.compress(bytes(100)))
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + content + png_chunk(b"IEND", b"")


@pytest.fixture
def root(tmp_path):
    """Two classes, 20 and 10 good pictures, in all three formats and a deeper folder."""
    root = tmp_path / "pictures"
    for label, count in (("cats", 20), ("dogs", 10)):
        (root / label / "more").mkdir(parents=True)
        for number in range(count):
            suffix = ("png", "jpg", "webp")[number % 3]
            place = root / label / ("more" if number % 2 else "")
            noise(number).save(place / f"{number}.{suffix}")
    return root


def test_first_level_is_the_class_and_splits_are_90_to_10(root):
    train, test = (data.load(f"folder:{root}", 32, split) for split in ("train", "test"))
    assert train.classes == test.classes == ("cats", "dogs")
    assert train.labels.bincount().tolist() == [18, 9]
    assert test.labels.bincount().tolist() == [2, 1]
    assert train.images.shape == (27, 3, 32, 32)
    assert train.skipped == ()
    whole = {image.numpy().tobytes() for part in (train, test) for image in part.images}
    assert len(whole) == 20  # dogs repeat the pictures of the first ten cats


def test_loading_is_repeatable_and_mixed(root):
    first, second = (data.load(f"folder:{root}", 28) for _ in range(2))
    assert first.images.equal(second.images)
    assert first.labels.equal(second.labels)
    assert first.labels.tolist() not in ([0] * 18 + [1] * 9, [1] * 9 + [0] * 18)


def test_describe_counts_without_loading_a_size(root):
    facts = data.describe(f"folder:{root}")
    assert facts["images"] == {"train": 27, "test": 3}
    assert facts["classes"] == ["cats", "dogs"]
    assert facts["channels"] == 3


def hostile_files():
    """(name, content, words of the reason) of files that must be refused."""
    kinds = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
    whole = {kind: encoded(noise(1, 64, 64), kind) for kind in kinds}
    return [
        ("empty.png", b"", "not a PNG"),
        ("gif.png", whole["GIF"], "not a PNG"),
        ("bmp.jpg", whole["BMP"], "not a PNG"),
        ("pdf.png", b"%PDF-1.7\n1 0 obj <<>> endobj", "not a PNG"),
        ("text.webp", b"<svg onload=alert(1)>", "not a PNG"),
        ("cut.jpg", whole["JPEG"][: len(whole["JPEG"]) // 2], "cannot be decoded"),
        ("cut.png", whole["PNG"][:200], "cannot be decoded"),
        ("cut.webp", whole["WEBP"][:200], "cannot be decoded"),
        ("large.png", png_header(4001, 4000), "at most 16 million"),
        ("bomb.png", png_header(20_000, 5_000), "too many"),
        ("huge.png", png_header(2**31 - 1, 2**31 - 1), "too many"),
        ("hollow.png", png_header(3999, 4000), "cannot be decoded"),
        ("script.py", b"print(1)", "not a PNG"),
        ("picture.gif", whole["GIF"], "not a PNG"),
    ]


@pytest.mark.parametrize(
    ("name", "content", "words"), hostile_files(), ids=[case[0] for case in hostile_files()]
)
def test_hostile_file_is_listed_and_skipped(root, name, content, words):
    before = data.load(f"folder:{root}", 28)
    (root / "cats" / name).write_bytes(content)
    after = data.load(f"folder:{root}", 28)
    assert after.images.equal(before.images)
    [(file, reason)] = after.skipped
    assert file == f"cats/{name}"
    assert words in reason
    assert "\n" not in reason


def test_pixel_cap_is_checked_before_decoding(tmp_path, monkeypatch):
    file = tmp_path / "large.png"
    file.write_bytes(png_header(4001, 4000))

    def refuse(self):
        raise AssertionError("the picture was decoded")

    monkeypatch.setattr("PIL.PngImagePlugin.PngImageFile.load", refuse)
    with pytest.raises(ValueError, match="4001 x 4000 pixels"):
        folder.read_picture(file, 28)


def test_flipped_bytes_never_escape_as_another_error(tmp_path):
    generator = np.random.default_rng(0)
    for kind in ("PNG", "JPEG", "WEBP"):
        whole = encoded(noise(2, 16, 16), kind)
        for _ in range(60):
            content = np.frombuffer(whole, np.uint8).copy()
            places = generator.integers(0, len(content), 3)
            content[places] = generator.integers(0, 256, 3)
            file = tmp_path / "flipped.png"
            file.write_bytes(content.tobytes())
            try:
                pixels = folder.read_picture(file, 28)
            except ValueError:
                continue
            assert pixels.shape[:2] == (28, 28)


def test_links_are_not_followed(root, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    noise(99).save(outside / "secret.png")
    before = data.load(f"folder:{root}", 28)
    os.symlink(root, root / "cats" / "loop")
    os.symlink(outside, root / "birds")
    os.symlink(outside / "secret.png", root / "dogs" / "secret.png")
    os.symlink(root / "nowhere.png", root / "dogs" / "broken.png")
    after = data.load(f"folder:{root}", 28)
    assert after.images.equal(before.images)
    assert after.classes == ("cats", "dogs")
    assert sorted(file for file, _ in after.skipped) == [
        "birds",
        "cats/loop",
        "dogs/broken.png",
        "dogs/secret.png",
    ]
    assert all("symbolic link" in reason for _, reason in after.skipped)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_does_not_block(root):
    os.mkfifo(root / "cats" / "pipe.png")
    assert data.load(f"folder:{root}", 28).skipped == (
        ("cats/pipe.png", "it is not a regular file"),
    )


def test_loose_hidden_and_oddly_named_files(root):
    noise(1).save(root / "loose.png")
    noise(1).save(root / "cats" / ".hidden.png")
    if sys.platform != "linux":
        pytest.skip("only Linux allows names that are not UTF-8")
    odd = os.path.join(os.fsencode(root / "cats"), b"\xff.png")
    with open(odd, "wb") as file:
        file.write(encoded(noise(1), "PNG"))
    loaded = data.load(f"folder:{root}", 28)
    assert len(loaded) == 27
    assert dict(loaded.skipped).keys() == {"loose.png", "cats/\\udcff.png"}


@pytest.mark.parametrize("mode", ["P", "CMYK", "1", "L", "LA", "RGBA", "RGB"])
def test_every_mode_becomes_grey_or_rgb(tmp_path, mode):
    image = noise(0, 30, 30).convert(mode)
    file = tmp_path / ("picture.jpg" if mode == "CMYK" else "picture.png")
    image.save(file)
    pixels = folder.read_picture(file, 30)
    grey = mode in ("1", "L", "LA")
    assert pixels.shape == (30, 30, 1 if grey else 3)
    with Image.open(file) as saved:
        expected = np.asarray(saved.convert("L" if grey else "RGB")).reshape(pixels.shape)
    assert np.array_equal(pixels, expected)


def test_16_bit_grey_keeps_its_high_byte(tmp_path):
    values = np.arange(900, dtype=np.uint16).reshape(30, 30) * 72
    Image.fromarray(values).save(tmp_path / "deep.png")
    pixels = folder.read_picture(tmp_path / "deep.png", 30)
    assert np.array_equal(pixels[:, :, 0], values >> 8)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparency_becomes_white(tmp_path, mode):
    image = Image.new("P" if mode == "P" else mode, (30, 30), 0)
    options = {"transparency": 0} if mode == "P" else {}
    image.save(tmp_path / "clear.png", **options)
    assert (folder.read_picture(tmp_path / "clear.png", 30) == 255).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation_is_applied(tmp_path, orientation):
    turns = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }
    image = noise(0, 30, 30)
    exif = Image.Exif()
    exif[0x0112] = orientation
    image.save(tmp_path / "turned.png", exif=exif)
    upright = image.transpose(turns[orientation]) if orientation > 1 else image
    assert np.array_equal(folder.read_picture(tmp_path / "turned.png", 30), np.asarray(upright))


@pytest.mark.parametrize(("width", "height"), [(60, 28), (28, 60), (28, 28)])
def test_the_middle_is_cut_out(tmp_path, width, height):
    image = noise(0, width, height)
    image.save(tmp_path / "picture.png")
    left, top = (width - 28) // 2, (height - 28) // 2
    middle = np.asarray(image)[top : top + 28, left : left + 28]
    assert np.array_equal(folder.read_picture(tmp_path / "picture.png", 28), middle)


def test_grey_folder_stays_grey_and_one_colour_picture_makes_it_rgb(tmp_path):
    (tmp_path / "all").mkdir()
    for number in range(10):
        noise(number, mode="L").save(tmp_path / "all" / f"{number}.png")
    grey = data.load(f"folder:{tmp_path}", 48)
    assert (grey.channels, grey.size) == (1, 48)
    noise(3).save(tmp_path / "all" / "colour.png")
    assert {data.load(f"folder:{tmp_path}", 48, split).channels for split in ("train", "test")} == {
        3
    }


def test_folder_without_usable_pictures_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="no folder"):
        data.load(f"folder:{tmp_path / 'nowhere'}")
    with pytest.raises(ValueError, match="no usable picture; put"):
        data.load(f"folder:{tmp_path}")
    (tmp_path / "cats").mkdir()
    (tmp_path / "cats" / "bad.png").write_bytes(b"bad")
    with pytest.raises(ValueError, match=r"no usable picture \(first problem: cats/bad\.png: it"):
        data.load(f"folder:{tmp_path}")


def test_one_picture_a_class_leaves_nothing_to_test_on(tmp_path):
    (tmp_path / "cats").mkdir()
    noise(0).save(tmp_path / "cats" / "only.png")
    assert len(data.load(f"folder:{tmp_path}")) == 1
    with pytest.raises(ValueError, match="test split"):
        data.load(f"folder:{tmp_path}", split="test")


def test_too_many_files_are_refused(root, monkeypatch):
    monkeypatch.setattr(folder, "MAX_FILES", 29)
    with pytest.raises(ValueError, match="more than 29 files"):
        data.load(f"folder:{root}")
