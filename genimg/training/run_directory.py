"""A run on disk: the protocol between whoever asks for a run and whoever makes it.

spec.json                      what is to be trained; for minutes, its "images" are set anew twice
control.json                   wishes to the worker: run, pause, cancel, save_now, sample_now;
                               the newest one, and in "earlier" a few before it
lease                          locked by the one process that is training
attempts/N/                    what attempt N said of itself, and others of it; see `attempts`
ckpt/                          see `run_checkpoints`
samples/IMAGES_SEEN.png        sample sheets
trail/                         of a GAN: its snapshots; see `genimg.trails`
"""

import os
from pathlib import Path
from typing import Any

from genimg.storage import Lease, atomic_write, read_json, write_json
from genimg.training import places
from genimg.training.attempts import Attempt, add_report, attempt_numbers, newest_attempt
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
        """Make a run's folder, or open it if it holds the same request.

        Raises:
            ValueError: the folder holds another run, or other files.
            OSError: the folder cannot be written.
        """
        run = cls(path)
        if (run.path / "spec.json").exists():
            different = spec.difference(run.read_spec())
            if different:
                raise ValueError(
                    f"{run.path} holds a run with other settings ({different}); repeat its command"
                    " to resume it, or choose another folder"
                )
            return run
        if run.path.is_dir() and any(not file.name.startswith(".") for file in run.path.iterdir()):
            raise ValueError(f"{run.path} is not empty and holds no run; choose another folder")
        run.path.mkdir(parents=True, exist_ok=True)
        run.write_spec(spec)
        return run

    def read_spec(self) -> RunSpec:
        """Return the specification, with the paths of where its pictures and models are now.

        Raises:
            ValueError: it is damaged.
            FileNotFoundError: it is missing.
        """
        values = read_json(self.path / "spec.json")
        return RunSpec.from_dict(places.found(values, self.path.parent))

    def write_spec(self, spec: RunSpec) -> None:
        """Write the request, or the request with what was resolved."""
        write_json(self.path / "spec.json", places.kept(spec.to_dict(), self.path.parent))

    def read_control(self) -> dict[str, Any]:
        """Return the last wish: its "command", and its "generation", which counts the wishes.

        A missing or damaged file is no wish: training goes on.
        """
        control = _read_dictionary(self.path / "control.json")
        command, generation = control.get("command"), control.get("generation")
        return {"command": command, "generation": generation if type(generation) is int else 0}

    def wishes_after(self, generation: int) -> list[dict[str, Any]]:
        """Return the wishes, as `read_control` does, that came after `generation`, oldest first.

        The newest wish brings along those shortly before it, which nobody may have looked at yet.
        """
        control = _read_dictionary(self.path / "control.json")
        earlier = control.get("earlier")
        wishes = [*(earlier if isinstance(earlier, list) else []), control]
        return [
            {"command": wish.get("command"), "generation": wish["generation"]}
            for wish in wishes
            if isinstance(wish, dict)
            and type(wish.get("generation")) is int
            and wish["generation"] > generation
        ]

    def last_wish_seen(self) -> int:
        """Return the generation of the newest wish that an attempt has already looked at."""
        statuses = [attempt.read_status() for attempt in self.attempts()]
        return max((status.get("wish_seen", 0) for status in statuses), default=0)

    def new_attempt(self, number: int | None = None) -> Attempt:
        """Start attempt `number`, by default the next one."""
        return Attempt.begin(self.path, number)

    def attempt_numbers(self) -> list[int]:
        """Return the numbers of all attempts, oldest first."""
        return attempt_numbers(self.path)

    def attempts(self) -> list[Attempt]:
        """Return all attempts, oldest first."""
        return [Attempt.of(self.path, number) for number in self.attempt_numbers()]

    def newest_attempt(self) -> int:
        """Return the number of the newest attempt; 0 before the first."""
        return newest_attempt(self.path)

    def newest_status(self) -> dict[str, Any]:
        """Return the status of the newest attempt; {} where there is none, or it is damaged."""
        return Attempt.of(self.path, self.newest_attempt()).read_status()

    def read_metrics(self) -> list[dict[str, Any]]:
        """Return the reports of all attempts as one history.

        A torn last line is ignored; for the rest see `genimg.training.attempts.add_report`.
        """
        history: list[dict[str, Any]] = []
        for attempt in self.attempts():
            for line in attempt.read_reports()[0]:
                add_report(history, line)
        return history

    def write_sheet(self, images_seen: int, png: bytes) -> None:
        """Keep one sample sheet."""
        self.samples.mkdir(exist_ok=True)
        atomic_write(self.samples / f"{images_seen:09d}.png", png)


def _read_dictionary(path: Path) -> dict[str, Any]:
    """Return what a small file holds, or {} where it is missing or damaged."""
    try:
        values = read_json(path)
    except (FileNotFoundError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}
