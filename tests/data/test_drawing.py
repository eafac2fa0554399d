import itertools

import numpy as np
import pytest

from genimg.data.critters import CRITTERS
from genimg.data.drawing import Names, color, draw, values_of
from genimg.data.drawn_file import attribute_tensors
from genimg.data.portraits import PORTRAITS

DESIGNS = {"portraits": PORTRAITS, "critters": CRITTERS}
each_design = pytest.mark.parametrize("design", DESIGNS.values(), ids=DESIGNS)
BINS = 8


@each_design
def test_a_picture_is_the_same_whatever_else_is_drawn(design):
    row = [values_of(design, 5, 0, index) for index in range(40)]
    assert [values_of(design, 5, 0, index) for index in reversed(range(40))] == row[::-1]
    seen = {str(values_of(design, seed, split, 3)) for seed in range(20) for split in (0, 1)}
    assert len(seen) == 40  # every seed and split has pictures of its own
    assert values_of(design, 2**64 - 1, 1, 10**9) == values_of(design, 2**64 - 1, 1, 10**9)


def columns(design, count=6000):
    """Return the values of each attribute as small whole numbers, and how many there can be."""
    for name, values in attribute_tensors(design, 0, "train", count).items():
        kind = design.attributes[name.removeprefix("train/")]
        if isinstance(kind, Names):
            yield name, values.numpy(), len(kind.values)
        else:
            assert values.min() >= 0
            assert values.max() <= 1
            yield name, np.minimum(values.numpy() * BINS, BINS - 1).astype(int), BINS


@each_design
def test_every_attribute_is_nearly_uniform(design):
    for name, values, kinds in columns(design):
        shares = np.bincount(values, minlength=kinds) / len(values)
        assert shares.min() >= 0.03, name
        assert abs(shares * kinds - 1).max() < 0.2, name


@each_design
def test_no_attribute_tells_of_another(design):
    for (a, first, m), (b, second, n) in itertools.combinations(columns(design), 2):
        joint = np.histogram2d(first, second, (m, n), ((0, m), (0, n)))[0] / len(first)
        independent = joint.sum(1, keepdims=True) * joint.sum(0)
        seen = joint > 0
        nats = (joint[seen] * np.log(joint[seen] / independent[seen])).sum()
        chance = (m - 1) * (n - 1) / (2 * len(first))  # what independent values have on average
        assert nats < 2 * chance + 0.002, (a, b)


@each_design
def test_changing_one_attribute_alone_can_be_seen(design):
    for name, kind in design.attributes.items():
        unseen = []
        for index in range(12):
            values = values_of(design, 9, 0, index)
            if isinstance(kind, Names):
                others = [value for value in kind.values if value != values[name]]
                other = others[index % len(others)]
            else:
                step = 0.25 if kind.cyclic else 0.5
                other = (values[name] + step) % 1
            before, after = (
                draw(design, v, 64).astype(int) for v in (values, {**values, name: other})
            )
            changed = (abs(after - before).max(axis=2) > 12).sum()
            if changed < 20:
                unseen.append((values, other, changed))
        assert not unseen, name


def test_no_critter_is_cut_off():
    for index in range(60):
        values = values_of(CRITTERS, 4, 0, index) | {"size": 1.0, "tilt": float(index % 2)}
        picture = draw(CRITTERS, values, 64)
        background = picture[0, 0]
        assert (picture[0] == background).all(), values
        assert (picture[:52, [0, -1]] == background).all(), values
        assert (picture[-1] != background).any(axis=1).sum() > 15  # it comes up from below


def test_no_hair_is_cut_off():
    for hair in PORTRAITS.attributes["hair"].values:
        values = values_of(PORTRAITS, 4, 0, 0) | {"hair": hair}
        first, second = (
            draw(PORTRAITS, values | {"hair colour": color}, 64).astype(int)
            for color in ("grey", "red")
        )
        # At most the outline of the hair touches the edge: it is more line than hair there.
        whole = abs(first - second).max()
        assert abs(first[0] - second[0]).max() < whole / 2, hair
        assert (first[:52, [0, -1]] == first[0, 0]).all(), hair


@pytest.mark.parametrize("size", [32, 48, 64])
@each_design
def test_every_size_shows_the_same(design, size):
    values = values_of(design, 0, 0, 0)
    picture, large = draw(design, values, size), draw(design, values, 96)
    assert picture.shape == (size, size, 3)
    assert picture.dtype == np.uint8
    assert abs(picture.mean((0, 1)) - large.mean((0, 1))).max() < 1.5
    assert np.array_equal(draw(design, values, size), picture)


def test_colors_are_those_of_oklch():
    assert color(0, 0, 0.3) == "000000"
    assert color(1, 0, 0.3) == "ffffff"
    assert color(0.62796, 0.25768, 29.234 / 360) == "ff0000"
    assert color(0.86644, 0.29483, 142.495 / 360) == "00ff00"
    assert color(0.45201, 0.31321, 264.052 / 360) == "0000ff"
    assert color(0.74, 0.12, 0.0) == color(0.74, 0.12, 1.0)
