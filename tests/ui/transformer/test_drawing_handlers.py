import base64
import io
from urllib.parse import parse_qsl

import numpy as np
import pytest
import torch
from PIL import Image

from genimg.models.sampling import next_token_distribution
from genimg.render.colors import color_table
from genimg.ui.transformer import drawing_handlers
from genimg.ui.transformer.drawing_handlers import DrawingHandlers
from genimg.ui.transformer.drawing_view import ANY_CLASS, DrawingView

CONTROLS = {"temperature": 0.8, "top_k": 5, "top_p": 0.9, "guidance": 2.0}


@pytest.fixture(scope="module")
def handlers(drawer_shelf):
    return DrawingHandlers(drawer_shelf)


@pytest.fixture(scope="module")
def drawer(drawer_shelf):
    with drawer_shelf.use(drawer_shelf.names[0]) as model:
        return model


@pytest.fixture(scope="module")
def view(drawer):
    return DrawingView(checkpoint=drawer.name, seed=4, label="Shoe", **CONTROLS)


@pytest.fixture(scope="module")
def payload(handlers, view):
    return handlers.payload(view)


@pytest.fixture(scope="module")
def drawing(drawer, view):
    return drawer.generate(**view.arguments())


@pytest.fixture(scope="module")
def arrays(unpacked, payload):
    return unpacked(payload)


def test_attention_and_rollout_are_the_librarys(arrays, payload, drawing):
    layers, heads, count, positions = arrays["attention"].shape
    assert (layers, heads) == (payload["layers"], payload["heads"]) == (2, 2)
    assert positions == count + 1 == len(drawing.tokens) + 1
    for query in range(count):
        np.testing.assert_allclose(
            arrays["attention"][:, :, query], drawing.maps.all_heads(query), atol=1e-5
        )
        np.testing.assert_allclose(arrays["rollout"][query], drawing.rollout(query), atol=1e-5)
        assert not arrays["attention"][:, :, query, query + 1 :].any()  # exactly


def test_the_attention_times_the_lengths_is_what_each_token_adds(arrays, drawing):
    for layer, head, query in ((0, 0, 3), (1, 1, 9), (1, 0, 0)):
        added = arrays["attention"][layer, head, query] * arrays["value_lengths"][layer, head]
        expected = drawing.contribution(layer, head, query)
        np.testing.assert_allclose(added, expected, rtol=1e-4, atol=1e-5)


def test_every_token_came_from_its_reshaped_logits(arrays, drawing):
    np.testing.assert_array_equal(arrays["tokens"], drawing.tokens)
    rest = {name: value for name, value in CONTROLS.items() if name != "guidance"}
    found = next_token_distribution(torch.from_numpy(arrays["logits"].copy()), **rest)
    np.testing.assert_allclose(found.numpy(), drawing.probabilities, atol=1e-5)


def test_frames_are_the_stream(arrays, drawer, view):
    for step, _, image in drawer.stream(**view.arguments()):
        difference = arrays["frames"][step].astype(int) - image
        assert abs(difference).max() <= 1  # a batch adds in another order
    np.testing.assert_array_equal(arrays["frames"][-1], drawer.generate(**view.arguments()).image)


def test_candidates_are_the_likeliest_and_their_patches_what_they_would_look_like(
    arrays, drawer, drawing
):
    _, columns = drawer.grid
    for step in (0, 1, columns, len(drawing.tokens) - 1):
        order = np.sort(arrays["logits"][step])[::-1]
        candidates = arrays["candidates"][step]
        np.testing.assert_array_equal(arrays["logits"][step][candidates], order[: len(candidates)])
        row, column = divmod(step, columns)
        for candidate, patch in zip(candidates, arrays["patches"][step], strict=True):
            so_far = np.full(len(drawing.tokens), -1)
            so_far[:step], so_far[step] = drawing.tokens[:step], candidate
            picture = drawer.unfinished(so_far)
            expected = picture[4 * row : 4 * row + 4, 4 * column : 4 * column + 4]
            assert abs(patch.astype(int) - expected).max() <= 1


def test_colors_and_facts(arrays, payload, view, drawer, english):
    np.testing.assert_array_equal(arrays["colors"], color_table("sequential"))
    assert english(payload["className"]) == "Shoe"
    assert english(payload["caption"]) == view.caption()
    assert english(payload["layout"]) == {
        "rows": drawer.grid[0],
        "columns": drawer.grid[1],
        "special": ["class"],
    }
    assert payload["drawing"] == {"checkpoint": drawer.name, "seed": 4, "label": "Shoe"} | CONTROLS
    assert payload["query"] == view.query()
    assert payload["seconds"] >= 0


def test_the_machine_is_described_as_it_is(payload, drawer, english):
    hidden = drawer.prior.transformer.blocks[0].feed_forward.output.weight.shape[1]
    assert english(payload["machine"]) == {
        "width": drawer.config.width,
        "feedForward": hidden,
        "vocabulary": drawer.tokenizer.vocabulary_size,
        "position": "rotary, in the heads",
        "residual": True,
    }


def test_heads_are_those_of_the_card_if_it_is_of_this_model(handlers, drawer, payload, monkeypatch):
    assert payload["measured"] is None
    table = drawer.measure_heads(1).rows()
    heads = {"drawings": 1, "seed": 0, "command": "x", "table": table}
    for given, expected in ((table, {"table": table, "drawings": 1}), (table[:-1], None)):
        monkeypatch.setattr(drawer, "info", {"heads": heads | {"table": given}})
        assert drawing_handlers.measured_heads(drawer) == expected


def test_a_drawing_is_made_once(handlers, view, monkeypatch):
    handlers.payload(view)
    monkeypatch.setattr(drawing_handlers, "pack", None)  # drawing again would fail
    again = handlers.payload(view)
    request = {"drawing": again["drawing"], "layer": 0, "head": 0, "query": 0}
    assert handlers.asked(request)[0].attention(0, 0, 0)[0] == 1


def test_large_pictures_get_fewer_candidates(unpacked, handlers, drawer, view, monkeypatch):
    monkeypatch.setattr(drawing_handlers, "_MOST_PIXELS_DECODED", 1)
    arrays = unpacked(DrawingHandlers(handlers.shelf).payload(view))
    assert arrays["candidates"].shape[1] == arrays["patches"].shape[1] == 1


@pytest.fixture(scope="module")
def pixels(pixel_shelf):
    """The handlers, view and payload of a drawing of 784 pixels."""
    handlers = DrawingHandlers(pixel_shelf)
    view = DrawingView(checkpoint=pixel_shelf.names[0], seed=1, label="Shoe")
    return handlers, view, handlers.payload(view)


def test_a_long_drawing_is_sent_without_its_attention(pixels, unpacked, pixel_shelf, english):
    _, view, payload = pixels
    arrays = unpacked(payload)
    assert len(payload["bytes"]) < 500_000
    assert not {"attention", "rollout"} & arrays.keys()
    with pixel_shelf.use(view.checkpoint) as model:
        drawing = model.generate(**view.arguments())
    np.testing.assert_array_equal(arrays["frames"], drawing.image[None])
    np.testing.assert_array_equal(arrays["tokens"], drawing.tokens)
    greys = np.rint(arrays["candidates"] * 17).astype(np.uint8)  # 16 greys from 0 to 255
    np.testing.assert_array_equal(arrays["patches"][..., 0, 0, 0], greys)
    assert english(payload["layout"]) == {"rows": 28, "columns": 28, "special": ["class"]}


def test_where_a_position_of_a_long_drawing_looks_is_told_when_asked(pixels, unpacked, pixel_shelf):
    handlers, view, payload = pixels
    with pixel_shelf.use(view.checkpoint) as model:
        drawing = model.generate(**view.arguments())
    for query in (0, 100, 783):
        request = {"drawing": payload["drawing"], "layer": 1, "head": 0, "query": query}
        answer = handlers.looks(request)
        assert (answer["query"], len(answer["bytes"]) < 100_000) == (query, True)
        arrays = unpacked(answer)
        np.testing.assert_allclose(arrays["attention"], drawing.maps.all_heads(query), atol=1e-6)
        np.testing.assert_allclose(arrays["rollout"], drawing.rollout(query), atol=1e-5)
        seen = arrays["attention"][0, 0] > 0
        assert seen.nonzero()[0].tolist() == sorted({0, *range(max(0, query - 56), query + 1)})


@pytest.mark.parametrize("query", [-1, 784, "0", None, 1.5])
def test_a_position_that_is_not_there_is_one_sentence(pixels, query):
    handlers, _, payload = pixels
    request = {"drawing": payload["drawing"], "layer": 0, "head": 0, "query": query}
    assert set(handlers.looks(request)) == {"error"}
    assert set(handlers.looks(query)) == {"error"}


def test_any_class_is_drawn_without_one(unpacked, handlers, drawer):
    view = handlers.view(drawer.name, ANY_CLASS, 4, 1, 0, 1, 1)
    assert view.label is None
    np.testing.assert_array_equal(
        unpacked(handlers.payload(view))["logits"],
        drawer.generate(label=None, seed=4).unconditional_logits,
    )


def test_the_request_of_a_browser_is_answered(handlers, payload, drawing):
    request = {"drawing": payload["drawing"], "layer": 1, "head": 0, "query": 9}
    maps, *place = handlers.asked(request)
    assert place == [1, 0, 9]
    np.testing.assert_allclose(maps.attention(*place), drawing.attention(*place), atol=1e-5)
    assert "layer=1, head=0, query=9" in handlers.snippet(request)


def test_what_is_selected_first_can_be_looked_at(handlers):
    payload = handlers.payload(handlers.first_view())
    request = {"drawing": payload["drawing"], **payload["selected"]}
    maps, layer, head, query = handlers.asked(request)
    assert maps.attention(layer, head, query).sum() == pytest.approx(1, rel=1e-5)


@pytest.mark.parametrize(
    "request_",
    [None, [], "x", {}, {"drawing": None}, {"drawing": []}, {"drawing": {}}],
    ids=str,
)
def test_a_request_that_no_browser_makes_is_a_sentence(handlers, request_):
    with pytest.raises(ValueError, match=r"draw one first|draw it again"):
        handlers.asked(request_)


@pytest.mark.parametrize(
    "changes",
    [
        {"layer": 2},
        {"layer": -1},
        {"layer": None},
        {"head": "0"},
        {"query": 10**9},
        {"query": 1.0},
        {"query": True},
        {"drawing": {"checkpoint": "/etc/passwd"}},
        {"drawing": {"checkpoint": ["x"]}},
        {"drawing": {"seed": -1}},
        {"drawing": {"top_k": "all"}},
        {"drawing": {"evil": 1}},
    ],
    ids=str,
)
def test_a_changed_request_is_a_sentence(handlers, payload, changes):
    request = {"drawing": payload["drawing"], "layer": 1, "head": 0, "query": 9}
    request |= changes | {"drawing": payload["drawing"] | changes.get("drawing", {})}
    with pytest.raises(ValueError, match=r"must be|choose one of|no such drawing"):
        handlers.asked(request)


def test_controls_show_a_view(handlers, drawer, view):
    new = handlers.controls(view)
    assert new["label"]["value"] == "Shoe"
    assert [value for _, value in new["label"]["choices"]] == [ANY_CLASS, *drawer.classes]
    assert new["top_k"] == {"value": 5, "maximum": 12}
    boat = handlers.view_in(drawer.name, "Boat", 3)
    assert handlers.controls(boat)["label"]["value"] == ANY_CLASS
    with pytest.raises(ValueError, match="the seed"):
        handlers.view_in(drawer.name, "Shoe", -3)


def test_a_class_without_a_name_can_be_chosen(handlers, drawer, monkeypatch):
    monkeypatch.setattr(drawer, "classes", ["", "Hat", "Coat"])
    view = handlers.view(drawer.name, "", 4, 1, 0, 1, 1)
    assert view.label == ""
    shown = handlers.controls(view)["label"]
    assert ("(no name)", shown["value"]) in shown["choices"]
    assert DrawingView.from_query(drawer, dict(parse_qsl(view.query(), True))) == view
    assert view.caption().startswith("(no name)")


def test_a_link_is_opened(handlers, view):
    query = {"drawer": view.checkpoint, "drawing": "7", "class": "Shoe", "top_k": "2"}
    linked = handlers.linked_view(query)
    assert (linked.seed, linked.label, linked.top_k) == (7, "Shoe", 2)
    with pytest.raises(ValueError, match="choose one of"):
        handlers.linked_view(query | {"drawer": "/etc/passwd"})


def test_the_endpoint_draws_the_librarys_picture(handlers, drawer):
    answer = handlers.draw(drawer.name, "Shoe", seed=2, temperature=0.5)
    expected = drawer.generate(label="Shoe", seed=2, temperature=0.5)
    picture = Image.open(io.BytesIO(base64.b64decode(answer["picture"].split(",", 1)[1])))
    np.testing.assert_array_equal(np.asarray(picture), expected.image[:, :, 0])
    assert answer["tokens"] == expected.tokens.tolist()
    any_class = drawer.generate(label=None, seed=2)
    assert handlers.draw(drawer.name, seed=2)["tokens"] == any_class.tokens.tolist()


@pytest.mark.parametrize(
    "arguments",
    [
        {"checkpoint": "/etc/passwd"},
        {"label": "Boat"},
        {"seed": "1"},
        {"temperature": 3},
        {"top_k": 1.5},
        {"top_p": 0},
        {"guidance": None},
    ],
    ids=str,
)
def test_the_endpoint_refuses_with_a_sentence(handlers, drawer, arguments):
    with pytest.raises(ValueError, match=r"must be|is not a class|choose one of"):
        handlers.draw(**{"checkpoint": drawer.name} | arguments)


def test_facts_name_the_size_of_the_model(handlers, drawer):
    assert "2 layers of 2 heads" in handlers.facts(drawer.name)
    assert "1,000 pictures seen" in handlers.facts(drawer.name)
