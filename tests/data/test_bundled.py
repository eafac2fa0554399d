import time
from collections import Counter

import numpy as np
import pytest
import torch

from genimg.data import bundled, idx, torchvision_sets


@pytest.mark.parametrize("split", ["train", "test"])
def test_every_class_has_the_same_count(split):
    images, labels = bundled.read_sample(split)
    assert images.shape == (bundled.COUNTS[split], 1, 28, 28)
    assert labels.bincount().tolist() == [bundled.COUNTS[split] // 10] * 10


@pytest.mark.parametrize("split", ["train", "test"])
def test_order_is_mixed_and_repeatable(split):
    images, labels = bundled.read_sample(split)
    again, labels_again = bundled.read_sample(split)
    assert torch.equal(images, again)
    assert torch.equal(labels, labels_again)
    # Sorted by class, neighbours would agree almost always; mixed, one time in ten.
    agreement = (labels[1:] == labels[:-1]).float().mean()
    assert agreement < 0.2
    assert labels[:100].unique().numel() == 10


@pytest.mark.parametrize("split", ["train", "test"])
def test_images_are_the_originals(split, monkeypatch, tmp_path):
    monkeypatch.setenv("GENIMG_CACHE", str(tmp_path))
    folder = torchvision_sets.find_local("fashion-mnist")
    if folder is None:
        pytest.skip("the whole Fashion-MNIST is not on this machine")
    originals = Counter(
        (label, image.tobytes()) for image, label in _pairs(idx.read_split(folder, split))
    )
    sample = Counter(
        (label, image.tobytes()) for image, label in _pairs(bundled.read_sample(split))
    )
    assert sample <= originals


def _pairs(split):
    images, labels = split
    return zip(images.numpy(), labels.tolist(), strict=True)


def test_sheet_is_cut_where_it_was_joined():
    tiles = np.random.default_rng(0).integers(0, 256, (3 * bundled.COLUMNS, 28, 28), np.uint8)
    sheet = bundled.join_sheet(tiles)
    assert np.array_equal(bundled.cut_sheet(sheet), tiles)
    assert np.array_equal(sheet[28:56, 28:56], tiles[bundled.COLUMNS + 1])


def test_sample_is_small_and_quick_to_read():
    sizes = sum(file.stat().st_size for file in bundled.FOLDER.glob("*.webp"))
    assert 0 < sizes < 7 * 2**20
    start = time.process_time()
    bundled.read_sample("train")
    assert time.process_time() - start < 2  # about 0.3 s; slack for a busy machine


def test_license_and_source_lie_beside_the_images():
    text = (bundled.FOLDER / "README.md").read_text()
    assert "Permission is hereby granted, free of charge" in text
    assert "Zalando SE" in text
    assert "github.com/zalandoresearch/fashion-mnist" in text
