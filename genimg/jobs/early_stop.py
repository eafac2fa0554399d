"""Ending the hopeless runs of a sweep: the median stopping rule.

Golovin et al. 2017, "Google Vizier: A Service for Black-Box Optimization" (KDD): a
run is stopped at some point if the best it has reached by then is worse than the median of what the
others had reached on average by the same point. It assumes nothing of the shape of curves.

The point is the number of pictures seen. Not only finished runs are compared with, as in that
paper, but all that have come as far: else the runs of a sweep that go side by side would teach one
another nothing. Fewer than three of them decide nothing, and neither does the first fifth of a run.
"""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from statistics import fmean, median
from typing import Any

from genimg.jobs import said
from genimg.jobs.job import Job
from genimg.jobs.states import State
from genimg.training.attempts import Attempt, add_report
from genimg.training.metric_names import METRICS

MEDIAN = "median"
STOPPED_EARLY = "stopped_early"
"""Kind of a job that was ended so."""
# The first of these that a run reports is what counts.
MEASURES = ("frechet_distance_500", "validation_loss", "accuracy")
_FEWEST_OTHERS = 3
_UNDISTURBED_SHARE = 0.2


class MedianRule:
    """Reads the reports of sweeps, and says who has no hope.

    Args:
        root: the data root.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        # By job and attempt: how far its reports were read, and those with a measure.
        self._read: dict[tuple[str, int], tuple[int, list[dict[str, Any]]]] = {}

    def hopeless(self, jobs: Collection[Job]) -> list[tuple[Job, str]]:
        """Return the running jobs to end, each with a sentence that says why."""
        sweeps: dict[str, list[Job]] = {}
        for job in jobs:
            if job.stop_rule == MEDIAN and job.race:
                sweeps.setdefault(job.race, []).append(job)
        found = []
        for sweep in sweeps.values():
            running = [job for job in sweep if job.state is State.RUNNING]
            if not running:
                continue
            histories = {job.id: self._history(job) for job in sweep}
            for job in running:
                total = Attempt.of(self.root / job.id, job.attempt).read_status().get("total")
                others = [histories[other.id] for other in sweep if other is not job]
                if type(total) is int and (why := reason(histories[job.id], others, total)):
                    found.append((job, why))
        return found

    def _history(self, job: Job) -> list[dict[str, Any]]:
        """Return the reports of a job that hold a measure, over all its attempts."""
        history: list[dict[str, Any]] = []
        for number in range(1, job.attempt + 1):
            begin, rows = self._read.get((job.id, number), (0, []))
            news, end = Attempt.of(self.root / job.id, number).read_reports(begin)
            kept = [] if end < begin else rows
            kept = kept + [row for row in news if any(name in row for name in MEASURES)]
            self._read[job.id, number] = end, kept
            for row in kept:
                add_report(history, row)
        return history


def reason(
    mine: Sequence[Mapping[str, Any]], others: Sequence[Sequence[Mapping[str, Any]]], total: int
) -> str:
    """Return why a run is to be stopped, in one sentence, or ''.

    Args:
        mine: its reports that hold a measure, in the order of pictures seen.
        others: those of each of the others.
        total: pictures that it is to see.
    """
    name = next((name for name in MEASURES if any(_is_number(row, name) for row in mine)), "")
    if not name:
        return ""
    ours = [(row["images_seen"], row[name]) for row in mine if _is_number(row, name)]
    point = ours[-1][0]
    if point < _UNDISTURBED_SHARE * total:
        return ""
    averages = []
    for rows in others:
        values = [(row["images_seen"], row[name]) for row in rows if _is_number(row, name)]
        by_then = [value for seen, value in values if seen <= point]
        if by_then and values[-1][0] >= point:
            averages.append(fmean(by_then))
    if len(averages) < _FEWEST_OTHERS:
        return ""
    lower = METRICS[name].better == "lower"
    best = (min if lower else max)(value for _, value in ours)
    bar = median(averages)
    if best <= bar if lower else best >= bar:
        return ""
    return said.filled(
        said.STOPPED_EARLY,
        metric=METRICS[name].label,
        best=f"{best:.4g}",
        point=f"{point:,}",
        bar=f"{bar:.4g}",
    )


def _is_number(row: Mapping[str, Any], name: str) -> bool:
    value = row.get(name)
    return isinstance(value, int | float) and not isinstance(value, bool)
