from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from genimg import checkpoints, data
from genimg.checkpoints import CheckpointError
from genimg.data import Dataset
from genimg.training import quality
from genimg.training.building import build_task
from genimg.training.loop import Trainer
from genimg.training.quality import COSTS_BETWEEN, DRAWN, REAL, QualityGauge, find_judge

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def fashion() -> Dataset:
    whole = data.load("fashion-mnist", full=False)
    return replace(whole, images=whole.images[:2000], labels=whole.labels[:2000])


class FirstPixels(nn.Module):
    """A feature net of no cost: features are some pixels, the class is the brightest of ten."""

    def __init__(self) -> None:
        super().__init__()
        self.config = checkpoints.read("fashion-features").config
        self.scale = nn.Parameter(torch.ones(()))

    def features(self, images):
        return self.scale * images[:, 0, 12:16, 12:20].flatten(1)  # (B, 32)

    def head(self, features):
        return features[:, :10]


@pytest.fixture
def cheap(monkeypatch):
    """Measure with `FirstPixels` whenever a step is made."""
    monkeypatch.setattr(quality, "LEAST_SECONDS", 0.0)
    monkeypatch.setattr(quality, "COSTS_BETWEEN", 0)
    net = quality.FeatureNet("cheap", FirstPixels())
    monkeypatch.setattr(quality, "find_judge", lambda dataset, device: net)


def gauge(small_spec, dataset, preset="fashion-style", **changes) -> QualityGauge:
    return QualityGauge(build_task(small_spec(preset, **changes), CPU, "fp32"), dataset, 0)


def test_the_judge_knows_these_very_pictures(fashion):
    judge = find_judge(fashion, CPU)
    _, logits = judge(fashion.images[:100])
    assert (logits.argmax(1) == fashion.labels[:100].numpy()).mean() > 0.85
    assert find_judge(data.load("fashion-mnist", size=28, full=False), CPU)  # padded to 32
    assert find_judge(replace(fashion, name="mnist"), CPU) is None
    assert find_judge(replace(fashion, name="folder:fashion-mnist"), CPU) is None
    assert find_judge(replace(fashion, classes=fashion.classes[:9]), CPU) is None
    assert find_judge(replace(fashion, images=fashion.images[..., :16, :16]), CPU) is None
    assert find_judge(replace(fashion, images=fashion.images.expand(-1, 3, -1, -1)), CPU) is None


def test_an_installation_without_the_judge_does_without(fashion, monkeypatch):
    def missing(name):
        raise CheckpointError("nothing there")

    monkeypatch.setattr(checkpoints, "read", missing)
    assert find_judge(fashion, CPU) is None


def test_real_pictures_are_as_good_as_real_and_noise_is_not(fashion, small_spec, cheap):
    meter = gauge(small_spec, fashion)
    assert meter.is_due()

    def real(labels, seed):
        """Pictures of the classes asked for, none of those compared with."""
        rows = {
            n: iter((fashion.labels == n).nonzero().flatten().tolist()[::-1]) for n in range(10)
        }
        return fashion.pictures()[[next(rows[int(label)]) for label in labels]]

    drawn = {
        "real": real,
        "noise": lambda labels, seed: np.random.default_rng(0).integers(
            0, 256, (len(labels), 32, 32, 1), np.uint8
        ),
    }
    values = {}
    for name, draw in drawn.items():
        meter.task.draw = draw
        values[name] = meter.measure()
    floor = values["real"]["frechet_distance_500_floor"]
    assert values["noise"]["frechet_distance_500_floor"] == floor > 0
    assert values["real"]["frechet_distance_500"] < 2 * floor
    assert values["noise"]["frechet_distance_500"] > 10 * floor
    assert set(values["real"]) == set(values["noise"])


def test_class_accuracy_is_the_share_of_pictures_of_the_class_asked_for(fashion, small_spec, cheap):
    meter = gauge(small_spec, fashion)
    net = FirstPixels()

    def draw(labels, seed):
        """Right but for the first hundred."""
        images = np.zeros((len(labels), 32, 32, 1), np.uint8)
        wanted = (labels.numpy() + (np.arange(len(labels)) < 100)) % 10
        images[np.arange(len(labels)), 12 + wanted // 8, 12 + wanted % 8] = 255
        return images

    meter.task.draw = draw
    assert net.config.size == 32
    assert meter.is_due()
    assert meter.measure()["class_accuracy_500"] == pytest.approx(1 - 100 / DRAWN)


def test_a_model_without_classes_has_no_class_accuracy(fashion, small_spec, cheap):
    meter = gauge(small_spec, fashion, "fashion-mlp")
    assert meter.is_due()
    judged = {"frechet_distance_500", "frechet_distance_500_floor"}
    assert set(meter.measure()) == judged | {"random_distance", "copied_share"}


def test_own_pictures_have_the_yardstick_alone(fashion, small_spec, monkeypatch):
    own = replace(fashion, name="folder:mine")
    values = gauge(small_spec, own).measure()
    assert set(values) == {"random_distance", "class_difference", "copied_share"}
    assert values["random_distance"] > 1  # it is untrained


def test_the_yardstick_compares_with_the_pictures_of_the_run(fashion, small_spec):
    meter = gauge(small_spec, replace(fashion, name="folder:mine"))
    meter.task.draw = lambda labels, seed: fashion.pictures()[: len(labels)]
    meter.task.labels_in_turn = lambda count: fashion.labels[:count]
    values = meter.measure()
    assert values["random_distance"] == pytest.approx(0, abs=0.05)
    assert values["class_difference"] == pytest.approx(1, abs=0.15)
    assert values["copied_share"] > 0.5  # they are training pictures


def test_too_few_pictures_are_not_judged_and_no_drawings_are_not_measured(
    fashion, small_spec, cheap
):
    count = REAL + DRAWN - 1
    few = replace(fashion, images=fashion.images[:count], labels=fashion.labels[:count])
    assert set(gauge(small_spec, few).measure()) == {
        "random_distance",
        "class_difference",
        "copied_share",
    }
    assert not gauge(small_spec, fashion, "fashion-features").is_due()
    assert not gauge(small_spec, fashion, "fashion-tokenizer").is_due()


def test_it_waits_and_takes_less_than_a_fiftieth_of_the_time(
    fashion, small_spec, cheap, monkeypatch
):
    now = [0.0]
    monkeypatch.setattr(quality, "LEAST_SECONDS", 30.0)
    monkeypatch.setattr(quality, "COSTS_BETWEEN", COSTS_BETWEEN)
    monkeypatch.setattr(quality.time, "monotonic", lambda: now[0])
    meter = gauge(small_spec, fashion)
    dues, spent = [], 0.0
    draw = meter.task.draw

    def slow(labels, seed):
        now[0] += 4.0
        return draw(labels, seed)

    meter.task.draw = slow
    while now[0] < 5000:
        now[0] += 1
        if meter.is_due():
            dues.append(now[0])
            before = now[0]
            meter.measure()
            spent += now[0] - before
    assert dues[0] == 30
    assert np.diff(dues).min() >= 240
    assert spent / now[0] < 0.02


def test_a_run_that_is_measured_ends_like_one_that_is_not(make_run, fashion, result, cheap):
    calm, watched = (make_run(name, images=80) for name in ("calm", "watched"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(QualityGauge, "is_due", lambda gauge: False)
        assert Trainer(calm, calm.new_attempt(), fashion).run() == "succeeded"
    assert Trainer(watched, watched.new_attempt(), fashion).run() == "succeeded"
    rows = watched.read_metrics()
    assert sum("frechet_distance_500" in row for row in rows) == 10  # after every step
    expected, seen = result(calm), result(watched)
    names = {"frechet_distance_500", "frechet_distance_500_floor", "class_accuracy_500"}
    names |= {"random_distance", "class_difference", "copied_share"}
    seen["log"] = [
        {k: v for k, v in row.items() if k not in names}
        for row in seen["log"]
        if row["images_seen"] in {line["images_seen"] for line in expected["log"]}
    ]
    assert seen == expected


def test_measuring_again_gives_the_same_and_takes_no_random_numbers(fashion, small_spec, cheap):
    meter = gauge(small_spec, fashion)
    state = torch.get_rng_state()
    assert meter.is_due()
    first = meter.measure()
    assert torch.equal(torch.get_rng_state(), state)
    other = gauge(small_spec, fashion)
    assert other.is_due()
    assert other.measure() == first == meter.measure()


def test_real_pictures_have_the_diversity_of_real_ones_and_copies_none(fashion, small_spec):
    for preset in ("fashion-style", "fashion-mlp"):  # with and without classes
        meter = gauge(small_spec, fashion, preset)
        labels = meter.task.labels_in_turn(200)
        rows = [int((fashion.labels == label).nonzero()[n // 10]) for n, label in enumerate(labels)]
        rows = rows if preset == "fashion-style" else range(1000, 1200)
        real = fashion.pictures()[list(rows)]
        assert meter.diversity(real)["diversity"] == pytest.approx(1, abs=0.15)
        assert meter.diversity(np.repeat(real[:1], 40, axis=0)) == {"diversity": 0}


def test_what_draws_nothing_new_has_no_diversity(fashion, small_spec):
    meter = gauge(small_spec, fashion, "fashion-tokenizer")
    assert meter.diversity(fashion.pictures()[:40]) == {}


def test_a_class_for_each_picture_leaves_nothing_to_compare(fashion, small_spec):
    meter = gauge(small_spec, fashion, classes=100)
    assert meter.diversity(fashion.pictures()[:40]) == {}


@pytest.mark.parametrize(("name", "label"), [("portraits", "hair"), ("critters", "body")])
def test_pictures_with_attributes_are_judged_by_the_network_that_names_them(name, label):
    pictures = data.load(name, size=64, full=False).subset(slice(60))
    judge = find_judge(pictures, CPU)
    assert judge.name == f"{name}-features"
    logits = judge.class_logits(judge(pictures.images)[1], pictures.classes)
    assert (logits.argmax(1) == pictures.attributes[label].data.numpy()).mean() > 0.95
    assert find_judge(data.load(name, size=32, split="test", full=False), CPU) is None


def test_attribute_fidelity_is_measured_while_training(small_spec, monkeypatch):
    pictures = data.load("portraits", size=64, full=False)
    spec = small_spec("fashion-mlp", size=64, channels=3, classes=6)
    meter = QualityGauge(build_task(spec, CPU, "fp32"), pictures, 0)
    monkeypatch.setattr(quality, "LEAST_SECONDS", 0.0)
    assert meter.is_due()
    rows = {n: iter((pictures.labels == n).nonzero().flatten().tolist()) for n in range(6)}
    meter.task.draw = lambda labels, seed: pictures.pictures()[[next(rows[int(n)]) for n in labels]]
    real = meter.measure()
    assert real["attribute_confidence_500"] == pytest.approx(1, abs=0.01)
    assert real["attribute_total_variation_500"] < 0.07
    assert real["class_accuracy_500"] > 0.97
    one = pictures.pictures()[:1]
    meter.task.draw = lambda labels, seed: np.repeat(one, len(labels), axis=0)
    copies = meter.measure()
    assert copies["attribute_total_variation_500"] > 0.5
    assert copies["frechet_distance_500"] > 10 * real["frechet_distance_500"]
