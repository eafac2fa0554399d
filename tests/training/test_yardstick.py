"""The yardstick on real pictures, on the same spoiled as GANs spoil them, and on trained GANs."""

import numpy as np
import pytest
import torch

import genimg
from genimg import data
from genimg.training import yardstick
from genimg.training.yardstick import COMPARED, LEAST_COMPARED, Yardstick

ORDER = torch.Generator().manual_seed(0)


@pytest.fixture(scope="module")
def fashion():
    return data.load("fashion-mnist", full=False)


@pytest.fixture(scope="module")
def order(fashion):
    return torch.randperm(len(fashion), generator=ORDER)


@pytest.fixture(scope="module", params=[0, 1, 2])
def stick(fashion, order, request):
    """A yardstick of each of three seeds: what is asked of it must not be one seed's luck."""
    half = order[:6000]  # the other half is unseen
    return Yardstick(
        fashion.images[half], fashion.labels[half], torch.arange(6000), seed=request.param
    )


@pytest.fixture(scope="module")
def unseen(fashion, order):
    rows = order[-COMPARED:]
    return fashion.pictures()[rows.numpy()], fashion.labels[rows].numpy()


def drawn(model):
    labels = np.arange(COMPARED) % 10
    pictures = np.stack([model.sample(COMPARED // 10, seed=k, label=k) for k in range(10)], 1)
    return pictures.reshape(COMPARED, *pictures.shape[2:]), labels


def test_it_ranks_what_went_wrong_before_what_went_well(stick, unseen):
    real, labels = unseen
    first = {label: real[labels == label][0] for label in range(10)}
    noise = np.random.default_rng(0).normal(0, 16, real.shape)
    smear = (real.mean(0) + noise).clip(0, 255).astype(np.uint8)
    means = np.stack([real[labels == label].mean(0) for label in labels])
    sets = {
        "smear": (smear, labels),
        "collapsed": (np.stack([first[label] for label in labels]), labels),
        "blurred": ((0.5 * real + 0.5 * means).astype(np.uint8), labels),
        "early": drawn(genimg.load("fashion-small").at(15_040)),
        "late": drawn(genimg.load("fashion-style")),
        "real": (real, labels),
    }
    found = {name: stick.compare(*given) for name, given in sets.items()}
    distances = {name: values["random_distance"] for name, values in found.items()}
    assert list(distances) == sorted(distances, key=distances.__getitem__, reverse=True)
    assert distances["smear"] > 1.5
    assert distances["collapsed"] == pytest.approx(1, abs=0.3)  # what 1 means
    assert distances["real"] == pytest.approx(0, abs=0.03)  # what 0 means
    classes = {name: values["class_difference"] for name, values in found.items()}
    assert classes["smear"] < 0.1
    assert classes["real"] == pytest.approx(1, abs=0.15)
    assert {values["copied_share"] for values in found.values()} == {0.0}


def test_copies_of_training_pictures_are_found(fashion):
    stick = Yardstick(fashion.images[:300], fashion.labels[:300], torch.arange(300))
    labels = fashion.labels[:COMPARED].numpy()
    random = np.random.default_rng(0)
    training = fashion.pictures()[random.integers(0, 300, COMPARED)]
    touched = (training * 0.95 + random.normal(0, 4, training.shape)).clip(0, 255)
    copied = stick.compare(touched.astype(np.uint8), labels)["copied_share"]
    assert copied > 0.5
    unseen = fashion.pictures()[300 : 300 + COMPARED]
    assert stick.compare(unseen, labels)["copied_share"] < 0.03


def test_a_data_set_with_everything_twice_is_measured_like_the_same_once(fashion):
    """Equal pictures, or nearly equal ones, come from the folder, not from the model."""
    images, labels = fashion.images[:300], fashion.labels[:300]
    twice, both = torch.cat([images, images]), torch.cat([labels, labels])
    stick = Yardstick(twice, both, torch.arange(600))
    copies = stick.compare(fashion.pictures()[:COMPARED], labels[:COMPARED].numpy())
    assert copies["copied_share"] > 0.5
    pairs = torch.cat([images, images // 2 * 2])  # as near to each other as can be
    stick = Yardstick(pairs, both, torch.arange(600))
    honest = stick.compare(fashion.pictures()[600 : 600 + COMPARED], labels[:COMPARED].numpy())
    assert honest["copied_share"] == 0


@pytest.mark.parametrize("count", [1, 2, 3, 5, 3 * LEAST_COMPARED - 1])
def test_of_few_pictures_it_tells_what_it_can(fashion, count):
    images, labels = fashion.images[:count], fashion.labels[:count]
    stick = Yardstick(images, labels, torch.arange(count))
    values = stick.compare(fashion.pictures()[500:700], fashion.labels[500:700].numpy())
    assert "random_distance" not in values
    assert ("copied_share" in values) == (count > 2)
    assert all(np.isfinite(value) for value in values.values())


def test_equal_pictures_have_no_scale(fashion):
    same = fashion.images[:1].expand(200, -1, -1, -1)
    stick = Yardstick(same, torch.zeros(200, dtype=torch.int64), torch.arange(200))
    assert stick.compare(fashion.pictures()[:COMPARED], np.zeros(COMPARED, int)) == {}


def test_classes_that_do_not_differ_are_not_compared(fashion):
    random = torch.Generator().manual_seed(0)
    labels = torch.randint(0, 4, (900,), generator=random)
    stick = Yardstick(fashion.images[:900], labels, torch.arange(900))
    values = stick.compare(fashion.pictures()[900:1100], labels[:COMPARED].numpy())
    assert "class_difference" not in values
    assert values["random_distance"] == pytest.approx(0, abs=0.05)


def test_colour_and_other_sizes(fashion):
    images = fashion.images[:600].expand(-1, 3, -1, -1).clone()
    images[:, 1] = images[:, 1] // 2
    large = images.repeat_interleave(2, 2).repeat_interleave(2, 3)
    labels = fashion.labels[:600]
    stick = Yardstick(large[:400], labels[:400], torch.arange(400))
    real = large[400:].permute(0, 2, 3, 1).numpy()
    good = stick.compare(real, labels[400:].numpy())["random_distance"]
    grey = np.repeat(real.mean(3, keepdims=True).astype(np.uint8), 3, axis=3)
    assert good == pytest.approx(0, abs=0.1)
    assert stick.compare(grey, labels[400:].numpy())["random_distance"] > good + 0.05


def test_thumbnails_keep_their_number_over_several_parts():
    images = torch.arange(2500, dtype=torch.int64).remainder(256).to(torch.uint8)
    small = yardstick._thumbnails(images[:, None, None, None].expand(-1, 1, 20, 20))
    assert small.shape == (2500, 1, 16, 16)
    assert torch.equal(small[:, 0, 0, 0], images)
    assert len(yardstick._distinct(small)) == 256
