import asyncio
import os
import time

import pytest

from genimg.ui.temporary_files import UploadGate, make_room


def old(path, size, age):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    os.utime(path, (time.time() - age,) * 2)
    return path


def test_the_oldest_go_first_and_only_as_many_as_must(tmp_path):
    first = old(tmp_path / "a" / "1", 100, 900)
    second = old(tmp_path / "b" / "2", 100, 800)
    third = old(tmp_path / "3", 100, 700)
    assert make_room(tmp_path, 300) == 300
    assert make_room(tmp_path, 250) == 200
    assert not first.exists()
    assert second.exists()
    assert third.exists()
    assert make_room(tmp_path, 0) == 0
    assert make_room(tmp_path / "nowhere", 0) == 0


def test_what_somebody_may_still_be_reading_stays(tmp_path):
    young, aged = old(tmp_path / "young", 100, 5), old(tmp_path / "aged", 100, 500)
    assert make_room(tmp_path, -50) == 100
    assert young.exists()
    assert not aged.exists()


def test_links_lead_nowhere(tmp_path):
    outside = old(tmp_path / "outside" / "precious", 100, 900)
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "link").symlink_to(outside)
    (inside / "folder").symlink_to(outside.parent)
    make_room(inside, 0)
    assert outside.exists()


class Asked:
    """What comes after the gate: takes its time, and counts."""

    def __init__(self) -> None:
        self.count = 0
        self.go_on = asyncio.Event()

    async def __call__(self, scope, receive, send):
        self.count += 1
        await self.go_on.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})


async def receive():
    return {"type": "http.request", "body": b"", "more_body": False}


def ask(gate, path="/gradio_api/upload", length=b"10", method="POST", kind="http"):
    """Return the status and the text with which a request is answered."""
    answers = []

    async def send(message):
        answers.append(message)

    headers = [] if length is None else [(b"content-length", length)]
    scope = {"type": kind, "path": path, "method": method, "headers": headers}

    async def both():
        gate.app.go_on.set()
        await gate(scope, receive, send)

    asyncio.run(both())
    return answers[0]["status"], answers[1]["body"].decode()


@pytest.fixture
def gate(tmp_path):
    limits = {"largest": 1000, "quota": 2000, "refusal": "No uploads here."}
    return lambda **more: UploadGate(Asked(), folder=lambda: str(tmp_path), **limits | more)


@pytest.mark.parametrize(
    "path", ["/gradio_api/upload", "/upload", "/user/ada/gradio_api/upload", "/gradio_api/upload/"]
)
def test_where_nothing_is_taken_nothing_is_read(gate, path):
    closed = gate(largest=0)
    assert ask(closed, path) == (403, "No uploads here.")
    assert closed.app.count == 0


def test_only_uploads_are_stopped(gate):
    closed = gate(largest=0)
    assert ask(closed, "/gradio_api/queue/join")[0] == 200
    assert ask(closed, "/gradio_api/upload", method="GET")[0] == 200
    assert closed.app.count == 2


@pytest.mark.parametrize(
    ("length", "status"),
    [(b"1000", 200), (b"1001", 413), (None, 411), (b"-5", 411), (b"1e3", 411), (b"9" * 40, 413)],
)
def test_an_upload_says_its_length_and_keeps_to_it(gate, length, status):
    assert ask(gate(), length=length)[0] == status


def test_a_full_folder_takes_nothing_until_its_files_are_old(gate, tmp_path):
    file = old(tmp_path / "theirs", 1500, 1)
    status, said = ask(gate(), length=b"501")
    assert (status, "no room" in said) == (507, True)
    assert ask(gate(), length=b"500")[0] == 200
    old(file, 1500, 100)
    assert ask(gate(), length=b"501")[0] == 200
    assert not file.exists()


def test_what_is_on_its_way_counts(gate):
    async def both():
        full = gate()
        answers = []

        async def send(message):
            answers.append(message.get("status"))

        def scope(length):
            headers = [(b"content-length", length)]
            return {"type": "http", "path": "/upload", "method": "POST", "headers": headers}

        waiting = [asyncio.create_task(full(scope(b"900"), receive, send)) for _ in range(2)]
        while full.app.count < 2:
            await asyncio.sleep(0)
        await full(scope(b"300"), receive, send)
        assert answers == [507, None]
        full.app.go_on.set()
        await asyncio.gather(*waiting)
        await full(scope(b"300"), receive, send)
        assert answers[-2] == 200

    asyncio.run(both())
