"""What a worker does when it is asked to stop, has company, or finds the disk full."""

import errno
import json
import os
import signal
import time

import pytest

from genimg.training import run_checkpoints
from genimg.training.running import train_run

pytestmark = pytest.mark.slow

ENDLESS = 8 * 10**6


def status(run, attempt: int) -> dict:
    return json.loads((run.path / "attempts" / str(attempt) / "status.json").read_text())


def test_signals_save_and_a_second_worker_waits_its_turn(start, make_run):
    """Fault 14: a run has one writer, whoever comes later."""
    run = make_run("run", images=ENDLESS, checkpoint_seconds=1000.0)
    first = start(run)
    first.wait_until(lambda: len(run.read_metrics()) > 2)  # it is past its first step
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
def wait_in(run_python):
    """Start a worker on a run that waits for ever in one function; return it when it does."""

    def start_worker(run, *place: str):
        worker = run_python(SLOW, run.path, *place)
        worker.wait_until(lambda: worker.output == "waiting\n")
        return worker

    return start_worker


@pytest.mark.parametrize(
    ("place", "number"),
    [
        (("genimg.data", "load"), signal.SIGINT),
        (("genimg.training.planning", "images_per_second"), signal.SIGTERM),
    ],
)
def test_a_signal_before_the_first_step_ends_at_once(make_run, wait_in, place, number):
    """Fault 12: stopped before there is anything to save."""
    run = make_run("run", "fashion-mlp", minutes=0.01)
    worker = wait_in(run, *place)
    worker.send(number)
    assert worker.end() == (
        75,
        "waiting\nerror: stopped before the first step; nothing is lost\n",
    )
    assert not run.lease.is_held()
    assert train_run(run.path) == "succeeded"


def test_a_second_signal_kills_by_itself(make_run, wait_in):
    """Fault 13: a worker that is deep in something gives way to the second signal."""
    run = make_run("run", "fashion-mlp", images=ENDLESS)
    worker = wait_in(run, "genimg.training.loop", "_keep_up", "Trainer")
    end = time.monotonic() + 60
    while worker.poll() is None and time.monotonic() < end:
        worker.send(signal.SIGINT)
        time.sleep(0.2)  # two signals at once would be one
    assert worker.end() == (-signal.SIGINT, "waiting\n")


LIMITED = """
import resource, signal, sys
from genimg.training import worker
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
sys.exit(worker.main([sys.argv[1]]))
"""


def test_a_full_disk_is_one_sentence_and_the_next_attempt_goes_on(make_run, run_python):
    """Fault 5: the optimizer does not fit any more."""
    run = make_run("run", "fashion-mlp", images=8 * 60)
    steps = iter(range(5))
    assert train_run(run.path, should_stop=lambda: next(steps) == 4) == "paused"
    before = run_checkpoints.newest(run.checkpoints)
    # The model, written first, fits; the optimizer, twice as large, does not.
    limit = (before / "model.safetensors").stat().st_size + 1000
    assert limit < (before / "optimizer.safetensors").stat().st_size
    code, error = run_python(LIMITED, run.path, limit).end()
    assert code == 74
    assert "File too large" in error
    assert error.count("\n") == 1
    assert run_checkpoints.newest(run.checkpoints) == before
    assert not list(run.checkpoints.glob(".*"))
    assert train_run(run.path) == "succeeded"


BROKEN = """
import os, sys
from genimg.training import worker
honest, calls = getattr(os, sys.argv[2]), []
def fail(*arguments, **options):
    calls.append(1)
    if len(calls) >= int(sys.argv[4]):
        raise OSError(int(sys.argv[3]), os.strerror(int(sys.argv[3])))
    return honest(*arguments, **options)
setattr(os, sys.argv[2], fail)
sys.exit(worker.main([sys.argv[1]]))
"""


@pytest.mark.parametrize(
    ("call", "number"),
    [("rename", errno.EPERM), ("replace", errno.ENOSYS), ("fsync", errno.EIO)],
)
def test_a_failing_system_call_is_one_sentence_and_nothing_is_lost(
    make_run, run_python, moments, call, number
):
    """Fault 6: from some moment on, files cannot be renamed, replaced or flushed."""
    run = make_run("run", "fashion-mlp", images=ENDLESS)
    steps = iter(range(5))
    assert train_run(run.path, should_stop=lambda: next(steps) == 4) == "paused"
    before = run_checkpoints.newest(run.checkpoints)
    code, error = run_python(BROKEN, run.path, call, number, moments.randint(1, 40)).end()
    assert code == 74
    assert os.strerror(number) in error
    assert error.count("\n") == 1
    after = run_checkpoints.newest(run.checkpoints)
    assert after.name >= before.name
    assert not list(run.path.rglob(".*"))
    assert not list(run.checkpoints.glob("invalid-*"))
    assert not run.lease.is_held()


NARROW = """
import resource, sys
from genimg.training import worker
size = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (size + 2**28, resource.RLIM_INFINITY))
sys.exit(worker.main([sys.argv[1]]))
"""


def test_too_little_memory_has_its_own_exit_code(make_run, run_python):
    """Fault 16: the system gives the worker no more memory."""
    run = make_run("run", "fashion-mlp", images=80, generator_widths=(4096,) * 8)
    code, error = run_python(NARROW, run.path).end()
    assert error.startswith("error: memory ran out")
    assert code == 71
