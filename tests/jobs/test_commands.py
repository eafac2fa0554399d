import contextlib
import dataclasses

import pytest

from genimg.jobs.commands import (
    COMMANDS,
    Delete,
    Move,
    Pause,
    Resume,
    SampleNow,
    Start,
    StartRace,
)
from genimg.jobs.devices import Device
from genimg.jobs.limits import UsageLimits, Visitor
from genimg.jobs.states import ACTIONS, State
from genimg.storage import Lease, read_json
from genimg.training.run_directory import RunDirectory

EVERY = [*State]
TEACHER = Visitor("ada", is_teacher=True)
CONTROLS = ("pause", "resume", "cancel", "save_now", "sample_now", "delete")


def test_a_run_is_queued_whole(do, root, spec):
    job = do(Start(spec, name=" My  run "))
    assert (job.name, job.owner, job.device, job.state) == ("My run", "ada", "cpu", State.QUEUED)
    request = RunDirectory(root / job.id).read_spec()
    assert (request.run.device, request.resolved) == ("cpu", {})
    assert read_json(root / job.id / "job.json") == job.to_dict()
    assert not list(root.glob(".new-*"))


def test_the_same_click_makes_one_run(do, index, spec):
    first = do(Start(spec, token="click"))
    assert do(Start(spec, token="click")) == first
    assert do(Start(spec, token="click"), Visitor("bob")) != first
    assert len(index.jobs()) == 2


def test_a_run_that_cannot_be_written_leaves_nothing(do, root, index, spec, monkeypatch):
    def full(path, value):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("genimg.jobs.runs.write_json", full)
    with pytest.raises(OSError, match="No space"):
        do(Start(spec))
    assert index.jobs() == []
    assert not [path for path in root.iterdir() if path.is_dir()]


def test_limits_hold_for_everybody_but_a_teacher(do, runs, spec):
    runs.limits = UsageLimits(queued_runs=1)
    do(Start(spec))
    with pytest.raises(PermissionError, match="1 unfinished"):
        do(Start(spec))
    do(Start(spec), Visitor("bob"))
    do(Start(spec), TEACHER)


def test_what_cannot_fit_is_refused(do, engine, spec):
    engine.devices = [Device(name="cpu", title="CPU", total_memory=10**6)]
    with pytest.raises(ValueError, match="of memory and CPU has 1 MB"):
        do(Start(spec), TEACHER)


@pytest.mark.parametrize("nickname", ["", "x" * 81, "\x00", " terminal "])
def test_a_nickname_is_needed(do, spec, nickname):
    with pytest.raises(ValueError, match="nickname"):
        do(Start(spec), Visitor(nickname))


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ({"format": 2}, "not the specification of a genimg run of format 1"),
        ({"kind": "x"}, "there is no model kind 'x'"),
        ({"run": None}, "RunConfig needs a dictionary, not NoneType"),
        ({"more": 1}, "has a field 'more' that is not known"),
    ],
)
def test_a_specification_is_checked(do, index, spec, damage, words):
    with pytest.raises(ValueError, match=words):
        do(Start(spec | damage))
    assert index.jobs() == []


def test_a_run_on_any_gpu_asks_for_no_number(do, engine, root, spec):
    engine.devices = [Device(name=f"cuda:{n}", title="A card") for n in range(2)] + engine.devices
    anyone = do(Start(spec))
    second = do(Start(spec, device="cuda:1"))
    assert (anyone.device, second.device) == ("cuda", "cuda:1")
    for job in (anyone, second):
        assert RunDirectory(root / job.id).read_spec().run.device == "cuda"


@pytest.fixture
def race(spec):
    """A race of two runs of the given token."""

    def race(token=None):
        return StartRace("objective", [spec, spec], ["one", "other"], token=token)

    return race


def test_a_race_is_queued_whole_and_the_same_click_makes_one(do, root, index, race):
    id = do(race("click"))
    assert id.startswith("objective-")
    jobs = index.jobs()
    assert [(job.name, job.race, job.state) for job in jobs] == [
        ("one", id, State.QUEUED),
        ("other", id, State.QUEUED),
    ]
    assert [read_json(root / job.id / "job.json") for job in jobs] == [j.to_dict() for j in jobs]
    assert do(race("click")) == id
    assert index.jobs() == jobs
    assert do(race("another click")) != id
    assert len({job.id for job in index.jobs()}) == 4


def test_limits_hold_for_a_whole_race(do, runs, index, spec, race):
    runs.limits = UsageLimits(queued_runs=2)
    do(Start(spec))
    with pytest.raises(PermissionError, match=r"1 unfinished runs and 2 are .* fewer at once"):
        do(race())
    assert len(index.jobs()) == 1  # nothing of it was queued
    do(race(), Visitor("bob"))
    do(race(), TEACHER)


def test_a_race_of_which_one_run_is_wrong_leaves_nothing(do, root, index, spec):
    wrong = spec | {"run": spec["run"] | {"batch_size": 0}}
    with pytest.raises(ValueError, match="batch_size"):
        do(StartRace("objective", [spec, wrong], ["one", "other"]))
    assert index.jobs() == []
    assert not [path for path in root.iterdir() if path.is_dir()]


def test_a_race_of_which_one_run_cannot_be_written_leaves_nothing(
    do, root, index, runs, race, monkeypatch
):
    write, written = runs.write_run, []

    def write_the_first(job, request):
        if written:
            raise OSError(28, "No space left on device")
        written.append(write(job, request))

    monkeypatch.setattr(runs, "write_run", write_the_first)
    with pytest.raises(OSError, match="No space"):
        do(race())
    assert index.jobs() == []
    assert not [path for path in root.iterdir() if path.is_dir()]


@pytest.mark.parametrize("state", EVERY)
@pytest.mark.parametrize("command", CONTROLS)
def test_a_command_given_twice_is_a_command_given_once(do, index, add_job, command, state):
    job = add_job(state)
    try:
        once = do(COMMANDS[command](job.id))
    except ValueError:
        assert index.job(job.id) == job  # refused: nothing has changed
        assert command not in ACTIONS[state]  # and the page did not offer it
        return
    after = index.job(job.id)
    assert do(COMMANDS[command](job.id)) == once
    assert index.job(job.id) == after


@pytest.mark.parametrize("state", EVERY)
def test_what_is_offered_can_be_done(do, index, add_job, state):
    for command in ACTIONS[state]:
        job = add_job(state)
        more = {"rename": ["new"], "move": [1]}.get(command, [])
        do(COMMANDS[command](job.id, *more))


@pytest.mark.parametrize("command", [*CONTROLS, "rename", "move"])
def test_only_the_owner_and_a_teacher_may(do, index, add_job, command):
    job = add_job(State.PAUSED)
    more = {"rename": ["new"], "move": [1]}.get(command, [])
    for stranger in ("bob", "", "Ada"):
        with pytest.raises(PermissionError, match="belongs to ada"):
            do(COMMANDS[command](job.id, *more), Visitor(stranger))
    assert index.job(job.id) == job
    with contextlib.suppress(ValueError):  # not in this state, but not for who asks
        do(COMMANDS[command](job.id, *more), Visitor("bob", is_teacher=True))


@pytest.mark.parametrize(
    ("state", "command", "after", "wish"),
    [
        (State.RUNNING, "pause", State.PAUSING, "pause"),
        (State.STARTING, "cancel", State.CANCELLING, "cancel"),
        (State.PAUSING, "cancel", State.CANCELLING, "cancel"),
        (State.RUNNING, "save_now", State.RUNNING, "save_now"),
        (State.QUEUED, "pause", State.PAUSED, None),
        (State.PAUSED, "resume", State.QUEUED, None),
        (State.FAILED, "resume", State.QUEUED, None),
        (State.INTERRUPTED, "cancel", State.CANCELLED, None),
    ],
)
def test_states_and_wishes(do, add_job, root, state, command, after, wish):
    job = add_job(state)
    assert do(COMMANDS[command](job.id)).state is after
    assert RunDirectory(root / job.id).read_control()["command"] == wish


def test_nothing_overtakes_a_pause(do, add_job, root):
    job = add_job(State.RUNNING)
    do(Pause(job.id))
    do(SampleNow(job.id))
    assert RunDirectory(root / job.id).read_control()["command"] == "pause"


def test_resuming_queues_at_the_end_and_forgets_the_failure(do, index, add_job):
    job = add_job(State.FAILED, kind="disk", message="full", retries=2)
    other = add_job()
    again = do(Resume(job.id))
    assert (again.kind, again.message, again.retries) == ("", "", 0)
    assert again.position > other.position
    diverged = add_job(State.FAILED, kind="diverged")
    with pytest.raises(ValueError, match="lower learning rates"):
        do(Resume(diverged.id))


def test_moving_changes_places_and_a_double_click_moves_once(do, index, add_job):
    ids = [add_job().id for _ in range(3)]

    def order():
        return [ids.index(job.id) for job in index.jobs()]

    shown = index.job(ids[2]).position
    do(Move(ids[2], -1, seen=shown))
    do(Move(ids[2], -1, seen=shown))
    assert order() == [0, 2, 1]
    do(Move(ids[2], -1))
    do(Move(ids[2], -1))  # it is the first already
    assert order() == [2, 0, 1]
    with pytest.raises(ValueError, match="step must be -1 or 1"):
        do(Move(ids[2], 2))
    with pytest.raises(ValueError, match="step must be"):
        do(Move(ids[2], 1.0))


def test_deleting_frees_the_disk_and_twice_is_no_error(do, index, add_job, root):
    job = add_job(State.SUCCEEDED)
    do(Delete(job.id))
    assert index.job(job.id) is None
    assert not list(root.glob(f"*{job.id}*"))
    do(Delete(job.id))


def test_what_is_being_trained_is_not_deleted(do, add_job, root, monkeypatch):
    running, by_hand = add_job(State.RUNNING), add_job(State.PAUSED)
    monkeypatch.setattr(Lease, "is_held", lambda lease: by_hand.id in str(lease.path))
    for job in (running, by_hand):
        with pytest.raises(ValueError, match="being trained"):
            do(Delete(job.id), TEACHER)
        assert (root / job.id / "spec.json").exists()


@pytest.mark.parametrize("id", ["nope", "", "..", "../x", "/"])
def test_a_job_that_is_not_there(do, root, id):
    for command in ("pause", "resume", "cancel", "save_now"):
        with pytest.raises(ValueError, match="there is no job"):
            do(COMMANDS[command](id), TEACHER)
    do(Delete(id), TEACHER)
    assert root.is_dir()


def test_a_change_that_comes_too_late_says_so(do, index, add_job, monkeypatch):
    job = add_job()
    stale = dataclasses.replace(job, attempt=7)
    monkeypatch.setattr(index, "job", lambda id: stale)
    with pytest.raises(ValueError, match="has just changed"):
        do(Pause(job.id))


def test_a_run_goes_on_elsewhere_on_the_same_kind_of_device(do, engine, index, add_job):
    engine.devices.append(Device(name="ray/cpu", title="CPU of a cluster", places=4))
    job = add_job(State.FAILED)
    assert do(Resume(job.id, engine="ray")).device == "ray/cpu"
    job = index.change(index.job(job.id), state=State.PAUSED)
    assert do(Resume(job.id)).device == "ray/cpu"
    job = index.change(index.job(job.id), state=State.PAUSED)
    with pytest.raises(ValueError, match="no device 'slurm/cpu'"):
        do(Resume(job.id, engine="slurm"))
    assert do(Resume(job.id, engine="local")).device == "cpu"


def test_only_the_teacher_spends_money(do, engine, index, spec):
    rented = Device(name="hf/cpu", title="A machine of theirs", dollars_an_hour=0.03)
    engine.devices.append(rented)
    for command in (
        Start(spec, device="hf"),
        StartRace("seed", [spec] * 2, ["a", "b"], device="hf/cpu"),
    ):
        with pytest.raises(PermissionError, match="costs money, so only the teacher"):
            do(command)
    assert index.jobs() == []
    job = do(Start(spec, device="hf"), TEACHER)
    assert job.device == "hf/cpu"
    index.change(job, state=State.PAUSED)
    with pytest.raises(PermissionError, match="costs money"):
        do(Resume(job.id))
    assert do(Resume(job.id, engine="local"), TEACHER).device == "cpu"
