"""What differs between operating systems: sessions, priorities, signals, memory.

Written for Linux and macOS and run on Linux. psutil answers what it can for all systems; it knows
no process groups, no limits of containers and no memory of children that have ended, so these are
asked of the system itself. Nothing here was run on Windows.
"""

import contextlib
import os
import platform
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

WINDOWS = os.name == "nt"


def own_session() -> dict[str, Any]:
    """Return the arguments of `subprocess.Popen` for a process that outlives its parent.

    Closing the terminal or stopping the server with Ctrl-C does not reach it.
    """
    if sys.platform == "win32":  # type checkers know this test, but not WINDOWS
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.DETACHED_PROCESS
        return {"creationflags": flags}
    return {"start_new_session": True}


def own_group() -> int:
    """Return the number of this process's group, which its children share."""
    return os.getpid() if WINDOWS else os.getpgid(0)


def host() -> str:
    """Return the name of this machine."""
    return platform.node()


def ignore_farewells() -> None:
    """Let this process survive SIGHUP and SIGTERM.

    What is sent to the whole group reaches the worker too, which saves and ends; a launcher that
    passed it on would be sending it twice, and the second one kills.
    """
    for name in ("SIGHUP", "SIGTERM"):
        if hasattr(signal, name):
            # A handler, not SIG_IGN: a child inherits what is ignored, but not what is handled.
            signal.signal(getattr(signal, name), lambda number, frame: None)


def count_interruptions() -> Callable[[], int]:
    """Count each SIGUSR2 from now on; return what tells how many have come."""
    received: list[int] = []
    if hasattr(signal, "SIGUSR2"):
        signal.signal(signal.SIGUSR2, lambda number, frame: received.append(number))
    return lambda: len(received)


def lower_priority(nice: int) -> None:
    """Let other processes go first; `nice` is 0 (no change) to 19."""
    if not nice:
        return
    me = psutil.Process()
    me.nice(psutil.BELOW_NORMAL_PRIORITY_CLASS if WINDOWS else me.nice() + nice)


def end_group(leader: int, *, kill: bool) -> None:
    """Ask the session that `leader` began to end, or end it; harmless when it is gone.

    The caller must know, from a lease, that a process of that session is alive: numbers of
    processes are used again.
    """
    if WINDOWS:  # where no signal reaches a whole group
        end_tree(leader)
        return
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL if kill else signal.SIGTERM)


def end_tree(root: int) -> None:
    """End a process and all that it started, at once; harmless where they are gone."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(root)
        # Found while the root lives, since orphans have no parent; ended after it, which could
        # start others.
        for each in [process, *process.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                each.kill()


def memory_kills() -> int:
    """Return how many processes Linux has killed because memory was full; 0 elsewhere.

    Counted for this container where it has limits of its own, else for the machine.
    """
    for path in ("/sys/fs/cgroup/memory.events", "/proc/vmstat"):
        count = _number_after("oom_kill", Path(path))
        if count is not None:
            return count
    return 0


def peak_memory_of_children() -> int:
    """Return the most memory, in bytes, that an ended child of this process had; 0 is unknown."""
    if WINDOWS:
        return 0
    import resource

    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def memory() -> tuple[int, int]:
    """Return the bytes of main memory this process may use, and those that are free now.

    In a container with a limit, the limit counts.
    """
    machine = psutil.virtual_memory()
    total, free = machine.total, machine.available
    limit = _number_in(Path("/sys/fs/cgroup/memory.max"))
    used = _number_in(Path("/sys/fs/cgroup/memory.current"))
    if limit is not None and limit < total:
        total = limit
        if used is not None:
            free = max(0, min(free, limit - used))
    return total, free


def _number_after(word: str, path: Path) -> int | None:
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return None
    found = [line.split() for line in lines if line.split()[:1] == [word]]
    return int(found[0][1]) if found else None


def _number_in(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):  # "max" is no limit
        return None
