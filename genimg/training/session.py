"""Training from Python or a terminal: ask for a run, and see it through in this process."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from genimg import data
from genimg.training.loop import Callback
from genimg.training.run_directory import RunDirectory
from genimg.training.spec import make_spec
from genimg.training.worker import StopSignal, train_run


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
    spec = make_spec(preset, channels=facts["channels"], classes=len(facts["classes"]), **settings)
    return RunDirectory.create(out, spec)


def train(
    preset: str,
    out: str | os.PathLike,
    *,
    callbacks: Sequence[Callback] = (),
    should_stop: StopSignal | None = None,
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
