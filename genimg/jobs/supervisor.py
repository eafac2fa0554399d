"""Follows the workers and starts the next ones.

Nothing here waits, and nothing that matters is remembered: every second the index is compared with
what the runs' folders and leases say, so the next supervisor goes on where a killed one was.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from genimg.jobs import early_stop, queue, said
from genimg.jobs.devices import Device
from genimg.jobs.engine import Engine, Handle, Verdict
from genimg.jobs.index import Index
from genimg.jobs.job import Job
from genimg.jobs.states import Exit, State, outcome
from genimg.storage import Lease, read_json, write_json
from genimg.training import run_checkpoints
from genimg.training.run_directory import RunDirectory

# A job that dies this often in a row without a newer checkpoint waits for a person.
MOST_RETRIES = 3
# Wishes of one second: enough for somebody who clicks fast.
_WISHES_KEPT = 8
_JUDGED_SECONDS = 10.0


class Supervisor:
    """The one that decides which job runs where.

    Args:
        root: the data root.
        index: all jobs.
        engine: starts and ends processes.
        grace: seconds that a worker has to save and end after a pause or cancel, before it is
            ended; much longer than a checkpoint takes.
        clock: seconds that only ever grow.
    """

    def __init__(
        self,
        root: Path,
        index: Index,
        engine: Engine,
        *,
        grace: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.root, self.index, self.engine = root, index, engine
        self.grace, self.clock = grace, clock
        self._stopping_since: dict[tuple[str, int], float] = {}
        self._rule, self._judged_at = early_stop.MedianRule(root), float("-inf")

    def tick(self) -> None:
        """Bring every job one step further; to be called about once a second.

        Raises:
            OSError: the disk; it comes last, when everything else is done.
            sqlite3.Error: the index.
        """
        trouble: OSError | None = None
        for job in self.index.jobs():
            try:
                self._advance(job)
            except OSError as error:
                trouble = error
        if self.clock() - self._judged_at >= _JUDGED_SECONDS:
            self._judged_at = self.clock()
            self._stop_hopeless()
        for device in self.engine.capacity():
            self._fill(device)
        if trouble is not None:
            raise trouble

    def _advance(self, job: Job) -> None:
        if job.active:
            self._follow(job)
        elif job.state is State.INTERRUPTED and job.retries < MOST_RETRIES:
            self.index.change(
                job,
                state=State.QUEUED,
                retries=job.retries + 1,
                message=said.filled(said.QUEUED_AGAIN, message=job.message),
            )

    def _stop_hopeless(self) -> None:
        """End the runs of sweeps that a rule gives up."""
        for job, reason in self._rule.hopeless(self.index.jobs()):
            stopping = self.index.change(
                job, state=State.CANCELLING, kind=early_stop.STOPPED_EARLY, message=reason
            )
            if stopping is not None:
                send_wish(RunDirectory(self.root / job.id), "cancel")

    def _follow(self, job: Job) -> None:
        handle = self.handle(job)
        verdict, end = self.engine.probe(handle)
        status = handle.files.read_status()
        if verdict is Verdict.DEAD:
            self._settle(job, end, str(status.get("state", "")))
        elif job.state is State.STARTING and status:
            self.index.change(job, state=State.RUNNING)
        elif job.state in (State.PAUSING, State.CANCELLING):
            since = self._stopping_since.setdefault((job.id, job.attempt), self.clock())
            # What has not begun reads no wish, and has nothing to save.
            if verdict is Verdict.WAITING or self.clock() - since >= self.grace:
                self.engine.terminate(handle)

    def _settle(self, job: Job, end: Exit | None, reported: str) -> None:
        """Write down how an attempt ended; progress earns an interrupted job new retries."""
        self._stopping_since.pop((job.id, job.attempt), None)
        state, kind, message = outcome(job.state, end, reported)
        if state is State.FAILED:
            printed = self.handle(job).files.last_error()
            message = printed if kind in ("unusable", "error") and printed else message
        if state is State.CANCELLED and job.kind == early_stop.STOPPED_EARLY:
            kind, message = job.kind, job.message
        saved = saved_images(self.root / job.id)
        retries = 0 if saved > job.saved_images else job.retries
        if state is State.INTERRUPTED and retries >= MOST_RETRIES:
            message = said.filled(said.NO_PROGRESS, message=message, times=retries + 1)
        self.index.change(
            job,
            state=state,
            kind=kind,
            message=message,
            retries=retries,
            saved_images=max(saved, job.saved_images),
        )

    def _fill(self, device: Device) -> None:
        """Start the next jobs on a device that has free places."""
        jobs = self.index.jobs()
        free = device.places - sum(job.active and job.assigned == device.name for job in jobs)
        if free <= 0:
            return
        lock = self.device_lock(device)
        if not device.engine and Lease(lock).is_held():
            return
        for job in queue.waiting(jobs, device):
            if not RunDirectory(self.root / job.id).lease.is_held():  # by somebody's terminal
                self._launch(job, device, lock)
                free -= 1
                if not free:
                    return

    def _launch(self, job: Job, device: Device, lock: Path) -> None:
        directory = RunDirectory(self.root / job.id)
        newest = directory.newest_attempt()
        starting = self.index.change(
            job,
            state=State.STARTING,
            attempt=max(newest, job.attempt) + 1,
            assigned=device.name,
            started=time.time(),
        )
        if starting is None:
            return
        handle = self.handle(starting)
        try:
            directory.new_attempt(starting.attempt)
            send_wish(directory, "run")  # an old pause must not stop the new attempt
            self.engine.submit(handle, device, lock)
        except OSError as error:
            self.index.change(starting, state=State.FAILED, kind="disk", message=str(error))

    def handle(self, job: Job) -> Handle:
        """Return what the engine calls the job's newest attempt."""
        return Handle(self.root / job.id, job.attempt, job.assigned, job.account)

    def device_lock(self, device: Device) -> Path:
        """Return the file that whoever uses `device` has locked, if it is of this machine."""
        folder = self.root / "devices"
        folder.mkdir(exist_ok=True)
        return folder / device.lock_name


def send_wish(directory: RunDirectory, command: str) -> None:
    """Ask the worker for something; it looks about once a second, and grants all wishes in order.

    Args:
        command: "run" (which is no wish, and takes the earlier ones back), "pause", "cancel",
            "save_now" or "sample_now".
    """
    seen = directory.last_wish_seen()
    generation = max(directory.read_control()["generation"], seen) + 1
    wish: dict[str, Any] = {"command": command, "generation": generation}
    if command != "run":
        wish["earlier"] = directory.wishes_after(seen)[-_WISHES_KEPT:]
    write_json(directory.path / "control.json", wish)


def saved_images(run: Path) -> int:
    """Return how many pictures a run had seen at its newest complete checkpoint; 0 without one."""
    try:
        newest = run_checkpoints.latest(run / "ckpt")
        return int(read_json(newest / "state.json")["images_seen"]) if newest else 0
    except (OSError, ValueError, KeyError, TypeError):  # just being replaced
        return 0
