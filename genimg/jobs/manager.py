"""Background runs for the page and the command line.

    with JobManager("runs") as manager:                       # starts the supervisor's thread
        job = manager.start("fashion-style", actor="ada", minutes=10)
        manager.pause(job.id, actor="ada")
        for view in manager.snapshot(): ...

One process at a time supervises a data root. Another server there only reads, and says so in
`notice`; the command line's manager sends its commands to the supervisor instead. Closing a
manager, or killing its process, leaves the workers running: the next manager finds them.
"""

import os
import threading
import time
from pathlib import Path
from typing import Any

from genimg.jobs import naming, queue
from genimg.jobs.devices import Device, resolve_wanted
from genimg.jobs.engine import Engine, LocalEngine
from genimg.jobs.estimate import Estimate, estimate
from genimg.jobs.job import Job
from genimg.jobs.limits import UsageLimits
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

_SECONDS = 1.0


class JobManager:
    """All runs of one data root. Its methods may be called from any thread.

    Args:
        root: folder of the runs; it is made if it is missing.
        limits: what one owner may ask for.
        engine: where runs become processes; this machine by default.
        by_request: send commands to the supervisor's process if it is another one, instead of
            refusing them; for the command line.

    Raises:
        OSError: the root is not there and cannot be made. Where it cannot be written, the runs can
            be watched.

    Every command takes `actor`, the nickname of who asks, and `is_teacher`, who may do everything;
    it raises ValueError (no such job, or not in its state), PermissionError (not theirs, or a limit
    is reached) or OSError (the disk), always with one sentence for the person who asked.
    """

    def __init__(
        self,
        root: str | os.PathLike,
        *,
        limits: UsageLimits | None = None,
        engine: Engine | None = None,
        by_request: bool = False,
    ) -> None:
        self.root, self.engine = Path(root), engine or LocalEngine()
        self._service = Service(
            self.root, limits or UsageLimits(), self.engine, by_request=by_request
        )
        self._view_lock = threading.Lock()
        self._views: list[JobView] = []
        self._settled: dict[Job, JobView] = {}
        self._viewed_at = -_SECONDS

    @property
    def supervising(self) -> bool:
        """Whether this manager is the one that starts and follows the runs."""
        return self._service.supervising

    @property
    def only_watches(self) -> bool:
        """Whether no command can be given here: `notice` says why."""
        return self._service.only_watches

    @property
    def notice(self) -> str:
        """A sentence for the page: why nothing can be changed here, or what is wrong; or ''."""
        return self._service.notice

    @property
    def limits(self) -> UsageLimits:
        """What one owner may ask for."""
        return self._service.limits

    def supervise(self) -> None:
        """Start the thread that follows the runs; harmless if it runs already."""
        self._service.supervise()

    def step(self) -> None:
        """Do what the thread does once a second, here and now."""
        self._service.step()
        self._viewed_at = -_SECONDS

    def close(self) -> None:
        """Stop supervising; the workers go on."""
        self._service.close()

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
        actor: str,
        is_teacher: bool = False,
        name: str = "",
        token: str | None = None,
        **settings: Any,
    ) -> Job:
        """Queue a run of `preset` that belongs to `actor`, and return its job.

        Args:
            name: what to call it; by default the preset's name.
            token: anything that is new for each intent, such as for each time a form is shown: a
                second call with the same one returns the same job.
            settings: as for `genimg.train`: `minutes` or `images`, `dataset`, `device` ("auto",
                "cpu", "mps", "cuda", "cuda:1"), `seed`, any field of the preset's configurations.

        Raises:
            ValueError: a setting is wrong, or the run cannot fit on this machine.
            PermissionError: the actor has reached a limit.
        """
        device = settings.pop("device", "auto")
        spec = self._request(
            preset, settings
        ).to_dict()  # may read a folder of pictures: not locked
        who = {"actor": actor, "is_teacher": is_teacher}
        return self._do("start", spec=spec, name=name, device=device, token=token, **who)

    def pause(self, job_id: str, *, actor: str, is_teacher: bool = False) -> Job:
        """Let the worker save and end, which frees its memory; a queued job just waits."""
        return self._do("pause", job_id=job_id, actor=actor, is_teacher=is_teacher)

    def resume(self, job_id: str, *, actor: str, is_teacher: bool = False) -> Job:
        """Queue a paused, failed or interrupted job; it goes on from its last checkpoint."""
        return self._do("resume", job_id=job_id, actor=actor, is_teacher=is_teacher)

    def cancel(self, job_id: str, *, actor: str, is_teacher: bool = False) -> Job:
        """End a job for good; its last checkpoint stays. One that has ended stays as it is."""
        return self._do("cancel", job_id=job_id, actor=actor, is_teacher=is_teacher)

    def save_now(self, job_id: str, *, actor: str, is_teacher: bool = False) -> Job:
        """Ask a running worker for a checkpoint."""
        return self._do("save_now", job_id=job_id, actor=actor, is_teacher=is_teacher)

    def sample_now(self, job_id: str, *, actor: str, is_teacher: bool = False) -> Job:
        """Ask a running worker for a sample sheet."""
        return self._do("sample_now", job_id=job_id, actor=actor, is_teacher=is_teacher)

    def rename(self, job_id: str, name: str, *, actor: str, is_teacher: bool = False) -> Job:
        """Call a job something else: 1 to 80 printable characters."""
        return self._do("rename", job_id=job_id, name=name, actor=actor, is_teacher=is_teacher)

    def move(
        self,
        job_id: str,
        step: int,
        *,
        actor: str,
        is_teacher: bool = False,
        seen: float | None = None,
    ) -> Job:
        """Let a queued job change places with its owner's one before (-1) or after (1) it.

        Args:
            seen: `job.position` as the page showed it, so that a double click moves it once.
        """
        who = {"actor": actor, "is_teacher": is_teacher}
        return self._do("move", job_id=job_id, step=step, seen=seen, **who)

    def delete(self, job_id: str, *, actor: str, is_teacher: bool = False) -> None:
        """Delete a job that is not running, and all its files; one that is gone is no error."""
        self._do("delete", job_id=job_id, actor=actor, is_teacher=is_teacher)

    def check_upload(self, *, actor: str, is_teacher: bool = False) -> str:
        """Return the nickname under which the actor may send pictures; see `pictures`.

        Raises:
            PermissionError: what the actor stores, runs and pictures, has reached the limit.
        """
        return self._do("check_upload", actor=actor, is_teacher=is_teacher)

    def delete_pictures(self, name: str, *, actor: str, is_teacher: bool = False) -> None:
        """Delete pictures that somebody sent, unless a run that may yet be trained needs them.

        Args:
            name: of their folder; one that is gone is no error. If others sent the same pictures,
                these stay theirs.
        """
        self._do("delete_pictures", name=name, actor=actor, is_teacher=is_teacher)

    def rebuild(self) -> int:
        """Make the index anew from the run directories; return the number of jobs."""
        return self._do("rebuild")

    def _do(self, command: str, **arguments: Any) -> Any:
        try:
            return self._service.do(command, **arguments)
        finally:
            self._viewed_at = -_SECONDS  # whoever did something sees it at once

    # Looking

    def jobs(self) -> list[Job]:
        """Return all jobs in the order of their positions, then the runs of terminals."""
        return [*self._service.jobs(), *read_terminal_runs(self.root)]

    def job(self, job_id: str) -> Job:
        """Return one job; ValueError if there is none of that id."""
        job = self._service.job(job_id)
        if job is None:
            watched = (job for job in read_terminal_runs(self.root) if job.id == job_id)
            job = next(watched, None)
        if job is None:
            raise ValueError(f"there is no job {job_id!r}; it may have been deleted")
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
        jobs = self._service.jobs()
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
        """Return the devices of this machine and their memory, the fastest first."""
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
