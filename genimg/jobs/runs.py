"""What commands work with: the jobs of one data root, their files, and who may change them."""

import dataclasses
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from genimg.data import FOLDER_PREFIX
from genimg.jobs import pictures
from genimg.jobs.engine import Engine
from genimg.jobs.estimate import estimate
from genimg.jobs.index import Index
from genimg.jobs.job import Job
from genimg.jobs.limits import UsageLimits, Visitor
from genimg.jobs.states import State, state_name
from genimg.jobs.supervisor import send_wish
from genimg.jobs.terminal_runs import read_terminal_runs
from genimg.jobs.views import folder_bytes
from genimg.storage import write_json
from genimg.training.run_directory import RunDirectory
from genimg.training.spec import RunSpec
from genimg.wording import Wording

_ENDING = (State.PAUSING, State.CANCELLING)


class Runs:
    """The jobs of one data root, as commands see and change them."""

    def __init__(self, root: Path, index: Index, engine: Engine, limits: UsageLimits) -> None:
        self.root, self.index, self.engine, self.limits = root, index, engine, limits

    def job(self, job_id: str) -> Job:
        """Return one job; ValueError if there is none of that id that can be commanded."""
        job = self.index.job(job_id)
        if job is None:
            if job_id in [run.id for run in read_terminal_runs(self.root)]:
                raise ValueError(
                    Wording(
                        "job.of_terminal",
                        "{id} was started in a terminal or from Python; stop it there (Ctrl-C"
                        " saves), and resume it with the same command",
                        id=job_id,
                    )
                )
            raise ValueError(
                Wording(
                    "job.missing", "there is no job {id}; it may have been deleted", id=repr(job_id)
                )
            )
        return job

    def mine(self, job_id: str, visitor: Visitor) -> Job:
        """Return one job; PermissionError if the visitor may not change it."""
        job = self.job(job_id)
        if not visitor.may_change(job):
            raise PermissionError(
                Wording(
                    "job.belongs", "{name} belongs to {owner}; ask them",
                    name=job.name, owner=job.owner or Wording("job.nobody", "nobody"),
                )
            )  # fmt: skip
        return job

    def change(self, job: Job, **changes: object) -> Job:
        """Change a job and return it; ValueError if it has changed meanwhile."""
        changed = self.index.change(job, **changes)
        if changed is None:
            raise ValueError(
                Wording("job.changed", "{name} has just changed; look again", name=job.name)
            )
        return changed

    def stop(self, job: Job, state: State, wish: str) -> Job:
        """Let a worker save and end; return the job, which is in `state` until it has ended."""
        stopping = self.change(job, state=state)
        send_wish(RunDirectory(self.root / job.id), wish)
        return stopping

    def ask(self, job_id: str, wish: str, visitor: Visitor) -> Job:
        """Ask a running worker for something, and return its job; see `send_wish`."""
        job = self.mine(job_id, visitor)
        if job.state in (State.STARTING, State.RUNNING):
            send_wish(RunDirectory(self.root / job.id), wish)
        elif job.state not in _ENDING:  # those save by themselves, and must not be held up
            raise ValueError(
                Wording(
                    "job.nothing_to_save",
                    "{name} is {state}, so there is nothing to save or sample",
                    name=job.name,
                    state=state_name(job.state),
                )
            )
        return job

    def check_room(
        self, specs: Sequence[RunSpec], owner: str, wanted: str, visitor: Visitor
    ) -> None:
        """Refuse runs of which one cannot fit, or that would be more than the visitor may have.

        Args:
            specs: of all runs that are asked for at once.
            owner: the visitor's nickname, as it is written down.
            wanted: one device; see `resolve_wanted`.

        Raises:
            ValueError: one cannot fit on this machine.
            PermissionError: they are beyond a limit.
        """
        self.check_cost(wanted, visitor)
        limits = self.limits
        if self.is_on_account(wanted):  # whoever pays for a machine decides for how long
            limits = dataclasses.replace(limits, minutes_per_run=0, by_minutes_only=False)
        jobs = self.index.jobs()
        device = next(device for device in self.engine.capacity() if device.serves(wanted))
        needs = [estimate(spec, device, self.root, jobs) for spec in specs]
        for each in needs:
            if each.problem:
                raise ValueError(each.problem)
        if not visitor.is_teacher:
            mine = [job for job in jobs if job.owner == owner]
            limits.check(
                mine,
                minutes=max((n.minutes for n in needs if n.minutes is not None), default=None),
                stored_bytes=self.stored_bytes(owner, mine),
                everybodys=jobs,
                all_stored_bytes=self.all_stored_bytes(),
                by_minutes=not any(spec.run.images for spec in specs),
                count=len(specs),
            )

    def is_on_account(self, wanted: str) -> bool:
        """Return whether runs on a device are paid by the accounts of those who ask for them."""
        return any(each.on_accounts for each in self.engine.capacity() if each.serves(wanted))

    def check_cost(self, wanted: str, visitor: Visitor, payer: str = "") -> None:
        """Refuse a run that costs money which is not the visitor's to spend.

        Args:
            wanted: one device; see `resolve_wanted`.
            payer: the account that pays for the run already; '' if none does yet.

        Raises:
            PermissionError: the visitor has to sign in, or is not the teacher.
        """
        if self.is_on_account(wanted):
            if not visitor.account or (payer and visitor.account != payer):
                raise PermissionError(
                    Wording(
                        "job.sign_in",
                        "a run on this device is paid by the Hugging Face account of its owner, so"
                        " its owner has to sign in first; or choose another device",
                    )
                )
            return
        costs = [each.dollars_an_hour for each in self.engine.capacity() if each.serves(wanted)]
        if any(costs) and not visitor.is_teacher:
            raise PermissionError(
                Wording(
                    "job.costs_money",
                    "a run on this device costs money, so only the teacher may start it; choose"
                    " another device",
                )
            )

    def stored_bytes(self, owner: str, mine: Iterable[Job]) -> int:
        """Return how much the runs and pictures of an owner take; `mine` are the owner's jobs."""
        runs = sum(folder_bytes(self.root / job.id) for job in mine)
        return runs + pictures.stored_bytes(self.root, owner)

    def all_stored_bytes(self) -> int:
        """Return how much all files of the data root take, if that is limited; it looks at each."""
        return folder_bytes(self.root) if self.limits.all_stored_megabytes else 0

    def write_run(self, job: Job, spec: RunSpec) -> None:
        """Make the run's folder, whole or not at all."""
        temporary = self.root / f".new-{job.id}"
        try:
            shutil.rmtree(temporary, ignore_errors=True)
            RunDirectory.create(temporary, spec)
            write_json(temporary / "job.json", job.to_dict())
            temporary.rename(self.root / job.id)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise

    def remove(self, folder: Path) -> None:
        """Delete the folder of a run or of pictures."""
        doomed = self.root / f".deleted-{folder.name}"
        shutil.rmtree(doomed, ignore_errors=True)
        folder.rename(doomed)  # at once: a half-deleted folder must not look like a whole one
        shutil.rmtree(doomed, ignore_errors=True)

    def learns_from(self, job: Job, folder: Path) -> bool:
        """Return whether a job learns from the pictures in `folder`."""
        try:
            spec = RunDirectory(self.root / job.id).read_spec()
        except (OSError, ValueError):  # it cannot be trained as it is
            return False
        return spec.run.dataset == f"{FOLDER_PREFIX}{folder.resolve()}"


def sweep(root: Path) -> None:
    """Delete what a killed process had begun to make or to delete."""
    for pattern in (".new-*", ".deleted-*"):
        for folder in root.glob(pattern):
            shutil.rmtree(folder, ignore_errors=True)
