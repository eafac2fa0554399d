import contextlib
import dataclasses

import pytest

from genimg.jobs import commands as module
from genimg.jobs.commands import sweep
from genimg.jobs.devices import Device
from genimg.jobs.limits import UsageLimits
from genimg.jobs.states import ACTIONS, State
from genimg.storage import Lease, read_json
from genimg.training.run_directory import RunDirectory

EVERY = [*State]
CONTROLS = ("pause", "resume", "cancel", "save_now", "sample_now", "delete")


def test_a_run_is_queued_whole(commands, root, spec):
    job = commands.start(spec, actor="ada", name=" My  run ")
    assert (job.name, job.owner, job.device, job.state) == ("My run", "ada", "cpu", State.QUEUED)
    request = RunDirectory(root / job.id).read_spec()
    assert (request.run.device, request.resolved) == ("cpu", {})
    assert read_json(root / job.id / "job.json") == job.to_dict()
    assert not list(root.glob(".new-*"))


def test_the_same_click_makes_one_run(commands, index, spec):
    first = commands.start(spec, actor="ada", token="click")
    assert commands.start(spec, actor="ada", token="click") == first
    assert commands.start(spec, actor="bob", token="click") != first
    assert len(index.jobs()) == 2


def test_a_run_that_cannot_be_written_leaves_nothing(commands, root, index, spec, monkeypatch):
    def full(path, value):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "write_json", full)
    with pytest.raises(OSError, match="No space"):
        commands.start(spec, actor="ada")
    assert index.jobs() == []
    assert not [path for path in root.iterdir() if path.is_dir()]


def test_limits_hold_for_everybody_but_a_teacher(commands, spec):
    commands.limits = UsageLimits(queued_runs=1)
    commands.start(spec, actor="ada")
    with pytest.raises(PermissionError, match="1 unfinished"):
        commands.start(spec, actor="ada")
    commands.start(spec, actor="bob")
    commands.start(spec, actor="ada", is_teacher=True)


def test_what_cannot_fit_is_refused(commands, engine, spec):
    engine.devices = [Device(name="cpu", title="CPU", total_memory=10**6)]
    with pytest.raises(ValueError, match="of memory and CPU has 1 MB"):
        commands.start(spec, actor="ada", is_teacher=True)


@pytest.mark.parametrize("nickname", ["", "x" * 81, "\x00", " terminal "])
def test_a_nickname_is_needed(commands, spec, nickname):
    with pytest.raises(ValueError, match="nickname"):
        commands.start(spec, actor=nickname)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ({"format": 2}, "not the specification of a genimg run of format 1"),
        ({"kind": "x"}, "there is no model kind 'x'"),
        ({"run": None}, "RunConfig needs a dictionary, not NoneType"),
        ({"more": 1}, "has a field 'more' that is not known"),
    ],
)
def test_a_specification_is_checked(commands, index, spec, damage, words):
    with pytest.raises(ValueError, match=words):
        commands.start(spec | damage, actor="ada")
    assert index.jobs() == []


def test_a_run_on_any_gpu_asks_for_no_number(commands, engine, root, spec):
    engine.devices = [Device(name=f"cuda:{n}", title="A card") for n in range(2)] + engine.devices
    anyone = commands.start(spec, actor="ada")
    second = commands.start(spec, actor="ada", device="cuda:1")
    assert (anyone.device, second.device) == ("cuda", "cuda:1")
    for job in (anyone, second):
        assert RunDirectory(root / job.id).read_spec().run.device == "cuda"


@pytest.mark.parametrize("state", EVERY)
@pytest.mark.parametrize("command", CONTROLS)
def test_a_command_given_twice_is_a_command_given_once(commands, index, add_job, command, state):
    job = add_job(state)
    do = getattr(commands, command)
    try:
        once = do(job.id, actor="ada")
    except ValueError:
        assert index.job(job.id) == job  # refused: nothing has changed
        assert command not in ACTIONS[state]  # and the page did not offer it
        return
    after = index.job(job.id)
    assert do(job.id, actor="ada") == once
    assert index.job(job.id) == after


@pytest.mark.parametrize("state", EVERY)
def test_what_is_offered_can_be_done(commands, index, add_job, state):
    for command in ACTIONS[state]:
        job = add_job(state)
        more = {"rename": ["new"], "move": [1]}.get(command, [])
        getattr(commands, command)(job.id, *more, actor="ada")


@pytest.mark.parametrize("command", [*CONTROLS, "rename", "move"])
def test_only_the_owner_and_a_teacher_may(commands, index, add_job, command):
    job = add_job(State.PAUSED)
    more = {"rename": ["new"], "move": [1]}.get(command, [])
    for stranger in ("bob", "", "Ada"):
        with pytest.raises(PermissionError, match="belongs to ada"):
            getattr(commands, command)(job.id, *more, actor=stranger)
    assert index.job(job.id) == job
    with contextlib.suppress(ValueError):  # not in this state, but not for who asks
        getattr(commands, command)(job.id, *more, actor="bob", is_teacher=True)


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
def test_states_and_wishes(commands, add_job, root, state, command, after, wish):
    job = add_job(state)
    assert getattr(commands, command)(job.id, actor="ada").state is after
    assert RunDirectory(root / job.id).read_control()["command"] == wish


def test_nothing_overtakes_a_pause(commands, add_job, root):
    job = add_job(State.RUNNING)
    commands.pause(job.id, actor="ada")
    commands.sample_now(job.id, actor="ada")
    assert RunDirectory(root / job.id).read_control()["command"] == "pause"


def test_resuming_queues_at_the_end_and_forgets_the_failure(commands, index, add_job):
    job = add_job(State.FAILED, kind="disk", message="full", retries=2)
    other = add_job()
    again = commands.resume(job.id, actor="ada")
    assert (again.kind, again.message, again.retries) == ("", "", 0)
    assert again.position > other.position
    diverged = add_job(State.FAILED, kind="diverged")
    with pytest.raises(ValueError, match="lower learning rates"):
        commands.resume(diverged.id, actor="ada")


def test_moving_changes_places_and_a_double_click_moves_once(commands, index, add_job):
    ids = [add_job().id for _ in range(3)]

    def order():
        return [ids.index(job.id) for job in index.jobs()]

    shown = index.job(ids[2]).position
    commands.move(ids[2], -1, actor="ada", seen=shown)
    commands.move(ids[2], -1, actor="ada", seen=shown)
    assert order() == [0, 2, 1]
    commands.move(ids[2], -1, actor="ada")
    commands.move(ids[2], -1, actor="ada")  # it is the first already
    assert order() == [2, 0, 1]
    with pytest.raises(ValueError, match="step must be -1 or 1"):
        commands.move(ids[2], 2, actor="ada")


def test_deleting_frees_the_disk_and_twice_is_no_error(commands, index, add_job, root):
    job = add_job(State.SUCCEEDED)
    commands.delete(job.id, actor="ada")
    assert index.job(job.id) is None
    assert not list(root.glob(f"*{job.id}*"))
    commands.delete(job.id, actor="ada")


def test_what_is_being_trained_is_not_deleted(commands, add_job, root, monkeypatch):
    running, by_hand = add_job(State.RUNNING), add_job(State.PAUSED)
    monkeypatch.setattr(Lease, "is_held", lambda lease: by_hand.id in str(lease.path))
    for job in (running, by_hand):
        with pytest.raises(ValueError, match="being trained"):
            commands.delete(job.id, actor="ada", is_teacher=True)
        assert (root / job.id / "spec.json").exists()


@pytest.mark.parametrize("id", ["nope", "", "..", "../x", "/"])
def test_a_job_that_is_not_there(commands, root, id):
    for command in ("pause", "resume", "cancel", "save_now"):
        with pytest.raises(ValueError, match="there is no job"):
            getattr(commands, command)(id, actor="ada", is_teacher=True)
    commands.delete(id, actor="ada", is_teacher=True)
    assert root.is_dir()


def test_leftovers_of_a_killed_process_are_swept(root, add_job):
    job = add_job()
    for name in (".new-x", ".deleted-y"):
        (root / name).mkdir()
        (root / name / "file").write_text("")
    sweep(root)
    assert not list(root.glob(".*"))
    assert (root / job.id / "spec.json").exists()


def test_a_change_that_comes_too_late_says_so(commands, index, add_job, monkeypatch):
    job = add_job()
    stale = dataclasses.replace(job, attempt=7)
    monkeypatch.setattr(index, "job", lambda id: stale)
    with pytest.raises(ValueError, match="has just changed"):
        commands.pause(job.id, actor="ada")
