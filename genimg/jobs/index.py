"""The index of all jobs: one SQLite table, opened by the one process that supervises them.

Every change is compare-and-set on (id, state, attempt): whoever decided on old facts changes
nothing. After each change the row is copied to job.json beside its run, so the index can be lost.
`journal_mode=TRUNCATE` because write-ahead logging has a corruption race in the SQLite of Python
3.11 (sqlite.org/wal.html, WAL-reset bug); `locking_mode=EXCLUSIVE` so that a second process, or a
second manager in this one, is refused.
"""

import dataclasses
import sqlite3
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from genimg.jobs.job import Job, read_jobs, write_job
from genimg.jobs.states import TRANSITIONS

_FIELDS = tuple(field.name for field in dataclasses.fields(Job))
_CREATE = f"CREATE TABLE IF NOT EXISTS jobs ({', '.join(_FIELDS)}, PRIMARY KEY (id))"
_INSERT = f"INSERT INTO jobs VALUES ({', '.join(':' + name for name in _FIELDS)})"


class IndexBusy(RuntimeError):
    """Another process, or another index of this one, has it open."""


class Index:
    """The rows, in `root`/jobs.sqlite.

    Opening it repairs it: a damaged or missing file is rebuilt from the runs' folders, runs it
    does not know are added, rows whose run is gone are dropped, and of a row and a job.json that
    differ the newer one counts. A damaged file is kept beside it under another name.

    Raises:
        IndexBusy: somebody else has it open.
        OSError: it cannot be written.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._path = root / "jobs.sqlite"
        self._connection: sqlite3.Connection | None = None
        try:
            self._open()
            self._agree_with_directories()
        except sqlite3.DatabaseError as error:
            self.close()
            if _is_busy(error):
                raise IndexBusy(f"{self._path} is in use") from None
            if _is_trouble_of_the_disk(error):
                raise OSError(f"{self._path} cannot be used: {error}") from None
            self._path.rename(self._path.with_name(f"jobs.damaged-{time.time_ns()}.sqlite"))
            Path(f"{self._path}-journal").unlink(missing_ok=True)
            self._open()
            self._agree_with_directories()

    def _open(self) -> None:
        # The manager's lock lets one thread in at a time, but not always the same one.
        self._connection = sqlite3.connect(self._path, timeout=0.2, check_same_thread=False)
        self._rows.row_factory = sqlite3.Row
        for pragma in ("locking_mode=EXCLUSIVE", "journal_mode=TRUNCATE", "synchronous=FULL"):
            self._rows.execute(f"PRAGMA {pragma}")
        with self._rows:
            self._rows.execute("BEGIN EXCLUSIVE")
            self._rows.execute(_CREATE)
        [[verdict]] = self._rows.execute("PRAGMA quick_check(1)")
        if verdict != "ok":
            raise sqlite3.DatabaseError(verdict)
        self.jobs()  # a table of another shape is damage too

    @property
    def _rows(self) -> sqlite3.Connection:
        assert self._connection is not None  # from `_open` on
        return self._connection

    def _agree_with_directories(self) -> None:
        """Take the newer of a row and its job.json: a crash, or a restored file, left one old."""
        known = {job.id: job for job in self.jobs() if (self.root / job.id).is_dir()}
        found = {job.id: job for job in read_jobs(self.root)}
        for id, job in known.items():
            if id not in found or found[id].changed < job.changed:
                write_job(self.root, job)
                found[id] = job
        self._replace_all(found.values())

    def _replace_all(self, jobs: Iterable[Job]) -> None:
        with self._rows:
            self._rows.execute("DELETE FROM jobs")
            self._rows.executemany(_INSERT, [job.to_dict() for job in jobs])

    def rebuild(self) -> int:
        """Forget every row and read all of them from the runs' folders; return how many."""
        jobs = read_jobs(self.root)
        self._replace_all(jobs)
        return len(jobs)

    def jobs(self) -> list[Job]:
        """Return all jobs in the order of their positions."""
        rows = self._rows.execute("SELECT * FROM jobs ORDER BY position, created, id")
        try:
            return [Job.from_dict(dict(row)) for row in rows]
        except ValueError as error:
            raise sqlite3.DatabaseError(str(error)) from None

    def job(self, id: str) -> Job | None:
        """Return one job, or None."""
        row = self._rows.execute("SELECT * FROM jobs WHERE id = ?", (id,)).fetchone()
        return None if row is None else Job.from_dict(dict(row))

    def add(self, job: Job) -> bool:
        """Add a job at the end of the queue; False, and nothing changes, if its id is there."""
        if self.job(job.id) is not None:
            return False
        with self._rows:
            [[last]] = self._rows.execute("SELECT MAX(position) FROM jobs")
            job = dataclasses.replace(job, position=(last or 0.0) + 1.0)
            self._rows.execute(_INSERT, job.to_dict())
        write_job(self.root, job)
        return True

    def change(self, job: Job, **changes: Any) -> Job | None:
        """Change a job if it still is as `job` says.

        Args:
            job: how it was when the change was decided.
            changes: new values of its fields.

        Returns:
            The changed job, or None if its state or attempt is another by now.

        Raises:
            ValueError: the state may not follow the old one, or the attempt goes backwards.
        """
        # Never backwards, whatever the clock does: of two copies the newer one is believed.
        changed = dataclasses.replace(job, **changes, changed=max(time.time(), job.changed))
        if changed.state is not job.state and changed.state not in TRANSITIONS[job.state]:
            raise ValueError(f"a job that is {job.state} cannot become {changed.state}")
        if changed.attempt < job.attempt or changed.id != job.id:
            raise ValueError("the attempt of a job only grows, and its id stays")
        names = [*changes, "changed"]
        with self._rows:
            done = self._rows.execute(
                f"UPDATE jobs SET {', '.join(f'{name} = :{name}' for name in names)}"
                " WHERE id = :id AND state = :old_state AND attempt = :old_attempt",
                changed.to_dict() | {"old_state": str(job.state), "old_attempt": job.attempt},
            )
        if done.rowcount != 1:
            return None
        current = self.job(job.id)
        assert current is not None  # nobody else can have removed it
        write_job(self.root, current)
        return current

    def remove(self, job: Job) -> bool:
        """Drop a job's row if it still is as `job` says; return whether it did."""
        with self._rows:
            done = self._rows.execute(
                "DELETE FROM jobs WHERE id = ? AND state = ? AND attempt = ?",
                (job.id, str(job.state), job.attempt),
            )
        return done.rowcount == 1

    def close(self) -> None:
        """Close the file, so that another process may open it."""
        if self._connection is not None:  # else the file could not even be opened
            self._connection.close()


def _is_busy(error: sqlite3.DatabaseError) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in (
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
    )


def _is_trouble_of_the_disk(error: sqlite3.DatabaseError) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in (
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_PERM,
    )
