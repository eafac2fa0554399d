import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genimg.jobs.states import State
from genimg.jobs.views import folder_bytes, last_error, read_status, tail, view
from genimg.storage import write_json


@pytest.fixture
def attempt(root):
    folder = root / "a-1" / "attempts" / "1"
    folder.mkdir(parents=True)
    return folder


def test_progress_and_the_time_left(root, attempt, make_job):
    write_json(attempt / "status.json", {"images_seen": 30, "total": 80, "time": time.time() - 3})
    (attempt / "metrics.jsonl").write_text(
        '{"images_seen": 20, "images_per_second": 10}\n{"images_seen": 30, "valid": 1}\n{"torn'
    )
    seen = view(root, make_job(state=State.RUNNING, attempt=1))
    assert (seen.images_seen, seen.total, seen.images_per_second) == (30, 80, 10)
    assert seen.seconds_left == pytest.approx(5.0)
    assert 3 <= seen.heartbeat < 10
    json.dumps(seen.to_dict())
    paused = view(root, make_job(state=State.PAUSED, attempt=1, saved_images=40))
    assert (paused.images_seen, paused.seconds_left, paused.heartbeat) == (40, None, None)


@given(text=st.binary(max_size=60))
def test_damaged_files_are_no_news(tmp_path_factory, text):
    folder = tmp_path_factory.mktemp("attempt")
    for name in ("status.json", "metrics.jsonl", "log.txt"):
        (folder / name).write_bytes(text)
    assert isinstance(read_status(folder), dict)
    assert isinstance(last_error(folder), str)


@pytest.mark.parametrize(
    "status",
    [{"images_seen": "many", "total": None}, {"images_seen": -1, "time": "noon"}, {"total": 1.5}],
)
def test_numbers_that_are_none_are_zero(root, attempt, make_job, status):
    write_json(attempt / "status.json", status)
    seen = view(root, make_job(state=State.RUNNING, attempt=1))
    assert (seen.images_seen, seen.total, seen.heartbeat) == (0, 0, None)


def test_a_clock_that_was_set_back_shows_no_heartbeat_from_the_future(root, attempt, make_job):
    write_json(
        attempt / "status.json", {"images_seen": 90, "total": 80, "time": time.time() + 3600}
    )
    (attempt / "metrics.jsonl").write_text('{"images_seen": 90, "images_per_second": 10}\n')
    seen = view(root, make_job(state=State.RUNNING, attempt=1))
    assert seen.heartbeat == 0
    assert seen.seconds_left == 0


@given(lines=st.lists(st.text(alphabet="abc é", max_size=9), max_size=20), limit=st.integers(1, 99))
def test_the_tail_is_the_end_in_whole_lines(tmp_path_factory, lines, limit):
    path = tmp_path_factory.mktemp("log") / "log.txt"
    text = "".join(f"{line}\n" for line in lines)
    path.write_text(text)
    shown = tail(path, limit)
    if len(text.encode()) <= limit:
        assert shown == text
    elif "\n" in shown:
        assert len(shown.encode()) <= limit
        assert f"\n{text}".endswith(f"\n{shown}")


def test_the_tail_of_a_huge_log_takes_no_time(tmp_path):
    path = tmp_path / "log.txt"
    with path.open("wb") as file:
        file.truncate(10**9)
        file.seek(0, 2)
        file.write(b"\nerror: the end\n")
    begin = time.monotonic()
    assert last_error(tmp_path) == "the end"
    assert time.monotonic() - begin < 1
    assert folder_bytes(tmp_path) == path.stat().st_size
