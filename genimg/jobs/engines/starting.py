"""How an attempt is started on another machine. It needs no PyTorch, like the launcher."""

import sys
from pathlib import Path

STOP_SECONDS = 60
"""How long whoever is asked to end may take to save, before it is killed."""
_PACKAGE = Path(__file__).resolve().parents[3]


def launcher_words(run: Path, attempt: int, python: str) -> list[str]:
    """Return the command that starts an attempt on a machine that sees its folder.

    Args:
        run: the folder of the run.
        attempt: its number.
        python: of that machine; '' is the path of this one.
    """
    words = [python or sys.executable, "-m", "genimg.jobs.launcher", str(run.resolve())]
    return [*words, "--attempt", str(attempt)]


def worker_environment() -> dict[str, str]:
    """Return what a process there needs to find this package, where it lies there too."""
    return {"PYTHONPATH": str(_PACKAGE), "PYTHONUNBUFFERED": "1"}
