"""What a run is: its settings, and what was decided where they leave something open."""

from dataclasses import dataclass, fields
from typing import Any

from genimg.configuration import Configuration, setting
from genimg.models import kind_named
from genimg.training.attributes import AttributeTask, AttributeTrainingConfig
from genimg.training.classification import ClassifierTask, ClassifierTrainingConfig
from genimg.training.gan import GanTask, GanTrainingConfig
from genimg.training.masked_prior import MaskedPriorTask
from genimg.training.prior import (
    NextTokenTask,
    NextTokenTrainingConfig,
    PriorTask,
    PriorTrainingConfig,
)
from genimg.training.task import Task
from genimg.training.tokenizer import TokenizerTask, TokenizerTrainingConfig

TASKS: dict[str, tuple[type[Task], type[Configuration]]] = {
    "gan": (GanTask, GanTrainingConfig),
    "classifier": (ClassifierTask, ClassifierTrainingConfig),
    "attributes": (AttributeTask, AttributeTrainingConfig),
    "tokenizer": (TokenizerTask, TokenizerTrainingConfig),
    "prior": (PriorTask, PriorTrainingConfig),
    "pixels": (NextTokenTask, NextTokenTrainingConfig),
    "masked-prior": (MaskedPriorTask, PriorTrainingConfig),
}


def task_of(kind: str) -> type[Task]:
    """Return what trains models of `kind`; ValueError lists the known kinds."""
    return TASKS[kind_named(kind).task][0]


@dataclass(frozen=True, kw_only=True, slots=True)
class RunConfig(Configuration):
    """How a run trains, whatever it trains."""

    dataset: str = setting("fashion-mnist", "Name of a data set, or folder:PATH.")
    images: int = setting(0, "Pictures to see in all; 0 works it out from the minutes.", low=0)
    minutes: float = setting(
        10.0,
        "Minutes to train; the measured speed turns them into pictures.",
        low=0.01,
        high=100_000,
    )
    batch_size: int = setting(128, "Pictures in each step.", low=2, high=4096)
    seed: int = setting(0, "Seed of everything random.", low=0, high=2**31 - 1)
    device: str = setting("auto", "cpu, cuda, cuda:1, mps, or auto for the fastest there is.")
    precision: str = setting(
        "auto",
        "Numbers to calculate with; auto is bf16 where device and model gain from it.",
        choices=("auto", "bf16", "fp32"),
    )
    threads: int = setting(0, "Threads on the CPU; 0 takes every core.", low=0, high=1024)
    checkpoint_seconds: float = setting(
        60.0, "Seconds between checkpoints: at most this much work is lost.", low=0.05
    )
    sheets: int = setting(40, "Sample sheets over the whole run.", low=0, high=1000)
    validations: int = setting(
        0,
        "Checks on held-out pictures over the whole run, for image GPTs and MaskGITs.",
        low=0,
        high=1000,
    )
    patience: int = setting(
        4, "Checks without improvement that end the run; 0 never ends it.", low=0, high=1000
    )
    init: str = setting(
        "", "Model whose weights the run begins with: a checkpoint, its path, or a run's folder."
    )
    extend: str = setting(
        "", "Folder of a finished run to go on with, by its settings, to more pictures in all."
    )


_RESOLVED = {"device", "threads", "precision", "images", "dataset_images", "dataset_source"}


@dataclass(frozen=True, kw_only=True, slots=True)
class RunSpec:
    """Everything that determines a run, and what was decided when it started.

    `resolved` is empty until the run starts; then it holds `images`, `precision`, `threads` and
    `device`, and nothing about the run depends on the clock any more; or, if it was asked for in
    minutes, only `images` does, until it has been planned twice (see `genimg.training.loop`).
    """

    kind: str
    model: Configuration
    task: Configuration
    run: RunConfig
    preset: str = ""
    resolved: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        return {
            "format": 1,
            "preset": self.preset,
            "kind": self.kind,
            "model": self.model.to_dict(),
            "task": self.task.to_dict(),
            "run": self.run.to_dict(),
            "resolved": dict(self.resolved),
        }

    @classmethod
    def from_dict(cls, values: Any) -> "RunSpec":
        """Undo `to_dict`; ValueError names what is wrong."""
        if not isinstance(values, dict) or values.get("format") != 1:
            raise ValueError("this is not the specification of a genimg run of format 1")
        unknown = sorted(set(values) - {"format", *(field.name for field in fields(cls))})
        if unknown:
            raise ValueError(f"the specification has a field {unknown[0]!r} that is not known")
        resolved = values.get("resolved")
        if not isinstance(resolved, dict) or (resolved and not set(resolved) >= _RESOLVED):
            raise ValueError(
                f"the specification's resolved part needs {', '.join(sorted(_RESOLVED))}"
            )
        kind = kind_named(str(values.get("kind")))
        return cls(
            preset=str(values.get("preset", "")),
            kind=str(values["kind"]),
            model=kind.config.from_dict(values.get("model")),
            task=TASKS[kind.task][1].from_dict(values.get("task")),
            run=RunConfig.from_dict(values.get("run")),
            resolved=dict(resolved),
        )

    def difference(self, other: "RunSpec") -> str:
        """Name the first setting in which the two requests differ, or return ''."""
        for section in ("kind", "model", "task", "run"):
            mine, theirs = self.to_dict()[section], other.to_dict()[section]
            if isinstance(mine, str):
                mine, theirs = {section: mine}, {section: theirs}
            for name in sorted(set(mine) | set(theirs)):
                if mine.get(name) != theirs.get(name):
                    there, here = (_as_given(name, one.get(name)) for one in (theirs, mine))
                    return f"{name} is {there} there and {here} here"
        return ""


def _as_given(name: str, value: Any) -> str:
    """Return a setting for people: of images and minutes only one is given, the other is 0."""
    return "not given" if name in ("images", "minutes") and not value else repr(value)
