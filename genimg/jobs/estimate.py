"""What a run will cost, before it is queued: time, memory and disk.

Time comes from an earlier run of the same model on such a device, else from the card of the
checkpoint that ships with genimg; memory and disk from the number of weights, and from how much the
peak memory of a worker grew with the batch. The worker measures its own speed when it starts; a run
whose length is given in minutes then sets its number of pictures anew, so here they are a guess.
"""

import shutil
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from genimg import checkpoints
from genimg.jobs.devices import Device
from genimg.jobs.job import TERMINAL, Job
from genimg.models import kind_named
from genimg.models.blueprint import blueprint
from genimg.storage import read_json
from genimg.training.attempts import Attempt
from genimg.training.run_directory import RunDirectory
from genimg.training.spec import RunSpec
from genimg.wording import Wording

# To start PyTorch, read Fashion-MNIST and try the speed for a second; more where the machine is
# busy.
_START_SECONDS = 15.0
_BYTES_OF_PYTHON = 1_500 * 10**6  # with PyTorch, and Fashion-MNIST being read
# Weights, gradients, two moments of Adam, and the average: five numbers of four bytes.
_BYTES_PER_WEIGHT = 20
# Model, average and two moments; the last two checkpoints, the best, and one being written.
_DISK_BYTES_PER_WEIGHT = 16 * 4
_DISK_BYTES_OF_REPORTS = 20 * 10**6


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """What a run will probably need.

    Attributes:
        device: what it would run on, in words.
        start_seconds: before the first picture is seen, once it is the run's turn.
        minutes: to train; None if no speed is known and the length was given in pictures.
        images: pictures it will see; None if no speed is known and the length was given in minutes.
        steps: of a batch each, to see them; None where `images` is None.
        images_per_second: expected speed, or None.
        speed_source: where the speed comes from, in words.
        weights: trained numbers.
        memory_bytes, disk_bytes: at most.
        dollars_an_hour: what the device costs, or None.
        problem: why it cannot run here, in one sentence; '' if it can.
    """

    device: str
    start_seconds: float
    minutes: float | None
    images: int | None
    steps: int | None
    images_per_second: float | None
    speed_source: str
    weights: int
    memory_bytes: int
    disk_bytes: int
    dollars_an_hour: float | None
    problem: str


def estimate(spec: RunSpec, device: Device, root: Path, jobs: Collection[Job]) -> Estimate:
    """Return what `spec` would need on `device`.

    Args:
        root: the data root, on the disk that will be written.
        jobs: all others, for their speed. What a job of the queue occupies will be free by then.
    """
    if any(job.active and job.owner != TERMINAL for job in jobs):
        device = replace(device, free_memory=None)
    speed, source = _speed(spec, device, root, jobs)
    images = spec.run.images or None
    minutes: float | None = spec.run.minutes
    if images is not None:
        minutes = images / speed / 60 if speed else None
    elif speed:
        images = round(spec.run.minutes * 60 * speed)
    weights = count_weights(spec)
    pixels = spec.run.batch_size * spec.model.to_dict().get("size", 32) ** 2
    per_pixel = kind_named(spec.kind).bytes_per_pixel
    memory = _BYTES_OF_PYTHON + weights * _BYTES_PER_WEIGHT + pixels * per_pixel
    disk = weights * _DISK_BYTES_PER_WEIGHT + _DISK_BYTES_OF_REPORTS
    return Estimate(
        device=device.title,
        start_seconds=_START_SECONDS,
        minutes=minutes,
        images=images,
        steps=None if images is None else -(-images // spec.run.batch_size),
        images_per_second=speed,
        speed_source=source,
        weights=weights,
        memory_bytes=memory,
        disk_bytes=disk,
        dollars_an_hour=device.dollars_an_hour,
        problem=_problem(memory, disk, device, root),
    )


def count_weights(spec: RunSpec) -> int:
    """Return how many numbers are trained, without making room for them."""
    model = blueprint(spec.kind, spec.model)
    return sum(parameter.numel() for parameter in model.parameters())


def _speed(
    spec: RunSpec, device: Device, root: Path, jobs: Collection[Job]
) -> tuple[float | None, str]:
    """Return pictures a second and where the number is from."""
    for job in sorted(jobs, key=lambda job: job.started, reverse=True):
        here = job.preset == spec.preset and job.assigned.partition(":")[0] == device.kind
        if here and _is_same_work(root / job.id, spec):
            report = Attempt.of(root / job.id, job.attempt).last_report()
            seen, seconds = report.get("images_seen"), report.get("seconds")
            # Over the whole run: the speed of its report leaves out measuring and saving.
            if (
                isinstance(seen, (int, float))
                and isinstance(seconds, (int, float))
                and min(seen, seconds) > 0
            ):
                return seen / seconds, Wording(
                    "estimate.earlier_run",
                    "the earlier run {name} on {device}",
                    name=repr(job.name), device=device.title,
                )  # fmt: skip

    card = _shipped_card(spec)
    if str(card.get("hardware", "")).startswith(device.kind) and card.get("minutes"):
        speed = card["images_seen"] / card["minutes"] / 60
        shipped = Wording("estimate.shipped", "the checkpoint that ships with genimg")
        hardware = str(card["hardware"])
        return speed, Wording(
            "estimate.trained_on",
            "{checkpoint}, trained on {hardware}",
            checkpoint=shipped, hardware=hardware,
        )  # fmt: skip
    return None, Wording(
        "estimate.no_run",
        "no run of {preset} on {device} is known yet",
        preset=spec.preset, device=device.title,
    )  # fmt: skip


def _is_same_work(folder: Path, spec: RunSpec) -> bool:
    """Return whether the run in `folder` takes as long for a picture as `spec` will."""
    try:
        other = RunDirectory(folder).read_spec()
    except (OSError, ValueError):
        return False
    return _work(other) == _work(spec)


def _work(spec: RunSpec) -> tuple[Any, ...]:
    return spec.model, spec.task, spec.run.batch_size, spec.run.threads, spec.run.precision


def _shipped_card(spec: RunSpec) -> dict[str, Any]:
    """Return the card of the model that the preset made, {} if that was of another kind, or none.

    A preset may have changed since.
    """
    try:
        card = read_json(checkpoints.SHIPPED / spec.preset / "card.json")
        return card if card.get("kind") == spec.kind else {}
    except (OSError, ValueError):
        return {}


def _problem(memory: int, disk: int, device: Device, root: Path) -> str:
    free_disk = shutil.disk_usage(root).free
    if disk > free_disk:
        return Wording(
            "estimate.no_disk",
            "the run needs about {needed} of disk and {free} are free; delete old"
            " runs, or choose a smaller model",
            needed=_megabytes(disk),
            free=_megabytes(free_disk),
        )
    if device.total_memory is not None and memory > device.total_memory:
        return Wording(
            "estimate.no_memory",
            "the run needs about {needed} of memory and {device} has {room}; choose a smaller"
            " batch_size or model",
            needed=_megabytes(memory), device=device.title, room=_megabytes(device.total_memory),
        )  # fmt: skip
    if device.free_memory is not None and memory > device.free_memory:
        return Wording(
            "estimate.no_free_memory",
            "the run needs about {needed} of memory and {device} has free {room}; choose a smaller"
            " batch_size or model",
            needed=_megabytes(memory), device=device.title, room=_megabytes(device.free_memory),
        )  # fmt: skip
    return ""


def _megabytes(count: int) -> str:
    return f"{count / 1e6:,.0f} MB"
