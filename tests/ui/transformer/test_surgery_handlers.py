import numpy as np
import pytest

from genimg.ui.transformer.drawing_handlers import DrawingHandlers
from genimg.ui.transformer.surgery_handlers import SurgeryHandlers


@pytest.fixture(scope="module")
def drawings(drawer_shelf):
    return DrawingHandlers(drawer_shelf)


@pytest.fixture(scope="module")
def handlers(drawings):
    return SurgeryHandlers(drawings)


@pytest.fixture(scope="module")
def request_(drawings):
    payload = drawings.payload(drawings.first_view())
    return {"drawing": payload["drawing"], "layer": 0, "head": 1, "query": 3}


def test_what_comes_back_is_the_librarys(
    unpacked, handlers, drawings, request_, drawer_shelf, english
):
    changes = [{"layer": 0, "head": 1, "treatment": "uniform"}, {"layer": 1}]
    answer = handlers.operate(request_ | {"changes": changes})
    found = unpacked(answer)
    with drawer_shelf.use(drawer_shelf.names[0]) as model:
        drawing = model.generate(**drawings.first_view().arguments())
        expected = model.ablate(drawing, heads={(0, 1): "uniform"}, feed_forwards=[1])
    assert np.array_equal(found["before"], drawing.image)
    assert np.array_equal(found["after"], expected.image)
    np.testing.assert_allclose(found["change"], expected.losses - expected.whole, atol=1e-6)
    assert answer["code"] == ("model.ablate(drawing, heads={(0, 1): 'uniform'}, feed_forwards=[1])")
    assert f"{(expected.tokens != drawing.tokens).sum()} of" in english(answer["words"])


def test_a_head_that_looks_as_itself_changes_nothing(handlers, request_, english):
    changes = [{"layer": 0, "head": 1, "treatment": 1}]
    words = handlers.operate(request_ | {"changes": changes})["words"]
    assert english(words) == (
        "From the same random numbers it draws the same picture. The first picture is as likely as"
        " before."
    )


@pytest.mark.parametrize(
    "changes",
    [
        None, "x", [None], [{}], [{"layer": "0"}], [{"layer": 99}], [{"layer": 0, "head": 99}],
        [{"layer": 0, "head": "1"}], [{"layer": 0, "head": None}], [{"layer": -1}],
        [{"layer": 0, "head": 0, "treatment": "gone"}], [{"layer": 0, "head": 0, "treatment": 99}],
        [{"layer": 0, "head": 0, "treatment": [1]}], [{"layer": 2.5}], [{"layer": 0}] * 201,
        [{"layer": True, "head": {}}], [{"layer": 0, "head": 0, "treatment": None}],
    ],
)  # fmt: skip
def test_what_no_panel_sends_is_one_sentence(handlers, request_, changes, english):
    answer = handlers.operate(request_ | {"changes": changes})
    assert set(answer) == {"error"}
    assert "\n" not in english(answer["error"])


@pytest.mark.parametrize("request_", [None, 3, {}, {"changes": []}, {"drawing": 3, "changes": []}])
def test_without_a_drawing_it_is_one_sentence(handlers, request_):
    assert set(handlers.operate(request_)) == {"error"}
