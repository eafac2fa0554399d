"""The training loop: one counter, `images_seen`, is the whole progress of a run."""

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from genimg import trails
from genimg.data import FOLDER_PREFIX, MEMORY_PREFIX, Dataset
from genimg.models.gan import Gan
from genimg.render import encode, grid
from genimg.training import run_checkpoints
from genimg.training.attempts import Attempt
from genimg.training.beginning import read_end
from genimg.training.distributed import ALONE, END, LOAD, STEP, Group, Order
from genimg.training.learner import Learner
from genimg.training.places import fingerprint
from genimg.training.planning import resolve
from genimg.training.publishing import find_tokenizer, measure_mean_style, read_model
from genimg.training.quality import QualityGauge
from genimg.training.reporting import Callback, Reporter
from genimg.training.run_directory import RunDirectory
from genimg.training.spec import RunSpec
from genimg.training.task import Diverged
from genimg.training.validation import BestSoFar

REPORT_STEPS = 10
EXAMPLES = 20
_STATUS_SECONDS = 1.0
_PLANS = (0.1, 0.5)  # shares of a run asked for in minutes after which its end is set anew


class Trainer(Learner):
    """One attempt at one run, in its first process, which alone writes files.

    Args:
        directory: the run; its lease is held by the caller.
        dataset: the pictures its specification names.
        callbacks: called with every report; see `genimg.training.reporting.Report`.
        should_stop: asked once a step; a true answer saves and ends with "paused".
        group: the processes that share each batch; the others are told what to do.
    """

    def __init__(
        self,
        directory: RunDirectory,
        attempt: Attempt,
        dataset: Dataset,
        *,
        callbacks: Sequence[Callback] = (),
        should_stop: Callable[[], bool] = lambda: False,
        group: Group = ALONE,
    ) -> None:
        super().__init__(resolved_spec(directory, dataset), dataset, group)
        self.directory, self.attempt, self.should_stop = directory, attempt, should_stop
        self.reporter = Reporter(
            attempt,
            total=self.total,
            epoch_images=len(self.training),
            device=self.device,
            task=lambda: self.task,
            seed=self.spec.run.seed,
            callbacks=callbacks,
        )
        run_checkpoints.remove_leftovers(directory.checkpoints)
        self._restore()
        self._last_status = self._last_save = time.monotonic()
        self._last_look = float("-inf")  # a wish may have come before the first step
        self._wish_seen = directory.last_wish_seen()

    def run(self) -> str:
        """Train to the end, or until stopped; return "succeeded", "paused" or "cancelled".

        Raises:
            Diverged: a second time after a roll-back with half the learning rate.
            OSError: a file could not be written; the last checkpoint is intact.
            LostProcess: another process of the run has ended.
        """
        try:
            return self._run()
        except (Exception, KeyboardInterrupt) as error:
            with contextlib.suppress(OSError):  # the disk may be what failed
                stopped = isinstance(error, KeyboardInterrupt)
                self._write_status("paused" if stopped else "failed")
            raise

    def _run(self) -> str:
        self.save()
        self.group.give(Order(LOAD))
        self._write_status("running")
        if self.images_seen == 0:
            self._leave_trail(-1)
            if self.spec.run.sheets:
                self._write_sheet()
        outcome = ""
        while self.images_seen < self.total and not self._over_fits() and not outcome:
            self._announce_step()
            try:
                report = self._make_step()
            except Diverged as reason:
                self._roll_back(reason)
                continue
            # The first step, too: somebody waits for a sign that it works.
            if self.step % REPORT_STEPS == 0 or self.step == 1 or self.images_seen == self.total:
                self._report(report)
            self._keep_up()
            self._plan_anew()  # saves, so what is due at this step comes before
            outcome = self._wish()
        self.group.give(Order(END))
        self.save()
        if not outcome and self.quality.began:
            self._report(self.quality.measure())
        outcome = outcome or "succeeded"
        self._write_status(outcome)
        return outcome

    def _announce_step(self) -> None:
        scale = self.task.learning_rate_scale
        self.group.give(Order(STEP, self.step, self.images_seen, self.total, scale))

    def _plan_anew(self) -> None:
        """Set the number of pictures by the run's own speed, if it was asked for in minutes.

        The first plan comes from a few seconds, which know nothing of sheets, checkpoints, or a
        machine that gets busy. A plan is kept in the specification, and a checkpoint follows it,
        so that what comes after can be repeated.
        """
        made = self.spec.resolved.get("plans", len(_PLANS))
        if made == len(_PLANS):
            return
        seconds, asked = self.reporter.seconds(), self.spec.run.minutes * 60
        if max(self.images_seen / self.total, seconds / asked) < _PLANS[made]:
            return
        speed = self.images_seen / seconds
        steps = max(0, round((asked - seconds) * speed / self.batch_size))
        self.total = self.reporter.total = self.images_seen + steps * self.batch_size
        resolved = self.spec.resolved | {"images": self.total, "plans": made + 1}
        self.spec = replace(self.spec, resolved=resolved)
        self.directory.write_spec(self.spec)
        self.save()

    def _report(self, values: dict[str, float]) -> None:
        self.reporter.report(self.images_seen, values)

    def _keep_up(self) -> None:
        """Do what is due by the pictures (snapshot, sheet, validation) or by the clock (others)."""
        self._leave_trail(self.images_seen - self.batch_size)
        if self._is_due(self.spec.run.sheets):
            self._write_sheet()
        if self._is_due(self.spec.run.validations):
            self._validate()  # may save, so what must not be lost comes before
        now = time.monotonic()
        if now - self._last_status >= _STATUS_SECONDS:
            self._write_status("running")
        if now - self._last_save >= self.spec.run.checkpoint_seconds:
            self.save()
        if self.quality.is_due():
            with self.reporter.aside():
                measured = self.quality.measure()
            self._report(measured)

    def _leave_trail(self, before: int) -> None:
        """Keep a snapshot of a GAN if one is due; `before` is as for `trails.is_due`."""
        gan = isinstance(self.task.model, Gan)
        if not gan or not trails.is_due(self.images_seen, before, self.total):
            return
        with self.reporter.aside(), contextlib.suppress(ValueError):  # then no model can be kept
            model = self.task.published()
            measure_mean_style(model)
            trails.write(self.directory.path, self.images_seen, model)

    def _is_due(self, times: int) -> bool:
        """Return whether something done `times` times a run is due after the step just made."""
        before = self.images_seen - self.batch_size
        return self.images_seen * times // self.total > before * times // self.total

    def _validate(self) -> None:
        """Measure the loss on the held-out pictures, and keep the model if it is the best."""
        total = 0.0
        with self.reporter.aside():
            for indices in self.held_out.split(self.batch_size):
                images, labels = self._batch(indices)
                total += self.task.validate(images, labels) * len(indices)
        loss = total / len(self.held_out)
        self._report({"validation_loss": loss})
        if self.validated.note(self.step, loss):
            self.save()

    def _over_fits(self) -> bool:
        """Return whether the validations have not improved for too long."""
        return 0 < self.spec.run.patience <= self.validated.waited

    def _wish(self) -> str:
        """Return how the run should end now, or ''."""
        if self.should_stop():
            return "paused"
        if time.monotonic() - self._last_look < _STATUS_SECONDS:
            return ""
        self._last_look = time.monotonic()
        self._give_way()
        outcome = ""
        for wish in self.directory.wishes_after(self._wish_seen):
            self._wish_seen, command = wish["generation"], wish["command"]
            if command == "save_now":
                self.save()
            elif command == "sample_now":
                self._write_sheet()
            outcome = {"pause": "paused", "cancel": "cancelled", "run": ""}.get(command, outcome)
        return outcome

    def _give_way(self) -> None:
        """Raise ValueError if a newer attempt has replaced this one.

        Where a file system is shared without locks, the run's lease does not tell.
        """
        if self.directory.newest_attempt() > self.attempt.number:
            raise ValueError(
                f"a newer attempt at {self.directory.path} has replaced attempt"
                f" {self.attempt.number}"
            )

    def _write_status(self, state: str) -> None:
        self._last_status = time.monotonic()
        self.reporter.write_status(state, self.images_seen, wish_seen=self._wish_seen)

    def _write_sheet(self) -> None:
        diversity = {}
        with self.reporter.aside():
            pictures = self.task.sheet(self.spec.run.seed)
            if len(pictures):
                sheet = encode(grid(pictures, columns=10), "png")
                self.directory.write_sheet(self.images_seen, sheet)
                diversity = self.quality.diversity(pictures)
        if diversity:
            self._report(diversity)

    def save(self) -> None:
        """Write a checkpoint of this very step."""
        with self.reporter.aside():
            self._save()
        self._last_save = time.monotonic()

    def _save(self) -> None:
        self._give_way()
        run_checkpoints.save(
            self.directory.checkpoints,
            step=self.step,
            tensors={
                "model": self.task.model.state_dict(),
                "ema": self.task.average.state_dict(),
                "optimizer": self.task.optimizer_tensors(),
            },
            state={
                "step": self.step,
                "images_seen": self.images_seen,
                "rollbacks": self.rollbacks,
                "learning_rate_scale": self.task.learning_rate_scale,
                "seconds": self.reporter.seconds(),
                **self.validated.to_dict(),
            },
        )

    def _restore(self) -> None:
        """Build the task, and load the newest valid checkpoint if there is one."""
        self.step = self.images_seen = self.rollbacks = 0
        seconds = 0.0
        self.validated = BestSoFar()
        self._build()
        self.task.examples, _ = self._batch(self.training[:EXAMPLES])
        newest = run_checkpoints.newest(self.directory.checkpoints)
        begin = newest
        if newest is None and self.spec.run.extend:
            begin = read_end(self.spec.run.extend)
            trails.copy(Path(self.spec.run.extend), self.directory.path)
        if begin is None:
            if name := self.task.tokenizer_name:
                self.task.take_tokenizer(find_tokenizer(name))
            if name := self.spec.run.init:
                self.task.begin_with(read_model(name).model)
        else:
            state = self._load(begin)
            self.task.learning_rate_scale = state["learning_rate_scale"]
            self.step, self.images_seen = state["step"], state["images_seen"]
            self.rollbacks, seconds = state["rollbacks"], state["seconds"]
        if newest is not None:  # the best of a run that is extended is not here
            self.validated = BestSoFar(
                **{name: state[name] for name in BestSoFar.__slots__ if name in state}
            )
        self.quality = QualityGauge(self.task, self.dataset, self.spec.run.seed)
        self.reporter.start(self.images_seen, seconds)

    def _roll_back(self, reason: Diverged) -> None:
        if self.rollbacks:
            raise Diverged(
                f"{reason} at {self.images_seen} pictures, again after going back once with half"
                " the learning rate; lower the learning rates and start a new run"
            )
        self._restore()
        self.group.give(Order(LOAD))
        self.rollbacks = 1
        self.task.learning_rate_scale = 0.5
        self._report({"rolled_back": 1.0})


def resolved_spec(directory: RunDirectory, dataset: Dataset) -> RunSpec:
    """Return the run's specification, resolved now if it was not before.

    Raises:
        ValueError: as for `resolve`, or the data have changed since.
    """
    spec = directory.read_spec()
    began = [spec.resolved] if spec.resolved else []
    if not began and spec.run.extend:
        began.append(RunDirectory(spec.run.extend).read_spec().resolved)
    for resolved in began:
        _check_same(spec.run.dataset, resolved, dataset)
    if not spec.resolved:
        spec = resolve(spec, dataset)
        directory.write_spec(spec)
    return spec


def _check_same(name: str, resolved: dict[str, Any], dataset: Dataset) -> None:
    """Raise ValueError unless the pictures of `name` are those with which a run began."""
    # Your own pictures may have moved, but must be the same: if they were imported, by their hash.
    own = name.startswith((FOLDER_PREFIX, MEMORY_PREFIX))
    hashes = map(fingerprint, (resolved["dataset_source"], dataset.source))
    if resolved["dataset_images"] != len(dataset) or (own and len({*hashes}) > 1):
        raise ValueError(
            f"this run began with {resolved['dataset_images']} pictures from"
            f" {resolved['dataset_source']}, but {name} now has {len(dataset)}"
            f" from {dataset.source}; put the data back, or start a new run"
        )
