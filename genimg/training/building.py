"""From a specification to the task that trains it."""

import torch

from genimg.models import kind_named
from genimg.randomness import derive
from genimg.training.spec import RunSpec, task_of
from genimg.training.task import Task


def build_task(spec: RunSpec, device: torch.device, precision: str) -> Task:
    """Build the model from its seed, and the task around it."""
    kind = kind_named(spec.kind)
    torch.manual_seed(derive(spec.run.seed, "initialisation", 0))
    return task_of(spec.kind)(kind.build(spec.model), spec.task, device, precision)
