import json
import random

import pytest

from genimg.data.manifest import (
    KIND,
    MANIFEST,
    described,
    folder_hash,
    pictures_hash,
    read_manifest,
    verified_hash,
)


@pytest.fixture
def root(tmp_path):
    """A folder of two files, and its manifest."""
    for label in ("cats", "dogs"):
        (tmp_path / label).mkdir()
        (tmp_path / label / "000001.png").write_bytes(label.encode())
    manifest = {"kind": KIND, "sha256": folder_hash(tmp_path), "channels": 1}
    manifest["classes"] = {"cats": 1, "dogs": 1}
    (tmp_path / MANIFEST).write_text(json.dumps(manifest))
    return tmp_path


def test_the_order_does_not_matter_and_all_else_does():
    pictures = [("a/1", "00"), ("a/2", "01"), ("b/1", "00")]
    shuffled = random.Random(0).sample(pictures, 3)
    assert pictures_hash(pictures) == pictures_hash(shuffled)
    others = [pictures[:2], [*pictures[:2], ("b/1", "02")], [*pictures[:2], ("c/1", "00")]]
    assert len({pictures_hash(pictures), *map(pictures_hash, others)}) == 4


def test_an_untouched_folder_has_its_hash(root):
    assert verified_hash(root) == folder_hash(root) == read_manifest(root)["sha256"]
    (root / ".DS_Store").write_bytes(b"the system's")
    assert verified_hash(root) == folder_hash(root)


@pytest.mark.parametrize("change", ["edit", "add", "remove", "move", "add deeper"])
def test_any_change_is_noticed(root, change):
    file = root / "cats" / "000001.png"
    if change == "edit":
        file.write_bytes(b"other")
    elif change == "remove":
        file.unlink()
    elif change == "move":
        file.rename(root / "dogs" / "000002.png")
    else:
        folder = root / "cats" / ("deeper" if "deeper" in change else "")
        folder.mkdir(exist_ok=True)
        (folder / "2.jpg").write_bytes(b"new")
    with pytest.raises(ValueError, match=r"not those of its manifest\.json any more; import"):
        verified_hash(root)
    if change != "edit":  # which is noticed when it is loaded
        with pytest.raises(ValueError, match=r"not those of its manifest\.json any more; import"):
            described(root)


def test_an_untouched_folder_is_as_described(root):
    assert described(root) == read_manifest(root)


@pytest.mark.parametrize("channels", [None, 2, "3", [3]])
def test_a_manifest_without_channels_describes_nothing(root, channels):
    (root / MANIFEST).write_text(json.dumps(read_manifest(root) | {"channels": channels}))
    assert described(root) is None


@pytest.mark.parametrize("content", ["[]", "{}", '{"kind": "of another program", "sha256": 3}'])
def test_other_programs_manifests_are_none(root, content):
    (root / MANIFEST).write_text(content)
    assert read_manifest(root) is None
    assert verified_hash(root) == ""


def test_a_damaged_manifest_is_one_sentence(root):
    (root / MANIFEST).write_text("{")
    with pytest.raises(ValueError, match=r"manifest\.json is not valid JSON"):
        verified_hash(root)
