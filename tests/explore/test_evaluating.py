import io

import numpy as np
import pytest
import torch
from PIL import Image

from genimg import checkpoints, data, load
from genimg.data import torchvision_sets
from genimg.explore.evaluating import evaluate_model
from genimg.metrics.evaluation import evaluate
from genimg.models import kind_named


@pytest.fixture(autouse=True)
def bundled_data(monkeypatch, tmp_path):
    monkeypatch.delenv("GENIMG_DATA", raising=False)
    monkeypatch.setattr(torchvision_sets, "DEBIAN_FOLDER", tmp_path / "no-debian-folder")


@pytest.fixture
def write(tmp_path, small_config, alive):
    """Write an untrained checkpoint and return its path."""

    def write_one(name, kind, classes):
        torch.manual_seed(0)
        model = alive(kind_named(kind).build(small_config(kind, 28, 1, classes)))
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
