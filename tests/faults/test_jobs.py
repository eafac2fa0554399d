"""Servers, launchers and workers that are killed, or get commands at bad moments."""

import json
import os
import signal
import threading
import time

import pytest

from genimg.jobs.states import State
from genimg.storage import Lease, write_json
from genimg.training import run_checkpoints

pytestmark = pytest.mark.slow

OVER = (State.SUCCEEDED, State.CANCELLED)
SUDDEN = "import signal; os.kill(os.getpid(), signal.SIGKILL)"
# Listens to neither wishes nor requests to end.
STUBBORN = "loop.Trainer._wish = lambda trainer: ''"
IMPATIENT = """
import genimg.jobs.engine, genimg.jobs.supervisor as supervisor
genimg.jobs.engine._KILL_SECONDS = 0.5
supervisor.Supervisor.__init__.__kwdefaults__["grace"] = 0.5
"""


@pytest.fixture(params=["local", "cluster", "slurm", "hf"])
def engine_kind(request) -> str:
    return request.param


def images_reported(attempt) -> list[int]:
    path = attempt / "metrics.jsonl"
    lines = path.read_text().split("\n")[:-1] if path.exists() else []
    return [json.loads(line)["images_seen"] for line in lines]


def start_and_kill_the_server(runs):
    """Return a job that has saved something and now runs without a server."""
    server = runs.serve()
    job = runs.start()
    runs.wait_for(job, State.RUNNING)
    runs.wait_for_progress(job)
    server.send(signal.SIGKILL)
    server.end()
    return job


def test_a_killed_server_is_replaced_and_the_run_never_stopped(runs):
    """Fault 7: the next server finds the run within five seconds, as it is."""
    job = start_and_kill_the_server(runs)
    runs.wait_for_progress(job)  # without any server
    began = time.monotonic()
    runs.serve()
    assert runs.ask("rename", job, name="found").state is State.RUNNING
    assert time.monotonic() - began < 5
    runs.ask("pause", job)
    paused = runs.wait_for(job, State.PAUSED)
    assert (paused.attempt, paused.message) == (1, "")
    assert paused.saved_images > 0
    reported = images_reported(runs.attempt(job))
    assert reported == [8, *range(80, reported[-1] + 1, 80)]
    assert runs.directory(job).attempt_numbers() == [1]


def test_server_and_worker_are_killed_and_the_run_goes_on(runs):
    """Fault 8: it is queued again by itself, and goes on from its last checkpoint."""
    job = start_and_kill_the_server(runs)
    runs.kill_attempt(job)
    runs.wait_until(lambda: not runs.trained(job).lease.is_held())
    saved = run_checkpoints.latest(runs.directory(job).checkpoints)
    runs.serve()
    again = runs.wait_for(job, State.RUNNING, attempt=2)
    assert again.attempt == 2
    runs.wait_until(lambda: images_reported(runs.attempt(job, 2)))
    assert images_reported(runs.attempt(job, 2))[0] > 8 * int(saved.name.removeprefix("step-"))


def test_a_run_that_dies_at_once_is_given_up_until_somebody_looks(runs, injected):
    """Faults 1 and 8: every worker is killed by a signal before it has done anything."""
    sick = runs.serve(worker=SUDDEN)
    job = runs.start(images=8 * 20)
    injected(4)
    runs.wait_until(lambda: "4 times without progress" in runs.job(job).message)
    assert runs.job(job).state is State.INTERRUPTED
    time.sleep(0.5)
    assert runs.directory(job).attempt_numbers() == [1, 2, 3, 4]
    sick.send(signal.SIGKILL)
    sick.end()
    runs.serve()
    runs.ask("resume", job)
    assert runs.wait_for(job, State.SUCCEEDED).attempt == 5


@pytest.mark.parametrize("engine_kind", ["local", "cluster"])
def test_a_worker_without_its_launcher_is_followed_and_then_the_next_one_starts(runs):
    """Fault 9: only the launcher is killed; nobody else gets the device before the worker ends."""
    runs.serve()
    job = runs.start()
    following = runs.start()
    runs.wait_for(job, State.RUNNING)
    launcher = json.loads((runs.attempt(job) / "launcher.json").read_text())["group"]
    os.kill(launcher, signal.SIGKILL)
    runs.wait_until(lambda: not Lease(runs.attempt(job) / "lease").is_held())
    runs.wait_for_progress(job)
    assert runs.job(job).state is State.RUNNING
    assert runs.job(following).state is State.QUEUED
    runs.ask("pause", job)
    assert runs.wait_for(job, State.PAUSED).attempt == 1
    assert not (runs.attempt(job) / "exit.json").exists()  # nobody was there to write it
    runs.wait_for(following, State.RUNNING)


@pytest.mark.parametrize("engine_kind", ["hf"])
def test_a_machine_that_ends_with_its_launcher_is_followed_by_another(runs):
    """Fault 9: a rented machine is gone with all that ran on it."""
    runs.serve()
    job = runs.start()
    runs.wait_for(job, State.RUNNING)
    runs.wait_for_progress(job)
    first = runs.trained(job)
    group = json.loads((first.path / "attempts/1/launcher.json").read_text())["group"]
    os.kill(group, signal.SIGKILL)
    assert runs.wait_for(job, State.RUNNING, attempt=2).attempt == 2
    runs.wait_until(lambda: images_reported(runs.attempt(job, 2)))
    assert images_reported(runs.attempt(job, 2))[0] > 8  # not from the beginning
    assert not (runs.attempt(job) / "exit.json").exists()
    assert not first.lease.is_held()


@pytest.mark.parametrize("engine_kind", ["slurm"])
def test_slurm_ends_what_its_command_started(runs):
    """Fault 9: without its launcher the worker is asked to end; it saves, and can be resumed."""
    runs.serve()
    job = runs.start()
    runs.wait_for(job, State.RUNNING)
    runs.wait_for_progress(job)
    os.kill(json.loads((runs.attempt(job) / "launcher.json").read_text())["group"], signal.SIGKILL)
    assert "stopped from outside" in runs.wait_for(job, State.PAUSED).message
    assert not runs.directory(job).lease.is_held()
    runs.ask("resume", job)
    assert runs.wait_for(job, State.RUNNING, attempt=2).saved_images > 8


@pytest.mark.parametrize("engine_kind", ["all"])
def test_a_run_that_goes_through_every_engine_ends_with_the_same_bits(runs):
    """Fault 3: begun here, continued on Slurm, on a rented machine and here again."""
    runs.serve()
    still, moving = (runs.start(images=8 * 3000) for _ in range(2))
    for number, engine in enumerate(("slurm", "hf", "local"), 1):
        runs.wait_for(moving, State.RUNNING, attempt=number)
        newest = last_saved(runs, moving)
        runs.wait_until(lambda before=newest: last_saved(runs, moving) > before)
        runs.ask("pause", moving)
        assert runs.wait_for(moving, State.PAUSED, State.SUCCEEDED).state is State.PAUSED
        runs.ask("resume", moving, engine=engine)
    assert runs.wait_for(moving, State.SUCCEEDED).attempt == 4
    runs.wait_for(still, State.SUCCEEDED)
    ends = [run_checkpoints.latest(runs.directory(job).checkpoints) for job in (still, moving)]
    for part in ("model", "ema", "optimizer"):
        first, second = ((end / f"{part}.safetensors").read_bytes() for end in ends)
        assert first == second


def last_saved(runs, job) -> int:
    newest = run_checkpoints.latest(runs.directory(job).checkpoints)
    return int(newest.name.removeprefix("step-")) if newest else 0


def test_only_the_worker_is_killed(runs):
    """Fault 9: its launcher says how it ended, and the run goes on in a new attempt."""
    runs.serve()
    job = runs.start()
    runs.wait_for(job, State.RUNNING)
    runs.wait_for_progress(job)
    os.kill(runs.worker(job), signal.SIGKILL)
    again = runs.wait_for(job, State.RUNNING, attempt=2)
    assert "signal 9" in again.message
    assert json.loads((runs.attempt(job) / "exit.json").read_text())["signal"] == signal.SIGKILL


def test_two_servers_make_one_attempt(runs):
    """Fault 11: the second only looks, until the first is killed."""
    first = runs.serve()
    second = runs.serve(wait=False)
    job = runs.start()
    runs.wait_for(job, State.RUNNING)
    runs.wait_for_progress(job)
    assert second.output == ""
    assert runs.directory(job).attempt_numbers() == [1]
    first.send(signal.SIGKILL)
    first.end()
    second.wait_until(lambda: "supervising" in second.output, seconds=30)
    assert runs.ask("pause", job).state is State.PAUSING
    assert runs.wait_for(job, State.PAUSED).attempt == 1


def ask_at_once(runs, count: int, command: str, job=None, **arguments) -> list:
    """Send the same command from many threads; return the answers, or what they raised."""
    answers = []

    def click() -> None:
        try:
            answers.append(runs.ask(command, job, **arguments))
        except Exception as error:
            answers.append(error)

    threads = [threading.Thread(target=click) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_cancelled_at_every_moment_and_twice(runs, moments, injected):
    """Fault 12: queued, starting, running, saving, about to succeed, over."""
    slow_saves = (
        "honest = loop.Trainer.save\n"
        "def save(trainer):\n"
        "    pathlib.Path(sys.argv[1], 'saving').touch()\n"
        "    loop.time.sleep(0.2)\n"
        "    honest(trainer)\n"
        "loop.Trainer.save = save"
    )
    runs.serve(worker=slow_saves)
    waits = {
        "starting": lambda job: runs.wait_for(job, State.STARTING, State.RUNNING),
        "running": lambda job: runs.wait_for_progress(job),
        "saving": lambda job: runs.wait_until((runs.trained(job).path / "saving").exists),
        "about to succeed": lambda job: time.sleep(moments.uniform(0, 2)),
        "over": lambda job: runs.wait_for(job, State.SUCCEEDED),
    }
    queued = None
    for moment, wait in waits.items():
        short = moment in ("about to succeed", "over")
        job = runs.start(**{"images": 8 * 30} if short else {})
        if queued is None:
            queued = runs.start()
            assert {answer.state for answer in ask_at_once(runs, 2, "cancel", queued)} == {
                State.CANCELLED
            }
        wait(job)
        for answer in ask_at_once(runs, 2, "cancel", job):
            assert answer.state in (State.CANCELLING, *OVER), (moment, answer)
        ended = runs.wait_for(job, *OVER)
        assert ended.state is State.CANCELLED or short
        assert ended.attempt <= 1
    injected(2 * len(waits) + 2)
    assert runs.job(queued).attempt == 0


def test_a_hundred_clicks_at_once(runs, moments, injected):
    """Fault 12: one run of a hundred clicks on Start, and one legal state of all others."""
    runs.serve()
    job = runs.start(token="a form")
    spec = runs.directory(job).read_spec().to_dict() | {"resolved": {}}
    clicks = ask_at_once(runs, 100, "start", spec=spec, device=runs.device, token="a form")
    assert {click.id for click in clicks} == {job.id}
    assert len(list(runs.root.glob("*/job.json"))) == 1
    others = [moments.choice(["pause", "resume", "save_now", "sample_now"]) for _ in range(20)]
    for command in others:
        for answer in ask_at_once(runs, 2, command, job):
            assert isinstance(answer, (type(job), ValueError)), answer
    runs.ask("cancel", job)
    assert runs.wait_for(job, *OVER).state is State.CANCELLED
    injected(100 + 2 * len(others))


@pytest.mark.parametrize(
    ("command", "state"), [("cancel", State.CANCELLED), ("pause", State.PAUSED)]
)
def test_a_worker_that_listens_to_nobody(runs, command, state):
    """Fault 13: it is stopping, not stopped, until it is killed, and then the next one starts."""
    runs.serve(worker=STUBBORN, server=IMPATIENT)
    job, following = runs.start(), runs.start()
    runs.wait_for(job, State.RUNNING)
    runs.wait_for_progress(job)
    stopping = runs.ask(command, job).state
    seen = set()

    def next_one_started() -> bool:
        held = runs.trained(job).lease.is_held()
        seen.add((held, runs.job(job).state))
        return runs.job(following).attempt == 1

    runs.wait_until(next_one_started)
    assert {now for held, now in seen if held} == {stopping}
    assert {now for held, now in seen if not held} <= {stopping, state}
    assert runs.job(job).state is state
    assert run_checkpoints.newest(runs.directory(job).checkpoints) is not None


def test_what_an_old_attempt_says_late_changes_nothing(runs):
    """Fault 14: files of attempt 1 that appear when attempt 2 is running."""
    runs.serve()
    job = runs.start()
    runs.wait_for(job, State.RUNNING)
    runs.ask("pause", job)
    runs.wait_for(job, State.PAUSED)
    runs.ask("resume", job)
    runs.wait_for(job, State.RUNNING, attempt=2)
    write_json(runs.attempt(job) / "exit.json", {"code": 0})
    write_json(runs.attempt(job) / "status.json", {"state": "succeeded", "images_seen": 10**9})
    runs.wait_for_progress(job)
    now = runs.job(job)
    assert (now.state, now.attempt) == (State.RUNNING, 2)
