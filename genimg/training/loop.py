"""The training loop: one counter, `images_seen`, is the whole progress of a run.

Each step reseeds from (seed, step), so a run that was stopped, however rudely, continues from its
last checkpoint exactly as if nothing had happened.
"""

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import torch

from genimg.data import FOLDER_PREFIX, Dataset
from genimg.render import encode, grid
from genimg.training import run_checkpoints
from genimg.training.quality import QualityGauge
from genimg.training.randomness import batch_indices, derive
from genimg.training.reporting import Callback, Reporter
from genimg.training.resolve import batch_tensors, build_task, choose_device, resolve
from genimg.training.run_directory import Attempt, RunDirectory
from genimg.training.spec import RunSpec
from genimg.training.task import Diverged, Task
from genimg.training.validation import BestSoFar, split

REPORT_STEPS = 10
EXAMPLES = 20
_STATUS_SECONDS = 1.0
_PLANS = (0.1, 0.5)  # shares of a run asked by minutes after which its end is set anew


class Trainer:
    """One attempt at one run.

    Args:
        directory: the run; its lease is held by the caller.
        dataset: the pictures its specification names.
        callbacks: called with every report, a dictionary of numbers.
        should_stop: asked once a step; a true answer saves and ends with "paused".
    """

    def __init__(
        self,
        directory: RunDirectory,
        attempt: Attempt,
        dataset: Dataset,
        *,
        callbacks: Sequence[Callback] = (),
        should_stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self.directory, self.dataset, self.should_stop = directory, dataset, should_stop
        self.spec = _resolved_spec(directory, dataset)
        self.device = choose_device(self.spec.resolved["device"])
        torch.set_num_threads(self.spec.resolved["threads"])
        self.total: int = self.spec.resolved["images"]
        self.batch_size = self.spec.run.batch_size
        self.task: Task
        self.training, self.held_out = torch.arange(len(dataset)), torch.arange(0)
        if self.spec.run.validations:
            self.training, self.held_out = split(self.spec.run.seed, len(dataset))
        self.reporter = Reporter(
            attempt,
            total=self.total,
            epoch_images=len(self.training),
            device=self.device,
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
        self._write_status("running")
        if self.images_seen == 0 and self.spec.run.sheets:
            self._write_sheet()
        outcome = ""
        while self.images_seen < self.total and not self._over_fits() and not outcome:
            try:
                report = self._make_step()
            except Diverged as reason:
                self._roll_back(reason)
                continue
            # The first step, too: somebody waits for a sign that it works.
            if self.step % REPORT_STEPS == 0 or self.step == 1 or self.images_seen == self.total:
                self._report(report)
            self._plan_anew()
            self._keep_up()
            outcome = self._wish()
        self.save()
        if not outcome and self.quality.began:
            self._report(self.quality.measure())
        outcome = outcome or "succeeded"
        self._write_status(outcome)
        return outcome

    def _make_step(self) -> dict[str, float]:
        torch.manual_seed(derive(self.spec.run.seed, "step", self.step))
        chosen = batch_indices(
            self.spec.run.seed, self.images_seen, self.batch_size, len(self.training)
        )
        images, labels = batch_tensors(self.dataset, self.training[chosen], self.device)
        seen = self.images_seen + self.batch_size
        report = self.task.step(
            images, labels, step=self.step, images_seen=seen, progress=seen / self.total
        )
        self.step, self.images_seen = self.step + 1, seen
        return report

    def _plan_anew(self) -> None:
        """Set the number of pictures by the run's own speed, if it was asked by minutes.

        The first plan comes from a few seconds that know nothing of sheets, checkpoints, or of a
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
        """Do what is due by the pictures (sheet, validation) or by the clock (the rest)."""
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
            self._report(self.quality.measure())

    def _is_due(self, times: int) -> bool:
        """Return whether something done `times` times a run is due after the step just made."""
        before = self.images_seen - self.batch_size
        return self.images_seen * times // self.total > before * times // self.total

    def _validate(self) -> None:
        """Measure the loss on the held-out pictures, and keep the model if it is the best."""
        total = 0.0
        for indices in self.held_out.split(self.batch_size):
            images, labels = batch_tensors(self.dataset, indices, self.device)
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
        control = self.directory.read_control()
        if control["generation"] == self._wish_seen:
            return ""
        self._wish_seen, command = control["generation"], control["command"]
        if command == "save_now":
            self.save()
        elif command == "sample_now":
            self._write_sheet()
        return {"pause": "paused", "cancel": "cancelled"}.get(command, "")

    def _write_status(self, state: str) -> None:
        self._last_status = time.monotonic()
        self.reporter.write_status(state, self.images_seen, wish_seen=self._wish_seen)

    def _write_sheet(self) -> None:
        pictures = self.task.sheet(self.spec.run.seed)
        if len(pictures):
            sheet = encode(grid(pictures, columns=10), "png")
            self.directory.write_sheet(self.images_seen, sheet)
            if diversity := self.quality.diversity(pictures):
                self._report(diversity)

    def save(self) -> None:
        """Publish a checkpoint of this very step."""
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
        self._last_save = time.monotonic()

    def _restore(self) -> None:
        """Build the task, and load the newest valid checkpoint if there is one."""
        self.step = self.images_seen = self.rollbacks = 0
        seconds = 0.0
        self.validated = BestSoFar()
        self.task = build_task(self.spec, self.device, self.spec.resolved["precision"])
        self.task.examples, _ = batch_tensors(self.dataset, self.training[:EXAMPLES], self.device)
        newest = run_checkpoints.newest(self.directory.checkpoints)
        if newest is None:
            self.task.start()
        else:
            tensors, state = run_checkpoints.load(newest)
            self.task.model.load_state_dict(tensors["model"])
            self.task.average.load_state_dict(tensors["ema"])
            self.task.load_optimizer_tensors(tensors["optimizer"])
            self.task.learning_rate_scale = state["learning_rate_scale"]
            self.step, self.images_seen = state["step"], state["images_seen"]
            self.rollbacks, seconds = state["rollbacks"], state["seconds"]
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
        self.rollbacks = 1
        self.task.learning_rate_scale = 0.5
        self._report({"rolled_back": 1.0})


def _resolved_spec(directory: RunDirectory, dataset: Dataset) -> RunSpec:
    spec = directory.read_spec()
    if not spec.resolved:
        spec = resolve(spec, dataset)
        directory.write_spec(spec)
    # The source of your own pictures names their hash, if they were imported.
    own = spec.run.dataset.startswith(FOLDER_PREFIX)
    if spec.resolved["dataset_images"] != len(dataset) or (
        own and spec.resolved["dataset_source"] != dataset.source
    ):
        raise ValueError(
            f"this run began with {spec.resolved['dataset_images']} pictures from"
            f" {spec.resolved['dataset_source']}, but {spec.run.dataset} now has {len(dataset)}"
            f" from {dataset.source}; put the data back, or start a new run"
        )
    return spec
