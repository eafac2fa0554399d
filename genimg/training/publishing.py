"""From a run to a model that others can use."""

import os
import platform
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from genimg import checkpoints, data, trails
from genimg.checkpoints import Checkpoint, CheckpointError
from genimg.data.registry import published
from genimg.models.drawer import TokenDrawer
from genimg.models.gan import Gan
from genimg.models.mapping import MappedGenerator
from genimg.models.tokenizer import FsqTokenizer
from genimg.randomness import generator
from genimg.render import encode, grid
from genimg.storage import read_json
from genimg.training import run_checkpoints
from genimg.training.building import build_task
from genimg.training.run_directory import RunDirectory
from genimg.training.spec import task_of
from genimg.wording import Wording


def read_run(path: Path) -> Checkpoint:
    """Return the model of a run's newest valid checkpoint, also while it is training.

    A run that validates gives the checkpoint of its best validation so far instead.

    Raises:
        CheckpointError: the run has no checkpoint yet, or cannot be read.
    """
    directory = RunDirectory(path)
    name = " ".join(str(path).split())  # for a sentence on one line
    try:
        spec = directory.read_spec()
    except (OSError, ValueError) as error:
        raise CheckpointError(f"the run {name} cannot be read: {error}") from None
    newest = run_checkpoints.latest(directory.checkpoints)
    if newest is None:
        raise CheckpointError(f"the run {name} has no checkpoint yet; wait for its first one")
    tensors, state = run_checkpoints.load(_best_or(newest))
    task = build_task(spec, torch.device("cpu"), "fp32")
    try:
        task.model.load_state_dict(tensors["model"])
        task.average.load_state_dict(tensors["ema"])
    except RuntimeError:
        raise CheckpointError(
            f"the weights in {name} do not fit its architecture; it was trained by another version"
        ) from None
    model = task.published()
    measure_mean_style(model)
    card = {
        "title": path.name,
        "kind": spec.kind,
        "preset": spec.preset,
        "dataset": spec.run.dataset,
        "dataset_images": spec.resolved["dataset_images"],
        "dataset_source": spec.resolved["dataset_source"],
        "classes": spec.resolved.get("classes") or data.describe(spec.run.dataset)["classes"],
        "size": spec.model.to_dict()["size"],
        "parameters": {
            name: sum(p.numel() for p in part.parameters()) for name, part in model.named_children()
        },
        "images_seen": state["images_seen"],
        "epochs": round(state["images_seen"] / spec.resolved["dataset_images"], 2),
        "minutes": round(state["seconds"] / 60, 1),
        "hardware": f"{spec.resolved['device']}, {spec.resolved['threads']} threads,"
        f" {_processor()}",
        "precision": spec.resolved["precision"],
        "batch_size": spec.run.batch_size,
        "seed": spec.run.seed,
        "torch": torch.__version__,
    }
    trained_on = published().get(spec.run.dataset)
    if trained_on is not None and trained_on.attribution:
        card["attribution"] = trained_on.attribution  # its license asks for it
    if spec.run.init:
        card["initial_weights"] = _name_of(spec.run.init)
    if spec.run.extend:
        card["parent"] = _name_of(spec.run.extend)
    if state.get("best_loss") is not None:
        card["validation_loss"] = round(state["best_loss"], 4)
    return Checkpoint(str(path), spec.kind, spec.model, model, card, path)


def _name_of(model: str) -> str:
    """Return what a card calls a model: of a path, which means nothing elsewhere, the end."""
    return model if model.startswith("hf://") else Path(model).name


def read_model(name: str | os.PathLike) -> Checkpoint:
    """Return the model of a run or of a checkpoint, named as for `genimg.load`.

    Raises:
        CheckpointError: there is none, or it cannot be read.
    """
    if os.path.isfile(Path(name) / "spec.json"):  # unlike Path.is_file, False for impossible names
        return read_run(Path(name))
    return checkpoints.read(name)


def find_tokenizer(name: str) -> FsqTokenizer:
    """Return the trained tokenizer `name`; of an image GPT by that name, its own tokenizer.

    Raises:
        ValueError: there is none, or it is no FSQ tokenizer.
    """
    if not isinstance(name, (str, os.PathLike)):
        raise ValueError(f"tokenizer must be the name of a trained one, not {name!r}")
    checkpoint = read_model(name)
    model = checkpoint.model
    tokenizer = model.tokenizer if isinstance(model, TokenDrawer) else model
    if not isinstance(tokenizer, FsqTokenizer):
        raise ValueError(
            Wording(
                "request.not_a_tokenizer",
                "{name} is of the kind {kind}; an image GPT needs an fsq-tokenizer",
                name=name,
                kind=checkpoint.kind,
            )
        )
    return tokenizer


def _best_or(newest: Path) -> Path:
    """Return the checkpoint that `newest` calls the best so far, or `newest` without one."""
    best = read_json(newest / "state.json").get("best")
    directory = newest.with_name(f"step-{best or 0:08d}")
    return directory if best and run_checkpoints.is_valid(directory) else newest


def publish(
    run: Path,
    out: Path,
    *,
    title: str,
    preview: np.ndarray,
    generator_only: bool = False,
    **facts: Any,
) -> Path:
    """Write the model that `read_run` gives as the folder of a checkpoint, to be shared.

    It is read back before it counts, and must then do the same as the run's model, bit by bit;
    otherwise `out` is left as it was.

    Args:
        preview: pictures, uint8 (N, H, W, C), for preview.png.
        generator_only: leave the discriminator of a GAN out, and the trail of its run.
        facts: further entries of the card, such as `license`.

    Raises:
        CheckpointError: as for `read_run`.
        ValueError: `generator_only` for a model that is no GAN; `out` holds something else, see
            `checkpoints.check_destination`; or the model does not follow from its configuration
            and its weights alone.
        OSError: `out` cannot be written.
    """
    checkpoints.check_destination(out)
    checkpoint = read_run(run)
    if generator_only:
        if not isinstance(checkpoint.model, Gan):
            raise ValueError(f"the {checkpoint.kind} in {run} has no discriminator to leave out")
        checkpoint.model.discriminator = None
        del checkpoint.card["parameters"]["discriminator"]
    is_new, draft = not out.exists(), out / checkpoints.DRAFT
    shutil.rmtree(draft, ignore_errors=True)  # of a process that was killed
    try:
        checkpoints.write(
            draft,
            kind=checkpoint.kind,
            model=checkpoint.model,
            card=checkpoint.card | {"title": title} | facts,
            preview=encode(grid(preview, columns=10), "png"),
        )
        if not generator_only:
            trails.copy(run, draft)
        _check_copy(checkpoint, checkpoints.read(draft).model)
        for moment in trails.moments(draft):
            trails.read(draft, moment, checkpoint.kind, checkpoint.config)
        checkpoints.adopt(out)
    except BaseException:
        shutil.rmtree(out if is_new else draft, ignore_errors=True)
        raise
    return out


def _check_copy(checkpoint: Checkpoint, copy: nn.Module) -> None:
    """Raise ValueError unless a model that was read back does the same as the one written.

    Args:
        checkpoint: what was written; its model takes the weights of `copy`, rounded as they are.
    """
    model, kind = checkpoint.model, checkpoint.kind
    weights = copy.state_dict()
    for name, kept in checkpoints.kept_tensors(model).items():
        if not torch.equal(weights[name], kept.to(weights[name].dtype)):
            raise ValueError(f"{name} is not what was written; write to another disk")
    model.load_state_dict(weights, assign=True)
    outputs = task_of(kind).outputs
    before, reason = _repeated(outputs, model), "it gives other outputs"
    try:
        if all(map(torch.equal, before, _repeated(outputs, copy))):
            return
    except RuntimeError as error:  # of a tensor without a value, in a list of the model's, say
        reason = str(error).partition("\n")[0]
    raise ValueError(
        f"the {kind} cannot be made again from its configuration: read back with the same weights,"
        f" {reason}; let its __init__ depend on the configuration alone, and keep all that training"
        " changes in parameters and buffers"
    )


@torch.inference_mode()
def _repeated(outputs: Callable[[nn.Module], list[Tensor]], model: nn.Module) -> list[Tensor]:
    """Return `outputs(model)`, with the same random numbers in each call."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return outputs(model)


@torch.inference_mode()
def measure_mean_style(model: nn.Module, samples: int = 4096) -> None:
    """Fill a mapped generator's `mean_style` from its mapping network; others are left alone."""
    if not isinstance(model, Gan) or not isinstance(model.generator, MappedGenerator):
        return
    mapped, config = model.generator, model.generator.config
    z = torch.randn(samples, config.latent_dimensions, generator=generator(0, "mean-style", 0))
    for row, mean in enumerate(mapped.mean_style):
        labels = torch.full((samples,), row) if config.classes else None
        mean.copy_(mapped.mapping(z, labels).mean(dim=0))


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return f"{line.split(':', 1)[1].strip()} x {os.cpu_count()}"
    except OSError:
        pass
    return platform.processor() or platform.machine()
