"""Runs of a data root that no server started: `python -m genimg train`, or `genimg.train`.

They have no job.json, so they are in no queue and obey no button; the page and the list show them
beside the jobs, as long as their folders lie directly in the data root.
"""

from dataclasses import replace
from pathlib import Path

from genimg.jobs import said
from genimg.jobs.job import TERMINAL, Job
from genimg.jobs.states import State
from genimg.jobs.views import JobView, view
from genimg.training.run_directory import RunDirectory


def read_terminal_runs(root: Path) -> list[Job]:
    """Return each such run as a job; a folder that holds no run is left out."""
    folders = (path.parent for path in root.glob("*/spec.json"))
    runs = [path for path in folders if not path.name.startswith(".")]
    return [job for path in runs if (job := read_terminal_run(path)) is not None]


def read_terminal_run(folder: Path) -> Job | None:
    """Return the run in `folder` as a job, or None if it is a server's, or no run at all."""
    if (folder / "job.json").exists():
        return None
    directory = RunDirectory(folder)
    try:
        spec = directory.read_spec()
        # Nothing writes into the lease; the request is written anew while it trains.
        first = directory.lease.path if directory.lease.path.exists() else folder / "spec.json"
        created = first.stat().st_mtime
        attempt, status = directory.newest_attempt(), directory.newest_status()
        state = _state(directory, str(status.get("state", "")))
    except (OSError, ValueError):
        return None
    device = spec.resolved.get("device", spec.run.device)
    changed = status.get("time")
    return Job(
        id=folder.name,
        name=folder.name,
        owner=TERMINAL,
        preset=spec.preset,
        device=device,
        state=state,
        attempt=attempt,
        assigned=device if attempt else "",
        message=str(said.TERMINAL),
        created=created,
        changed=float(changed) if isinstance(changed, (int, float)) else created,
    )


def watch(root: Path, job: Job) -> JobView:
    """Return what is to be seen of such a run; nothing can be done with it."""
    return replace(view(root, job), actions=())


def _state(directory: RunDirectory, reported: str) -> State:
    """Return where a run is: its lease says whether it is trained, its status how it ended."""
    if directory.lease.is_held():
        return State.RUNNING if reported == "running" else State.STARTING
    ends = {"succeeded", "paused", "cancelled", "failed"}
    return State(reported) if reported in ends else State.INTERRUPTED
