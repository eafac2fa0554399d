import itertools
import random
import signal

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import TensorDataset

from genimg import data, load
from genimg.data.attributes import Attribute
from genimg.training.run_directory import RunDirectory
from genimg.training.running import train, train_run
from genimg.training.worker import main

SETTINGS = {"images": 240, "batch_size": 8, "sheets": 0, "precision": "fp32", "device": "cpu"}
SETTINGS |= {"threads": 2, "generator_widths": (16,), "discriminator_widths": (16,)}


@pytest.fixture
def train_small(tmp_path, monkeypatch, dataset):
    """`train` on made-up pictures; returns the run."""
    monkeypatch.setattr("genimg.data.load", lambda *arguments, **options: dataset)

    def run(name="run", **options) -> RunDirectory:
        options = {"progress": False} | options
        return RunDirectory(train("fashion-mlp", tmp_path / name, **SETTINGS, **options))

    return run


def test_random_numbers_and_threads_stay_as_they_were(train_small):
    torch.manual_seed(1)
    random.seed(1)
    np.random.seed(1)
    expected = torch.rand(3), random.random(), np.random.random()
    torch.manual_seed(1)
    random.seed(1)
    np.random.seed(1)

    def disturb(report):
        assert torch.get_num_threads() == 2
        random.random()
        np.random.random()

    train_small(callbacks=[disturb])
    assert torch.get_num_threads() == 1
    assert torch.equal(torch.rand(3), expected[0])
    assert (random.random(), np.random.random()) == expected[1:]


def test_a_callback_may_look_at_everything_and_changes_nothing(train_small, result):
    seen = []

    def look(report):
        sheet = report.sheet()
        seen.append((report["images_seen"], sheet.shape, sheet))
        assert report.average.state_dict().keys() == report.model.generator.state_dict().keys()
        torch.rand(5)  # every step has random numbers of its own

    watched, alone = train_small("watched", callbacks=[look]), train_small("alone")
    assert result(watched) == result(alone)
    assert [place for place, _, _ in seen] == [8, 80, 160, 240]
    assert {shape for _, shape, _ in seen} == {(40, 32, 32, 1)}
    assert not np.array_equal(seen[0][2], seen[-1][2])


def press() -> None:
    signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("from_callback", [False, True])
def test_ctrl_c_saves_and_the_same_call_goes_on(train_small, result, from_callback):
    def stop(report):
        if report["images_seen"] == 80:
            if from_callback:
                raise KeyboardInterrupt
            press()

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt, match="is saved; to go on, train again"):
            train_small(callbacks=[stop])
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    run = train_small()
    assert run.attempt_numbers() == [1, 2]
    assert run.read_metrics()[2]["images_seen"] == 160
    assert len(run.read_metrics()) == 4
    assert result(run) == result(train_small("calm"))


def test_the_callers_own_wish_to_stop_returns(train_small):
    steps = itertools.count(1)
    run = train_small(should_stop=lambda: next(steps) == 4)
    assert run.read_metrics()[-1]["images_seen"] == 8
    assert train_small().read_metrics()[-1]["images_seen"] == 240


def test_progress_is_shown_unless_it_is_switched_off(train_small, capsys):
    train_small()
    assert capsys.readouterr().err == ""
    train_small("shown", progress=True)
    assert capsys.readouterr().err.splitlines()[-1].startswith("240 of 240 images")
    with pytest.raises(ValueError, match="progress must be True or False, not 'no'"):
        train_small("refused", progress="no")


@pytest.mark.parametrize(
    ("device", "processes", "gpus", "reason"),
    [
        ("cpu", 3, 0, "batch_size 8 cannot be shared equally by 3 processes"),
        ("cuda", 2, 1, "2 processes need 2 CUDA devices and this machine has 1"),
        ("auto", 2, 1, "or for the device cpu"),
        ("cuda:1", 2, 2, "need the device cpu or cuda, not cuda:1"),
    ],
)
def test_processes_that_cannot_share_a_run(make_run, monkeypatch, device, processes, gpus, reason):
    monkeypatch.setattr("torch.cuda.device_count", lambda: gpus)
    run = make_run(preset="fashion-mlp", device=device)
    with pytest.raises(ValueError, match=reason):
        train_run(run.path, processes=processes)
    assert run.attempt_numbers() == []


def test_files_that_are_skipped_are_said_in_one_line(tmp_path, make_run, caplog):
    folder = tmp_path / "mine" / "cats"
    folder.mkdir(parents=True)
    for seed in range(10):
        pixels = np.random.default_rng(seed).integers(0, 256, (32, 32), np.uint8)
        Image.fromarray(pixels).save(folder / f"{seed}.png")
    (folder / "bad\x1b.png").write_bytes(b"GIF89a")
    (folder / "worse.png").write_bytes(b"")
    run = make_run(preset="fashion-mlp", dataset=f"folder:{tmp_path / 'mine'}", images=16)
    assert train_run(run.path) == "succeeded"
    assert [record.getMessage() for record in caplog.records if "skipped" in record.message] == [
        "2 files skipped; first: cats/bad\\x1b.png: it is not a PNG, JPEG or WebP picture"
    ]


GIVEN = {"images": 64, "batch_size": 8, "device": "cpu", "threads": 1, "precision": "fp32"}
GIVEN |= {"generator_widths": (8,), "discriminator_widths": (8,)}


@pytest.fixture(scope="module")
def pictures():
    """Pictures that are no data set of ours: 20 pixels, three classes."""
    images = torch.randint(0, 256, (40, 3, 20, 20), dtype=torch.uint8)
    return TensorDataset(images, torch.arange(40) % 3)


def stop_after(steps):
    answers = iter([False] * steps + [True] * 100)
    return lambda: next(answers)


def test_pictures_that_are_given_are_learnt_and_the_run_resumes_to_the_bit(
    tmp_path, pictures, result
):
    whole = train("fashion-mlp", tmp_path / "whole", dataset=pictures, **GIVEN)
    model = load(whole)
    assert model.sample(2).shape == (2, 32, 32, 3)
    assert model.info["dataset"].startswith("memory:")
    assert model.info["dataset_source"].startswith("TensorDataset, given in Python (sha256 ")
    parts = tmp_path / "parts"
    train("fashion-mlp", parts, dataset=pictures, should_stop=stop_after(3), **GIVEN)
    assert RunDirectory(parts).read_metrics()[-1]["images_seen"] < GIVEN["images"]
    train("fashion-mlp", parts, dataset=data.given_dataset(pictures), **GIVEN)
    assert result(RunDirectory(parts)) == result(RunDirectory(whole))


def test_a_run_of_pictures_that_were_given_says_what_to_give_again(tmp_path, pictures, capsys):
    run = train(
        "fashion-mlp", tmp_path / "run", dataset=pictures, should_stop=stop_after(2), **GIVEN
    )
    with pytest.raises(ValueError, match=r"give the same pictures again: genimg.train\('fashion"):
        train_run(run)
    assert main([str(run)]) == 2  # the worker
    assert "give the same pictures again" in capsys.readouterr().err
    others = TensorDataset(*pictures[:20])
    with pytest.raises(ValueError, match=r"learns from TensorDataset, given.*is something else"):
        train("fashion-mlp", run, dataset=others, **GIVEN)
    with pytest.raises(ValueError, match="one process"):
        train("fashion-mlp", run, dataset=pictures, processes=2, **GIVEN)
    with pytest.raises(ValueError, match="kept nowhere; give the same ones again"):
        train("fashion-mlp", tmp_path / "x", dataset=data.given_dataset(pictures).name, **GIVEN)


def test_what_is_no_data_set_leaves_nothing(tmp_path):
    for wrong in (None, 7, [1, 2]):
        with pytest.raises(ValueError, match=r"map-style|must be"):
            train("fashion-mlp", tmp_path / "run", dataset=wrong, **GIVEN)
    assert not (tmp_path / "run").exists()


def test_attributes_that_are_given_are_learnt(tmp_path):
    hues = {"hue": Attribute((), torch.rand(12), cyclic=True)}
    images = torch.randint(0, 256, (12, 3, 32, 32), dtype=torch.uint8)
    given = data.Dataset("hues", images, torch.zeros(12, dtype=torch.int64), ("all",), "", (), hues)
    small = {"images": 24, "batch_size": 4, "device": "cpu", "widths": (8, 8), "size": 32}
    run = train("portraits-features", tmp_path / "run", dataset=given, **small)
    assert [str(head) for head in load(run).heads] == ["hue: cyclic"]
    bare = data.Dataset("bare", given.images, given.labels, ("all",), "")
    with pytest.raises(ValueError, match="no named attributes to learn; give some that have"):
        train("portraits-features", tmp_path / "bare", dataset=bare, **small)
