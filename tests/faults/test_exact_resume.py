"""A run that is killed again and again ends with the bits of one that never was."""

import os
import signal
import time

import pytest
import torch

from genimg import checkpoints
from genimg.models.tokenizer import FsqTokenizer, FsqTokenizerConfig
from genimg.training import run_checkpoints
from genimg.training.running import train_run

pytestmark = pytest.mark.slow

STEPS = {
    "fashion-mlp": 600,
    "fashion-dcgan": 200,
    "fashion-style": 150,
    "fashion-features": 150,
    "fashion-vit": 200,
    "fashion-gpt": 200,
}
WRITE_STAGES = (
    "model.safetensors",
    "ema.safetensors",
    "optimizer.safetensors",
    "before-rename",
)

# So that on a fast machine, too, a run is not over before all its kills.
SLOWLY = """
import time
from genimg.training import learner
honest = learner.batch_indices
learner.batch_indices = lambda *arguments: time.sleep(0.002) or honest(*arguments)
"""


@pytest.fixture
def tokenizer(tmp_path) -> str:
    """A folder with the small tokenizer that a small image GPT needs."""
    torch.manual_seed(5)
    model = FsqTokenizer(FsqTokenizerConfig(widths=(8, 8, 8), levels=(4, 3)))
    card = {"title": "a tokenizer"}
    folder = tmp_path / "tokenizer"
    return str(
        checkpoints.write(folder, kind="fsq-tokenizer", model=model, card=card, preview=b"-")
    )


def kill_at_a_random_moment(start, run, moments) -> None:
    worker, before = start(run, changes=SLOWLY), step_of_newest(run)
    worker.wait_until(lambda: step_of_latest(run) > max(before, 0))
    time.sleep(moments.uniform(0, 0.1))
    worker.send(signal.SIGKILL)
    assert worker.end()[0] in (-signal.SIGKILL, 0)


def kill_inside_a_write(start, run, stage: str) -> None:
    """Kill a worker that waits, for ever as it thinks, in the middle of writing a checkpoint."""
    before = step_of_newest(run)
    worker = start(run, changes=SLOWLY, GENIMG_TEST_PAUSE_AT=stage)
    name = "MANIFEST.json" if stage == "before-rename" else stage
    worker.wait_until(lambda: list(run.checkpoints.glob(f".step-*/{name}")))
    worker.send(signal.SIGKILL)
    worker.end()
    assert list(run.checkpoints.glob(".step-*"))  # half a checkpoint was left
    assert step_of_newest(run) == before  # and does not count


def step_of_newest(run) -> int:
    """Return the step of the newest checkpoint whose every byte is right."""
    newest = run_checkpoints.newest(run.checkpoints)
    return -1 if newest is None else int(newest.name.removeprefix("step-"))


def step_of_latest(run) -> int:
    latest = run_checkpoints.latest(run.checkpoints)
    return -1 if latest is None else int(latest.name.removeprefix("step-"))


def finish(start, run) -> None:
    assert start(run).end() == (0, "")
    assert not list(run.checkpoints.glob(".step-*"))
    assert not list(run.checkpoints.glob("invalid-*"))


def storm(start, run, moments, *, kills: int, stages) -> None:
    """Kill a run's workers; what was saved before each kill is there after it."""
    ways = ["anywhere"] * kills + list(stages)
    moments.shuffle(ways)
    steps = []
    for way in ways:
        if way == "anywhere":
            kill_at_a_random_moment(start, run, moments)
        else:
            kill_inside_a_write(start, run, way)
        steps.append(step_of_newest(run))
    assert steps == sorted(steps)


@pytest.fixture
def check(start, make_run, result, moments, injected):
    """A function that compares a run in a storm with a calm one."""

    def compare(preset: str, changes: dict, *, kills: int, stages) -> None:
        changes = {"images": 8 * STEPS[preset]} | changes
        calm = make_run("calm", preset, **changes, checkpoint_seconds=60.0)
        stormy = make_run("stormy", preset, **changes)
        assert train_run(calm.path) == "succeeded"
        storm(start, stormy, moments, kills=kills, stages=stages)
        injected(kills + len(stages))
        finish(start, stormy)
        assert result(stormy) == result(calm)

    return compare


@pytest.mark.parametrize(
    ("preset", "changes", "stages"),
    [
        ("fashion-dcgan", {"objective": "hinge"}, WRITE_STAGES[2:3]),
        ("fashion-mlp", {"objective": "nonsaturating"}, ()),
        ("fashion-vit", {}, ()),
    ],
)
def test_two_gans_and_a_transformer(check, preset, changes, stages):
    """Faults 1 and 2: killed once anywhere, and once inside a save."""
    # The others are killed inside this process in tests/training/test_loop.py, and below.
    check(preset, changes | {"images": 8 * 100}, kills=1, stages=stages)


def test_an_image_gpt(check, tokenizer):
    """Faults 1 and 2: as above, and its tokenizer is part of what must be the same."""
    check("fashion-gpt", {"tokenizer": tokenizer, "images": 8 * 100}, kills=1, stages=())


def test_fifty_random_moments(check):
    """Faults 1 and 2: 50 kills of one run, 12 of them inside each stage of a save."""
    changes = {"objective": "nonsaturating", "images": 8 * 6_000}
    check("fashion-mlp", changes, kills=38, stages=WRITE_STAGES * 3)


OBJECTIVES = {
    "minimax": {},
    "nonsaturating": {},
    "least-squares": {},
    "wasserstein": {"gradient_penalty": 10.0},
    "hinge": {},
    "relativistic": {"r1": 1.0, "r2": 1.0},
}


@pytest.mark.parametrize("preset", ["fashion-mlp", "fashion-dcgan", "fashion-style"])
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_every_objective_of_every_gan(check, preset, objective):
    """Faults 1 and 2: seven kills, four of them inside a save."""
    changes = {"objective": objective} | OBJECTIVES[objective]
    check(preset, changes, kills=3, stages=WRITE_STAGES)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("preset", ["fashion-features", "fashion-style"])
def test_both_precisions(check, preset, precision):
    """Faults 1 and 2: seven kills, four of them inside a save."""
    check(preset, {"precision": precision}, kills=3, stages=WRITE_STAGES)


@pytest.mark.parametrize("preset", ["fashion-vit", "fashion-style", "fashion-tokenizer"])
def test_six_runs_under_load_end_with_the_same_bits(start, make_run, result, preset):
    """Each of them chooses device, threads and precision by itself while the others train."""
    left_open = {"precision": "auto", "threads": 0, "device": "auto", "checkpoint_seconds": 60.0}
    runs = [make_run(str(number), preset, images=160, **left_open) for number in range(6)]
    workers = []
    for run in runs:
        workers.append(start(run))
        time.sleep(0.2)  # so that each finds the machine differently busy
    assert [worker.end()[0] for worker in workers] == [0] * len(workers)
    resolved = [run.read_spec().resolved for run in runs]
    assert resolved == [resolved[0]] * len(runs)
    assert resolved[0]["threads"] == os.cpu_count()
    assert all(result(run) == result(runs[0]) for run in runs[1:])
