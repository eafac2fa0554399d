"""Background runs for the page and the command line.

    with JobManager("runs") as manager:                       # starts the supervisor's thread
        ada = Visitor("ada")
        job = manager.start("fashion-style", visitor=ada, minutes=10)
        manager.do(Pause(job.id), ada)
        for view in manager.snapshot(): ...

One process at a time supervises a data root. Another server there only reads, and says so in
`notice`; the command line's manager sends its commands to the supervisor instead. Closing a
manager, or killing its process, leaves the workers running: the next manager finds them.
"""

import os
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from genimg.configuration import setting_name
from genimg.jobs import naming, queue
from genimg.jobs.accounts import FEWEST_MINUTES, Accounts
from genimg.jobs.commands import Command, Result, Start, StartRace
from genimg.jobs.devices import Device, engine_of, resolve_wanted
from genimg.jobs.engine import Engine
from genimg.jobs.engines.configured import Engines
from genimg.jobs.estimate import Estimate, estimate
from genimg.jobs.job import Job
from genimg.jobs.limits import UsageLimits, Visitor
from genimg.jobs.races import SWEEP
from genimg.jobs.service import Service
from genimg.jobs.states import State
from genimg.jobs.terminal_runs import read_terminal_runs, watch
from genimg.jobs.views import JobView, folder_bytes, view
from genimg.training.attempts import Attempt
from genimg.training.places import whole_names
from genimg.training.requesting import request_spec
from genimg.training.requirements import check_shared
from genimg.training.run_directory import RunDirectory
from genimg.training.spec import RunSpec
from genimg.training.variants import combinations, variants
from genimg.wording import Wording

_SECONDS = 1.0


class JobManager(Service):
    """All runs of one data root. Its methods may be called from any thread.

    Args:
        root: folder of the runs; it is made if it is missing.
        limits: what one owner may ask for.
        engine: where runs become processes; by default this machine, and what engines.json names.
        by_request: send commands to the supervisor's process if it is another one, instead of
            refusing them; for the command line.

    Raises:
        OSError: the root is not there and cannot be made. Where it cannot be written, the runs can
            be watched.
    """

    def __init__(
        self,
        root: str | os.PathLike,
        *,
        limits: UsageLimits | None = None,
        engine: Engine | None = None,
        by_request: bool = False,
    ) -> None:
        root = Path(root)
        super().__init__(
            root, limits or UsageLimits(), engine or Engines(root), by_request=by_request
        )
        engines = self.engine if isinstance(self.engine, Engines) else None
        self.accounts = engines.accounts if engines else Accounts()
        self._view_lock = threading.Lock()
        self._views: list[JobView] = []
        self._settled: dict[Job, JobView] = {}
        self._viewed_at = -_SECONDS

    def step(self) -> None:
        """Do what the thread does once a second, here and now."""
        super().step()
        self._viewed_at = -_SECONDS

    def __enter__(self) -> "JobManager":
        self.supervise()
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    # Commands

    def start(
        self,
        preset: str,
        *,
        visitor: Visitor,
        name: str = "",
        token: str | None = None,
        **settings: Any,
    ) -> Job:
        """Queue a run of `preset` that belongs to the visitor, and return its job.

        Args:
            name: what to call it; by default the preset's name.
            token: anything that is new for each intent, such as for each time a form is shown: a
                second call with the same one returns the same job.
            settings: as for `genimg.train`: `minutes` or `images`, `dataset`, `device` ("auto",
                "cpu", "mps", "cuda", "cuda:1"), `seed`, any field of the preset's configurations.

        Raises:
            ValueError, PermissionError, OSError: as for `Start`; a setting is wrong.
        """
        device = settings.pop("device", "auto")
        spec = self._request(preset, settings)  # may read a folder of pictures: not locked
        return self.do(Start(spec.to_dict(), name=name, device=device, token=token), visitor)

    def race(
        self,
        preset: str,
        setting: str,
        values: Sequence[str] = (),
        *,
        visitor: Visitor,
        token: str | None = None,
        **settings: Any,
    ) -> str:
        """Queue runs of `preset` that differ in one setting, all or none; return the race's id.

        Args:
            setting, values: what differs; see `genimg.training.variants.variants`.
            token: as for `start`.
            settings: of all of them, as for `start`.

        Raises:
            ValueError, PermissionError, OSError: as for `StartRace`; a setting is wrong.
        """
        found = variants(preset, setting, values)
        if setting in settings:
            raise ValueError(
                Wording(
                    "job.set_for_all",
                    "{setting} is what differs in this race; do not set it for all",
                    setting=setting_name(setting),
                )
            )
        named = {f"{setting.replace('_', ' ')} {name}": each for name, each in found.items()}
        return self._start_several(preset, setting, named, settings, visitor, token)

    def sweep(
        self,
        preset: str,
        varied: Mapping[str, Sequence[Any]],
        *,
        visitor: Visitor,
        token: str | None = None,
        stop_rule: str = "",
        **settings: Any,
    ) -> str:
        """Queue runs of `preset` with every combination of values; return what they share, an id.

        Args:
            varied: the values of each setting that differs.
            token: as for `start`.
            stop_rule: as for `StartRace`.
            settings: of all of them, as for `start`.

        Raises:
            ValueError, PermissionError, OSError: as for `StartRace`; a setting is wrong.
        """
        found = combinations(varied)
        shared = next(iter(varied)) if len(varied) == 1 else SWEEP
        return self._start_several(preset, shared, found, settings, visitor, token, stop_rule)

    def _start_several(
        self,
        preset: str,
        setting: str,
        named: Mapping[str, Mapping[str, Any]],
        settings: dict[str, Any],
        visitor: Visitor,
        token: str | None,
        stop_rule: str = "",
    ) -> str:
        """Queue runs by their names and what is special to each."""
        device = settings.pop("device", "auto")
        specs = [self._request(preset, {**changes, **settings}) for changes in named.values()]
        command = StartRace(
            setting,
            [spec.to_dict() for spec in specs],
            list(named),
            device=device,
            token=token,
            stop_rule=stop_rule,
        )
        return self.do(command, visitor)

    def do(self, command: Command[Result], visitor: Visitor) -> Result:
        """Execute a command; see `Service.do`."""
        try:
            return super().do(command, visitor)
        finally:
            self._viewed_at = -_SECONDS  # whoever did something sees it at once

    # Looking

    @property
    def on_accounts(self) -> bool:
        """Whether some runs train on the accounts of their owners, who sign in for them."""
        return isinstance(self.engine, Engines) and self.engine.on_accounts

    def awaits_owner(self, job: Job) -> bool:
        """Return whether nobody can follow or begin a run before its owner signs in again."""
        elsewhere = engine_of(job.assigned if job.active else job.device)
        if not (job.account and elsewhere and (job.active or job.state is State.QUEUED)):
            return False
        begun = job.state not in (State.QUEUED, State.STARTING)
        return self.accounts.minutes_left(job.account) <= (0 if begun else FEWEST_MINUTES)

    def jobs(self) -> list[Job]:
        """Return all jobs in the order of their positions, then the runs of terminals."""
        return [*super().jobs(), *read_terminal_runs(self.root)]

    def job(self, job_id: str) -> Job:
        """Return one job; ValueError if there is none of that id."""
        job = super().job(job_id)
        if job is None:
            watched = (job for job in read_terminal_runs(self.root) if job.id == job_id)
            job = next(watched, None)
        if job is None:
            raise ValueError(
                Wording(
                    "job.missing", "there is no job {id}; it may have been deleted", id=repr(job_id)
                )
            )
        return job

    def snapshot(self) -> list[JobView]:
        """Return all jobs with their progress, for many viewers: made at most once a second.

        Running jobs come first, then the queue in the order of starting, then the others, the
        newest first.
        """
        with self._view_lock:
            if time.monotonic() - self._viewed_at >= _SECONDS:
                self._viewed_at = time.monotonic()
                self._views = self._look()
            return list(self._views)

    def _look(self) -> list[JobView]:
        jobs = super().jobs()
        places: dict[str, int] = {}
        for device in self.engine.capacity():
            for place, job in enumerate(queue.waiting(jobs, device), start=1):
                places[job.id] = min(place, places.get(job.id, place))
        views = [self._settled.get(job) or view(self.root, job, places.get(job.id)) for job in jobs]
        self._settled = {
            seen.job: seen
            for seen in views
            if not seen.job.active and seen.job.state is not State.QUEUED
        }
        return sorted(
            views + [watch(self.root, job) for job in read_terminal_runs(self.root)],
            key=lambda seen: (
                not seen.job.active,
                seen.place is None,
                seen.place or 0,
                -seen.job.changed,
            ),
        )

    def view(self, job_id: str) -> JobView:
        """Return one job with its progress, at most a second old."""
        self.job(job_id)
        found = [seen for seen in self.snapshot() if seen.job.id == job_id]
        return found[0] if found else view(self.root, self.job(job_id))

    def directory(self, job_id: str) -> RunDirectory:
        """Return the run of a job: its specification, metrics, checkpoints and sample sheets."""
        return RunDirectory(self.root / self.job(job_id).id)

    def log(self, job_id: str, attempt: int | None = None) -> str:
        """Return the end (64 KiB) of what an attempt printed, by default of the newest.

        It is what a process wrote: escape it before it is shown on a page.
        """
        job = self.job(job_id)
        number = job.attempt if attempt is None else attempt
        return Attempt.of(self.root / job.id, number).read_log()

    def stored_bytes(self, job_id: str) -> int:
        """Return how much a job's files take on the disk; it looks at every file."""
        return folder_bytes(self.root / self.job(job_id).id)

    def devices(self) -> list[Device]:
        """Return the devices of this machine and their memory, the fastest first, then others."""
        return self.engine.capacity()

    def estimate(self, preset: str, **settings: Any) -> Estimate:
        """Return what a run would need, without queueing it.

        Args:
            settings: as for `start`.

        Raises:
            ValueError: a setting is wrong. That it cannot fit is the estimate's `problem`.
        """
        devices = self.devices()
        wanted = resolve_wanted(settings.pop("device", "auto"), devices)
        device = next(device for device in devices if device.serves(wanted))
        return estimate(self._request(preset, settings), device, self.root, self.jobs())

    def model(self, name: str) -> str:
        """Return what `genimg.load` takes for a model that somebody names: also a run here.

        Args:
            name: of a checkpoint that ships, a path, hf://owner/repository; or of a run: its id,
                the beginning of it, or what its owner calls it.

        Raises:
            ValueError: several runs are called so.
        """
        if naming.is_model(name):
            return name
        job = naming.find(self.jobs(), name)
        return name if job is None else str((self.root / job.id).resolve())

    def _request(self, preset: str, settings: dict[str, Any]) -> RunSpec:
        """Return the request, with names by which every process finds what it needs."""
        for setting in ("tokenizer", "init", "extend"):
            if isinstance(model := settings.get(setting), str) and model:
                settings = settings | {setting: self.model(model)}
        spec = request_spec(preset, **whole_names(settings, self.root))
        check_shared(spec)
        return spec
