import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genimg.explore.own_names import LONGEST_NAME, read_names, with_names

NAMES = st.text(min_size=1, max_size=LONGEST_NAME).filter(
    lambda text: text.isprintable() and text.strip() == text
)


@pytest.fixture(scope="module")
def model(make_model):
    return make_model("stylegan")


def write(folder, **content):
    path = folder / "names.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_a_direction_goes_by_its_own_name(model, tmp_path):
    path = write(tmp_path, model=model.name, directions=["sleeves", None, "heel"])
    named = with_names(model, path)
    expected = model.picture(seed=3, label=1, directions=[1.0, 0.5, -2.0])
    moved = {"heel": -2.0, "sleeves": 1.0, "direction 2": 0.5}
    assert np.array_equal(named.picture(seed=3, label=1, directions=moved), expected)
    assert not model.named_directions  # the model that was given stays as it was
    with pytest.raises(ValueError, match="no direction 'arm' with a name"):
        named.picture(directions={"arm": 1.0})


def test_names_that_a_model_has_stay_where_the_file_has_none(model, tmp_path):
    first = with_names(model, write(tmp_path, model=model.name, directions=["a", "b", "c"]))
    second = with_names(first, write(tmp_path, model=model.name, directions=[None, "B"]))
    assert list(second.named_directions) == ["a", "B", "c"]
    with pytest.raises(ValueError, match="two directions are called"):
        with_names(first, write(tmp_path, model=model.name, directions=[None, "c"]))


@given(st.lists(st.none() | NAMES, max_size=20, unique_by=lambda name: name or object()))
def test_what_was_written_is_read(names):
    content = json.dumps({"model": "m", "directions": names})
    assert read_names(content) == ("m", names)
    assert read_names(content.encode()) == ("m", names)


@given(st.text() | st.binary())
def test_whatever_is_in_the_file_is_read_or_refused(content):
    try:
        model, names = read_names(content)
    except ValueError:
        return
    assert isinstance(model, str)
    assert isinstance(names, list)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[" * 100_000,
        "[]",
        '{"model": "m"}',
        '{"model": 1, "directions": []}',
        '{"model": "m", "directions": {}}',
        '{"model": "m", "directions": [""]}',
        '{"model": "m", "directions": [" a"]}',
        '{"model": "m", "directions": ["a\\nb"]}',
        '{"model": "m", "directions": ["a", "a"]}',
        '{"model": "m", "directions": [1]}',
        json.dumps({"model": "m", "directions": ["x" * 41]}),
        json.dumps({"model": "m", "directions": [None] * 1001}),
    ],
)
def test_what_is_no_file_of_names_is_refused(content):
    with pytest.raises(ValueError, match=r"\w"):
        read_names(content)


def test_names_of_another_model_or_too_many_are_refused(model, tmp_path):
    with pytest.raises(ValueError, match="names for 'other'"):
        with_names(model, write(tmp_path, model="other", directions=["a"]))
    with pytest.raises(ValueError, match="directions, and the file names 500"):
        with_names(model, write(tmp_path, model=model.name, directions=[None] * 500))
    large = tmp_path / "large.json"
    large.write_bytes(b" " * (2**17 + 1))
    with pytest.raises(ValueError, match="too large"):
        with_names(model, large)
    for nowhere in (tmp_path / "nothing.json", tmp_path, "a\0b", ""):
        with pytest.raises(ValueError, match="there is no file of names"):
            with_names(model, nowhere)
    with pytest.raises(ValueError, match="path of a file"):
        with_names(model, 3)
