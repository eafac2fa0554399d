"""What is unusual about a run, said in the terminal while it trains and when it ends."""

import time
from collections.abc import Callable
from typing import Any

from genimg.training.attempts import add_report
from genimg.training.health import Finding, diagnose
from genimg.training.run_directory import RunDirectory

_SECONDS = 10.0
# A look reads all reports, so it may take at most a hundredth of the time.
_COSTS_BETWEEN = 100


class HealthLines:
    """A training callback that speaks of each trouble once, when it begins.

    Args:
        say: prints a line.
        directory: of the run, whose earlier attempts count too.
        clock: seconds that only ever grow.
    """

    def __init__(
        self,
        say: Callable[[str], None],
        directory: RunDirectory,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.say, self.directory, self.clock = say, directory, clock
        self.rows = directory.read_metrics()
        self._said: set[str] = set()
        self._next = clock() + _SECONDS

    def __call__(self, report: dict[str, Any]) -> None:
        """Take in `report`, and look at the whole run now and then."""
        add_report(self.rows, report)
        start = self.clock()
        if start < self._next:
            return
        for finding in self.findings():
            if finding.level in ("notice", "warning") and finding.kind not in self._said:
                self._said.add(finding.kind)
                self.say(f"{finding.level}: {finding.sentence}")
        end = self.clock()
        self._next = end + max(_SECONDS, _COSTS_BETWEEN * (end - start))

    def findings(self, *, ended: bool = False) -> list[Finding]:
        """Return what is to be known about the run; `ended` as for `diagnose`."""
        return findings_of(self.directory, self.rows, ended=ended)


def findings_of(
    directory: RunDirectory, rows: list[dict[str, Any]], *, ended: bool
) -> list[Finding]:
    """Return the diagnosis of a run with these reports; `ended` as for `diagnose`."""
    try:
        pictures = directory.read_spec().resolved.get("dataset_images", 0)
    except (OSError, ValueError):  # somebody is changing the files: the reports still tell much
        pictures = 0
    return diagnose(rows, pictures=pictures, ended=ended)


def summary(findings: list[Finding]) -> list[str]:
    """Return one line for each finding, which begins with "notice", "warning" or "health"."""
    return [
        f"{finding.level if finding.level in ('notice', 'warning') else 'health'}:"
        f" {finding.sentence}"
        for finding in findings
    ]
