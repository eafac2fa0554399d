"""What a visitor can ask for. Every command may be given twice: the second time changes nothing.

Only the supervisor's process obeys them, one at a time. Each decides on the state it sees and
changes it by compare-and-set; what the worker has to do follows, so that a crash in between leaves
a state that the supervisor sees through.
"""

import dataclasses
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from genimg.jobs import early_stop, pictures, queue
from genimg.jobs.devices import LOCAL, resolve_wanted, worker_device
from genimg.jobs.job import Job, checked_name, checked_nickname, new_id
from genimg.jobs.limits import Visitor
from genimg.jobs.runs import Runs
from genimg.jobs.states import State, state_name
from genimg.training.run_directory import RunDirectory
from genimg.training.spec import RunSpec
from genimg.wording import Wording

_WAITING = (State.QUEUED, State.STARTING, State.RUNNING)
_OVER = (State.SUCCEEDED, State.CANCELLED)  # all others may yet be trained

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Command(ABC, Generic[Result]):
    """Something to do for a visitor.

    Doing it raises ValueError if there is no such job or its state does not allow it,
    PermissionError if the visitor may not, and OSError if the disk fails.
    """

    def execute(self, runs: Runs, visitor: Visitor) -> Result:
        """Do it, and return what came of it."""
        return self._execute(runs, visitor)

    @abstractmethod
    def _execute(self, runs: Runs, visitor: Visitor) -> Result: ...


@dataclass(frozen=True, slots=True)
class Start(Command[Job]):
    """Queue a run.

    Args:
        spec: `RunSpec.to_dict()`.
        name: what to call it; by default the preset's name.
        device: "auto", "cpu", "mps", "cuda" or "cuda:1".
        token: stands for the click that asked; the same token again returns the same job.

    Raises:
        ValueError: the settings or the device are wrong, or it cannot fit on this machine.
        PermissionError: the owner has reached a limit.
    """

    spec: dict[str, Any]
    name: str = ""
    device: str = "auto"
    token: str | None = None

    def _execute(self, runs: Runs, visitor: Visitor) -> Job:
        job, request = _requested(runs, visitor, self.spec, self.name, self.device, self.token)
        if (known := runs.index.job(job.id)) is not None:
            return known
        runs.check_room([request], job.owner, job.device, visitor)
        runs.write_run(job, request)
        runs.index.add(job)
        return runs.job(job.id)


@dataclass(frozen=True, slots=True)
class StartRace(Command[str]):
    """Queue several runs that are to be compared, all or none; return what they have in common.

    Args:
        setting: the one in which they differ.
        specs: of each run, `RunSpec.to_dict()`.
        names: what to call each.
        device, token: as for `Start`.
        stop_rule: "median" to end hopeless ones early, see `genimg.jobs.early_stop`; '' for none.

    Raises:
        ValueError, PermissionError: as for `Start`, of any of them or of all together.
    """

    setting: str
    specs: list[dict[str, Any]]
    names: list[str]
    device: str = "auto"
    token: str | None = None
    stop_rule: str = ""

    def _execute(self, runs: Runs, visitor: Visitor) -> str:
        if self.stop_rule not in ("", early_stop.MEDIAN):
            raise ValueError(f"there is no rule {self.stop_rule!r}; there is {early_stop.MEDIAN}")
        race = new_id(self.setting, checked_nickname(visitor.nickname), self.token)
        if any(job.race == race for job in runs.index.jobs()):
            return race
        asked = [
            _requested(runs, visitor, spec, name, self.device, race)
            for spec, name in zip(self.specs, self.names, strict=True)
        ]
        first = asked[0][0]
        runs.check_room([request for _, request in asked], first.owner, first.device, visitor)
        written: list[Job] = []
        try:
            for number, (job, request) in enumerate(asked):
                one = dataclasses.replace(
                    job,
                    id=f"{job.id}-{number}",
                    race=race,
                    created=first.created,
                    stop_rule=self.stop_rule,
                )
                runs.write_run(one, request)
                written.append(one)
        except BaseException:
            for one in written:
                runs.remove(runs.root / one.id)
            raise
        for one in written:
            runs.index.add(one)
        return race


def _requested(
    runs: Runs,
    visitor: Visitor,
    spec: dict[str, Any],
    name: str,
    device: str,
    token: str | None,
) -> tuple[Job, RunSpec]:
    """Return a run that is asked for, as a job and as it will be written; nothing is done yet."""
    request = RunSpec.from_dict(spec)
    owner = checked_nickname(visitor.nickname)
    name = checked_name(name or request.preset, "name of a run")
    wanted = resolve_wanted(device, runs.engine.capacity())
    # The worker sees only the GPU it is to use, so that a run can continue on another one.
    run = dataclasses.replace(request.run, device=worker_device(wanted))
    now = time.time()
    job = Job(
        id=new_id(request.preset, owner, token),
        name=name,
        owner=owner,
        preset=request.preset,
        device=wanted,
        created=now,
        changed=now,
        account=visitor.account if runs.is_on_account(wanted) else "",
    )
    return job, dataclasses.replace(request, run=run, resolved={})


@dataclass(frozen=True, slots=True)
class Pause(Command[Job]):
    """Let the worker save and end, which frees its memory; a queued job just waits."""

    job_id: str

    def _execute(self, runs: Runs, visitor: Visitor) -> Job:
        job = runs.mine(self.job_id, visitor)
        if job.state in (State.PAUSING, State.PAUSED):
            return job
        if job.state is State.QUEUED:
            return runs.change(job, state=State.PAUSED, message="")
        if job.state not in (State.STARTING, State.RUNNING):
            raise ValueError(
                Wording(
                    "job.not_pausable",
                    "{name} is {state}, so it cannot be paused",
                    name=job.name,
                    state=state_name(job.state),
                )
            )
        return runs.stop(job, State.PAUSING, "pause")


@dataclass(frozen=True, slots=True)
class Resume(Command[Job]):
    """Queue a job again; it goes on from its last checkpoint, perhaps elsewhere.

    Args:
        engine: where to go on, on the same kind of device: the numbers of a GPU are others than
            those of a CPU. `LOCAL` is this machine, and '' where it was.
    """

    job_id: str
    engine: str = ""

    def _execute(self, runs: Runs, visitor: Visitor) -> Job:
        job = runs.mine(self.job_id, visitor)
        if job.state in _WAITING:
            return job
        device, kind = job.device, worker_device(job.device)
        if self.engine:
            wanted = kind if self.engine == LOCAL else f"{self.engine}/{kind}"
            device = resolve_wanted(wanted, runs.engine.capacity())
        runs.check_cost(device, visitor, job.account)
        if job.state is State.PAUSING:
            raise ValueError(
                Wording(
                    "job.still_saving",
                    "{name} is still saving; resume it in a moment",
                    name=job.name,
                )
            )
        if job.state not in (State.PAUSED, State.FAILED, State.INTERRUPTED):
            raise ValueError(
                Wording(
                    "job.for_good",
                    "{name} is {state} for good; start another run to train again",
                    name=job.name,
                    state=state_name(job.state),
                )
            )
        if job.kind == "diverged":
            raise ValueError(
                Wording(
                    "job.would_diverge",
                    "{name} would diverge again; start another run with lower learning rates",
                    name=job.name,
                )
            )
        last = max(other.position for other in runs.index.jobs())
        return runs.change(
            job,
            state=State.QUEUED,
            kind="",
            message="",
            retries=0,
            position=last + 1,
            device=device,
            account=job.account or (visitor.account if runs.is_on_account(device) else ""),
        )


@dataclass(frozen=True, slots=True)
class Cancel(Command[Job]):
    """End a job for good; its last checkpoint stays."""

    job_id: str

    def _execute(self, runs: Runs, visitor: Visitor) -> Job:
        job = runs.mine(self.job_id, visitor)
        if job.state in (State.QUEUED, State.PAUSED, State.INTERRUPTED):
            return runs.change(job, state=State.CANCELLED, message="")
        if job.active and job.state is not State.CANCELLING:
            return runs.stop(job, State.CANCELLING, "cancel")
        return job


@dataclass(frozen=True, slots=True)
class SaveNow(Command[Job]):
    """Ask a running worker for a checkpoint."""

    job_id: str

    def _execute(self, runs: Runs, visitor: Visitor) -> Job:
        return runs.ask(self.job_id, "save_now", visitor)


@dataclass(frozen=True, slots=True)
class SampleNow(Command[Job]):
    """Ask a running worker for a sample sheet."""

    job_id: str

    def _execute(self, runs: Runs, visitor: Visitor) -> Job:
        return runs.ask(self.job_id, "sample_now", visitor)


@dataclass(frozen=True, slots=True)
class Rename(Command[Job]):
    """Call a job something else."""

    job_id: str
    name: str

    def _execute(self, runs: Runs, visitor: Visitor) -> Job:
        job = runs.mine(self.job_id, visitor)
        return runs.change(job, name=checked_name(self.name, "name of a run"))


@dataclass(frozen=True, slots=True)
class Move(Command[Job]):
    """Let a queued job change places with another one of the same owner and device.

    Args:
        step: -1 for the one before it, 1 for the one after it.
        seen: the job's position as the page showed it; if it has moved since, nothing happens,
            so a double click moves it by one.
    """

    job_id: str
    step: int
    seen: float | None = None

    def _execute(self, runs: Runs, visitor: Visitor) -> Job:
        job = runs.mine(self.job_id, visitor)
        if type(self.step) is not int or self.step not in (-1, 1):
            raise ValueError(
                Wording("job.step", "step must be -1 or 1, not {step}", step=repr(self.step))
            )
        other = queue.neighbour(runs.index.jobs(), job, self.step)
        if other is None or (self.seen is not None and self.seen != job.position):
            return job
        runs.change(other, position=job.position)
        return runs.change(job, position=other.position)


@dataclass(frozen=True, slots=True)
class Delete(Command[None]):
    """Delete a job that is not running, and all its files; one that is gone is no error."""

    job_id: str

    def _execute(self, runs: Runs, visitor: Visitor) -> None:
        if runs.index.job(self.job_id) is None:
            return
        job = runs.mine(self.job_id, visitor)
        folder = runs.root / job.id
        if job.active or RunDirectory(folder).lease.is_held():
            raise ValueError(
                Wording(
                    "job.in_training",
                    "{name} is being trained; cancel it, then delete it",
                    name=job.name,
                )
            )
        runs.remove(folder)
        runs.index.remove(job)


@dataclass(frozen=True, slots=True)
class CheckUpload(Command[str]):
    """Return the nickname under which the visitor may send pictures.

    Raises:
        ValueError: there is no such nickname.
        PermissionError: what the visitor stores has reached the limit.
    """

    def _execute(self, runs: Runs, visitor: Visitor) -> str:
        owner = checked_nickname(visitor.nickname)
        if not visitor.is_teacher:
            mine = [job for job in runs.index.jobs() if job.owner == owner]
            runs.limits.check_stored(runs.stored_bytes(owner, mine), runs.all_stored_bytes())
        return owner


@dataclass(frozen=True, slots=True)
class DeletePictures(Command[None]):
    """Delete pictures that somebody sent; those that are gone are no error.

    If others sent the same ones, they keep them.

    Args:
        name: of their folder.

    Raises:
        ValueError: a run that may yet be trained needs them.
    """

    name: str

    def _execute(self, runs: Runs, visitor: Visitor) -> None:
        folder = pictures.folder_named(runs.root, self.name)
        if folder is None:
            return
        owners = pictures.owners(folder)
        if not visitor.is_teacher:
            if visitor.nickname not in owners:
                raise PermissionError(
                    Wording("job.others_pictures", "these pictures are {owners}'s", owners=owners)
                    if owners
                    else Wording("job.nobodys_pictures", "these pictures are nobody's")
                )
            if others := [owner for owner in owners if owner != visitor.nickname]:
                return pictures.write_owners(folder, others)
        for job in runs.index.jobs():
            if job.state not in _OVER and runs.learns_from(job, folder):
                raise ValueError(
                    Wording(
                        "job.needs_pictures",
                        "the run {name} of {owner} is {state} and needs these pictures; delete"
                        " or cancel it first",
                        name=repr(job.name),
                        owner=job.owner,
                        state=state_name(job.state),
                    )
                )
        runs.remove(folder)


@dataclass(frozen=True, slots=True)
class Rebuild(Command[int]):
    """Rebuild the index from the folders of the runs; return the number of jobs."""

    def _execute(self, runs: Runs, visitor: Visitor) -> int:
        return runs.index.rebuild()


COMMANDS: dict[str, Callable[..., Command[Any]]] = {
    "start": Start,
    "start_race": StartRace,
    "pause": Pause,
    "resume": Resume,
    "cancel": Cancel,
    "save_now": SaveNow,
    "sample_now": SampleNow,
    "rename": Rename,
    "move": Move,
    "delete": Delete,
    "check_upload": CheckUpload,
    "delete_pictures": DeletePictures,
    "rebuild": Rebuild,
}
"""By the names that they have between processes and in the requests of the page."""
