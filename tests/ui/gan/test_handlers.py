import base64
import io

import av
import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageSequence

from genimg.ui.gan.handlers import LATENTS, NEIGHBOURS
from genimg.ui.gan.sliders import DIRECTIONS, nudged
from genimg.ui.gan.view import AMOUNT_STEP, FIRST_STEPS_BETWEEN
from genimg.ui.texts import sent

CLASSES = ["Shoe", 'Hat "large"']
STILL = [0.0] * (DIRECTIONS + LATENTS)


def decoded(uri):
    return Image.open(io.BytesIO(base64.b64decode(uri.split(",", 1)[1])))


def pixels(uri):
    return np.asarray(decoded(uri))


def walk_of(handlers, **changes):
    settings = {"label": "Shoe", "truncation": 0.7, "seeds": "1, 7, 42", "between": 4}
    settings |= {"mode": "slerp", "space": "z", "loop": True} | changes
    return handlers.walk(handlers.shelf.names[0], **settings)


@pytest.fixture
def style(shelf):
    with shelf.use(shelf.names[0]) as model:
        return model


def test_the_picture_is_the_librarys_picture(handlers, style):
    amounts = [1.5, 0, -0.7, *STILL[3:]]
    amounts[DIRECTIONS + 2] = 0.5
    view = handlers.view(style.name, "Shoe", 4, 0.6, amounts)
    expected = style.picture(
        seed=4, label="Shoe", truncation=0.6, directions=[1.5, 0, -0.7], latents={2: 0.5}
    )
    np.testing.assert_array_equal(pixels(handlers.picture(view)["src"]), expected[:, :, 0])
    assert "3 sliders moved" in view.caption()
    assert handlers.picture(view)["caption"] == sent(view.caption())


def test_the_first_neighbour_is_the_picture(handlers, style):
    view = handlers.view(style.name, "Shoe", 4, 0.6, [1.0, *STILL[1:]])
    picture = pixels(handlers.picture(view)["src"])
    sheet = pixels(handlers.neighbours(view)["src"])
    assert sheet.shape[0] * sheet.shape[1] == NEIGHBOURS * picture.size
    difference = sheet[: picture.shape[0], : picture.shape[1]].astype(int) - picture
    assert abs(difference).max() <= 1  # a batch of 16 adds in another order


def test_sliders_that_a_model_does_not_have_do_nothing(handlers, shelf):
    moved = [*STILL[:-1], 2.5]  # z 15 of a model with 12 dimensions
    view = handlers.view(shelf.names[1], "Shoe", 4, 0.2, moved)
    assert view.arguments() == {"seed": 4}


def test_controls_hide_what_a_model_does_not_have(handlers, shelf):
    style, plain = (
        handlers.controls(handlers.view_in(name, "Shoe", 3, 0.7)) for name in shelf.names[:2]
    )
    assert style["label"]["visible"]
    assert style["truncation"]["visible"]
    assert not plain["label"]["visible"]
    assert not plain["truncation"]["visible"]
    assert [entry["visible"] for entry in plain["latents"]] == [i < 12 for i in range(LATENTS)]
    assert handlers.is_mapped(shelf.names[0])
    assert not handlers.is_mapped(shelf.names[1])


def test_hidden_controls_keep_what_they_last_said(handlers, shelf):
    """Else truncation would be 1, and the class another, after a visit to a model without them."""
    plain = handlers.controls(handlers.view_in(shelf.names[1], "Shoe", 3, 0.7))
    assert plain["label"] == plain["truncation"] == {"visible": False}


def test_controls_show_a_linked_view(handlers, style):
    query = {
        "model": style.name,
        "seed": "9",
        "label": "Shoe",
        "directions": "0,1",
        "latents": "3:1",
    }
    controls = handlers.controls(handlers.linked_view(query))
    assert controls["seed"]["value"] == 9
    assert [entry["value"] for entry in controls["directions"][:3]] == [0, 1, 0]
    assert [entry["value"] for entry in controls["latents"][2:5]] == [0, 1, 0]
    with pytest.raises(ValueError, match="choose one of"):
        handlers.linked_view({"model": "/etc/passwd"})


@pytest.mark.parametrize("loop", [True, False])
@pytest.mark.parametrize("space", ["z", "w"])
def test_the_film_holds_every_frame(handlers, style, space, loop):
    walk = walk_of(handlers, loop=loop, space=space)
    film = handlers.film(walk)
    frames = style.interpolate(**walk.arguments())
    sheet = pixels(film["sheet"])
    assert film["frames"] == len(frames) == (12 if loop else 9)
    for i, frame in enumerate(frames):
        row, column = divmod(i, film["columns"])
        top, left = row * film["height"], column * film["width"]
        found = sheet[top : top + film["height"], left : left + film["width"]]
        np.testing.assert_array_equal(found, frame[:, :, 0])
    assert max(film["keyframes"]) < len(frames)


def test_the_walk_that_plays_is_the_walk_that_is_saved(handlers):
    film = handlers.film(walk_of(handlers))
    strip = pixels(film["sheet"])
    saved = handlers.export({"walk": film["walk"], "format": "png"})
    assert saved["name"] == "walk.png"
    np.testing.assert_array_equal(pixels(saved["src"]), strip)  # 12 frames make one row of both
    for format in ("gif", "webp"):
        file = decoded(handlers.export({"walk": film["walk"], "format": format})["src"])
        length = 0
        for frame in ImageSequence.Iterator(file):
            frame.load()  # a WebP knows the duration of a frame only then
            length += frame.info["duration"]
        assert file.format.lower() == format
        assert length == pytest.approx(film["frames"] / 30 * 1000, abs=10)
    saved = handlers.export({"walk": film["walk"], "format": "mp4"})
    assert saved["name"] == "walk.mp4"
    with av.open(io.BytesIO(base64.b64decode(saved["src"].split(",", 1)[1]))) as file:
        assert len(list(file.decode(video=0))) == film["frames"]


def test_a_walk_is_stale_once_a_setting_that_it_depends_on_has_changed(handlers, shelf):
    style, plain = shelf.names[:2]
    now = [style, "Shoe", 0.7, "1, 7", 4, "slerp", "z", True]
    shown = handlers.walk(*now).snippet()
    assert handlers.staleness(shown, *now) == ""
    for place, other in [(1, CLASSES[1]), (2, 0.5), (3, "1, 8"), (4, 5), (6, "w"), (0, plain)]:
        changed = [*now[:place], other, *now[place + 1 :]]
        assert "other settings" in handlers.staleness(shown, *changed)
    # What a model does not have changes nothing of its walk.
    shown = handlers.walk(plain, *now[1:]).snippet()
    assert handlers.staleness(shown, plain, CLASSES[1], 0.2, *now[3:]) == ""


def test_a_film_says_what_it_shows(handlers, shelf):
    walk = walk_of(handlers)
    assert walk.caption() == "Shoe · 3 seeds · truncation 0.7"
    assert handlers.film(walk)["caption"] == sent(walk.caption())
    plain = handlers.walk(shelf.names[1], "Shoe", 0.7, "1, 7", 4, "slerp", "z", True)
    assert plain.caption() == "2 seeds"


@pytest.mark.parametrize(
    "request_",
    [
        None,
        [],
        {},
        {"walk": None},
        {"walk": {}},
        {"walk": {"checkpoint": "/etc/passwd"}},
        {"walk": {"checkpoint": "x", "seeds": [1, 2], "evil": 1}},
    ],
)
def test_a_request_that_no_player_makes_is_a_sentence(handlers, request_):
    assert set(handlers.export(request_)) == {"error"}


@pytest.mark.parametrize(
    "changes",
    [
        {"seeds": [1, "2"]},
        {"seeds": [1] * 7},
        {"steps": 10**9},
        {"steps": None},
        {"space": "q"},
        {"checkpoint": "../plain"},
        {"checkpoint": ["x"]},
    ],
)
def test_a_changed_request_is_a_sentence(handlers, changes):
    walk = handlers.film(walk_of(handlers))["walk"]
    assert set(handlers.export({"walk": walk | changes, "format": "gif"})) == {"error"}
    for format in ("exe", None, ["gif"]):
        assert set(handlers.export({"walk": walk, "format": format})) == {"error"}


def test_the_first_walk_is_the_one_that_its_control_shows(handlers):
    walk = handlers.first_walk()
    assert walk.loop
    assert walk.steps == FIRST_STEPS_BETWEEN * len(walk.seeds)


@pytest.mark.parametrize("between", [3, 49, 10.5, None, "many", float("nan")])
def test_steps_out_of_range_are_refused(handlers, between):
    with pytest.raises(ValueError, match="steps"):
        walk_of(handlers, between=between)


def test_endpoints_return_pictures(handlers, style):
    sheet = pixels(handlers.sample(style.name, count=4, seed=1, label="Shoe"))
    expected = style.sample(4, seed=1, label="Shoe")
    np.testing.assert_array_equal(sheet[:32, :32], expected[0, :, :, 0])
    film = decoded(handlers.interpolate(style.name, steps=6, format="webp"))
    assert film.n_frames == 6


@pytest.mark.parametrize(
    "arguments",
    [
        {"count": 0},
        {"count": 101},
        {"count": "4"},
        {"count": True},
        {"seed": -1},
        {"seed": "1"},
        {"seed": 1.0},
        {"label": "Boat"},
        {"label": [["Shoe"]]},
        {"truncation": 9},
        {"truncation": "0.7"},
        {"checkpoint": "/etc/passwd"},
    ],
)
def test_endpoints_refuse_with_a_sentence(handlers, style, arguments):
    with pytest.raises(ValueError, match=r"must be|does not know|choose one of"):
        handlers.sample(**{"checkpoint": style.name} | arguments)


def test_facts_name_the_size_of_the_model(handlers, style):
    assert "123,456" in handlers.facts(style.name)
    assert "1.5 minutes" in handlers.facts(style.name)


@given(st.lists(st.floats(-3, 3), min_size=5))
def test_a_nudge_is_whole_steps_within_the_range(amounts):
    for amount in nudged(amounts):
        assert -3 <= amount <= 3
        assert amount / AMOUNT_STEP == pytest.approx(round(amount / AMOUNT_STEP))
    assert nudged([0.0] * 20) != [0.0] * 20


def test_all_that_the_page_gets_is_json_with_texts_for_keys(handlers):
    """Gradio's encoder refuses a number as a key, which plain `json` turns into a text."""
    moved = [1.0, *STILL[1:]]
    moved[DIRECTIONS] = 2.5
    view = handlers.view(handlers.shelf.names[0], "Shoe", 4, 0.6, moved)
    film = handlers.film(walk_of(handlers, amounts=moved))
    for payload in (
        handlers.picture(view),
        handlers.neighbours(view),
        handlers.controls(view),
        film,
    ):
        orjson.dumps(payload)
    saved = handlers.export({"walk": film["walk"], "format": "png"})
    assert "error" not in saved
