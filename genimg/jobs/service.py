"""One data root and who looks after it: this process, another one, or nobody.

In a folder that cannot be written nobody does: there the runs can only be watched.
"""

import contextlib
import dataclasses
import logging
import os
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

from genimg.jobs import platforms
from genimg.jobs.commands import COMMANDS, Command, Result
from genimg.jobs.engine import Engine
from genimg.jobs.inbox import Inbox
from genimg.jobs.index import Index, IndexBusy
from genimg.jobs.job import Job, read_job, read_jobs
from genimg.jobs.limits import UsageLimits, Visitor
from genimg.jobs.runs import Runs, sweep
from genimg.jobs.supervisor import Supervisor
from genimg.storage import Lease, read_json, write_json
from genimg.wording import Wording

_logger = logging.getLogger(__name__)
_SECONDS = 1.0


class Service:
    """Supervises a data root, or finds out who does. Threads may share it.

    Args:
        root, limits, engine, by_request: as for `genimg.jobs.manager.JobManager`.

    Raises:
        OSError: the root is not there and cannot be made.
    """

    def __init__(
        self, root: Path, limits: UsageLimits, engine: Engine, *, by_request: bool
    ) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self.root, self.limits, self.engine, self.by_request = root, limits, engine, by_request
        self._lock = threading.RLock()  # one command or tick at a time
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._inbox = Inbox(root)
        self._lease = Lease(root / "supervisor.lock")
        self._index: Index | None = None
        self._trouble = self._unwritable = ""
        self._take_over()

    @property
    def supervising(self) -> bool:
        """Whether this process is the one that starts and follows the runs."""
        return self._index is not None

    @property
    def only_watches(self) -> bool:
        """Whether no command can be given here: `notice` says why."""
        return not self.supervising and (bool(self._unwritable) or not self.by_request)

    @property
    def notice(self) -> str:
        """A sentence for the page: why nothing can be changed here, or what is wrong; or ''."""
        if self.supervising or self._unwritable:
            return self._trouble or self._unwritable or self.engine.trouble
        try:
            who = read_json(self.root / "supervisor.json")
            number, host = str(int(who["process"])), str(who["host"])
            server = Wording(
                "service.process", "process {number} on {host}", number=number, host=host
            )
        except (OSError, ValueError, KeyError, TypeError):
            server = Wording("service.another", "another process")
        return Wording(
            "service.elsewhere",
            "{server} looks after these runs; here they can only be watched",
            server=server,
        )

    def _take_over(self) -> bool:
        """Become the supervisor if nobody is; return whether this process is it now."""
        with self._lock:
            if self._index is not None:
                return True
            # The index first: it also refuses a second service in this process, which the lease
            # cannot see, and which would free it by closing its file.
            self._unwritable = ""
            try:
                index = Index(self.root)
                if not self._lease.acquire():
                    index.close()
                    return False
            except IndexBusy:
                return False
            except OSError as error:
                # Without the path: the page shows it to everybody.
                self._unwritable = (
                    Wording(
                        "service.unwritable_for",
                        "the folder of the runs cannot be written ({reason}), so here they can"
                        " only be watched",
                        reason=error.strerror,
                    )
                    if error.strerror
                    else Wording(
                        "service.unwritable",
                        "the folder of the runs cannot be written, so here they can only be"
                        " watched",
                    )
                )
                return False
            self._index = index
            self._supervisor = Supervisor(self.root, index, self.engine)
            self._runs = Runs(self.root, index, self.engine, self.limits)
            sweep(self.root)
            with contextlib.suppress(OSError):  # only for people
                who = {"process": os.getpid(), "host": platforms.host(), "time": time.time()}
                write_json(self.root / "supervisor.json", who)
            return True

    def step(self) -> None:
        """Do what the thread does once a second, here and now."""
        self._step()

    def _step(self) -> None:
        """Answer waiting commands and bring every job one step further."""
        with self._lock:
            try:
                if not self._take_over():
                    return
                self._inbox.serve(self._execute_for_other)
                self._supervisor.tick()
                self._trouble = ""
            except sqlite3.DatabaseError as error:
                self._trouble = Wording(
                    "service.damaged",
                    "the list of runs was damaged ({reason}) and is being rebuilt",
                    reason=str(error),
                )
                self._let_go()  # the next step opens it again, and thereby rebuilds it
            except OSError as error:
                self._trouble = Wording(
                    "service.trouble",
                    "runs cannot be followed just now: {reason}",
                    reason=str(error),
                )

    def supervise(self) -> None:
        """Start the thread that follows the runs; harmless if it runs already."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._loop, name="supervisor", daemon=True)
            self._thread.start()

    def _loop(self) -> None:
        while not self._stop.is_set():
            try:
                self._step()
            except Exception:  # whatever it is, the other runs still need somebody
                _logger.exception("the supervisor made a mistake")
            self._wake.wait(_SECONDS)
            self._wake.clear()

    def close(self) -> None:
        """Stop supervising; the workers go on, and engines get what was asked of them."""
        self._stop.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
        self.engine.close()
        with self._lock:
            self._let_go()

    def _let_go(self) -> None:
        if self._index is not None:
            self._index.close()
            self._index = None
            self._lease.release()

    def do(self, command: Command[Result], visitor: Visitor) -> Result:
        """Execute a command here, or in the supervisor's process.

        Raises:
            ValueError, PermissionError, OSError: what the command raised, or that another process
                supervises and commands are not sent to it; one sentence for the visitor.
        """
        with self._lock:
            if self._index is not None:
                self._wake.set()  # what was asked for begins at once
                return self._execute(command, visitor)
        if self._unwritable:
            raise OSError(self.notice)
        if not self.by_request:
            raise ValueError(self.notice)
        [name] = [name for name, kind in COMMANDS.items() if type(command) is kind]
        arguments = dataclasses.asdict(command) | {"visitor": dataclasses.asdict(visitor)}
        value = self._inbox.ask(name, arguments)
        result: Any = Job.from_dict(value) if isinstance(value, dict) else value
        return result

    def _execute(self, command: Command[Result], visitor: Visitor) -> Result:
        try:
            return command.execute(self._runs, visitor)
        except sqlite3.Error as error:
            raise OSError(
                Wording(
                    "service.busy",
                    "the list of runs cannot be used just now ({reason})",
                    reason=str(error),
                )
            ) from None

    def _execute_for_other(self, name: str, arguments: dict[str, Any]) -> Any:
        if name not in COMMANDS:
            raise ValueError(f"there is no command {name!r}")
        visitor = Visitor(**arguments.pop("visitor"))
        value = self._execute(COMMANDS[name](**arguments), visitor)
        return value.to_dict() if isinstance(value, Job) else value

    def jobs(self) -> list[Job]:
        """Return all jobs, in the order of their positions."""
        with self._lock:
            if self._index is not None:
                return self._index.jobs()
        return read_jobs(self.root)

    def job(self, job_id: str) -> Job | None:
        """Return one job, or None."""
        with self._lock:
            if self._index is not None:
                return self._index.job(job_id)
        return read_job(self.root / job_id) if Path(job_id).name == job_id else None
