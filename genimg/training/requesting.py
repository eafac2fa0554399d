"""Asking for a run: what is wrong with a request is said before anything is written."""

import os
from pathlib import Path
from typing import Any

from genimg import data
from genimg.checks import shown
from genimg.data.drawing import Names
from genimg.data.registry import published
from genimg.models.attribute_classifier import AttributeHead
from genimg.training import places
from genimg.training.beginning import extended, read_init, shape_of
from genimg.training.presets import PRESETS, make_spec, settings_of
from genimg.training.publishing import find_tokenizer
from genimg.training.requirements import Pictures, check, check_kind
from genimg.training.run_directory import RunDirectory
from genimg.training.spec import RunConfig, RunSpec


def request_run(
    preset: str, out: str | os.PathLike, *, processes: int = 1, **settings: Any
) -> RunDirectory:
    """Make the directory of a run of `preset`, or open it if the same was asked before.

    Args:
        processes: how many are to share each batch.
        settings: any field of the preset's configurations (`minutes`, `images`, `dataset`, `seed`,
            `batch_size`, `device`, `latent_dimensions`, ...).

    Raises:
        ValueError: as for `request_spec`, or `out` is taken.
        OSError: `out` cannot be written.
    """
    settings = places.whole_names(settings, Path(out).parent)
    spec = request_spec(preset, processes=processes, **settings)
    if spec.run.images and "minutes" in settings:
        raise ValueError("say how long by images or by minutes, not by both; leave out one of them")
    directory = RunDirectory(out)
    if (directory.path / "spec.json").exists() and not directory.read_spec().resolved:
        directory.write_spec(spec)  # it never started (a missing device, say): ask again freely
    return RunDirectory.create(out, spec)


def request_spec(preset: str, *, processes: int = 1, **settings: Any) -> RunSpec:
    """Return the request for a run of `preset` that fits its data set and its tokenizer, if any.

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
        raise ValueError("a run begins with other weights or extends a run; leave out one of them")
    if settings.get("extend"):
        settings = extended(preset, settings)
    kind, usual = "", RunConfig().dataset
    if preset in PRESETS:  # or else `make_spec` refuses it
        kind, usual = PRESETS[preset].kind, PRESETS[preset].run.get("dataset", usual)
    pictures = Pictures.described(data.describe(settings.get("dataset", usual)))
    if kind:
        check_kind(kind, pictures)
    if kind == "attribute-classifier":
        settings = {"attributes": _attributes_of(pictures.name)} | settings
    init = settings.get("init")
    if kind and init:
        known = {} if kind != "image-gpt" else {"tokenizer": init}  # it draws the tokens of that
        settings = shape_of(read_init(init, kind)) | known | settings
    if kind == "image-gpt":
        name = settings.get("tokenizer", settings_of(PRESETS[preset])["task"].tokenizer)
        config = find_tokenizer(name).config
        shape = {field: getattr(config, field) for field in ("size", "widths", "levels")}
        settings = shape | settings
    spec = make_spec(
        preset, data_channels=pictures.channels, data_classes=pictures.classes, **settings
    )
    check(spec, pictures, processes)
    usual = settings_of(PRESETS[preset])["run"].patience
    if spec.kind != "image-gpt" and spec.run.patience != usual:
        raise ValueError("patience would change nothing: only image GPTs have it; leave it out")
    return spec


def _attributes_of(dataset: str) -> tuple[str, ...]:
    """Return the attributes of a data set as an `AttributeClassifierConfig` holds them."""
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
    return tuple(map(str, heads))
