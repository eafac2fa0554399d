"""Training from Python or a terminal: a run is asked for, and seen through in this process."""

import logging
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from genimg import data
from genimg.checks import require_whole_number, shown
from genimg.data import FOLDER_PREFIX, MEMORY_PREFIX, Dataset
from genimg.data.file_names import shown_name
from genimg.data.fit import fit
from genimg.training.distributed import joined, together
from genimg.training.in_process import Interruption, undisturbed
from genimg.training.learner import Follower
from genimg.training.loop import Trainer, resolved_spec
from genimg.training.progress import Progress
from genimg.training.reporting import Callback
from genimg.training.requesting import request_run
from genimg.training.requirements import check_processes, check_shared
from genimg.training.run_directory import RunDirectory
from genimg.training.spec import RunSpec

_PATIENCE_SECONDS = 10.0
_log = logging.getLogger(__name__)


def train_run(
    path: str | os.PathLike,
    *,
    attempt: int | None = None,
    callbacks: Sequence[Callback] = (),
    should_stop: Callable[[], bool] = lambda: False,
    processes: int = 1,
    given: Dataset | None = None,
) -> str:
    """Train the run at `path` from its last checkpoint; return how it ended.

    Args:
        given: the pictures of a run that learns from some that were given in Python.
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
        check_shared(spec)
    # A job's worker waits for the one that it replaces, which ends as soon as it looks around.
    # And a server that watches the run of a terminal holds its lease for an instant.
    if not directory.lease.acquire(patience=1.0 if attempt is None else _PATIENCE_SECONDS):
        raise ValueError(f"{path} is being trained by another process; wait, or stop that one")
    try:
        if attempt is not None and directory.newest_attempt() > attempt:
            raise ValueError(f"a newer attempt at {path} has replaced attempt {attempt}")
        dataset = _training_set(directory, spec, given)
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


def _training_set(directory: RunDirectory, spec: RunSpec, given: Dataset | None = None) -> Dataset:
    size = spec.model.to_dict()["size"]
    if spec.run.dataset.startswith(MEMORY_PREFIX):
        if given is None:
            began = spec.resolved.get("dataset_source", spec.run.dataset)
            raise ValueError(
                f"this run learns from {began}, which only Python has; to go on, give the same"
                f" pictures again: genimg.train({spec.preset!r}, out={str(directory.path)!r},"
                " dataset=...)"
            )
        return replace(given, images=fit(given.images, size))
    folder = spec.run.dataset.removeprefix(FOLDER_PREFIX)
    if folder != spec.run.dataset and not os.path.isdir(folder):
        raise ValueError(
            f"the pictures of this run are not in {folder} any more; put them back, or say where"
            f" they are now: python -m genimg data locate {shlex.quote(spec.run.dataset)} PATH"
            f" --runs {shlex.quote(str(directory.path.parent))}"
        )
    return data.load(spec.run.dataset, size=size, split="train")


def train(
    preset: str,
    out: str | os.PathLike,
    *,
    callbacks: Sequence[Callback] = (),
    should_stop: Callable[[], bool] = lambda: False,
    processes: int = 1,
    progress: bool = True,
    **settings: Any,
) -> Path:
    """Train `preset` in this process and return the run's folder, for `genimg.load`.

    Calling it again with the same arguments resumes a run that was interrupted; once the run is
    complete, that does nothing. Ctrl-C saves before it interrupts. The global random numbers and
    the number of threads of this process are afterwards what they were before.

    Args:
        callbacks: called now and then with a dictionary of numbers, which can also be asked for the
            model, its average and a sample sheet; see `genimg.training.reporting.Report`.
        should_stop: asked after each step; a true answer saves and returns.
        processes: how many share each batch; all but this one are started and ended here.
        progress: show how far it is on standard error.
        settings: as for `request_run`, for example `minutes=10`. `dataset` may be the name of a
            data set, or the pictures themselves: see `genimg.data.given_dataset`. To go on with
            such a run, give the same pictures again.

    Raises:
        ValueError, OSError: as for `request_run`.
        KeyboardInterrupt: Ctrl-C was pressed, or a callback raised it; the run is saved.
        genimg.training.task.Diverged: training diverged twice.
        genimg.training.distributed.LostProcess: another process of the run has ended.
    """
    if not isinstance(out, (str, os.PathLike)) or not str(out) or "\0" in str(out):
        raise ValueError(f"out must be the path of a folder, not {shown(out)}")
    if not callable(should_stop) or not all(map(callable, callbacks)):
        raise ValueError("callbacks must be a list of functions, and should_stop a function")
    require_whole_number("processes", processes, 1, 64)
    if not isinstance(progress, bool):
        raise ValueError(f"progress must be True or False, not {shown(progress)}")
    line = Progress(sys.stderr) if progress else None
    with undisturbed(), Interruption() as interruption:
        given = None
        if not isinstance(settings.get("dataset", ""), str):
            given = data.given_dataset(settings.pop("dataset"))
        directory = request_run(preset, out, processes=processes, given=given, **settings)
        try:
            train_run(
                directory.path,
                callbacks=[*map(interruption.around, callbacks), *([line] if line else [])],
                should_stop=lambda: interruption() or should_stop(),
                processes=processes,
                given=given,
            )
        finally:
            if line:
                line.close()
    if interruption.received:
        raise KeyboardInterrupt(
            f"the run in {directory.path} is saved; to go on, train again with the same arguments"
        )
    return directory.path
