"""What can be done with a job. Every command may be given twice: the second time changes nothing.

Only the supervisor's process runs them, one at a time. Each decides on the state it sees and
changes it by compare-and-set; what the worker has to do follows, so that a crash in between leaves
a state that the supervisor sees through.
"""

import dataclasses
import shutil
import time
from collections.abc import Iterable
from pathlib import Path

from genimg.data import FOLDER_PREFIX
from genimg.jobs import pictures, queue
from genimg.jobs.devices import resolve_wanted
from genimg.jobs.engine import Engine
from genimg.jobs.estimate import estimate
from genimg.jobs.index import Index
from genimg.jobs.job import Job, checked_name, checked_nickname, new_id
from genimg.jobs.limits import UsageLimits, allowed
from genimg.jobs.states import State
from genimg.jobs.supervisor import send_wish
from genimg.jobs.terminal_runs import read_terminal_runs
from genimg.jobs.views import folder_bytes
from genimg.storage import write_json
from genimg.training.run_directory import RunDirectory
from genimg.training.spec import RunSpec

_WAITING = (State.QUEUED, State.STARTING, State.RUNNING)
_ENDING = (State.PAUSING, State.CANCELLING)
_OVER = (State.SUCCEEDED, State.CANCELLED)  # all others may yet be trained


class Commands:
    """The commands of one data root. `actor` and `is_teacher` say who asks: see `allowed`.

    Each raises ValueError if there is no such job or its state does not allow it, PermissionError
    if the actor may not, and OSError if the disk fails.
    """

    def __init__(self, root: Path, index: Index, engine: Engine, limits: UsageLimits) -> None:
        self.root, self.index, self.engine, self.limits = root, index, engine, limits

    def start(
        self,
        spec: dict,
        *,
        actor: str,
        is_teacher: bool = False,
        name: str = "",
        device: str = "auto",
        token: str | None = None,
    ) -> Job:
        """Queue a run.

        Args:
            spec: `RunSpec.to_dict()`.
            name: what to call it; by default the preset's name.
            device: "auto", "cpu", "mps", "cuda" or "cuda:1".
            token: of the click that asked: the same one again returns the same job.

        Raises:
            ValueError: the settings or the device are wrong, or it cannot fit on this machine.
            PermissionError: the owner has reached a limit.
        """
        request = RunSpec.from_dict(spec)
        owner = checked_nickname(actor)
        name = checked_name(name or request.preset, "name of a run")
        id = new_id(request.preset, owner, token)
        if (known := self.index.job(id)) is not None:
            return known
        wanted = resolve_wanted(device, self.engine.capacity())
        # The worker sees only the GPU it is to use, so that a run can go on on another one.
        run = dataclasses.replace(request.run, device=wanted.partition(":")[0])
        request = dataclasses.replace(request, run=run, resolved={})
        self._check_room(request, owner, wanted, is_teacher)
        now = time.time()
        job = Job(
            id=id,
            name=name,
            owner=owner,
            preset=request.preset,
            device=wanted,
            created=now,
            changed=now,
        )
        self._write_run(job, request)
        self.index.add(job)
        return self._job(id)

    def _check_room(self, spec: RunSpec, owner: str, wanted: str, is_teacher: bool) -> None:
        jobs = self.index.jobs()
        device = next(device for device in self.engine.capacity() if device.serves(wanted))
        needs = estimate(spec, device, self.root, jobs)
        if needs.problem:
            raise ValueError(needs.problem)
        if not is_teacher:
            mine = [job for job in jobs if job.owner == owner]
            self.limits.check(
                mine,
                minutes=needs.minutes,
                stored_bytes=self._stored_bytes(owner, mine),
                everybodys=jobs,
                all_stored_bytes=self._all_stored_bytes(),
                by_minutes=not spec.run.images,
            )

    def _stored_bytes(self, owner: str, mine: Iterable[Job]) -> int:
        runs = sum(folder_bytes(self.root / job.id) for job in mine)
        return runs + pictures.stored_bytes(self.root, owner)

    def _all_stored_bytes(self) -> int:
        """Return what all files of the data root take, if that is limited: it looks at each."""
        return folder_bytes(self.root) if self.limits.all_stored_megabytes else 0

    def _write_run(self, job: Job, spec: RunSpec) -> None:
        """Make the run's directory, whole or not at all."""
        temporary = self.root / f".new-{job.id}"
        try:
            shutil.rmtree(temporary, ignore_errors=True)
            RunDirectory.create(temporary, spec)
            write_json(temporary / "job.json", job.to_dict())
            temporary.rename(self.root / job.id)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise

    def pause(self, job_id: str, *, actor: str, is_teacher: bool = False) -> Job:
        """Let the worker save and end, which frees its memory; a queued job just waits."""
        job = self._mine(job_id, actor, is_teacher)
        if job.state in (State.PAUSING, State.PAUSED):
            return job
        if job.state is State.QUEUED:
            return self._change(job, state=State.PAUSED, message="")
        if job.state not in (State.STARTING, State.RUNNING):
            raise ValueError(f"{job.name} is {job.state}, so it cannot be paused")
        return self._stop(job, State.PAUSING, "pause")

    def resume(self, job_id: str, *, actor: str, is_teacher: bool = False) -> Job:
        """Queue a job again; it goes on from its last checkpoint."""
        job = self._mine(job_id, actor, is_teacher)
        if job.state in _WAITING:
            return job
        if job.state is State.PAUSING:
            raise ValueError(f"{job.name} is still saving; resume it in a moment")
        if job.state not in (State.PAUSED, State.FAILED, State.INTERRUPTED):
            raise ValueError(
                f"{job.name} is {job.state} for good; start another run to train again"
            )
        if job.kind == "diverged":
            raise ValueError(
                f"{job.name} would diverge again; start another run with lower learning rates"
            )
        last = max(other.position for other in self.index.jobs())
        return self._change(
            job, state=State.QUEUED, kind="", message="", retries=0, position=last + 1
        )

    def cancel(self, job_id: str, *, actor: str, is_teacher: bool = False) -> Job:
        """End a job for good; its last checkpoint stays."""
        job = self._mine(job_id, actor, is_teacher)
        if job.state in (State.QUEUED, State.PAUSED, State.INTERRUPTED):
            return self._change(job, state=State.CANCELLED, message="")
        if job.active and job.state is not State.CANCELLING:
            return self._stop(job, State.CANCELLING, "cancel")
        return job

    def save_now(self, job_id: str, *, actor: str, is_teacher: bool = False) -> Job:
        """Ask a running worker for a checkpoint."""
        return self._ask(job_id, "save_now", actor, is_teacher)

    def sample_now(self, job_id: str, *, actor: str, is_teacher: bool = False) -> Job:
        """Ask a running worker for a sample sheet."""
        return self._ask(job_id, "sample_now", actor, is_teacher)

    def rename(self, job_id: str, name: str, *, actor: str, is_teacher: bool = False) -> Job:
        """Call a job something else."""
        job = self._mine(job_id, actor, is_teacher)
        return self._change(job, name=checked_name(name, "name of a run"))

    def move(
        self,
        job_id: str,
        step: int,
        *,
        actor: str,
        is_teacher: bool = False,
        seen: float | None = None,
    ) -> Job:
        """Let a queued job change places with another one of the same owner and device.

        Args:
            step: -1 for the one before it, 1 for the one after it.
            seen: the job's position as the page showed it; if it has moved since, nothing happens,
                so a double click moves it by one.
        """
        job = self._mine(job_id, actor, is_teacher)
        if step not in (-1, 1):
            raise ValueError(f"step must be -1 or 1, not {step!r}")
        other = queue.neighbour(self.index.jobs(), job, step)
        if other is None or (seen is not None and seen != job.position):
            return job
        self._change(other, position=job.position)
        return self._change(job, position=other.position)

    def delete(self, job_id: str, *, actor: str, is_teacher: bool = False) -> None:
        """Delete a job that is not running, and all its files; one that is gone is no error."""
        if self.index.job(job_id) is None:
            return
        job = self._mine(job_id, actor, is_teacher)
        folder = self.root / job.id
        if job.active or RunDirectory(folder).lease.is_held():
            raise ValueError(f"{job.name} is being trained; cancel it, then delete it")
        self._remove(folder)
        self.index.remove(job)

    def check_upload(self, *, actor: str, is_teacher: bool = False) -> str:
        """Return the nickname under which the actor may send pictures.

        Raises:
            ValueError: there is no such nickname.
            PermissionError: what the actor stores has reached the limit.
        """
        owner = checked_nickname(actor)
        if not is_teacher:
            mine = [job for job in self.index.jobs() if job.owner == owner]
            self.limits.check_stored(self._stored_bytes(owner, mine), self._all_stored_bytes())
        return owner

    def delete_pictures(self, name: str, *, actor: str, is_teacher: bool = False) -> None:
        """Delete pictures that somebody sent; those that are gone are no error.

        If others sent the same ones, these stay theirs.

        Args:
            name: of their folder.

        Raises:
            ValueError: a run that may yet be trained needs them.
        """
        folder = pictures.folder_named(self.root, name)
        if folder is None:
            return
        owners = pictures.owners(folder)
        if not is_teacher:
            if actor not in owners:
                raise PermissionError(f"these pictures are {', '.join(owners) or 'nobody'}'s")
            if others := [owner for owner in owners if owner != actor]:
                return pictures.write_owners(folder, others)
        for job in self.index.jobs():
            if job.state not in _OVER and self._learns_from(job, folder):
                raise ValueError(
                    f"the run {job.name!r} of {job.owner} is {job.state} and needs these pictures;"
                    " delete or cancel it first"
                )
        self._remove(folder)

    def _learns_from(self, job: Job, folder: Path) -> bool:
        try:
            spec = RunDirectory(self.root / job.id).read_spec()
        except (OSError, ValueError):  # it cannot be trained as it is
            return False
        return spec.run.dataset == f"{FOLDER_PREFIX}{folder.resolve()}"

    def rebuild(self) -> int:
        """Make the index anew from the run directories; return the number of jobs."""
        return self.index.rebuild()

    def _remove(self, folder: Path) -> None:
        doomed = self.root / f".deleted-{folder.name}"
        shutil.rmtree(doomed, ignore_errors=True)
        folder.rename(doomed)  # at once: a half-deleted folder must not look like a whole one
        shutil.rmtree(doomed, ignore_errors=True)

    def _ask(self, job_id: str, command: str, actor: str, is_teacher: bool) -> Job:
        job = self._mine(job_id, actor, is_teacher)
        if job.state in (State.STARTING, State.RUNNING):
            send_wish(RunDirectory(self.root / job.id), command)
        elif job.state not in _ENDING:  # those save by themselves, and must not be held up
            raise ValueError(f"{job.name} is {job.state}, so there is nothing to save or draw")
        return job

    def _stop(self, job: Job, state: State, command: str) -> Job:
        stopping = self._change(job, state=state)
        send_wish(RunDirectory(self.root / job.id), command)
        return stopping

    def _job(self, job_id: str) -> Job:
        job = self.index.job(job_id)
        if job is None:
            if job_id in [run.id for run in read_terminal_runs(self.root)]:
                raise ValueError(
                    f"{job_id} was started in a terminal or from Python; stop it there (Ctrl-C"
                    " saves), and resume it with the same command"
                )
            raise ValueError(f"there is no job {job_id!r}; it may have been deleted")
        return job

    def _mine(self, job_id: str, actor: str, is_teacher: bool) -> Job:
        job = self._job(job_id)
        if not allowed(actor, job, is_teacher):
            raise PermissionError(f"{job.name} belongs to {job.owner or 'nobody'}; ask them")
        return job

    def _change(self, job: Job, **changes: object) -> Job:
        changed = self.index.change(job, **changes)
        if changed is None:
            raise ValueError(f"{job.name} has just changed; look again")
        return changed


def sweep(root: Path) -> None:
    """Delete what a killed process had begun to make or to delete."""
    for pattern in (".new-*", ".deleted-*"):
        for folder in root.glob(pattern):
            shutil.rmtree(folder, ignore_errors=True)
