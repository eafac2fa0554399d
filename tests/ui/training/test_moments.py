import sys
import types

import pytest

from genimg.jobs.states import State
from genimg.jobs.terminal_runs import read_terminal_run
from genimg.storage import Lease
from genimg.ui.training import moments
from genimg.ui.training.moments import Moments, lent_gpu


def test_where_no_gpu_is_lent_nothing_is_decorated(monkeypatch):
    for absent in (None, types.ModuleType("spaces")):  # a folder of that name is a module, too
        monkeypatch.setattr(moments, "spaces", absent)
        assert lent_gpu(test_where_no_gpu_is_lent_nothing_is_decorated) is (
            test_where_no_gpu_is_lent_nothing_is_decorated
        )


def test_where_one_is_lent_it_is_asked_for_within_a_minute(monkeypatch):
    asked = []
    lender = types.SimpleNamespace(
        GPU=lambda duration: asked.append(duration) or (lambda f: "lent")
    )
    monkeypatch.setattr(moments, "spaces", lender)
    assert lent_gpu(print) == "lent"
    assert asked == [60]
    assert 60 * moments.MINUTES < 60


def test_a_run_is_trained_into_a_directory_that_is_watched(tmp_path, monkeypatch, small_models):
    begun = Moments(tmp_path)
    monkeypatch.setattr(moments, "MINUTES", 0.01)
    real = moments.request_run
    monkeypatch.setattr(
        moments,
        "request_run",
        lambda preset, out, **settings: real(preset, out, **small_models[preset] | settings),
    )
    name = begun.begin("fashion-mlp")
    assert read_terminal_run(tmp_path / name) is not None
    assert begun.train(name) == ""
    assert read_terminal_run(tmp_path / name).state is State.SUCCEEDED
    assert list((tmp_path / name / "samples").iterdir())


@pytest.mark.parametrize("preset", [None, "", "fashion-gpt", "../x", ["fashion-mlp"], 3])
def test_only_what_is_offered_is_trained(tmp_path, preset):
    with pytest.raises(ValueError, match="from the list"):
        Moments(tmp_path).begin(preset)
    assert not list(tmp_path.iterdir())


def test_where_there_are_none_the_function_says_so(tmp_path):
    with pytest.raises(ValueError, match="not here"):
        Moments(tmp_path, "not here").begin("fashion-mlp")
    assert not list(tmp_path.iterdir())


def test_the_disk_holds_a_few_of_them_only(tmp_path):
    begun = Moments(tmp_path)
    names = [begun.begin("fashion-mlp") for _ in range(9)]
    assert {path.name for path in tmp_path.iterdir()} == set(names[-6:])


def test_one_that_is_being_trained_stays(tmp_path, monkeypatch):
    begun = Moments(tmp_path)
    first = begun.begin("fashion-mlp")
    monkeypatch.setattr(Lease, "is_held", lambda lease: first in str(lease.path))
    names = [begun.begin("fashion-mlp") for _ in range(9)]
    kept = {path.name for path in tmp_path.iterdir()}
    assert first in kept
    assert names[-1] in kept


def test_what_goes_wrong_is_one_sentence(tmp_path):
    assert "holds no run" in Moments(tmp_path).train("nothing")


def test_the_package_is_not_needed():
    assert moments.spaces is sys.modules.get("spaces")
