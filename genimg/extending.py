"""Models and data sets from outside this package: how they are described and entered.

A `ModelKind` or a `DataSource` is everything that genimg has to know. An installed package names it
as an entry point in the group `genimg.models` or `genimg.datasets`; then every process knows it.
`register_model` and `register_dataset` enter it in this process alone. docs/extending.md walks
through an example.
"""

import dataclasses
import re
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from genimg.checks import require_one_of, shown
from genimg.configuration import Configuration
from genimg.data.registry import SPLITS, Facts, published
from genimg.explore.uses import USES
from genimg.models import KINDS, Kind
from genimg.tables import Description
from genimg.training.presets import PRESETS, Preset, settings_of
from genimg.training.spec import TASKS, RunConfig

# Taken: arguments of `genimg.train` and the queue beside settings, and options of the commands.
_RESERVED = {
    *("preset", "out", "processes", "gpus", "callbacks", "should_stop", "progress", "help"),
    *("name", "runs", "token", "visitor", "data_channels", "data_classes", "given"),
}
_NEEDED = {"gan": ("size", "channels", "classes", "latent_dimensions")}
_NEEDED_OF_OTHERS = ("size", "channels", "classes")
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_LONGEST_NAME = 40


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelKind(Description):
    """A kind of model, and recipes to train it.

    Attributes:
        name: of small letters, digits and single hyphens; checkpoints and runs keep it.
        config: a frozen dataclass of `genimg.configuration.setting`s; for a GAN at least `size`,
            `channels`, `classes` (0 for none) and `latent_dimensions`.
        build: makes the model from a configuration, which the model keeps as its `config`; for
            the task "gan" a `genimg.models.gan.Gan`. Shapes must follow from the
            configuration alone.
        task: how it is trained, one of `genimg.training.spec.TASKS`: "gan", "classifier", ...
        use: what is done with it, one of `genimg.explore.uses.USES`: "gan", "classifier", ...;
            that decides in which tab it opens.
        presets: recipes by name, at least one; their `kind` is this one.
        bytes_per_pixel: how much the peak memory of a worker grows for each pixel of a batch.
        bfloat16: whether its training is faster in bfloat16 where the processor has it.
    """

    name: str
    config: type[Configuration]
    build: Callable[[Any], nn.Module]
    task: str
    use: str
    presets: Mapping[str, Preset]
    bytes_per_pixel: int = 5_200
    bfloat16: bool = True

    def register(self) -> None:
        """Enter the kind and its presets; ValueError says what is wrong, and enters nothing."""
        check_name("model", self.name)
        if not isinstance(self.config, type) or not issubclass(self.config, Configuration):
            raise ValueError(
                f"config of {self.name} must be a class derived from"
                f" genimg.configuration.Configuration, not {shown(self.config)}"
            )
        require_function(f"build of {self.name}", self.build)
        require_one_of(f"task of {self.name}", self.task, tuple(TASKS))
        require_one_of(f"use of {self.name}", self.use, tuple(USES))
        self._check_settings()
        row = Kind(
            self.config, self.build, self.task, self.use, self.bytes_per_pixel, self.bfloat16
        )
        KINDS.check_free(self.name, row)
        self._check_presets(row)
        KINDS.add(self.name, row)
        for name, preset in self.presets.items():
            PRESETS.add(name, preset)

    def _check_settings(self) -> None:
        if not dataclasses.is_dataclass(self.config):
            raise ValueError(f"config of {self.name} must be a frozen dataclass")
        settings = dataclasses.fields(self.config)
        known = {setting.name for setting in settings}
        for needed in _NEEDED.get(self.task, _NEEDED_OF_OTHERS):
            if needed not in known:
                raise ValueError(f"config of {self.name} lacks the setting {needed!r}")
        others = {part.name for kept in (RunConfig, TASKS[self.task][1]) for part in _fields(kept)}
        hints = typing.get_type_hints(self.config)
        for setting in settings:
            if setting.name in _RESERVED | others:
                raise ValueError(
                    f"config of {self.name} has a setting {setting.name!r}, which means something"
                    " else already; give it another name"
                )
            if "help" not in setting.metadata:
                raise ValueError(
                    f"{setting.name} of {self.name} needs a description; declare it with"
                    " genimg.configuration.setting"
                )
            hint = hints[setting.name]
            if hint not in (int, float, bool, str) and typing.get_origin(hint) is not tuple:
                raise ValueError(
                    f"{setting.name} of {self.name} must be int, float, bool, str or a tuple of"
                    f" numbers, not {shown(hint)}"
                )

    def _check_presets(self, row: Kind) -> None:
        if not isinstance(self.presets, Mapping) or not self.presets:
            raise ValueError(f"{self.name} needs at least one preset, by name")
        for name, preset in self.presets.items():
            check_name("preset", name)
            if not isinstance(preset, Preset) or preset.kind != self.name:
                raise ValueError(f"preset {name} must be a genimg.Preset of the kind {self.name!r}")
            if not isinstance(preset.title, str) or not preset.title.strip():
                raise ValueError(f"preset {name} needs a title")
            try:
                settings_of(preset, row)
            except (ValueError, TypeError) as error:
                raise ValueError(f"preset {name}: {error}") from None
            PRESETS.check_free(name, preset)


@dataclass(frozen=True, kw_only=True, slots=True)
class DataSource(Description):
    """A data set that goes by a name.

    Attributes:
        name: of small letters, digits and single hyphens; checkpoints and runs keep it.
        title: for the lists of the page and the terminal.
        classes: the names of the classes, in the order of the labels.
        size: side of the square pictures, in pixels.
        channels: 1 (grey) or 3 (RGB).
        counts: pictures in each split, {"train": ..., "test": ...}.
        read: takes "train" or "test"; returns pictures, uint8 (N, channels, size, size), and
            labels, int64 (N,), as tensors or arrays; the same ones each time, in mixed order.
        license, homepage: for people to read.
        attribution: what must be said where pictures or models trained on them are published.
    """

    name: str
    title: str
    classes: tuple[str, ...]
    size: int
    channels: int
    counts: Mapping[str, int]
    read: Callable[[str], tuple[Any, Any]] = field(repr=False)
    license: str = "not stated"
    homepage: str = ""
    attribution: str = ""

    def register(self) -> None:
        """Enter the data set; ValueError says what is wrong."""
        check_name("data set", self.name)
        require_function(f"read of {self.name}", self.read)
        for text in ("title", "license", "homepage", "attribution"):
            value = getattr(self, text)
            if not isinstance(value, str) or not (value or text != "title"):
                raise ValueError(f"{text} of {self.name} must be a text, not {shown(value)}")
        classes = self.classes
        named = isinstance(classes, tuple) and all(isinstance(name, str) for name in classes)
        if not named or not classes or len(set(classes)) < len(classes):
            raise ValueError(
                f"classes of {self.name} must be different names, not {shown(classes)}"
            )
        if not _is_count(self.size):
            raise ValueError(f"size of {self.name} must be pixels, not {shown(self.size)}")
        if self.channels not in (1, 3):
            raise ValueError(f"channels of {self.name} must be 1 or 3, not {shown(self.channels)}")
        counts = self.counts
        if (
            not isinstance(counts, Mapping)
            or set(counts) != set(SPLITS)
            or not all(map(_is_count, counts.values()))
        ):
            raise ValueError(
                f"counts of {self.name} must be pictures in train and test, not {shown(counts)}"
            )
        values = {part.name: getattr(self, part.name) for part in _fields(type(self))}
        del values["name"]
        published().add(self.name, Facts(**values | {"counts": dict(counts)}))


def register_model(kind: ModelKind) -> None:
    """Enter a kind of model and its presets in this process; the same one again changes nothing.

    Jobs and further processes do not see it: for them, install it as a plug-in.

    Raises:
        ValueError: it is not complete, or a name is taken; the sentence says what to do.
    """
    if not isinstance(kind, ModelKind):
        raise ValueError(f"register_model needs a genimg.ModelKind, not {shown(kind)}")
    kind.register()


def register_dataset(source: DataSource) -> None:
    """Enter a data set in this process; the same one again changes nothing.

    Jobs and further processes do not see it: for them, install it as a plug-in.

    Raises:
        ValueError: it is not complete, or its name is taken; the sentence says what to do.
    """
    if not isinstance(source, DataSource):
        raise ValueError(f"register_dataset needs a genimg.DataSource, not {shown(source)}")
    source.register()


def check_name(what: str, name: Any) -> None:
    """Raise ValueError unless a name can be a word of a command and the name of a folder."""
    if not isinstance(name, str) or not _NAME.fullmatch(name) or len(name) > _LONGEST_NAME:
        raise ValueError(
            f"the name of a {what} must be small letters and digits with single hyphens between"
            f" them, {_LONGEST_NAME} at most, and begin with a letter, not {shown(name)}"
        )


def require_function(what: str, value: Any) -> None:
    """Raise ValueError unless `value` can be called."""
    if not callable(value):
        raise ValueError(f"{what} must be a function or a class, not {shown(value)}")


def _fields(described: type) -> tuple[dataclasses.Field, ...]:
    return dataclasses.fields(described)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
