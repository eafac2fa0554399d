import dataclasses
import json
import math
import re
import sys
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genimg.configuration import Configuration, setting
from genimg.models import KINDS


@dataclass(frozen=True, kw_only=True, slots=True)
class Example(Configuration):
    """One field of each type."""

    count: int = setting(3, "A whole number.", low=1, high=100)
    rate: float = setting(0.5, "A number.", low=0, high=2)
    unbounded: float = setting(0.0, "Any finite number.")
    flag: bool = setting(False, "Yes or no.")
    mode: str = setting("fast", "A word.", choices=("fast", "slow"))
    size: int = setting(32, "One of two numbers.", choices=(32, 64))
    widths: tuple[int, ...] = setting((8, 4), "Whole numbers.", low=1, high=512)
    betas: tuple[float, float] = setting((0.0, 0.9), "Numbers.", low=0, high=1)
    limit: float | None = setting(None, "A number, or none.", low=0, high=1)


examples = st.builds(
    Example,
    count=st.integers(1, 100),
    rate=st.floats(0, 2),
    unbounded=st.floats(allow_nan=False, allow_infinity=False),
    flag=st.booleans(),
    mode=st.sampled_from(["fast", "slow"]),
    size=st.sampled_from([32, 64]),
    widths=st.lists(st.integers(1, 512), min_size=1, max_size=16),
    limit=st.none() | st.floats(0, 1),
)


@given(examples)
def test_round_trip_through_json(example):
    text = json.dumps(example.to_dict(), allow_nan=False)
    assert Example.from_dict(json.loads(text)) == example


@given(
    st.sampled_from([field.name for field in dataclasses.fields(Example)]),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    ),
)
def test_any_value_is_taken_or_refused_by_name(field, value):
    try:
        outcome = Example.from_dict({field: value})
    except ValueError as error:
        outcome = str(error)
    if isinstance(outcome, str):
        assert re.fullmatch(rf"{field} must be .+", outcome)
    else:
        assert Example.from_dict(outcome.to_dict()) == outcome


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"count": 0}, "count must be from 1 to 100, not 0"),
        ({"count": 101}, "count must be from 1 to 100, not 101"),
        ({"count": 2.5}, "count must be a whole number, not 2.5"),
        ({"count": True}, "count must be a whole number, not True"),
        ({"count": "3"}, "count must be a whole number, not '3'"),
        ({"count": None}, "count must be a whole number, not None"),
        ({"rate": -0.1}, "rate must be from 0 to 2, not -0.1"),
        ({"rate": False}, "rate must be a finite number, not False"),
        ({"flag": 1}, "flag must be a bool, not 1"),
        ({"mode": "quick"}, "mode must be one of fast, slow, not 'quick'"),
        ({"mode": 3}, "mode must be a str, not 3"),
        ({"size": 48}, "size must be one of 32, 64, not 48"),
        ({"widths": []}, "widths must be a list of 1 to 16 numbers, not []"),
        ({"widths": 8}, "widths must be a list of 1 to 16 numbers, not 8"),
        ({"widths": "88"}, "widths must be a list of 1 to 16 numbers, not '88'"),
        ({"widths": [8, 513]}, "widths must be from 1 to 512, not 513"),
        ({"widths": [8, True]}, "widths must be a whole number, not True"),
        ({"limit": 2}, "limit must be from 0 to 1, not 2"),
        ({"depth": 3}, "Example has no field 'depth'; the fields are count, rate,"),
    ],
)
def test_error_names_the_field_the_value_and_what_is_allowed(fields, sentence):
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}"):
        Example.from_dict(fields)


@pytest.mark.parametrize("field", ["count", "rate", "unbounded", "widths", "limit"])
@pytest.mark.parametrize(
    "value",
    [math.nan, math.inf, -math.inf, 10**400, -(10**400)],
    ids=["nan", "inf", "-inf", "huge", "-huge"],
)
def test_numbers_without_a_finite_float_are_refused(field, value):
    given = [value] if field == "widths" else value
    with pytest.raises(ValueError, match=f"^{field} must be a (finite|whole) number, not "):
        Example(**{field: given})


def test_long_tuples_are_refused_with_a_short_sentence():
    with pytest.raises(ValueError, match="1 to 16 numbers") as error:
        Example(widths=[8] * 1_000_000)
    assert len(str(error.value)) < 200
    assert len(Example(widths=[8] * 16).widths) == 16


def test_whole_floats_become_integers_and_integers_become_floats():
    example = Example(count=7.0, rate=1, widths=[4.0])
    assert (example.count, example.rate, example.widths) == (7, 1.0, (4,))
    assert isinstance(example.count, int)
    assert isinstance(example.rate, float)
    assert isinstance(example.widths[0], int)
    assert Example(unbounded=sys.float_info.max).unbounded == sys.float_info.max


@pytest.mark.parametrize("values", [None, [], "text", 3])
def test_only_a_dictionary_makes_a_configuration(values):
    with pytest.raises(ValueError, match="Example needs a dictionary, not "):
        Example.from_dict(values)


def test_a_configuration_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Example().count = 5


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_of_every_model_is_documented_and_bounded(kind):
    for field in dataclasses.fields(KINDS[kind].config):
        assert field.metadata["help"].endswith("."), field.name
        if field.type not in (bool, tuple[str, ...]):
            bounded = field.metadata["low"] is not None and field.metadata["high"] is not None
            assert bounded or field.metadata["choices"], field.name


def test_a_part_takes_what_it_has_in_common_with_the_whole():
    @dataclass(frozen=True, kw_only=True, slots=True)
    class Part(Configuration):
        count: int = setting(1, "A whole number.", low=1, high=50)
        rate: float = setting(0.1, "A number.")
        other: int = setting(5, "What the whole does not know.")

    assert Example(count=7).part(Part) == Part(count=7, rate=0.5, other=5)
    assert Example(count=7).part(Part, other=6) == Part(count=7, rate=0.5, other=6)
    with pytest.raises(ValueError, match="count must be from 1 to 50, not 70"):
        Example(count=70).part(Part)
