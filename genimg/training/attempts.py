"""The attempts at a run: the one module that knows where each is on disk, and what is in it.

attempts/N/status.json         where attempt N is, replaced every second or so
attempts/N/metrics.jsonl       one line per report, append-only, one writer; see `metric_names`
attempts/N/log.txt             what its processes printed
attempts/N/lease               locked by the launcher of a job for as long as it lives
attempts/N/launcher.json       where to send it a signal
attempts/N/exit.json           how it ended
attempts/N/submission.json     what an engine elsewhere calls it

A worker writes its status and its reports, and whoever starts it writes the rest; everybody may
read. This module needs no PyTorch, because a launcher uses it, too.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple, Self

from genimg.storage import read_json, write_json

SUBMISSION = "submission.json"
"""Where an engine notes, in the folder of an attempt, what it calls it."""
_FOLDER = "attempts"
_LARGEST_STATUS = 64 * 1024
_TAIL_BYTES = 64 * 1024
_LONGEST_ERROR = 500


def attempt_numbers(run: Path) -> list[int]:
    """Return the numbers of all attempts at the run in the folder `run`, oldest first."""
    return sorted(int(path.name) for path in (run / _FOLDER).glob("*") if path.name.isdigit())


def newest_attempt(run: Path) -> int:
    """Return the number of the newest attempt; 0 before the first."""
    return max(attempt_numbers(run), default=0)


class LogPart(NamedTuple):
    """A part of a log.

    Attributes:
        text: what a process wrote; escape it before it is shown on a page.
        end: offset in bytes at which to go on reading the next time.
        fresh: whether it starts anew, and does not follow what was read before.
    """

    text: str
    end: int
    fresh: bool


class Attempt:
    """One attempt at a run: its files, what a worker writes of itself, and what others read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.number = int(path.name)
        self.status, self.metrics = path / "status.json", path / "metrics.jsonl"
        self.log, self.lease = path / "log.txt", path / "lease"
        self.launcher, self.exit = path / "launcher.json", path / "exit.json"

    @classmethod
    def of(cls, run: Path, number: int) -> Self:
        """Return attempt `number` at the run in the folder `run`, whether it exists or not."""
        return cls(run / _FOLDER / str(number))

    @classmethod
    def begin(cls, run: Path, number: int | None = None) -> Self:
        """Make the folder of attempt `number`, by default the next one."""
        attempt = cls.of(run, number or newest_attempt(run) + 1)
        attempt.path.parent.mkdir(exist_ok=True)
        attempt.path.mkdir(exist_ok=True)
        return attempt

    def report(self, values: dict[str, Any]) -> None:
        """Append one line of metrics; a value that is not finite is written as null (a gap)."""
        text = json.dumps(
            {k: v if v == v and abs(v) != float("inf") else None for k, v in values.items()}
        )
        with self.metrics.open("a") as file:
            file.write(text + "\n")

    def write_status(self, **values: Any) -> None:
        """Replace the status."""
        write_json(self.status, values)

    def read_status(self) -> dict[str, Any]:
        """Return the status, or {} where it is missing or damaged."""
        try:
            values = read_json(self.status, _LARGEST_STATUS)
        except (OSError, ValueError):
            return {}
        return values if isinstance(values, dict) else {}

    def read_reports(self, begin: int = 0) -> tuple[list[dict[str, Any]], int]:
        """Return the reports from the offset `begin` (bytes) on, and the offset after them.

        A torn last line is left for the next call, and a line that is no report is left out. An
        offset below `begin` means that the file has become shorter, so it is another one.
        """
        try:
            with self.metrics.open("rb") as file:
                size = file.seek(0, 2)
                if size < begin:
                    return [], size
                file.seek(begin)
                whole, newline, _ = file.read().rpartition(b"\n")
        except FileNotFoundError:
            return [], begin
        found = map(_report, whole.split(b"\n"))
        return [values for values in found if values], begin + len(whole) + len(newline)

    def last_report(self) -> dict[str, Any]:
        """Return the newest whole report that tells a speed, or {}."""
        for line in reversed(_tail(self.metrics).split("\n")[:-1]):
            try:
                values = json.loads(line)
            except ValueError:
                continue
            if isinstance(values, dict) and "images_per_second" in values:
                return values
        return {}

    def read_log(self, limit: int = _TAIL_BYTES) -> str:
        """Return the end of what was printed, at most `limit` bytes, from the start of a line."""
        return _tail(self.log, limit)

    def read_log_on(self, begin: int | None, limit: int) -> LogPart:
        """Return what was printed since the offset `begin`; only its end where that is too much.

        Args:
            begin: the `LogPart.end` of the last call; None at first.
            limit: how many bytes at most.
        """
        try:
            with self.log.open("rb") as file:
                size = file.seek(0, 2)
                offset = begin if begin is not None and 0 <= begin <= size else 0
                skipped = size - offset > limit
                file.seek(size - limit if skipped else offset)
                text = file.read(limit).decode(errors="replace")
                return LogPart(text, file.tell(), skipped or offset == 0)
        except OSError:
            return LogPart("", 0, True)

    def last_error(self) -> str:
        """Return the last sentence that a worker printed as its error, or ''."""
        for line in reversed(self.read_log().splitlines()):
            if line.startswith("error: "):
                return line.removeprefix("error: ")[:_LONGEST_ERROR]
        return ""


def add_report(history: list[dict[str, Any]], line: dict[str, Any]) -> bool:
    """Add a report to those before it; return whether training had gone back to before them.

    An attempt starts from a checkpoint, and so does a roll-back. So a line replaces whatever was
    reported of later places, and joins what was reported at the same place.
    """
    went_back = bool(history) and history[-1]["images_seen"] > line["images_seen"]
    while history and history[-1]["images_seen"] > line["images_seen"]:
        history.pop()
    if history and history[-1]["images_seen"] == line["images_seen"]:
        line = history.pop() | line
    history.append(line)
    return went_back


def _report(line: bytes) -> dict[str, Any] | None:
    try:
        values = json.loads(line)
    except ValueError:
        return None
    good = isinstance(values, dict) and type(values.get("images_seen")) is int
    return values if good else None


def _tail(path: Path, limit: int = _TAIL_BYTES) -> str:
    """Return the end of a text file, at most `limit` bytes, from the start of a line."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - limit))
            text = file.read(limit).decode(errors="replace")
    except OSError:
        return ""
    return text.partition("\n")[2] if size > limit and "\n" in text else text
