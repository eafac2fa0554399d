"""Two servers and a killed one: real processes, and one real run that outlives them."""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from genimg.jobs import platforms
from genimg.jobs.commands import Cancel, Pause, Rebuild, Rename, Start
from genimg.jobs.inbox import Inbox
from genimg.jobs.job import Job
from genimg.jobs.limits import UsageLimits, Visitor
from genimg.jobs.manager import JobManager
from genimg.jobs.service import Service
from genimg.jobs.states import State
from genimg.storage import read_json
from genimg.training.run_directory import RunDirectory
from genimg.training.spec import RunSpec

ADA = Visitor("ada")

pytestmark = pytest.mark.slow

SERVER = """
import sys, time
from genimg.jobs.engine import LocalEngine
from genimg.jobs.manager import JobManager
with JobManager(sys.argv[1], engine=LocalEngine(nice=0)) as manager:
    print(manager.supervising, flush=True)
    time.sleep(600)
"""


@pytest.fixture
def server(root):
    """Start servers on the root, in processes of their own."""
    processes = []

    def start() -> subprocess.Popen:
        process = subprocess.Popen(
            [sys.executable, "-c", SERVER, str(root)],
            stdout=subprocess.PIPE,
            text=True,
            **platforms.own_session(),
        )
        processes.append(process)
        assert process.stdout.readline() == "True\n"
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


@pytest.fixture
def service(root, engine):
    opened = Service(root, UsageLimits(), engine, by_request=False)
    yield opened
    opened.close()


def group_is_alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def end_runs(root) -> None:
    """End what a failed test may have left."""
    for path in root.glob("*/attempts/*/launcher.json"):
        if not (path.parent / "exit.json").exists():
            platforms.end_group(read_json(path)["group"], kill=True)


def test_a_second_server_reads_and_says_so_and_takes_over_when_the_first_is_killed(
    root, engine, server
):
    first = server()
    second = Service(root, UsageLimits(), engine, by_request=False)
    try:
        assert not second.supervising
        assert f"process {first.pid} on {platforms.host()} looks after these runs" in second.notice
        assert second.jobs() == []
        with pytest.raises(ValueError, match="can only be watched"):
            second.do(Rebuild(), ADA)
        second.step()
        assert not second.supervising
        first.kill()
        first.wait()
        second.step()
        assert second.supervising
        assert second.notice == ""
        assert second.do(Rebuild(), ADA) == 0
    finally:
        second.close()


def test_a_second_service_of_this_process_does_not_free_the_first_ones_lease(root, service, engine):
    other = Service(root, UsageLimits(), engine, by_request=False)
    assert service.supervising
    assert not other.supervising
    other.close()
    code = (
        "import sys; from genimg.storage import Lease;"
        "print(Lease(sys.argv[1] + '/supervisor.lock').is_held())"
    )
    said = subprocess.run([sys.executable, "-c", code, str(root)], capture_output=True, text=True)
    assert said.stdout == "True\n"


def test_a_damaged_index_is_rebuilt_while_the_server_runs(root, service, spec):
    job = service.do(Start(spec), ADA)
    service.step()  # it starts
    broken = b"SQLite format 3\0" + b"?" * (root / "jobs.sqlite").stat().st_size
    (root / "jobs.sqlite").write_bytes(broken)
    for _ in range(3):
        service.step()
    assert service.supervising
    [again] = service.jobs()
    assert (again.id, again.attempt) == (job.id, 1)


def as_a_stranger(function) -> dict:
    """Return what `function` does in a process that may not write what is root's."""
    readable, writable = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            if os.getuid() == 0:
                os.setuid(65534)
            said = function()
        except BaseException as error:
            said = {"error": repr(error)}
        os.write(writable, json.dumps(said).encode())
        os._exit(0)
    os.close(writable)
    with os.fdopen(readable) as pipe:
        said = json.load(pipe)
    os.waitpid(pid, 0)
    return said


@pytest.mark.parametrize("left", ["the list of runs", "no list", "an empty folder"])
@pytest.mark.parametrize("by_request", [True, False])
def test_in_a_folder_that_cannot_be_written_runs_can_be_watched(engine, spec, left, by_request):
    with tempfile.TemporaryDirectory() as folder:  # pytest's own are for its user alone
        root = Path(folder)
        ids = []
        if left != "an empty folder":
            first = Service(root, UsageLimits(), engine, by_request=False)
            ids.append(first.do(Start(spec), ADA).id)
            first.close()
            RunDirectory.create(root / "terminal", RunSpec.from_dict(spec)).new_attempt()
            (root / "terminal" / "lease").touch()
            ids.append("terminal")
        if left == "no list":
            (root / "jobs.sqlite").unlink()
        for path in [root, *root.rglob("*")]:
            path.chmod(0o555 if path.is_dir() else 0o444)

        def look() -> dict:
            manager = JobManager(root, engine=engine, by_request=by_request)
            manager.step()
            said = {
                "jobs": sorted(seen.job.id for seen in manager.snapshot()),
                "notice": manager.notice,
                "supervising": manager.supervising,
                "only_watches": manager.only_watches,
            }
            try:
                manager.do(Rebuild(), ADA)
            except OSError as error:
                said["refusal"] = str(error)
            manager.close()
            return said

        said = as_a_stranger(look)
        for path in [root, *root.rglob("*")]:
            path.chmod(0o755)
    assert "cannot be written" in said["notice"]
    assert str(root) not in said["notice"]  # the page shows it to everybody
    assert said == {
        "jobs": sorted(ids),
        "notice": said["notice"],
        "refusal": said["notice"],
        "supervising": False,
        "only_watches": True,
    }


def test_a_folder_that_can_be_written_again_is_taken_over(root, engine, monkeypatch):
    def refuse(root):
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr("genimg.jobs.service.Index", refuse)
        service = Service(root, UsageLimits(), engine, by_request=True)
        assert "cannot be written (Permission denied)" in service.notice
        with pytest.raises(OSError, match="only be watched"):
            service.do(Rebuild(), ADA)
    service.step()
    assert service.supervising
    assert service.notice == ""
    service.close()


def test_trouble_with_the_disk_is_shown_and_goes_away(service, monkeypatch):
    def fail():
        raise OSError("the disk is gone")

    with monkeypatch.context() as patch:
        patch.setattr(service._supervisor, "tick", fail)
        service.step()
        assert "the disk is gone" in service.notice
    service.step()
    assert service.notice == ""


def test_the_thread_survives_a_mistake(root, make_engine, caplog):
    class Mistaken(type(make_engine())):
        calls = 0

        def capacity(self):
            self.calls += 1
            raise KeyError("a mistake")

    service = Service(root, UsageLimits(), engine := Mistaken(), by_request=False)
    service.supervise()
    service.supervise()  # harmless
    end = time.monotonic() + 30
    while engine.calls < 2:
        assert time.monotonic() < end
        time.sleep(0.05)
    service.close()
    assert "the supervisor made a mistake" in caplog.text


def test_commands_of_another_process_are_answered(root, engine, server, spec):
    server()
    asking = Service(root, UsageLimits(), engine, by_request=True)
    job = asking.do(Start(spec | {"kind": "mlp-gan"}, token="click"), ADA)
    assert isinstance(job, Job)
    assert asking.do(Cancel(job.id), ADA).state in (State.CANCELLED, State.CANCELLING)
    with pytest.raises(PermissionError, match="belongs to ada"):
        asking.do(Rename(job.id, "x"), Visitor("bob"))
    with pytest.raises(ValueError, match="there is no command"):
        Inbox(root).ask("_let_go", {"visitor": {"nickname": "ada"}})
    with pytest.raises(ValueError, match="this is no command"):
        Inbox(root).ask("rebuild", {})  # who asks?
    asking.close()
    # A worker that is still loading is ended after a grace of a minute; one that was just ending
    # may have been faster.
    end = time.monotonic() + 180
    while read_json(root / job.id / "job.json")["state"] not in ("cancelled", "succeeded"):
        assert time.monotonic() < end
        time.sleep(0.1)


def test_a_run_outlives_its_server_and_the_next_one_finds_it(root, server, tiny_run, wait_for):
    first = server()
    asking = JobManager(root, by_request=True)
    job = asking.start(visitor=ADA, **tiny_run)
    asking.close()
    end = time.monotonic() + 90
    while not list((root / job.id / "ckpt").glob("step-*[1-9]")):
        assert time.monotonic() < end, (root / job.id / "attempts/1/log.txt").read_text()
        time.sleep(0.05)
    first.kill()
    first.wait()
    seen = (root / job.id / "attempts" / "1" / "status.json").stat().st_mtime
    try:
        began = time.monotonic()
        with JobManager(root) as manager:
            assert manager.supervising
            assert manager.job(job.id).attempt == 1
            wait_for(manager, lambda: manager.job(job.id).state is State.RUNNING)
            assert time.monotonic() - began < 5
            status = root / job.id / "attempts" / "1" / "status.json"
            wait_for(manager, lambda: status.stat().st_mtime > seen)  # it never stopped
            manager.do(Pause(job.id), ADA)
            wait_for(manager, lambda: manager.job(job.id).state is State.PAUSED)
            paused = manager.job(job.id)
            assert (paused.attempt, paused.message) == (1, "")
            assert paused.saved_images > 0
            # The launcher was the child of a dead process, so nobody here could have buried it.
            group = read_json(root / job.id / "attempts" / "1" / "launcher.json")["group"]
            wait_for(manager, lambda: not group_is_alive(group))
    finally:
        end_runs(root)
