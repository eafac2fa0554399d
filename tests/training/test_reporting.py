import contextlib
import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from genimg.training import reporting
from genimg.training.attempts import Attempt
from genimg.training.reporting import (
    SPEED_SECONDS,
    Report,
    Reporter,
    SpeedMeter,
    cuda_bytes,
    resident_bytes,
)

CPU = torch.device("cpu")


class Clock:
    """A clock that is turned by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def speeds(meter: SpeedMeter, clock: Clock, *, seconds: float, steps: int, images: int, seen: int):
    """Train `steps` steps of `images` each in `seconds`; return the images seen."""
    for _ in range(steps):
        clock.now += seconds / steps
        seen += images
        meter.note(seen)
    return seen


def test_a_machine_that_gets_busy_is_believed_after_half_a_minute():
    clock = Clock()
    meter = SpeedMeter(clock)
    meter.note(500)
    assert meter.images_per_second() == 0
    seen = speeds(meter, clock, seconds=600, steps=6000, images=10, seen=500)
    assert meter.images_per_second() == pytest.approx(100)
    seen = speeds(meter, clock, seconds=SPEED_SECONDS / 2, steps=15, images=1, seen=seen)
    assert 1 < meter.images_per_second() < 100
    speeds(meter, clock, seconds=SPEED_SECONDS / 2 + 1, steps=15, images=1, seen=seen)
    assert meter.images_per_second() == pytest.approx(1, rel=0.05)


def test_a_long_pause_does_not_look_like_the_end_of_the_world():
    clock = Clock()
    meter = SpeedMeter(clock)
    meter.note(0)
    speeds(meter, clock, seconds=10, steps=10, images=64, seen=0)
    clock.now += 10 * SPEED_SECONDS  # a measurement, with not one step in it
    meter.note(640)
    assert meter.images_per_second() > 0
    speeds(meter, clock, seconds=2 * SPEED_SECONDS, steps=20, images=64, seen=640)
    assert meter.images_per_second() == pytest.approx(20 * 64 / (2 * SPEED_SECONDS), rel=0.1)


def test_what_is_done_aside_is_no_speed_but_takes_its_time():
    clock = Clock()
    meter = SpeedMeter(clock)
    meter.note(0)
    for seen in (640, 1280, 1920):
        clock.now += 10
        meter.note(seen)
        with meter.aside():
            clock.now += 5  # a sheet
        meter.note(seen)
    assert meter.images_per_second() == pytest.approx(64)
    assert meter.aside_per_second() == pytest.approx(0.5)
    with contextlib.suppress(OSError), meter.aside():  # a full disk
        clock.now += 30
        raise OSError
    clock.now += 10
    meter.note(2560)
    assert meter.images_per_second() == pytest.approx(64)


@given(st.lists(st.tuples(st.floats(0.001, 100), st.integers(0, 500)), min_size=2, max_size=50))
def test_the_speed_is_between_the_slowest_and_the_fastest_moment(moves):
    clock = Clock()
    meter, seen = SpeedMeter(clock), 0
    meter.note(seen)
    moments = []
    for seconds, images in moves:
        clock.now, seen = clock.now + seconds, seen + images
        moments.append(images / seconds)
        meter.note(seen)
    tolerance = 1 + 1e-6
    assert min(moments) / tolerance <= meter.images_per_second() <= max(moments) * tolerance


@pytest.fixture
def reporter(tmp_path):
    (tmp_path / "1").mkdir()
    heard = []
    reporter = Reporter(
        Attempt(tmp_path / "1"),
        total=640,
        epoch_images=64,
        device=CPU,
        task=lambda: None,
        seed=0,
        callbacks=[heard.append],
    )
    reporter.heard, reporter.folder = heard, tmp_path / "1"
    return reporter


def test_log_status_and_callbacks_tell_the_same(reporter):
    reporter.start(64, 100.0)
    reporter.report(128, {"loss": 0.5})
    [line] = map(json.loads, (reporter.folder / "metrics.jsonl").read_text().splitlines())
    assert reporter.heard == [line | {"total": 640}]
    assert line["loss"] == 0.5
    assert line["epochs"] == 2
    assert 100 <= line["seconds"] < 110
    left = (640 - 128) / line["images_per_second"]
    assert line["seconds_left"] == pytest.approx(left, abs=0.1, rel=0.01)
    reporter.write_status("running", 256, wish_seen=3)
    status = json.loads((reporter.folder / "status.json").read_text())
    assert (status["state"], status["images_seen"], status["total"]) == ("running", 256, 640)
    assert status["epochs"] == 4
    assert status["wish_seen"] == 3
    assert status["seconds_left"] >= 0


class Lookable:
    """A task of which a callback may ask something."""

    model, average = object(), object()

    def sheet(self, seed):
        return np.full((1, 2, 2, 1), seed, np.uint8)


def test_a_report_tells_of_its_models_and_draws_when_asked():
    report = Report({"loss": 1.0}, Lookable(), 7)
    assert (report.model, report.average) == (Lookable.model, Lookable.average)
    assert (report.sheet() == 7).all()
    assert repr(report) == "{'loss': 1.0}"


def test_what_a_callback_does_is_no_part_of_the_speed(reporter, monkeypatch):
    clock = Clock()
    monkeypatch.setattr(reporting.time, "monotonic", clock)
    reporter.start(0, 0.0)
    reporter._speed = SpeedMeter(clock)
    reporter._speed.note(0)
    reporter.callbacks = [lambda report: setattr(clock, "now", clock.now + 90)]
    for seen in (100, 200, 300):
        clock.now += 10
        reporter.report(seen, {})
    last = (reporter.folder / "metrics.jsonl").read_text().splitlines()[-1]
    assert json.loads(last)["images_per_second"] == pytest.approx(10)


def test_a_run_that_was_stopped_for_hours_has_not_trained_for_hours(reporter, monkeypatch):
    clock = Clock()
    monkeypatch.setattr(reporting.time, "monotonic", clock)
    reporter.start(0, 100.0)
    for _ in range(30):
        clock.now += 1.0
        before = reporter.seconds()
    assert before == pytest.approx(130)
    clock.now += 3600.0
    assert before < reporter.seconds() < before + 120
    clock.now += 1.0
    assert reporter.seconds() == pytest.approx(before + 61)


def test_before_anything_is_measured_no_time_is_promised(reporter):
    reporter.report(0, {})
    assert "seconds_left" not in reporter.heard[0]


def test_what_does_not_run_has_no_time_left(reporter):
    reporter.start(0, 0.0)
    reporter.write_status("paused", 64)
    assert "seconds_left" not in json.loads((reporter.folder / "status.json").read_text())


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells")
def test_the_memory_grows_by_what_is_taken():
    code = (
        "from genimg.training.reporting import resident_bytes\n"
        "before = resident_bytes()\n"
        "taken = bytearray(b'1') * 200_000_000\n"
        "print(resident_bytes() - before)"
    )
    grown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 190_000_000 < int(grown.stdout) < 260_000_000


def test_a_system_without_that_file_reports_no_memory(monkeypatch):
    monkeypatch.setattr("pathlib.Path.read_text", lambda path: (_ for _ in ()).throw(OSError()))
    assert resident_bytes() is None


def test_only_cuda_has_cuda_memory(monkeypatch):
    assert cuda_bytes(CPU) is None
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: 7 * 2**20)
    assert cuda_bytes(torch.device("cuda:0")) == 7 * 2**20
