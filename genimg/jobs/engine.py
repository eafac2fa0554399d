"""How runs become processes. The supervisor knows these four calls; an engine knows no model."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Protocol

from genimg.jobs import platforms
from genimg.jobs.devices import Device, list_devices
from genimg.jobs.states import Exit
from genimg.storage import Lease, read_json
from genimg.training.attempts import Attempt
from genimg.training.run_directory import RunDirectory

# Time for a launcher to appear that was started just before its server was killed.
_APPEARS_SECONDS = 10.0
_KILL_SECONDS = 10.0


class Verdict(Enum):
    """What can be said about an attempt.

    UNKNOWN is to be left alone and asked again. WAITING is with an engine that has not begun it.
    """

    WAITING = "waiting"
    ALIVE = "alive"
    DEAD = "dead"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Handle:
    """One attempt at a run: all that is needed to find it again, in any process.

    Attributes:
        run: its folder.
        attempt: its number.
        device: the name of that on which it runs, which says whose it is.
        account: the one that pays for it, see `genimg.jobs.accounts`; '' for that of this server.
    """

    run: Path
    attempt: int
    device: str = ""
    account: str = ""

    @property
    def files(self) -> Attempt:
        """What there is of the attempt on disk."""
        return Attempt.of(self.run, self.attempt)


class Engine(Protocol):
    """Starts and ends attempts. None of the calls waits, except `close`."""

    @property
    def trouble(self) -> str:
        """Why it cannot be used just now, in one sentence, or ''."""

    def submit(self, handle: Handle, device: Device, device_lock: Path) -> None:
        """Start the attempt on a device; OSError if the system will not."""

    def probe(self, handle: Handle) -> tuple[Verdict, Exit | None]:
        """Say whether it lives; for a dead one how it ended, or None if nobody saw."""

    def terminate(self, handle: Handle) -> None:
        """Ask it to end, and after a grace end it; to be called until it is dead."""

    def capacity(self) -> list[Device]:
        """Return the devices that it can use."""

    def close(self) -> None:
        """Finish what was asked for, before this process ends; the attempts go on."""


class LocalEngine:
    """Detached processes on this machine.

    Args:
        nice: how much lower the priority of a run on the CPU is, 0 to 19; it shares the processor
            with the page.
        clock: seconds that only ever grow.
    """

    trouble = ""

    def __init__(self, *, nice: int = 10, clock: Callable[[], float] = time.monotonic) -> None:
        self.nice, self.clock = nice, clock
        self._devices = list_devices()
        self._launchers: dict[Handle, subprocess.Popen] = {}
        self._missed: dict[Handle, float] = {}
        self._asked_to_end: dict[Handle, float] = {}

    def submit(self, handle: Handle, device: Device, device_lock: Path) -> None:
        """Start launcher and worker; their output goes to the attempt's log.txt."""
        command = [sys.executable, "-m", "genimg.jobs.launcher", str(handle.run.resolve())]
        command += ["--attempt", str(handle.attempt), "--device-lock", str(device_lock.resolve())]
        if device.kind == "cpu":
            command += ["--nice", str(self.nice)]
        with handle.files.log.open("ab") as log:
            self._launchers[handle] = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=_environment(device),
                **platforms.own_session(),
            )

    def probe(self, handle: Handle) -> tuple[Verdict, Exit | None]:
        """Ask the leases, and exit.json; never a process number, which may be somebody else's."""
        launcher = self._launchers.get(handle)
        if launcher is not None:
            if launcher.poll() is None:  # also buries it, so that it is no zombie
                return Verdict.ALIVE, None
            del self._launchers[handle]
        if handle.files.exit.exists():
            return self._dead(handle, read_exit(handle))
        if Lease(handle.files.lease).is_held():
            return Verdict.ALIVE, None
        if handle.files.exit.exists():  # written between the two questions
            return self._dead(handle, read_exit(handle))
        # Without its launcher a worker goes on and is taken as it is.
        if worker_is_alive(handle):
            return Verdict.ALIVE, None
        if launcher is None and not handle.files.launcher.exists():
            since = self._missed.setdefault(handle, self.clock())
            if self.clock() - since < _APPEARS_SECONDS:
                return Verdict.UNKNOWN, None
        return self._dead(handle, None)

    def terminate(self, handle: Handle) -> None:
        """Send SIGTERM once, and SIGKILL when ten seconds have passed."""
        if self.probe(handle)[0] is not Verdict.ALIVE:
            return
        try:
            group = read_json(handle.files.launcher)["group"]
        except (OSError, ValueError, KeyError, TypeError):
            return  # it is only just starting; ask again
        if handle not in self._asked_to_end:
            self._asked_to_end[handle] = self.clock()
            platforms.end_group(group, kill=False)
        elif self.clock() - self._asked_to_end[handle] >= _KILL_SECONDS:
            platforms.end_group(group, kill=True)

    def capacity(self) -> list[Device]:
        """Return the devices of this machine, with the main memory that is free now."""
        total, free = platforms.memory()
        return [
            device
            if device.kind == "cuda"
            else replace(device, total_memory=total, free_memory=free)
            for device in self._devices
        ]

    def close(self) -> None:
        """Do nothing: whatever was asked for is done."""

    def _dead(self, handle: Handle, end: Exit | None) -> tuple[Verdict, Exit | None]:
        self._missed.pop(handle, None)
        self._asked_to_end.pop(handle, None)
        return Verdict.DEAD, end


def read_exit(handle: Handle) -> Exit:
    """Return how an attempt ended, as its launcher wrote it; what is damaged is unknown."""
    try:
        return Exit.from_dict(read_json(handle.files.exit))
    except (OSError, ValueError):
        return Exit()


def worker_is_alive(handle: Handle) -> bool:
    """Return whether the run is being trained by this attempt, and not by somebody's terminal."""
    directory = RunDirectory(handle.run)
    return directory.newest_attempt() == handle.attempt and directory.lease.is_held()


def _environment(device: Device) -> dict[str, str]:
    """Return the worker's environment: of several GPUs it sees the one that it is to use."""
    environment = dict(os.environ)
    package = Path(__file__).resolve().parents[2]  # wherever the server was started
    environment["PYTHONPATH"] = os.pathsep.join(
        filter(None, [str(package), environment.get("PYTHONPATH", "")])
    )
    environment["PYTHONUNBUFFERED"] = "1"
    if device.kind == "cuda":
        index = int(device.name.partition(":")[2])
        visible = environment.get("CUDA_VISIBLE_DEVICES")
        numbers = visible.split(",") if visible else None
        environment["CUDA_VISIBLE_DEVICES"] = numbers[index] if numbers else str(index)
    return environment
