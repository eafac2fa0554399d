"""Slurm, by way of submitit: the cluster of many universities.

https://github.com/facebookincubator/submitit; written for submitit 1.5 and tested with its local
executor, which sends the same signals. It was never run on a real Slurm. submitit carries what is
to be run through a file of cloudpickle's: one that this user wrote, and only this user reads.
"""

import shlex
import shutil
import subprocess
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genimg.configuration import Configuration, setting
from genimg.jobs.devices import Device, worker_device
from genimg.jobs.engine import Handle
from genimg.jobs.engines.cluster import Given, Standing
from genimg.jobs.engines.slurm_command import SlurmCommand
from genimg.jobs.engines.starting import STOP_SECONDS, launcher_words, worker_environment
from genimg.storage import write_json
from genimg.training.attempts import SUBMISSION
from genimg.wording import Wording

NAME = "slurm"
_WAITING = ("PENDING", "REQUEUED", "REQUEUE_HOLD", "CONFIGURING", "RESIZING", "SUSPENDED")
_RUNNING = ("RUNNING", "COMPLETING", "STOPPED", "SIGNALING", "STAGE_OUT")
# For the run to save before Slurm ends it, and for submitit to queue it again.
_WARNING_SECONDS = STOP_SECONDS + 60
_MOST_REQUEUES = 10_000
_COMMAND_SECONDS = 30.0
_MOST_SAID = 2000


@dataclass(frozen=True, kw_only=True, slots=True)
class SlurmSettings(Configuration):
    """What one run asks of Slurm."""

    partition: str = setting("", "Partition, as `sinfo` lists them; '' is the usual one.")
    account: str = setting("", "Account that pays; '' is the usual one.")
    time_limit: int = setting(
        240, "Minutes after which a run saves and goes into the queue again.", low=10, high=100_000
    )
    memory: int = setting(8, "Gigabytes of main memory.", low=1, high=10_000)
    cpus: int = setting(2, "CPUs.", low=1, high=1024)
    gpus: int = setting(0, "GPUs: 1 to train on one, 0 to train on the CPU.", low=0, high=1)
    places: int = setting(4, "Runs that Slurm has at a time, waiting or not.", low=1, high=1000)
    python: str = setting("", "Python of the machines that has genimg; '' is the path of this one.")


class SlurmCluster:
    """A Slurm cluster; see `genimg.jobs.engines.cluster.SharingCluster`.

    Args:
        executor: of submitit: "slurm", or "local" to try it without a cluster.

    Raises:
        ValueError: submitit is not installed.
    """

    name, pace, patience = NAME, 10.0, 0.0

    def __init__(self, settings: SlurmSettings, executor: str = "slurm") -> None:
        try:
            import submitit
        except ImportError:
            raise ValueError(
                "Slurm is asked by way of submitit, which is not installed; get it with:"
                " pip install 'genimg[slurm]'"
            ) from None
        self.settings, self._executor, self._submitit = settings, executor, submitit
        self._local: dict[str, Any] = {}

    def devices(self) -> list[Device]:
        """Return the one kind of device that the settings ask for."""
        if self._executor == "slurm" and shutil.which("sbatch") is None:
            raise ValueError("there is no command sbatch here; run genimg where Slurm can be asked")
        kind = "cuda" if self.settings.gpus else "cpu"
        where = f"of partition {self.settings.partition}" if self.settings.partition else "of Slurm"
        title = f"{'GPU' if self.settings.gpus else 'CPU'} {where}"
        return [Device(name=f"{NAME}/{kind}", title=title, places=self.settings.places)]

    def submit(self, given: Given, handle: Handle, device: Device) -> None:
        """Start an attempt, unless Slurm has it already."""
        words = launcher_words(handle.run, handle.attempt, self.settings.python)
        self.start(given, words, handle.files.log.resolve(), device)

    def start(self, given: Given, words: Sequence[str], log: Path, device: Device) -> None:
        """Run a command, whose output goes to the end of `log` from its first byte."""
        if given in self.standings([given]):
            return
        settings = self.settings
        variables = worker_environment().items()
        export = [f"export {name}={shlex.quote(value)}" for name, value in variables]
        executor = self._submitit.AutoExecutor(
            folder=given.folder / NAME,
            cluster=self._executor,
            slurm_max_num_timeout=_MOST_REQUEUES,
            local_max_num_timeout=_MOST_REQUEUES,
            **({"slurm_python": settings.python} if settings.python else {}),
        )
        executor.update_parameters(
            name=given.name,
            timeout_min=settings.time_limit,
            mem_gb=settings.memory,
            cpus_per_task=settings.cpus,
            gpus_per_node=1 if worker_device(device.name) == "cuda" else 0,
            slurm_partition=settings.partition or None,
            slurm_account=settings.account or None,
            slurm_signal_delay_s=_WARNING_SECONDS,
            slurm_setup=export,
        )
        try:
            job = executor.submit(SlurmCommand(words, log))
        except Exception as error:  # submitit has an error of its own for what sbatch said
            raise ValueError(f"Slurm refused the run: {' '.join(str(error).split())}") from None
        self._local[given.name] = job
        write_json(given.folder / SUBMISSION, {"engine": NAME, "id": job.job_id})

    def standings(self, asked: Collection[Given]) -> dict[Given, Standing]:
        """Return how those of `asked` stand that were ever given to Slurm."""
        queue = self._queue()
        return {
            given: _standing(queue.get(given.name, ""))
            for given in asked
            if given.name in queue or (given.folder / SUBMISSION).exists()
        }

    def stop(self, given: Given) -> None:
        """Cancel the job, and with it what would come after it: that is the same job."""
        if self._executor == "slurm":
            _output_of(["scancel", "--me", f"--name={given.name}"])
        elif given.name in self._local:
            self._local[given.name].cancel(check=False)

    def output(self, given: Given) -> str:
        """Return what submitit's own processes printed."""
        logs = sorted((given.folder / NAME).glob("*_log.err"))
        return "".join(path.read_text(errors="replace")[-_MOST_SAID:] for path in logs)

    def _queue(self) -> dict[str, str]:
        """Return the states of all jobs of this user that wait or run, by their names."""
        if self._executor != "slurm":
            return {name: job.state for name, job in self._local.items()}
        lines = _output_of(["squeue", "--me", "--noheader", "--format=%T %j"]).splitlines()
        return {name: state for state, _, name in (line.partition(" ") for line in lines)}


def _standing(state: str) -> Standing:
    if state in _WAITING:
        return Standing.WAITING
    return Standing.RUNNING if state in _RUNNING else Standing.ENDED


def _output_of(words: list[str]) -> str:
    """Return what a command of Slurm's prints; OSError if it does not answer."""
    try:
        run = subprocess.run(
            words, capture_output=True, text=True, timeout=_COMMAND_SECONDS, check=True
        )
    except subprocess.SubprocessError as error:
        raise OSError(
            Wording("engine.slurm_silent", "Slurm does not answer ({reason})", reason=str(error))
        ) from None
    return run.stdout
