"""The recipes: for each a kind of model, and settings that were tried."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from genimg.configuration import Configuration
from genimg.models import KINDS, Kind
from genimg.tables import Table
from genimg.training.spec import TASKS, RunConfig, RunSpec
from genimg.wording import Wording


@dataclass(frozen=True, slots=True)
class Preset:
    """A recipe: a kind of model, and where its settings differ from the defaults.

    Attributes:
        title: for the lists of the page and the terminal.
        kind: a key of `genimg.models.KINDS`.
        model, task, run: settings by the names of the fields of the kind's configuration, of its
            task's, and of `RunConfig`.
    """

    title: str
    kind: str
    model: Mapping[str, Any] = field(default_factory=dict)
    task: Mapping[str, Any] = field(default_factory=dict)
    run: Mapping[str, Any] = field(default_factory=dict)


# What learns fastest on a CPU, grey or colour (see `benchmarks/recipes.md`).
_FAST = {
    "objective": "nonsaturating",
    "r1": 0.5,
    "penalty_interval": 8,
    "penalty_share": 0.5,
    "generator_learning_rate": 4e-4,
    "discriminator_learning_rate": 4e-4,
    "mapping_learning_rate": 0.01,  # as in StyleGAN; at 1 most of w's dimensions die
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
    "widths": (16, 32, 64, 128),  # patches of 8 x 8: the image GPT pays for each token
    "levels": (8, 8, 8, 8),
}

_OURS = {
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
        "StyleDCGAN: a mapped space to explore, learned in minutes",
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
        # In ten minutes every step counts; none may be lost to an early fall of the rates.
        {"hold": 0.8},
        {"batch_size": 64},
    ),
    "fashion-relativistic": Preset(
        "Relativistic GAN: real against generated in pairs, with R1 and R2",
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
        "FSQ tokenizer for portraits in colour, 64 pixels: 64 tokens each, and back",
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
    "fashion-pixels": Preset(
        "Pixel GPT: draws pixel by pixel, 784 tokens of 16 greys",
        "pixel-gpt",
        # Full attention takes a third longer (benchmarks/long_sequences.md).
        {"width": 128, "layers": 4, "heads": 4, "dropout": 0.0, "attention": "window"},
        {"average_half_life": 1_000},  # a run on a CPU sees some ten thousand pictures
        # A sheet of 40 drawings, and a look at 2 000 held-out pictures, take as long as many steps.
        {"batch_size": 16, "precision": "fp32", "sheets": 5},
    ),
    "fashion-maskgit": Preset(
        "MaskGIT: draws in a few steps, and in any order (needs a trained tokenizer)",
        "maskgit",
        {"size": 28, "dropout": 0.0},
        {},
        {"batch_size": 32, "precision": "fp32", "validations": 20},
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
PRESETS: Table[Preset] = Table(_OURS)


def settings_of(preset: Preset, kind: Kind | None = None) -> dict[str, Configuration]:
    """Return the preset's configurations under the names "model", "task" and "run".

    Args:
        kind: the row of the preset's kind, where it is not in the table yet.

    Raises:
        ValueError: the preset has a setting that is not known, or out of range.
    """
    kind = kind or KINDS[preset.kind]
    return {
        "model": kind.config.from_dict(dict(preset.model)),
        "task": TASKS[kind.task][1].from_dict(dict(preset.task)),
        "run": RunConfig.from_dict(dict(preset.run)),
    }


def preset_named(name: str) -> Preset:
    """Return the recipe `name`; ValueError lists the known ones."""
    if name not in PRESETS:
        known = f"the presets are {', '.join(PRESETS)}"
        raise ValueError(
            Wording(
                "request.no_preset",
                "there is no preset {name}; {known}{more}",
                name=repr(name),
                known=known,
                more=PRESETS.left_out(),
            )
        )
    return PRESETS[name]


def tokenizer_preset(channels: int) -> str:
    """Return the name of a recipe for a tokenizer of pictures with so many colour channels."""
    return next(
        name
        for name, preset in PRESETS.items()
        if KINDS[preset.kind].use == "tokenizer"
        and settings_of(preset)["model"].to_dict()["channels"] == channels
    )


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
    recipe = preset_named(preset)
    sections = settings_of(recipe)
    if data_channels is not None:
        changes.setdefault("channels", data_channels)
    if data_classes is not None and sections["model"].to_dict().get("classes"):
        changes.setdefault("classes", data_classes)
    owner = {name: key for key, config in sections.items() for name in _field_names(config)}
    unknown = sorted(set(changes) - set(owner))
    if unknown:
        known = ", ".join(sorted(owner))
        raise ValueError(
            Wording(
                "request.no_setting",
                "{preset} has no setting {name}; it has {known}",
                preset=preset,
                name=repr(unknown[0]),
                known=known,
            )
        )
    for key, config in sections.items():  # a whole section at once: its fields may depend on others
        mine = {name: value for name, value in changes.items() if owner[name] == key}
        sections[key] = replace(config, **mine)
    model, task, run = sections["model"], sections["task"], sections["run"]
    assert isinstance(run, RunConfig)  # as `settings_of` says
    return RunSpec(preset=preset, kind=recipe.kind, model=model, task=task, run=run, resolved={})


def _field_names(config: Configuration) -> list[str]:
    return [field.name for field in fields(config)]
