import io
import math

import numpy as np
import pytest
import torch
from PIL import Image

from genimg import checkpoints, data, load
from genimg.data import torchvision_sets
from genimg.explore.evaluating import evaluate_model
from genimg.metrics.evaluation import evaluate
from genimg.metrics.frechet import frechet_distance
from genimg.models import kind_named
from genimg.models.drawer import DrawerConfig
from genimg.models.tokenizer import FsqTokenizerConfig

AUTOENCODER = {"size": 28, "widths": (8, 8, 8), "levels": (4, 3)}


@pytest.fixture(autouse=True)
def bundled_data(monkeypatch, tmp_path):
    monkeypatch.delenv("GENIMG_DATA", raising=False)
    monkeypatch.setattr(torchvision_sets, "DEBIAN_FOLDER", tmp_path / "no-debian-folder")


@pytest.fixture
def write(tmp_path, small_config, alive):
    """Write an untrained checkpoint and return its path."""

    def write_one(name, kind, classes, config=None):
        torch.manual_seed(0)
        config = config or small_config(kind, 28, 1, classes)
        model = alive(kind_named(kind).build(config))
        names = data.describe("fashion-mnist")["classes"]
        card = {"dataset": "fashion-mnist", "size": 28, "classes": names}
        buffer = io.BytesIO()
        Image.new("L", (8, 8)).save(buffer, "png")
        return checkpoints.write(
            tmp_path / name, kind=kind, model=model, card=card, preview=buffer.getvalue()
        )

    return write_one


@pytest.mark.parametrize("classes", [0, 10])
def test_a_gan_is_measured_on_samples_of_all_classes_in_turn(write, classes):
    name, net = write("gan", "mlp-gan", classes), write("net", "classifier", 10)
    found = evaluate_model(name, count=24, seed=3, feature_net=net)
    expected = evaluate(
        load(name).sample(24, seed=3),
        np.arange(24) % 10 if classes else None,
        train=data.load("fashion-mnist", size=28, split="train"),
        test=data.load("fashion-mnist", size=28, split="test"),
        feature_net=load(net).network,
        seed=3,
    )
    assert found == expected
    assert ("class_accuracy" in found) == bool(classes)


def test_a_classifier_is_measured_on_the_whole_test_split(write):
    name = write("net", "classifier", 10)
    entry = evaluate_model(name)["test_accuracy"]
    test = data.load("fashion-mnist", size=28, split="test")
    right = 0
    for start in range(0, len(test), 100):  # another batch size than the library's
        part = test.images[start : start + 100].permute(0, 2, 3, 1).numpy()
        answers = load(name).classify(part).argmax(axis=1)
        right += int((answers == test.labels[start : start + 100].numpy()).sum())
    assert entry["value"] == right / len(test)
    assert entry["images"] == len(test) == 2000


def test_an_image_gpt_is_measured_as_a_gan_and_by_its_likelihood(write):
    config = DrawerConfig(**AUTOENCODER, width=16, layers=1, heads=2)
    name, net = write("gpt", "image-gpt", 10, config), write("net", "classifier", 10)
    found = evaluate_model(name, count=12, seed=3, feature_net=net)
    nats = found.pop("test_negative_log_likelihood")
    bits = found.pop("test_bits_per_dimension")
    test = data.load("fashion-mnist", size=28, split="test")
    model = load(name)
    assert found == evaluate(
        model.sample(12, seed=3),
        np.arange(12) % 10,
        train=data.load("fashion-mnist", size=28, split="train"),
        test=test,
        feature_net=load(net).network,
        seed=3,
    )
    images = test.images.permute(0, 2, 3, 1).numpy()
    expected = model.negative_log_likelihood(images, test.labels.numpy()).mean()
    assert nats["value"] == pytest.approx(expected, rel=1e-5)
    assert nats["images"] == bits["images"] == 2000
    # All the nats of a picture, shared out over its pixels.
    assert bits["value"] * 784 * math.log(2) == pytest.approx(nats["value"] * 49)


def test_a_tokenizer_is_measured_by_what_it_rebuilds(write):
    name = write("tokenizer", "fsq-tokenizer", 0, FsqTokenizerConfig(**AUTOENCODER))
    net = write("net", "classifier", 10)
    found = evaluate_model(name, feature_net=net)
    test = data.load("fashion-mnist", size=28, split="test")
    images = test.images.permute(0, 2, 3, 1).numpy()
    model, judge = load(name), load(net).network
    rebuilt = model.reconstruct(images)
    distance = frechet_distance(judge(rebuilt)[0], judge(images)[0])
    assert found["reconstruction_frechet_distance"]["value"] == pytest.approx(distance)
    assert found["reconstruction_frechet_distance"]["feature_net"] == str(net)
    errors = ((rebuilt / 127.5 - 1) - (images / 127.5 - 1)) ** 2
    assert found["mean_squared_error"]["value"] == pytest.approx(errors.mean(), rel=1e-4)
    assert found["codes_used"]["value"] == len(np.unique(model.encode(images)))
    assert found["codes_used"]["vocabulary"] == 12
    assert {entry["images"] for entry in found.values()} == {2000}
