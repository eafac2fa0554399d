"""The published data sets that torchvision can download, and local copies of them.

The cache is `GENIMG_CACHE`, or ~/.cache/genimg, laid out as torchvision does it. Torchvision checks
every downloaded file against its published MD5 sum. A download that was cut off goes on with the
first file that is not complete.
"""

import os
import tarfile
import tempfile
import zlib
from pathlib import Path

import numpy as np
import torch

from genimg.data import idx
from genimg.data.registry import SPLITS, published

TORCHVISION_CLASSES = {
    "fashion-mnist": "FashionMNIST",
    "mnist": "MNIST",
    "kmnist": "KMNIST",
    "cifar10": "CIFAR10",
    "svhn": "SVHN",
}
IDX_NAMES = ("fashion-mnist", "mnist", "kmnist")
# The files that say CIFAR-10 and SVHN are in the cache; torchvision checks their sums on reading.
CACHED_FILES = {
    "cifar10": [
        *(f"cifar-10-batches-py/data_batch_{number}" for number in range(1, 6)),
        "cifar-10-batches-py/test_batch",
        "cifar-10-batches-py/batches.meta",
    ],
    "svhn": ["train_32x32.mat", "test_32x32.mat"],
}
DEBIAN_FOLDER = Path("/usr/share/datasets/fashion-mnist")


def cache_folder() -> Path:
    """Return the folder that downloads go to: `GENIMG_CACHE`, or ~/.cache/genimg."""
    return Path(os.environ.get("GENIMG_CACHE") or "~/.cache/genimg").expanduser()


def find_local(name: str) -> Path | None:
    """Return the first folder that holds all of a data set, or None.

    Fashion-MNIST is looked for in `GENIMG_DATA`, its subfolder fashion-mnist, the folder of the
    Debian package dataset-fashion-mnist, then the cache; the others only in the cache.
    """
    if name in CACHED_FILES:
        folder = cache_folder()
        return folder if all((folder / file).is_file() for file in CACHED_FILES[name]) else None
    folders = [_idx_cache(name)]
    if name == "fashion-mnist":
        given = os.environ.get("GENIMG_DATA")
        mine = [Path(given).expanduser()] if given else []
        folders = [*mine, *(path / name for path in mine), DEBIAN_FOLDER, *folders]
    return next((folder for folder in folders if idx.has_all_files(folder)), None)


def describe_source(local: Path | None) -> str:
    """Return the source in words: the folder, unless it is (or will be) the cache."""
    in_cache = local is None or local.is_relative_to(cache_folder())
    return "torchvision download" if in_cache else str(local)


def count(name: str, split: str, local: Path) -> int:
    """Return the number of pictures in one split of a data set found by `find_local`."""
    return idx.count(local, split) if name in IDX_NAMES else published()[name].counts[split]


def read(name: str, split: str, local: Path | None) -> tuple[torch.Tensor, torch.Tensor]:
    """Read one split from the folder found by `find_local`, or download the set if that is None.

    Returns:
        uint8 (N, C, S, S) and int64 (N,).

    Raises:
        ValueError: a local file is damaged, or SVHN is asked for and SciPy is not installed.
        OSError: the download failed; one sentence says why and what to do.
    """
    if name in IDX_NAMES:
        return idx.read_split(local or _download_idx(name), split)
    return _read_through_torchvision(name, split)


def fetch(name: str) -> Path:
    """Return the folder that holds all of a published data set; it is downloaded if need be.

    Raises:
        ValueError: there is no such set, or SVHN is asked for and SciPy is not installed.
        OSError: the download failed; one sentence says why and what to do.
    """
    if name not in TORCHVISION_CLASSES:
        known = ", ".join(TORCHVISION_CLASSES)
        raise ValueError(f"there is no data set {name!r} to fetch; choose one of {known}")
    if find_local(name) is None:
        for split in SPLITS:
            read(name, split, find_local(name))
    return find_local(name) or cache_folder()


def _idx_cache(name: str) -> Path:
    return cache_folder() / TORCHVISION_CLASSES[name] / "raw"


def _download_idx(name: str) -> Path:
    """Fetch the four compressed files and return their folder.

    Torchvision's own class would unpack them and from then on trust the unpacked files by name,
    even if it was killed halfway. So only its checked download is used, and the .gz is read.
    """
    import torchvision.datasets
    from torchvision.datasets.utils import check_integrity, download_url

    source = getattr(torchvision.datasets, TORCHVISION_CLASSES[name])
    folder = _idx_cache(name)
    folder.mkdir(parents=True, exist_ok=True)
    for filename, md5 in source.resources:
        if check_integrity(folder / filename, md5):
            continue
        reason = None
        for mirror in source.mirrors:
            try:
                # Under its final name a file is always whole, also for another process.
                with tempfile.TemporaryDirectory(dir=folder) as partial:
                    download_url(f"{mirror}{filename}", partial, filename, md5)
                    os.replace(Path(partial, filename), folder / filename)
                break
            except (RuntimeError, OSError) as error:
                reason = error
        else:
            raise _download_error(name, folder, reason)
    return folder


def _read_through_torchvision(name: str, split: str) -> tuple[torch.Tensor, torch.Tensor]:
    import torchvision.datasets

    folder = cache_folder()
    source = getattr(torchvision.datasets, TORCHVISION_CLASSES[name])
    chosen = {"train": split == "train"} if name == "cifar10" else {"split": split}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        loaded = source(root=folder, download=True, **chosen)
    except ImportError:
        raise ValueError(f"{name} needs SciPy to be read; run: pip install scipy") from None
    except (RuntimeError, OSError, EOFError, zlib.error, tarfile.TarError) as error:
        raise _download_error(name, folder, error) from None
    if name == "svhn":  # already (N, 3, 32, 32)
        return torch.from_numpy(loaded.data.copy()), torch.from_numpy(loaded.labels).long()
    images = np.ascontiguousarray(loaded.data.transpose(0, 3, 1, 2))  # (N, H, W, 3) -> (N, 3, H, W)
    return torch.from_numpy(images), torch.tensor(loaded.targets, dtype=torch.int64)


def _download_error(name: str, folder: Path, error: Exception | None) -> OSError:
    reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
    return OSError(
        f"{name} could not be downloaded ({reason}); check the network and the free space and "
        f"try again, or put its original files in {folder}"
    )
