"""The engine's verdicts on processes that are none of its own making, and on its own."""

import subprocess
import sys
import time

import pytest

from genimg.jobs import platforms
from genimg.jobs.devices import Device
from genimg.jobs.engine import Handle, LocalEngine, Verdict, _environment
from genimg.jobs.states import Exit
from genimg.storage import Lease, write_json

HOLDER = """
import sys, time
from pathlib import Path
from genimg.storage import Lease
lease = Lease(Path(sys.argv[1]))
assert lease.acquire()
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def handle(tmp_path):
    (tmp_path / "run" / "attempts" / "1").mkdir(parents=True)
    return Handle(tmp_path / "run", 1)


@pytest.fixture
def hold():
    """Let another process hold a lease."""
    processes = []

    def start(path) -> subprocess.Popen:
        process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(path)],
            stdout=subprocess.PIPE,
            text=True,
            **platforms.own_session(),
        )
        processes.append(process)
        assert process.stdout.readline() == "held\n"
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def test_the_exit_counts_before_everything(handle, hold):
    write_json(handle.files.path / "exit.json", {"code": 75})
    hold(handle.files.path / "lease")
    assert LocalEngine().probe(handle) == (Verdict.DEAD, Exit(code=75))


def test_a_launcher_of_an_earlier_server_is_found_by_its_lease(handle, hold):
    engine = LocalEngine()
    launcher = hold(handle.files.path / "lease")
    write_json(handle.files.path / "launcher.json", {"group": launcher.pid})
    assert engine.probe(handle) == (Verdict.ALIVE, None)
    launcher.kill()
    launcher.wait()
    assert engine.probe(handle) == (Verdict.DEAD, None)


def test_a_worker_without_its_launcher_is_taken_as_it_is(handle, hold):
    write_json(handle.files.path / "launcher.json", {"group": 1})
    worker = hold(handle.run / "lease")
    assert LocalEngine().probe(handle) == (Verdict.ALIVE, None)
    worker.kill()
    worker.wait()
    assert LocalEngine().probe(handle) == (Verdict.DEAD, None)


def test_somebody_elses_training_of_the_run_is_not_this_attempt(handle, hold):
    write_json(handle.files.path / "launcher.json", {"group": 1})
    (handle.run / "attempts" / "2").mkdir()
    hold(handle.run / "lease")
    assert LocalEngine().probe(handle) == (Verdict.DEAD, None)


def test_a_launcher_that_has_not_appeared_is_unknown_for_a_while(handle, clock):
    engine = LocalEngine(clock=clock)
    assert engine.probe(handle) == (Verdict.UNKNOWN, None)
    clock.now = 9.0
    assert engine.probe(handle)[0] is Verdict.UNKNOWN
    clock.now = 11.0
    assert engine.probe(handle) == (Verdict.DEAD, None)


def test_ending_asks_first_and_kills_later(handle, hold, clock):
    engine = LocalEngine(clock=clock)
    deaf = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);{HOLDER}",
            str(handle.files.path / "lease"),
        ],
        stdout=subprocess.PIPE,
        text=True,
        **platforms.own_session(),
    )
    assert deaf.stdout.readline() == "held\n"
    write_json(handle.files.path / "launcher.json", {"group": deaf.pid})
    for seconds in (0.0, 5.0, 9.0):
        clock.now = seconds
        engine.terminate(handle)
        time.sleep(0.05)
        assert deaf.poll() is None
    clock.now = 10.0
    engine.terminate(handle)
    assert deaf.wait(10) == -9
    deaf.communicate()
    assert engine.probe(handle) == (Verdict.DEAD, None)
    engine.terminate(handle)  # harmless


def test_each_gpu_is_the_only_one_its_worker_sees(monkeypatch):
    second = Device(name="cuda:1", title="")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert _environment(second)["CUDA_VISIBLE_DEVICES"] == "1"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5")
    assert _environment(second)["CUDA_VISIBLE_DEVICES"] == "5"
    assert _environment(Device(name="cpu", title=""))["CUDA_VISIBLE_DEVICES"] == "3,5"


def test_a_run_that_cannot_be_used_ends_with_its_sentence_in_the_log(handle, tmp_path):
    engine = LocalEngine()
    lock = tmp_path / "cpu.lock"
    engine.submit(handle, engine.capacity()[-1], lock)
    end = time.monotonic() + 240  # a busy machine is not a failure
    while (found := engine.probe(handle))[0] is not Verdict.DEAD:
        assert time.monotonic() < end
        time.sleep(0.05)
    assert found == (Verdict.DEAD, Exit(code=2))
    assert "holds no run" in (handle.files.path / "log.txt").read_text()
    assert not Lease(lock).is_held()
