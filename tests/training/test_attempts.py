import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genimg.storage import write_json
from genimg.training.attempts import Attempt, LogPart, add_report, attempt_numbers, newest_attempt


@pytest.fixture
def attempt(tmp_path):
    return Attempt.begin(tmp_path)


def test_attempts_are_found_by_their_numbers(tmp_path):
    assert (attempt_numbers(tmp_path), newest_attempt(tmp_path)) == ([], 0)
    assert [Attempt.begin(tmp_path).number for _ in range(2)] == [1, 2]
    assert Attempt.begin(tmp_path, 11).path == Attempt.of(tmp_path, 11).path
    (Attempt.of(tmp_path, 1).path.parent / "notes").mkdir()
    assert (attempt_numbers(tmp_path), newest_attempt(tmp_path)) == ([1, 2, 11], 11)
    assert Attempt.of(tmp_path, 5).read_status() == {}


def test_reports_are_read_on_from_where_they_were_read_to(attempt):
    assert attempt.read_reports() == ([], 0)
    attempt.report({"images_seen": 8, "loss": float("nan")})
    first, end = attempt.read_reports()
    assert first == [{"images_seen": 8, "loss": None}]
    assert end == attempt.metrics.stat().st_size
    assert attempt.read_reports(end) == ([], end)
    with attempt.metrics.open("a") as file:
        file.write('[1]\n{"images_seen": true}\n{"images_seen": 16}\n{"images_')
    second, torn = attempt.read_reports(end)
    assert second == [{"images_seen": 16}]
    with attempt.metrics.open("a") as file:
        file.write('seen": 24}\n')
    assert attempt.read_reports(torn)[0] == [{"images_seen": 24}]
    attempt.metrics.write_text('{"images_seen": 1}\n')  # another run by that name
    assert attempt.read_reports(torn) == ([], 19)


def test_the_newest_report_that_tells_a_speed(attempt):
    assert attempt.last_report() == {}
    lines = ['{"images_seen": 20, "images_per_second": 10}', '{"images_seen": 30}', '{"torn']
    attempt.metrics.write_text("\n".join(lines))
    assert attempt.last_report() == {"images_seen": 20, "images_per_second": 10}


def test_a_report_says_whether_training_had_gone_back():
    history = []
    told = [add_report(history, {"images_seen": seen, "at": seen}) for seen in (8, 16, 24, 24, 12)]
    assert told == [False, False, False, False, True]
    assert history == [{"images_seen": 8, "at": 8}, {"images_seen": 12, "at": 12}]


@given(text=st.binary(max_size=60))
def test_damaged_files_are_no_news(tmp_path_factory, text):
    folder = tmp_path_factory.mktemp("attempt")
    attempt = Attempt.begin(folder)
    for path in (attempt.status, attempt.metrics, attempt.log):
        path.write_bytes(text)
    assert isinstance(attempt.read_status(), dict)
    assert isinstance(attempt.last_error(), str)
    assert attempt.last_report() == {}
    assert attempt.read_reports()[1] <= len(text)


def test_a_huge_status_is_not_read(attempt):
    write_json(attempt.status, {"state": "x" * 70_000})
    assert attempt.read_status() == {}


@given(lines=st.lists(st.text(alphabet="abc é", max_size=9), max_size=20), limit=st.integers(1, 99))
def test_the_tail_is_the_end_in_whole_lines(tmp_path_factory, lines, limit):
    attempt = Attempt.begin(tmp_path_factory.mktemp("log"))
    text = "".join(f"{line}\n" for line in lines)
    attempt.log.write_text(text)
    shown = attempt.read_log(limit)
    if len(text.encode()) <= limit:
        assert shown == text
    elif "\n" in shown:
        assert len(shown.encode()) <= limit
        assert f"\n{text}".endswith(f"\n{shown}")


def test_the_tail_of_a_huge_log_takes_no_time(attempt):
    with attempt.log.open("wb") as file:
        file.truncate(10**9)
        file.seek(0, 2)
        file.write(b"\nerror: the end\n")
    begin = time.monotonic()
    assert attempt.last_error() == "the end"
    assert time.monotonic() - begin < 1


def test_a_log_is_read_on_from_where_it_was_read_to(attempt):
    assert attempt.read_log_on(None, 8) == LogPart("", 0, True)
    attempt.log.write_text("hello\n")
    assert attempt.read_log_on(None, 8) == LogPart("hello\n", 6, True)
    attempt.log.write_text("hello\nyou\n")
    assert attempt.read_log_on(6, 8) == LogPart("you\n", 10, False)
    assert attempt.read_log_on(0, 8) == LogPart("llo\nyou\n", 10, True)
    assert attempt.read_log_on(11, 80) == LogPart("hello\nyou\n", 10, True)  # it was shortened


def test_a_launcher_that_knows_attempts_needs_no_pytorch():
    script = "import sys, genimg.jobs.launcher; print('torch' in sys.modules)"
    root = Path(__file__).parents[2]
    output = subprocess.check_output([sys.executable, "-c", script], cwd=root, text=True)
    assert output == "False\n"
