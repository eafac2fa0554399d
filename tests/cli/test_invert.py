import re

import numpy as np
import pytest
from PIL import Image

from genimg import load


@pytest.mark.parametrize("name", ["tiny-style", "tiny-mlp"])
def test_what_is_written_and_what_is_printed_are_what_the_library_finds(
    call, shelf, tmp_path, name
):
    model = load(shelf / name)
    picture = model.picture(seed=5)
    Image.fromarray(picture[..., 0] if picture.shape[2] == 1 else picture).save(tmp_path / "a.png")
    out = tmp_path / "b.png"
    outcome = call("invert", name, tmp_path / "a.png", "--steps", 4, "--seed", 2, "--out", out)
    assert outcome.code == 0
    found = model.invert(picture, steps=4, seed=2)
    written = np.asarray(Image.open(out)).reshape(found.picture.shape)
    np.testing.assert_array_equal(written, found.picture)
    code = re.search(r'code="([\w-]+)"', outcome.out)[1]
    label = re.search(r'label="([^"]+)"', outcome.out)
    again = model.picture(seed=2, code=code, **({"label": label[1]} if label else {}))
    np.testing.assert_array_equal(again, found.picture)


def test_what_cannot_be_found_is_refused(call, tmp_path):
    out = tmp_path / "b.png"
    missing = call("invert", "tiny-style", tmp_path / "none.png", "--out", out)
    assert (missing.code, "there is no picture" in missing.err) == (2, True)
    (tmp_path / "a.png").write_bytes(b"nothing")
    damaged = call("invert", "tiny-style", tmp_path / "a.png", "--out", out)
    assert (damaged.code, "cannot be used" in damaged.err) == (2, True)
    assert not out.exists()
