"""Requests that no page of ours sends, to `python app.py`: fault 24 of the list in tests/faults.

What is not there, too large or not one's own is refused; meanwhile everybody else is served.
"""

import http.client
import json
import os
import statistics
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from genimg.jobs.inbox import Inbox
from genimg.jobs.job import read_job
from genimg.training.presets import make_spec
from genimg.ui.serving import UPLOADS

pytestmark = pytest.mark.slow

TOKEN = "for-the-teacher-only"
LONGEST_QUEUE = 64
SECRET = "nobody may read this"
TEXTS = ["", "x", "../../etc/passwd", "\0", "🙂" * 9999]
NONSENSE = [None, 0, -1, 1e308, True, [], {}, [[[]]], *TEXTS]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("classroom")


@pytest.fixture(scope="module")
def classroom(serve, folder):
    """The address of a server with a teacher, on which nobody else tests anything."""
    with serve(folder, "--teacher-token", TOKEN) as address:
        yield address


@pytest.fixture(scope="module")
def page(classroom):
    """What the server tells of its page."""
    return json.loads(urllib.request.urlopen(classroom + "config").read())


@pytest.fixture(scope="module")
def ask(classroom, page):
    """Call a function of a component as its page would; return the status and the answer."""

    def call(component: str, function: str, values: object) -> tuple[int, object]:
        (number,) = (
            block["id"]
            for block in page["components"]
            if block["props"].get("elem_id") == component
        )
        asked = {"data": values, "fn_name": function, "component_id": number, "session_hash": "a"}
        return post(classroom + "gradio_api/component_server", json.dumps(asked).encode())

    return call


def post(address: str, body: bytes, kind: str = "application/json") -> tuple[int, object]:
    request = urllib.request.Request(address, body, {"Content-Type": kind})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def get(address: str, path: str) -> tuple[int, bytes]:
    """Ask for a path as it is: urllib would tidy it."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=60)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def functions(page) -> list[tuple[str, str]]:
    """Return (component, function) of all that a browser can call beside the events."""
    return [
        (block["props"]["elem_id"], name)
        for block in page["components"]
        for name in block["props"].get("server_fns") or ()
    ]


ROUTES = (
    *("/gradio_api/file=", "/gradio_api/file/", "/static/", "/assets/", "/svelte/"),
    *("/gradio_api/custom_component/1/client/component/", "/gradio_api/proxy="),
)


@pytest.mark.parametrize("route", ROUTES)
def test_no_file_leaves(classroom, folder, route):
    files = [folder / "secret.txt", folder / "runs" / "secret.txt"]
    for path in files:
        path.parent.mkdir(exist_ok=True)
        path.write_text(SECRET)
    names = [*map(str, files), "/etc/passwd", "/proc/self/environ", "secret.txt", "app.py"]
    names += [f"{'../' * 12}{name.lstrip('/')}" for name in names]
    names += [f"file://{files[0]}", f"{classroom}config", "http://169.254.169.254/", "\0", "~"]
    for name in names:
        for written in (name.replace("\0", "%00"), quote(name, safe=""), quote(quote(name))):
            status, content = get(classroom, route + written)
            assert status >= 400, (written, status)
            assert SECRET.encode() not in content, written


def test_what_is_too_large_is_refused_and_not_kept(classroom, folder):
    half_a_gigabyte, sent = 512 * 2**20, 0
    head = b'--b\r\nContent-Disposition: form-data; name="files"; filename="big.zip"\r\n\r\n'
    connection = http.client.HTTPConnection(urlsplit(classroom).netloc, timeout=60)
    connection.putrequest("POST", "/gradio_api/upload")
    connection.putheader("Content-Type", "multipart/form-data; boundary=b")
    connection.putheader("Content-Length", str(half_a_gigabyte))
    connection.endheaders(head)
    block = os.urandom(2**20)
    try:
        while sent < half_a_gigabyte - len(head):
            connection.send(block[: half_a_gigabyte - len(head) - sent])
            sent += len(block)
    except OSError:
        pass  # it listens no more
    assert connection.getresponse().status == 413
    connection.close()
    kept = [path for path in folder.rglob("*") if path.is_file() and path.stat().st_size > 2**20]
    assert kept == []


def test_names_of_uploads_lead_nowhere(classroom, folder):
    inside = folder / "runs" / UPLOADS

    def outside() -> set[Path]:
        return {path for path in folder.rglob("*") if inside not in (path, *path.parents)}

    before = outside()
    for name in ("../../runs/x.zip", "/etc/x.zip", "a" * 9999 + ".zip", "..", "\\..\\x.zip", "\0"):
        body = (
            f'--b\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'
            "x\r\n--b--\r\n"
        ).encode()
        status, stored = post(
            classroom + "gradio_api/upload", body, "multipart/form-data; boundary=b"
        )
        assert status == 200 or 400 <= status < 500, (name[:40], status)
        if status == 200:
            assert all(inside in Path(path).resolve().parents for path in stored)
    assert outside() == before


def test_nonsense_is_answered_in_words(page, ask):
    called = functions(page)
    assert {("runs", "act"), ("player", "export_walk"), ("vision-pad", "held_out")} < set(called)
    fields = ("who", "run", "action", "compare", "cursors", "log", "seen", "checkpoint", "index")
    for component, function in called:
        for values in [*NONSENSE, *(dict.fromkeys(fields, one) for one in NONSENSE)]:
            status, answer = ask(component, function, values)
            assert status == 200, (component, function, values)
            assert {"error", "runs"} & answer.keys(), (component, function, values)


def test_runs_obey_their_owner_and_the_teacher_only(ask, folder, small_models, in_english):
    runs = folder / "runs"
    spec = make_spec("fashion-mlp", **small_models["fashion-mlp"], images=10**7, threads=1)
    start = {"spec": spec.to_dict(), "device": "cpu", "name": "hers"}
    job = Inbox(runs).ask("start", start | {"visitor": {"nickname": "ada"}}, seconds=60)
    (runs / "elsewhere").mkdir()

    def act(action: str, run: object, **more: object) -> dict:
        status, answer = ask("runs", "act", {"action": action, "run": run, **more})
        assert status == 200
        return answer

    actions = ("rename", "pause", "resume", "cancel", "save_now", "sample_now", "move", "delete")
    strangers = [{"nickname": "bob"}, {"nickname": "Ada"}, {"token": "guess"}, {}, None, "ada"]
    for action in actions:
        for who in strangers:
            answer = act(action, job["id"], who=who, name="mine", step=1)
            assert "belongs to ada" in in_english(answer["error"])
        for run in ("", ".", "..", "elsewhere", "../../etc", f"{job['id']}/../{job['id']}", "\0"):
            answer = act(action, run, who={"token": TOKEN}, name="mine", step=1)
            assert "error" in answer or action == "delete", (action, run)
    assert read_job(runs / job["id"]).name == "hers"
    assert (runs / "elsewhere").is_dir()
    assert "said" in act("rename", job["id"], who={"nickname": "ada"}, name="still hers")
    assert "said" in act("cancel", job["id"], who={"token": TOKEN})
    assert read_job(runs / job["id"]).name == "still hers"


def test_a_full_queue_refuses_and_the_page_still_answers(classroom, page):
    (draw,) = (event["id"] for event in page["dependencies"] if event["api_name"] == "draw")

    def join(number: int) -> int:
        body = {"data": [], "fn_index": draw, "session_hash": f"crowd{number}"}
        return post(classroom + "gradio_api/queue/join", json.dumps(body).encode())[0]

    with ThreadPoolExecutor(20) as crowd:
        answers = [crowd.submit(join, number) for number in range(200)]
        waits, waiting = [], []
        for _ in range(5):
            begin = time.monotonic()
            assert get(classroom, "/")[0] == 200
            waits.append(time.monotonic() - begin)
            waiting.append(json.loads(get(classroom, "/gradio_api/queue/status")[1])["queue_size"])
        statuses = [answer.result() for answer in answers]
    assert set(statuses) <= {200, 503}
    assert 0 < max(waiting) <= LONGEST_QUEUE
    assert statistics.median(waits) < 2
