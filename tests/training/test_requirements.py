"""What the worker would refuse is refused by whoever asks for the run, with the same sentence."""

import numpy as np
import pytest
import torch
from PIL import Image

from genimg import checkpoints, data
from genimg.cli import main
from genimg.jobs.manager import JobManager
from genimg.models.tokenizer import FsqTokenizer, FsqTokenizerConfig
from genimg.training import requirements
from genimg.training.planning import resolve
from genimg.training.presets import make_spec
from genimg.training.requesting import request_run
from genimg.training.requirements import Pictures, TokenizerNeeded, check, check_processes

GREY, COLOUR = Pictures("mine", 1, 10, 60), Pictures("mine", 3, 10, 60)


def make_pictures(root, classes, mode="RGB", count=4):
    numbers = np.random.default_rng(0)
    shape = (32, 32, 3) if mode == "RGB" else (32, 32)
    for name in classes:
        (root / name).mkdir(parents=True)
        for number in range(count):
            pixels = numbers.integers(0, 256, shape, np.uint8)
            Image.fromarray(pixels).save(root / name / f"{number}.png")
    return f"folder:{root}"


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("folders")
    return {
        "colour": make_pictures(root / "colour", ("cats", "dogs")),
        "grey": make_pictures(root / "grey", ("cats", "dogs"), mode="L"),
        "one class": make_pictures(root / "alone", ("cats",)),
        "one picture": make_pictures(root / "one", ("cats",), mode="L", count=1),
    }


@pytest.fixture(scope="module")
def tokenizers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tokenizers")
    for name, channels in (("grey", 1), ("colour", 3)):
        shape = FsqTokenizerConfig(size=32, channels=channels, widths=(8, 8, 8), levels=(4, 3))
        model = FsqTokenizer(shape)
        checkpoints.write(folder / name, kind="fsq-tokenizer", model=model, card={}, preview=b"")
    return folder


# preset, data set, settings, what the sentence says
UNFIT = [
    ("fashion-tokenizer", "grey", {"trained": "decoder"}, "name one in init"),
    (
        "fashion-gpt",
        "colour",
        {"tokenizer": "grey"},
        "reads grey pictures .* are colour ones; train",
    ),
    (
        "fashion-gpt",
        "grey",
        {"tokenizer": "colour"},
        "reads colour pictures .* are grey ones; train",
    ),
    # Whatever was set, there is one way out, and the sentence names that one.
    ("fashion-gpt", "colour", {"tokenizer": "grey", "channels": 1}, "train a tokenizer on these"),
    ("fashion-gpt", "colour", {"tokenizer": "grey", "channels": 3}, "train a tokenizer on these"),
    ("fashion-gpt", "colour", {"tokenizer": "grey"}, "preset portraits-tokenizer, the same data"),
    ("fashion-gpt", "grey", {"tokenizer": "colour"}, "preset fashion-tokenizer, the same data"),
    ("fashion-gpt", "grey", {"tokenizer": "grey", "size": 28}, "has size 32, .* set size to 32"),
    ("fashion-gpt", "grey", {"tokenizer": "grey", "levels": (4, 4)}, "set levels to"),
    ("fashion-gpt", "one picture", {"tokenizer": "grey"}, "none to validate with"),
    ("fashion-vit", "one class", {}, "all of one class"),
    ("fashion-features", "one class", {}, "all of one class"),
    ("fashion-mlp", "grey", {"size": 16}, "16 pixels; set size to 28, 32, 48 or 64"),
    ("fashion-features", "grey", {"size": 40}, "40 pixels; set size to"),
    ("fashion-tokenizer", "colour", {"size": 24}, "24 pixels; set size to"),
    ("fashion-vit", "colour", {"channels": 1}, "1 colour channels .* set it to 3"),
    ("fashion-style", "grey", {"classes": 1}, "1 classes .* set it to 2"),
    ("fashion-mlp", "grey", {"validations": 3}, "set validations to 0"),
    ("fashion-mlp", "grey", {"device": "cuda:99"}, "no device 'cuda:99'"),
]
each_unfit = pytest.mark.parametrize(("preset", "pictures", "settings", "words"), UNFIT)


def request(folders, tokenizers, preset, pictures, settings):
    settings = {"dataset": folders[pictures], "images": 8, "batch_size": 2} | settings
    if "tokenizer" in settings:
        settings["tokenizer"] = str(tokenizers / settings["tokenizer"])
    return preset, settings


@each_unfit
def test_a_run_that_could_not_start_leaves_nothing(
    folders, tokenizers, tmp_path, preset, pictures, settings, words
):
    preset, settings = request(folders, tokenizers, preset, pictures, settings)
    with pytest.raises(ValueError, match=words):
        request_run(preset, tmp_path / "run", **settings)
    assert not (tmp_path / "run").exists()


@each_unfit
def test_every_door_says_the_same(
    folders, tokenizers, tmp_path, capsys, preset, pictures, settings, words
):
    preset, settings = request(folders, tokenizers, preset, pictures, settings)
    facts = data.describe(settings["dataset"])
    spec = make_spec(
        preset,
        data_channels=facts["channels"],
        data_classes=max(2, len(facts["classes"])),
        **({"size": 32, "widths": (8, 8, 8), "levels": (4, 3)} if "gpt" in preset else {})
        | settings,
    )
    dataset = data.load(settings["dataset"], size=32)
    with pytest.raises(ValueError, match=words) as by_worker:
        resolve(spec, dataset)
    said = [str(by_worker.value)]
    device = settings.get("device")
    options = ["--device", "cpu"] if device is None else []
    for name, value in settings.items():
        if name == "size":  # the command line offers no other
            continue
        values = value if isinstance(value, tuple) else [value]
        options += [f"--{name.replace('_', '-')}", *map(str, values)]
    if "size" not in settings or settings["size"] in data.SIZES:
        if "size" in settings:
            options += ["--size", str(settings["size"])]
        runs = tmp_path / "runs"
        doors = [["train", "--out", str(tmp_path / "run")]]
        if device is None:  # jobs have devices of their own
            doors.append(["jobs", "start", "--runs", str(runs)])
        for door in doors:
            assert main([*door, "--preset", preset, *options]) == 2
            said.append(capsys.readouterr().err.strip().removeprefix("error: "))
        assert not (tmp_path / "run").exists()
        assert not [path for path in runs.glob("*") if path.is_dir() and path.name != "devices"]
    if device is None:
        with (
            JobManager(tmp_path / "others") as manager,
            pytest.raises(ValueError, match=words) as by,
        ):
            manager.estimate(preset, **settings)
        said.append(str(by.value))
    assert said == [said[0]] * len(said)


def test_what_fits_is_asked_for(folders, tokenizers, tmp_path):
    for preset, pictures, settings in [
        ("fashion-gpt", "colour", {"tokenizer": "colour"}),
        ("fashion-gpt", "one class", {"tokenizer": "colour"}),
        ("fashion-style", "one class", {}),
        ("fashion-mlp", "one picture", {}),
        ("fashion-vit", "colour", {"size": 48}),
        ("fashion-style", "grey", {"classes": 0}),
    ]:
        preset, settings = request(folders, tokenizers, preset, pictures, settings)
        spec = request_run(preset, tmp_path / f"{preset}-{pictures}", **settings).read_spec()
        assert spec.model.channels == data.describe(settings["dataset"])["channels"]


def test_a_tokenizer_that_is_needed_is_an_error_of_its_own(tokenizers):
    spec = make_spec(
        "fashion-gpt",
        data_channels=3,
        tokenizer=str(tokenizers / "grey"),
        size=32,
        widths=(8, 8, 8),
        levels=(4, 3),
    )
    with pytest.raises(TokenizerNeeded):
        check(spec, COLOUR)


def test_svhn_needs_scipy(monkeypatch):
    spec = make_spec("fashion-mlp", data_channels=3, size=32)
    svhn = Pictures("svhn", 3, 10, None)
    monkeypatch.setattr(requirements, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match="pip install scipy"):
        check(spec, svhn)
    monkeypatch.setattr(requirements, "find_spec", lambda name: name)
    check(spec, svhn)


def test_pictures_are_the_same_before_and_after_loading(folders):
    described = Pictures.described(data.describe(folders["colour"]))
    assert described == Pictures.loaded(data.load(folders["colour"], size=32))
    assert described[:4] == (folders["colour"], 3, 2, 6)
    assert Pictures.described(data.describe("cifar10") | {"images": None}).images is None


@pytest.mark.parametrize(
    ("device", "processes", "gpus", "reason"),
    [
        ("cpu", 3, 0, "batch_size 8 cannot be shared equally by 3 processes"),
        ("cuda", 2, 1, "2 processes need 2 CUDA devices and this machine has 1"),
        ("auto", 2, 1, "or for the device cpu"),
        ("cuda:1", 2, 2, "need the device cpu or cuda, not cuda:1"),
    ],
)
def test_processes_that_cannot_share_a_run(monkeypatch, device, processes, gpus, reason):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    spec = make_spec("fashion-mlp", batch_size=8, device=device)
    with pytest.raises(ValueError, match=reason):
        check_processes(spec.run, processes)
    if device != "cuda":
        with pytest.raises(ValueError, match=reason):
            check(spec, GREY, processes)
