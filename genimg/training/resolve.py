"""From a request to a run of which everything is decided: device, precision, length."""

import os
import time
from dataclasses import replace
from typing import Any

import torch

from genimg.data import Dataset
from genimg.models import kind_named
from genimg.training.randomness import derive
from genimg.training.spec import TASKS, RunSpec
from genimg.training.task import Task

_PROBE_SECONDS = 1.0
_HOPELESS = 0.7  # of the best speed so far; a candidate below it is not timed any longer


def resolve(spec: RunSpec, dataset: Dataset) -> RunSpec:
    """Return `spec` with device, threads, precision and number of pictures decided.

    Each precision is tried for about a second on a throw-away copy of the task, because whether
    bfloat16 is faster depends on the processor: up to three times where it has instructions for it,
    slower than float32 where it has none. Nothing is tried where nothing depends on it.

    Raises:
        ValueError: the requested device is not there, the data do not fit the model, or
            validations are asked of a training that has none.
    """
    if spec.resolved:
        return spec
    _check_data(spec, dataset)
    _check_validations(spec)
    device = choose_device(spec.run.device)
    threads = spec.run.threads or os.cpu_count() or 1
    torch.set_num_threads(threads)
    candidates = [spec.run.precision]
    if spec.run.precision == "auto":
        candidates = ["fp32"] if device.type == "mps" else ["bf16", "fp32"]
    speeds: dict[str, float] = {}
    if len(candidates) > 1 or not spec.run.images:
        for name in candidates:
            best = max(speeds.values(), default=0.0)
            speeds[name] = _images_per_second(spec, dataset, device, name, best=best)
    precision = max(candidates, key=lambda name: speeds.get(name, 0.0))
    images = spec.run.images or round(speeds[precision] * spec.run.minutes * 60)
    steps = max(1, -(-images // spec.run.batch_size))
    resolved: dict[str, Any] = {
        "device": str(device),
        "threads": threads,
        "precision": precision,
        "images": steps * spec.run.batch_size,
        "probe_images_per_second": {name: round(speed, 1) for name, speed in speeds.items()},
        "dataset_images": len(dataset),
        "dataset_source": dataset.source,
        "classes": list(dataset.classes),
    }
    if not spec.run.images:
        resolved["plans"] = 0  # the number of pictures is a guess, which the loop mends
    return replace(spec, resolved=resolved)


def _check_data(spec: RunSpec, dataset: Dataset) -> None:
    channels, classes = (spec.model.to_dict().get(name, 0) for name in ("channels", "classes"))
    if channels != dataset.channels:
        raise ValueError(
            f"the model has {channels} colour channels and the pictures of {dataset.name} have"
            f" {dataset.channels}; leave out channels, or set it to {dataset.channels}"
        )
    if classes and classes < len(dataset.classes):
        raise ValueError(
            f"the model has {classes} classes and {dataset.name} has {len(dataset.classes)};"
            f" leave out classes, or set it to {len(dataset.classes)}"
        )


def _check_validations(spec: RunSpec) -> None:
    if spec.run.validations and not TASKS[kind_named(spec.kind).task][0].validates:
        raise ValueError(f"the training of {spec.kind} does not validate; set validations to 0")


def choose_device(name: str) -> torch.device:
    """Return the device called `name`; "auto" is CUDA, then Apple's MPS, then the CPU.

    Raises:
        ValueError: it is not there, or has no such name.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise ValueError(f"{name!r} is no device; use cpu, cuda, cuda:1, mps or auto") from None
    available = {
        "cpu": 1,
        "cuda": torch.cuda.device_count(),
        "mps": int(torch.backends.mps.is_available()),
    }.get(device.type, 0)
    if (device.index or 0) >= available:
        raise ValueError(f"this machine has no device {name!r}; use --device cpu or auto")
    return device


def build_task(spec: RunSpec, device: torch.device, precision: str) -> Task:
    """Build the model from its seed, and the task around it."""
    kind = kind_named(spec.kind)
    torch.manual_seed(derive(spec.run.seed, "initialisation", 0))
    return TASKS[kind.task][0](kind.build(spec.model), spec.task, device, precision)


def batch_tensors(
    dataset: Dataset, indices: torch.Tensor, device: torch.device
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return pictures, float32 (B, C, H, W) in [-1, 1], and labels (B,) on `device`."""
    images = dataset.images[indices].to(device).float().div_(127.5).sub_(1)
    images = images.contiguous(memory_format=torch.channels_last)
    return images, dataset.labels[indices].to(device)


def _images_per_second(
    spec: RunSpec, dataset: Dataset, device: torch.device, precision: str, *, best: float
) -> float:
    """Time a few steps of a task that is then thrown away.

    Somebody waits for the first picture, so a candidate much slower than `best` is soon given up.
    """
    task = build_task(spec, device, precision)
    batch_size = spec.run.batch_size
    indices = torch.arange(batch_size) % len(dataset)

    def make_step(step: int) -> None:
        images, labels = batch_tensors(dataset, indices, device)
        task.step(images, labels, step=step, images_seen=batch_size * (step + 1), progress=0.5)

    start = time.perf_counter()
    make_step(0)  # pays for set-up, a small part where a step takes long
    seconds = time.perf_counter() - start
    if seconds > _PROBE_SECONDS / 2 and batch_size / seconds < _HOPELESS * best:
        return batch_size / seconds
    start, steps = time.perf_counter(), 0
    while steps < 2 or seconds < _PROBE_SECONDS:
        steps += 1
        make_step(steps)
        seconds = time.perf_counter() - start
        if steps * batch_size / seconds < _HOPELESS * best:
            break
    return steps * batch_size / seconds
