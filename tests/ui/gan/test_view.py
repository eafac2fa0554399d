import math
import runpy
from urllib.parse import parse_qsl

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genimg.ui.gan.view import GanView, GanWalk, seeds_in

AMOUNTS = st.lists(st.floats(-3, 3), max_size=10)
SEEDS = st.integers(0, 2**32 - 1)


@pytest.fixture(scope="module")
def style(shelf):
    with shelf.use(shelf.names[0]) as model:
        return model


@pytest.fixture(scope="module")
def plain(shelf):
    with shelf.use(shelf.names[1]) as model:
        return model


def view_of(model, **changes):
    settings = {"seed": 3, "label": "Shoe", "truncation": 0.7}
    return GanView.checked(model, model.name, **settings | changes)


def walk_of(model, **changes):
    settings = {"seeds": [1, 7, 42], "steps": 9, "mode": "slerp", "space": "z", "loop": True}
    settings |= {"label": "Shoe", "truncation": 0.7}
    return GanWalk.checked(model, model.name, **settings | changes)


@given(
    seed=SEEDS,
    label=st.integers(0, 2),
    truncation=st.floats(0, 1.5),
    directions=AMOUNTS,
    latents=st.dictionaries(st.integers(0, 11), st.floats(-3, 3)),
    noise=st.sampled_from(["own", "off"]) | SEEDS,
)
def test_a_link_leads_back_to_the_view(style, seed, label, truncation, directions, latents, noise):
    view = view_of(
        style,
        seed=seed,
        label=style.classes[label],
        truncation=truncation,
        directions=directions,
        latents=latents,
        noise=noise,
    )
    query = dict(parse_qsl(view.query()))
    assert GanView.from_query(style, query) == view


def test_a_view_without_moves_and_labels_is_short(plain):
    view = GanView.checked(
        plain, "p", seed=1, label="ignored", truncation=0.3, directions=[0, -0.0]
    )
    assert view.query() == "model=p&seed=1"
    assert GanView.checked(plain, "p", seed=1, label=None, truncation=1, noise="off") == view
    assert view.arguments() == {"seed": 1}


@given(
    query=st.dictionaries(
        st.sampled_from(
            ["seed", "label", "truncation", "after", "directions", "latents", "code", "noise"]
        ),
        st.text(),
    )
)
def test_a_link_is_shown_or_refused_but_never_breaks(style, query):
    try:
        view = GanView.from_query(style, query)
        picture = view.model_in(style).picture(**view.arguments())
    except ValueError:
        return
    assert picture.shape == (32, 32, 1)


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": -1},
        {"seed": 2**32},
        {"seed": None},
        {"seed": 1.5},
        {"seed": "1"},
        {"seed": True},
        {"label": "Boat"},
        {"label": None},
        {"label": ["Shoe"]},
        {"truncation": 1.6},
        {"truncation": math.nan},
        {"truncation": "0.7"},
        {"directions": [3.1]},
        {"directions": [math.inf]},
        {"directions": [None]},
        {"latents": {0: -4}},
        {"noise": "new"},
        {"noise": "-1"},
        {"noise": 2**32},
        {"noise": None},
        {"noise": ["own"]},
    ],
)
def test_views_out_of_range_are_refused(style, changes):
    with pytest.raises(ValueError, match=r"must be|is not a class"):
        view_of(style, **changes)


@pytest.mark.parametrize(
    "query",
    [
        {"seed": "1e3"},
        {"directions": ",".join(["1"] * 11)},
        {"directions": "1;2"},
        {"latents": "12:1"},
        {"latents": "-1:1"},
        {"latents": "1"},
        {"latents": "1:2:3"},
    ],
)
def test_damaged_numbers_in_a_link_are_refused(style, query):
    with pytest.raises(ValueError, match="link is damaged"):
        GanView.from_query(style, query)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"label": 'Hat "large"', "directions": [0.33, 0, -1.25], "latents": {2: 1.0}},
        {"label": "<b>${alert(1)}</b>", "truncation": 1},
        {"noise": "off"},
        {"noise": "12"},
    ],
)
def test_the_snippet_makes_the_same_picture(style, tmp_path, monkeypatch, changes):
    view = view_of(style, **changes)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "snippet.py").write_text(view.snippet(), encoding="utf-8")
    made = runpy.run_path("snippet.py")
    expected = view.model_in(style).picture(**view.arguments())
    np.testing.assert_array_equal(made["picture"], expected)
    assert (tmp_path / "picture.png").stat().st_size > 0


MOVED = {"directions": [0.5, -1], "latents": {2: 1.0}}


@pytest.mark.parametrize("changes", [{}, {"space": "w", "loop": False, "mode": "lerp"}, MOVED])
def test_a_link_leads_back_to_the_walk(style, changes):
    walk = walk_of(style, **changes)
    view = view_of(style, **MOVED if "latents" in changes else {})
    view = GanView.checked(
        style, walk.checkpoint, seed=view.seed, label=walk.label, truncation=walk.truncation,
        directions=view.directions, latents=view.latents,
    )  # fmt: skip
    query = dict(parse_qsl(walk.query()))
    assert GanWalk.from_query(style, query, view) == walk
    for damage in ({"between": "x"}, {"between": "9999"}, {"walk": ""}, {"space": "q"}):
        with pytest.raises(ValueError, match=r"damaged|seeds|space"):
            GanWalk.from_query(style, query | damage, view)


def test_every_picture_of_a_walk_is_moved_as_its_keyframes_are(style):
    for space in style.spaces:
        walk = walk_of(style, space=space, **MOVED)
        frames = style.interpolate(**walk.arguments())
        first = GanView.checked(
            style, walk.checkpoint, seed=walk.seeds[0], label=walk.label,
            truncation=walk.truncation, **MOVED,
        )  # fmt: skip
        difference = abs(frames[0].astype(int) - style.picture(**first.arguments()))
        assert difference.max() <= 1


@pytest.mark.parametrize("changes", [{}, {"space": "w", "loop": False, "mode": "lerp"}, MOVED])
def test_the_snippet_makes_the_same_walk(style, tmp_path, monkeypatch, changes):
    walk = walk_of(style, **changes)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "snippet.py").write_text(walk.snippet(), encoding="utf-8")
    made = runpy.run_path("snippet.py")
    np.testing.assert_array_equal(made["frames"], style.interpolate(**walk.arguments()))
    assert (tmp_path / "walk.gif").read_bytes()[:6] == b"GIF89a"


@pytest.mark.parametrize("loop", [True, False])
@pytest.mark.parametrize("seeds", [[1, 7], [1, 7, 42, 3]])
def test_keyframes_show_their_seeds(style, seeds, loop):
    intervals = len(seeds) if loop else len(seeds) - 1
    walk = walk_of(style, seeds=seeds, steps=5 * intervals + (not loop), loop=loop, space="w")
    frames = style.interpolate(**walk.arguments())
    keyframes = walk.keyframes()
    assert keyframes[0] == 0
    for seed, frame in zip(seeds, keyframes, strict=True):
        alone = walk_of(style, seeds=[seed, seed], steps=2, loop=False, space="w")
        # All frames carry the noise of the first seed, so only its own picture is comparable.
        if seed == seeds[0]:
            np.testing.assert_array_equal(frames[frame], style.interpolate(**alone.arguments())[0])
    assert keyframes == [5 * i for i in range(len(seeds))]


@pytest.mark.parametrize(
    "changes",
    [
        {"seeds": [1]},
        {"seeds": list(range(7))},
        {"seeds": [1, 2**32]},
        {"seeds": [1, None]},
        {"seeds": "1, 2"},
        {"steps": 1},
        {"steps": 289},
        {"steps": 9.5},
        {"mode": "spline"},
        {"mode": None},
        {"space": "x"},
        {"label": "Boat"},
        {"truncation": -0.1},
    ],
)
def test_walks_out_of_range_are_refused(style, changes):
    with pytest.raises(ValueError, match=r"must be|seeds|is not a class"):
        walk_of(style, **changes)


def test_a_model_without_mapping_walks_in_z(plain):
    walk = walk_of(plain, space="w", truncation=0.2)
    assert (walk.space, walk.label, walk.truncation) == ("z", None, 1.0)
    assert plain.interpolate(**walk.arguments()).shape[0] == walk.steps


def test_seeds_are_read_from_text():
    assert seeds_in("1, 7 42,") == [1, 7, 42]
    assert seeds_in("") == []
    for text in ["one", "1.5", "-1", "٣", "1" * 11, None, 5]:
        with pytest.raises(ValueError, match="whole numbers"):
            seeds_in(text)
