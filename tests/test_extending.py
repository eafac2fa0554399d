import dataclasses
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

import genimg
from genimg import data
from genimg.configuration import Configuration, setting
from genimg.jobs.limits import Visitor
from genimg.jobs.manager import JobManager
from genimg.models import KINDS
from genimg.models.blueprint import blueprint
from genimg.models.gan import Gan
from genimg.training.presets import PRESETS, make_spec
from genimg.training.running import train_run

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def example(own_tables, monkeypatch):
    """The two modules of the example, of which nothing is registered."""
    monkeypatch.syspath_prepend(str(ROOT / "examples" / "plugin"))
    from genimg_stripes import small_gan, stripes

    yield small_gan.SMALL_GAN, stripes.STRIPES
    for name in [name for name in sys.modules if name.startswith("genimg_stripes")]:
        del sys.modules[name]


@pytest.fixture
def registered(example):
    kind, source = example
    genimg.register_model(kind)
    genimg.register_dataset(source)
    return example


def test_what_is_registered_trains_resumes_and_loads_in_this_process(registered, tmp_path):
    assert "stripes" in data.names()
    settings = {"images": 512, "device": "cpu", "threads": 1, "width": 8}
    run = genimg.train(preset="stripes-small", out=tmp_path / "run", **settings)

    asked = iter([False] * 2 + [True] * 9)
    genimg.train("stripes-small", tmp_path / "again", should_stop=lambda: next(asked), **settings)
    genimg.train("stripes-small", tmp_path / "again", **settings)
    drawn = genimg.load(run).sample(4, seed=1)
    assert drawn.shape == (4, 28, 28, 1)
    np.testing.assert_array_equal(genimg.load(tmp_path / "again").sample(4, seed=1), drawn)
    assert genimg.load(run).info["dataset_source"] == "a plug-in"
    assert genimg.load(run).directions(count=3).shape == (3, 16)


def test_other_processes_would_not_know_it(registered, tmp_path):
    settings = {"images": 512, "device": "cpu"}
    with pytest.raises(ValueError, match=r"small-gan is registered in this process alone.*plug-in"):
        genimg.train("stripes-small", tmp_path / "a", processes=2, **settings)
    with pytest.raises(ValueError, match="stripes is registered in this process alone"):
        genimg.train("fashion-mlp", tmp_path / "b", dataset="stripes", processes=2, **settings)
    assert not list(tmp_path.iterdir())
    manager = JobManager(tmp_path / "runs")
    try:
        with pytest.raises(ValueError, match="registered in this process alone"):
            manager.start("stripes-small", visitor=Visitor("ada"), **settings)
        assert manager.jobs() == []
    finally:
        manager.close()


def test_the_same_again_changes_nothing(registered):
    kind, source = registered
    genimg.register_model(kind)
    genimg.register_dataset(source)
    assert list(KINDS).count("small-gan") == 1
    with pytest.raises(ValueError, match="the name 'small-gan' is taken already"):
        genimg.register_model(dataclasses.replace(kind, bfloat16=False))
    with pytest.raises(ValueError, match="the name 'stripes' is taken already"):
        genimg.register_dataset(dataclasses.replace(source, title="Others"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Clash(Configuration):
    size: int = setting(28, "Size.", low=16, high=64)
    channels: int = setting(1, "Channels.", choices=(1, 3))
    classes: int = setting(0, "Classes.", low=0, high=0)
    latent_dimensions: int = setting(16, "Length.", low=2, high=512)
    seed: int = setting(0, "Means something else in a run.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Lacks(Configuration):
    size: int = setting(28, "Size.", low=16, high=64)


@dataclass(frozen=True, kw_only=True, slots=True)
class Bare(Configuration):
    size: int = setting(28, "Size.", low=16, high=64)
    channels: int = setting(1, "Channels.", choices=(1, 3))
    classes: int = setting(0, "Classes.", low=0, high=0)
    latent_dimensions: int = 16


def recipe(**settings):
    return {"mine": genimg.Preset("Mine", "small-gan", **settings)}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"name": "Small GAN"}, "name of a model must be small letters"),
        ({"name": "../x"}, "name of a model must be small letters"),
        ({"name": "x" * 41}, "40 at most"),
        ({"name": None}, "name of a model must be"),
        (
            {"name": "dcgan", "presets": {"mine": genimg.Preset("Mine", "dcgan")}},
            "'dcgan' is taken",
        ),
        ({"config": dict}, "must be a class derived from genimg.configuration.Configuration"),
        ({"config": Lacks}, "lacks the setting 'channels'"),
        ({"config": Clash}, "setting 'seed', which means something else already"),
        ({"config": Bare}, "latent_dimensions of small-gan needs a description"),
        ({"build": 7}, "build of small-gan must be a function or a class, not 7"),
        ({"task": "sing"}, "task of small-gan must be one of gan, classifier"),
        ({"use": "sing"}, "use of small-gan must be one of gan, drawer"),
        ({"presets": {}}, "needs at least one preset"),
        ({"presets": {"mine": 7}}, "preset mine must be a genimg.Preset of the kind 'small-gan'"),
        ({"presets": {"mine": genimg.Preset("Mine", "dcgan")}}, "of the kind 'small-gan'"),
        ({"presets": {"Mine!": genimg.Preset("Mine", "small-gan")}}, "name of a preset must be"),
        ({"presets": {"mine": genimg.Preset(" ", "small-gan")}}, "preset mine needs a title"),
        ({"presets": recipe(model={"width": 0})}, "preset mine: width must be from 4 to 1024"),
        ({"presets": recipe(task={"sing": 1})}, "preset mine: .* no field 'sing'"),
        (
            {"presets": {"fashion-mlp": genimg.Preset("Mine", "small-gan")}},
            "the name 'fashion-mlp' is taken",
        ),
    ],
)
def test_a_model_is_checked_and_nothing_of_it_stays(example, changes, reason):
    kinds, presets = list(KINDS), list(PRESETS)
    with pytest.raises(ValueError, match=reason) as refused:
        genimg.register_model(dataclasses.replace(example[0], **changes))
    assert "\n" not in str(refused.value)
    assert (list(KINDS), list(PRESETS)) == (kinds, presets)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"name": "memory:1"}, "name of a data set must be small letters"),
        ({"name": "mnist"}, "the name 'mnist' is taken"),
        ({"title": ""}, "title of stripes must be a text"),
        ({"license": None}, "license of stripes must be a text"),
        ({"classes": ()}, "classes of stripes must be different names"),
        ({"classes": ("a", "a")}, "classes of stripes must be different names"),
        ({"size": 0}, "size of stripes must be pixels"),
        ({"channels": 4}, "channels of stripes must be 1 or 3"),
        ({"counts": {"train": 5}}, "counts of stripes must be pictures in train and test"),
        ({"counts": {"train": 5, "test": 0}}, "counts of stripes must be"),
        ({"read": "stripes.npz"}, "read of stripes must be a function"),
    ],
)
def test_a_data_set_is_checked(example, changes, reason):
    with pytest.raises(ValueError, match=reason):
        genimg.register_dataset(dataclasses.replace(example[1], **changes))
    assert "stripes" not in data.names()


@pytest.mark.parametrize("wrong", [None, 7, genimg.ModelKind, "small-gan"])
def test_only_descriptions_are_registered(wrong):
    with pytest.raises(ValueError, match=r"register_model needs a genimg.ModelKind, not"):
        genimg.register_model(wrong)
    with pytest.raises(ValueError, match=r"register_dataset needs a genimg.DataSource, not"):
        genimg.register_dataset(wrong)


def test_a_model_whose_shapes_follow_from_values_is_refused_in_one_sentence(example):
    kind = example[0]

    def build(config):
        model = kind.build(config)
        model.scale = float(model.generator.first.weight.detach().sum())
        return model

    genimg.register_model(dataclasses.replace(kind, build=build))
    spec = make_spec("stripes-small")
    with pytest.raises(ValueError, match="cannot be made again from its configuration"):
        blueprint(spec.kind, spec.model)


def test_a_generator_that_lacks_what_sliders_need_is_refused(example):
    kind = example[0]
    config = kind.config()

    class Bare(torch.nn.Module):
        def __init__(self, config):
            super().__init__()
            self.config = config

    discriminator = torch.nn.Identity
    with pytest.raises(ValueError, match=r"Bare lacks .* latent_matrix\(\)"):
        Gan(config, Bare, lambda config: discriminator())


def test_a_run_of_a_kind_that_is_gone_says_so(registered, tmp_path):
    settings = {"images": 128, "device": "cpu", "width": 8}
    run = genimg.train("stripes-small", tmp_path / "run", **settings)
    del KINDS._rows["small-gan"]
    with pytest.raises(ValueError, match="there is no model kind 'small-gan'; the kinds are"):
        train_run(run)
    with pytest.raises(ValueError, match="there is no model kind 'small-gan'"):
        genimg.load(run)
