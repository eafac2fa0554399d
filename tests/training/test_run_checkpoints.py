import os
import resource
import signal

import pytest
import torch

from genimg.training import run_checkpoints

TENSORS = {
    "model": {"weight": torch.arange(600.0).view(2, 300)},
    "ema": {"weight": torch.zeros(3, dtype=torch.bfloat16)},
    "optimizer": {},
}


def save(folder, step, **state):
    return run_checkpoints.save(folder, step=step, tensors=TENSORS, state={"step": step, **state})


def names(folder):
    return sorted(os.listdir(folder))


def test_tensors_and_state_come_back_bitwise(tmp_path):
    odd = torch.tensor([float("nan"), -0.0, 1e-45, float("-inf")])
    strided = torch.randn(4, 3, 5, 5).contiguous(memory_format=torch.channels_last)
    tensors = {
        "model": {"odd": odd, "strided": strided, "scalar": torch.tensor(3.0)},
        "ema": {"half": odd.bfloat16(), "count": torch.tensor(7)},
        "optimizer": {},
    }
    run_checkpoints.save(tmp_path, step=3, tensors=tensors, state={"step": 3, "seconds": 0.1})
    loaded, state = run_checkpoints.load(run_checkpoints.newest(tmp_path))
    assert state == {"step": 3, "seconds": 0.1}
    for part, expected in tensors.items():
        assert set(loaded[part]) == set(expected)
        for name, tensor in expected.items():
            assert loaded[part][name].dtype == tensor.dtype
            assert loaded[part][name].shape == tensor.shape
            same = loaded[part][name].contiguous().view(-1).view(torch.uint8)
            assert torch.equal(same, tensor.contiguous().view(-1).view(torch.uint8))


def test_no_checkpoint_is_none(tmp_path):
    assert run_checkpoints.newest(tmp_path) is None
    assert run_checkpoints.newest(tmp_path / "absent") is None


@pytest.mark.parametrize(
    ("state", "kept"), [({}, ()), ({"best": None}, ()), ({"best": 0}, (0,)), ({"best": 10}, (10,))]
)
def test_the_last_two_are_kept_and_the_best(tmp_path, state, kept):
    for step in range(0, 50, 10):
        save(tmp_path, step, **state)
        assert len(names(tmp_path)) >= min(2, step // 10 + 1)
    assert names(tmp_path) == [f"step-{step:08d}" for step in (*kept, 30, 40)]


def test_saving_a_step_again_changes_nothing_and_mends_an_invalid_one(tmp_path):
    first = save(tmp_path, 5)
    inode = (first / "MANIFEST.json").stat().st_ino
    assert save(tmp_path, 5) == first
    assert (first / "MANIFEST.json").stat().st_ino == inode
    (first / "state.json").unlink()
    save(tmp_path, 5)
    assert names(tmp_path) == ["invalid-step-00000005", "step-00000005"]
    assert run_checkpoints.is_valid(first, thorough=True)


FILES = ("model.safetensors", "ema.safetensors", "optimizer.safetensors", "state.json")


def truncate(path):
    os.truncate(path, path.stat().st_size // 2)


def flip_a_byte(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("name", [*FILES, "MANIFEST.json"])
@pytest.mark.parametrize("damage", [truncate, flip_a_byte, os.unlink])
def test_damage_means_the_previous_one_and_nothing_is_deleted(tmp_path, name, damage):
    good, bad = save(tmp_path, 10), save(tmp_path, 20)
    damage(bad / name)
    left = names(bad)
    assert run_checkpoints.newest(tmp_path) == good
    assert names(tmp_path) == ["invalid-step-00000020", "step-00000010"]
    assert names(tmp_path / "invalid-step-00000020") == left
    assert run_checkpoints.newest(tmp_path) == good


def test_a_reader_gets_the_latest_complete_one_and_moves_nothing(tmp_path):
    assert run_checkpoints.latest(tmp_path / "absent") is None
    good, bad = save(tmp_path, 10), save(tmp_path, 20)
    assert run_checkpoints.latest(tmp_path) == bad
    os.unlink(bad / "MANIFEST.json")
    assert run_checkpoints.latest(tmp_path) == good
    assert names(tmp_path) == ["step-00000010", "step-00000020"]


@pytest.mark.parametrize(
    "manifest",
    [
        "{}",
        "[]",
        '{"files": {}}',
        '{"files": {"state.json": 3}}',
        '{"files": {"state.json": [1, "x", 3]}}',
        '{"files": ["state.json"]}',
        '{"files": null}',
    ],
)
def test_a_nonsensical_manifest_is_invalid(tmp_path, manifest):
    bad = save(tmp_path, 10)
    (bad / "MANIFEST.json").write_text(manifest)
    assert not run_checkpoints.is_valid(bad)
    assert run_checkpoints.newest(tmp_path) is None


def test_two_invalid_ones_of_the_same_step_get_two_names(tmp_path):
    for _ in range(3):
        (save(tmp_path, 7) / "state.json").unlink()
        assert run_checkpoints.newest(tmp_path) is None
    assert len(names(tmp_path)) == 3
    assert all(name.startswith("invalid-") for name in names(tmp_path))


@pytest.mark.parametrize("limit", [100, 1500, 2700])
def test_a_full_disk_leaves_the_previous_checkpoint_and_no_temporary(tmp_path, limit):
    good = save(tmp_path, 10)
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        code = 0
        try:
            save(tmp_path, 20, padding="x" * 3000)
        except OSError:
            code = 7
        os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
    assert names(tmp_path) == ["step-00000010"]
    assert run_checkpoints.newest(tmp_path) == good


def test_what_a_killed_process_left_is_removed_and_only_that(tmp_path):
    save(tmp_path, 10)
    (tmp_path / ".step-00000020.4242").mkdir()
    (tmp_path / ".step-00000020.4242" / "model.safetensors").write_text("half")
    (tmp_path / "invalid-step-00000005").mkdir()
    run_checkpoints.remove_leftovers(tmp_path)
    assert names(tmp_path) == ["invalid-step-00000005", "step-00000010"]
