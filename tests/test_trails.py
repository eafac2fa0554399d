import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import genimg
from genimg import checkpoints, trails
from genimg.checkpoints import CheckpointError
from genimg.models import kind_named
from genimg.render import encode

KIND = "style-dcgan"


def new_model(small_config, seed):
    torch.manual_seed(seed)
    return kind_named(KIND).build(small_config(KIND, 32, 1, 3)).eval()


@pytest.fixture(scope="module")
def trained(tmp_path_factory, small_config, alive):
    """A checkpoint that saw 9000 pictures, with snapshots after 0, 1000 and 9000."""
    models = {seen: alive(new_model(small_config, seen), 0.05) for seen in (0, 1000, 9000)}
    folder = tmp_path_factory.mktemp("trained")
    card = {"title": "trained", "classes": ["a", "b", "c"], "dataset": "none", "images_seen": 9000}
    preview = encode(np.zeros((2, 2, 1), np.uint8), "png")
    checkpoints.write(folder, kind=KIND, model=models[9000], card=card, preview=preview)
    for seen, model in models.items():
        trails.write(folder, seen, model)
    return folder


def test_a_snapshot_is_the_model_that_was_kept(trained, small_config):
    config = small_config(KIND, 32, 1, 3)
    read = trails.read(trained, 9000, KIND, config)
    published = checkpoints.read(trained).model
    for name, value in published.state_dict().items():
        assert torch.equal(read.state_dict()[name], value)
    assert trails.moments(trained) == (0, 1000, 9000)


def test_a_model_shows_what_it_was(trained):
    model = genimg.load(trained)
    assert model.trail == (0, 1000, 9000)
    pictures = [model.at(seen).picture(seed=3, label="b", directions=[1]) for seen in model.trail]
    assert np.array_equal(pictures[2], model.picture(seed=3, label="b", directions=[1]))
    assert not np.array_equal(pictures[0], pictures[1])
    assert model.at(1000).info["images_seen"] == 1000


def test_a_snapshot_moves_along_the_directions_of_the_model(trained):
    model = genimg.load(trained)
    assert np.array_equal(model.at(0).directions("a"), model.directions("a"))


def test_a_snapshot_computes_as_the_model_does(trained):
    model = genimg.load(trained)
    assert model.at(1000).dtype == torch.float32
    model.to(torch.bfloat16)
    assert model.at(1000).dtype == torch.bfloat16


@pytest.mark.parametrize("seen", [-1, "0", "../model", None, [0], 10**9])
def test_what_is_no_number_of_pictures_is_refused(trained, seen):
    with pytest.raises(ValueError, match="images_seen must be"):
        genimg.load(trained).at(seen)


@pytest.mark.parametrize("seen", [1, 999])
def test_what_was_not_kept_is_refused(trained, seen):
    with pytest.raises(CheckpointError, match=r"there is no snapshot after .* but: 0, 1000, 9000"):
        genimg.load(trained).at(seen)


def test_a_snapshot_of_another_architecture_is_refused(trained, small_config, tmp_path):
    other = kind_named(KIND).build(small_config(KIND, 32, 3, 3))
    trails.write(tmp_path, 1000, other)
    with pytest.raises(CheckpointError, match="does not fit"):
        trails.read(tmp_path, 1000, KIND, small_config(KIND, 32, 1, 3))
    (tmp_path / "trail" / "000001000.safetensors").write_bytes(b"\0" * 64)
    with pytest.raises(CheckpointError, match="is corrupt"):
        trails.read(tmp_path, 1000, KIND, small_config(KIND, 32, 1, 3))


def test_other_files_are_no_snapshots(tmp_path):
    assert trails.moments(tmp_path) == ()
    (tmp_path / "trail").mkdir()
    for name in (
        "1.safetensors",
        "000000001.txt",
        "00000000x.safetensors",
        "0000000001.safetensors",
    ):
        (tmp_path / "trail" / name).touch()
    assert trails.moments(tmp_path) == ()


def test_a_copy_replaces_the_trail_that_was_there(trained, tmp_path, small_config):
    trails.write(tmp_path, 5, new_model(small_config, 5))
    trails.copy(trained, tmp_path)
    assert trails.moments(tmp_path) == (0, 1000, 9000)


@given(total=st.integers(1, 10**6), step=st.integers(1, 5000))
def test_a_run_keeps_its_beginning_its_end_and_at_most_a_few_between(total, step):
    seen = [0, *range(step, total, step), total]
    steps = zip([-1, *seen], seen, strict=False)
    kept = [now for before, now in steps if trails.is_due(now, before, total)]
    assert kept[0] == 0
    assert kept[-1] == total
    assert len(kept) <= len(trails.SHARES)
