"""How a worker becomes several processes: torchrun starts them, and their ending comes through.

torchrun returns 1 whatever happened to its children, so the worker writes how it ended into a file.
Nothing here needs PyTorch: the launcher of jobs is small.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from genimg.storage import read_json, write_json


def processes_of(run: Path) -> int:
    """Return how many processes a run takes; 1 where its specification is damaged.

    The worker will say what is wrong with it.
    """
    try:
        return int(read_json(run / "spec.json")["run"].get("processes", 1))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return 1


def worker_command(
    run: Path, arguments: Sequence[str], *, processes: int, ending: Path
) -> list[str]:
    """Return the command that trains `run`, under torchrun if it takes several processes.

    Args:
        arguments: more arguments of the worker.
        ending: file in which several processes say how they ended, see `read_ending`.
    """
    worker = ["genimg.training.worker", str(run), *arguments]
    if processes == 1:
        return [sys.executable, "-m", *worker]
    # On one machine no name of it has to be found, and a free port is taken.
    torchrun = ["torch.distributed.run", "--standalone", "--local-addr", "127.0.0.1"]
    torchrun += ["--nproc-per-node", str(processes), "-m"]
    return [sys.executable, "-m", *torchrun, *worker, "--ending", str(ending)]


def worker_environment() -> dict[str, str]:
    """Return this process's environment for a worker; torchrun warns where the number is missing.

    Each process sets its own number of threads when it knows the run.
    """
    return {"OMP_NUM_THREADS": "1"} | os.environ


def write_ending(file: Path, code: int, message: str = "") -> bool:
    """Say how the run ended; False if another of its processes has already said it.

    The first to end knows why: the others end because it has.
    """
    if file.exists():
        return False
    write_json(file, {"code": code, "message": message})
    return True


def read_ending(file: Path) -> tuple[int | None, str]:
    """Return the exit code that the worker meant, and its error; (None, '') if it said nothing."""
    try:
        ending = read_json(file)
        return int(ending["code"]), str(ending["message"])
    except (OSError, ValueError, KeyError, TypeError):
        return None, ""
