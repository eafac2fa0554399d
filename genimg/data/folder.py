"""Your own pictures as a data set: one folder per class, read without trusting any file.

    pictures/
      cats/1.png            class "cats"
      cats/indoors/2.jpg    class "cats" as well: only the first level counts
      dogs/3.webp           class "dogs"

A file that cannot be used is listed with the reason and skipped. Symbolic links are never followed
and hidden files are ignored. A picture is decoded only after its stated size is known to be small
enough, by one of three decoders and no other, whatever its name says.
"""

import hashlib
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image, ImageOps

from genimg.data.registry import SPLITS, Dataset

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
FORMATS = ("PNG", "JPEG", "WEBP")
MAX_PIXELS = 16_000_000
MAX_FILES = 100_000  # all pictures are held in memory: at 64 px RGB this is 1.2 GB
TEST_SHARE = 10  # one picture in ten of each class is for testing


class Picture(NamedTuple):
    """One usable file."""

    file: str
    """Path below the root, with forward slashes."""
    label: str
    pixels: np.ndarray
    """uint8 (size, size, C), C = 1 or 3."""


def load_folder(path: str, size: int, split: str) -> Dataset:
    """Load one split of a folder of pictures.

    The pictures of a class are put in the order of a hash of their names below `path`, and the
    first tenth (at least one, if the class has two or more) is the test split. The same files
    therefore always give the same splits, in the same mixed order. The data set is grey if every
    usable picture of the folder is, and RGB otherwise.

    Raises:
        ValueError: there is no such folder, it has no usable picture or too many files, or the
            split is empty.
    """
    pictures, skipped = read_folder(path, size)
    chosen = choose_split(pictures, split)
    if not chosen:
        raise ValueError(
            f"{path} has no class of two or more pictures, so none is left for the test split"
        )
    classes = _classes(pictures)
    shape = (size, size, _channels(pictures))  # a grey picture among colour ones is repeated
    pixels = np.stack([np.broadcast_to(picture.pixels, shape) for picture in chosen])
    images = torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous()  # to (N, C, H, W)
    labels = torch.tensor([classes.index(picture.label) for picture in chosen])
    return Dataset(f"folder:{path}", images, labels, classes, str(path), tuple(skipped))


def describe_folder(path: str) -> dict:
    """Return the same dictionary as `genimg.data.describe`; every picture is read for the counts.

    Raises:
        ValueError: there is no such folder, or it has no usable picture or too many files.
    """
    pictures, _ = read_folder(path, size=28)
    return {
        "name": f"folder:{path}",
        "title": f"pictures in {Path(path).name}",
        "images": {split: len(choose_split(pictures, split)) for split in SPLITS},
        "size": None,
        "channels": _channels(pictures),
        "classes": list(_classes(pictures)),
        "license": "yours to know",
        "homepage": "",
        "source": str(path),
    }


def read_folder(path: str, size: int) -> tuple[list[Picture], list[tuple[str, str]]]:
    """Read every usable picture below `path`, and list (file, reason) for the others."""
    root = Path(path).expanduser()
    if not root.is_dir():
        raise ValueError(f"there is no folder {path}")
    pictures, skipped = [], []
    for file in _walk(root):
        if len(pictures) + len(skipped) == MAX_FILES:
            raise ValueError(f"{path} has more than {MAX_FILES} files; use a smaller folder")
        name = file.relative_to(root).as_posix()
        shown = name.encode("utf-8", "backslashreplace").decode()
        try:
            _check_name(file, name, shown)
            pixels = read_picture(file, size)
        except ValueError as error:
            skipped.append((shown, str(error)))
            continue
        pictures.append(Picture(name, name.split("/")[0], pixels))
    if not pictures:
        detail = f" (first problem: {skipped[0][0]}: {skipped[0][1]})" if skipped else ""
        raise ValueError(
            f"{path} has no usable picture{detail}; put PNG, JPEG or WebP files in one folder "
            "per class inside it"
        )
    return pictures, skipped


def choose_split(pictures: list[Picture], split: str) -> list[Picture]:
    """Return the pictures of one split, in the order of the hash of their names."""
    ordered = sorted(pictures, key=lambda picture: hashlib.sha256(picture.file.encode()).digest())
    test = set()
    for label in _classes(pictures):
        files = [picture.file for picture in ordered if picture.label == label]
        if len(files) > 1:
            test.update(files[: max(1, len(files) // TEST_SHARE)])
    return [picture for picture in ordered if (picture.file in test) == (split == "test")]


def read_picture(file: Path, size: int) -> np.ndarray:
    """Read one PNG, JPEG or WebP file (the first frame of an animation) as a square.

    The rotation in its EXIF data is applied, transparency is laid on white, 16-bit grey is reduced
    to 8, the largest centred square is cut out and resized with an antialiasing (Lanczos) filter.

    Returns:
        uint8 (size, size, 1) for a grey picture, else uint8 (size, size, 3).

    Raises:
        ValueError: the file is none of these formats, is damaged, or has over 16 megapixels.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(file, formats=FORMATS) as image:
                # Only the header has been read so far.
                if image.width * image.height > MAX_PIXELS:
                    raise ValueError(
                        f"it has {image.width} x {image.height} pixels; at most "
                        f"{MAX_PIXELS // 10**6} million are allowed"
                    )
                image.load()
                upright = ImageOps.exif_transpose(image)
                plain = _as_grey_or_rgb(upright)
                square = ImageOps.fit(plain, (size, size), Image.Resampling.LANCZOS)
    except ValueError:
        raise
    except Image.UnidentifiedImageError:
        raise ValueError("it is not a PNG, JPEG or WebP picture") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ValueError("it has far too many pixels") from None
    except Exception as error:  # hostile bytes can make a decoder raise anything
        raise ValueError(f"it cannot be decoded ({error or type(error).__name__})") from None
    return np.asarray(square).reshape(size, size, -1)


def _walk(root: Path) -> Iterator[Path]:
    """Yield the files below `root` in a fixed order, and links to folders without entering them."""
    for folder, subfolders, files in os.walk(root):  # os.walk enters no linked folder
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        links = [name for name in subfolders if Path(folder, name).is_symlink()]
        for name in sorted([*files, *links]):
            if not name.startswith("."):
                yield Path(folder, name)


def _check_name(file: Path, name: str, shown: str) -> None:
    if file.is_symlink():
        raise ValueError("it is a symbolic link, and those are not followed")
    if not file.is_file():
        raise ValueError("it is not a regular file")
    if shown != name:
        raise ValueError("its name is not valid UTF-8")
    if "/" not in name:
        raise ValueError("it lies outside the class folders")
    if file.suffix.lower() not in SUFFIXES:
        raise ValueError(f"its name does not end in {', '.join(SUFFIXES)}")


def _as_grey_or_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # 16-bit grey, which Pillow's own conversion clips at 255
        return Image.fromarray((np.asarray(image) >> 8).clip(0, 255).astype(np.uint8))
    grey = image.mode in ("1", "L", "LA", "La")
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        image = Image.alpha_composite(white, layer)
    return image.convert("L" if grey else "RGB")


def _classes(pictures: list[Picture]) -> tuple[str, ...]:
    return tuple(sorted({picture.label for picture in pictures}))


def _channels(pictures: list[Picture]) -> int:
    return max(picture.pixels.shape[-1] for picture in pictures)
