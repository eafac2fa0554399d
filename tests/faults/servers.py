"""One folder of runs, the servers that look after it, and what one asks of them."""

import time
from collections.abc import Callable
from pathlib import Path

from genimg.jobs import platforms
from genimg.jobs.inbox import Inbox
from genimg.jobs.job import Job, read_job
from genimg.jobs.states import State
from genimg.storage import Lease, read_json
from genimg.training.presets import make_spec
from genimg.training.run_directory import RunDirectory
from tests.faults.processes import Process

# The engines that the faults are done to, and their devices; all train on this machine. "all" is
# a server that has several: a run begins on this machine.
DEVICES = {"local": "cpu", "cluster": "ray/cpu", "slurm": "slurm/cpu", "hf": "hf/cpu", "all": "cpu"}

SERVER = """
import sys, time
from genimg.jobs.engine import LocalEngine
from genimg.jobs.limits import UsageLimits
from genimg.jobs.manager import JobManager
from warm_python import fork_instead_of_spawning
fork_instead_of_spawning(sys.argv[2])
exec(sys.argv[3])
unlimited = UsageLimits(queued_runs=0, minutes_per_run=0)
if sys.argv[4] == "local":
    engine = LocalEngine(nice=0)
else:
    from pathlib import Path
    from genimg.jobs.engines import configured, hub, remote, slurm
    def connect(name, settings=None):
        module = {"slurm": "slurm_machine", "hf": "hub_machine"}[name]
        remote._APPEARS_SECONDS = 1.0  # "cluster" takes the seconds that they all take
        return remote.RemoteEngine(__import__(module).connect(Path(sys.argv[1]).parent / name))
    if sys.argv[4] == "cluster":
        from process_cluster import ProcessCluster
        engine = remote.RemoteEngine(ProcessCluster())
    elif sys.argv[4] == "all":
        engine = configured.Engines(Path(sys.argv[1]), LocalEngine(nice=0), connect)
        configured.write_settings(engine.root, "slurm", slurm.SlurmSettings())
        rented = hub.HubSettings(space="ada/genimg", bucket="ada/runs")
        configured.write_settings(engine.root, "hf", rented)
    else:
        engine = connect(sys.argv[4])
manager = JobManager(sys.argv[1], engine=engine, limits=unlimited)
while True:
    manager.step()
    if manager.supervising:
        print("supervising", flush=True)
    time.sleep(0.05)
"""
# A worker writes down its number, and looks for wishes and writes its status more often.
QUICK = """
import os, pathlib, sys
from genimg.training import loop
loop._STATUS_SECONDS = 0.1
note = pathlib.Path(sys.argv[1], f".worker.{os.getpid()}")
note.write_text(str(os.getpid()))
note.rename(pathlib.Path(sys.argv[1], "worker"))
"""


def last_step(run: RunDirectory) -> int:
    return max((int(path.name[5:]) for path in run.checkpoints.glob("step-*")), default=-1)


class Runs:
    """One folder of runs, its servers, and their jobs."""

    def __init__(
        self, root: Path, run_python: Callable[..., Process], settings: dict, engine: str
    ) -> None:
        self.root, self._run_python, self._settings = root, run_python, settings
        self.engine, self.device = engine, DEVICES[engine]

    def serve(self, *, worker: str = "", server: str = "", wait: bool = True) -> Process:
        """Start a server, with code that it, and that each of its workers, runs first."""
        process = self._run_python(SERVER, self.root, QUICK + worker, server, self.engine)
        if wait:
            process.wait_until(lambda: "supervising" in process.output)
        return process

    def ask(self, command: str, job: Job | None = None, **arguments) -> Job | None:
        """Send a command of the owner to the server."""
        if job is not None:
            arguments["job_id"] = job.id
        arguments["visitor"] = {"nickname": "ada"}
        answer = Inbox(self.root).ask(command, arguments, seconds=60)
        return Job.from_dict(answer) if isinstance(answer, dict) else answer

    def start(self, token: str | None = None, **changes) -> Job:
        """Queue a run that never ends by itself, unless `images` says so."""
        spec = make_spec(data_channels=1, data_classes=2, **self._settings | changes).to_dict()
        return self.ask("start", spec=spec, device=self.device, token=token)

    def job(self, job: Job) -> Job:
        """Return how a job is now, as its folder says."""
        return read_job(self.root / job.id)

    def directory(self, job: Job) -> RunDirectory:
        """Return a job's run."""
        return RunDirectory(self.root / job.id)

    def trained(self, job: Job) -> RunDirectory:
        """Return a job's run where it is trained, which is elsewhere if its files travel."""
        if self.engine != "hf":
            return self.directory(job)
        number = max(1, self.job(job).attempt)
        return RunDirectory(self.root.parent / self.engine / "machines" / str(number) / job.id)

    def attempt(self, job: Job, number: int = 1) -> Path:
        """Return the folder of an attempt."""
        return self.root / job.id / "attempts" / str(number)

    def wait_until(self, condition: Callable[[], object], seconds: float = 90) -> None:
        """Wait for `condition`, or fail with what is known of all jobs."""
        end = time.monotonic() + seconds
        while not condition():
            known = [read_job(path.parent) for path in self.root.glob("*/job.json")]
            assert time.monotonic() < end, known
            time.sleep(0.01)

    def wait_for(self, job: Job, *states: State, attempt: int = 0) -> Job:
        """Wait until a job is in one of some states, and return it."""

        def there() -> bool:
            now = self.job(job)
            return now.state in states and now.attempt >= attempt

        self.wait_until(there)
        return self.job(job)

    def wait_for_progress(self, job: Job) -> None:
        """Wait for the next checkpoint of a job, whether a server looks or not."""
        directory = self.trained(job)
        before = max(last_step(directory), 0)
        self.wait_until(lambda: last_step(directory) > before)

    def worker(self, job: Job) -> int:
        """Return the number of the process that trains a job."""
        return int((self.trained(job).path / "worker").read_text())

    def kill_attempt(self, job: Job) -> None:
        """Kill launcher and worker of the newest attempt."""
        self.end_group(self.trained(job).path / "attempts" / str(self.job(job).attempt))

    def end_group(self, attempt: Path) -> None:
        """Kill launcher and worker of an attempt if one of them lives."""
        alive = (
            Lease(attempt / "lease").is_held() or RunDirectory(attempt.parents[1]).lease.is_held()
        )
        if alive and (attempt / "launcher.json").exists():
            platforms.end_group(read_json(attempt / "launcher.json")["group"], kill=True)
