"""What happens in the list of runs and around the selected one: plain functions, no Gradio.

One reading of the files a second serves everybody who looks.
"""

import base64
import functools
import io
import shlex
import threading
import time
from collections import OrderedDict
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from PIL import Image

from genimg.explore.uses import SHOWN
from genimg.jobs import said
from genimg.jobs.commands import COMMANDS
from genimg.jobs.job import TERMINAL, Job
from genimg.jobs.limits import Visitor
from genimg.jobs.manager import JobManager
from genimg.jobs.races import Race, newest
from genimg.jobs.recordings import RECORDED, VISITOR, Recordings
from genimg.jobs.states import ENDED
from genimg.jobs.views import JobView
from genimg.render import animate
from genimg.training.attempts import Attempt
from genimg.training.health import diagnose
from genimg.training.run_directory import RunDirectory
from genimg.training.spec import RunSpec
from genimg.ui.identity import Identity
from genimg.ui.messages import dataset_words
from genimg.ui.texts import say
from genimg.ui.training.form import differences, option, preset_words
from genimg.ui.training.handlers import duration, refusals, sentence
from genimg.ui.training.run_history import RunHistory, charts
from genimg.ui.training.run_models import use_of_preset

_SECONDS = 1.0
_HISTORIES = 16  # how many runs have their reports kept in memory
_LOG_BYTES = 16 * 1024
_LARGEST_SHEET = 8 * 2**20
_FRAMES, _FRAMES_PER_SECOND, _ENLARGE_TO = 100, 8, 512
_HOLD = 12  # frames for which the last sheet stays
_EVERYBODY = ("copy",)
# What the buttons do: commands of one job, with what else each is told.
_ACTIONS = {
    **dict.fromkeys(("pause", "resume", "cancel", "save_now", "sample_now", "delete"), ()),
    "rename": ("name",),
    "move": ("step", "seen"),
}
_WATCHED_ONLY = (RECORDED, VISITOR)  # where there is no form to copy into either


class RunHandlers:
    """The functions behind the list of runs.

    Args:
        manager: of the data root.
        identity: tells who asks.
        uses: what the page has a tab for, keys of `genimg.explore.uses.SHOWN`.
    """

    def __init__(
        self,
        manager: JobManager | Recordings,
        identity: Identity,
        uses: Collection[str] = (),
    ) -> None:
        self.manager, self.identity, self.uses = manager, identity, uses
        self._lock = threading.Lock()
        self._details: dict[str, tuple[float, dict[str, Any]]] = {}
        self._histories: OrderedDict[str, tuple[float, RunHistory]] = OrderedDict()

    def first(self) -> dict[str, Any]:
        """Return what the panel shows before it asked for anything."""
        return {
            "charts": charts(),
            "opens": [{"use": use, "tab": shown.tab_id} for use, shown in SHOWN.items()],
            "has_token": self.identity.has_token,
            "answer": self.poll({}),
        }

    def selection(self, job_id: str) -> dict[str, Any]:
        """Return what makes the panel select a run."""
        return self.first() | {"select": job_id, "nonce": time.monotonic()}

    def poll(self, request: Any, account: str = "") -> dict[str, Any]:
        """Answer the question of a browser, which comes about once a second.

        Args:
            account: see `Identity.of`.
            request: {"who"; "run", a job's id or missing; "compare", another one; "cursors", by
                id; "log", {"attempt", "offset"}}, as it came from the browser.

        Returns:
            "runs", all rows; "notice"; "teacher", whether the visitor may do everything; "busy",
            whether anything moves; "run", all of the selected one, or None; "curves", by id.
        """
        request = request if isinstance(request, dict) else {}
        visitor = self.identity.of(request.get("who"), account)
        views = self.manager.snapshot()
        found = {seen.job.id: seen for seen in views}
        cursors = request.get("cursors")
        cursors = cursors if isinstance(cursors, dict) else {}
        answer: dict[str, Any] = {
            "notice": sentence(notice) if (notice := self.manager.notice) else "",
            "teacher": visitor.is_teacher,
            "runs": [self._row(seen, visitor) for seen in views],
            "busy": any(seen.job.active or seen.place for seen in views),
            "run": None,
            "curves": {},
        }
        for key in ("run", "compare"):
            seen = found.get(request.get(key)) if isinstance(request.get(key), str) else None
            if seen is None:
                continue
            if key == "run":
                answer["run"] = self._detail(seen) | {"log": self._log(seen.job, request)}
            with self._lock:
                history = self._history(seen.job.id)
                answer["curves"][seen.job.id] = history.curves(seen.total, cursors.get(seen.job.id))
        return answer

    def act(self, request: Any, account: str = "") -> dict[str, str]:
        """Do what a button says; return {"said"}, or {"error"} with one sentence.

        Args:
            account: see `Identity.of`.
            request: {"who", "run", "action"} and for some actions "name", "step" and "seen".
        """
        request = request if isinstance(request, dict) else {}
        action, job_id = request.get("action"), request.get("run")
        if not isinstance(action, str) or action not in _ACTIONS or not isinstance(job_id, str):
            return {"error": sentence(say("training.choose_action"))}
        asked = {name: request.get(name) for name in _ACTIONS[action]}
        try:
            with refusals():
                command = COMMANDS[action](job_id, **asked)
                self.manager.do(command, self.identity.of(request.get("who"), account))
        except ValueError as error:
            return {"error": sentence(error)}
        done = action in ("save_now", "sample_now")
        return {"said": say(f"training.said.{action}") if done else ""}

    def sheet(self, request: Any) -> dict[str, str]:
        """Return {"src"} of one sample sheet, or {"error"}.

        Args:
            request: {"run", "seen"}: a job's id and one of its "sheets".
        """
        try:
            directory = self._directory(request)
            seen = request.get("seen")
            if seen not in sheets_of(directory):
                raise ValueError(say("training.sheets.gone"))
            content = _read_sheet(directory, seen)
        except (ValueError, OSError) as error:
            return {"error": sentence(error)}
        return {"src": f"data:image/png;base64,{base64.b64encode(content).decode()}"}

    def film(self, request: Any) -> dict[str, str]:
        """Return {"src", "name"} of a GIF of a run's sample sheets over time, or {"error"}.

        Args:
            request: {"run"}.
        """
        try:
            directory = self._directory(request)
            sheets = sheets_of(directory)
            if not sheets:
                raise ValueError(say("training.sheets.none"))
            chosen = np.linspace(0, len(sheets) - 1, min(_FRAMES, len(sheets))).round().astype(int)
            pictures = [_picture(_read_sheet(directory, sheets[index])) for index in chosen]
            last = pictures[-1]
            frames = [picture for picture in pictures if picture.shape == last.shape]
            content = animate(
                np.stack([*frames, *[last] * _HOLD]),
                "gif",
                frames_per_second=_FRAMES_PER_SECOND,
                enlarge_to=_ENLARGE_TO,
            )
        except (ValueError, OSError) as error:
            return {"error": sentence(error)}
        src = f"data:image/gif;base64,{base64.b64encode(content).decode()}"
        return {"src": src, "name": f"{directory.path.name}.gif"}

    def side_by_side(self, race: Race, visitor: Visitor, cursors: Any) -> dict[str, Any]:
        """Return the runs of a race, to be laid side by side, and what is new of their curves.

        Args:
            visitor: who looks.
            cursors: by job's id, as for `poll`.

        Returns:
            "runs", for each what the list shows, "sheet", its newest one or None, and "results",
            see `genimg.jobs.races`; "curves", by id; "busy", whether anything moves.
        """
        found = {seen.job.id: seen for seen in self.manager.snapshot()}
        cursors = cursors if isinstance(cursors, dict) else {}
        runs: list[dict[str, Any]] = []
        curves = {}
        views = [found[job.id] for job in race.jobs if job.id in found]
        for seen in views:
            id = seen.job.id
            with self._lock:
                history = self._history(id)
                results = newest(history.rows)
                curves[id] = history.curves(seen.total, cursors.get(id))
            sheets = sheets_of(self.manager.directory(id))
            more = {"results": results, "sheet": sheets[-1] if sheets else None}
            runs.append(self._row(seen, visitor) | more)
        busy = any(seen.job.active or seen.place for seen in views)
        return {"runs": runs, "curves": curves, "busy": busy}

    def _row(self, seen: JobView, visitor: Visitor) -> dict[str, Any]:
        """Return what the list shows of a run, and what this visitor may do with it."""
        job = seen.job
        may = self.manager.supervising and visitor.may_change(job)
        # Why the buttons are grey; for a reader and for a run from a terminal it is said elsewhere.
        theirs = self.manager.supervising and not may and job.owner != TERMINAL
        told = [sentence(said.words_of(job.message))] if job.message else []
        if self.manager.awaits_owner(job):
            told.append(sentence(say("training.sign_in.again")))
        if theirs:
            told.append(sentence(say("training.only_owner", owner=job.owner)))
        left = seen.seconds_left
        return {
            "id": job.id,
            "name": job.name,
            "owner": job.owner,
            "called": owner_words(job.owner),
            "preset": preset_words(job.preset),
            "state": str(job.state),
            "kind": job.kind,
            "place": seen.place,
            "position": job.position,
            "seen": seen.images_seen,
            "total": seen.total,
            "speed": seen.images_per_second if job.active else None,
            "left": None if left is None else duration(left),
            "message": joined("frame.both", told),
            "actions": [*_EVERYBODY, *(seen.actions if may else ())],
            "recorded": job.owner in _WATCHED_ONLY,
            "use": use_of_preset(job.preset) if job.attempt else "",
        }

    def _detail(self, seen: JobView) -> dict[str, Any]:
        """Return what is shown of the selected run only; read at most once a second."""
        job = seen.job
        with self._lock:
            read_at, detail = self._details.get(job.id, (-_SECONDS, {}))
            if time.monotonic() - read_at < _SECONDS and detail["state"] == job.state:
                return detail
            directory = self.manager.directory(job.id)
            history = self._history(job.id)
            facts, pictures = self._facts(directory)
            findings = diagnose(history.rows, pictures=pictures, ended=job.state in ENDED)
            detail = {
                "id": job.id,
                "state": job.state,
                "facts": facts,
                "command": _command(directory, job),
                "epochs": history.rows[-1].get("epochs") if history.rows else None,
                "health": [
                    {"level": finding.level, "sentence": sentence(finding.sentence)}
                    for finding in (findings if history.rows else [])
                ],
                "sheets": sheets_of(directory),
                "opens": use_of_preset(job.preset) in self.uses
                and any(directory.checkpoints.glob("step-*")),
            }
            self._details = {
                id: kept
                for id, kept in self._details.items()
                if time.monotonic() - kept[0] < _SECONDS
            } | {job.id: (time.monotonic(), detail)}
            return detail

    def _history(self, job_id: str) -> RunHistory:
        """Return the reports of a run; what is new is read at most once a second."""
        read_at, history = self._histories.pop(job_id, (-_SECONDS, None))
        history = history or RunHistory(self.manager.directory(job_id))
        if time.monotonic() - read_at >= _SECONDS:
            history.read_on()
            read_at = time.monotonic()
        self._histories[job_id] = read_at, history  # the last one is the newest in use
        while len(self._histories) > _HISTORIES:
            self._histories.popitem(last=False)
        return history

    def _facts(self, directory: RunDirectory) -> tuple[str, int]:
        """Return in a line what is being trained, on what, with what; and the number of pictures.

        The number is 0 as long as nobody knows.
        """
        try:
            spec = directory.read_spec()
        except (OSError, ValueError) as error:
            return sentence(error), 0
        resolved = spec.resolved
        pictures = resolved.get("dataset_images", 0)
        parts = [
            spec.preset,
            dataset_words(spec.run.dataset),
            say("training.facts.pictures", pictures=f"{pictures:,}") if pictures else "",
            say("training.facts.batches", size=str(spec.run.batch_size)),
            "",
            say("training.facts.seed", seed=str(spec.run.seed)),
        ]
        if resolved:
            device, precision = str(resolved["device"]), str(resolved["precision"])
            parts[4] = say("training.facts.device", device=device, precision=precision)
        return joined("training.beside", [part for part in parts if part]), pictures

    def _log(self, job: Job, request: dict[str, Any]) -> dict[str, Any]:
        """Return what the newest attempt printed since the browser's offset, or its end."""
        known = request.get("log")
        known = known if isinstance(known, dict) else {}
        begin = known.get("offset") if known.get("attempt") == job.attempt else None
        attempt = Attempt.of(self.manager.directory(job.id).path, job.attempt)
        part = attempt.read_log_on(begin if type(begin) is int else None, _LOG_BYTES)
        return {
            "attempt": job.attempt,
            "offset": part.end,
            "text": part.text,
            "fresh": part.fresh,
        }

    def _directory(self, request: Any) -> RunDirectory:
        job_id = request.get("run") if isinstance(request, dict) else None
        if not isinstance(job_id, str):
            raise ValueError(say("training.choose_run"))
        return self.manager.directory(job_id)


def owner_words(owner: str) -> str:
    """Return what the page calls the owner of a run, who may be nobody."""
    known = {TERMINAL: "terminal", RECORDED: "recording", VISITOR: "visitor"}
    return say(f"training.owner.{known[owner]}") if owner in known else owner


def joined(key: str, parts: Sequence[str]) -> str:
    """Return words that stand one after the other, by those of two of them; '' for none."""
    if not parts:
        return ""
    return functools.reduce(lambda one, other: say(key, first=one, second=other), parts)


def sheets_of(directory: RunDirectory) -> list[int]:
    """Return how many pictures a run had seen at each of its sample sheets, in order."""
    return sorted(int(path.stem) for path in directory.samples.glob("*.png") if path.stem.isdigit())


def command_of(spec: RunSpec, out: str) -> str:
    """Return the command that makes the run of `spec` in the folder `out`."""
    length = "images" if spec.run.images else "minutes"
    words = ["python", "-m", "genimg", "train", "--preset", spec.preset]
    words += option(length, getattr(spec.run, length))
    for name, value in differences(spec).items():
        if name not in ("images", "minutes"):
            words += option(name, value)
    return shlex.join([*words, "--out", out])


def _command(directory: RunDirectory, job: Job) -> str:
    """Return the command that makes the same run in a terminal, or '' for a damaged one."""
    here = f"{directory.path}-again"
    try:
        return command_of(
            directory.read_spec(), f"runs/{job.id}" if job.owner in _WATCHED_ONLY else here
        )
    except (OSError, ValueError, KeyError):  # of a preset that is no longer known
        return ""


def _read_sheet(directory: RunDirectory, images_seen: int) -> bytes:
    with (directory.samples / f"{images_seen:09d}.png").open("rb") as file:
        return file.read(_LARGEST_SHEET)


def _picture(png: bytes) -> np.ndarray:
    """Return a sheet as uint8 (H, W, C)."""
    with Image.open(io.BytesIO(png), formats=["PNG"]) as image:
        pixels = np.asarray(image if image.mode == "L" else image.convert("RGB"))
    return pixels[..., None] if pixels.ndim == 2 else pixels
