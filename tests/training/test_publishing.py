import numpy as np
import pytest
import torch

from genimg import checkpoints
from genimg.checkpoints import CheckpointError
from genimg.models import kind_named
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
