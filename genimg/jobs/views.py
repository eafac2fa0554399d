"""What people see of a job: read from small files, never from a process."""

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from genimg.jobs.job import Job
from genimg.jobs.states import ACTIONS
from genimg.storage import read_json

_TAIL_BYTES = 64 * 1024
_SMALL = 64 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class JobView:
    """A job and how far it is.

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
    folder = root / job.id / "attempts" / str(job.attempt)
    status = read_status(folder)
    seen, total = _count(status, "images_seen"), _count(status, "total")
    speed = last_report(folder).get("images_per_second")
    speed = float(speed) if isinstance(speed, (int, float)) and speed > 0 else None
    beat = status.get("time")
    alive = job.active and isinstance(beat, (int, float))
    return JobView(
        job=job,
        images_seen=max(seen, job.saved_images),
        total=total,
        images_per_second=speed,
        seconds_left=max(0, total - seen) / speed if job.active and speed else None,
        # A clock that was set back must not show a heartbeat from the future.
        heartbeat=max(0.0, time.time() - beat) if alive else None,
        place=place,
        actions=ACTIONS[job.state],
    )


def read_status(folder: Path) -> dict[str, Any]:
    """Return an attempt's status.json, or {} where it is missing or damaged."""
    try:
        values = read_json(folder / "status.json", _SMALL)
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}


def last_report(folder: Path) -> dict[str, Any]:
    """Return the newest whole line of an attempt's metrics.jsonl that tells a speed, or {}."""
    for line in reversed(tail(folder / "metrics.jsonl").split("\n")[:-1]):
        try:
            values = json.loads(line)
        except ValueError:
            continue
        if isinstance(values, dict) and "images_per_second" in values:
            return values
    return {}


def tail(path: Path, limit: int = _TAIL_BYTES) -> str:
    """Return the end of a text file, at most `limit` bytes, from the start of a line."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - limit))
            text = file.read(limit).decode(errors="replace")
    except OSError:
        return ""
    return text.partition("\n")[2] if size > limit and "\n" in text else text


def last_error(folder: Path) -> str:
    """Return the last sentence that a worker printed as its error, or ''."""
    for line in reversed(tail(folder / "log.txt").splitlines()):
        if line.startswith("error: "):
            return line.removeprefix("error: ")[:500]
    return ""


def folder_bytes(folder: Path) -> int:
    """Return how much a run's files take on the disk; files that vanish meanwhile count nothing."""
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
