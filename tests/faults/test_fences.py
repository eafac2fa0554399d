"""Two workers that would harm each other: the later or the older one gives way, and says so."""

import json
import signal

import pytest

from genimg.storage import Lease
from genimg.training import worker
from genimg.training.running import train_run
from genimg.training.task import Diverged


@pytest.fixture
def patient_worker(monkeypatch):
    """`worker.main` in this process, which waits a moment only and leaves the signals alone."""
    monkeypatch.setattr(worker, "_PATIENCE_SECONDS", 0.1)
    monkeypatch.setattr("genimg.training.running._PATIENCE_SECONDS", 0.1)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield worker.main
    for number, handler in handlers.items():
        signal.signal(number, handler)


def test_a_worker_of_a_replaced_attempt_writes_nothing(make_run, patient_worker, capsys):
    """Fault 14: the worker of attempt 1 comes when there is attempt 2."""
    run = make_run("run", "fashion-mlp", images=80)
    run.new_attempt(1)
    run.new_attempt(2)
    assert patient_worker([str(run.path), "--attempt", "1"]) == 2
    assert "has replaced attempt 1" in capsys.readouterr().err
    assert not list(run.path.glob("attempts/*/*"))
    assert not run.checkpoints.exists()
    assert patient_worker([str(run.path), "--attempt", "2"]) == 0


def test_a_worker_waits_for_the_device_and_the_run_of_another_one(
    make_run, start, patient_worker, capsys, tmp_path, last_step
):
    """Faults 1 and 14: nobody writes beside another one, and a kill frees run and device."""
    run, other = (make_run(name, "fashion-mlp", images=8 * 10**6) for name in ("run", "other"))
    lock = tmp_path / "cpu.lock"
    holder = start(run, arguments=["--attempt", "1", "--device-lock", str(lock)])
    holder.wait_until(lambda: last_step(run) > 0)
    assert Lease(lock).is_held()
    assert patient_worker([str(other.path), "--attempt", "1", "--device-lock", str(lock)]) == 2
    assert "another run holds" in capsys.readouterr().err
    assert patient_worker([str(run.path), "--attempt", "2"]) == 2
    assert "is being trained by another process" in capsys.readouterr().err
    holder.send(signal.SIGKILL)
    holder.end()
    assert not Lease(lock).is_held()


def test_a_run_that_failed_says_so(make_run, monkeypatch):
    """Fault 15: it diverges, goes back, and diverges again."""
    run = make_run("run", "fashion-mlp", images=8 * 100)

    def diverge(self):
        raise Diverged("the loss is not finite")

    monkeypatch.setattr("genimg.training.loop.Trainer._make_step", diverge)
    with pytest.raises(Diverged, match="again after going back once"):
        train_run(run.path)
    assert json.loads((run.path / "attempts/1/status.json").read_text())["state"] == "failed"


def test_a_worker_that_is_replaced_while_it_trains_saves_no_more(make_run, monkeypatch):
    """Fault 14: attempt 2 begins elsewhere, where no lease of this machine is seen."""
    run = make_run("run", "fashion-mlp", images=8 * 10**6)
    monkeypatch.setattr("genimg.training.loop._STATUS_SECONDS", 0.05)
    replaced = []

    def replace(report) -> None:
        if not replaced:
            replaced.append(max(run.checkpoints.glob("step-*")))
            run.new_attempt(2)

    with pytest.raises(ValueError, match="has replaced attempt 1"):
        train_run(run.path, attempt=1, callbacks=[replace])
    assert max(run.checkpoints.glob("step-*")) == replaced[0]
