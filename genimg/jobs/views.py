"""What people see of a job: read from small files, never from a process."""

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from genimg.jobs.job import Job
from genimg.jobs.states import ACTIONS
from genimg.training.attempts import Attempt


@dataclass(frozen=True, kw_only=True, slots=True)
class JobView:
    """A job and how far it has come.

    Attributes:
        job: the job.
        images_seen, total: pictures; 0 before the first step.
        images_per_second: of the newest report; None before it.
        seconds_left: at that speed; None unless it is running.
        heartbeat: seconds since the worker last wrote its status; None unless it is active.
        place: 1 for the next job in the queue of its device; None unless it is queued.
        actions: what its owner may do with it now: "rename", "pause", "resume", "cancel",
            "save_now", "sample_now", "move", "delete".
    """

    job: Job
    images_seen: int = 0
    total: int = 0
    images_per_second: float | None = None
    seconds_left: float | None = None
    heartbeat: float | None = None
    place: int | None = None
    actions: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        return asdict(self) | {"job": self.job.to_dict(), "actions": list(self.actions)}


def view(root: Path, job: Job, place: int | None = None) -> JobView:
    """Return what is to be seen of a job; it costs two small reads."""
    attempt = Attempt.of(root / job.id, job.attempt)
    status = attempt.read_status()
    seen, total = _count(status, "images_seen"), _count(status, "total")
    speed = attempt.last_report().get("images_per_second")
    speed = float(speed) if isinstance(speed, (int, float)) and speed > 0 else None
    beat = status.get("time") if job.active else None
    return JobView(
        job=job,
        images_seen=max(seen, job.saved_images),
        total=total,
        images_per_second=speed,
        seconds_left=max(0, total - seen) / speed if job.active and speed else None,
        # A clock that was set back must not show a heartbeat from the future.
        heartbeat=max(0.0, time.time() - beat) if isinstance(beat, (int, float)) else None,
        place=place,
        actions=ACTIONS[job.state],
    )


def folder_bytes(folder: Path) -> int:
    """Return how much a run's files take on the disk; files that vanish meanwhile do not count."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.lstat().st_size
        except OSError:
            continue
    return total


def _count(values: dict[str, Any], name: str) -> int:
    value = values.get(name)
    return value if type(value) is int and value >= 0 else 0
