import numpy as np
import pytest
from PIL import Image

from genimg import load
from genimg.explore.combining import combine, plane

PLACES = [{"seed": seed, "label": "Bag", "truncation": 0.7} for seed in (5, 23, 42)]
OPTIONS = ["--label", "Bag", "--truncation", 0.7]


def test_a_sum_is_what_the_library_makes(call, shelf, tmp_path):
    out = tmp_path / "sum.png"
    seeds = ["--seeds", 5, 23, 42, "--weights", 1, -1, 1]
    assert call("combine", "tiny-style", *seeds, *OPTIONS, "--out", out).code == 0
    model = load(shelf / "tiny-style")
    expected = model.picture(**combine(model, PLACES, [1, -1, 1]))
    assert np.array_equal(np.asarray(Image.open(out)), expected[..., 0])


def test_three_seeds_make_a_map(call, shelf, tmp_path):
    out = tmp_path / "map.png"
    assert call("combine", "tiny-style", "--side", 3, *OPTIONS, "--out", out).code == 0
    expected = plane(load(shelf / "tiny-style"), *PLACES, side=3)[..., 0]
    side = expected.shape[2]
    sheet = expected.swapaxes(1, 2).reshape(3 * side, 3 * side)
    assert np.array_equal(np.asarray(Image.open(out)), sheet)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--seeds", 1, 2], "three seeds"),
        (["--weights", 1, 1, 1], "sum to 1"),
        (["--weights", 0.5, 0.5], "one number for each"),
        (["--weights", 1, -1, 1, "--side", 3], "one picture"),
        (["--weights", "nan", 1, 1], "--weights"),
        (["--side", 1], "2 to 50"),
        (["--label", "Boat"], "Boat"),
    ],
)
def test_what_cannot_be_combined_is_refused(refuse, tmp_path, options, reason):
    assert reason in refuse("combine", "tiny-style", *options, "--out", tmp_path / "a.png")
