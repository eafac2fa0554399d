"""Races and sweeps: runs that were queued together and differ in one setting, or in several."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from genimg.jobs.job import Job

RESULTS = (
    "frechet_distance_500",
    "random_distance",
    "accuracy",
    "validation_loss",
    "images_per_second",
    "seconds",
)
"""What is said of each run of a race, by the names of its reports, where it reports it."""


SWEEP = "sweep"
"""Stands for the setting where several differ."""


@dataclass(frozen=True, slots=True)
class Race:
    """Some runs that are compared.

    Attributes:
        id: what the jobs have in common.
        setting: the one in which they differ, or `SWEEP`.
        jobs: those that have not been deleted, in the order in which they were asked for.
    """

    id: str
    setting: str
    jobs: tuple[Job, ...]


def races(jobs: Iterable[Job]) -> list[Race]:
    """Return the races that these jobs are in, the newest first."""
    found: dict[str, list[Job]] = {}
    for job in sorted(jobs, key=lambda job: (-job.created, job.id)):
        if job.race:
            found.setdefault(job.race, []).append(job)
    return [Race(id, id.rpartition("-")[0], tuple(jobs)) for id, jobs in found.items()]


def race_named(jobs: Iterable[Job], text: str) -> Race:
    """Return the race of that id, or whose id begins so; ValueError if there is not one."""
    known = races(jobs)
    found = [race for race in known if text and race.id.startswith(text)]
    if len(found) != 1:
        ids = ", ".join(race.id for race in found or known)
        are = f"the races are {ids}" if ids else "there are none yet"
        raise ValueError(f"{text!r} means {'several races' if found else 'no race'}; {are}")
    return found[0]


def newest(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Return the newest value of each of `RESULTS` that a run has reported.

    Args:
        rows: its reports, as `RunDirectory.read_metrics` returns them.
    """
    values: dict[str, float] = {}
    for row in rows:
        values |= {
            name: float(row[name]) for name in RESULTS if isinstance(row.get(name), int | float)
        }
    return values
