import shutil

import numpy as np
import pytest
import torch

from genimg import checkpoints, trails
from genimg.explore import inside
from genimg.explore.inside import alter, feature_maps, layers_of, peaks
from genimg.render.colors import color_table
from genimg.ui.gan.handlers import GanHandlers
from genimg.ui.gan.inside_handlers import InsideHandlers
from genimg.ui.gan.inside_handlers import _words as words
from genimg.ui.model_shelf import ModelShelf

VIEW = {"seed": 3, "label": "Shoe", "truncation": 0.7}


@pytest.fixture
def inside_of(handlers):
    return InsideHandlers(handlers)


def query(shelf, more=""):
    return f"model={shelf.names[0]}&seed=3&label=Shoe&truncation=0.7{more}"


def change(layer, units, factor=1.0, level=1.0, painted=""):
    return {"layer": layer, "units": units, "factor": factor, "level": level, "painted": painted}


def test_it_shows_what_the_units_of_a_layer_find(inside_of, shelf, unpacked):
    shown = inside_of.look({"query": query(shelf), "layer": 2, "changes": [], "maps": True})
    arrays = unpacked(shown)
    with shelf.use(shelf.names[0]) as model:
        picture, maps = model.picture(**VIEW), feature_maps(model, 2, **VIEW)
        layers = [[layer.units, layer.size] for layer in layers_of(model)]
    assert shown["layers"] == layers
    assert shown["words"] == ""
    assert np.array_equal(arrays["before"], picture)
    assert np.array_equal(arrays["after"], picture)
    assert np.array_equal(arrays["colors"], color_table("sequential"))
    expected = np.rint(255 * (maps / shown["high"]).clip(0, 1))
    assert np.array_equal(arrays["maps"], expected)
    assert shown["high"] == pytest.approx(np.percentile(maps, 99.5))


def test_the_changed_picture_is_that_of_the_library_and_of_the_python(inside_of, shelf, unpacked):
    name = shelf.names[0]
    with shelf.use(name) as model:
        size = layers_of(model)[1].size
        mask = np.zeros((size, size), bool)
        mask[1:3, 2:4] = True
        high = 2 * peaks(model, 1)
        expected = alter(
            model,
            factors={(0, 3): 0.0, (1, 4): 0.5 * ~mask, (1, 5): 0.5 * ~mask},
            added={(1, 4): high[4] * mask, (1, 5): high[5] * mask},
            **VIEW,
            directions=[1.0],
        )
    painted = "".join("1" if on else "0" for on in mask.flat)
    changes = [change(0, [3], 0), change(1, [4, 5], 0.5, 2, painted)]
    shown = inside_of.look(
        {"query": query(shelf, "&directions=1"), "layer": 0, "changes": changes, "maps": False}
    )
    arrays = unpacked(shown)
    assert "maps" not in arrays
    assert np.array_equal(arrays["after"], expected)
    assert "gan.inside.changed" in str(shown["words"])
    names: dict = {}
    program = shown["code"].partition("enlarge(picture")[0]
    exec(compile(program, "snippet", "exec"), names)
    assert np.array_equal(names["picture"], expected)


def test_every_change_alone_is_python(inside_of, shelf, unpacked):
    for changes in ([], [change(0, [1, 2], 3)]):
        shown = inside_of.look({"query": query(shelf), "layer": 0, "changes": changes})
        names: dict = {}
        exec(compile(shown["code"].partition("enlarge(")[0], "snippet", "exec"), names)
        assert np.array_equal(names["picture"], unpacked(shown)["after"])


def test_it_follows_the_time_machine(paths, tmp_path, unpacked):
    folder = tmp_path / "style"
    shutil.copytree(paths["style"], folder)
    model = checkpoints.read(folder).model
    with torch.no_grad():
        for weight in model.generator.parameters():
            weight.mul_(1.2)
    trails.write(folder, 300, model)
    shelf = ModelShelf([str(folder)])
    handlers = InsideHandlers(GanHandlers(shelf))
    sent = {"layer": 0, "changes": [change(0, [1], 0)]}
    now, then = (
        unpacked(handlers.look({"query": query(shelf, after)} | sent))["after"]
        for after in ("", "&after=300")
    )
    assert not np.array_equal(now, then)
    with shelf.use(str(folder)) as model:
        assert np.array_equal(then, alter(model.at(300), factors={(0, 1): 0.0}, **VIEW))


@pytest.mark.parametrize(
    "changes",
    [
        None,
        "x",
        [3],
        [change(99, [0])],
        [change(0, [])],
        [change(0, [10**9])],
        [change(0, ["1"])],
        [change(0, [1.5])],
        [change(0, [0], factor=5)],
        [change(0, [0], factor=float("nan"))],
        [change(0, [0], level=None)],
        [change(0, [0], painted="11")],
        [change(0, [0], painted="2" * 16)],
        [change(0, [0])] * 65,
    ],
)
def test_what_no_page_sends_is_refused(inside_of, shelf, changes):
    answer = inside_of.look({"query": query(shelf), "layer": 0, "changes": changes})
    assert answer.keys() == {"error"}
    assert answer["error"]["english"].endswith(".")


@pytest.mark.parametrize(
    "request_",
    [
        None,
        {},
        {"query": 3, "layer": 0},
        {"query": "model=nobody", "layer": 0, "changes": []},
        {"query": "model=", "layer": "0", "changes": []},
        {"layer": 0},
    ],
)
def test_what_is_no_picture_is_refused(inside_of, request_):
    assert inside_of.look(request_).keys() == {"error"}
    assert [answer.keys() for answer in inside_of.measure(request_)] == [{"error"}]


def test_a_layer_that_is_not_there_is_refused(inside_of, shelf):
    for layer in (-1, 99):
        answer = inside_of.look({"query": query(shelf), "layer": layer, "changes": []})
        assert "layer" in answer["error"]["english"]


def test_without_attributes_nothing_is_measured(inside_of, shelf):
    asked = {"query": query(shelf), "layer": 0}
    assert not inside_of.look(asked | {"changes": []})["attributed"]
    [answer] = inside_of.measure(asked)
    assert "No network names the attributes" in answer["error"]["english"]


@pytest.fixture
def attributed(monkeypatch):
    """Let a stand-in name an attribute of every picture; return how often it was asked."""
    asked = []

    class Net:
        heads = inside.feature_net("portraits").heads[5:6]

        def __call__(self, pictures):
            asked.append(len(pictures))
            mean = pictures.mean(axis=(1, 2, 3)) - 100
            return None, np.stack([mean, -mean, 0 * mean], axis=1)

    for module in ("genimg.explore.inside", "genimg.ui.gan.inside_handlers"):
        monkeypatch.setattr(f"{module}.attribute_net", lambda model: Net())
    return asked


def test_what_was_measured_is_kept_until_the_model_changes(paths, attributed):
    shelf = ModelShelf([paths["style"]])
    handlers = InsideHandlers(GanHandlers(shelf))
    asked = {"query": query(shelf), "layer": 1}
    *progress, last = handlers.measure(asked)
    with shelf.use(shelf.names[0]) as model:
        units = layers_of(model)[1].units
    assert progress[-1] == {"done": units, "of": units}
    found = last["measured"]
    assert found["names"] == ["glasses: none", "glasses: round", "glasses: square"]
    assert np.shape(found["values"]) == (units, 3)
    assert len(found["served"]) == units
    assert (last["query"], last["layer"]) == (asked["query"], 1)
    before = len(attributed)
    assert list(handlers.measure(asked)) == [last]
    assert handlers.look(asked | {"changes": []})["measured"] == found
    assert handlers.look(asked | {"layer": 0, "changes": []})["measured"] is None
    assert len(attributed) == before
    shelf.reload(shelf.names[0])
    assert len(list(handlers.measure(asked))) > 1


def test_others_use_the_model_while_a_layer_is_measured(paths, attributed):
    shelf = ModelShelf([paths["style"]])
    steps = InsideHandlers(GanHandlers(shelf)).measure({"query": query(shelf), "layer": 1})
    next(steps)
    assert shelf._lock.acquire(blocking=False)  # nobody holds it between two steps
    shelf._lock.release()


def test_it_says_how_much_has_changed_and_what_it_has_become(attributed):
    dark, grey, light = (np.full((8, 8, 1), level, np.uint8) for level in (0, 20, 255))
    assert words(None, dark, dark) == "The picture is as it was."
    assert words(None, dark, light) == (
        "100 % of the pixels have visibly changed. The network that names attributes now reads:"
        " glasses none (was round)."
    )
    assert words(None, dark, grey).endswith("reads the same ones as before.")
    spot = dark.copy()
    spot[0, 0] = 9
    assert words(None, dark, spot).startswith("2 % of the pixels")
    spot[0, 0] = 8
    assert words(None, dark, spot).startswith("Less than 1 % of the pixels")
