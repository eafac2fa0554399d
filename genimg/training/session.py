"""Training from Python or a terminal: ask for a run, and see it through in this process."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from genimg import data
from genimg.training.loop import Callback, Trainer
from genimg.training.run_directory import RunDirectory
from genimg.training.spec import make_spec


def request_run(preset: str, out: str | os.PathLike, **settings: Any) -> RunDirectory:
    """Make the directory of a run of `preset`, or open it if the same was asked before.

    Args:
        settings: any field of the preset's configurations (`minutes`, `images`, `dataset`, `seed`,
            `batch_size`, `device`, `latent_dimensions`, ...).

    Raises:
        ValueError: the sentence says which setting is wrong, or that `out` is taken.
        OSError: `out` cannot be written.
    """
    facts = data.describe(settings.get("dataset", "fashion-mnist"))
    spec = make_spec(
        preset,
        data_channels=facts["channels"],
        data_classes=len(facts["classes"]),
        **settings,
    )
    directory = RunDirectory(out)
    if (directory.path / "spec.json").exists() and not directory.read_spec().resolved:
        directory.write_spec(spec)  # it never started (a missing device, say): ask again freely
    return RunDirectory.create(out, spec)


def train_run(
    path: str | os.PathLike,
    *,
    attempt: int | None = None,
    callbacks: Sequence[Callback] = (),
    should_stop: Callable[[], bool] = lambda: False,
) -> str:
    """Train the run at `path` from its last checkpoint; return how it ended.

    Raises:
        ValueError: the run, its data or its device cannot be used, or somebody trains it already.
        Diverged, OSError: as for `Trainer.run`.
    """
    directory = RunDirectory(path)
    try:
        spec = directory.read_spec()
    except FileNotFoundError:
        raise ValueError(f"{path} holds no run") from None
    if not directory.lease.acquire():
        raise ValueError(f"{path} is being trained by another process; wait, or stop that one")
    try:
        size = spec.model.to_dict()["size"]
        dataset = data.load(spec.run.dataset, size=size, split="train")
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
