import os
import shutil

import pytest

from genimg.jobs.commands import Cancel, Delete, Pause, Rebuild, Resume
from genimg.jobs.job import TERMINAL
from genimg.jobs.limits import Visitor
from genimg.jobs.states import State
from genimg.jobs.terminal_runs import read_terminal_run, read_terminal_runs
from genimg.storage import write_json
from genimg.training.presets import make_spec
from genimg.training.run_directory import RunDirectory

ADA = Visitor("ada")


@pytest.fixture
def mine(root, small_models):
    """A run as `python -m genimg train` leaves it, which has trained for a while."""
    spec = make_spec("fashion-mlp", **small_models["fashion-mlp"], images=640, device="cpu")
    directory = RunDirectory.create(root / "mine", spec)
    attempt = directory.new_attempt()
    attempt.report({"images_seen": 320, "images_per_second": 80.0})
    attempt.write_status(state="running", images_seen=320, total=640, time=1e9)
    return directory


@pytest.fixture
def lease_held(monkeypatch):
    """What the lease of any run says; another process holds it or none."""
    held = [False]
    monkeypatch.setattr("genimg.storage.Lease.is_held", lambda lease: held[0])
    return held


@pytest.mark.parametrize(
    ("held", "reported", "state"),
    [
        (True, "running", State.RUNNING),
        (True, "paused", State.STARTING),  # resumed, and no status of its own yet
        (False, "running", State.INTERRUPTED),
        (False, "paused", State.PAUSED),
        (False, "succeeded", State.SUCCEEDED),
        (False, "failed", State.FAILED),
        (False, "nonsense", State.INTERRUPTED),
    ],
)
def test_its_lease_and_its_status_say_where_it_is(mine, lease_held, held, reported, state):
    lease_held[0] = held
    write_json(mine.path / "attempts" / "1" / "status.json", {"state": reported, "time": 5.0})
    job = read_terminal_run(mine.path)
    assert (job.id, job.owner, job.preset) == ("mine", TERMINAL, "fashion-mlp")
    assert (job.state, job.attempt, job.changed) == (state, 1, 5.0)


def test_the_list_shows_it_and_nothing_can_be_done_with_it(manager, mine, lease_held, small):
    lease_held[0] = True
    job = manager.start(visitor=ADA, **small)
    views = {seen.job.id: seen for seen in manager.snapshot()}
    assert set(views) == {"mine", job.id}
    assert (views["mine"].images_seen, views["mine"].total) == (320, 640)
    assert (views["mine"].seconds_left, views["mine"].actions) == (4.0, ())
    assert manager.job("mine").state is State.RUNNING
    assert manager.directory("mine").read_spec() == mine.read_spec()
    for command in (Pause, Resume, Cancel):
        with pytest.raises(ValueError, match="started in a terminal or from Python; stop it"):
            manager.do(command("mine"), Visitor(TERMINAL, is_teacher=True))
    manager.do(Delete("mine"), Visitor(TERMINAL, is_teacher=True))
    assert (mine.path / "spec.json").exists()


def test_it_is_no_job_of_the_queue(manager, mine):
    manager.step()
    assert manager.do(Rebuild(), ADA) == 0
    assert not (mine.path / "job.json").exists()


def test_what_is_no_run_or_a_job_is_left_out(root, mine, manager, small):
    job = manager.start(visitor=ADA, **small)
    for name in (".new-one", "damaged"):
        (root / name).mkdir()
    shutil.copy(mine.path / "spec.json", root / ".new-one" / "spec.json")
    (root / "damaged" / "spec.json").write_text("{")
    assert [run.id for run in read_terminal_runs(root)] == ["mine"]
    assert read_terminal_run(root / job.id) is None
    assert read_terminal_run(root / "nothing") is None
    for name in ("..", "", ".", "mine/attempts"):
        with pytest.raises(ValueError, match="there is no job"):
            manager.job(name)


def test_it_keeps_its_place_in_the_list_when_its_request_is_written_anew(mine):
    assert mine.lease.acquire()
    mine.lease.release()
    created = read_terminal_run(mine.path).created
    os.utime(mine.path / "spec.json", (created + 60, created + 60))
    assert read_terminal_run(mine.path).created == created


def test_one_that_has_not_begun(root):
    RunDirectory.create(root / "new", make_spec("fashion-mlp", images=64))
    job = read_terminal_run(root / "new")
    assert (job.attempt, job.assigned, job.state) == (0, "", State.INTERRUPTED)
    assert job.created == job.changed > 0
