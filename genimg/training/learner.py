"""What every process of a run has: a task, its data, and its place in the run.

Each step reseeds from (seed, step), so a run that was stopped, however rudely, continues from its
last checkpoint exactly as if nothing had happened.
"""

import contextlib
from pathlib import Path
from typing import Any

import torch

from genimg.data import Dataset
from genimg.devices import choose_device
from genimg.randomness import derive
from genimg.training import run_checkpoints
from genimg.training.batches import batch_indices, batch_tensors
from genimg.training.building import build_task
from genimg.training.distributed import END, LOAD, Group, SeveralProcesses
from genimg.training.spec import RunSpec
from genimg.training.task import Diverged, Task
from genimg.training.validation import split


class Learner:
    """Makes the steps of a run; it reads checkpoints and writes nothing.

    Args:
        spec: of the run, resolved.
        dataset: the pictures that it names.
        group: the processes that share each batch.
    """

    def __init__(self, spec: RunSpec, dataset: Dataset, group: Group) -> None:
        self.spec, self.dataset, self.group = spec, dataset, group
        self.device = group.device(choose_device(spec.resolved["device"]))
        torch.set_num_threads(max(1, spec.resolved["threads"] // group.size))
        self.total: int = spec.resolved["images"]
        self.batch_size = spec.run.batch_size
        self.step = self.images_seen = 0
        self.task: Task
        self.training, self.held_out = torch.arange(len(dataset)), torch.arange(0)
        if spec.run.validations:
            self.training, self.held_out = split(spec.run.seed, len(dataset))

    def _build(self) -> None:
        """Build the task, untrained."""
        self.task = build_task(self.spec, self.device, self.spec.resolved["precision"])
        self.task.group = self.group
        self.targets = self.task.targets(self.spec.model, self.dataset)

    def _load(self, checkpoint: Path) -> dict[str, Any]:
        """Load a checkpoint into a task just built, and return its state."""
        tensors, state = run_checkpoints.load(checkpoint)
        self.task.model.load_state_dict(tensors["model"])
        self.task.average.load_state_dict(tensors["ema"])
        self.task.load_optimizer_tensors(tensors["optimizer"])
        return state

    def _batch(self, indices: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return pictures (B, C, H, W) and what the task learns of them, on the task's device."""
        return batch_tensors(self.dataset, self.targets, indices, self.device)

    def _make_step(self) -> dict[str, float]:
        torch.manual_seed(derive(self.spec.run.seed, "step", self.step))
        chosen = batch_indices(
            self.spec.run.seed, self.images_seen, self.batch_size, len(self.training)
        )
        images, labels = self._batch(self.training[chosen])
        seen = self.images_seen + self.batch_size
        report = self.task.step(
            images, labels, step=self.step, images_seen=seen, progress=seen / self.total
        )
        self.step, self.images_seen = self.step + 1, seen
        return self.group.average(report)


class Follower(Learner):
    """Makes the steps that the first process of the run makes.

    Args:
        checkpoints: folder of the run's checkpoints.
    """

    group: SeveralProcesses

    def __init__(
        self, checkpoints: Path, spec: RunSpec, dataset: Dataset, group: SeveralProcesses
    ) -> None:
        super().__init__(spec, dataset, group)
        self.checkpoints, self.group = checkpoints, group

    def run(self) -> None:
        """Do what the first process says, until it says to end.

        Raises:
            LostProcess: another process has ended before.
        """
        while (order := self.group.take()).kind != END:
            if order.kind == LOAD:
                self._build()
                checkpoint = run_checkpoints.latest(self.checkpoints)
                assert checkpoint is not None  # the first process saves before it gives this order
                self._load(checkpoint)
                continue
            self.step, self.images_seen, self.total = order.step, order.images_seen, order.total
            self.task.learning_rate_scale = order.learning_rate_scale
            with contextlib.suppress(Diverged):  # in every process: the first decides what to do
                self._make_step()
