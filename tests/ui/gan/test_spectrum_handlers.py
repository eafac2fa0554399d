import numpy as np
import pytest

import genimg
from genimg.metrics.spectrum import spectrum
from genimg.ui.gan import spectrum_handlers
from genimg.ui.gan.handlers import GanHandlers
from genimg.ui.gan.spectrum_handlers import SpectrumHandlers
from genimg.ui.model_shelf import ModelShelf


@pytest.fixture
def fewer(monkeypatch):
    """Eighty pictures are enough to see that they are the right ones."""
    monkeypatch.setattr(spectrum_handlers, "COUNT", 80)
    spectrum_handlers._real.cache_clear()
    yield
    spectrum_handlers._real.cache_clear()


def of(model):
    return spectrum(np.concatenate([model.sample(40, seed=seed) for seed in range(2)]))


def expect_row(row, found):
    assert row["power"] == found.power.tolist()
    assert row["frequencies"] == found.frequencies.tolist()
    for name in ("detail", "jaggies", "checkerboard"):
        assert row[name] == getattr(found, name)


def test_models_of_the_same_pictures_stand_beside_real_ones(fewer):
    shelf = ModelShelf(["fashion-mlp", "portraits-small", "fashion-dcgan"])
    handlers = SpectrumHandlers(GanHandlers(shelf))
    *progress, last = handlers.compare({"query": "model=fashion-dcgan&seed=1"})
    assert progress == [{"done": done, "of": 160} for done in (0, 40, 80, 120)]
    real, dcgan, mlp = last["rows"]
    assert [row["shown"] for row in last["rows"]] == [False, True, False]
    assert [row["real"] for row in last["rows"]] == [True, False, False]
    test = genimg.data.load("fashion-mnist", size=32, split="test")
    expect_row(real, spectrum(test.subset(slice(80)).pictures()))
    expect_row(dcgan, of(genimg.load("fashion-dcgan")))
    expect_row(mlp, of(genimg.load("fashion-mlp")))
    assert len(list(handlers.compare({"query": "model=fashion-mlp&seed=1"}))) == 1  # it is known
    names: dict = {}
    exec(compile(last["code"], "snippet", "exec"), names)
    assert names["generated"].checkerboard == dcgan["checkerboard"]
    assert names["real"].detail == real["detail"]


def test_without_real_pictures_the_models_alone_are_shown(fewer, shelf):
    handlers = SpectrumHandlers(GanHandlers(shelf))
    name = shelf.names[0]
    *_, last = handlers.compare({"query": f"model={name}&seed=1"})
    with shelf.use(name) as model:
        [row] = [row for row in last["rows"] if row["shown"]]
        expect_row(row, of(model))
    assert not any(row["real"] for row in last["rows"])


def test_dcgan_leaves_a_checkerboard_and_stylegan_none():
    """What the part says of the models that ship, measured as it does."""
    found = {}
    for name in ("fashion-dcgan", "fashion-stylegan"):
        model = genimg.load(name)
        parts = [model.sample(40, seed=seed) for seed in range(10)]
        found[name] = spectrum(np.concatenate(parts)).checkerboard
    test = genimg.data.load("fashion-mnist", size=32, split="test")
    real = spectrum(test.subset(slice(400)).pictures()).checkerboard
    assert real < 1
    assert found["fashion-stylegan"] < 1.1
    assert found["fashion-dcgan"] > 1.3 * real


def test_no_path_of_this_machine_is_shown():
    code = spectrum_handlers._code("runs/mine", 300, ("folder:/home/me/secret", 32, 3))
    assert "secret" not in code
    assert 'genimg.load("runs/mine").at(300)' in code


@pytest.mark.parametrize("request_", [None, {}, {"query": 3}, {"query": "model=nobody"}])
def test_what_no_page_sends_is_refused(shelf, request_):
    [answer] = SpectrumHandlers(GanHandlers(shelf)).compare(request_)
    assert answer.keys() == {"error"}
    assert answer["error"]["english"].endswith(".")
