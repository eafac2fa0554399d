import contextlib

import pytest
import torch

from genimg.data import drawn_file
from genimg.data.critters import CRITTERS


@pytest.fixture
def tensors():
    made = {}
    for split, count in (("train", 5), ("test", 2)):
        made[f"{split}/images"] = torch.randint(0, 256, (count, 3, 64, 64), dtype=torch.uint8)
        made |= drawn_file.attribute_tensors(CRITTERS, 0, split, count)
    return made


def test_what_was_written_is_read(tmp_path, tensors):
    drawn_file.write(tmp_path / "file", "critters", tensors)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    for split in ("train", "test"):
        images, attributes = drawn_file.read(tmp_path / "file", "critters", CRITTERS, split)
        assert torch.equal(images, tensors[f"{split}/images"])
        assert list(attributes) == list(CRITTERS.attributes)
        for name, attribute in attributes.items():
            assert torch.equal(attribute.data, tensors[f"{split}/{name}"])
            assert attribute.continuous == (attribute.data.dtype == torch.float32)
        assert attributes["body hue"].cyclic
        assert not attributes["tilt"].cyclic
        assert attributes["body"].values == CRITTERS.classes


def test_others_may_read_it_as_any_file_of_the_user(tmp_path, tensors):
    (tmp_path / "plain").touch()
    drawn_file.write(tmp_path / "file", "critters", tensors)
    assert (tmp_path / "file").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize("place", [0, 3, 9, 200, -1, -20_000, -60_000])
def test_a_changed_byte_is_noticed(tmp_path, tensors, place):
    path = tmp_path / "file"
    drawn_file.write(path, "critters", tensors)
    content = bytearray(path.read_bytes())
    content[place] ^= 0xFF
    path.write_bytes(content)
    noticed = []
    for split in ("train", "test"):
        with contextlib.suppress(ValueError):
            drawn_file.read(path, "critters", CRITTERS, split)
            continue
        noticed.append(split)
    assert noticed


def test_a_file_that_is_short_or_of_something_else_is_refused(tmp_path, tensors):
    path = tmp_path / "file"
    for content in (b"", b"not a picture", bytes(1000)):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="is damaged"):
            drawn_file.read(path, "critters", CRITTERS, "train")
    drawn_file.write(path, "portraits", tensors)
    with pytest.raises(ValueError, match="is damaged"):
        drawn_file.read(path, "critters", CRITTERS, "train")
    drawn_file.write(path, "critters", {"train/images": tensors["train/images"]})
    with pytest.raises(ValueError, match="is damaged"):
        drawn_file.read(path, "critters", CRITTERS, "train")


def test_nothing_is_left_where_it_cannot_be_written(tmp_path, tensors):
    with pytest.raises(OSError, match="nowhere"):
        drawn_file.write(tmp_path / "nowhere" / "file", "critters", tensors)
    target = tmp_path / "taken"
    target.mkdir()
    (target / "x").touch()
    with pytest.raises(OSError, match="taken"):
        drawn_file.write(target, "critters", tensors)
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]
