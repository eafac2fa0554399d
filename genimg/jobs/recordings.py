"""Recorded runs: of a finished run only what the page needs to fill its panels.

FOLDER/NAME/recording.json            {"name", "hardware", "minutes"}
FOLDER/NAME/spec.json                 as of a run; see `genimg.training.run_directory`
FOLDER/NAME/attempts/1/...            its status, and the reports of all attempts
FOLDER/NAME/samples/IMAGES_SEEN.png   some of the sample sheets

A recording has no weights, so nobody can resume or open it. They are shown where nothing may be
trained, and nothing that a visitor sends reaches the disk there.
"""

import dataclasses
import io
import json
import shutil
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from PIL import Image

from genimg.data import FOLDER_PREFIX
from genimg.jobs import said
from genimg.jobs.commands import Command
from genimg.jobs.job import Job
from genimg.jobs.limits import Visitor
from genimg.jobs.states import State
from genimg.jobs.terminal_runs import read_terminal_runs, watch
from genimg.jobs.views import JobView
from genimg.storage import read_json, write_json
from genimg.training.run_directory import RunDirectory
from genimg.training.spec import RunSpec
from genimg.wording import Wording

RECORDED = "recording"
"""Owner of a recorded run."""
VISITOR = "a visitor"
"""Owner of a run of this process."""
LARGEST_BYTES = 1_500_000
"""Of one recording, so that a repository can carry a few."""
_MOST_REPORTS = 1_500
_WHOLE_END = 100  # the rules of health look at reports in a row
_DIGITS = 6


class Recordings:
    """The recorded runs of a folder, to be looked at like a `genimg.jobs.manager.JobManager`.

    Args:
        folder: of the recordings; one that is missing has none.
        refusal: why nothing can be trained here, in one sentence; every command raises it as a
            PermissionError.
        live: folder of runs of this process, which are shown first; None where there are none.
    """

    supervising = False
    only_watches = True
    notice = ""

    def __init__(self, folder: Path, refusal: str, live: Path | None = None) -> None:
        self.folder, self.refusal, self.live = folder, refusal, live
        found = (read_recording(path.parent) for path in sorted(folder.glob("*/recording.json")))
        self._recorded = [watch(folder, job) for job in found if job]

    @property
    def root(self) -> Path:
        """Folder of the runs that are no recordings; that of the recordings without such runs."""
        return self.live or self.folder

    def snapshot(self) -> list[JobView]:
        """Return every run: those of this process, the newest first, then the recorded ones."""
        live = sorted(self._live_jobs(), key=lambda job: -job.created)
        return [*(watch(self.root, job) for job in live), *self._recorded]

    def _live_jobs(self) -> list[Job]:
        if self.live is None:
            return []
        runs = read_terminal_runs(self.live)
        return [dataclasses.replace(job, owner=VISITOR, message="") for job in runs]

    def job(self, job_id: str) -> Job:
        """Return one of them; ValueError if there is none of that id."""
        for job in [*self._live_jobs(), *(seen.job for seen in self._recorded)]:
            if job.id == job_id:
                return job
        raise ValueError(
            Wording(
                "recording.no_run",
                "there is no run {id} here; choose one from the list",
                id=repr(job_id),
            )
        )

    def awaits_owner(self, job: Job) -> bool:
        """Return False: a recording waits for nobody."""
        return False

    def directory(self, job_id: str) -> RunDirectory:
        """Return the run of a job; a recorded one has no checkpoints."""
        job = self.job(job_id)
        folder = self.folder if job.owner == RECORDED else self.root
        return RunDirectory(folder / job.id)

    def model(self, name: str) -> str:
        """Return what `genimg.load` takes for a model that somebody names; no run is one here."""
        return name

    def close(self) -> None:
        """Do nothing: nothing is open."""

    def start(self, *asked: Any, **named: Any) -> NoReturn:
        """Refuse to train: PermissionError."""
        raise PermissionError(self.refusal)

    def do(self, command: Command[Any], visitor: Visitor) -> NoReturn:
        """Refuse any command: PermissionError."""
        raise PermissionError(self.refusal)


def read_recording(folder: Path) -> Job | None:
    """Return the recorded run in `folder` as a job, or None if there is none, or a damaged one."""
    try:
        told = read_json(folder / "recording.json")
        spec = RunDirectory(folder).read_spec()
        name, hardware, minutes = (told[key] for key in ("name", "hardware", "minutes"))
        written = (folder / "recording.json").stat().st_mtime
        return Job(
            id=folder.name,
            name=str(name),
            owner=RECORDED,
            preset=spec.preset,
            device=str(spec.resolved.get("device", "cpu")),
            state=State.SUCCEEDED,
            attempt=1,
            message=said.filled(said.RECORDING, minutes=f"{float(minutes):.1f}", hardware=hardware),
            created=written,
            changed=written,
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def record(
    run: Path, out: Path, *, name: str, hardware: str, largest_bytes: int = LARGEST_BYTES
) -> int:
    """Write a recording of a finished run; return how many bytes it takes.

    Args:
        run: the run's folder.
        out: folder to make; one that holds a recording is replaced.
        name: what to call it on the page.
        hardware: what it was trained on, such as "one thread of a small CPU".
        largest_bytes: of the recording; sample sheets are left out, evenly, until it fits.

    Raises:
        ValueError: the run has not succeeded, does not fit even with two sheets, or `out` holds
            something else.
        OSError: a file cannot be read or written.
    """
    directory = RunDirectory(run)
    spec = directory.read_spec()
    status = directory.newest_status()
    if status.get("state") != "succeeded":
        raise ValueError(f"{run} has not ended well ({status.get('state', 'it never began')})")
    if out.exists() and not (out / "recording.json").is_file():
        raise ValueError(f"{out} is no recording; choose another folder")
    new = out.with_name(f".new-{out.name}")
    shutil.rmtree(new, ignore_errors=True)
    try:
        _write(new, directory, spec, status, {"name": name, "hardware": hardware}, largest_bytes)
        if out.exists():
            shutil.rmtree(out)
        new.rename(out)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return _bytes(out)


def _write(
    folder: Path,
    directory: RunDirectory,
    spec: RunSpec,
    status: dict[str, Any],
    said: dict[str, Any],
    largest_bytes: int,
) -> None:
    copy = RunDirectory(folder)
    folder.mkdir(parents=True)
    attempt = copy.new_attempt()
    copy.write_spec(_without_places(spec))
    rows = directory.read_metrics()
    lines = [json.dumps(_rounded(row)) for row in _thinned(rows)]
    attempt.metrics.write_text("".join(f"{line}\n" for line in lines))
    attempt.write_status(**status)
    seconds = max((row.get("seconds") or 0 for row in rows), default=0)
    write_json(folder / "recording.json", said | {"minutes": round(seconds / 60, 2)})
    for images_seen, content in _sheets(directory, largest_bytes - _bytes(folder)):
        copy.write_sheet(images_seen, content)


def _without_places(spec: RunSpec) -> RunSpec:
    """Return the specification without paths of the machine that trained."""
    resolved = spec.resolved | {"dataset_source": ""}
    run = spec.run
    if run.dataset.startswith(FOLDER_PREFIX):
        run = dataclasses.replace(run, dataset=f"{FOLDER_PREFIX}pictures")
    return dataclasses.replace(spec, run=run, resolved=resolved)


def _thinned(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows of sheets and validations, the newest ones, and evenly some of the others."""
    step = max(1, -(-len(rows) // _MOST_REPORTS))
    often = {"discriminator_loss", "loss", "absolute_error"}  # told by every report of a step
    return [
        row
        for index, row in enumerate(rows)
        if index % step == 0 or index >= len(rows) - _WHOLE_END or not often & row.keys()
    ]


def _rounded(row: dict[str, Any]) -> dict[str, Any]:
    return {
        key: float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else value
        for key, value in row.items()
    }


def _sheets(directory: RunDirectory, room: int) -> list[tuple[int, bytes]]:
    """Return as many sheets as fit, evenly over the run, the first and the last among them."""
    paths = sorted(directory.samples.glob("*.png"))
    sheets = [(int(path.stem), _small(path)) for path in paths]
    for count in range(len(sheets), 1, -1):
        chosen = {int(place) for place in np.linspace(0, len(sheets) - 1, count).round()}
        if sum(len(sheets[index][1]) for index in chosen) <= room:
            return [sheets[index] for index in sorted(chosen)]
    if paths:
        raise ValueError("not even two sample sheets fit into a recording; allow more bytes")
    return []


def _small(path: Path) -> bytes:
    """Return a sheet as it is kept: one in colour with 256 colours, which is a quarter of it."""
    with Image.open(path) as sheet:
        if sheet.mode != "RGB":
            return path.read_bytes()
        content = io.BytesIO()
        sheet.quantize(256, dither=Image.Dither.NONE).save(content, "PNG", optimize=True)
    return content.getvalue()


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
