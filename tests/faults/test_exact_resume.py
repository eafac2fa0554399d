"""A run that is killed again and again ends with the bits of one that never was."""

import random
import signal
import time

import pytest

from genimg.training import run_checkpoints
from genimg.training.session import train_run

STEPS = {"fashion-mlp": 600, "fashion-dcgan": 200, "fashion-style": 150, "fashion-features": 150}
WRITE_STAGES = (
    "model.safetensors",
    "ema.safetensors",
    "optimizer.safetensors",
    "before-rename",
)


def kill_at_a_random_moment(start, run, moments: random.Random) -> None:
    worker = start(run)
    worker.wait_until_trained(max(step_of_newest(run), 0) + 1)
    time.sleep(moments.uniform(0, 0.1))
    worker.send(signal.SIGKILL)
    assert worker.end()[0] in (-signal.SIGKILL, 0)


def kill_inside_a_write(start, run, stage: str) -> None:
    """Kill a worker that waits, for ever as it thinks, in the middle of writing a checkpoint."""
    before = step_of_newest(run)
    worker = start(run, GENIMG_TEST_PAUSE_AT=stage)
    name = "MANIFEST.json" if stage == "before-rename" else stage
    worker.wait_until(lambda: list(run.checkpoints.glob(f".step-*/{name}")))
    worker.send(signal.SIGKILL)
    worker.end()
    assert list(run.checkpoints.glob(".step-*"))  # half a checkpoint was left
    assert step_of_newest(run) == before  # and does not count


def step_of_newest(run) -> int:
    newest = run_checkpoints.newest(run.checkpoints)
    return -1 if newest is None else int(newest.name.removeprefix("step-"))


def finish(start, run) -> None:
    assert start(run).end() == (0, "")
    assert not list(run.checkpoints.glob(".step-*"))
    assert not list(run.checkpoints.glob("invalid-*"))


def check(start, make_run, result, preset: str, changes: dict, *, kills: int, stages) -> None:
    changes = {"images": 8 * STEPS[preset]} | changes
    calm = make_run("calm", preset, **changes, checkpoint_seconds=60.0)
    stormy = make_run("stormy", preset, **changes)
    assert train_run(calm.path) == "succeeded"
    seed = random.randrange(10**6)
    print(f"random moments from seed {seed}")
    moments, ways = random.Random(seed), ["anywhere"] * kills + list(stages)
    moments.shuffle(ways)
    steps = []
    for way in ways:
        if way == "anywhere":
            kill_at_a_random_moment(start, stormy, moments)
        else:
            kill_inside_a_write(start, stormy, way)
        steps.append(step_of_newest(stormy))
    assert steps == sorted(steps)
    finish(start, stormy)
    assert result(stormy) == result(calm)


@pytest.mark.parametrize(
    ("preset", "objective", "stages"),
    [("fashion-dcgan", "hinge", WRITE_STAGES[2:3]), ("fashion-mlp", "nonsaturating", ())],
)
def test_two_objectives(start, make_run, result, preset, objective, stages):
    # The others are killed inside this process in tests/training/test_loop.py, and below.
    changes = {"objective": objective, "images": 8 * 100}
    check(start, make_run, result, preset, changes, kills=1, stages=stages)


OBJECTIVES = {
    "minimax": {},
    "nonsaturating": {},
    "least-squares": {},
    "wasserstein": {"gradient_penalty": 10.0},
    "hinge": {},
    "relativistic": {"r1": 1.0, "r2": 1.0},
}


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("preset", ["fashion-mlp", "fashion-dcgan", "fashion-style"])
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_every_objective_of_every_gan(start, make_run, result, preset, objective):
    changes = {"objective": objective} | OBJECTIVES[objective]
    check(start, make_run, result, preset, changes, kills=3, stages=WRITE_STAGES)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("preset", ["fashion-features", "fashion-style"])
def test_both_precisions(start, make_run, result, preset, precision):
    check(start, make_run, result, preset, {"precision": precision}, kills=3, stages=WRITE_STAGES)
