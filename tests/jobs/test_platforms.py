import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from genimg.jobs import platforms

pytestmark = pytest.mark.skipif(platforms.WINDOWS, reason="never run on Windows")


def child(code: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, **platforms.own_session()
    )


def test_a_session_of_its_own_is_ended_as_a_whole():
    code = (
        "import subprocess, sys, time;"
        "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
        "print(p.pid, flush=True); time.sleep(60)"
    )
    leader = child(code)
    grandchild = int(leader.stdout.readline())
    assert os.getpgid(leader.pid) == os.getpgid(grandchild) == leader.pid
    assert os.getsid(leader.pid) != os.getsid(0)
    platforms.end_group(leader.pid, kill=True)
    leader.communicate()
    assert leader.returncode == -signal.SIGKILL
    for _ in range(200):
        try:
            stat = Path(f"/proc/{grandchild}/stat").read_text()
        except OSError:
            break
        if stat.rpartition(")")[2].split()[0] == "Z":  # it waits to be buried
            break
        time.sleep(0.01)
    else:
        pytest.fail("the grandchild is alive")
    platforms.end_group(leader.pid, kill=True)  # it is gone: harmless


def test_a_process_is_ended_with_all_that_it_started():
    code = (
        "import subprocess, sys;"
        "nap = [sys.executable, '-c', 'import time; time.sleep(60)'];"
        "p = subprocess.Popen(nap, start_new_session=True);"  # out of reach of `end_group`
        "print(p.pid, flush=True); p.wait()"
    )
    root = child(code)
    other = psutil.Process(int(root.stdout.readline()))
    platforms.end_tree(root.pid)
    assert root.wait() == -signal.SIGKILL
    assert psutil.wait_procs([other], timeout=60)[1] == []
    platforms.end_tree(root.pid)  # it is gone: harmless


def test_farewells_are_survived_but_not_inherited():
    code = (
        "import os, signal, subprocess, sys; from genimg.jobs import platforms;"
        "platforms.ignore_farewells();"
        "os.kill(os.getpid(), signal.SIGHUP); os.kill(os.getpid(), signal.SIGTERM);"
        "p = subprocess.run([sys.executable, '-c',"
        " 'import os, signal; os.kill(os.getpid(), signal.SIGTERM)']);"
        "print(p.returncode)"
    )
    process = child(code)
    assert process.communicate()[0] == f"{-signal.SIGTERM}\n"
    assert process.returncode == 0


def test_a_lower_priority():
    code = (
        "import os; from genimg.jobs import platforms;"
        "before = os.nice(0); platforms.lower_priority(0); middle = os.nice(0);"
        "platforms.lower_priority(5); print(middle - before, os.nice(0) - before)"
    )
    assert child(code).communicate()[0] == "0 5\n"


def test_memory_is_plausible():
    total, free = platforms.memory()
    assert 2**27 < free <= total <= psutil.virtual_memory().total
    assert platforms.memory_kills() >= 0
    subprocess.run([sys.executable, "-c", "x = bytearray(80_000_000)"], check=True)
    assert 80_000_000 < platforms.peak_memory_of_children() < total


@pytest.mark.parametrize(
    ("text", "number"),
    [("oom 3\noom_kill 7\n", 7), ("oom_kill_group 7\n", None), ("", None), ("\n\n", None)],
)
def test_a_number_in_a_file_of_the_system(tmp_path, text, number):
    (tmp_path / "f").write_text(text)
    assert platforms._number_after("oom_kill", tmp_path / "f") == number


@pytest.mark.parametrize(("text", "number"), [("12\n", 12), ("max\n", None)])
def test_a_limit_of_the_container(tmp_path, text, number):
    (tmp_path / "f").write_text(text)
    assert platforms._number_in(tmp_path / "f") == number
