"""Training from Python or a terminal: ask for a run, and see it through in this process."""

import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from genimg import data
from genimg.data.file_names import shown_name
from genimg.training.loop import Callback, Trainer
from genimg.training.prior import PriorTrainingConfig, find_tokenizer
from genimg.training.run_directory import RunDirectory
from genimg.training.spec import PRESETS, RunSpec, make_spec

_PATIENCE_SECONDS = 10.0
_log = logging.getLogger(__name__)


def request_run(preset: str, out: str | os.PathLike, **settings: Any) -> RunDirectory:
    """Make the directory of a run of `preset`, or open it if the same was asked before.

    Args:
        settings: any field of the preset's configurations (`minutes`, `images`, `dataset`, `seed`,
            `batch_size`, `device`, `latent_dimensions`, ...).

    Raises:
        ValueError: the sentence says which setting is wrong, or that `out` is taken.
        OSError: `out` cannot be written.
    """
    spec = request_spec(preset, **settings)
    directory = RunDirectory(out)
    if (directory.path / "spec.json").exists() and not directory.read_spec().resolved:
        directory.write_spec(spec)  # it never started (a missing device, say): ask again freely
    return RunDirectory.create(out, spec)


def request_spec(preset: str, **settings: Any) -> RunSpec:
    """Return the request for a run of `preset` that fits its data set and its tokenizer, if any.

    Raises:
        ValueError: the sentence says which setting is wrong.
    """
    facts = data.describe(settings.get("dataset", "fashion-mnist"))
    if preset in PRESETS and PRESETS[preset].kind == "image-gpt":
        name = settings.get("tokenizer", PriorTrainingConfig().tokenizer)
        config = find_tokenizer(name).config
        shape = {field: getattr(config, field) for field in ("size", "widths", "levels")}
        settings = shape | settings
    return make_spec(
        preset,
        data_channels=facts["channels"],
        data_classes=len(facts["classes"]),
        **settings,
    )


def train_run(
    path: str | os.PathLike,
    *,
    attempt: int | None = None,
    callbacks: Sequence[Callback] = (),
    should_stop: Callable[[], bool] = lambda: False,
) -> str:
    """Train the run at `path` from its last checkpoint; return how it ended.

    Args:
        attempt: number of this attempt, which a job's worker is told; None is the next one.

    Raises:
        ValueError: the run, its data or its device cannot be used, somebody trains it already, or
            a newer attempt has replaced this one.
        Diverged, OSError: as for `Trainer.run`.
    """
    directory = RunDirectory(path)
    try:
        spec = directory.read_spec()
    except FileNotFoundError:
        raise ValueError(f"{path} holds no run") from None
    # A job's worker waits for the one that it replaces, which ends as soon as it looks around.
    if not directory.lease.acquire(patience=0.0 if attempt is None else _PATIENCE_SECONDS):
        raise ValueError(f"{path} is being trained by another process; wait, or stop that one")
    try:
        if attempt is not None and max(directory.attempt_numbers(), default=0) > attempt:
            raise ValueError(f"a newer attempt at {path} has replaced attempt {attempt}")
        size = spec.model.to_dict()["size"]
        dataset = data.load(spec.run.dataset, size=size, split="train")
        if dataset.skipped:
            file, reason = dataset.skipped[0]
            _log.warning(
                "%d files skipped; first: %s: %s", len(dataset.skipped), shown_name(file), reason
            )
        trainer = Trainer(
            directory,
            directory.new_attempt(attempt),
            dataset,
            callbacks=callbacks,
            should_stop=should_stop,
        )
        return trainer.run()
    finally:
        directory.lease.release()


def train(
    preset: str,
    out: str | os.PathLike,
    *,
    callbacks: Sequence[Callback] = (),
    should_stop: Callable[[], bool] = lambda: False,
    **settings: Any,
) -> Path:
    """Train `preset` in this process and return the run's directory, for `genimg.load`.

    Calling it again with the same arguments resumes a run that was interrupted; calling it when the
    run is complete does nothing.

    Args:
        callbacks: called now and then with a dictionary of numbers.
        settings: as for `request_run`, for example `minutes=10`.

    Raises:
        ValueError, OSError: as for `request_run`.
        genimg.training.task.Diverged: training diverged twice.
    """
    directory = request_run(preset, out, **settings)
    train_run(directory.path, callbacks=callbacks, should_stop=should_stop)
    return directory.path
