import json
import time

import pytest

from genimg.jobs.states import State
from genimg.jobs.views import folder_bytes, view
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


def test_a_folder_takes_what_its_files_do(tmp_path):
    for name, size in (("a", 3), ("deep/b", 10**9)):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        with (tmp_path / name).open("wb") as file:
            file.truncate(size)
    deep = (tmp_path / "deep").lstat().st_size
    assert folder_bytes(tmp_path) == 3 + 10**9 + deep
