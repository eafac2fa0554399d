import os
import signal

import pytest

from genimg.jobs.supervisor import send_wish
from genimg.training import loop, run_checkpoints, worker
from genimg.training.distributed import LostProcess
from genimg.training.loop import Trainer
from genimg.training.task import Diverged


def steps_made(run) -> int:
    return run_checkpoints.load(run_checkpoints.newest(run.checkpoints))[1]["step"]


@pytest.fixture
def worker_main(dataset, monkeypatch):
    """`worker.main` on made-up pictures; puts the signal handlers back."""
    monkeypatch.setattr("genimg.data.load", lambda *arguments, **options: dataset)
    handlers = {name: signal.getsignal(name) for name in (signal.SIGINT, signal.SIGTERM)}
    yield lambda run: worker.main([str(run.path)])
    for name, handler in handlers.items():
        signal.signal(name, handler)


def test_exit_code_of_success(make_run, worker_main):
    run = make_run(preset="fashion-mlp")
    assert worker_main(run) == 0
    assert steps_made(run) == 30


def test_exit_codes_of_wishes(make_run, worker_main, monkeypatch):
    monkeypatch.setattr(loop, "_STATUS_SECONDS", 0.0)
    run = make_run(preset="fashion-mlp")
    send_wish(run, "pause")
    assert worker_main(run) == 75
    send_wish(run, "cancel")
    assert worker_main(run) == 130


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (Diverged("it diverged"), 70, "it diverged"),
        (OSError(28, "No space left on device"), 74, "No space left"),
        (MemoryError(), 71, "memory ran out"),
        (LostProcess("process 2 has ended", 137), 137, "process 2 has ended"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), 71, "memory ran out"),
        (ValueError("no such thing"), 2, "no such thing"),
    ],
    ids=lambda value: value if isinstance(value, int) else "",
)
def test_exit_codes_of_failures(make_run, worker_main, monkeypatch, capsys, error, code, sentence):
    def fail(trainer):
        raise error

    monkeypatch.setattr(Trainer, "_make_step", fail)
    monkeypatch.setattr(Trainer, "_roll_back", lambda trainer, reason: fail(trainer))
    assert worker_main(make_run(preset="fashion-mlp")) == code
    message = capsys.readouterr().err
    assert sentence in message
    assert message.count("\n") == 1


def test_a_folder_without_a_run_is_one_sentence(tmp_path, capsys):
    handlers = {name: signal.getsignal(name) for name in (signal.SIGINT, signal.SIGTERM)}
    try:
        assert worker.main([str(tmp_path)]) == 2
    finally:
        for name, handler in handlers.items():
            signal.signal(name, handler)
    assert "holds no run" in capsys.readouterr().err
    assert os.listdir(tmp_path) == []


def test_the_first_signal_is_noted(worker_main, make_run, monkeypatch):
    run = make_run(preset="fashion-mlp")
    monkeypatch.setattr(
        Trainer,
        "_keep_up",
        lambda trainer: trainer.step == 4 and os.kill(os.getpid(), signal.SIGINT),
    )
    assert worker_main(run) == 75
    assert steps_made(run) == 4
