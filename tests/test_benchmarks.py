"""That the benchmarks still fit what they measure; what they measure is read off by people."""

import importlib.util
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
