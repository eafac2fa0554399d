import math

import numpy as np
import pytest

from genimg.explore.reasons import Reasons
from genimg.ui.transformer.drawing_handlers import DrawingHandlers
from genimg.ui.transformer.reasons_handlers import ReasonsHandlers, agreement_words


@pytest.fixture(scope="module")
def drawings(drawer_shelf):
    return DrawingHandlers(drawer_shelf)


@pytest.fixture(scope="module")
def handlers(drawings):
    return ReasonsHandlers(drawings)


@pytest.fixture(scope="module")
def request_(drawings):
    payload = drawings.payload(drawings.first_view())
    return {"drawing": payload["drawing"], "layer": 0, "head": 1, "query": 5}


def test_what_comes_back_is_the_librarys(
    unpacked, handlers, drawings, request_, drawer_shelf, english
):
    answer = handlers.explain(request_)
    arrays = unpacked(answer)
    with drawer_shelf.use(drawer_shelf.names[0]) as model:
        found = model.generate(**drawings.first_view().arguments()).reasons(5)
    np.testing.assert_allclose(arrays["gradient"], found.gradient, atol=1e-5)
    np.testing.assert_allclose(arrays["ablation"], found.ablation, atol=1e-5)
    assert f"{found.agreement:.3f} over 6 positions" in english(answer["words"])
    assert answer["code"] == "drawing.reasons(query=5)"


def test_a_long_drawing_is_left_to_python(handlers, request_, monkeypatch, english):
    monkeypatch.setattr("genimg.ui.transformer.reasons_handlers.MOST_TOKENS", 9)
    assert "drawing.reasons(query=5)" in english(handlers.explain(request_)["error"])


def test_words_for_every_agreement():
    def words(gradient, ablation):
        pair = (np.array(gradient, np.float32), np.array(ablation, np.float32))
        return agreement_words(Reasons(gradient=pair[0], ablation=pair[1], seen=len(gradient)))

    assert "correlation 1.000" in words([1, 2, 3], [0, 0.1, 9])
    assert words([1, 2, 3], [0, 0.1, 9]).endswith("Both name the same place first.")
    assert words([1, 2, 3], [3, 2, 1]).endswith("They name different places first.")
    assert "too little" in words([1, 2], [2, 1])


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        {},
        {"query": -1},
        {"query": 10**6},
        {"query": 1.5},
        {"query": math.nan},
        {"query": "1"},
        {"query": None},
        {"drawing": {}},
        {"layer": 99},
    ],
)
def test_what_no_page_would_send_is_refused_in_one_sentence(handlers, request_, wrong, english):
    request = request_ | wrong if wrong else wrong
    answer = handlers.explain(request)
    assert set(answer) == {"error"}
    assert "\n" not in english(answer["error"])
