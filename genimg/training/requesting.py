"""Asking for a run: what is wrong with a request is said before anything is written."""

import os
from pathlib import Path
from typing import Any

from genimg import data
from genimg.checks import shown
from genimg.data import Dataset
from genimg.data.drawing import Names
from genimg.data.registry import published
from genimg.models.attribute_classifier import AttributeHead
from genimg.training import places
from genimg.training.beginning import extended, read_init, shape_of
from genimg.training.presets import PRESETS, make_spec, preset_named, settings_of
from genimg.training.publishing import find_tokenizer
from genimg.training.requirements import Pictures, check, check_kind
from genimg.training.run_directory import RunDirectory
from genimg.training.spec import RunSpec, task_of
from genimg.wording import Wording


def request_run(
    preset: str,
    out: str | os.PathLike,
    *,
    processes: int = 1,
    given: Dataset | None = None,
    **settings: Any,
) -> RunDirectory:
    """Make the folder of a run of `preset`, or open it if the same was asked for before.

    Args:
        processes: how many are to share each batch.
        given: the pictures, of `genimg.data.given_dataset`; else `dataset` names them.
        settings: any field of the preset's configurations (`minutes`, `images`, `dataset`, `seed`,
            `batch_size`, `device`, `latent_dimensions`, ...).

    Raises:
        ValueError: as for `request_spec`, or `out` is taken.
        OSError: `out` cannot be written.
    """
    settings = places.whole_names(settings, Path(out).parent)
    spec = request_spec(preset, processes=processes, given=given, **settings)
    if spec.run.images and "minutes" in settings:
        raise ValueError(
            Wording(
                "request.both_lengths",
                "say how long by images or by minutes, not by both; leave out one of them",
            )
        )
    directory = RunDirectory(out)
    if (directory.path / "spec.json").exists() and not directory.read_spec().resolved:
        directory.write_spec(spec)  # it never started (a missing device, say): ask again freely
    elif given is not None and (directory.path / "spec.json").exists():
        _check_same(directory, given)
    return RunDirectory.create(out, spec)


def _check_same(directory: RunDirectory, given: Dataset) -> None:
    """Raise ValueError if a run that has started learns from other pictures than those given."""
    known = directory.read_spec()
    if known.run.dataset != given.name:
        began = known.resolved["dataset_source"]
        raise ValueError(
            f"the run in {directory.path} learns from {began}, and {given.source} is something"
            " else; give it the same pictures again, or choose another folder"
        )


def request_spec(
    preset: str, *, processes: int = 1, given: Dataset | None = None, **settings: Any
) -> RunSpec:
    """Return the request for a run of `preset` that fits its data set and its tokenizer, if any.

    Args:
        processes, given, settings: as for `request_run`.

    Raises:
        ValueError: a setting is wrong, or the run could not start; see
            `genimg.training.requirements.check`.
    """
    if not isinstance(preset, str):
        raise ValueError(f"preset must be a name, one of {', '.join(PRESETS)}, not {shown(preset)}")
    for name in ("init", "extend"):
        if not isinstance(settings.get(name, ""), str):
            raise ValueError(f"{name} must be the name of a model, not {shown(settings[name])}")
    if settings.get("init") and settings.get("extend"):
        raise ValueError(
            "a run begins with a model (init) or extends a run (extend); leave out one of them"
        )
    if given is not None:
        settings = settings | {"dataset": given.name}
    if settings.get("extend"):
        settings = extended(preset, settings)
    recipe = preset_named(preset)
    task = task_of(recipe.kind)
    usual: dict[str, Any] = {}
    for section in settings_of(recipe).values():
        usual |= section.to_dict()
    if given is None:
        facts = data.describe(settings.get("dataset", usual["dataset"]))
        pictures = Pictures.described(facts)
    else:
        pictures = Pictures.loaded(given)
    check_kind(recipe.kind, pictures)
    if task.learns_attributes:
        heads = _attributes_of(pictures.name) if given is None else _heads(given)
        settings = {"attributes": tuple(map(str, heads))} | settings
    if init := settings.get("init"):
        known = {"tokenizer": init} if task.needs_tokenizer else {}  # it draws the tokens of that
        settings = shape_of(read_init(init, recipe.kind)) | known | settings
    if task.needs_tokenizer:
        name = settings.get("tokenizer", usual["tokenizer"])
        config = find_tokenizer(name).config
        shape = {field: getattr(config, field) for field in ("size", "widths", "levels")}
        settings = shape | settings
    spec = make_spec(
        preset, data_channels=pictures.channels, data_classes=pictures.classes, **settings
    )
    check(spec, pictures, processes)
    if not task.validates and spec.run.patience != usual["patience"]:
        raise ValueError(
            Wording(
                "request.no_patience",
                "patience would change nothing: only image GPTs and MaskGITs have it; leave it out",
            )
        )
    return spec


def _heads(dataset: Dataset) -> list[AttributeHead]:
    """Return what there is to learn of the attributes of pictures that were given."""
    if not dataset.attributes:
        raise ValueError("these pictures have no named attributes to learn; give some that have")
    return [
        AttributeHead(name, tuple(attribute.values), attribute.cyclic)
        for name, attribute in dataset.attributes.items()
    ]


def _attributes_of(dataset: str) -> list[AttributeHead]:
    """Return what there is to learn of the attributes of a data set that goes by its name."""
    designs = {name: facts.design for name, facts in published().items() if facts.design}
    if dataset not in designs:
        raise ValueError(
            f"{dataset} has no named attributes to learn; choose one of {', '.join(designs)}"
        )
    heads = []
    for name, attribute in designs[dataset].attributes.items():
        if isinstance(attribute, Names):
            heads.append(AttributeHead(name, attribute.values))
        else:
            heads.append(AttributeHead(name, cyclic=attribute.cyclic))
    return heads
