"""What a worker does when it is asked to stop, has company, or finds the disk full."""

import json
import signal
import subprocess
import sys
import time

import pytest

from genimg.training import run_checkpoints
from genimg.training.session import train_run

ENDLESS = 8 * 10**6


def status(run, attempt: int) -> dict:
    return json.loads((run.path / "attempts" / str(attempt) / "status.json").read_text())


def test_signals_save_and_a_second_worker_waits_its_turn(start, make_run):
    run = make_run("run", images=ENDLESS, checkpoint_seconds=1000.0)
    first = start(run)
    first.wait_until(lambda: run.read_metrics())
    code, error = start(run).end()
    assert code == 2
    assert error.count("\n") == 1
    assert "is being trained by another process" in error
    assert run.lease.is_held()
    assert run.attempt_numbers() == [1]  # the second left no trace

    first.send(signal.SIGTERM)
    assert first.end() == (75, "")
    assert status(run, 1)["state"] == "paused"
    assert not run.lease.is_held()
    _, state = run_checkpoints.load(run_checkpoints.newest(run.checkpoints))
    assert state["images_seen"] == status(run, 1)["images_seen"] > 0


SLOW = """
import importlib, sys, time
from genimg.training import worker
owner = importlib.import_module(sys.argv[2])
if len(sys.argv) == 5:
    owner = getattr(owner, sys.argv[4])
original, calls = getattr(owner, sys.argv[3]), []
def slow(*arguments, **options):
    calls.append(1)
    if len(sys.argv) == 5 and len(calls) == 1:  # the first step ends as usual
        return original(*arguments, **options)
    print("waiting", flush=True)
    time.sleep(600)
setattr(owner, sys.argv[3], slow)
sys.exit(worker.main([sys.argv[1]]))
"""


@pytest.fixture
def wait_in():
    """Start a worker on a run that waits for ever in one function; return it when it does."""
    processes = []

    def start_worker(run, *place: str) -> subprocess.Popen:
        process = subprocess.Popen(
            [sys.executable, "-c", SLOW, str(run.path), *place],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        assert process.stdout.readline() == "waiting\n"
        return process

    yield start_worker
    for process in processes:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(
    ("place", "number"),
    [
        (("genimg.data", "load"), signal.SIGINT),
        (("genimg.training.resolve", "_images_per_second"), signal.SIGTERM),
    ],
)
def test_a_signal_before_the_first_step_ends_at_once(make_run, wait_in, place, number):
    run = make_run("run", "fashion-mlp", images=80, precision="auto")
    worker = wait_in(run, *place)
    worker.send_signal(number)
    _, error = worker.communicate(timeout=60)
    assert worker.returncode == 75
    assert error == "error: stopped before the first step; nothing is lost\n"
    assert not run.lease.is_held()
    assert train_run(run.path) == "succeeded"


def test_a_second_signal_kills_by_itself(make_run, wait_in):
    run = make_run("run", "fashion-mlp", images=ENDLESS)
    worker = wait_in(run, "genimg.training.loop", "_keep_up", "Trainer")
    end = time.monotonic() + 60
    while worker.poll() is None and time.monotonic() < end:
        worker.send_signal(signal.SIGINT)
        time.sleep(0.2)  # two signals at once would be one
    assert worker.returncode == -signal.SIGINT
    assert worker.stderr.read() == ""


LIMITED = """
import resource, signal, sys
from genimg.training import worker
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
sys.exit(worker.main([sys.argv[1]]))
"""


def test_a_full_disk_is_one_sentence_and_the_next_attempt_goes_on(make_run):
    run = make_run("run", "fashion-mlp", images=8 * 60)
    steps = iter(range(5))
    assert train_run(run.path, should_stop=lambda: next(steps) == 4) == "paused"
    before = run_checkpoints.newest(run.checkpoints)
    # The model, written first, fits; the optimizer, twice as large, does not.
    limit = (before / "model.safetensors").stat().st_size + 1000
    assert limit < (before / "optimizer.safetensors").stat().st_size
    limited = subprocess.run(
        [sys.executable, "-c", LIMITED, str(run.path), str(limit)], capture_output=True, text=True
    )
    assert limited.returncode == 74
    assert "File too large" in limited.stderr
    assert limited.stderr.count("\n") == 1
    assert run_checkpoints.newest(run.checkpoints) == before
    assert not list(run.checkpoints.glob(".*"))
    assert train_run(run.path) == "succeeded"


NARROW = """
import resource, sys
from genimg.training import worker
size = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (size + 2**28, resource.RLIM_INFINITY))
sys.exit(worker.main([sys.argv[1]]))
"""


@pytest.mark.slow
def test_too_little_memory_has_its_own_exit_code(make_run):
    run = make_run("run", "fashion-mlp", images=80, generator_widths=(4096,) * 8)
    limited = subprocess.run(
        [sys.executable, "-c", NARROW, str(run.path)], capture_output=True, text=True
    )
    assert limited.stderr.startswith("error: memory ran out")
    assert limited.returncode == 71
