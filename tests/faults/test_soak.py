"""Two hundred tiny runs, and everything that may happen to them, for minutes."""

import contextlib
import json
import os
import signal
import threading
import time
from pathlib import Path

import pytest

import genimg
from genimg.jobs.job import read_jobs
from genimg.jobs.states import State
from genimg.training import run_checkpoints

RUNS = 200
AT_ONCE = 12  # unfinished ones, so that most events meet one that is doing something
LONGEST_SECONDS = 500
OVER = (State.SUCCEEDED, State.CANCELLED)
COMMANDS = ("pause", "pause", "resume", "resume", "cancel", "save_now", "sample_now")
SOON = "import genimg.jobs.engine; genimg.jobs.engine._APPEARS_SECONDS = 2.0"


class Storm:
    """A server, its runs, and a random event after the other."""

    def __init__(self, runs, moments, living_processes, injected) -> None:
        self.runs, self.moments, self.injected = runs, moments, injected
        self.living_processes = living_processes
        self.server = runs.serve(server=SOON)
        self.started = 0
        self.saved: dict[str, int] = {}

    def start_one(self) -> None:
        images, token = 8 * self.moments.randint(10, 60), f"form {self.started}"
        for _ in range(5):  # if the index was just lost, whoever asked is told, and asks again
            with contextlib.suppress(OSError):
                self.runs.start(images=images, token=token)
                self.started += 1
                return
        raise AssertionError("the index stays lost")

    def resume_one(self) -> None:
        """Resume a run that waits for somebody to do so."""
        stopped = (State.PAUSED, State.INTERRUPTED)
        waiting = [job for job in read_jobs(self.runs.root) if job.state in stopped]
        if waiting:
            with contextlib.suppress(ValueError):  # it has been queued again by itself
                self.runs.ask("resume", self.moments.choice(waiting))

    def happen(self) -> None:
        """Let one random thing happen."""
        events = [self.command] * 8 + [self.kill_somebody] * 4
        events += [self.restart, self.restart_during_a_click, self.lose_the_index]
        self.moments.choice(events)()

    def command(self) -> None:
        job, command = self.moments.choice(read_jobs(self.runs.root)), self.moments.choice(COMMANDS)
        for _ in range(self.moments.randint(1, 2)):
            with contextlib.suppress(ValueError):  # not in this state
                self.runs.ask(command, job)
        self.injected()

    def kill_somebody(self) -> None:
        """Kill the worker, the launcher, or both, of the run that is being trained."""
        for job in read_jobs(self.runs.root):
            attempt = self.runs.attempt(job, job.attempt)
            if not job.active or not (attempt / "launcher.json").exists():
                continue
            self.note_what_is_saved(job)
            launcher = json.loads((attempt / "launcher.json").read_text())["group"]
            with contextlib.suppress(FileNotFoundError):
                victims = [launcher, self.runs.worker(job)]
                victims = victims[self.moments.randint(0, 1) :][: self.moments.randint(1, 2)]
                for victim in set(victims) & set(self.living_processes()):
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(victim, signal.SIGKILL)
                        self.injected()

    def note_what_is_saved(self, job) -> None:
        latest = run_checkpoints.latest(self.runs.directory(job).checkpoints)
        if latest is not None:
            step = int(latest.name.removeprefix("step-"))
            self.saved[job.id] = max(step, self.saved.get(job.id, 0))

    def restart(self) -> None:
        self.server.send(signal.SIGKILL)
        self.server.end()
        self.server = self.runs.serve(server=SOON)
        self.injected()

    def restart_during_a_click(self) -> None:
        """Kill the server while it starts a run; the click is answered by the next one."""
        if self.started == RUNS:
            return
        click = threading.Thread(target=self.start_one)
        click.start()
        time.sleep(self.moments.uniform(0, 0.2))
        self.restart()
        click.join()

    def lose_the_index(self) -> None:
        path = self.runs.root / "jobs.sqlite"
        if self.moments.random() < 0.5:
            path.unlink(missing_ok=True)
        else:
            path.write_bytes(b"SQLite format 3\0" + self.moments.randbytes(3000))
        self.injected()

    def check(self) -> list:
        """Return all jobs, having checked what is always true."""
        jobs = read_jobs(self.runs.root)
        assert len(jobs) == self.started
        active = [job for job in jobs if job.active]
        if len(active) > 1:  # they were read one after the other: the first may have ended
            active = [job for job in map(self.runs.job, active) if job.active]
        assert len(active) <= 1
        assert not [job for job in jobs if job.state is State.FAILED]
        return jobs


@pytest.mark.slow
@pytest.mark.timeout(LONGEST_SECONDS + 100)
def test_two_hundred_runs_in_a_storm(runs, moments, injected, living_processes):
    """Fault 25: at the end every run is over, as it says, nothing is left, nothing was lost."""
    storm = Storm(runs, moments, living_processes, injected)
    end = time.monotonic() + LONGEST_SECONDS
    storm.start_one()
    while storm.started < RUNS:
        unfinished = sum(job.state not in OVER for job in storm.check())
        with contextlib.suppress(OSError):  # said once, when the index was lost
            if unfinished < AT_ONCE:
                storm.start_one()
            else:
                storm.resume_one()
            storm.happen()
        assert time.monotonic() < end
    while waiting := [job for job in storm.check() if job.state not in OVER]:
        with contextlib.suppress(OSError):
            storm.resume_one()
        time.sleep(0.1)
        assert time.monotonic() < end, waiting

    jobs = storm.check()
    storm.restart()  # which mends the index, if it was lost last
    assert runs.ask("rebuild") == RUNS
    assert storm.check() == jobs
    for job in jobs:
        checkpoints = runs.directory(job).checkpoints
        newest = run_checkpoints.newest(checkpoints)
        step = int(newest.name.removeprefix("step-")) if newest else 0
        assert step >= storm.saved.get(job.id, 0)
        assert not list(checkpoints.glob("invalid-*"))
        if job.state is State.SUCCEEDED:
            assert 8 * step == runs.directory(job).read_spec().run.images == job.saved_images
            assert not list(checkpoints.glob(".*"))
    succeeded = [job for job in jobs if job.state is State.SUCCEEDED]
    assert len(succeeded) > RUNS / 4
    for job in moments.sample(succeeded, 5):
        assert genimg.load(runs.root / job.id).sample(2).shape == (2, 32, 32, 1)
    runs.wait_until(lambda: len(living_processes()) == 2)  # the warm Python and the server
    if Path("/proc").exists():
        assert len(list(Path(f"/proc/{storm.server.pid}/fd").iterdir())) < 40
