"""The supervisor on a pretended engine: what it does is decided by files and answers alone."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genimg.jobs.commands import COMMANDS, StartRace
from genimg.jobs.devices import Device
from genimg.jobs.engine import Verdict
from genimg.jobs.limits import Visitor
from genimg.jobs.states import Exit, State
from genimg.jobs.supervisor import MOST_RETRIES, Supervisor, saved_images, send_wish
from genimg.storage import Lease, read_json, write_json
from genimg.training.run_directory import RunDirectory

FIRST, SECOND = (Device(name=f"cuda:{n}", title="A card", total_memory=8 * 10**9) for n in (0, 1))


def save(root, job, images_seen: int) -> None:
    """Put a checkpoint into a run that looks complete."""
    folder = root / job.id / "ckpt" / f"step-{images_seen:08d}"
    folder.mkdir(parents=True)
    names = ("model.safetensors", "ema.safetensors", "optimizer.safetensors", "state.json")
    write_json(folder / "state.json", {"images_seen": images_seen})
    for name in names[:3]:
        (folder / name).write_bytes(b"")
    files = {name: [(folder / name).stat().st_size, ""] for name in names}
    write_json(folder / "MANIFEST.json", {"files": files})


def test_a_run_from_the_queue_to_its_end(supervisor, engine, index, add_job):
    job = add_job()
    supervisor.tick()
    job = index.job(job.id)
    assert (job.state, job.attempt, job.assigned) == (State.STARTING, 1, "cpu")
    handle = supervisor.handle(job)
    assert set(engine.alive) == {handle}
    supervisor.tick()
    assert index.job(job.id).state is State.STARTING  # it has not said anything yet
    engine.report(handle)
    supervisor.tick()
    assert index.job(job.id).state is State.RUNNING
    engine.end(handle, Exit(code=0))
    supervisor.tick()
    assert index.job(job.id).state is State.SUCCEEDED
    supervisor.tick()
    assert not engine.alive


def test_one_run_at_a_time_and_the_next_in_turn(supervisor, engine, index, add_job):
    jobs = [add_job(owner=owner) for owner in ("ada", "ada", "bob")]
    started = []
    for _ in jobs:
        supervisor.tick()
        [handle] = engine.alive
        started.append(handle.run.name)
        engine.end(handle, Exit(code=0))
        supervisor.tick()
    assert started == [jobs[0].id, jobs[2].id, jobs[1].id]


def test_every_gpu_runs_one(root, index, make_engine, add_job, runs, clock):
    engine = make_engine(FIRST, SECOND)
    runs.engine = engine
    supervisor = Supervisor(root, index, engine, clock=clock)
    jobs = [add_job() for _ in range(3)]
    supervisor.tick()
    assert {index.job(job.id).assigned for job in jobs} == {"cuda:0", "cuda:1", ""}


@pytest.mark.parametrize("asked", [State.PAUSING, State.CANCELLING])
def test_a_worker_that_does_not_listen_is_ended_after_the_grace(
    supervisor, engine, index, add_job, clock, asked
):
    job = add_job()
    supervisor.tick()
    job = index.change(index.job(job.id), state=asked)
    supervisor.tick()
    clock.now = 59.0
    supervisor.tick()
    assert not engine.asked_to_end
    assert index.job(job.id).state is asked  # "stopping", never "stopped"
    clock.now = 61.0
    supervisor.tick()
    assert engine.asked_to_end == [supervisor.handle(job)]
    engine.end(supervisor.handle(job), Exit(signal=9))
    supervisor.tick()
    expected = State.PAUSED if asked is State.PAUSING else State.CANCELLED
    assert index.job(job.id).state is expected


def test_an_interrupted_run_goes_on_by_itself_while_it_makes_progress(
    supervisor, engine, index, add_job, root
):
    job = add_job()
    for attempt in range(1, 9):
        supervisor.tick()
        assert index.job(job.id).attempt == attempt
        save(root, job, attempt * 8)
        engine.end(supervisor.handle(index.job(job.id)), None)
        supervisor.tick()
    assert index.job(job.id).saved_images == 64


def test_without_progress_it_is_given_up_after_three_retries(supervisor, engine, index, add_job):
    job = add_job()
    for _ in range(1 + MOST_RETRIES):
        for _ in range(2):  # at the latest now it is running again
            supervisor.tick()
        engine.end(supervisor.handle(index.job(job.id)), Exit(signal=11))
        supervisor.tick()
    for _ in range(3):
        supervisor.tick()
    job = index.job(job.id)
    assert (job.state, job.attempt) == (State.INTERRUPTED, 1 + MOST_RETRIES)
    assert "4 times without progress" in job.message
    assert not engine.alive


def test_the_sentence_of_a_worker_reaches_the_job(supervisor, engine, index, add_job):
    job = add_job()
    supervisor.tick()
    handle = supervisor.handle(index.job(job.id))
    (handle.files.path / "log.txt").write_text("hello\nerror: there is no data set 'x'\n")
    engine.end(handle, Exit(code=2))
    supervisor.tick()
    job = index.job(job.id)
    assert (job.state, job.kind) == (State.FAILED, "unusable")
    assert job.message == "there is no data set 'x'"


def test_a_device_that_a_lost_worker_still_holds_is_not_used(
    supervisor, engine, add_job, root, monkeypatch
):
    add_job()
    monkeypatch.setattr(Lease, "is_held", lambda lease: lease.path.name == "cpu.lock")
    supervisor.tick()
    assert not engine.alive


def test_a_run_that_somebody_trains_by_hand_waits_and_the_next_one_goes(
    supervisor, engine, add_job, monkeypatch
):
    first, second = add_job(), add_job()
    monkeypatch.setattr(Lease, "is_held", lambda lease: lease.path.parent.name == first.id)
    supervisor.tick()
    assert [handle.run.name for handle in engine.alive] == [second.id]


def test_attempts_made_by_hand_are_counted(supervisor, index, add_job, root):
    job = add_job()
    RunDirectory(root / job.id).new_attempt(6)
    supervisor.tick()
    assert index.job(job.id).attempt == 7


def test_a_system_that_starts_nothing_fails_the_job_and_not_the_supervisor(
    supervisor, engine, index, add_job, monkeypatch
):
    def refuse(*arguments):
        raise OSError("no more processes")

    job = add_job()
    monkeypatch.setattr(engine, "submit", refuse)
    supervisor.tick()
    assert index.job(job.id).state is State.FAILED
    assert "no more processes" in index.job(job.id).message


def test_trouble_with_one_run_does_not_hold_up_the_others(
    supervisor, engine, index, add_job, monkeypatch
):
    bad, good = add_job(State.RUNNING), add_job(State.RUNNING)
    probe = engine.probe

    def fail_once(handle):
        if handle.run.name == bad.id:
            raise OSError("unreadable")
        return probe(handle)

    monkeypatch.setattr(engine, "probe", fail_once)
    with pytest.raises(OSError, match="unreadable"):
        supervisor.tick()
    assert index.job(good.id).state is not State.RUNNING


def test_an_old_pause_does_not_stop_a_new_attempt(supervisor, add_job, root):
    job = add_job()
    directory = RunDirectory(root / job.id)
    send_wish(directory, "pause")
    supervisor.tick()
    assert read_json(root / job.id / "control.json")["command"] == "run"
    generations = [directory.read_control()["generation"]]
    for command in ("save_now", "pause"):
        send_wish(directory, command)
        generations.append(directory.read_control()["generation"])
    assert generations == sorted(set(generations))


@pytest.mark.parametrize("damage", ["{", "[]", '{"images_seen": null}'])
def test_progress_that_cannot_be_read_is_none(root, add_job, damage):
    job = add_job()
    assert saved_images(root / job.id) == 0
    save(root, job, 8)
    assert saved_images(root / job.id) == 8
    state = root / job.id / "ckpt" / "step-00000008" / "state.json"
    state.write_text(damage.ljust(len(state.read_text())))
    assert saved_images(root / job.id) == 0


EVENTS = st.lists(
    st.sampled_from(
        ["start", "tick", "tick", "report", "end", "vanish", "pause", "resume", "cancel", "delete"]
    ),
    min_size=5,
    max_size=25,
)


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=EVENTS, picks=st.randoms(use_true_random=False))
def test_whatever_happens_one_run_per_device_and_none_is_lost(
    events, picks, supervisor, engine, index, do, add_job
):
    deleted = {job.id for job in index.jobs()}
    for job in index.jobs():
        engine.alive.pop(supervisor.handle(job), None)
        index.remove(job)
    known = set()
    for event in events:
        jobs = index.jobs()
        job = picks.choice(jobs) if jobs else None
        if event == "start":
            known.add(add_job(owner=picks.choice("ab")).id)
        elif event == "tick":
            supervisor.tick()
        elif job is None:
            continue
        elif event == "report" and supervisor.handle(job) in engine.alive:
            engine.report(supervisor.handle(job))
        elif event in ("end", "vanish") and supervisor.handle(job) in engine.alive:
            code = picks.choice([0, 1, 70, 75, 130])
            engine.end(supervisor.handle(job), Exit(code=code) if event == "end" else None)
        elif event in ("pause", "resume", "cancel", "delete"):
            for _ in range(2):  # a double click
                try:
                    do(COMMANDS[event](job.id), Visitor(job.owner))
                except ValueError:
                    break
            if event == "delete" and index.job(job.id) is None:
                known.discard(job.id)
        now = {job.id: job for job in index.jobs()}
        assert set(now) == known - deleted
        active = [supervisor.handle(job) for job in now.values() if job.active]
        assert len(active) <= 1
        assert set(engine.alive) <= set(active)  # nothing runs that is not followed


def test_an_engine_takes_as_many_as_it_has_places(root, index, make_engine, add_job, runs, clock):
    there = Device(name="ray/cpu", title="CPU of a cluster", places=2)
    engine = make_engine()
    engine.devices.append(there)
    runs.engine = engine
    engine.submit = lambda handle, device, lock: engine.alive.update({handle: device})
    supervisor = Supervisor(root, index, engine, clock=clock)
    jobs = [index.change(add_job(), device="ray/cpu") for _ in range(3)]
    supervisor.tick()
    assert [index.job(job.id).assigned for job in jobs] == ["ray/cpu", "ray/cpu", ""]
    assert {handle.device for handle in engine.alive} == {"ray/cpu"}
    engine.devices[1] = Device(name="ray/cpu", title="", places=0)  # it does not answer
    engine.end(supervisor.handle(index.job(jobs[0].id)), Exit(code=0))
    supervisor.tick()
    supervisor.tick()
    assert index.job(jobs[0].id).state is State.SUCCEEDED
    assert index.job(jobs[2].id).state is State.QUEUED


@pytest.mark.parametrize(
    ("asked", "state"), [(State.PAUSING, State.PAUSED), (State.CANCELLING, State.CANCELLED)]
)
def test_what_an_engine_has_not_begun_ends_without_a_grace(
    supervisor, engine, index, add_job, monkeypatch, asked, state
):
    job = add_job()
    supervisor.tick()
    monkeypatch.setattr(engine, "probe", lambda handle: (Verdict.WAITING, None))
    job = index.change(index.job(job.id), state=asked)
    supervisor.tick()
    assert engine.asked_to_end == [supervisor.handle(job)]
    monkeypatch.setattr(engine, "probe", lambda handle: (Verdict.DEAD, Exit(code=75)))
    supervisor.tick()
    assert (index.job(job.id).state, index.job(job.id).message) == (state, "")


def test_a_hopeless_run_of_a_sweep_is_cancelled_with_the_reason(
    root, supervisor, engine, index, do, spec, clock
):
    def report(job, value: float) -> None:
        row = {"images_seen": 40, "frechet_distance_500": value}
        (root / job.id / "attempts" / "1" / "metrics.jsonl").write_text(json.dumps(row) + "\n")
        engine.report(supervisor.handle(job))

    engine.devices = [Device(name="cpu", title="CPU", places=9, total_memory=64 * 10**9)]
    engine.submit = lambda handle, device, lock: engine.alive.update({handle: device})
    race = do(StartRace("seed", [spec] * 4, list("abcd"), stop_rule="median"))
    supervisor.tick()
    jobs = [job for job in index.jobs() if job.race == race]
    for job, value in zip(jobs, (1.0, 2.0, 2.0, 9.0), strict=True):
        report(job, value)
    supervisor.tick()
    clock.now = 11.0
    supervisor.tick()
    worst = index.job(jobs[3].id)
    assert [index.job(job.id).state for job in jobs[:3]] == [State.RUNNING] * 3
    assert (worst.state, worst.kind) == (State.CANCELLING, "stopped_early")
    assert read_json(root / worst.id / "control.json")["command"] == "cancel"
    engine.end(supervisor.handle(worst), Exit(code=130))
    supervisor.tick()
    assert index.job(worst.id).state is State.CANCELLED
    assert "9 at best by 40 pictures, and 2 is the median" in index.job(worst.id).message
    with pytest.raises(ValueError, match="no rule 'best'"):
        do(StartRace("seed", [spec] * 4, list("abcd"), stop_rule="best"))
