import dataclasses
import itertools

import numpy as np
import pytest
import torch

from genimg import checkpoints, trails
from genimg.checkpoints import CheckpointError
from genimg.models import KINDS, kind_named
from genimg.models.gan import Gan
from genimg.models.mlp_gan import MlpDiscriminator, MlpGenerator
from genimg.storage import read_json, write_json
from genimg.training import run_checkpoints
from genimg.training.loop import Trainer
from genimg.training.publishing import measure_mean_style, publish, read_run


@pytest.fixture
def finished(make_run, dataset):
    """A short run of StyleGAN-mini, complete."""
    directory = make_run(images=24)
    Trainer(directory, directory.new_attempt(), dataset).run()
    return directory


def test_a_published_run_is_the_averaged_model_of_the_run(finished, tmp_path):
    preview = np.zeros((20, 32, 32, 1), np.uint8)
    folder = publish(finished.path, tmp_path / "out", title="t", preview=preview, license="MIT")
    read = checkpoints.read(folder)
    tensors, state = run_checkpoints.load(run_checkpoints.newest(finished.checkpoints))
    assert read.card["images_seen"] == state["images_seen"] == 24
    assert read.card["license"] == "MIT"
    average = {k: v for k, v in tensors["ema"].items() if k != "mean_style"}
    for name, value in average.items():
        torch.testing.assert_close(
            read.model.generator.state_dict()[name], value, rtol=1e-3, atol=1e-4
        )


class Scaled(MlpGenerator):
    """Pictures times a number; how it comes by that number is up to a subclass."""

    def forward(self, z, labels=None):
        return super().forward(z, labels) * self.number()


class Windowed(Scaled):
    def __init__(self, config):
        super().__init__(config)
        self.register_buffer("window", torch.full((1,), 0.9), persistent=False)

    def number(self):
        return self.window


class OfWeights(Scaled):
    def __init__(self, config):
        super().__init__(config)
        self.norm = float(self.body[0].weight.detach().norm())

    def number(self):
        return self.norm


class Attribute(Scaled):
    def __init__(self, config):
        super().__init__(config)
        self.norm = self.body[0].weight.detach().norm()

    def number(self):
        return self.norm


class Listed(Attribute):
    def __init__(self, config):
        super().__init__(config)
        self.norm = [self.norm]

    def number(self):
        return self.norm[0]


class Counting(Scaled):
    """The number depends on how many were built before."""

    built = itertools.count(1)

    def __init__(self, config):
        super().__init__(config)
        self.count = next(Counting.built)

    def number(self):
        return 1 / self.count


class Precise(Scaled):
    def __init__(self, config):
        super().__init__(config)
        self.register_buffer("scale", torch.ones(1, dtype=torch.float64))

    def number(self):
        return self.scale.float()


class Persistent(Windowed):
    def __init__(self, config):
        super().__init__(config)
        del self.window
        self.register_buffer("window", self.body[0].weight.detach().norm())


REASONS = {
    Windowed: "no file holds its buffer generator.window; register it as a persistent buffer",
    OfWeights: "its __init__ computes with weights",
    Attribute: "no file holds its tensor generator.norm",
    Listed: "read back with the same weights, .*; let its __init__ depend on the",
    Counting: "read back with the same weights, it gives other outputs",
    Precise: "generator.scale is torch.float64; a checkpoint keeps float32",
}


@pytest.fixture
def odd_run(make_run, dataset, monkeypatch):
    """A function that trains an MLP GAN whose generator is of another class."""

    def train(generator):
        monkeypatch.setitem(
            KINDS._rows,
            "mlp-gan",
            dataclasses.replace(
                KINDS["mlp-gan"], build=lambda config: Gan(config, generator, MlpDiscriminator)
            ),
        )
        run = make_run(preset="fashion-mlp", images=16, sheets=0)
        assert Trainer(run, run.new_attempt(), dataset).run() == "succeeded"
        return run.path

    return train


PREVIEW = np.zeros((20, 32, 32, 1), np.uint8)


@pytest.mark.parametrize("generator", REASONS)
def test_a_model_that_cannot_be_made_again_is_refused(odd_run, tmp_path, tiny, generator):
    run = odd_run(generator)
    with pytest.raises(ValueError, match=REASONS[generator]) as error:
        publish(run, tmp_path / "out", title="t", preview=PREVIEW)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "out").exists()
    before = {path.name: path.read_bytes() for path in tiny.iterdir()}
    with pytest.raises(ValueError, match=REASONS[generator]):
        publish(run, tiny, title="t", preview=PREVIEW)
    assert {path.name: path.read_bytes() for path in tiny.iterdir()} == before


def test_a_value_computed_from_weights_may_be_kept_in_a_buffer(odd_run, tmp_path):
    run = odd_run(Persistent)
    publish(run, tmp_path / "out", title="t", preview=PREVIEW)
    window = read_run(run).model.generator.window
    assert torch.equal(checkpoints.read(tmp_path / "out").model.generator.window, window)


@pytest.mark.parametrize(
    "preset", ["fashion-style", "fashion-dcgan", "fashion-features", "fashion-vit"]
)
def test_what_is_published_does_the_same_as_what_was_read_back(
    make_run, dataset, tmp_path, monkeypatch, preset
):
    compared = []
    real = torch.equal
    run = make_run(preset=preset, images=16, sheets=0)
    Trainer(run, run.new_attempt(), dataset).run()
    monkeypatch.setattr(
        "torch.equal", lambda a, b: (compared.append(tuple(a.shape)), real(a, b))[1]
    )
    out = publish(run.path, tmp_path / "out", title="t", preview=PREVIEW)
    assert (8, 10) in compared or (8, 1, 32, 32) in compared
    files = {"README.md", "card.json", "config.json", "model.safetensors", "preview.png"}
    trail = {"trail"} if (8, 1, 32, 32) in compared else set()
    assert {path.name for path in out.iterdir()} == files | trail
    assert trails.moments(out) == trails.moments(run.path)


def test_a_trail_goes_with_its_model_or_not_at_all(finished, tmp_path):
    out = tmp_path / "out"
    publish(finished.path, out, title="t", preview=PREVIEW)
    assert trails.moments(out) == trails.moments(finished.path) != ()
    publish(finished.path, out, title="t", preview=PREVIEW, generator_only=True)
    assert trails.moments(out) == ()
    assert not (out / checkpoints.TRAIL).exists()
    newest = finished.path / "trail" / f"{trails.moments(finished.path)[-1]:09d}.safetensors"
    newest.write_bytes(newest.read_bytes()[:-1])
    with pytest.raises(CheckpointError, match="is corrupt"):
        publish(finished.path, out, title="t", preview=PREVIEW)
    assert trails.moments(out) == ()


def test_a_disk_that_changes_what_was_written_is_found_out(finished, tmp_path, monkeypatch):
    real = checkpoints.read

    def changed(path):
        checkpoint = real(path)
        checkpoint.model.generator.first.bias[0] += 1e-6
        return checkpoint

    monkeypatch.setattr(checkpoints, "read", changed)
    with pytest.raises(ValueError, match=r"generator\.first\.bias is not what was written"):
        publish(finished.path, tmp_path / "out", title="t", preview=PREVIEW)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("moment", ["read", "adopt"])
def test_publishing_that_is_cut_off_leaves_nothing_and_can_be_repeated(
    finished, tmp_path, tiny, monkeypatch, moment
):
    def cut(path):
        raise KeyboardInterrupt

    before = {path.name: path.read_bytes() for path in tiny.iterdir()}
    with monkeypatch.context() as patched:
        patched.setattr(checkpoints, moment, cut)
        for out in (tmp_path / "out", tiny):
            with pytest.raises(KeyboardInterrupt):
                publish(finished.path, out, title="t", preview=PREVIEW)
    assert not (tmp_path / "out").exists()
    assert {path.name: path.read_bytes() for path in tiny.iterdir()} == before
    (tiny / checkpoints.DRAFT).mkdir()  # as a process that was killed leaves it
    (tiny / checkpoints.DRAFT / "config.json").write_text("{}")
    assert checkpoints.names(tmp_path) == ["tiny"]
    publish(finished.path, tiny, title="t", preview=PREVIEW)
    assert checkpoints.read(tiny).kind == "style-dcgan"
    assert not (tiny / checkpoints.DRAFT).exists()


def test_the_names_of_the_classes_are_those_of_the_start(finished, dataset, monkeypatch):
    monkeypatch.setattr("genimg.data.describe", lambda name: {"classes": ["read now"]})
    assert read_run(finished.path).card["classes"] == list(dataset.classes)
    spec = read_json(finished.path / "spec.json")
    del spec["resolved"]["classes"]  # as older versions wrote it
    write_json(finished.path / "spec.json", spec)
    assert read_run(finished.path).card["classes"] == ["read now"]


def test_a_run_of_another_version_is_refused_in_one_sentence(finished):
    newest = run_checkpoints.newest(finished.checkpoints)
    tensors, state = run_checkpoints.load(newest)
    tensors["model"].popitem()
    run_checkpoints.save(finished.checkpoints, step=99, tensors=tensors, state=state)
    with pytest.raises(CheckpointError, match="do not fit its architecture") as error:
        read_run(finished.path)
    assert "\n" not in str(error.value)


def test_a_run_without_a_checkpoint_says_so(make_run):
    with pytest.raises(CheckpointError, match="no checkpoint yet"):
        read_run(make_run().path)


def test_the_mean_style_is_the_mean_of_each_class(small_spec):
    spec = small_spec()
    model = kind_named(spec.kind).build(spec.model)
    measure_mean_style(model)
    generator = model.generator
    z = torch.randn(20_000, generator.config.latent_dimensions)
    for label in (0, 7):
        style = generator.map(z, torch.full((len(z),), label))
        error = (style.mean(dim=0) - generator.mean_style[label]).abs().max()
        assert error < 0.1 * style.std()
