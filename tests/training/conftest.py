"""Models of a few thousand weights and 64 made-up pictures: a step takes milliseconds."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from genimg.data import Dataset
from genimg.data.attributes import Attribute
from genimg.training.loop import Trainer
from genimg.training.presets import make_spec
from genimg.training.run_directory import RunDirectory
from genimg.training.spec import RunSpec


@pytest.fixture(scope="session")
def dataset() -> Dataset:
    random = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (64, 1, 32, 32), dtype=torch.uint8, generator=random)
    return Dataset("fashion-mnist", images, torch.arange(64) % 10, tuple("0123456789"), "made up")


@pytest.fixture(scope="session")
def drawn(dataset) -> Dataset:
    """Squares and discs whose attributes are those of an `AttributeClassifierConfig`."""
    random = torch.Generator().manual_seed(1)
    shape = torch.randint(0, 2, (256,), generator=random)
    size, hue = torch.rand(2, 256, generator=random)
    rows = torch.arange(32) - 15.5
    square = torch.maximum(rows[:, None].abs(), rows.abs())  # (32, 32)
    disc = (rows[:, None].square() + rows.square()).sqrt()
    distance = torch.where(shape[:, None, None] == 1, square, disc)  # (N, 32, 32)
    inside = distance < 5 + 8 * size[:, None, None]
    grey = 40 + 60 * (2 * torch.pi * hue).cos()[:, None, None] * rows.div(16)
    grey = grey + 60 * (2 * torch.pi * hue).sin()[:, None, None] * rows.div(16)[:, None]
    images = torch.where(inside, 250.0, grey + 80).clamp(0, 255).to(torch.uint8)
    images = images[:, None].repeat(1, 3, 1, 1)
    attributes = {
        "shape": Attribute(("round", "square"), shape),
        "size": Attribute((), size),
        "hue": Attribute((), hue, cyclic=True),
    }
    return Dataset("drawn", images, shape, ("round", "square"), "made up", attributes=attributes)


@pytest.fixture
def small_spec(small_models) -> Callable[..., RunSpec]:
    def make(preset: str = "fashion-style", **changes) -> RunSpec:
        run = {
            "images": 240,
            "batch_size": 8,
            "threads": 1,
            "precision": "fp32",
            "sheets": 2,
            "device": "cpu",
        }
        return make_spec(preset, **small_models[preset] | run | changes)

    return make


@pytest.fixture
def make_run(tmp_path: Path, small_spec) -> Callable[..., RunDirectory]:
    def make(name: str = "run", preset: str = "fashion-style", **changes) -> RunDirectory:
        return RunDirectory.create(tmp_path / name, small_spec(preset, **changes))

    return make


@pytest.fixture(autouse=True)
def _keep_thread_count():
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


class Killed(BaseException):
    """Ends a run without letting it say goodbye, as SIGKILL does."""


@pytest.fixture
def ends_alike(result) -> Callable[..., None]:
    """A function that kills a run again and again, and compares it with one left in peace."""

    def check(make: Callable[..., RunDirectory], dataset: Dataset, moments: tuple[int, ...]):
        calm, stormy = make("calm"), make("stormy", checkpoint_seconds=0.05)
        for run, kills in ((calm, ()), (stormy, moments)):
            for moment in kills:
                steps = iter(range(moment))

                def kill_after(steps=steps) -> bool:
                    if next(steps, None) is None:
                        raise Killed
                    return False

                with pytest.raises(Killed):
                    Trainer(run, run.new_attempt(), dataset, should_stop=kill_after).run()
            assert Trainer(run, run.new_attempt(), dataset).run() == "succeeded"
        assert len(stormy.attempt_numbers()) == len(moments) + 1
        assert result(stormy) == result(calm)

    return check
