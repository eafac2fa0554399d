"""Who may do what, and how much."""

from collections.abc import Sequence
from dataclasses import dataclass

from genimg.configuration import Configuration, setting
from genimg.jobs.job import Job
from genimg.jobs.states import State
from genimg.wording import Wording


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks for something, on the page or in a terminal.

    Attributes:
        nickname: whoever gives the same one is the same person, here; it proves nothing.
        is_teacher: whether they may do everything.
        account: with which they are signed in, see `genimg.jobs.accounts`; that is proven.
    """

    nickname: str
    is_teacher: bool = False
    account: str = ""

    def may_change(self, job: Job) -> bool:
        """Return whether they own `job` or are the teacher; everybody may look.

        A nickname proves nothing, so what an account pays for obeys nobody else but the teacher.
        """
        if self.is_teacher:
            return True
        if job.account:
            return self.account == job.account
        return job.owner != "" and self.nickname == job.owner


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
        unfinished = _unfinished(mine)
        if self.queued_runs and unfinished + count > self.queued_runs:
            words = Wording(
                "limit.queued",
                "you already have {count} unfinished runs and {most} are allowed; wait for one to"
                " end, or cancel one",
                count=unfinished, most=self.queued_runs,
            )  # fmt: skip
            raise PermissionError(_or_fewer(words, count))
        waiting = _unfinished(everybodys)
        if self.all_queued_runs and waiting + count > self.all_queued_runs:
            words = Wording(
                "limit.all_queued",
                "everybody together has {count} unfinished runs and {most} are allowed; wait for"
                " one to end",
                count=waiting, most=self.all_queued_runs,
            )  # fmt: skip
            raise PermissionError(_or_fewer(words, count))
        if self.by_minutes_only and not by_minutes:
            raise PermissionError(
                Wording(
                    "limit.by_minutes",
                    "the length of a run is given in minutes here, not in pictures; say how"
                    " many minutes",
                )
            )
        if self.minutes_per_run and minutes is not None and minutes > self.minutes_per_run:
            raise PermissionError(
                Wording(
                    "limit.minutes",
                    "a run may take {most} minutes and this one asks for about {minutes};"
                    " ask for less",
                    most=f"{self.minutes_per_run:g}",
                    minutes=f"{minutes:.0f}",
                )
            )
        self.check_stored(stored_bytes, all_stored_bytes)

    def check_stored(self, stored_bytes: int, all_stored_bytes: int = 0) -> None:
        """Refuse whatever would take more of the disk; PermissionError as for `check`."""
        if self.stored_megabytes and stored_bytes > self.stored_megabytes * 1e6:
            raise PermissionError(
                Wording(
                    "limit.stored",
                    "your runs and pictures take {stored} MB and {most} MB are allowed;"
                    " delete some",
                    stored=f"{stored_bytes / 1000000.0:,.0f}",
                    most=f"{self.stored_megabytes:,}",
                )
            )
        if self.all_stored_megabytes and all_stored_bytes > self.all_stored_megabytes * 1e6:
            raise PermissionError(
                Wording(
                    "limit.all_stored",
                    "everybody's runs and pictures together take {stored} MB and {most} MB"
                    " are allowed; ask their owners to delete some",
                    stored=f"{all_stored_bytes / 1000000.0:,.0f}",
                    most=f"{self.all_stored_megabytes:,}",
                )
            )


def _or_fewer(words: Wording, count: int) -> Wording:
    """Return what to do about a limit, of several runs at once, too."""
    if count == 1:
        return words
    return Wording("limit.or_fewer", "{words}, or ask for fewer at once", words=words)


def _unfinished(jobs: Sequence[Job]) -> int:
    waiting = (State.QUEUED, State.PAUSED)
    return sum(1 for job in jobs if job.active or job.state in waiting)
