"""A Python that has imported PyTorch already, and forks itself for each piece of code it is sent.

What the fault tests start and kill are real processes with real leases and real signals; only the
seconds that each of them would spend on importing are saved. It prints "ready", and then answers
each JSON line with one of its own:

    {"code": "...", "arguments": [...], "output": FILE, "environment": {...}}  ->  process number
    {"poll": process number}  ->  null while it lives, then its exit code (-9 for SIGKILL)

The code may call `fork_instead_of_spawning()`: engine and launcher then fork as well.
"""

import importlib
import json
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import torch._dynamo  # noqa: F401 - takes seconds, and the first optimizer imports it

import genimg.jobs.launcher
import genimg.jobs.manager
import genimg.training.worker
from genimg.jobs.engines import guest, slurm_command


def become(
    work: Callable[[], Any], *, output: int | None, environment: Mapping[str, str], session: bool
) -> None:
    """Do `work` in this process, which was just forked, and end it as Python itself would end."""
    if session:
        os.setsid()
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    if output is not None:
        os.dup2(output, 1)
        os.dup2(output, 2)
    os.environ.update(environment)
    for number in (signal.SIGTERM, signal.SIGHUP):  # a new program starts with these
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    code = 1
    try:
        work()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def run(code: str, arguments: Sequence[str]) -> None:
    """Run code as `python -c CODE ARGUMENTS` does."""
    sys.argv = ["-c", *arguments]
    exec(compile(code, "<a fault test>", "exec"), {"__name__": "__main__"})


class Fork:
    """As much of `subprocess.Popen` as engine and launcher use, for `python -m MODULE ...`."""

    changes = ""  # code that every worker runs first

    def __init__(self, command: Sequence[str], **options: Any) -> None:
        _, _, module, *arguments = command
        self.args, self.returncode = command, None
        self.pid = os.fork()
        if self.pid == 0:
            output = options.get("stdout")
            become(
                lambda: self._work(module, arguments),
                output=output.fileno() if output else None,
                environment=options.get("env") or {},
                session=options.get("start_new_session", False),
            )

    def _work(self, module: str, arguments: Sequence[str]) -> None:
        if module == "genimg.training.worker":
            run(self.changes, arguments)
        sys.exit(importlib.import_module(module).main(arguments))

    def poll(self) -> int | None:
        """Return the exit code, or None while it lives."""
        if self.returncode is None:
            process, status = os.waitpid(self.pid, os.WNOHANG)
            self.returncode = os.waitstatus_to_exitcode(status) if process else None
        return self.returncode

    def wait(self, timeout: float) -> int:
        """Return the exit code; TimeoutExpired after `timeout` seconds."""
        end = time.monotonic() + timeout
        while self.poll() is None:
            if time.monotonic() > end:
                raise subprocess.TimeoutExpired(self.args, timeout)
            time.sleep(0.01)
        return self.returncode


def fork_instead_of_spawning(changes: str = "") -> None:
    """Let the launchers and workers of this process's engine be forks of it.

    Args:
        changes: code that every worker runs before its training.
    """
    Fork.changes = changes
    pretended = SimpleNamespace(
        Popen=Fork,
        DEVNULL=subprocess.DEVNULL,
        STDOUT=subprocess.STDOUT,
        TimeoutExpired=subprocess.TimeoutExpired,
    )
    for module in (genimg.jobs.engine, genimg.jobs.launcher, guest, slurm_command):
        module.subprocess = pretended


def _fork(code: str, arguments: list[str], output: str, environment: dict[str, str]) -> int:
    process = os.fork()
    if process == 0:
        file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        become(lambda: run(code, arguments), output=file, environment=environment, session=True)
    return process


def _answer(request: dict[str, Any]) -> int | None:
    if "poll" not in request:
        return _fork(**request)
    process, status = os.waitpid(request["poll"], os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if process else None


if __name__ == "__main__":
    sys.modules["warm_python"] = sys.modules["__main__"]  # for the code that is sent
    sys.path.append(os.path.dirname(__file__))
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        print(json.dumps(_answer(json.loads(line))), flush=True)
