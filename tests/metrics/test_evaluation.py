import json

import numpy as np
import pytest
import torch
from torch import nn

from genimg import checkpoints, data
from genimg.data import Dataset
from genimg.metrics import evaluation
from genimg.metrics.evaluation import evaluate
from genimg.metrics.features import FeatureNet
from genimg.metrics.frechet import frechet_distance
from genimg.metrics.kernel import kernel_distance
from genimg.metrics.manifold import density_coverage, precision_recall

CLASSES = ("dark", "bright")
METRICS = {
    "frechet_distance",
    "frechet_distance_floor",
    "kernel_distance",
    "precision",
    "recall",
    "density",
    "coverage",
    "class_accuracy",
    "nearest_training_ratio",
}


class BrightnessNet(nn.Module):
    """Random features beside the mean brightness, from which the head reads the class."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.mixing = nn.Linear(48, 5)
        self.head = nn.Linear(6, 2)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)
        with torch.no_grad():
            self.head.weight[:, 0] = torch.tensor([-1.0, 1.0])

    def features(self, x):
        x = x.flatten(1)
        return torch.cat([x.mean(1, keepdim=True), self.mixing(x).tanh()], 1)


def draw(seed, count):
    """Dark and bright random pictures uint8 (N, 4, 4, 3) with their labels (N,)."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 2, count)
    images = generator.integers(0, 120, (count, 4, 4, 3)) + 130 * labels[:, None, None, None]
    return images.astype(np.uint8), labels


def split(seed, count):
    images, labels = draw(seed, count)
    return Dataset(
        images=torch.from_numpy(images).permute(0, 3, 1, 2),
        labels=torch.from_numpy(labels),
        classes=CLASSES,
        name="brightness",
        source="made here",
    )


@pytest.fixture(scope="module")
def setting():
    return {
        "train": split(1, 300),
        "test": split(2, 80),
        "feature_net": FeatureNet("brightness-net", BrightnessNet()),
        "seed": 5,
    }


@pytest.fixture(scope="module")
def good(setting):
    return evaluate(*draw(3, 60), **setting)


def test_every_metric_carries_value_counts_and_seed(good):
    assert set(good) == METRICS
    assert json.loads(json.dumps(good, allow_nan=False)) == good
    for name, entry in good.items():
        assert isinstance(entry["value"], float)
        assert entry["seed"] == 5
        if name != "nearest_training_ratio":
            assert entry["feature_net"] == "brightness-net"
        if name != "frechet_distance_floor":
            assert entry["generated"] == 60
    assert good["frechet_distance"]["real"] == 80
    assert good["frechet_distance_floor"]["training"] == 60
    assert len(good["frechet_distance_floor"]["draws"]) == 3
    assert good["precision"]["real"] == 60  # as many as were generated
    assert good["kernel_distance"]["subset_size"] == 60
    assert good["nearest_training_ratio"]["training"] == 300
    assert good["nearest_training_ratio"]["held_out"] == 80


def test_no_number_is_called_by_the_name_of_another_feature_net(good):
    assert "fid" not in json.dumps(good).lower()


def test_fresh_draws_of_the_data_look_like_the_floor(good):
    assert good["frechet_distance"]["value"] < 3 * max(good["frechet_distance_floor"]["draws"])
    assert good["class_accuracy"]["value"] == good["class_accuracy"]["real_value"] == 1
    assert good["nearest_training_ratio"]["value"] == pytest.approx(1, abs=0.1)
    assert good["precision"]["value"] > 0.7
    assert good["recall"]["value"] > 0.7
    assert good["coverage"]["value"] > 0.7


def test_values_are_those_of_generated_features_against_the_test_split(setting, monkeypatch):
    # Subsets smaller than the sets, so that the seed matters to the kernel distance.
    monkeypatch.setattr(evaluation, "KERNEL_SUBSET_SIZE", 20)
    images = draw(3, 80)[0] // 2 + 40
    net = setting["feature_net"]
    fake, real = net(images)[0], net(setting["test"].images)[0]
    found = {name: entry["value"] for name, entry in evaluate(images, None, **setting).items()}
    assert found["frechet_distance"] == frechet_distance(fake, real)
    assert found["kernel_distance"] == kernel_distance(fake, real, subset_size=20, seed=5)[0]
    assert (found["precision"], found["recall"]) == precision_recall(real, fake)
    assert (found["density"], found["coverage"]) == density_coverage(real, fake)


def test_noise_is_told_from_the_data(setting, good):
    images = np.random.default_rng(0).integers(0, 256, (60, 4, 4, 3), dtype=np.uint8)
    noise = evaluate(images, None, **setting)
    assert set(noise) == METRICS - {"class_accuracy"}
    assert noise["frechet_distance"]["value"] > 5 * good["frechet_distance"]["value"]
    assert noise["kernel_distance"]["value"] > 5 * abs(good["kernel_distance"]["value"])
    assert noise["nearest_training_ratio"]["value"] > 1.1


def test_a_generator_of_copies_is_caught(setting):
    copies = setting["train"].images[:50].permute(0, 2, 3, 1).numpy()
    entry = evaluate(copies, None, **setting)["nearest_training_ratio"]
    assert entry["value"] == 0
    assert entry["share_closer"] == 1


def test_wrong_classes_show_only_in_the_class_accuracy(setting, good):
    images, labels = draw(3, 60)
    swapped = evaluate(images, 1 - labels, **setting)
    assert swapped.pop("class_accuracy")["value"] == 0
    assert swapped == {name: good[name] for name in swapped}


def test_same_seed_gives_the_same_numbers(setting, good):
    assert evaluate(*draw(3, 60), **setting) == good
    other = evaluate(*draw(3, 60), **(setting | {"seed": 6}))
    assert other["frechet_distance"]["value"] == good["frechet_distance"]["value"]
    assert other["frechet_distance_floor"]["draws"] != good["frechet_distance_floor"]["draws"]


def test_floor_draws_whole_sets_even_from_few_training_images(setting):
    few = setting | {"train": split(4, 25)}
    entry = evaluate(*draw(3, 60), **few, floor_draws=4)["frechet_distance_floor"]
    assert entry["training"] == 25
    # Each draw holds all 25 images, whatever their order.
    np.testing.assert_allclose(entry["draws"], entry["draws"][0], rtol=1e-4)


@pytest.mark.parametrize(
    ("images", "labels", "options", "sentence"),
    [
        (draw(3, 5)[0], None, {}, "at least 6 generated"),
        (draw(3, 20)[0][:, :3], None, {}, "generated images are \\(3, 4, 3\\)"),
        (draw(3, 20)[0][..., :1], None, {}, "generated images are \\(4, 4, 1\\)"),
        (draw(3, 20)[0].astype(float), None, {}, "uint8"),
        (draw(3, 20)[0], np.zeros(19, int), {}, "20 of them"),
        (draw(3, 20)[0], np.zeros(20), {}, "whole number"),
        (draw(3, 20)[0], np.full(20, 2), {}, "from 0 to 1"),
        (draw(3, 20)[0], np.full(20, -1), {}, "from 0 to 1"),
        (draw(3, 20)[0], None, {"floor_draws": 0}, "floor_draws"),
    ],
)
def test_bad_input_is_refused(setting, images, labels, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        evaluate(images, labels, **(setting | options))


@pytest.fixture(scope="module")
def portraits():
    """The judge that ships, and 200 pictures of each split."""
    checkpoint = checkpoints.read("portraits-features")
    net = FeatureNet(checkpoint.name, checkpoint.model, checkpoint.config.heads())
    splits = {
        split: data.load("portraits", size=64, split=split, full=False).subset(slice(200))
        for split in ("train", "test")
    }
    return {**splits, "feature_net": net, "seed": 0, "floor_draws": 1}


@pytest.fixture(scope="module")
def ranked(portraits):
    """Values of pictures from good to bad: real, half of them smears, all smears; and blurred."""
    real = data.load("portraits", size=64, split="test", full=False).subset(slice(200, 400))
    generator = np.random.default_rng(0)
    mean = portraits["train"].pictures().mean(axis=0)
    smear = mean + 10 * generator.normal(size=(200, 64, 64, 3))
    smear = smear.round().clip(0, 255).astype(np.uint8)
    half = np.where(np.arange(200)[:, None, None, None] % 2, real.pictures(), smear)
    squares = real.images.float().unflatten(2, (16, 4)).unflatten(4, (16, 4))
    blocks = squares.mean((3, 5)).round().byte()  # 16 x 16 pixels, each drawn as 4 x 4
    blurred = blocks.repeat_interleave(4, dim=2).repeat_interleave(4, dim=3)
    sets = {
        "real": real.pictures(),
        "half": half,
        "smear": smear,
        "blurred": blurred.permute(0, 2, 3, 1).numpy(),
    }
    labels = real.labels.numpy()
    return {name: evaluate(images, labels, **portraits) for name, images in sets.items()}


@pytest.mark.parametrize(
    ("metric", "better"),
    [
        ("frechet_distance", "lower"),
        ("attribute_total_variation", "lower"),
        ("attribute_confidence", "higher"),
        ("class_accuracy", "higher"),
        ("precision", "higher"),
        ("coverage", "higher"),
    ],
)
def test_in_colour_a_smear_ranks_below_half_a_smear_and_that_below_real(ranked, metric, better):
    # Not recall: smears among real pictures widen the balls that the others are found in.
    values = [ranked[name][metric]["value"] for name in ("real", "half", "smear")]
    assert values == sorted(values, reverse=better == "higher")
    assert len(set(values)) == 3
    blurred = ranked["blurred"][metric]["value"]
    assert blurred < values[0] if better == "higher" else blurred > values[0]


def test_a_smear_and_blurred_pictures_are_neither_precise_nor_cover_anything(ranked):
    for name in ("smear", "blurred"):
        for metric in ("precision", "recall", "coverage"):
            assert ranked[name][metric]["value"] < 0.05, (name, metric)
    for metric in ("precision", "recall", "coverage"):
        assert ranked["real"][metric]["value"] > 0.85
        assert ranked["real"][metric]["features"] == "texture"


def test_real_pictures_have_the_fidelity_of_real_ones(ranked, portraits):
    confidence = ranked["real"]["attribute_confidence"]
    variation = ranked["real"]["attribute_total_variation"]
    names = [head.name for head in portraits["feature_net"].heads]
    assert list(confidence["attributes"]) == list(variation["attributes"]) == names
    assert confidence["lowest"] == pytest.approx(1, abs=0.02)
    assert variation["value"] < 2 * variation["floor"]
    assert variation["largest"] == max(variation["attributes"].values())
    assert json.loads(json.dumps(ranked, allow_nan=False)) == ranked
