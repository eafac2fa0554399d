import functools
import gzip
import hashlib
import http.server
import struct
import threading
import types

import numpy as np
import pytest
import torch
import torchvision.datasets

from genimg import data
from genimg.data import idx, torchvision_sets


def encode(values: np.ndarray) -> bytes:
    """Return an array as an IDX file."""
    header = bytes([0, 0, 8, values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape)
    return header + values.tobytes()


def write_idx_files(folder, count=20, compressed=True):
    """Write a tiny data set in the files of Fashion-MNIST; return its arrays by split."""
    folder.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(0)
    arrays = {}
    for split, names in idx.FILES.items():
        images = generator.integers(0, 256, (count, 28, 28), np.uint8)
        labels = (np.arange(count) % 10).astype(np.uint8)
        for name, values in zip(names, (images, labels), strict=True):
            content = gzip.compress(encode(values)) if compressed else encode(values)
            (folder / (f"{name}.gz" if compressed else name)).write_bytes(content)
        arrays[split] = images, labels
    return arrays


@pytest.mark.parametrize("subfolder", ["", "fashion-mnist"])
@pytest.mark.parametrize("compressed", [True, False])
def test_whole_set_is_found_in_the_given_folder(
    no_local_copy, no_network, tmp_path, monkeypatch, subfolder, compressed
):
    arrays = write_idx_files(tmp_path / "mine" / subfolder, compressed=compressed)
    monkeypatch.setenv("GENIMG_DATA", str(tmp_path / "mine"))
    for split, (images, labels) in arrays.items():
        for full in (None, True):
            loaded = data.load("fashion-mnist", 28, split, full=full)
            assert np.array_equal(loaded.images[:, 0].numpy(), images)
            assert loaded.labels.tolist() == labels.tolist()
            assert loaded.source == str(tmp_path / "mine" / subfolder)
    assert data.describe("fashion-mnist")["images"] == {"train": 20, "test": 20}
    assert len(data.load("fashion-mnist", full=False)) == 12_000


def test_folders_are_tried_in_the_documented_order(no_local_copy, tmp_path, monkeypatch):
    cache = no_local_copy / "FashionMNIST" / "raw"
    debian, given = tmp_path / "debian", tmp_path / "given"
    monkeypatch.setattr(torchvision_sets, "DEBIAN_FOLDER", debian)
    monkeypatch.setenv("GENIMG_DATA", str(given))
    assert torchvision_sets.find_local("fashion-mnist") is None
    for folder in (cache, debian, given / "fashion-mnist", given):
        write_idx_files(folder)
        assert torchvision_sets.find_local("fashion-mnist") == folder


def test_half_a_data_set_does_not_count(no_local_copy, tmp_path, monkeypatch):
    write_idx_files(tmp_path / "given")
    (tmp_path / "given" / "t10k-labels-idx1-ubyte.gz").unlink()
    monkeypatch.setenv("GENIMG_DATA", str(tmp_path / "given"))
    assert torchvision_sets.find_local("fashion-mnist") is None


def test_damaged_local_copy_is_reported_not_replaced(no_local_copy, tmp_path, monkeypatch):
    write_idx_files(tmp_path / "given")
    file = tmp_path / "given" / "train-images-idx3-ubyte.gz"
    file.write_bytes(file.read_bytes()[:-100])
    monkeypatch.setenv("GENIMG_DATA", str(tmp_path / "given"))
    with pytest.raises(ValueError, match=r"train-images-idx3-ubyte\.gz is damaged"):
        data.load("fashion-mnist")


def test_labels_beyond_the_classes_are_refused(no_local_copy, tmp_path, monkeypatch):
    write_idx_files(tmp_path / "given", compressed=False)
    labels = np.full(20, 10, np.uint8)
    (tmp_path / "given" / "train-labels-idx1-ubyte").write_bytes(encode(labels))
    monkeypatch.setenv("GENIMG_DATA", str(tmp_path / "given"))
    with pytest.raises(ValueError, match="labels beyond its 10 classes"):
        data.load("fashion-mnist")


@pytest.fixture
def server(tmp_path):
    """A web server on this machine; returns (its folder, its address, the paths asked for)."""
    folder, requests = tmp_path / "served", []
    folder.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            requests.append(self.path.strip("/"))

    handler = functools.partial(Handler, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{running.server_port}/", requests
        running.shutdown()


@pytest.fixture
def mirrored(no_local_copy, server, monkeypatch):
    """MNIST as torchvision would see it, served from this machine; the first mirror is dead."""
    folder, address, requests = server
    arrays = write_idx_files(folder)
    sums = [
        (file.name, hashlib.md5(file.read_bytes()).hexdigest()) for file in sorted(folder.iterdir())
    ]
    mnist = types.SimpleNamespace(mirrors=["http://127.0.0.1:9/", address], resources=sums)
    monkeypatch.setattr(torchvision.datasets, "MNIST", mnist)
    return types.SimpleNamespace(folder=folder, requests=requests, arrays=arrays, mnist=mnist)


def files_asked_for(requests):
    """Return each file once: torchvision first asks where an address leads, then for the file."""
    return list(dict.fromkeys(requests))


def test_download_is_kept_and_used_again(mirrored, no_local_copy):
    assert data.describe("mnist")["images"] is None
    for split in ("train", "test"):
        loaded = data.load("mnist", 28, split)
        assert np.array_equal(loaded.images[:, 0].numpy(), mirrored.arrays[split][0])
        assert loaded.source == "torchvision download"
    assert sorted(files_asked_for(mirrored.requests)) == [
        name for name, _ in mirrored.mnist.resources
    ]
    raw = no_local_copy / "MNIST" / "raw"
    assert sorted(file.name for file in raw.iterdir()) == sorted(files_asked_for(mirrored.requests))
    assert data.describe("mnist")["images"] == {"train": 20, "test": 20}


def test_interrupted_download_goes_on_where_it_stopped(mirrored, no_local_copy):
    missing = mirrored.mnist.resources[2][0]
    content = (mirrored.folder / missing).read_bytes()
    (mirrored.folder / missing).unlink()
    with pytest.raises(OSError, match=r"mnist could not be downloaded \(.*404"):
        data.load("mnist")
    (mirrored.folder / missing).write_bytes(content)
    mirrored.requests.clear()
    data.load("mnist")
    assert files_asked_for(mirrored.requests) == [name for name, _ in mirrored.mnist.resources[2:]]


def test_changed_download_is_refused_and_leaves_nothing(mirrored, no_local_copy):
    for file in mirrored.folder.iterdir():
        file.write_bytes(b"not what its authors published")
    with pytest.raises(OSError, match="try again") as caught:
        data.load("mnist")
    assert "\n" not in str(caught.value)
    assert [path for path in no_local_copy.rglob("*") if path.is_file()] == []


def test_whole_fashion_mnist_is_downloaded_only_when_asked(no_local_copy, mirrored, monkeypatch):
    monkeypatch.setattr(torchvision.datasets, "FashionMNIST", mirrored.mnist)
    assert data.load("fashion-mnist").source == "bundled sample of 12000"
    assert mirrored.requests == []
    assert len(data.load("fashion-mnist", full=True)) == 20
    assert len(data.load("fashion-mnist")) == 20  # now there is a local copy


def fake_class(**attributes):
    calls = []

    def build(**arguments):
        calls.append(arguments)
        return types.SimpleNamespace(**attributes)

    return build, calls


def test_cifar10_comes_through_torchvision(no_local_copy, monkeypatch):
    pixels = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), np.uint8)
    build, calls = fake_class(data=pixels, targets=[3, 0, 9, 1])
    monkeypatch.setattr(torchvision.datasets, "CIFAR10", build)
    loaded = data.load("cifar10", 32, "test")
    assert calls == [{"root": no_local_copy, "download": True, "train": False}]
    assert np.array_equal(loaded.images.permute(0, 2, 3, 1).numpy(), pixels)
    assert loaded.labels.tolist() == [3, 0, 9, 1]
    assert loaded.labels.dtype == torch.int64
    assert (loaded.channels, loaded.size, len(loaded)) == (3, 32, 4)


def test_svhn_is_read_by_torchvision_from_its_own_file(no_local_copy, monkeypatch):
    scipy_io = pytest.importorskip("scipy.io")
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3, 4), np.uint8)
    labels = np.array([[10], [1], [9], [2]], np.uint8)  # the file says 10 for the digit 0
    no_local_copy.mkdir()
    file = no_local_copy / "train_32x32.mat"
    scipy_io.savemat(file, {"X": pixels, "y": labels})
    known = ["http://127.0.0.1:9/", file.name, hashlib.md5(file.read_bytes()).hexdigest()]
    monkeypatch.setitem(torchvision.datasets.SVHN.split_list, "train", known)
    loaded = data.load("svhn", 32)
    assert np.array_equal(loaded.images.permute(2, 3, 1, 0).numpy(), pixels)
    assert loaded.labels.tolist() == [0, 1, 9, 2]


@pytest.mark.parametrize("name", ["cifar10", "svhn"])
@pytest.mark.parametrize("error", [RuntimeError("first\nsecond"), OSError(""), EOFError()])
def test_failed_download_is_one_sentence(no_local_copy, monkeypatch, name, error):
    def build(**arguments):
        raise error

    monkeypatch.setattr(torchvision.datasets, torchvision_sets.TORCHVISION_CLASSES[name], build)
    with pytest.raises(OSError, match=f"{name} could not be downloaded") as caught:
        data.load(name)
    assert "\n" not in str(caught.value)


def test_missing_scipy_is_named(no_local_copy, monkeypatch):
    def build(**arguments):
        raise ImportError("No module named 'scipy'")

    monkeypatch.setattr(torchvision.datasets, "SVHN", build)
    with pytest.raises(ValueError, match="pip install scipy"):
        data.load("svhn")


def test_names_used_of_torchvision_exist():
    for name in torchvision_sets.TORCHVISION_CLASSES.values():
        assert hasattr(torchvision.datasets, name)
    for name in torchvision_sets.IDX_NAMES:
        source = getattr(torchvision.datasets, torchvision_sets.TORCHVISION_CLASSES[name])
        files = sorted(file for file, _ in source.resources)
        assert files == sorted(f"{file}.gz" for pair in idx.FILES.values() for file in pair)
        assert source.mirrors
    batches = torchvision.datasets.CIFAR10.train_list + torchvision.datasets.CIFAR10.test_list
    assert {f"cifar-10-batches-py/{file}" for file, _ in batches} < set(
        torchvision_sets.CACHED_FILES["cifar10"]
    )
