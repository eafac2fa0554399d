"""What is known about a job, and its copy in job.json beside the run."""

import dataclasses
import hashlib
import secrets
import time
from pathlib import Path
from typing import Any

from genimg.jobs import said
from genimg.jobs.states import ACTIVE, State
from genimg.storage import read_json, write_json
from genimg.training.attempts import newest_attempt
from genimg.wording import Wording

TERMINAL = "terminal"
"""Written as the owner of a run that no server started. Nobody may take it as a nickname."""
_LONGEST_NAME = 80
_CALLED = {
    "nickname": Wording("job.nickname", "nickname"),
    "name of a run": Wording("job.name", "name of a run"),
}


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """One run that somebody asked for.

    Attributes:
        id: name of the run's folder in the data root; cannot be guessed.
        name: what its owner calls it.
        owner: nickname of whoever asked for it.
        preset: what is trained.
        device: what was asked for: "cpu", "mps", "cuda" (any GPU) or one GPU, such as "cuda:1".
        state: where it is.
        attempt: number of its newest worker; 0 before the first.
        position: order in the queue; the smallest first.
        assigned: the device of the newest attempt, or ''.
        kind: of a failure: "out_of_memory", "disk", "diverged", "unusable", ...; "stopped_early"
            of a run that a rule has ended; else ''.
        message: one sentence on how it got where it is, or ''.
        retries: times in a row that it was queued again by itself without progress.
        saved_images: progress of its last checkpoint when an attempt last ended.
        created, changed, started: seconds since 1970; of the last attempt's start (0 before it).
        race: what the runs of one race have in common, see `genimg.jobs.races`; '' outside of one.
        stop_rule: by which it may be ended early, see `genimg.jobs.early_stop`; '' for by none.
        account: the one that pays for it elsewhere and that alone commands it, see
            `genimg.jobs.accounts`; '' where nobody signed in for it.
    """

    id: str
    name: str
    owner: str
    preset: str
    device: str
    state: State = State.QUEUED
    attempt: int = 0
    position: float = 0.0
    assigned: str = ""
    kind: str = ""
    message: str = ""
    retries: int = 0
    saved_images: int = 0
    created: float = 0.0
    changed: float = 0.0
    started: float = 0.0
    race: str = ""
    stop_rule: str = ""
    account: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "state", State(self.state))

    @property
    def active(self) -> bool:
        """Whether a worker may be alive."""
        return self.state in ACTIVE

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        return dataclasses.asdict(self) | {"state": str(self.state)}

    @classmethod
    def from_dict(cls, values: Any) -> "Job":
        """Undo `to_dict`; ValueError if something is missing or of another type."""
        if not isinstance(values, dict):
            raise ValueError("this is no description of a job")
        kept: dict[str, Any] = {}
        for field in dataclasses.fields(cls):
            assert isinstance(field.type, type)  # not a text: this file imports no annotations
            kind = str if field.type is State else field.type
            value = values.get(field.name, field.default)
            if kind is float and type(value) is int:
                value = float(value)
            if not isinstance(value, kind) or isinstance(value, bool):
                raise ValueError(
                    f"the job's {field.name} is {value!r}, which is no {kind.__name__}"
                )
            kept[field.name] = value
        return cls(**kept)


def new_id(preset: str, owner: str, token: str | None) -> str:
    """Return a name for a run's folder: the same one for the same owner's token, else a new one."""
    if token is None:
        return f"{preset}-{secrets.token_hex(6)}"
    digest = hashlib.sha256(f"{owner}\n{token}".encode()).hexdigest()
    return f"{preset}-{digest[:12]}"


def checked_nickname(name: str) -> str:
    """Return a nickname, as `checked_name` does; ValueError if nobody may be called so."""
    nickname = checked_name(name, "nickname")
    if nickname == TERMINAL:
        raise ValueError(
            Wording(
                "job.nickname_taken",
                "runs from a terminal are called {name}; choose another nickname",
                name=repr(TERMINAL),
            )
        )
    return nickname


def checked_name(name: str, what: str) -> str:
    """Return a name or nickname without surrounding space; ValueError if it cannot be shown.

    Args:
        what: "nickname" or "name of a run".
    """
    text = " ".join(name.split()) if isinstance(name, str) else ""
    if not 1 <= len(text) <= _LONGEST_NAME or not text.isprintable():
        raise ValueError(
            Wording(
                "job.unprintable", "the {what} must have 1 to {most} printable characters",
                what=_CALLED.get(what, what), most=_LONGEST_NAME,
            )
        )  # fmt: skip
    return text


def write_job(root: Path, job: Job) -> None:
    """Replace job.json of the job's run."""
    write_json(root / job.id / "job.json", job.to_dict())


def read_job(folder: Path) -> Job | None:
    """Return the job of a run's folder, or None where there is none.

    A damaged job.json is still a job: it waits, paused, for somebody to resume it.
    """
    try:
        job = Job.from_dict(read_json(folder / "job.json"))
        return dataclasses.replace(job, id=folder.name)  # a copied folder is a job of its own
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        return Job(
            id=folder.name,
            name=folder.name,
            owner="",
            preset=folder.name.rpartition("-")[0],
            device="cpu",
            state=State.PAUSED,
            attempt=newest_attempt(folder),
            message=said.filled(said.DAMAGED, reason=error),
            created=time.time(),
        )


def read_jobs(root: Path) -> list[Job]:
    """Return the jobs of all runs in the data root, oldest first."""
    folders = [path for path in root.glob("*") if not path.name.startswith(".")]
    jobs = [job for job in map(read_job, folders) if job is not None]
    return sorted(jobs, key=lambda job: (job.position, job.created, job.id))
