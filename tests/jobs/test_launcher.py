"""Real launchers around workers that are one line of Python, so that each takes a moment only."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from genimg.jobs import platforms
from genimg.storage import Lease

pytestmark = pytest.mark.skipif(platforms.WINDOWS, reason="never run on Windows")

LAUNCHER = """
import sys
from genimg.jobs import launcher
assert "torch" not in sys.modules, "a launcher must be small"
launcher._command = lambda options: [sys.executable, "-u", "-c", sys.argv[1]]
sys.exit(launcher.main(sys.argv[2:]))
"""
SLEEP = "import time; print('awake', flush=True); time.sleep(60)"


@pytest.fixture
def launch(tmp_path):
    """Start a launcher whose worker runs `code`; its output goes to log.txt."""
    processes = []

    def start(code: str, attempt: int = 1, *options: str) -> subprocess.Popen:
        folder = tmp_path / "attempts" / str(attempt)
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "log.txt").open("ab") as log:
            command = [sys.executable, "-c", LAUNCHER, code, str(tmp_path)]
            process = subprocess.Popen(
                [*command, "--attempt", str(attempt), *options],
                stdout=log,
                stderr=log,
                **platforms.own_session(),
            )
        processes.append(process)
        return process

    yield start
    for process in processes:
        platforms.end_group(process.pid, kill=True)
        process.wait()


def wait_for_log(folder: Path, word: str) -> None:
    end = time.monotonic() + 30
    while word not in (folder / "log.txt").read_text():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_output_from_the_first_byte_and_the_exit(launch, tmp_path):
    code = "import os, sys; os.write(1, b'first'); os.write(2, b' second'); sys.exit(75)"
    assert launch(code).wait(30) == 75
    folder = tmp_path / "attempts" / "1"
    assert (folder / "log.txt").read_text() == "first second"
    ended = json.loads((folder / "exit.json").read_text())
    assert (ended["code"], ended["signal"], ended["memory_full"]) == (75, None, False)
    assert ended["peak_memory"] > 10**6
    assert ended["seconds"] >= 0
    assert not list(folder.glob(".*"))


def test_the_output_of_a_worker_that_cannot_be_started_is_kept(launch, tmp_path):
    launch("this is no Python").wait(30)
    assert "SyntaxError" in (tmp_path / "attempts" / "1" / "log.txt").read_text()


def test_a_worker_that_a_signal_ended(launch, tmp_path):
    assert launch("import os, signal; os.kill(os.getpid(), signal.SIGKILL)").wait(30) == 1
    ended = json.loads((tmp_path / "attempts" / "1" / "exit.json").read_text())
    assert (ended["code"], ended["signal"]) == (None, signal.SIGKILL)


def test_a_request_to_end_reaches_the_worker_once_and_the_launcher_stays(launch, tmp_path):
    code = (
        "import signal, sys, time; got = [];"
        "signal.signal(signal.SIGTERM, lambda *a: got.append(1)); print('awake', flush=True);"
        "time.sleep(1); sys.exit(70 + len(got))"
    )
    process = launch(code)
    wait_for_log(tmp_path / "attempts" / "1", "awake")
    os.kill(process.pid, signal.SIGHUP)
    platforms.end_group(process.pid, kill=False)
    assert process.wait(30) == 71
    assert json.loads((tmp_path / "attempts" / "1" / "exit.json").read_text())["code"] == 71


def test_its_lease_lives_exactly_as_long_as_it(launch, tmp_path):
    folder = tmp_path / "attempts" / "1"
    process = launch(SLEEP)
    wait_for_log(folder, "awake")
    assert Lease(folder / "lease").is_held()
    assert json.loads((folder / "launcher.json").read_text())["group"] == process.pid
    platforms.end_group(process.pid, kill=True)
    process.wait()
    assert not Lease(folder / "lease").is_held()
    assert not (folder / "exit.json").exists()  # nobody was there to write it


def test_an_attempt_is_made_once(launch, tmp_path):
    assert launch("print('once')").wait(30) == 0
    assert launch("print('once')").wait(30) == 2
    log = (tmp_path / "attempts" / "1" / "log.txt").read_text()
    assert log == "once\nerror: this attempt has ended; nothing was started\n"


def test_a_replaced_attempt_is_not_started(launch, tmp_path):
    (tmp_path / "attempts" / "2").mkdir(parents=True)
    assert launch("print('late')", 1).wait(30) == 2
    assert "late" not in (tmp_path / "attempts" / "1" / "log.txt").read_text()


def test_its_worker_has_a_lower_priority(launch, tmp_path):
    launch("import os; print(os.nice(0))", 1, "--nice", "0").wait(30)
    launch("import os; print(os.nice(0))", 2, "--nice", "7").wait(30)
    first, second = (int((tmp_path / "attempts" / name / "log.txt").read_text()) for name in "12")
    assert second - first == 7


def test_who_is_to_come_again_has_not_ended(launch, tmp_path):
    code = (
        "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(75));"
        "print('awake', flush=True); signal.pause()"
    )
    folder, launchers = tmp_path / "attempts" / "1", []
    for _ in range(2):  # the second one is not refused
        launchers.append(launch(code))
        wait_for_log(folder, "awake\n" * len(launchers))
        launchers[-1].send_signal(signal.SIGUSR2)
        platforms.end_group(launchers[-1].pid, kill=False)
        assert launchers[-1].wait(30) == 75
        assert not (folder / "exit.json").exists()
    launch("import sys; sys.exit(0)").wait(30)
    assert json.loads((folder / "exit.json").read_text())["code"] == 0
