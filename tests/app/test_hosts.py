"""The page as each kind of host serves it: started as the host would, and used through HTTP."""

import http.client
import json
import os
import sys
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from genimg.jobs.job import read_jobs
from genimg.jobs.terminal_runs import read_terminal_runs

pytestmark = pytest.mark.slow

STAND_IN = Path(__file__).parent / "zero_gpu"
CPU = {"SYSTEM": "spaces", "SPACE_ID": "ada/genimg", "ACCELERATOR": "none"}
ZERO = CPU | {"ACCELERATOR": "zero-a10g", "SPACES_ZERO_GPU": "true"}
ALLOWED = {"GENIMG_ALLOW_TRAINING": "1"}
HOSTS = {
    "here": {},
    "space-cpu": CPU,
    "space-gpu": CPU | {"ACCELERATOR": "t4-small"},
    "zero": ZERO,
    "zero-allowed": ZERO | ALLOWED,
    "duplicated": CPU | ALLOWED,
}
OFF = ("space-cpu", "space-gpu", "zero")


class Page:
    """A page that is served, as a program sees it."""

    def __init__(self, address, folder, in_english):
        self.address, self.folder = address, folder
        self.config = json.loads(urllib.request.urlopen(f"{address}config").read())
        self.shown = {
            block["props"]["elem_id"]: block
            for block in self.config["components"]
            if block["props"].get("elem_id")
        }
        self.line = in_english(self.shown["title"]["props"]["value"])

    def post(self, path, body, kind="application/json"):
        request = urllib.request.Request(self.address + path, body, {"Content-Type": kind})
        try:
            with urllib.request.urlopen(request, timeout=240) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def ask(self, component, function, values):
        """Call a function of a component."""
        number = self.shown[component]["id"]
        asked = {"data": values, "fn_name": function, "component_id": number, "session_hash": "a"}
        status, answer = self.post("gradio_api/component_server", json.dumps(asked).encode())
        assert status == 200
        return json.loads(answer)

    def send(self, event, *values):
        """Send an event through the queue; return all that is said until it is done."""
        body = {"data": values, "fn_index": event, "session_hash": "b", "trigger_id": None}
        status, answer = self.post("gradio_api/queue/join?", json.dumps(body).encode())
        assert status == 200, answer
        said = []
        with urllib.request.urlopen(
            f"{self.address}gradio_api/queue/data?session_hash=b", timeout=240
        ) as answers:
            for line in answers:
                if line.startswith(b"data: "):
                    said.append(json.loads(line[6:]))
                    if said[-1]["msg"] == "process_completed":
                        return said
        raise AssertionError("it was never done")

    def event_of(self, component):
        """Return the number of the event that a click on a component is."""
        number = self.shown[component]["id"]
        for event in self.config["dependencies"]:
            if any(target == number for target, _ in event["targets"]):
                return event["id"]
        raise AssertionError(f"nothing happens when {component} is clicked")

    def upload(self, size=10):
        content = (
            b'--b\r\nContent-Disposition: form-data; name="files"; filename="x.zip"\r\n\r\n'
            + b"x" * size
            + b"\r\n--b--\r\n"
        )
        return self.post("gradio_api/upload", content, "multipart/form-data; boundary=b")

    def announce_upload(self, size):
        """Say how much is to come, send nothing, and return the status of the answer."""
        connection = http.client.HTTPConnection(urlsplit(self.address).netloc, timeout=240)
        connection.putrequest("POST", "/gradio_api/upload")
        connection.putheader("Content-Type", "multipart/form-data; boundary=b")
        connection.putheader("Content-Length", str(size))
        connection.endheaders()
        try:
            return connection.getresponse().status
        finally:
            connection.close()

    def show(self):
        """Ask for the picture as a slider does; return its caption."""
        event = next(e for e in self.config["dependencies"] if e["api_name"] == "show")
        values = [
            next(b for b in self.config["components"] if b["id"] == number)["props"].get("value")
            for number in event["inputs"]
        ]
        body = {"data": values, "fn_index": event["id"], "session_hash": "c"}
        status, answer = self.post("gradio_api/run/predict", json.dumps(body).encode())
        assert status == 200, answer
        return json.loads(answer)["data"][0]["caption"]

    def log(self):
        return "".join(path.read_text() for path in self.folder.glob("log-*.txt"))

    def seen(self, kind):
        path = self.folder / "seen" / kind
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture(scope="module", params=HOSTS)
def host(request):
    return request.param


@pytest.fixture(scope="module")
def page(serve, tmp_path_factory, host, in_english):
    """The page of a host; nothing of another host's environment reaches it."""
    folder = tmp_path_factory.mktemp(host)
    (folder / "seen").mkdir()
    environment = HOSTS[host] | {
        "ZERO_GPU_SEEN": str(folder / "seen"),
        "GENIMG_RUNS": str(folder / "kept"),
        "GRADIO_TEMP_DIR": str(folder / "gradio"),
    }
    stand_in = [str(STAND_IN)] if "SPACES_ZERO_GPU" in environment else []
    with serve(folder, environment=environment, python_path=stand_in) as address:
        yield Page(address, folder, in_english)


def only(*hosts):
    return pytest.mark.parametrize("host", hosts, indirect=True, scope="module")


def test_the_page_comes_up_and_answers(page, host):
    assert page.show()
    assert page.line.endswith(".")
    assert ("recorded runs" in page.line) == (host in OFF)


@only(*OFF)
def test_where_it_is_off_there_are_recordings_and_nothing_else(page):
    assert {"runs", "duplicate"} <= page.shown.keys()
    assert not {"train-start", "train-upload", "moment-start", "who"} & page.shown.keys()
    runs = page.ask("runs", "poll", {})["runs"]
    assert {run["id"] for run in runs} == {"fashion-dcgan", "portraits-style"}
    assert all(run["recorded"] for run in runs)
    for run in runs:
        detail = page.ask("runs", "poll", {"run": run["id"]})
        assert detail["run"]["health"]
        sheet = page.ask("runs", "sheet", {"run": run["id"], "seen": detail["run"]["sheets"][-1]})
        assert sheet["src"].startswith("data:image/png")
        for action in ("resume", "cancel", "delete", "rename", "sample_now"):
            answer = page.ask("runs", "act", {"run": run["id"], "action": action, "name": "x"})
            assert "error" in answer
    status, said = page.upload()
    assert (status, said[-1]) == (403, ".")
    assert not (page.folder / "kept").exists()
    assert not list((page.folder / "gradio").rglob("*.zip"))


@only("zero", "zero-allowed")
def test_zero_gpu_sees_its_package_first_and_a_report(page):
    assert page.seen("imported-after") == [""]  # before torch and Gradio, and once
    assert page.seen("started") == ["1"]
    page.show()
    assert page.seen("lent") == []  # a drag pays no fork


@only("zero-allowed")
def test_a_run_of_a_moment_is_trained_where_the_gpu_is_lent(page):
    said = page.send(page.event_of("moment-start"), "fashion-mlp")
    assert said[-1]["success"], said[-1]
    [lent] = page.seen("lent")
    assert lent == "train_in_call 60"
    [job] = read_terminal_runs(page.folder / "kept")
    assert job.state == "succeeded"
    newest = page.ask("runs", "poll", {"run": job.id})
    assert newest["runs"][0]["id"] == job.id
    assert newest["run"]["opens"]
    assert len(newest["run"]["sheets"]) > 3
    assert page.upload()[0] == 403
    refused = page.send(page.event_of("moment-start"), "fashion-gpt")
    assert any("from the list" in str(message.get("log")) for message in refused)
    assert len(page.seen("lent")) == 1


@only("duplicated")
def test_where_it_is_allowed_it_is_limited(page):
    assert {"train-start", "train-upload", "who"} <= page.shown.keys()
    assert "10 minutes a run" in page.line
    assert "token of the teacher" in page.log()
    inputs = next(
        event["inputs"]
        for event in page.config["dependencies"]
        if event["id"] == page.event_of("train-start")
    )
    assert len(inputs) == 7

    def start(nickname, length, amount):
        advanced = {"changes": {"device": "cpu"}, "intent": f"{nickname}{length}{amount}"}
        who = {"nickname": nickname, "token": ""}
        values = [who, "fashion-mlp", "fashion-mnist", length, amount, "", advanced]
        return json.dumps(page.send(page.event_of("train-start"), *values))

    assert "asks for about 11" in start("ada", "minutes", 11)
    assert "given in minutes here" in start("ada", "images", 1000)
    assert "unfinished runs and 1 are allowed" not in start("ada", "minutes", 5)
    assert "unfinished runs and 1 are allowed" in start("ada", "minutes", 4)
    for number in range(9):
        last = start(f"nobody {number}", "minutes", 5)
    assert "together has 8 unfinished runs and 8 are allowed" in last
    jobs = read_jobs(page.folder / "kept")
    assert len(jobs) == 8
    for job in jobs:
        who = {"token": page.log().partition("control every run: ")[2].split()[0]}
        assert "said" in page.ask("runs", "act", {"run": job.id, "action": "cancel", "who": who})
    assert page.upload(2**16)[0] == 200
    assert page.announce_upload(257 * 2**20) == 413


@only("here")
def test_here_everything_is_as_ever(page):
    assert page.line.endswith("Everything runs on this computer.")
    assert {"train-start", "train-upload"} <= page.shown.keys()
    assert "duplicate" not in page.shown
    assert page.upload()[0] == 200
    assert (page.folder / "kept" / "jobs.sqlite").exists()
    assert "token" not in page.log()


def test_a_space_whose_folder_cannot_be_used_still_shows_the_page(serve, tmp_path, in_english):
    (tmp_path / "taken").write_text("no folder")
    environment = CPU | ALLOWED | {"GENIMG_RUNS": str(tmp_path / "taken")}
    environment["GRADIO_TEMP_DIR"] = str(tmp_path / "gradio")
    with serve(tmp_path, environment=environment) as address:
        page = Page(address, tmp_path, in_english)
        assert "GENIMG_RUNS names cannot be used" in page.line
        assert "duplicate" in page.shown
        assert len(page.ask("runs", "poll", {})["runs"]) == 2


def test_the_environment_of_the_tests_is_no_space():
    assert not {"SYSTEM", "SPACE_ID", "SPACES_ZERO_GPU"} & os.environ.keys()
    assert "spaces" not in sys.modules
