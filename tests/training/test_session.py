import numpy as np
import pytest
from PIL import Image

from genimg.data.drawing import Names
from genimg.data.registry import published
from genimg.training.session import request_run, request_spec, train_run


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


@pytest.mark.parametrize("setting", [{"patience": 2}])
def test_what_a_run_would_ignore_is_refused(tmp_path, setting):
    (name,) = setting
    with pytest.raises(ValueError, match=f"{name} would change nothing"):
        request_run("fashion-mlp", tmp_path / "run", **setting)
    assert not (tmp_path / "run").exists()


def test_a_run_is_asked_by_pictures_or_by_minutes(tmp_path):
    with pytest.raises(ValueError, match="by images or by minutes, not by both"):
        request_run("fashion-mlp", tmp_path / "run", images=100, minutes=1)
    assert request_run("fashion-mlp", tmp_path / "run", images=0, minutes=1).path.exists()


def test_a_network_learns_the_attributes_of_its_data_set_unless_told_otherwise():
    spec = request_spec("portraits-features")
    design = published()["portraits"].design
    heads = spec.model.heads()
    assert [head.name for head in heads] == list(design.attributes)
    for head, kind in zip(heads, design.attributes.values(), strict=True):
        if isinstance(kind, Names):
            assert head.values == kind.values
        else:
            assert (head.values, head.cyclic) == ((), kind.cyclic)
    assert (spec.run.dataset, spec.model.channels) == ("portraits", 3)
    assert request_spec("critters-features").model.heads()[0].name == "body"
    assert request_spec("portraits-features", dataset="critters").model.heads()[0].name == "body"
    mine = request_spec("portraits-features", attributes=["beard: no, yes"])
    assert mine.model.attributes == ("beard: no, yes",)


def test_data_without_attributes_cannot_teach_them():
    with pytest.raises(ValueError, match="mnist has no named attributes to learn; choose one of"):
        request_spec("portraits-features", dataset="mnist")
