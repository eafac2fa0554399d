"""What the machine does to runs: memory, clocks, a lost index, huge files, numbers without end."""

import contextlib
import os
import signal
import sqlite3
import time
import tracemalloc
from types import SimpleNamespace

import pytest

from genimg.jobs import platforms
from genimg.jobs.engine import Handle, LocalEngine, Verdict
from genimg.jobs.job import read_jobs
from genimg.jobs.limits import UsageLimits
from genimg.jobs.service import Service
from genimg.jobs.states import State
from genimg.jobs.views import view
from genimg.storage import write_json
from genimg.training import run_checkpoints
from genimg.training.attempts import Attempt
from genimg.training.run_directory import RunDirectory
from genimg.ui.training.run_handlers import RunHandlers

pytestmark = pytest.mark.slow

# Only a run with the seed 13 is ill.
ILL = """
from genimg.training.run_directory import RunDirectory
ill = RunDirectory(sys.argv[1]).read_spec().run.seed == 13
"""
NOT_FINITE = (
    ILL
    + """
from genimg.training.task import Task
honest, calls = Task.guarded_step, []
def step(task, name, loss, **options):
    calls.append(1)
    if ill and len(calls) > 30:
        loss = CHANGED
    return honest(task, name, loss, **options)
Task.guarded_step = step
"""
)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ("loss * float('nan')", "the loss of the"),
        ("loss + (loss - loss.detach()) * 1e30 * 1e30", "the gradient of the"),  # inf in float32
    ],
    ids=["loss", "gradient"],
)
def test_what_is_not_finite_is_never_used(runs, changed, words):
    """Fault 15: NaN in the loss, or infinity in the gradient only."""
    runs.serve(worker=NOT_FINITE.replace("CHANGED", changed))
    job = runs.start(seed=13)
    failed = runs.wait_for(job, State.FAILED)
    assert failed.kind == "diverged"
    assert words in (runs.attempt(job) / "log.txt").read_text()
    tensors, _ = run_checkpoints.load(run_checkpoints.newest(runs.directory(job).checkpoints))
    assert all(tensor.isfinite().all() for part in tensors.values() for tensor in part.values())
    history = runs.directory(job).read_metrics()
    assert sum("rolled_back" in row for row in history) == 1
    with pytest.raises(ValueError, match="would diverge again"):
        runs.ask("resume", job)
    assert runs.wait_for(runs.start(images=80), State.SUCCEEDED)


NO_MEMORY = (
    ILL
    + """
import torch
honest = loop.Trainer._make_step
def step(trainer):
    if ill and trainer.step == 5:
        raise torch.OutOfMemoryError("CUDA out of memory")
    return honest(trainer)
loop.Trainer._make_step = step
"""
)


def test_a_full_device_fails_one_run_and_the_next_one_goes(runs):
    """Fault 16: PyTorch says that the memory of a device is full."""
    server = runs.serve(worker=NO_MEMORY)
    job, following = runs.start(seed=13), runs.start(images=80)
    failed = runs.wait_for(job, State.FAILED)
    assert failed.kind == "out_of_memory"
    assert "batch_size" in failed.message
    assert runs.wait_for(following, State.SUCCEEDED)
    assert runs.job(job).attempt == 1  # it was not tried again
    assert server.poll() is None


COUNTED = """
from pathlib import Path
from genimg.jobs import launcher, platforms
launcher._LOOK_SECONDS = 1000.0
platforms.memory_kills = lambda: int(Path(sys.argv[1], "kills").read_text())
"""


def test_the_systems_killer_is_told_from_any_other(runs):
    """Fault 16: SIGKILL, once with and once without the system counting it as one for memory."""
    (runs.root / "kills").write_text("4")
    runs.serve(server=COUNTED)
    job = runs.start()
    runs.wait_for(job, State.RUNNING)
    runs.wait_for_progress(job)
    os.kill(runs.worker(job), signal.SIGKILL)
    runs.wait_for(job, State.RUNNING, attempt=2)
    runs.wait_for_progress(job)
    (runs.root / "kills").write_text("5")
    os.kill(runs.worker(job), signal.SIGKILL)
    assert runs.wait_for(job, State.FAILED).kind == "system_out_of_memory"


def test_an_index_that_is_lost_while_a_run_is_trained(runs, injected):
    """Fault 17: deleted, damaged, or replaced by an old one; the server gets it back."""
    runs.serve()
    job = runs.start()
    runs.wait_for(job, State.RUNNING)
    (runs.root / "old").write_bytes((runs.root / "jobs.sqlite").read_bytes())
    others = [runs.start() for _ in range(3)]
    runs.ask("pause", others[0])
    runs.ask("cancel", others[1])
    runs.wait_for_progress(job)
    path = runs.root / "jobs.sqlite"
    before = read_jobs(runs.root)
    for damage in (
        path.unlink,
        lambda: path.write_bytes(b"SQLite format 3\0" + b"?" * 5000),
        lambda: path.write_bytes(b""),
        lambda: path.write_bytes((runs.root / "old").read_bytes()),
        lambda: (runs.root / "old").rename(path),
    ):
        damage()
        injected()
        time.sleep(0.2)
        with contextlib.suppress(OSError):  # one sentence, once
            runs.ask("move", others[2], step=1)  # what changes nothing
        assert read_jobs(runs.root) == before
    server = runs.serve(wait=False)
    assert runs.ask("rebuild") == len(before)
    assert read_jobs(runs.root) == before
    runs.wait_for_progress(job)
    runs.ask("pause", job)
    assert runs.wait_for(job, State.PAUSED).attempt == 1
    assert server.output == ""


def test_a_locked_index_is_said_and_waited_for(runs):
    """Fault 17: another program holds the file when the server is started again."""
    first = runs.serve()
    job = runs.start()
    runs.wait_for(job, State.RUNNING)
    first.send(signal.SIGKILL)
    first.end()
    other = sqlite3.connect(runs.root / "jobs.sqlite")
    other.execute("BEGIN EXCLUSIVE")
    second = runs.serve(wait=False)
    looking = Service(runs.root, UsageLimits(), LocalEngine(), by_request=False)
    assert "here they can only be watched" in looking.notice
    assert [known.id for known in looking.jobs()] == [job.id]
    runs.wait_for_progress(job)
    assert second.output == ""
    other.close()
    second.wait_until(lambda: "supervising" in second.output)
    runs.ask("pause", job)
    assert runs.wait_for(job, State.PAUSED).attempt == 1


def seconds_of(work) -> float:
    begin = time.process_time()
    work()
    return time.process_time() - begin


def test_huge_and_hostile_logs_are_shown_in_no_time(runs):
    """Fault 18: 50 MB of metrics with a torn end; ten million lines of log."""
    runs.serve()
    job = runs.start(images=80)
    job = runs.wait_for(job, State.SUCCEEDED)
    attempt = runs.attempt(job)
    with (attempt / "metrics.jsonl").open("a") as file:
        for number in range(25):
            line = (
                f'{{"images_seen": {number + 80}, "images_per_second": 10, "x": "{"y" * 950}"}}\n'
            )
            file.write(line * 2000)
        file.write('{"images_seen": 9')
    with (attempt / "log.txt").open("a") as file:
        for _ in range(100):
            file.write("\x1b[31m<script>\n" * 100_000)
        file.write("error: the end\n")
    manager = SimpleNamespace(root=runs.root, directory=lambda _: RunDirectory(runs.root / job.id))
    running = SimpleNamespace(manager=manager)
    shown = []
    tracemalloc.start()
    looks = {
        "view": lambda: view(runs.root, job),
        "report": lambda: shown.append(Attempt(attempt).last_report()["images_seen"]),
        "error": lambda: shown.append(Attempt(attempt).last_error()),
        "log": lambda: shown.append(Attempt(attempt).read_log()),
        "page": lambda: shown.append(RunHandlers._log(running, job, {})["text"]),
    }
    for name, look in looks.items():
        assert seconds_of(look) < 0.2, name
    assert tracemalloc.get_traced_memory()[1] < 4 * 2**20
    tracemalloc.stop()
    assert shown[:2] == [104, "the end"]
    assert all(len(text) <= 2**17 for text in shown[2:])


JUMPING = """
from pathlib import Path
import time as clock
honest, file = clock.time, Path(sys.argv[1], "clock")
file = file if file.exists() else Path(sys.argv[1]).parent / "clock"
clock.time = lambda: honest() + float(file.read_text())
"""


def test_a_clock_that_jumps_kills_nobody(runs, injected):
    """Fault 19: an hour back, a day on, and back again, for the server and the worker."""
    clock = runs.root / "clock"
    clock.write_text("0")
    runs.serve(server=JUMPING)  # its workers are its forks, and have its clock
    job = runs.start()
    runs.wait_for(job, State.RUNNING)
    for seconds in (-3600, 86_400, -86_400):
        temporary = runs.root / "new-clock"
        temporary.write_text(str(seconds))
        temporary.rename(clock)
        injected()
        runs.wait_for_progress(job)
        seen = view(runs.root, runs.job(job))
        assert (seen.job.state, seen.job.attempt) == (State.RUNNING, 1)
        assert seen.seconds_left is None or seen.seconds_left >= 0
        assert seen.heartbeat >= 0
    reports = runs.directory(job).read_metrics()
    assert all(row.get("seconds_left", 0) >= 0 and row["seconds"] >= 0 for row in reports)
    runs.ask("pause", job)
    assert runs.wait_for(job, State.PAUSED).message == ""


IMPATIENT = """
import genimg.jobs.engine, genimg.jobs.supervisor as supervisor
genimg.jobs.engine._APPEARS_SECONDS = genimg.jobs.engine._KILL_SECONDS = 0.5
supervisor.Supervisor.__init__.__kwdefaults__["grace"] = 0.5
"""


def test_a_machine_that_sleeps_wakes_up_with_the_same_run(runs):
    """Fault 19: everything stands still for a while, as in a laptop that was closed."""
    server = runs.serve(server=IMPATIENT)
    job = runs.start()
    runs.wait_for(job, State.RUNNING)
    runs.wait_for_progress(job)
    group = os.getpgid(runs.worker(job))
    os.killpg(group, signal.SIGSTOP)
    server.send(signal.SIGSTOP)
    time.sleep(2)
    server.send(signal.SIGCONT)
    time.sleep(1)
    assert runs.job(job).state is State.RUNNING  # the server is awake before the worker is
    os.killpg(group, signal.SIGCONT)
    runs.wait_for_progress(job)
    assert runs.job(job).attempt == 1


HOLDER = """
import sys, time
from genimg.storage import Lease
lease = Lease(sys.argv[1])
assert lease.acquire()
print("held", flush=True)
time.sleep(600)
"""


@pytest.fixture
def handle(tmp_path):
    (tmp_path / "run" / "attempts" / "1").mkdir(parents=True)
    return Handle(tmp_path / "run", 1)


def test_a_stranger_with_the_recorded_number_is_neither_alive_nor_ended(handle, run_python):
    """Fault 10: the number of a dead launcher belongs to another process."""
    stranger = run_python("import time; time.sleep(600)")
    write_json(handle.files.path / "launcher.json", {"group": stranger.pid})
    engine = LocalEngine(clock=lambda: 1e9)
    assert engine.probe(handle) == (Verdict.DEAD, None)
    engine.terminate(handle)
    time.sleep(0.1)
    assert stranger.poll() is None


def test_a_zombie_is_dead(handle, run_python):
    """Fault 10: a launcher was killed, and nobody has buried it."""
    launcher = run_python(HOLDER, handle.files.path / "lease")
    launcher.wait_until(lambda: launcher.output == "held\n")
    write_json(handle.files.path / "launcher.json", {"group": launcher.pid})
    engine = LocalEngine()
    assert engine.probe(handle) == (Verdict.ALIVE, None)
    os.kill(launcher.pid, signal.SIGKILL)  # the warm Python asks for it only when it is asked
    end = time.monotonic() + 10
    while engine.probe(handle)[0] is Verdict.ALIVE:
        assert time.monotonic() < end
        time.sleep(0.01)
    assert engine.probe(handle) == (Verdict.DEAD, None)
    os.kill(launcher.pid, 0)  # its number is still taken
    platforms.end_group(launcher.pid, kill=False)  # harmless
