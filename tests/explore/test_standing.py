import pytest

from genimg.explore.standing import FEW, difference, doubts, pictures_measured

FULL = {"generated": 10_000, "real": 10_000}
SAMPLE = {"generated": 10_000, "real": 2_000}


def fd(value, floor=0.01, generated=10_000, real=10_000):
    return {
        "frechet_distance": {"value": value, "generated": generated, "real": real},
        "frechet_distance_floor": {"value": floor, "real": real},
    }


def test_the_largest_number_of_pictures_counts():
    metrics = fd(0.2) | {"nearest": {"value": 1.0, "generated": 1000}, "bits": {"images": 2000}}
    assert pictures_measured(metrics) == FULL | {"images": 2000}
    assert pictures_measured({}) == {}


def test_a_difference_names_both_numbers():
    said = difference(SAMPLE, FULL)
    assert said == "the figures on the card are of 10,000 test pictures, these of 2,000"
    assert difference(FULL, FULL) == ""
    assert difference(FULL, {}) == ""
    assert difference({"generated": 40}, {"images": 10_000}) == ""


def test_more_pictures_are_no_worse():
    assert difference(FULL, SAMPLE)
    assert difference(FULL, SAMPLE, fewer=True) == ""
    assert "10,000 drawn pictures, these of 40" in difference({"generated": 40}, FULL, fewer=True)


@pytest.mark.parametrize("few", [{"generated": 6}, {"real": FEW - 1}])
def test_a_distance_of_few_pictures_is_doubted(few):
    (said,) = doubts(fd(5.0, **few))
    assert "mostly chance" in said


def test_a_distance_below_its_floor_is_doubted():
    (said,) = doubts(fd(0.009))
    assert "not above its floor, 0.01" in said
    assert doubts(fd(0.02)) == doubts({"test_accuracy": {"value": 0.9}}) == []
