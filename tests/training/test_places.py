"""A folder of runs is moved as a whole, and everything in it is found again."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from genimg import checkpoints
from genimg.models.tokenizer import FsqTokenizer, FsqTokenizerConfig
from genimg.training import places
from genimg.training.locating import locate
from genimg.training.requesting import request_run
from genimg.training.run_directory import RunDirectory
from genimg.training.running import train, train_run

SMALL = {"batch_size": 8, "threads": 1, "precision": "fp32", "device": "cpu", "sheets": 0}
MLP = SMALL | {"generator_widths": (16,), "discriminator_widths": (16,), "images": 80}
SHAPE = {"size": 32, "widths": (8, 8, 8), "levels": (4, 3)}


def make_pictures(folder, count=20, seed=0):
    numbers = np.random.default_rng(seed)
    for number in range(count):
        path = folder / ("cats", "dogs")[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(numbers.integers(0, 256, (32, 32), np.uint8)).save(path)
    return folder


def text_of(run) -> str:
    return (run.path / "spec.json").read_text()


def older(run, /, **names) -> None:
    """Write the names into a specification as they were written before."""
    spec = json.loads(text_of(run))
    for part, values in names.items():
        spec[part] |= values
    (run.path / "spec.json").write_text(json.dumps(spec))


@pytest.fixture
def root(tmp_path):
    make_pictures(tmp_path / "old" / "datasets" / "0123")
    return tmp_path / "old"


def test_what_lies_in_the_folder_of_the_runs_is_named_relative_to_it(root, tmp_path):
    mine = f"folder:{root / 'datasets' / '0123'}"
    run = request_run("fashion-mlp", root / "run", dataset=mine, **MLP)
    assert json.loads(text_of(run))["run"]["dataset"] == "folder:{runs}/datasets/0123"
    assert run.read_spec().run.dataset == mine
    assert train_run(run.path) == "succeeded"
    assert str(tmp_path) not in text_of(run)
    assert run.read_spec().resolved["dataset_source"] == str(root / "datasets" / "0123")


def test_a_moved_folder_of_runs_goes_on(root, tmp_path, monkeypatch):
    mine = f"folder:{root / 'datasets' / '0123'}"
    run = request_run("fashion-mlp", root / "run", dataset=mine, **MLP)
    stops = iter([False, False, True])
    assert train_run(run.path, should_stop=lambda: next(stops)) == "paused"
    root.rename(tmp_path / "new")
    moved = RunDirectory(tmp_path / "new" / "run")
    assert moved.read_spec().run.dataset == f"folder:{tmp_path / 'new' / 'datasets' / '0123'}"
    assert train_run(moved.path) == "succeeded"
    # The same command, from wherever it is given, is the same run.
    monkeypatch.chdir(tmp_path / "new")
    assert train("fashion-mlp", "run", dataset="folder:datasets/0123", **MLP)


@pytest.mark.parametrize("system", ["posix", "windows"])
def test_whole_paths_of_an_older_specification_are_found_in_the_moved_folder(
    root, tmp_path, system
):
    gone = {"posix": f"{root}/", "windows": "C:\\lab\\old\\"}[system]
    here = f"{gone}datasets/0123" if system == "posix" else f"{gone}datasets\\0123"
    run = request_run(
        "fashion-mlp", root / "run", dataset=f"folder:{root / 'datasets' / '0123'}", **MLP
    )
    stops = iter([False, True])
    train_run(run.path, should_stop=lambda: next(stops))
    older(run, run={"dataset": f"folder:{here}"}, resolved={"dataset_source": here})
    root.rename(tmp_path / "new")
    assert train_run(tmp_path / "new" / "run") == "succeeded"


def test_a_run_is_never_taken_for_pictures(root, tmp_path):
    run = request_run(
        "fashion-mlp", root / "run", dataset=f"folder:{root / 'datasets' / '0123'}", **MLP
    )
    request_run("fashion-mlp", root / "cats", dataset="fashion-mnist", **MLP)
    older(run, run={"dataset": "folder:/gone/cats"})
    assert run.read_spec().run.dataset == "folder:/gone/cats"


@pytest.mark.parametrize("as_before", [False, True])
def test_the_tokenizer_of_another_run_moves_along(root, tmp_path, as_before):
    dataset = f"folder:{root / 'datasets' / '0123'}"
    train("fashion-tokenizer", root / "tok", dataset=dataset, images=16, **SHAPE, **SMALL)
    small = {"width": 16, "layers": 1, "heads": 2, "validations": 0, "images": 16}
    gpt = {"dataset": dataset, "tokenizer": str(root / "tok"), **small, **SMALL}
    run = request_run("fashion-gpt", root / "gpt", **gpt)
    assert json.loads(text_of(run))["task"]["tokenizer"] == "{runs}/tok"
    if as_before:
        older(run, task={"tokenizer": str(root / "tok")}, run={"dataset": dataset})
    root.rename(tmp_path / "new")
    moved = RunDirectory(tmp_path / "new" / "gpt")
    assert moved.read_spec().task.tokenizer == str(tmp_path / "new" / "tok")
    assert train_run(moved.path) == "succeeded"


def test_tokenizers_that_ship_or_are_hosted_keep_their_names(tmp_path):
    for name in ("fashion-tokenizer", "hf://owner/repository"):
        values = {"run": {}, "task": {"tokenizer": name}, "resolved": {}}
        assert places.kept(values, tmp_path) == places.found(values, tmp_path) == values


def test_pictures_elsewhere_are_named_by_their_whole_path(root, tmp_path, monkeypatch):
    elsewhere = make_pictures(tmp_path / "photos")
    monkeypatch.chdir(tmp_path)
    run = request_run("fashion-mlp", root / "run", dataset="folder:photos", **MLP)
    assert json.loads(text_of(run))["run"]["dataset"] == f"folder:{elsewhere}"
    older(run, run={"dataset": "folder:photos"})  # as it was given, once
    assert run.read_spec().run.dataset == f"folder:{elsewhere}"
    assert request_run("fashion-mlp", root / "run", dataset="folder:photos", **MLP)


def test_pictures_that_moved_are_located(root, tmp_path):
    elsewhere = make_pictures(tmp_path / "photos")
    command = {"dataset": f"folder:{elsewhere}", **MLP}
    run = request_run("fashion-mlp", root / "run", **command)
    stops = iter([False, True])
    train_run(run.path, should_stop=lambda: next(stops))
    elsewhere.rename(tmp_path / "pictures")
    with pytest.raises(ValueError, match=r"data locate folder:.*photos PATH --runs .*old"):
        train_run(run.path)
    make_pictures(tmp_path / "fewer", count=4)
    with pytest.raises(ValueError, match="began with 18 other pictures than the 2 in"):
        locate(root, f"folder:{elsewhere}", tmp_path / "fewer")
    with pytest.raises(ValueError, match=r"no run in .* they learn from are: folder:.*photos"):
        locate(root, "folder:/nowhere", tmp_path / "pictures")
    with pytest.raises(ValueError, match="there is no folder"):
        locate(root, f"folder:{elsewhere}", tmp_path / "nowhere")
    assert locate(root, f"folder:{elsewhere}", tmp_path / "pictures") == ["run"]
    assert run.read_spec().run.dataset == f"folder:{tmp_path / 'pictures'}"
    # The command that began it still is its command.
    assert train("fashion-mlp", root / "run", **command)
    assert run.read_spec().resolved["dataset_images"] == 18
    # And again, by either name, from a folder of runs that has moved meanwhile.
    root.rename(tmp_path / "new")
    for name, place in ((elsewhere, "third"), (tmp_path / "third", "fourth")):
        newest = tmp_path / ("pictures" if place == "third" else "third")
        newest.rename(tmp_path / place)
        assert locate(tmp_path / "new", f"folder:{name}", tmp_path / place) == ["run"]
        moved = RunDirectory(tmp_path / "new" / "run")
        assert moved.read_spec().run.dataset == f"folder:{tmp_path / place}"


@pytest.mark.parametrize("content", ["", "[]", '{"a": 3}', "{", "\x00"])
def test_a_damaged_list_of_places_is_none(root, content):
    (root / "places.json").write_text(content)
    mine = f"folder:{root / 'datasets' / '0123'}"
    run = request_run("fashion-mlp", root / "run", dataset=mine, **MLP)
    assert run.read_spec().run.dataset == mine


@pytest.mark.parametrize("path", ["a\0b", "x" * 5000, "../" * 50 + "etc", "", "{runs}/../../etc"])
def test_impossible_paths_are_for_others_to_refuse(root, path):
    values = {"run": {"dataset": f"folder:{path}"}, "task": {"tokenizer": path}, "resolved": {}}
    kept = places.kept(values, root)
    assert places.found(kept, root)["run"]["dataset"].startswith("folder:")


@pytest.mark.parametrize(
    "values", [None, [], 3, {}, {"run": 3}, {"run": {}, "task": [], "resolved": {}}]
)
def test_what_is_no_specification_stays_as_it_is(root, values):
    assert places.kept(values, root) == places.found(values, root) == values


def test_fingerprints():
    assert places.fingerprint("/a (b)/c (sha256 0123abcd)") == "0123abcd"
    assert places.fingerprint("/a/b") is None
    assert places.fingerprint("/a (sha256 01)/b") is None


def test_a_tokenizer_is_found_by_what_holds_it(root, tmp_path):
    model = FsqTokenizer(FsqTokenizerConfig(**SHAPE))
    torch.manual_seed(0)
    checkpoints.write(root / "mine", kind="fsq-tokenizer", model=model, card={}, preview=b"")
    values = {"run": {}, "task": {"tokenizer": "/gone/mine"}, "resolved": {}}
    assert places.found(values, root)["task"]["tokenizer"] == str(root / "mine")
    values = {"run": {}, "task": {"tokenizer": "/gone/datasets"}, "resolved": {}}
    assert places.found(values, root)["task"]["tokenizer"] == "/gone/datasets"


@pytest.mark.parametrize("setting", ["init", "extend"])
def test_the_models_that_a_run_began_with_move_along(root, setting):
    request_run("fashion-mlp", root / "old", dataset="fashion-mnist", **MLP)
    values = {"run": {setting: str(root / "old")}, "task": {}, "resolved": {}}
    kept = places.kept(values, root)
    assert kept["run"] == {setting: "{runs}/old"}
    root.rename(root.with_name("elsewhere"))
    found = places.found(kept, root.with_name("elsewhere"))
    assert found["run"] == {setting: str(root.with_name("elsewhere") / "old")}
    shipped = {"run": {setting: "fashion-style"}, "task": {}, "resolved": {}}
    assert places.kept(shipped, root) == shipped
