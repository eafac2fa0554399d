from urllib.parse import parse_qsl

import numpy as np
import pytest

from genimg.explore.inversion import STEPS
from genimg.ui.gan import own_picture_handlers
from genimg.ui.gan.own_picture_handlers import OwnPictureHandlers
from genimg.ui.pixels import text_of


@pytest.fixture(scope="module")
def own(shelf):
    return OwnPictureHandlers(shelf)


@pytest.fixture(scope="module", params=[0, 1], ids=["mapped", "plain"])
def name(shelf, request):
    return shelf.names[request.param]


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """Give a busy machine the time that the whole search takes."""
    monkeypatch.setattr(own_picture_handlers, "SECONDS", {64: 1000.0})
    monkeypatch.setattr(own_picture_handlers, "_COMPARING_SECONDS", 1000.0)


def value_of(shelf, name, seed=5):
    with shelf.use(name) as model:
        return {"pixels": text_of(model.picture(seed=seed))}


def test_it_finds_what_the_library_finds_and_the_view_shows_it(own, shelf, name, handlers):
    told = list(own.find(name, 3, value_of(shelf, name)))
    assert [each["state"] for each in told[:-1]] == ["searching"] * (len(told) - 1)
    assert len(told) > 2
    last = told[-1]
    view = own.view(last)
    with shelf.use(name) as model:
        found = model.invert(model.picture(seed=5), seed=3)
        shown = model.picture(**view.arguments())
    assert (last["state"], last["complete"], last["step"]) == ("found", True, STEPS)
    assert last["error"] == pytest.approx(found.error)
    np.testing.assert_array_equal(shown, found.picture)
    assert handlers.picture(view)["src"] == last["src"]
    assert handlers.linked_view(dict(parse_qsl(view.query()))) == view


def test_who_asks_for_no_more_has_stopped_it(own, shelf, name, monkeypatch):
    steps = []
    step = own_picture_handlers.Search.step
    monkeypatch.setattr(
        own_picture_handlers.Search, "step", lambda self: (steps.append(1), step(self))
    )
    monkeypatch.setattr(own_picture_handlers, "_TOLD_EVERY", 0.0)
    searching = own.find(name, 0, value_of(shelf, name))
    for _ in range(4):  # the first tells that it begins
        next(searching)
    searching.close()
    assert len(steps) == 3
    with shelf.use(name) as model:  # others get it
        assert model.picture().any()


def test_time_that_is_up_ends_it_early_and_says_so(own, shelf, name, monkeypatch):
    monkeypatch.setattr(own_picture_handlers, "SECONDS", {64: 0.0})
    last = list(own.find(name, 0, value_of(shelf, name)))[-1]
    assert (last["state"], last["complete"], last["step"]) == ("found", False, 0)


def test_others_are_measured_once_for_a_model(own, shelf, name):
    last = list(own.find(name, 0, value_of(shelf, name)))[-1]
    first = list(own.compare(last))
    assert all(0 < each["comparing"] <= 1 for each in first[:-1])
    compared = {what["say"]: error for what, error in first[-1]["compared"]}
    assert set(compared) == {
        "gan.own.other.generated",
        "gan.own.other.noise",
    }  # no training pictures are here
    assert compared["gan.own.other.generated"] < compared["gan.own.other.noise"]
    again = list(own.compare(last))
    assert again == [first[-1]]


@pytest.mark.parametrize("found", [None, "", 3, [], {}, {"state": "searching"}])
def test_before_anything_is_found_nothing_is_compared(own, found):
    assert own.view(found) is None
    assert list(own.compare(found)) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"checkpoint": "/etc/passwd"},
        {"checkpoint": None},
        {"seed": "1"},
        {"code": "A" * 100_000},
        {"code": 3},
        {"label": "nobody"},
    ],
)
def test_what_the_browser_sends_is_checked(own, shelf, changes):
    found = {"state": "found", "checkpoint": shelf.names[0], "seed": 0, "label": "Shoe"}
    with pytest.raises(ValueError, match=r"no checkpoint|the seed|code|found|class"):
        own.view(found | {"code": ""} | changes)


@pytest.mark.parametrize("value", [None, "x", {}, {"pixels": "AAAA"}, {"pixels": 3}])
def test_no_picture_is_refused(own, shelf, value):
    with pytest.raises(ValueError, match="picture"):
        list(own.find(shelf.names[0], 0, value))
    with pytest.raises(ValueError, match="no checkpoint"):
        list(own.find("/etc/passwd", 0, value))
    with pytest.raises(ValueError, match="seed"):
        list(own.find(shelf.names[0], -1, value))


def test_the_pad_keeps_a_picture_that_fits_the_next_model(own, shelf):
    value = own.first_pad(shelf.names[0]) | value_of(shelf, shelf.names[0])
    kept = own.pad_for(shelf.names[1], value)
    assert (kept["pixels"], kept["checkpoint"]) == (value["pixels"], shelf.names[1])
    assert own.pad_for(shelf.names[1], {"pixels": "AAAA"}) == own.first_pad(shelf.names[1])
