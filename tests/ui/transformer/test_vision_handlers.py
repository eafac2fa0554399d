import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from genimg.render.colors import color_table
from genimg.ui.pixels import text_of
from genimg.ui.transformer.vision_handlers import VisionHandlers

PICTURE = np.random.default_rng(0).integers(0, 256, (32, 32, 1), np.uint8)


@pytest.fixture(scope="module")
def handlers(vision_shelf):
    return VisionHandlers(vision_shelf)


@pytest.fixture(scope="module")
def model(vision_shelf):
    with vision_shelf.use(vision_shelf.names[0]) as model:
        return model


@pytest.fixture(scope="module")
def payload(handlers):
    return handlers.looking(handlers.shelf.names[0], {"pixels": text_of(PICTURE)})


def test_attention_equals_the_librarys(unpacked, model, payload):
    sent = unpacked(payload)
    layers, heads, positions, _ = sent["attention"].shape
    assert (layers, heads, positions) == (2, 2, 65)
    for layer, head, query in [(0, 0, 0), (1, 1, 0), (0, 1, 33), (1, 0, 64)]:
        expected = model.attention(PICTURE, layer, head, query)
        np.testing.assert_allclose(sent["attention"][layer, head, query], expected, rtol=1e-5)
        added = sent["attention"][layer, head, query] * sent["value_lengths"][layer, head]
        found = model.look(PICTURE).contribution(layer, head, query)
        np.testing.assert_allclose(added, found, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(sent["attention"].sum(axis=-1), 1, rtol=1e-5)
    for query in (0, 20, 64):
        np.testing.assert_allclose(sent["rollout"][query], model.rollout(PICTURE, query), rtol=1e-5)


def test_classes_come_with_their_own_relevance(unpacked, model, payload):
    sent = unpacked(payload)
    probabilities = model.classify(PICTURE[None])[0]
    np.testing.assert_allclose(sent["probabilities"], np.sort(probabilities)[::-1], rtol=1e-5)
    assert sorted(payload["classes"]) == sorted(model.classes)
    for name, relevance in zip(payload["classes"], sent["relevance"], strict=True):
        np.testing.assert_allclose(relevance, model.relevance(PICTURE, name), rtol=1e-5)
    assert len({relevance.tobytes() for relevance in sent["relevance"]}) == 3


def test_the_viewer_knows_what_each_position_is(unpacked, model, payload, english):
    assert (payload["rows"], payload["columns"]) == (8, 8)
    assert english(payload["special"]) == model.layout.special_names() == ["class token"]
    sent = unpacked(payload)
    np.testing.assert_array_equal(sent["picture"], PICTURE)
    np.testing.assert_array_equal(sent["colors"], color_table("sequential"))


def test_positions_are_compared_in_every_way(unpacked, model, payload, english):
    found = model.position_similarities()
    assert english(payload["ways"]) == ["sinusoidal", "rotary", "learned, as in this model"]
    np.testing.assert_array_equal(unpacked(payload)["positions"], np.stack(list(found.values())))


def test_a_selection_leads_to_the_same_numbers(unpacked, handlers, model, payload):
    request = {"looking": payload["looking"], "layer": 1, "head": 0, "query": 40}
    maps, layer, head, query = handlers.asked(request)
    assert (layer, head, query) == (1, 0, 40)
    weights = maps.stages(layer, head, query)["weights"]
    np.testing.assert_allclose(weights, unpacked(payload)["attention"][1, 0, 40], rtol=1e-5)


@pytest.mark.parametrize(
    "request_",
    [
        None,
        [],
        {},
        {"looking": None},
        {"looking": {}},
        {"looking": {"checkpoint": "/etc/passwd"}, "layer": 0},
        {"looking": {"checkpoint": ["x"]}},
    ],
)
def test_a_selection_that_no_viewer_makes_is_refused(handlers, request_):
    with pytest.raises(ValueError, match=r"no picture|choose one of"):
        handlers.asked(request_)


@pytest.mark.parametrize("changes", [{"layer": 2}, {"head": -1}, {"query": "0"}, {"query": None}])
def test_a_selection_out_of_range_is_refused(handlers, payload, changes):
    request = {"looking": payload["looking"], "layer": 0, "head": 0, "query": 0}
    with pytest.raises(ValueError, match="must be a whole number"):
        handlers.asked(request | changes)
    with pytest.raises(ValueError, match="must be a whole number"):
        handlers.snippet(handlers.shelf.names[0], payload["looking"], request | changes)


@given(
    st.one_of(
        st.none(), st.integers(), st.text(), st.lists(st.integers(), max_size=3),
        st.dictionaries(st.sampled_from(["pixels", "number"]),
                        st.one_of(st.none(), st.integers(), st.floats(), st.text()), max_size=2),
    )
)  # fmt: skip
def test_a_pad_that_no_page_sends_is_one_sentence(handlers, value):
    with pytest.raises(ValueError, match=r"^[^\n]{10,200}$"):
        handlers.looking(handlers.shelf.names[0], value)


@settings(max_examples=5)
@given(picture=arrays(np.uint8, (32, 32, 1)), query=st.integers(0, 64))
def test_the_endpoint_answers_with_the_librarys_numbers(handlers, model, picture, query):
    answer = handlers.look(handlers.shelf.names[0], text_of(picture), 1, 1, query)
    np.testing.assert_allclose(
        answer["attention"], model.attention(picture, 1, 1, query), rtol=1e-5
    )
    assert sum(answer["attention"]) == pytest.approx(1, abs=1e-5)
    assert answer["entropy"] == pytest.approx(model.look(picture).entropy(1, 1, query), abs=1e-5)
    probabilities = model.classify(picture[None])[0]
    assert answer["probabilities"] == pytest.approx(
        dict(zip(model.classes, probabilities.tolist(), strict=True)), rel=1e-5
    )


def test_first_paint_and_snippet_fit(unpacked, handlers):
    name = handlers.shelf.names[0]
    value = handlers.first_pad(name)
    looking = handlers.looking(name, value)
    attention = unpacked(looking)["attention"]  # (layers, heads, T, T)
    layer, head, query = (looking["selected"][place] for place in ("layer", "head", "query"))
    assert f"layer={layer}, head={head}, query={query}" in handlers.snippet(name, value)
    # No other head has the class token look more at one patch.
    assert attention[layer, head, query, 1:].max() == attention[:, :, 0, 1:].max()
