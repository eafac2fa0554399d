"""One model on disk, one model in memory: the only reader and writer of checkpoint folders.

    NAME/config.json          kind, architecture, format version
    NAME/model.safetensors    averaged (EMA) weights; matrices in float16, the rest in float32
    NAME/card.json            data set, classes, pictures seen, minutes, hardware, metrics, license
    NAME/preview.png          what it makes
    NAME/README.md            the card for people
    NAME/directions.safetensors  of a mapped GAN: directions whose names are in the card
    NAME/trail/               of a GAN: snapshots of its training; see `genimg.trails`

A checkpoint may come from a stranger. Nothing in it is executed; every name, shape and dtype is
compared with the configuration before any memory is taken for the weights; and every entry of the
card must have the type that `genimg.model_card` gives it.
"""

import json
import math
import os
import re
import shutil
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from genimg.configuration import Configuration
from genimg.model_card import card_text, check_card
from genimg.models import kind_named
from genimg.models.blueprint import blueprint, without_values
from genimg.models.gan import Gan
from genimg.storage import atomic_write, flush_directory, read_json, write_json

FORMAT = 1
_PACKAGE = Path(__file__).resolve().parent
# In the source tree the checkpoints lie beside the package; an installed package has them inside.
_INSTALLED = _PACKAGE / "shipped"
SHIPPED = _INSTALLED if _INSTALLED.is_dir() else _PACKAGE.parent / "checkpoints"
_DIRECTIONS = "directions.safetensors"
_FILES = ("config.json", "model.safetensors", "preview.png", "card.json", "README.md")
TRAIL = "trail"
DRAFT = ".new"
"""Folder inside a checkpoint's: the next version is written there, and read back, first."""
_MAXIMUM_HEADER_BYTES = 4 * 2**20
_DTYPES = {"F16": torch.float16, "F32": torch.float32, "I64": torch.int64, "BOOL": torch.bool}


class CheckpointError(ValueError):
    """A checkpoint that cannot be used; the message is one sentence for the user."""


@dataclass(slots=True)
class Checkpoint:
    """A model with what is known about it."""

    name: str
    kind: str
    # Their classes depend on the kind, which a type checker cannot tell from its name.
    config: Any
    model: Any
    card: dict[str, Any]
    path: Path
    directions: dict[str, Tensor] = field(default_factory=dict)
    """Named moves of the style, float32 (style dimensions,) each, in the order of the card."""

    def class_names(self) -> tuple[str, ...]:
        """Return the card's class names in the order of the labels; empty without classes.

        Raises:
            CheckpointError: the card does not name as many classes as the model has.
        """
        count = getattr(self.config, "classes", 0)  # a tokenizer knows nothing of classes
        if not count:
            return ()
        classes = self.card.get("classes")
        if not isinstance(classes, list) or len(classes) != count:
            raise CheckpointError(f"the card of {self.name} must list the names of {count} classes")
        return tuple(classes)


def names(folder: Path | None = None) -> list[str]:
    """Return the names of the checkpoints in `folder` (default: those that ship), sorted."""
    folder = folder or SHIPPED
    found = (path.parent.relative_to(folder) for path in folder.glob("**/config.json"))
    return sorted(path.as_posix() for path in found if path.name != DRAFT)


def find(name: str | os.PathLike) -> Path:
    """Return the folder of a checkpoint: a shipped name, a path, or `hf://owner/repository`.

    Raises:
        CheckpointError: nothing is there; the sentence lists the names that are known.
    """
    text = os.fspath(name)
    if text.startswith("hf://"):
        return _download(text)
    if text in names():
        return SHIPPED / text
    path = Path(text)
    if os.path.isfile(path / "config.json"):  # unlike Path.is_file, False for impossible names
        return path
    raise CheckpointError(
        f"there is no checkpoint {text!r}; give the path of a checkpoint folder, or one of"
        f" {', '.join(names())}"
    )


def _download(address: str) -> Path:
    match = re.fullmatch(r"hf://([\w.-]+/[\w.-]+)", address)
    if not match:
        raise CheckpointError(f"{address!r} is not of the form hf://owner/repository")
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(match[1], allow_patterns=[*_FILES, _DIRECTIONS]))
    except Exception as error:  # every kind of network trouble, each with its own class
        reason = " ".join(str(error).split())  # the hub's messages have several lines
        raise CheckpointError(f"{address} could not be downloaded: {reason}") from None


def read(name: str | os.PathLike) -> Checkpoint:
    """Read a checkpoint onto the CPU, in evaluation mode, with float32 weights.

    Raises:
        CheckpointError: it is missing, corrupt, of a newer format, or its weights do not match its
            configuration; refused before memory is allocated for the weights.
    """
    path = find(name)
    config_json = _read_object(path / "config.json")
    card = read_card(path)
    if config_json.get("format") != FORMAT:
        raise CheckpointError(
            f"the checkpoint {path} has format {config_json.get('format')!r}, but this version of"
            f" genimg reads format {FORMAT}"
        )
    kind, config = architecture(config_json, path)
    model = assemble(kind, config, path / "model.safetensors")
    directions = _read_directions(path, card, config)
    return Checkpoint(os.fspath(name), kind, config, model, card, path, directions)


def read_card(directory: Path) -> dict[str, Any]:
    """Return the checked card of a checkpoint folder, {} where it has none.

    Raises:
        CheckpointError: it cannot be read, or an entry has the wrong type; the sentence names it.
    """
    if not (directory / "card.json").is_file():
        return {}
    card = _read_object(directory / "card.json")
    try:
        check_card(card)
    except ValueError as error:
        raise CheckpointError(f"the card in {directory} is damaged: {error}") from None
    return card


def _read_directions(path: Path, card: dict[str, Any], config: Configuration) -> dict[str, Tensor]:
    """Return the directions that the card names; {} where it names none."""
    named = [entry["name"] for entry in card.get("directions", [])]
    if not named:
        return {}
    file, shape = path / _DIRECTIONS, [len(named), getattr(config, "style_dimensions", 0)]
    if _read_header(file) != {"directions": (torch.float32, shape)}:
        raise CheckpointError(
            f"{file} does not fit its card and configuration: it must hold directions {shape}"
        )
    vectors = load_file(file)["directions"].clone()
    if not torch.isfinite(vectors).all():
        raise CheckpointError(f"{file} holds numbers that are not finite")
    return dict(zip(named, vectors, strict=True))


def write_directions(
    directory: str | os.PathLike, vectors: Tensor, named: list[dict[str, Any]]
) -> None:
    """Give a checkpoint directions with names, in place of those it had.

    Args:
        vectors: float32 (N, style dimensions), moves of the style.
        named: for the card, the `name` of each and its `effects`: by how many standard
            deviations adding it moves each property.

    Raises:
        CheckpointError: its card cannot be read.
        ValueError: the new card could not be read again.
        OSError: as for `write`.
    """
    directory = Path(directory)
    card = read_card(directory) | {"directions": named}
    check_card(card)
    atomic_write(directory / _DIRECTIONS, save({"directions": vectors.float().contiguous()}))
    write_card(directory, card)


def _read_object(file: Path) -> dict[str, Any]:
    try:
        content = read_json(file)
    except (OSError, ValueError) as error:
        raise CheckpointError(f"the checkpoint {file.parent} cannot be read: {error}") from None
    if not isinstance(content, dict):
        raise CheckpointError(
            f"the checkpoint {file.parent} cannot be read: {file.name} is not an object"
        )
    return content


def architecture(config_json: dict[str, Any], path: Path) -> tuple[str, Configuration]:
    """Return the kind and the checked configuration that `config.json` describes."""
    try:
        kind = config_json.get("kind")
        return str(kind), kind_named(str(kind)).config.from_dict(config_json.get("model"))
    except ValueError as error:
        raise CheckpointError(f"{path} does not describe a model: {error}") from None


def assemble(kind: str, config: Configuration, weights: Path) -> nn.Module:
    """Build a model from a safetensors file, checking everything before memory is taken.

    A GAN file may lack every `discriminator.` tensor: then the model has no discriminator.

    Raises:
        CheckpointError: as for `read`.
    """
    header = _read_header(weights)
    try:
        model = blueprint(kind, config)
    except ValueError as error:
        raise CheckpointError(str(error)) from None
    if isinstance(model, Gan) and not any(name.startswith("discriminator.") for name in header):
        model.discriminator = None
    expected = model.state_dict()
    for tensor in sorted(set(expected) ^ set(header)):
        what = "lacks" if tensor in expected else "has an unknown tensor"
        raise CheckpointError(f"{weights} does not fit its configuration: it {what} {tensor!r}")
    for tensor, (dtype, shape) in header.items():
        if shape != list(expected[tensor].shape):
            raise CheckpointError(
                f"{weights} does not fit its configuration: {tensor} has shape {shape}, not"
                f" {list(expected[tensor].shape)}"
            )
        if dtype.is_floating_point != expected[tensor].is_floating_point():
            raise CheckpointError(f"{weights} does not fit its configuration: {tensor} is {dtype}")

    try:
        tensors = load_file(weights)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"{weights} is corrupt: {error}") from None
    for tensor, value in tensors.items():
        if value.is_floating_point() and not torch.isfinite(value).all():
            raise CheckpointError(f"{weights} holds numbers that are not finite in {tensor}")
    # Copies, because what was loaded may be a view of the file, which others could change.
    tensors = {k: value.to(expected[k].dtype, copy=True) for k, value in tensors.items()}
    model.load_state_dict(tensors, assign=True)  # replaces the tensors that have no memory
    if nameless := without_values(model):
        raise CheckpointError(
            f"the {kind} cannot be made again from its configuration: no file holds its"
            f" {nameless}; register it as a persistent buffer, or compute it in forward"
        )
    return model.eval().requires_grad_(False)


def _read_header(path: Path) -> dict[str, tuple[torch.dtype, list[int]]]:
    """Return dtype and shape of each tensor without reading any; all claims are checked."""
    if not path.is_file():
        raise CheckpointError(f"there is no file {path}")
    try:
        with path.open("rb") as file:
            file_bytes = os.fstat(file.fileno()).st_size
            prefix = file.read(8)
            length = struct.unpack("<Q", prefix)[0] if len(prefix) == 8 else 0
            if not 0 < length <= min(_MAXIMUM_HEADER_BYTES, file_bytes - 8):
                raise ValueError("its header has an impossible length")
            header = json.loads(file.read(length))
        header.pop("__metadata__", None)
        entries, claimed = {}, 0
        for name, entry in header.items():
            dtype, shape = _DTYPES[entry["dtype"]], entry["shape"]
            if not all(isinstance(size, int) and size >= 0 for size in shape):
                raise ValueError(f"{name!r} has an impossible shape")
            begin, end = entry["data_offsets"]
            if end - begin != dtype.itemsize * math.prod(shape):
                raise ValueError(f"{name!r} claims another size than its shape has")
            claimed += end - begin
            entries[name] = (dtype, shape)
        if claimed != file_bytes - 8 - length:
            raise ValueError("it was cut short or has bytes that belong to no tensor")
    except KeyError as error:
        raise CheckpointError(f"{path} is corrupt: unknown entry or dtype {error}") from None
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise CheckpointError(f"{path} is corrupt: {error}") from None
    return entries


def check_destination(directory: str | os.PathLike) -> None:
    """Refuse a folder in which `write` would replace what is not its own.

    A folder that is not there, that is empty but for hidden files, or that holds a checkpoint, may
    be written to.

    Raises:
        ValueError: it holds something else.
        OSError: it cannot be read, or is a file.
    """
    directory = Path(directory)
    try:
        if all(path.name.startswith(".") for path in directory.iterdir()):
            return
    except FileNotFoundError:
        return
    try:
        architecture(_read_object(directory / "config.json"), directory)
    except CheckpointError:
        raise ValueError(
            f"{directory} is not empty and holds no checkpoint of genimg; choose another folder"
        ) from None


def write(
    directory: str | os.PathLike,
    *,
    kind: str,
    model: Any,
    card: dict[str, Any],
    preview: bytes,
) -> Path:
    """Write a checkpoint folder, replacing files of the same names one by one.

    Args:
        model: has `config`; its weights are stored in float16 where they are matrices.
        card: JSON-ready facts about the training.
        preview: a PNG.

    Raises:
        OSError: the folder is not writable or the disk is full.
        ValueError: a weight is not finite, or too large for float16, or `check_card` or
            `check_destination` refuses.
    """
    check_card(card)  # before anything is replaced
    check_destination(directory)
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    weights = packed(model)
    # First the file that shows whose folder it is: then a write that was cut off can be repeated.
    write_json(
        directory / "config.json", {"format": FORMAT, "kind": kind, "model": model.config.to_dict()}
    )
    atomic_write(directory / "model.safetensors", weights)
    atomic_write(directory / "preview.png", preview)
    write_card(directory, card)
    (directory / _DIRECTIONS).unlink(missing_ok=True)  # they belonged to other weights
    return directory


def packed(model: nn.Module) -> bytes:
    """Return the weights of a model as a safetensors file; see `kept_tensors`."""
    return save(kept_tensors(model))


def kept_tensors(model: nn.Module) -> dict[str, Tensor]:
    """Return the weights of a model by name as a checkpoint keeps them, matrices in float16.

    Raises:
        ValueError: a weight is not finite, too large for float16, or of a type that no file keeps.
    """
    return {name: _compact(name, value) for name, value in model.state_dict().items()}


def adopt(directory: Path) -> None:
    """Let the checkpoint in `directory / DRAFT` take the place of the one in `directory`.

    Raises:
        OSError: as for `write`.
    """
    draft = directory / DRAFT
    for name in _FILES:  # first the file that shows whose folder it is
        os.replace(draft / name, directory / name)
    (directory / _DIRECTIONS).unlink(missing_ok=True)  # they belonged to other weights
    shutil.rmtree(directory / TRAIL, ignore_errors=True)
    if (draft / TRAIL).is_dir():
        os.rename(draft / TRAIL, directory / TRAIL)
    draft.rmdir()
    flush_directory(directory)


def _compact(name: str, value: Tensor) -> Tensor:
    # Statistics (batch norm, spectral norm, mean styles) are small and used as divisors: keep them.
    matrix = value.dim() >= 2 and value.dtype == torch.float32 and "mean_style" not in name
    stored = value.detach().cpu().to(torch.float16 if matrix else value.dtype).contiguous()
    if stored.dtype not in _DTYPES.values():
        raise ValueError(f"{name} is {stored.dtype}; a checkpoint keeps float32, int64 and bool")
    if stored.is_floating_point() and not torch.isfinite(stored).all():
        raise ValueError(f"{name} holds numbers that a checkpoint cannot keep; train it again")
    return stored


def write_card(directory: str | os.PathLike, card: dict[str, Any]) -> None:
    """Write `card.json` and the same facts as `README.md`.

    Raises:
        ValueError: an entry has the wrong type, so that the card could not be read again.
        OSError: as for `write`.
    """
    check_card(card)
    directory = Path(directory)
    write_json(directory / "card.json", card)
    atomic_write(directory / "README.md", card_text(card))
