"""Who may do what, and how much."""

from collections.abc import Sequence
from dataclasses import dataclass

from genimg.configuration import Configuration, setting
from genimg.jobs.job import Job
from genimg.jobs.states import State


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits(Configuration):
    """What one owner may ask for; a teacher may more. 0 is no limit."""

    queued_runs: int = setting(
        5, "Runs that an owner may have waiting, running or paused.", low=0, high=10_000
    )
    minutes_per_run: float = setting(
        120.0, "Minutes that one run may be asked to take.", low=0, high=100_000
    )
    stored_megabytes: int = setting(
        2_000, "Megabytes that an owner's runs and pictures may take.", low=0, high=100_000_000
    )

    def check(self, mine: Sequence[Job], *, minutes: float | None, stored_bytes: int) -> None:
        """Refuse one more run.

        Args:
            mine: the owner's jobs.
            minutes: that the new run would take; None is unknown.
            stored_bytes: what the owner's runs and pictures take now.

        Raises:
            PermissionError: the sentence says which limit it is and what to do.
        """
        unfinished = [
            job for job in mine if job.active or job.state in (State.QUEUED, State.PAUSED)
        ]
        if self.queued_runs and len(unfinished) >= self.queued_runs:
            raise PermissionError(
                f"you already have {len(unfinished)} unfinished runs and {self.queued_runs} are"
                " allowed; wait for one to end, or cancel one"
            )
        if self.minutes_per_run and minutes is not None and minutes > self.minutes_per_run:
            raise PermissionError(
                f"a run may take {self.minutes_per_run:g} minutes and this one asks for about"
                f" {minutes:.0f}; ask for less"
            )
        self.check_stored(stored_bytes)

    def check_stored(self, stored_bytes: int) -> None:
        """Refuse whatever would take more of the disk; PermissionError as for `check`."""
        if self.stored_megabytes and stored_bytes > self.stored_megabytes * 1e6:
            raise PermissionError(
                f"your runs and pictures take {stored_bytes / 1e6:,.0f} MB and"
                f" {self.stored_megabytes:,} MB are allowed; delete some"
            )


def allowed(actor: str, job: Job, is_teacher: bool) -> bool:
    """Return whether `actor` may change `job`: its owner and a teacher may, everybody may look."""
    return is_teacher or (job.owner != "" and actor == job.owner)
