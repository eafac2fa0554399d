import numpy as np
import pytest
from PIL import Image

from genimg.training.running import train_run


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
