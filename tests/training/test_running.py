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
