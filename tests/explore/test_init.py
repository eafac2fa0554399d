import typing

import numpy as np
import pytest
import torch

import genimg
from genimg import checkpoints
from genimg.explore.classifier import ClassifierModel
from genimg.explore.drawing import DrawerModel
from genimg.explore.gan import GanModel
from genimg.explore.tokenizing import TokenizerModel
from genimg.explore.vision import VisionTransformerModel
from genimg.models import KINDS


@pytest.fixture
def write(small_config, alive, tmp_path):
    """Return a function that writes a small checkpoint of a kind and returns its path."""

    def write(kind):
        torch.manual_seed(0)
        model = alive(KINDS[kind].build(small_config(kind, 32, 1, 3)))
        card = {"classes": ["Shirt", "Sneaker", "Bag"]}
        return checkpoints.write(tmp_path / kind, kind=kind, model=model, card=card, preview=b"")

    return write


def test_a_type_checker_knows_what_each_shipped_name_gives():
    told = {}
    for overload in typing.get_overloads(genimg.load):
        hints = typing.get_type_hints(overload)
        told |= dict.fromkeys(typing.get_args(hints["name"]), hints["return"])
    known = {name: kind for name, kind in told.items() if isinstance(name, str)}
    assert sorted(known) == checkpoints.names()
    for name, kind in known.items():
        assert type(genimg.load(name)) is kind


@pytest.mark.parametrize("kind", ["mlp-gan", "dcgan", "stylegan"])
def test_a_gan_on_disk_samples_as_it_did_in_memory(write, kind):
    path = write(kind)
    first, second = genimg.load(path), genimg.load(str(path))
    assert isinstance(first, GanModel)
    assert first.info == {"classes": ["Shirt", "Sneaker", "Bag"]}
    pictures = first.sample(4, seed=1, label="Bag")
    assert pictures.std(axis=0).max() > 0
    assert np.array_equal(second.sample(4, seed=1, label="bag"), pictures)


def test_a_classifier_classifies(write):
    model = genimg.load(write("classifier"))
    assert isinstance(model, ClassifierModel)
    assert model.classify(np.zeros((2, 32, 32, 1), np.uint8)).shape == (2, 3)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("image-gpt", DrawerModel),
        ("vision-transformer", VisionTransformerModel),
        ("fsq-tokenizer", TokenizerModel),
    ],
)
def test_transformers_and_tokenizers(make_tiny, tmp_path, kind, expected):
    made = make_tiny(kind)
    checkpoints.write(tmp_path, kind=kind, model=made.model, card=made.card, preview=b"")
    model = genimg.load(tmp_path)
    assert type(model) is expected
    assert model.config == made.config


def test_a_classifier_without_attention_stays_one(write):
    assert type(genimg.load(write("classifier"))) is ClassifierModel


@pytest.mark.parametrize("name", ["no-such-model", "../..", "a\0b", "x" * 5000])
def test_an_unknown_name_is_one_sentence(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # so that nobody's files lie two folders up
    with pytest.raises(checkpoints.CheckpointError, match="there is no checkpoint"):
        genimg.load(name)
