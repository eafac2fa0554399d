import io
import signal
from dataclasses import dataclass

import pytest
import torch
from PIL import Image

from genimg import checkpoints, data
from genimg.cli import main
from genimg.data import torchvision_sets
from genimg.models import kind_named
from genimg.training.presets import PRESETS, settings_of


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def bundled_data(monkeypatch, tmp_path):
    """Only the bundled sample of Fashion-MNIST is there."""
    monkeypatch.delenv("GENIMG_DATA", raising=False)
    monkeypatch.setattr(torchvision_sets, "DEBIAN_FOLDER", tmp_path / "no-debian-folder")


@pytest.fixture(scope="session")
def shelf(tmp_path_factory, small_config, alive):
    """A folder with five untrained checkpoints."""
    folder = tmp_path_factory.mktemp("shelf")
    buffer = io.BytesIO()
    Image.new("L", (8, 8)).save(buffer, "png")
    torch.manual_seed(0)
    for name, kind, classes in [
        ("tiny-style", "stylegan", 10),
        ("tiny-mlp", "mlp-gan", 0),
        ("fashion-features", "classifier", 10),
    ]:
        model = kind_named(kind).build(small_config(kind, 32, 1, classes))
        card = {
            "title": f"Untrained {kind}",
            "dataset": "fashion-mnist",
            "size": 32,
            "classes": data.describe("fashion-mnist")["classes"],
            "parameters": {"all": 1},
        }
        checkpoints.write(
            folder / name, kind=kind, model=alive(model), card=card, preview=buffer.getvalue()
        )
    for name in ("fashion-tokenizer", "portraits-tokenizer"):
        tokenizer = settings_of(PRESETS[name])["model"]
        checkpoints.write(
            folder / name,
            kind="fsq-tokenizer",
            model=alive(kind_named("fsq-tokenizer").build(tokenizer)),
            card={"title": "Untrained fsq-tokenizer"},
            preview=buffer.getvalue(),
        )
    return folder


AUTOENCODER = {"size": 16, "widths": (8, 8, 8)}
TRANSFORMER = {"width": 16, "layers": 2, "heads": 2}
TINY = {
    "gpt": ("image-gpt", AUTOENCODER | TRANSFORMER | {"levels": (4, 3)}),
    "maskgit": ("maskgit", AUTOENCODER | TRANSFORMER | {"levels": (4, 3)}),
    "vit": ("vision-transformer", TRANSFORMER | {"size": 16}),
    "tokenizer": ("fsq-tokenizer", AUTOENCODER | {"levels": (4, 3)}),
}


@pytest.fixture(scope="session")
def transformers(tmp_path_factory, alive):
    """A folder with the untrained checkpoints gpt, maskgit, vit and tokenizer, of 16 pixels."""
    folder = tmp_path_factory.mktemp("transformers")
    torch.manual_seed(0)
    for name, (kind, fields) in TINY.items():
        model = alive(kind_named(kind).build(kind_named(kind).config(**fields)), 0.3)
        card = {"classes": data.describe("fashion-mnist")["classes"]}
        checkpoints.write(folder / name, kind=kind, model=model, card=card, preview=b"")
    return folder


@pytest.fixture
def call(monkeypatch, capsys, shelf):
    """Run the command line in this process, with the shelf's checkpoints as the shipped ones."""
    monkeypatch.setattr(checkpoints, "SHIPPED", shelf)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def run(*arguments: object) -> Outcome:
        capsys.readouterr()
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as leaving:
            code = leaving.code
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    yield run
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture
def refuse(call):
    """Run the command line, require exit code 2 and one line of error, and return that line."""

    def run(*arguments: object) -> str:
        outcome = call(*arguments)
        lines = outcome.err.splitlines()
        assert outcome.code == 2
        assert len(lines) == 1
        assert lines[0].startswith("error: ")
        assert not outcome.out
        return lines[0]

    return run
