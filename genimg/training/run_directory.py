"""A run on disk: the protocol between whoever asks for a run and whoever makes it.

spec.json                      what is to be trained; immutable once the probe has resolved it
control.json                   wishes to the worker: run, pause, cancel, save_now, sample_now
lease                          locked by the one process that is training
attempts/N/status.json         where attempt N is, replaced every second or so
attempts/N/metrics.jsonl       one line per report, append-only, one writer
ckpt/                          see `run_checkpoints`
samples/IMAGES_SEEN.png        sample sheets
"""

import json
import os
from pathlib import Path
from typing import Any

from genimg.storage import Lease, atomic_write, read_json, write_json
from genimg.training.spec import RunSpec


class RunDirectory:
    """Paths and small files of one run."""

    def __init__(self, path: str | os.PathLike) -> None:
        self.path = Path(path)
        self.checkpoints = self.path / "ckpt"
        self.samples = self.path / "samples"
        self.lease = Lease(self.path / "lease")

    @classmethod
    def create(cls, path: str | os.PathLike, spec: RunSpec) -> "RunDirectory":
        """Make a run's directory, or open it if it holds the same request.

        Raises:
            ValueError: the folder holds another run, or other files.
            OSError: the folder cannot be written.
        """
        run = cls(path)
        if (run.path / "spec.json").exists():
            different = run.read_spec().difference(spec)
            if different:
                raise ValueError(
                    f"{run.path} holds a run with other settings ({different}); repeat its command"
                    " to resume it, or choose another folder"
                )
            return run
        if run.path.is_dir() and any(run.path.iterdir()):
            raise ValueError(f"{run.path} is not empty and holds no run; choose another folder")
        run.path.mkdir(parents=True, exist_ok=True)
        run.write_spec(spec)
        return run

    def read_spec(self) -> RunSpec:
        """Return the specification; ValueError if it is damaged, FileNotFoundError if missing."""
        return RunSpec.from_dict(read_json(self.path / "spec.json"))

    def write_spec(self, spec: RunSpec) -> None:
        """Write the request, or the request with what the probe resolved."""
        write_json(self.path / "spec.json", spec.to_dict())

    def read_control(self) -> dict[str, Any]:
        """Return the last wish, `{"command": "run"}` when there is none."""
        try:
            return read_json(self.path / "control.json")
        except (FileNotFoundError, ValueError):
            return {"command": "run", "generation": 0}

    def new_attempt(self, number: int | None = None) -> "Attempt":
        """Start attempt `number`, by default the next one."""
        folder = self.path / "attempts"
        folder.mkdir(exist_ok=True)
        number = number or max([0, *self.attempt_numbers()]) + 1
        (folder / str(number)).mkdir(exist_ok=True)
        return Attempt(folder / str(number))

    def attempt_numbers(self) -> list[int]:
        """Return the numbers of all attempts, oldest first."""
        folders = (self.path / "attempts").glob("*")
        return sorted(int(folder.name) for folder in folders if folder.name.isdigit())

    def read_metrics(self) -> list[dict[str, Any]]:
        """Return the reports of all attempts as one history.

        A later attempt starts from a checkpoint, so it replaces what earlier ones reported beyond
        its own first line. A torn last line is ignored.
        """
        history: list[dict[str, Any]] = []
        for number in self.attempt_numbers():
            lines = _read_lines(self.path / "attempts" / str(number) / "metrics.jsonl")
            if lines:
                first = lines[0]["images_seen"]
                history = [line for line in history if line["images_seen"] < first] + lines
        return history

    def write_sheet(self, images_seen: int, png: bytes) -> None:
        """Keep one sample sheet."""
        self.samples.mkdir(exist_ok=True)
        atomic_write(self.samples / f"{images_seen:09d}.png", png)


def _read_lines(path: Path) -> list[dict[str, Any]]:
    try:
        text = path.read_text()
    except FileNotFoundError:
        return []
    lines = []
    for line in text.split("\n")[:-1]:  # what follows the last newline is torn, or nothing
        try:
            lines.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return lines


class Attempt:
    """What one worker writes about itself."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.number = int(path.name)

    def report(self, values: dict[str, Any]) -> None:
        """Append one line of metrics; a value that is not finite is written as null (a gap)."""
        text = json.dumps(
            {k: v if v == v and abs(v) != float("inf") else None for k, v in values.items()}
        )
        with (self.path / "metrics.jsonl").open("a") as file:
            file.write(text + "\n")

    def write_status(self, **values: Any) -> None:
        """Replace the status."""
        write_json(self.path / "status.json", values)
