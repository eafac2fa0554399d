"""Make the bundled sample of Fashion-MNIST from the whole set.

    python -m benchmarks.make_bundled_sample /usr/share/datasets/fashion-mnist

Takes 1200 training and 200 test images of every class, chosen by a fixed seed, and writes them as
two lossless WebP sheets. Prints the sizes, and those of the same sheets as PNG for comparison.
"""

import argparse
import io
from pathlib import Path

import numpy as np
from PIL import Image

from genimg.data import bundled, idx
from genimg.storage import atomic_write


def choose(labels: np.ndarray, per_class: int) -> np.ndarray:
    """Return the indices of `per_class` images of each class, in label order."""
    generator = np.random.RandomState(0)
    chosen = [
        np.sort(generator.permutation(np.flatnonzero(labels == label))[:per_class])
        for label in range(bundled.CLASSES)
    ]
    return np.concatenate(chosen)


def encode(sheet: Image.Image, format: str, **options) -> bytes:
    buffer = io.BytesIO()
    sheet.save(buffer, format, **options)
    return buffer.getvalue()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="folder with the four IDX files")
    parser.add_argument("--out", type=Path, default=bundled.FOLDER, help="where the sheets go")
    options = parser.parse_args()
    for split, count in bundled.COUNTS.items():
        images, labels = idx.read_split(options.folder, split)
        chosen = choose(labels.numpy(), count // bundled.CLASSES)
        sheet = Image.fromarray(bundled.join_sheet(images.numpy()[chosen, 0]))
        webp = encode(sheet, "WEBP", lossless=True, quality=100, method=4)
        atomic_write(options.out / f"{split}.webp", webp)
        png = len(encode(sheet, "PNG", optimize=True))
        print(f"{split}: {count} images, WebP {len(webp)} bytes (PNG {png})")


if __name__ == "__main__":
    main()
