"""Damaged checkpoints, and pauses within an epoch: nothing is used that is wrong, nothing twice."""

import os
import signal
import time

import pytest

from genimg.training import run_checkpoints
from genimg.training.batches import batch_indices
from genimg.training.running import train_run

pytestmark = pytest.mark.slow

FILES = ("model.safetensors", "ema.safetensors", "optimizer.safetensors", "state.json")


def truncate(path, moments) -> None:
    os.truncate(path, moments.randrange(path.stat().st_size))


def flip_a_bit(path, moments) -> None:
    content = bytearray(path.read_bytes())
    content[moments.randrange(len(content))] ^= 1 << moments.randrange(8)
    path.write_bytes(content)


def delete(path, moments) -> None:
    path.unlink()


def test_a_damaged_checkpoint_is_set_aside_and_the_older_one_used(
    make_run, start, result, moments, injected
):
    """Fault 4: each file of a checkpoint cut, changed in one bit, or deleted; then the worker."""
    changes = {"images": 8 * 40, "checkpoint_seconds": 1000.0}
    calm, run = (make_run(name, "fashion-mlp", **changes) for name in ("calm", "run"))
    assert train_run(calm.path) == "succeeded"
    damages = [
        (name, damage)
        for name in (*FILES, "MANIFEST.json")
        for damage in (truncate, flip_a_bit, delete)
    ]
    moments.shuffle(damages)
    train_run(run.path, should_stop=lambda: True)  # one step, between two checkpoints
    for count, (name, damage) in enumerate(damages, 1):
        older, bad = sorted(run.checkpoints.glob("step-*"))[-2:]
        damage(bad / name, moments)
        injected()
        assert run_checkpoints.newest(run.checkpoints) == older, (name, damage)
        assert len(list(run.checkpoints.glob("invalid-*"))) == count  # none was deleted
        train_run(run.path, should_stop=lambda: True)
    assert start(run).end()[0] == 0
    assert result(run) == result(calm)


def test_the_worker_says_which_file_is_damaged(make_run, start):
    """Fault 4: the sentence is in the log of the attempt that found it."""
    run = make_run("run", "fashion-mlp", images=8 * 40)
    steps = iter(range(10))
    train_run(run.path, should_stop=lambda: next(steps) == 5)
    newest = run_checkpoints.newest(run.checkpoints)
    (newest / "ema.safetensors").write_bytes(b"")
    code, said = start(run).end()
    assert code == 0
    assert f"{newest.name}/ema.safetensors" in said
    assert said.count("\n") == 1


RECORDING = """
import sys, time
from genimg.training import learner
honest = learner.batch_indices
def batch_indices(*arguments):
    batch = honest(*arguments)
    with open(sys.argv[1] + "/batches", "a") as file:
        print(*batch.tolist(), file=file)
    time.sleep(0.02)
    return batch
learner.batch_indices = batch_indices
"""


def test_five_pauses_in_an_epoch_cost_no_batch_and_repeat_none(make_run, start, moments, injected):
    """Fault 3: stopped by signals five times within the first epoch."""
    run = make_run("run", "fashion-mlp", images=160, batch_size=2, checkpoint_seconds=1000.0)

    def batches() -> list[str]:
        path = run.path / "batches"
        return path.read_text().splitlines() if path.exists() else []

    for _ in range(5):
        before = len(batches())
        worker = start(run, changes=RECORDING)
        worker.wait_until(lambda before=before: len(batches()) > before + 1)
        time.sleep(moments.uniform(0, 0.02))
        worker.send(signal.SIGTERM)
        assert worker.end() == (75, "")
        injected()
    spec = run.read_spec()
    total = spec.resolved["dataset_images"]
    assert len(batches()) < total // 2
    assert start(run, changes=RECORDING).end() == (0, "")
    expected = [batch_indices(spec.run.seed, seen, 2, total) for seen in range(0, 160, 2)]
    assert batches() == [" ".join(map(str, batch.tolist())) for batch in expected]
