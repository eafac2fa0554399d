"""What a run is: its settings, and what was decided where they leave something open."""

from dataclasses import dataclass, fields, replace
from typing import Any

from genimg.configuration import Configuration, setting
from genimg.models import KINDS, kind_named
from genimg.training.attributes import AttributeTask, AttributeTrainingConfig
from genimg.training.classification import ClassifierTask, ClassifierTrainingConfig
from genimg.training.gan import GanTask, GanTrainingConfig
from genimg.training.prior import PriorTask, PriorTrainingConfig
from genimg.training.tokenizer import TokenizerTask, TokenizerTrainingConfig

TASKS: dict[str, tuple[type, type[Configuration]]] = {
    "gan": (GanTask, GanTrainingConfig),
    "classifier": (ClassifierTask, ClassifierTrainingConfig),
    "attributes": (AttributeTask, AttributeTrainingConfig),
    "tokenizer": (TokenizerTask, TokenizerTrainingConfig),
    "prior": (PriorTask, PriorTrainingConfig),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class RunConfig(Configuration):
    """What every run needs to know, whatever it trains."""

    dataset: str = setting("fashion-mnist", "Name of a data set, or folder:PATH.")
    images: int = setting(0, "Pictures to see in all; 0 takes it from the minutes.", low=0)
    minutes: float = setting(
        10.0,
        "Minutes to train; the speed measured turns them into pictures.",
        low=0.01,
        high=100_000,
    )
    batch_size: int = setting(128, "Pictures in each step.", low=2, high=4096)
    seed: int = setting(0, "Seed of everything random.", low=0, high=2**31 - 1)
    device: str = setting("auto", "cpu, cuda, cuda:1, mps, or auto for the fastest there is.")
    precision: str = setting(
        "auto",
        "Arithmetic; auto is bf16 where device and model gain by it.",
        choices=("auto", "bf16", "fp32"),
    )
    threads: int = setting(0, "Threads on the CPU; 0 takes every core.", low=0, high=1024)
    checkpoint_seconds: float = setting(
        60.0, "Seconds between checkpoints: at most this much work is lost.", low=0.05
    )
    sheets: int = setting(40, "Sample sheets over the whole run.", low=0, high=1000)
    validations: int = setting(
        0, "Checks on held-out pictures over the whole run, for image GPTs.", low=0, high=1000
    )
    patience: int = setting(
        4, "Checks without improvement that end the run; 0 is never.", low=0, high=1000
    )


_RESOLVED = {"device", "threads", "precision", "images", "dataset_images", "dataset_source"}


@dataclass(frozen=True, kw_only=True, slots=True)
class RunSpec:
    """Everything that determines a run, and what was decided when it started.

    `resolved` is empty until the run starts; then it holds `images`, `precision`, `threads` and
    `device`, and nothing about the run depends on the clock any more; or, if it was asked by
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


@dataclass(frozen=True, slots=True)
class Preset:
    """A recipe: a kind of model, and where its settings differ from the defaults."""

    title: str
    kind: str
    model: dict[str, Any]
    task: dict[str, Any]
    run: dict[str, Any]


# What learns fastest on a CPU, grey or colour (see `benchmarks/recipes.md`).
_FAST = {
    "objective": "nonsaturating",
    "r1": 0.5,
    "penalty_interval": 8,
    "penalty_share": 0.5,
    "generator_learning_rate": 4e-4,
    "discriminator_learning_rate": 4e-4,
    "hold": 0.0,
    "augment": True,
}
_COLOUR = {
    "size": 64,
    "channels": 3,
    "generator_width": 16,
    "discriminator_width": 32,
    "most_channels": 256,
}
_COLOUR_TOKENS = {
    "size": 64,
    "channels": 3,
    "widths": (
        16,
        32,
        64,
        128,
    ),  # 64 tokens of 8 x 8 pixels: the GPT pays for each
    "levels": (8, 8, 8, 8),
}

PRESETS: dict[str, Preset] = {
    "fashion-mlp": Preset(
        "MLP GAN: four fully connected layers",
        "mlp-gan",
        {},
        {
            "objective": "nonsaturating",
            "discriminator_learning_rate": 2e-4,
            "beta1": 0.5,
            "beta2": 0.999,
        },
        {},
    ),
    "fashion-dcgan": Preset(
        "DCGAN: transposed convolutions and batch norm",
        "dcgan",
        {},
        {
            "objective": "nonsaturating",
            "discriminator_learning_rate": 2e-4,
            "beta1": 0.5,
            "beta2": 0.999,
        },
        {},
    ),
    "fashion-style": Preset(
        "StyleDCGAN: a mapped space to explore, learnt in minutes",
        "style-dcgan",
        {},
        _FAST,
        {"batch_size": 64},
    ),
    "portraits-style": Preset(
        "StyleDCGAN for portraits in colour, 64 pixels",
        "style-dcgan",
        _COLOUR | {"classes": 6},
        _FAST,
        {"batch_size": 64, "dataset": "portraits"},
    ),
    "critters-style": Preset(
        "StyleDCGAN for critters in colour, 64 pixels",
        "style-dcgan",
        _COLOUR | {"classes": 8},
        _FAST,
        {"batch_size": 64, "dataset": "critters"},
    ),
    "fashion-stylegan": Preset(
        "StyleGAN-mini: bilinear resampling, spectral norm; slower, and blind to colour",
        "stylegan",
        {},
        # In ten minutes many steps count, and there is none to lose to an early fall of the rates.
        {"hold": 0.8},
        {"batch_size": 64},
    ),
    "fashion-relativistic": Preset(
        "Relativistic GAN: real against drawn in pairs, with R1 and R2",
        "dcgan",
        # Batch norm would mix the pictures whose single gradients the penalties are about.
        {"classes": 10, "spectral_norm": True},
        {
            "objective": "relativistic",
            "r1": 1.0,
            "r2": 1.0,
            "generator_learning_rate": 1e-3,
            "discriminator_learning_rate": 1e-3,
        },
        {"batch_size": 64},
    ),
    "fashion-tokenizer": Preset(
        "FSQ tokenizer: pictures as 49 tokens each, and back",
        "fsq-tokenizer",
        {"size": 28},
        {},
        {"batch_size": 64},
    ),
    "portraits-tokenizer": Preset(
        "FSQ tokenizer for portraits in colour, 64 pixels: as 64 tokens each, and back",
        "fsq-tokenizer",
        _COLOUR_TOKENS,
        {"discriminator_width": 24},
        {"batch_size": 64, "dataset": "portraits"},
    ),
    "fashion-gpt": Preset(
        "Image GPT: draws token by token (needs a trained tokenizer)",
        "image-gpt",
        {"size": 28, "dropout": 0.0},  # dropout slows, and a few epochs cannot over-fit
        {},
        {"batch_size": 32, "precision": "fp32", "validations": 20},
    ),
    "portraits-gpt": Preset(
        "Image GPT for portraits in colour, 64 pixels (needs a trained tokenizer)",
        "image-gpt",
        _COLOUR_TOKENS | {"classes": 6, "dropout": 0.0},
        {"tokenizer": "portraits-tokenizer"},
        {"batch_size": 32, "precision": "fp32", "validations": 20, "dataset": "portraits"},
    ),
    "fashion-vit": Preset(
        "Vision Transformer: a classifier with attention to look at",
        "vision-transformer",
        {"size": 28, "stem": "convolutional", "dropout": 0.05},
        {
            "optimizer": "adamw",
            "learning_rate": 1.5e-3,
            "weight_decay": 0.05,
            "label_smoothing": 0.1,
            "warm_up": 0.1,
            "shift": 1,  # the pictures are centred; without any, ten epochs over-fit
        },
        {"batch_size": 64, "sheets": 0},
    ),
    "fashion-features": Preset(
        "A small classifier, the yardstick of the metrics",
        "classifier",
        {},
        {},
        {"sheets": 0},
    ),
    "portraits-features": Preset(
        "Names every attribute of a portrait, the yardstick of the metrics",
        "attribute-classifier",
        {},
        {},
        {"dataset": "portraits", "batch_size": 64, "sheets": 0},
    ),
    "critters-features": Preset(
        "Names every attribute of a critter, the yardstick of the metrics",
        "attribute-classifier",
        {},
        {},
        {"dataset": "critters", "batch_size": 64, "sheets": 0},
    ),
}


def settings_of(preset: Preset) -> dict[str, Configuration]:
    """Return the preset's configurations under the names "model", "task" and "run"."""
    kind = KINDS[preset.kind]
    return {
        "model": kind.config.from_dict(preset.model),
        "task": TASKS[kind.task][1].from_dict(preset.task),
        "run": RunConfig.from_dict(preset.run),
    }


def make_spec(
    preset: str,
    *,
    data_channels: int | None = None,
    data_classes: int | None = None,
    **changes: Any,
) -> RunSpec:
    """Return the request for a run of `preset`.

    Args:
        data_channels, data_classes: of the pictures, and so the model's unless `changes` say
            otherwise (a recipe without labels stays without); None leaves the recipe's.
        changes: values of any field of the model's, the task's or the run's configuration.

    Raises:
        ValueError: no such preset (the sentence lists them), no such field, a value out of range.
    """
    if preset not in PRESETS:
        raise ValueError(f"there is no preset {preset!r}; the presets are {', '.join(PRESETS)}")
    recipe = PRESETS[preset]
    sections = settings_of(recipe)
    if data_channels is not None:
        changes.setdefault("channels", data_channels)
    if data_classes is not None and getattr(sections["model"], "classes", 0):
        changes.setdefault("classes", data_classes)
    owner = {name: key for key, config in sections.items() for name in _field_names(config)}
    unknown = sorted(set(changes) - set(owner))
    if unknown:
        known = ", ".join(sorted(owner))
        raise ValueError(f"{preset} has no setting {unknown[0]!r}; it has {known}")
    for key, config in sections.items():  # a whole section at once: its fields may depend on others
        mine = {name: value for name, value in changes.items() if owner[name] == key}
        sections[key] = replace(config, **mine)
    return RunSpec(preset=preset, kind=recipe.kind, **sections, resolved={})


def _field_names(config: Configuration) -> list[str]:
    return [field.name for field in fields(config)]
