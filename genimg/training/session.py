"""Training from Python or a terminal: ask for a run, and see it through in this process."""

import logging
import os
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from genimg import data
from genimg.data import FOLDER_PREFIX, Dataset
from genimg.data.drawing import Names
from genimg.data.file_names import shown_name
from genimg.data.registry import published
from genimg.models.attribute_classifier import AttributeHead
from genimg.render.images import require_whole_number, shown
from genimg.training import places
from genimg.training.distributed import joined, together
from genimg.training.learner import Follower
from genimg.training.loop import Callback, Trainer, resolved_spec
from genimg.training.prior import PriorTrainingConfig
from genimg.training.publishing import find_tokenizer
from genimg.training.requirements import Pictures, check, check_kind, check_processes
from genimg.training.run_directory import RunDirectory
from genimg.training.spec import PRESETS, RunConfig, RunSpec, make_spec, settings_of

_PATIENCE_SECONDS = 10.0
_log = logging.getLogger(__name__)


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
    kind, usual = "", RunConfig().dataset
    if preset in PRESETS:  # or else `make_spec` refuses it
        kind, usual = PRESETS[preset].kind, PRESETS[preset].run.get("dataset", usual)
    pictures = Pictures.described(data.describe(settings.get("dataset", usual)))
    if kind:
        check_kind(kind, pictures)
    if kind == "attribute-classifier":
        settings = {"attributes": _attributes_of(pictures.name)} | settings
    if kind == "image-gpt":
        name = settings.get("tokenizer", PriorTrainingConfig().tokenizer)
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


def train_run(
    path: str | os.PathLike,
    *,
    attempt: int | None = None,
    callbacks: Sequence[Callback] = (),
    should_stop: Callable[[], bool] = lambda: False,
    processes: int = 1,
) -> str:
    """Train the run at `path` from its last checkpoint; return how it ended.

    Args:
        attempt: number of this attempt, which a job's worker is told; None is the next one.
        processes: how many share each batch and the threads, or take a GPU each.

    Raises:
        ValueError: the run, its data or its device cannot be used, somebody trains it already, or
            a newer attempt has replaced this one.
        Diverged, OSError, LostProcess: as for `Trainer.run`.
    """
    directory, spec = _open(path)
    if processes > 1:
        check_processes(spec.run, processes)
    # A job's worker waits for the one that it replaces, which ends as soon as it looks around.
    # And a server that watches the run of a terminal holds its lease for an instant.
    if not directory.lease.acquire(patience=1.0 if attempt is None else _PATIENCE_SECONDS):
        raise ValueError(f"{path} is being trained by another process; wait, or stop that one")
    try:
        if attempt is not None and max(directory.attempt_numbers(), default=0) > attempt:
            raise ValueError(f"a newer attempt at {path} has replaced attempt {attempt}")
        dataset = _training_set(directory, spec)
        if dataset.skipped:
            file, reason = dataset.skipped[0]
            _log.warning(
                "%d files skipped; first: %s: %s", len(dataset.skipped), shown_name(file), reason
            )
        if processes > 1:
            resolved_spec(directory, dataset)  # now: the others would disturb its measurements
        with together(directory.path, processes) as group:
            trainer = Trainer(
                directory,
                directory.new_attempt(attempt),
                dataset,
                callbacks=callbacks,
                should_stop=should_stop,
                group=group,
            )
            return trainer.run()
    finally:
        directory.lease.release()


def follow_run(
    path: str | os.PathLike, *, when_joined: Callable[[], object] = lambda: None
) -> None:
    """Take part in training the run at `path`, which the first of its processes leads.

    Args:
        when_joined: called once the others are there.

    Raises:
        ValueError: the run or its data cannot be used.
        LostProcess: another process of the run has ended.
    """
    directory, spec = _open(path)
    dataset = _training_set(directory, spec)
    with joined() as group:  # from here on the specification is resolved
        when_joined()
        Follower(directory.checkpoints, directory.read_spec(), dataset, group).run()


def _open(path: str | os.PathLike) -> tuple[RunDirectory, RunSpec]:
    directory = RunDirectory(path)
    try:
        return directory, directory.read_spec()
    except FileNotFoundError:
        raise ValueError(f"{path} holds no run") from None


def _training_set(directory: RunDirectory, spec: RunSpec) -> Dataset:
    folder = spec.run.dataset.removeprefix(FOLDER_PREFIX)
    if folder != spec.run.dataset and not os.path.isdir(folder):
        raise ValueError(
            f"the pictures of this run are not in {folder} any more; put them back, or say where"
            f" they are now: python -m genimg data locate {shlex.quote(spec.run.dataset)} PATH"
            f" --runs {shlex.quote(str(directory.path.parent))}"
        )
    return data.load(spec.run.dataset, size=spec.model.to_dict()["size"], split="train")


def train(
    preset: str,
    out: str | os.PathLike,
    *,
    callbacks: Sequence[Callback] = (),
    should_stop: Callable[[], bool] = lambda: False,
    processes: int = 1,
    **settings: Any,
) -> Path:
    """Train `preset` in this process and return the run's directory, for `genimg.load`.

    Calling it again with the same arguments resumes a run that was interrupted; calling it when the
    run is complete does nothing.

    Args:
        callbacks: called now and then with a dictionary of numbers; `[print]` shows them, and
            without one nothing is printed.
        processes: how many share each batch; all but this one are started and ended here.
        settings: as for `request_run`, for example `minutes=10`.

    Raises:
        ValueError, OSError: as for `request_run`.
        genimg.training.task.Diverged: training diverged twice.
        genimg.training.distributed.LostProcess: another process of the run has ended.
    """
    if not isinstance(out, (str, os.PathLike)) or not str(out) or "\0" in str(out):
        raise ValueError(f"out must be the path of a folder, not {shown(out)}")
    if not callable(should_stop) or not all(map(callable, callbacks)):
        raise ValueError("callbacks must be a list of functions, and should_stop a function")
    require_whole_number("processes", processes, 1, 64)
    directory = request_run(preset, out, processes=processes, **settings)
    train_run(directory.path, callbacks=callbacks, should_stop=should_stop, processes=processes)
    return directory.path
