"""That the benchmarks still fit what they measure; what they measure is read off by people."""

import importlib.util
import json
import math
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


def load(name):
    spec = importlib.util.spec_from_file_location(f"benchmark_{name}", BENCHMARKS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def _as_scripts(monkeypatch):
    """One may import another, as it can where its folder is the script's."""
    monkeypatch.syspath_prepend(BENCHMARKS)


@pytest.mark.parametrize("path", sorted(BENCHMARKS.glob("*.py")), ids=lambda path: path.stem)
def test_each_finds_what_it_imports(path):
    assert load(path.stem).__doc__


def test_the_handler_of_the_page_is_timed(tmp_path):
    latency = load("latency")
    path = latency.publish_untrained(tmp_path, 32)
    for measure in (latency.time_handler, latency.time_units):
        times = measure(path, 2)
        assert len(times) == 2
        assert all(math.isfinite(milliseconds) and milliseconds > 0 for milliseconds in times)


def test_every_way_to_compute_a_long_sequence_is_measured():
    long = load("long_sequences")
    for name in long.ways(300):
        milliseconds, megabytes = long.measure(name, 300, True, 1)
        assert milliseconds > 0
        assert megabytes >= 0


def test_what_the_page_shows_of_objectives_and_optimizers_is_what_the_tables_say():
    for name in ("objectives", "optimizers"):
        page = json.loads((load("race_tables").PAGE / f"{name}.json").read_text())
        lines = (BENCHMARKS / f"{name}.md").read_text().splitlines()
        for table in page["tables"]:
            for row in (table["head"], *table["rows"]):
                assert f"| {' | '.join(row)} |" in lines


@pytest.mark.parametrize("name", ["ring of 8", "grid of 25"])
def test_samples_of_a_mixture_cover_all_of_its_modes(name):
    mixture = load("gaussians").MIXTURES[name]
    modes, good = mixture.judge(mixture.sample(2500))
    assert modes == len(mixture.centres)
    assert good > 0.97  # of a Gaussian in the plane 98.9 % lie within three deviations
    assert mixture.judge(mixture.centres[:3]) == (3, 1.0)
    assert mixture.judge(mixture.centres + 4 * mixture.deviation) == (0, 0.0)


def test_a_gan_in_the_plane_is_trained_as_others_are():
    gaussians = load("gaussians")
    mixture = gaussians.MIXTURES["ring of 8"]
    first, again = (gaussians.train(mixture, steps=3) for _ in range(2))
    assert first[:2] == again[:2]
    assert 0 <= first.modes <= 8
