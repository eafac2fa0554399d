"""Who may do what, and how much."""

from collections.abc import Sequence
from dataclasses import dataclass

from genimg.configuration import Configuration, setting
from genimg.jobs.job import Job
from genimg.jobs.states import State


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks for something, on the page or in a terminal.

    Attributes:
        nickname: whoever gives the same one is the same person, here; it proves nothing.
        is_teacher: whether they may do everything.
    """

    nickname: str
    is_teacher: bool = False

    def may_change(self, job: Job) -> bool:
        """Return whether they own `job` or are the teacher; everybody may look."""
        return self.is_teacher or (job.owner != "" and self.nickname == job.owner)


@dataclass(frozen=True, kw_only=True, slots=True)
class UsageLimits(Configuration):
    """What one owner may ask for, and all of them together; 0 is no limit, and a teacher has none.

    Nicknames cost nothing, so where strangers come only the limits for all together hold.
    """

    queued_runs: int = setting(
        5, "Runs that an owner may have waiting, running or paused.", low=0, high=10_000
    )
    minutes_per_run: float = setting(
        120.0, "Minutes that one run may be asked to take.", low=0, high=100_000
    )
    stored_megabytes: int = setting(
        2_000, "Megabytes that an owner's runs and pictures may take.", low=0, high=100_000_000
    )
    all_queued_runs: int = setting(
        0, "Runs that all owners together may have waiting, running or paused.", low=0, high=10_000
    )
    all_stored_megabytes: int = setting(
        0, "Megabytes that all runs and pictures together may take.", low=0, high=100_000_000
    )
    by_minutes_only: bool = setting(
        False, "Whether runs must say their length in minutes: a speed may be guessed wrongly."
    )

    def check(
        self,
        mine: Sequence[Job],
        *,
        minutes: float | None,
        stored_bytes: int,
        everybodys: Sequence[Job] = (),
        all_stored_bytes: int = 0,
        by_minutes: bool = True,
        count: int = 1,
    ) -> None:
        """Refuse one more run, or several at once.

        Args:
            mine: the owner's jobs.
            minutes: that the new run, the longest of several, would take; None is unknown.
            stored_bytes: what the owner's runs and pictures take now.
            everybodys: all jobs.
            all_stored_bytes: what everybody's runs and pictures take now.
            by_minutes: whether the new run's length is given in minutes, and not in pictures.
            count: how many runs are asked for.

        Raises:
            PermissionError: the sentence says which limit it is and what to do.
        """
        fewer = ", or ask for fewer at once" if count > 1 else ""
        unfinished = _unfinished(mine)
        if self.queued_runs and unfinished + count > self.queued_runs:
            raise PermissionError(
                f"you already have {unfinished} unfinished runs and {self.queued_runs} are"
                f" allowed; wait for one to end, or cancel one{fewer}"
            )
        waiting = _unfinished(everybodys)
        if self.all_queued_runs and waiting + count > self.all_queued_runs:
            raise PermissionError(
                f"everybody together has {waiting} unfinished runs and {self.all_queued_runs} are"
                f" allowed; wait for one to end{fewer}"
            )
        if self.by_minutes_only and not by_minutes:
            raise PermissionError(
                "the length of a run is given in minutes here, not in pictures; say how many"
                " minutes"
            )
        if self.minutes_per_run and minutes is not None and minutes > self.minutes_per_run:
            raise PermissionError(
                f"a run may take {self.minutes_per_run:g} minutes and this one asks for about"
                f" {minutes:.0f}; ask for less"
            )
        self.check_stored(stored_bytes, all_stored_bytes)

    def check_stored(self, stored_bytes: int, all_stored_bytes: int = 0) -> None:
        """Refuse whatever would take more of the disk; PermissionError as for `check`."""
        if self.stored_megabytes and stored_bytes > self.stored_megabytes * 1e6:
            raise PermissionError(
                f"your runs and pictures take {stored_bytes / 1e6:,.0f} MB and"
                f" {self.stored_megabytes:,} MB are allowed; delete some"
            )
        if self.all_stored_megabytes and all_stored_bytes > self.all_stored_megabytes * 1e6:
            raise PermissionError(
                f"everybody's runs and pictures together take {all_stored_bytes / 1e6:,.0f} MB and"
                f" {self.all_stored_megabytes:,} MB are allowed; ask their owners to delete some"
            )


def _unfinished(jobs: Sequence[Job]) -> int:
    waiting = (State.QUEUED, State.PAUSED)
    return sum(1 for job in jobs if job.active or job.state in waiting)
