"""What a run begins with: random weights, those of a model, or the end of another run.

Fine-tuning (`init`) takes weights and nothing else: the schedule, the averages and the optimizers
begin anew. Extending (`extend`) goes on with all that a finished run has, its optimizers and its
count of pictures included, by the same settings, to a later end; the learning rates follow the
schedule of the longer run, so where they had fallen they rise again.

Either is read only once: what the run takes goes into its own first checkpoint, and from there it
resumes like any other.
"""

from pathlib import Path
from typing import Any

from torch import nn

from genimg.checkpoints import Checkpoint
from genimg.models.blueprint import blueprint
from genimg.storage import read_json
from genimg.training import run_checkpoints
from genimg.training.publishing import read_model
from genimg.training.run_directory import RunDirectory
from genimg.training.spec import RunSpec

# What follows from the pictures, and not from the model that a run begins with.
_OF_PICTURES = ("channels", "classes")
# What may differ from the run that is extended: none of it changes what is learned in which step.
_OPEN = {
    *("images", "extend", "device", "precision", "threads"),
    *("checkpoint_seconds", "sheets", "patience"),
}


def read_init(name: str, kind: str) -> Checkpoint:
    """Return the model that a run of `kind` is to begin with.

    Raises:
        ValueError: there is none, or it is of another kind.
    """
    checkpoint = read_model(name)
    if checkpoint.kind != kind:
        raise ValueError(
            f"{name} is of the kind {checkpoint.kind} and this run trains a model of the kind"
            f" {kind}, so it cannot begin with that; choose another preset or another init"
        )
    return checkpoint


def shape_of(checkpoint: Checkpoint) -> dict[str, Any]:
    """Return the settings by which a new model has the shape of another one."""
    values = checkpoint.config.to_dict()
    return {name: value for name, value in values.items() if name not in _OF_PICTURES}


def check_init(spec: RunSpec) -> None:
    """Refuse a run that could not begin with the weights of its `init`.

    Raises:
        ValueError: the sentence names what differs.
    """
    checkpoint = read_init(spec.run.init, spec.kind)
    theirs, mine = _shapes(checkpoint.model), _shapes(blueprint(spec.kind, spec.model))
    mine = {name: mine[name] for name in mine if name in theirs or not _is_optional(name)}
    if theirs == mine:
        return
    there, here = checkpoint.config.to_dict(), spec.model.to_dict()
    different = [
        f"{name} is {there.get(name)} there and {here[name]} here"
        for name in here
        if there.get(name) != here[name]
    ]
    if not different:  # of another version
        unequal = sorted(n for n in theirs | mine if theirs.get(n) != mine.get(n))
        different = [f"{unequal[0]} is {theirs.get(unequal[0])} there"]
    raise ValueError(
        f"the weights of {spec.run.init} do not fit this run: {', '.join(different)}; ask for a"
        " model of the same shape, or leave init out"
    )


def _shapes(model: nn.Module) -> dict[str, list[int]]:
    return {name: list(tensor.shape) for name, tensor in model.state_dict().items()}


def _is_optional(name: str) -> bool:
    return name.startswith("discriminator.")  # a checkpoint may be without it


def extended(preset: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Return all settings of the run that goes on with the run `settings["extend"]`.

    Args:
        preset: that of the other run.
        settings: what was asked for; "images" is the new end.

    Raises:
        ValueError: there is no such run, it has not finished or is no shorter, or a setting differs
            from its own.
    """
    name = settings["extend"]
    directory, spec = RunDirectory(name), _read_spec(name)
    if directory.newest_status().get("state") != "succeeded":
        raise ValueError(f"the run in {name} has not finished, so it cannot be extended; resume it")
    if preset != spec.preset:
        raise ValueError(f"the run in {name} is of the preset {spec.preset}, not {preset}")
    own = spec.model.to_dict() | spec.task.to_dict() | spec.run.to_dict()
    own |= {"init": "", "minutes": type(spec.run)().minutes}
    for setting, value in settings.items():
        if setting not in _OPEN and setting in own and not _same(value, own[setting]):
            raise ValueError(
                f"a run is extended with its own settings, and {setting} is {own[setting]!r} in"
                f" {name}; leave {setting} out, or begin a new run with init"
            )
    seen = read_json(read_end(name) / "state.json")["images_seen"]
    images = settings.get("images", 0)
    if not isinstance(images, int) or isinstance(images, bool) or images <= seen:
        raise ValueError(
            f"the run in {name} has seen {seen} images; ask for more than that by images"
        )
    return own | settings


def preset_of(run: str) -> str:
    """Return the preset of a run that is extended; ValueError if there is no run."""
    return _read_spec(run).preset


def _read_spec(run: str) -> RunSpec:
    try:
        return RunDirectory(run).read_spec()
    except (OSError, ValueError):
        raise ValueError(
            f"there is no run in {run} to extend; give the folder of a finished run"
        ) from None


def _same(value: Any, own: Any) -> bool:
    return (list(value) if isinstance(value, tuple) else value) == own


def read_end(run: str) -> Path:
    """Return the last checkpoint of a run that is extended.

    Raises:
        ValueError: there is none, or it is damaged.
    """
    newest = run_checkpoints.latest(RunDirectory(run).checkpoints)
    if newest is None or not run_checkpoints.is_valid(newest, thorough=True):
        raise ValueError(f"the run in {run} has no whole checkpoint, so it cannot be extended")
    return newest
