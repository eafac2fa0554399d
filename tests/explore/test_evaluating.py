import io
import math

import numpy as np
import pytest
import torch
from PIL import Image

from genimg import checkpoints, data, load
from genimg.data import torchvision_sets
from genimg.explore.evaluating import evaluate_model
from genimg.explore.standing import doubts
from genimg.metrics.attributes import attribute_fidelity
from genimg.metrics.evaluation import evaluate
from genimg.metrics.features import FEATURE_NETS
from genimg.metrics.frechet import frechet_distance
from genimg.metrics.random_features import RandomFeatures
from genimg.models import kind_named
from genimg.models.attribute_classifier import AttributeClassifierConfig
from genimg.models.drawer import DrawerConfig, MaskedDrawerConfig, PixelDrawerConfig
from genimg.models.tokenizer import FsqTokenizerConfig

AUTOENCODER = {"size": 28, "widths": (8, 8, 8), "levels": (4, 3)}


@pytest.fixture(autouse=True)
def bundled_data(monkeypatch, tmp_path):
    monkeypatch.delenv("GENIMG_DATA", raising=False)
    monkeypatch.setattr(torchvision_sets, "DEBIAN_FOLDER", tmp_path / "no-debian-folder")


@pytest.fixture
def write(tmp_path, small_config, alive):
    """Write an untrained checkpoint and return its path."""

    def write_one(name, kind, classes, config=None, *, size=28, dataset="fashion-mnist"):
        torch.manual_seed(0)
        config = config or small_config(kind, size, 1, classes)
        model = alive(kind_named(kind).build(config))
        names = data.describe("fashion-mnist")["classes"]
        card = {"dataset": dataset, "size": size, "classes": names}
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


def test_a_maskgit_is_measured_alike_and_by_its_likelihood_in_any_order(write):
    config = MaskedDrawerConfig(**AUTOENCODER, width=16, layers=1, heads=2)
    name, net = write("masked", "maskgit", 10, config), write("net", "classifier", 10)
    found = evaluate_model(name, count=12, seed=3, feature_net=net)
    assert {"frechet_distance", "class_accuracy"} <= set(found)
    nats = found["test_negative_log_likelihood"]
    test = data.load("fashion-mnist", size=28, split="test")
    expected = load(name).negative_log_likelihood(test.pictures(), test.labels).mean()
    assert nats["value"] == pytest.approx(expected, rel=1e-5)
    assert nats["order"].startswith("any")


def test_a_tokenizer_is_measured_by_what_it_rebuilds(write):
    name = write("tokenizer", "fsq-tokenizer", 0, FsqTokenizerConfig(**AUTOENCODER))
    net = write("net", "classifier", 10)
    found = evaluate_model(name, feature_net=net)
    test = data.load("fashion-mnist", size=28, split="test")
    images = test.images.permute(0, 2, 3, 1).numpy()
    model, judge = load(name), load(net).network
    rebuilt = model.reconstruct(images)
    distance = frechet_distance(judge(rebuilt)[0], judge(images)[0])
    assert found["reconstruction_frechet_distance"]["value"] == pytest.approx(distance, rel=1e-4)
    assert found["reconstruction_frechet_distance"]["feature_net"] == str(net)
    errors = ((rebuilt / 127.5 - 1) - (images / 127.5 - 1)) ** 2
    assert found["mean_squared_error"]["value"] == pytest.approx(errors.mean(), rel=1e-4)
    assert found["codes_used"]["value"] == len(np.unique(model.encode(images)))
    assert found["codes_used"]["vocabulary"] == 12
    assert {entry["images"] for entry in found.values()} == {2000}


def padded(images):
    return np.pad(images, ((0, 0), (2, 2), (2, 2), (0, 0)))


def test_the_pictures_of_a_gan_are_padded_to_the_size_of_the_feature_net(write):
    name, net = write("gan", "mlp-gan", 10), write("net", "classifier", 10, size=32)
    expected = evaluate(
        padded(load(name).sample(24, seed=3)),
        np.arange(24) % 10,
        train=data.load("fashion-mnist", size=32, split="train"),
        test=data.load("fashion-mnist", size=32, split="test"),
        feature_net=load(net).network,
        seed=3,
    )
    assert evaluate_model(name, count=24, seed=3, feature_net=net) == expected


def test_the_likelihood_of_an_image_gpt_is_that_of_its_own_pixels(write):
    config = DrawerConfig(**AUTOENCODER, width=16, layers=1, heads=2)
    name, net = write("gpt", "image-gpt", 10, config), write("net", "classifier", 10, size=32)
    found = evaluate_model(name, count=12, seed=3, feature_net=net)
    test = data.load("fashion-mnist", size=28, split="test")
    nats = load(name).negative_log_likelihood(test.pictures(), test.labels).mean()
    assert found["test_negative_log_likelihood"]["value"] == pytest.approx(nats, rel=1e-5)
    assert found["test_bits_per_dimension"]["dimensions"] == 784


def test_a_gpt_over_pixels_is_measured_beside_what_pixels_take_without_a_model(write):
    config = PixelDrawerConfig(width=8, layers=1, heads=2, attention="recurrent", greys=4)
    pictures = torch.arange(120)[:, None, None, None] % 4 * torch.full((1, 28, 28), 85)
    pictures.flatten(1).diagonal()[:] = 170  # no two are equal
    given = [(picture.byte(), number % 10) for number, picture in enumerate(pictures)]
    train, test = given[:60], given[60:]
    name = write("pixels", "pixel-gpt", 10, config, dataset=data.given_dataset(train).name)
    found = evaluate_model(name, count=6, train=train, test=test)
    bits = found["test_bits_per_dimension"]
    nats = found["test_negative_log_likelihood"]["value"]
    assert bits["value"] == pytest.approx(nats / math.log(2))  # a token is a dimension
    assert (bits["greys"], bits["dimensions"], bits["tokens"]) == (4, 784, 784)
    order_zero, png = (found[f"{way}_bits_per_dimension"] for way in ("order_zero", "png"))
    assert order_zero["value"] == pytest.approx(2, abs=0.01)  # four greys, equally frequent
    assert png["value"] < 0.1  # but each picture is of one
    assert order_zero["greys"] == png["greys"] == 4


def test_a_tokenizer_is_judged_on_padded_pictures_and_measured_on_its_own(write):
    name = write("tokenizer", "fsq-tokenizer", 0, FsqTokenizerConfig(**AUTOENCODER))
    net, small_net = write("net", "classifier", 10, size=32), write("small", "classifier", 10)
    found = evaluate_model(name, feature_net=net)
    images = data.load("fashion-mnist", size=28, split="test").pictures()
    rebuilt, judge = load(name).reconstruct(images), load(net).network
    distance = frechet_distance(judge(padded(rebuilt))[0], judge(padded(images))[0])
    assert found.pop("reconstruction_frechet_distance")["value"] == pytest.approx(
        distance, rel=1e-4
    )
    others = evaluate_model(name, feature_net=small_net)
    assert found == {key: others[key] for key in ("mean_squared_error", "codes_used")}


@pytest.mark.parametrize(
    ("model", "net"),
    [
        ({"size": 64}, {"size": 32}),  # the feature net would see them shrunk
        ({"size": 32}, {"size": 28}),
        ({"size": 32}, {"size": 64}),  # or enlarged
        ({"size": 28}, {"size": 32, "dataset": "kmnist"}),
        # At 28 pixels these are resized already: the feature net never saw such a black edge.
        ({"size": 28, "dataset": "cifar10"}, {"size": 32, "dataset": "cifar10"}),
    ],
)
def test_a_feature_net_that_would_see_other_pictures_is_refused(write, model, net):
    name, judge = write("gan", "mlp-gan", 10, **model), write("net", "classifier", 10, **net)
    with pytest.raises(ValueError, match="choose a feature net"):
        evaluate_model(name, count=24, feature_net=judge)


@pytest.fixture(scope="module")
def portraits():
    return {
        split: data.load("portraits", size=64, split=split, full=False)
        for split in ("train", "test")
    }


@pytest.fixture
def colour(tmp_path, alive, small_config, portraits, monkeypatch):
    """Paths of a GAN and of a network that names attributes, both of portraits, untrained."""
    heads = ("hair: " + ", ".join(portraits["test"].classes), "beard: no, yes", "shirt hue: cyclic")
    net = AttributeClassifierConfig(attributes=heads, widths=(4, 8, 8))
    paths = {}
    for kind, config in (
        ("mlp-gan", small_config("mlp-gan", 64, 3, 6)),
        ("attribute-classifier", net),
    ):
        torch.manual_seed(0)
        paths[kind] = checkpoints.write(
            tmp_path / kind,
            kind=kind,
            model=alive(kind_named(kind).build(config)),
            card={"dataset": "portraits", "size": 64, "classes": list(portraits["test"].classes)},
            preview=b"-",
        )
    return paths


def test_a_gan_of_pictures_with_attributes_has_attribute_fidelity(colour, portraits):
    name, net = colour["mlp-gan"], colour["attribute-classifier"]
    found = evaluate_model(name, count=24, seed=3, feature_net=net)
    assert set(found) == {
        *("frechet_distance", "frechet_distance_floor", "kernel_distance", "class_accuracy"),
        *("attribute_confidence", "attribute_total_variation", "nearest_training_ratio"),
        *("precision", "recall", "density", "coverage"),
    }
    judge = load(net)
    drawn, real = (
        judge.read(load(name).sample(24, seed=3)),
        judge.read(portraits["test"].pictures()),
    )
    fidelity = attribute_fidelity(drawn, real, judge.heads)
    for entry, field in (
        ("attribute_confidence", "confidence"),
        ("attribute_total_variation", "total_variation"),
    ):
        expected = {each: getattr(value, field) for each, value in fidelity.items()}
        assert found[entry]["attributes"] == pytest.approx(expected, rel=1e-5)
        assert found[entry]["value"] == pytest.approx(np.mean(list(expected.values())), rel=1e-5)
        assert found[entry]["feature_net"] == str(net)
    accuracy = (drawn["hair"].values == np.arange(24) % 6).mean()
    assert found["class_accuracy"]["value"] == accuracy


def test_a_network_that_names_attributes_is_measured_by_what_is_known(colour, portraits):
    net = colour["attribute-classifier"]
    found = evaluate_model(net)
    test = portraits["test"]
    told = load(net).attributes_of(test.pictures())
    right = {
        name: float((told[name].argmax(1) == test.attributes[name].data.numpy()).mean())
        for name in ("hair", "beard")
    }
    assert found["attribute_accuracy"]["attributes"] == right
    assert found["attribute_accuracy"]["value"] == pytest.approx(np.mean(list(right.values())))
    assert found["attribute_accuracy"]["images"] == 400
    difference = np.abs(told["shirt hue"] - test.attributes["shirt hue"].data.numpy())
    error = np.minimum(difference, 1 - difference).mean()
    assert found["attribute_error"]["value"] == pytest.approx(error, abs=1e-5)


def test_the_feature_net_of_the_data_set_is_the_default(colour, monkeypatch):
    monkeypatch.setitem(FEATURE_NETS, "portraits", str(colour["attribute-classifier"]))
    entry = evaluate_model(colour["mlp-gan"], count=12)["frechet_distance"]
    assert entry["feature_net"] == str(colour["attribute-classifier"])


def known_as(monkeypatch, dataset):
    """Let the bundled sample go by another name, which no feature net was trained on."""
    load_it = data.load
    monkeypatch.setattr(
        data, "load", lambda name, **asked: load_it({dataset: "fashion-mnist"}[name], **asked)
    )


def test_without_a_feature_net_of_the_data_set_random_features_measure_and_say_so(
    write, monkeypatch
):
    known_as(monkeypatch, "kmnist")
    name = write("gan", "mlp-gan", 10, dataset="kmnist")
    found = evaluate_model(name, count=48, seed=2)
    features = RandomFeatures(1)
    test = data.load("kmnist", size=28, split="test")
    drawn = features(load(name).sample(48, seed=2))
    expected = frechet_distance(drawn, features(test.images))
    assert found["frechet_distance"]["value"] == expected
    assert "class_accuracy" not in found
    in_features = {name for name, entry in found.items() if "feature_net" in entry}
    assert in_features == set(found) - {"nearest_training_ratio"}
    for metric in in_features:
        assert found[metric]["feature_net"] == "random-features"
        assert "compare only with figures in the same features" in found[metric]["note"]
    [said] = [said for said in doubts(found) if "no feature net" in said]
    assert "--feature-net" in said
    card = checkpoints.read(name).card | {"metrics": found, "metrics_command": "evaluate"}
    checkpoints.write_card(name, card)  # the card for people says it, too
    assert "feature net random-features" in (name / "README.md").read_text()
    assert "compare only with figures in the same features" in (name / "README.md").read_text()


def test_a_tokenizer_of_unknown_pictures_is_measured_so_too(write, monkeypatch):
    known_as(monkeypatch, "kmnist")
    config = FsqTokenizerConfig(**AUTOENCODER)
    name = write("tokenizer", "fsq-tokenizer", 0, config, dataset="kmnist")
    entry = evaluate_model(name)["reconstruction_frechet_distance"]
    assert entry["feature_net"] == "random-features"
    assert "compare only" in entry["note"]


def test_a_feature_net_of_the_data_set_needs_no_note(write):
    name, net = write("gan", "mlp-gan", 10), write("net", "classifier", 10)
    found = evaluate_model(name, count=24, feature_net=net)
    assert not any("note" in entry for entry in found.values())


def test_pictures_given_in_python_are_given_again(write, tmp_path):
    train, test = (data.load("fashion-mnist", size=28, split=s) for s in ("train", "test"))
    given = data.given_dataset(train)
    name = write("gan", "mlp-gan", 10, dataset=given.name)
    found = evaluate_model(name, count=24, train=train, test=test)
    assert found["frechet_distance"]["real"] == len(test)
    with pytest.raises(ValueError, match="given in Python and are kept nowhere"):
        evaluate_model(name, count=24)
    with pytest.raises(ValueError, match=f"other pictures .*{given.name}.* same ones again"):
        evaluate_model(name, count=24, train=test, test=test)
    with pytest.raises(ValueError, match="give both"):
        evaluate_model(name, count=24, train=train)
    with pytest.raises(ValueError, match="goes by its name; leave out train and test"):
        evaluate_model(write("other", "mlp-gan", 10), count=24, train=train, test=test)
