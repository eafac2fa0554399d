"""Make the bundled samples of `portraits` and `critters`.

    python -m benchmarks.make_drawn_samples

Takes the beginning of both splits of the whole sets (which are drawn first, if need be), and writes
each as one compressed file. Prints the sizes.
"""

import argparse
import lzma
from pathlib import Path

from safetensors.torch import save

from genimg import data
from genimg.data import drawn_sets
from genimg.data.registry import SPLITS
from genimg.storage import atomic_write

# Drawings repeat one another, so the window should hold all of them.
COMPRESSION = [{"id": lzma.FILTER_LZMA2, "preset": 6, "dict_size": 2**25, "pb": 0}]


def sample_bytes(name: str) -> bytes:
    """Return the sample as a file."""
    tensors = {}
    for split in SPLITS:
        whole = data.load(name, 64, split, full=True)
        sample = whole.subset(slice(drawn_sets.SAMPLE_COUNTS[split]))
        tensors[f"{split}/images"] = sample.images.permute(0, 2, 3, 1).contiguous()
        for attribute, values in sample.attributes.items():
            tensors[f"{split}/{attribute}"] = values.data.contiguous()
    return lzma.compress(save(tensors), filters=COMPRESSION)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=drawn_sets.SAMPLES, help="where they go")
    options = parser.parse_args()
    for name in drawn_sets.names():
        content = sample_bytes(name)
        atomic_write(options.out / drawn_sets.sample_file(name).name, content)
        print(f"{name}: {dict(drawn_sets.SAMPLE_COUNTS)} pictures, {len(content)} bytes")


if __name__ == "__main__":
    main()
