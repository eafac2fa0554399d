"""From a request to a run of which everything is decided: device, precision, length."""

import os
import time
from dataclasses import replace
from typing import Any

import torch

from genimg.data import Dataset
from genimg.devices import choose_device
from genimg.training.batches import batch_tensors
from genimg.training.building import build_task
from genimg.training.hardware import choose_precision
from genimg.training.requirements import Pictures, check
from genimg.training.spec import RunSpec, task_of

_PROBE_SECONDS = 1.0


def resolve(spec: RunSpec, dataset: Dataset) -> RunSpec:
    """Return `spec` with device, threads, precision and number of pictures decided.

    They follow from the machine and the model, all but one: where a run was asked for in minutes,
    the number of pictures comes from timing a throw-away copy of the task for about a second.

    Raises:
        ValueError: the run cannot start; see `genimg.training.requirements.check`.
    """
    if spec.resolved:
        return spec
    check(spec, Pictures.loaded(dataset))
    task_of(spec.kind).targets(spec.model, dataset)  # now, not in the first step
    device = choose_device(spec.run.device)
    threads = spec.run.threads or os.cpu_count() or 1
    torch.set_num_threads(threads)
    precision = spec.run.precision
    if precision == "auto":
        precision = choose_precision(spec.kind, device)
    resolved: dict[str, Any] = {
        "device": str(device),
        "threads": threads,
        "precision": precision,
        "dataset_images": len(dataset),
        "dataset_source": dataset.source,
        "classes": list(dataset.classes),
    }
    images = spec.run.images
    if not images:
        speed = images_per_second(spec, dataset, device, precision)
        images = round(speed * spec.run.minutes * 60)
        # The number of pictures is a guess, which the loop mends.
        resolved |= {"probe_images_per_second": round(speed, 1), "plans": 0}
    steps = max(1, -(-images // spec.run.batch_size))
    return replace(spec, resolved=resolved | {"images": steps * spec.run.batch_size})


def images_per_second(
    spec: RunSpec, dataset: Dataset, device: torch.device, precision: str
) -> float:
    """Return the speed of a few steps of a task that is then thrown away, in pictures a second."""
    task = build_task(spec, device, precision)
    batch_size = spec.run.batch_size
    indices = torch.arange(batch_size) % len(dataset)
    targets = task.targets(spec.model, dataset)

    def make_step(step: int) -> None:
        images, labels = batch_tensors(dataset, targets, indices, device)
        task.step(images, labels, step=step, images_seen=batch_size * (step + 1), progress=0.5)

    make_step(0)  # pays for set-up
    start, seconds, steps = time.perf_counter(), 0.0, 0
    while steps < 2 or seconds < _PROBE_SECONDS:
        steps += 1
        make_step(steps)
        seconds = time.perf_counter() - start
    return steps * batch_size / seconds
