import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genimg.training.progress import Progress, describe, time_text

REPORT = {"images_seen": 640, "total": 1280, "images_per_second": 64.0}
REPORT |= {"discriminator_loss": 1.25, "generator_loss": 0.5, "real_accuracy": 0.9}


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Clock:
    def __init__(self):
        self.seconds = 0.0

    def __call__(self):
        return self.seconds


def test_a_report_in_words():
    start = "640 of 1,280 images, 64 images/s, 0:10 left"
    assert describe(REPORT) == f"{start}, loss D 1.250 G 0.500"
    plain = {name: value for name, value in REPORT.items() if "loss" not in name}
    assert describe(plain) == start
    assert describe(plain | {"loss": 0.25}) == f"{start}, loss 0.250"
    assert "unknown time left" in describe(REPORT | {"images_per_second": 0.0})


@given(st.integers(0, 10**6))
def test_time_text_reads_back(seconds):
    total = 0
    for part in time_text(seconds).split(":"):
        total = total * 60 + int(part)
    assert total == seconds


def test_elsewhere_a_plain_line_comes_every_ten_seconds():
    stream, clock = io.StringIO(), Clock()
    progress = Progress(stream, clock)
    for second in range(25):
        clock.seconds = float(second)
        progress(REPORT | {"images_seen": second})
    seen = [line.split()[0] for line in stream.getvalue().splitlines()]
    assert seen == ["0", "10", "20"]
    progress.close()
    assert stream.getvalue().splitlines()[-1].startswith("24 of")


def test_a_report_at_the_same_place_does_not_wipe_out_the_losses():
    stream = io.StringIO()
    progress = Progress(stream, Clock())
    progress(REPORT)
    progress({"images_seen": 640, "total": 1280, "images_per_second": 32.0, "diversity": 0.9})
    progress.close()
    assert stream.getvalue().splitlines()[-1] == describe(REPORT | {"images_per_second": 32.0})


@pytest.mark.parametrize("columns", [20, 60, 200])
def test_on_a_terminal_it_stays_on_one_line(monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    stream, clock = Terminal(), Clock()
    progress = Progress(stream, clock)
    for second in range(5):
        clock.seconds = float(second)
        progress(REPORT)
    progress.close()
    first, *redrawn = stream.getvalue().removesuffix("\n").split("\r")
    assert first == ""
    assert "\n" not in "".join(redrawn)
    assert len(redrawn) == 6
    assert all(len(line) == columns - 1 for line in redrawn)


def test_the_losses_and_a_bar_fit_into_eighty_columns(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    stream = Terminal()
    Progress(stream)(REPORT | {"images_seen": 240_000, "total": 480_000})
    assert "#." in stream.getvalue()
    assert "G 0.500" in stream.getvalue()


def test_what_is_said_stays_above_the_line(monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    stream = Terminal()
    progress = Progress(stream, Clock())
    progress.say("before")
    progress(REPORT)
    progress.say("warning: " + "x" * 100)
    before, said, line = stream.getvalue().split("\n")
    assert before.strip() == "before"
    assert said.split("\r")[-1] == "warning: " + "x" * 100
    assert said.split("\r")[-2].strip() == ""  # nothing of the bar is left behind it
    assert "640 of 1,280" in line
    elsewhere = io.StringIO()
    progress = Progress(elsewhere, Clock())
    progress(REPORT)
    progress.say("warning: y")
    assert elsewhere.getvalue().splitlines() == [describe(REPORT), "warning: y"]


def test_nothing_is_shown_of_a_run_that_reported_nothing():
    stream = Terminal()
    Progress(stream).close()
    assert stream.getvalue() == ""


class Gone:
    """A terminal that is not there any more."""

    def __init__(self, live):
        self.live = live

    def isatty(self):
        return self.live

    def write(self, text):
        raise BrokenPipeError

    def flush(self):
        raise BrokenPipeError


@pytest.mark.parametrize("live", [True, False])
def test_a_terminal_that_is_gone_ends_no_training(live):
    progress = Progress(Gone(live))
    progress({"images_seen": 64, "total": 128, "images_per_second": 10.0})
    progress.close()
