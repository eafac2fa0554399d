"""What a run needs, checked in one place, before it starts.

The page, `jobs start`, `train` and the worker ask the same function, so nobody waits in a queue
only to be refused.
"""

import os
from dataclasses import fields
from importlib.util import find_spec
from typing import Any, NamedTuple, Self

import torch

from genimg.configuration import setting_name
from genimg.data import MEMORY_PREFIX, SIZES, Dataset
from genimg.data.registry import published
from genimg.devices import choose_device
from genimg.models import KINDS
from genimg.training.beginning import check_init
from genimg.training.presets import tokenizer_preset
from genimg.training.publishing import find_tokenizer
from genimg.training.spec import RunConfig, RunSpec, task_of
from genimg.wording import Wording

_COLOURS = {1: Wording("needs.grey", "grey"), 3: Wording("needs.colour", "colour")}


class TokenizerNeeded(ValueError):
    """The tokenizer cannot read these pictures: one has to be trained on them first."""


class Pictures(NamedTuple):
    """What a run has to know of its data set before it starts."""

    name: str
    channels: int
    classes: int
    images: int | None
    """How many there are to learn from; None where only a download would tell."""
    sizes: tuple[int, ...] = SIZES
    """Heights and widths, in pixels, at which they can be loaded."""

    @classmethod
    def described(cls, facts: dict[str, Any]) -> Self:
        """Return what `genimg.data.describe` says of a data set."""
        images = facts["images"] and facts["images"]["train"]
        return cls(facts["name"], facts["channels"], len(facts["classes"]), images)

    @classmethod
    def loaded(cls, dataset: Dataset) -> Self:
        """Return the same of pictures that are loaded, or given in Python and not fitted yet."""
        fitted = dataset.size in SIZES or dataset.name.startswith(MEMORY_PREFIX)
        sizes = SIZES if fitted else (dataset.size,)
        return cls(dataset.name, dataset.channels, len(dataset.classes), len(dataset), sizes)


def check(spec: RunSpec, pictures: Pictures, processes: int = 1) -> None:
    """Refuse a run that could not start, or could not learn anything.

    Args:
        spec: the request.
        pictures: those of its data set.
        processes: how many are to share each batch.

    Raises:
        TokenizerNeeded: an image GPT's tokenizer is made for other pictures.
        ValueError: something else is missing or does not fit; the sentence says what to do.
    """
    values = spec.model.to_dict()
    check_kind(spec.kind, pictures)
    _check_size(values["size"], pictures.sizes)
    if task_of(spec.kind).needs_tokenizer:
        _check_tokenizer(spec, pictures)
    if values["channels"] != pictures.channels:
        raise ValueError(
            Wording(
                "needs.channels",
                "the model has {has} colour channels and these pictures have {wanted};"
                " leave out channels, or set it to {wanted}",
                has=values["channels"],
                wanted=pictures.channels,
            )
        )
    _check_classes(values.get("classes", 0), pictures)
    if spec.run.validations:
        _check_validations(spec, pictures)
    if pictures.name == "svhn" and find_spec("scipy") is None:
        raise ValueError(
            Wording("needs.scipy", "svhn needs SciPy to be read; run: pip install scipy")
        )
    if spec.run.init:
        check_init(spec)
    elif spec.task.to_dict().get("trained") == "decoder" and not spec.run.extend:
        raise ValueError(
            Wording(
                "needs.trained_decoder",
                "the decoder alone can learn only after a tokenizer that is trained:"
                " name one in init, or set trained to all",
            )
        )
    choose_device(spec.run.device)
    if processes > 1:
        check_processes(spec.run, processes)
        check_shared(spec)


def _check_size(size: int, sizes: tuple[int, ...]) -> None:
    if size not in sizes:
        *others, last = map(str, sizes)
        known: str = last
        if others:
            known = Wording("check.or", "{one} or {other}", one=", ".join(others), other=last)
        raise ValueError(
            Wording(
                "needs.size",
                "no data set is loaded at {size} pixels; set size to {known}",
                size=size,
                known=known,
            )
        )


def _check_tokenizer(spec: RunSpec, pictures: Pictures) -> None:
    model: Any = spec.model  # of a class that has `tokenizer_config`, as `DrawerConfig` has
    name, wanted = spec.task.to_dict()["tokenizer"], model.tokenizer_config()
    trained = find_tokenizer(name).config
    if trained.channels != pictures.channels:
        problem = tokenizer_problem(name, trained.channels, pictures.channels)
        raise TokenizerNeeded(
            Wording(
                "needs.tokenizer",
                "{problem}; train a tokenizer on these pictures first (preset {preset}, the same"
                " data set), and give its run as tokenizer",
                problem=problem, preset=tokenizer_preset(pictures.channels),
            )
        )  # fmt: skip
    for field in fields(wanted):
        theirs, mine = getattr(trained, field.name), getattr(wanted, field.name)
        if theirs != mine:
            raise ValueError(
                Wording(
                    "needs.tokenizer_setting",
                    "the tokenizer {tokenizer} has {field} {theirs}, but the model was"
                    " asked for with {mine}; set {field} to {theirs}, or choose another"
                    " tokenizer",
                    tokenizer=name,
                    field=setting_name(field.name),
                    theirs=str(theirs),
                    mine=str(mine),
                )
            )


def tokenizer_problem(tokenizer: str, reads: int, wanted: int) -> Wording:
    """Return why a tokenizer cannot read pictures.

    Args:
        tokenizer: what it is called.
        reads, wanted: channels that it reads, and those of the pictures.
    """
    return Wording(
        "needs.other_colours",
        "the tokenizer {tokenizer} reads {theirs} pictures and these are {ours} ones",
        tokenizer=tokenizer, theirs=_COLOURS[reads], ours=_COLOURS[wanted],
    )  # fmt: skip


def check_kind(kind: str, pictures: Pictures) -> None:
    """Refuse pictures of which no model of `kind` can learn, whatever its settings.

    A classifier of one class has no settings that are in range, so this comes before there is a
    request.

    Raises:
        ValueError: the sentence says what to do.
    """
    if pictures.classes < task_of(kind).least_classes:
        raise ValueError(
            Wording(
                "needs.two_classes",
                "these pictures are all of one class, so there is nothing to tell"
                " apart; put them in a folder for each class, or train another kind of"
                " model",
            )
        )


def _check_classes(classes: int, pictures: Pictures) -> None:
    if classes and classes < pictures.classes:
        raise ValueError(
            Wording(
                "needs.classes",
                "the model has {has} classes and these pictures have {wanted}; leave"
                " out classes, or set it to {wanted}",
                has=classes,
                wanted=pictures.classes,
            )
        )


def _check_validations(spec: RunSpec, pictures: Pictures) -> None:
    if not task_of(spec.kind).validates:
        raise ValueError(
            Wording(
                "needs.no_validation",
                "the training of {kind} does not validate; set validations to 0",
                kind=spec.kind,
            )
        )
    if pictures.images is not None and pictures.images < 2:
        raise ValueError(
            Wording(
                "needs.more_pictures",
                "there are too few pictures ({count}): there would be none to validate"
                " with; give more, or set validations to 0",
                count=pictures.images,
            )
        )


def check_shared(spec: RunSpec) -> None:
    """Raise ValueError, which says what to do, if other processes lack the model or the pictures.

    They have what is installed, and not what was registered or given in this one.
    """
    if spec.run.dataset.startswith(MEMORY_PREFIX):
        raise ValueError(
            "pictures that are given in Python are in this process alone; train with one process"
        )
    for table, name in ((KINDS, spec.kind), (published(), spec.run.dataset)):
        if name in table and not table.is_everywhere(name):
            raise ValueError(
                f"{name} is registered in this process alone, and others would not know it; train"
                " with genimg.train in one process, or install it as a plug-in (see"
                " docs/extending.md)"
            )


def check_processes(run: RunConfig, processes: int) -> None:
    """Raise ValueError, which says what to do, if `processes` cannot share the run."""
    if run.batch_size % processes:
        raise ValueError(
            f"batch_size {run.batch_size} cannot be shared equally by {processes} processes;"
            f" choose a multiple of {processes}"
        )
    gpus = torch.cuda.device_count()
    here = int(os.environ.get("LOCAL_WORLD_SIZE", processes))  # torchrun may have several machines
    if run.device == "cuda" or (run.device == "auto" and gpus):
        if gpus < here:
            raise ValueError(
                f"{here} processes need {here} CUDA devices and this machine has {gpus};"
                " ask for fewer, or for the device cpu"
            )
    elif (device := choose_device(run.device)).type != "cpu":
        raise ValueError(f"several processes need the device cpu or cuda, not {device}")
