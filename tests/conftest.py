"""What all tests share: an environment, one thread each, and small models.

The environment is set before torch is imported, which reads it once only.
"""

# ruff: noqa: E402
import os
import tempfile

os.environ.setdefault("OMP_NUM_THREADS", "1")  # pytest-xdist already runs one worker on each core
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
_cache = tempfile.TemporaryDirectory(prefix="genimg-tests-")
os.environ["GENIMG_CACHE"] = _cache.name

import itertools
from typing import Any

import pytest
import torch
from hypothesis import settings

from genimg import checkpoints
from genimg.configuration import Configuration
from genimg.data.registry import published
from genimg.models import KINDS
from genimg.training import run_checkpoints
from genimg.training.metric_names import METRICS
from genimg.training.presets import PRESETS
from genimg.training.run_directory import RunDirectory

torch.set_num_threads(1)

# No deadline: a busy machine is not a failure. Derandomized: a red run can be repeated.
settings.register_profile("genimg", deadline=None, derandomize=True, max_examples=30)
settings.load_profile("genimg")


def pytest_configure(config) -> None:
    """Hear of all fixtures: of those of the session, a conftest below the root hears nothing."""
    config.pluginmanager.register(SameEveryTime())


class SameEveryTime:
    """Models have the same weights in every run and every order of the tests."""

    def pytest_fixture_setup(self) -> None:
        """Seed what a fixture builds."""
        torch.manual_seed(0)

    def pytest_runtest_call(self) -> None:
        """Seed what a test itself draws without a seed."""
        torch.manual_seed(0)


def small_config(kind: str, size: int, channels: int, classes: int, **fields) -> Configuration:
    """Return a small GAN or classifier; ValueError where the kind cannot make that size."""
    common = {"size": size, "channels": channels, "classes": classes}
    if kind != "classifier":
        common["latent_dimensions"] = 12
    if kind == "dcgan":
        return KINDS[kind].config(**common, width=8, **fields)
    if kind == "classifier":
        return KINDS[kind].config(**common, widths=(8, 12), **fields)
    if kind == "mlp-gan":
        widths = {"generator_widths": (24, 32), "discriminator_widths": (32, 24)}
        return KINDS[kind].config(**common, **widths, **fields)
    if kind == "style-dcgan":
        widths = {"generator_width": 8, "discriminator_width": 8, "most_channels": 12}
        return KINDS[kind].config(**common, **widths, style_dimensions=16, **fields)
    # How many halvings a StyleGAN needs is its own business: take the first that it accepts.
    for generator, discriminator in itertools.product(range(1, 6), repeat=2):
        widths = {
            "generator_widths": (12,) * generator,
            "discriminator_widths": (12,) * discriminator,
        }
        try:
            return KINDS[kind].config(**common, **widths, style_dimensions=16, **fields)
        except ValueError:
            continue
    raise ValueError(f"no {kind} of size {size}")


def alive(model: torch.nn.Module, amount: float = 0.07) -> torch.nn.Module:
    """Return `model` with every weight moved, so that nothing is zero because it starts there."""
    numbers = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += amount * torch.randn(parameter.shape, generator=numbers)
        for name, buffer in model.named_buffers():
            if "mean" in name:
                buffer += amount * torch.randn(buffer.shape, generator=numbers)
    return model.eval()


@pytest.fixture(scope="session", name="small_config")
def small_config_fixture():
    """The function `small_config`."""
    return small_config


@pytest.fixture(scope="session", name="alive")
def alive_fixture():
    """The function `alive`."""
    return alive


_SMALL_TOKENIZER = {"size": 32, "widths": (8, 8, 8), "levels": (4, 3)}
_SMALL_PRIOR = _SMALL_TOKENIZER | {"width": 16, "layers": 1, "heads": 2, "validations": 6}

_SMALL_STYLE = {
    "generator_width": 8,
    "discriminator_width": 8,
    "most_channels": 8,
    "latent_dimensions": 8,
    "style_dimensions": 8,
}


@pytest.fixture(scope="session")
def small_models():
    """Settings of each preset that make a model of a few thousand weights."""
    return {
        "fashion-style": _SMALL_STYLE,
        "portraits-style": _SMALL_STYLE,
        "critters-style": _SMALL_STYLE,
        "fashion-stylegan": {
            "generator_widths": (8, 8, 8, 8),
            "discriminator_widths": (8, 8, 8),
            "latent_dimensions": 8,
            "style_dimensions": 8,
        },
        "fashion-mlp": {"generator_widths": (16,), "discriminator_widths": (16,)},
        "fashion-dcgan": {"width": 4, "latent_dimensions": 8},
        "fashion-relativistic": {"width": 4, "latent_dimensions": 8},
        "fashion-features": {"widths": (8, 8)},
        "portraits-features": {"size": 32, "widths": (8, 8)},
        "critters-features": {"size": 32, "widths": (8, 8)},
        "fashion-vit": {"size": 32, "width": 16, "layers": 1, "heads": 2},
        "fashion-tokenizer": _SMALL_TOKENIZER | {"discriminator_width": 8},
        "portraits-tokenizer": _SMALL_TOKENIZER | {"discriminator_width": 8},
        "fashion-gpt": _SMALL_PRIOR,
        "portraits-gpt": _SMALL_PRIOR,
        "fashion-pixels": {"size": 28, "width": 8, "layers": 1, "heads": 2, "validations": 6},
        "fashion-maskgit": _SMALL_PRIOR,
    }


@pytest.fixture
def tiny(tmp_path):
    """A written MLP GAN without classes: the checkpoint that hostile ones are made from."""
    model = alive(KINDS["mlp-gan"].build(small_config("mlp-gan", 16, 1, 0)))
    card = {"title": "A test", "images_seen": 12}
    return checkpoints.write(
        tmp_path / "tiny", kind="mlp-gan", model=model, card=card, preview=b"a picture"
    )


def result(run: RunDirectory) -> dict[str, Any]:
    """Return what two equal runs have in common: all but what depends on a clock."""
    newest = run_checkpoints.newest(run.checkpoints)
    inexact = {name for name, metric in METRICS.items() if not metric.exact}
    lines = [{k: v for k, v in line.items() if k not in inexact} for line in run.read_metrics()]
    # Quality is measured whenever time allows, also at pictures of which nothing else is reported.
    log = [line for line in lines if line.keys() - {"images_seen", "epochs"}]
    state = run_checkpoints.load(newest)[1] | {"seconds": 0}
    files = [*newest.glob("*.safetensors"), *run.samples.glob("*.png")]
    return {"log": log, "state": state} | {path.name: path.read_bytes() for path in files}


@pytest.fixture
def own_tables(monkeypatch):
    """Let a test add rows to the tables; they are gone when it ends."""
    for table in (KINDS, PRESETS, published()):
        monkeypatch.setattr(table, "_rows", dict(table._rows))
        monkeypatch.setattr(table, "_only_here", set())


@pytest.fixture(scope="session", name="result")
def result_fixture():
    """The function `result`."""
    return result


@pytest.fixture(scope="session")
def in_english():
    """A function that gives the English text of words that were sent to a script."""
    from genimg.ui import texts  # with Gradio, which most tests need not wait for

    def text(said):
        if isinstance(said, list):
            return [text(each) for each in said]
        if not isinstance(said, dict) or "compact" in said:
            return said
        inside = {name: text(each) for name, each in said.items()}
        return said["english"] if "english" in said else texts.say(inside.pop("say"), **inside)

    return text
