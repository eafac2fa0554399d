"""What Ray is asked, and what is made of its answers, with a server that answers as it does."""

import json
import shlex
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from genimg.jobs.engine import Handle
from genimg.jobs.engines.cluster import Given, Standing
from genimg.jobs.engines.ray_jobs import RayCluster, RaySettings

TOKEN = "a word that only the cluster and its users know"
NODES = [
    {"state": "ALIVE", "resources_total": {"CPU": 5.0, "GPU": 1.0}},
    {"state": "ALIVE", "resources_total": {"CPU": 2.0}},
    {"state": "DEAD", "resources_total": {"CPU": 64.0}},
]


class Head(BaseHTTPRequestHandler):
    """The part of the head's REST interface that is used, as Ray 2.60 answers it."""

    def _respond(self) -> None:
        state = self.server.state
        length = int(self.headers.get("Content-Length") or 0)
        request = json.loads(self.rfile.read(length)) if length else None
        given = self.headers.get("Authorization")
        if state["guarded"] and given != f"Bearer {TOKEN}":
            return self._send(403 if given else 401, "Unauthorized")
        if self.path.startswith("/api/v0/nodes"):
            return self._send(200, {"data": {"result": {"result": NODES}}})
        if self.path == "/api/jobs/" and self.command == "POST":
            if request["submission_id"] in state["jobs"]:
                return self._send(500, "Traceback ... already exists")
            if state["refuses"]:
                return self._send(500, "there is no such runtime environment")
            state["requests"].append(request)
            state["jobs"][request["submission_id"]] = "PENDING"
            return self._send(200, {"submission_id": request["submission_id"]})
        if self.path == "/api/jobs/":
            jobs = state["jobs"].items()
            return self._send(200, [{"submission_id": n, "status": s} for n, s in jobs])
        name = self.path.split("/")[3]
        if name not in state["jobs"]:
            return self._send(404, "no such job")
        if self.path.endswith("/stop"):
            state["jobs"][name] = "STOPPED"
            return self._send(200, {"stopped": True})
        return self._send(200, {"logs": "sh: 1: cannot create a file\n"})

    do_GET = do_POST = _respond

    def _send(self, code: int, answer) -> None:
        body = (answer if isinstance(answer, str) else json.dumps(answer)).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words) -> None:
        pass


@pytest.fixture
def head(monkeypatch):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Head)
    server.state = {"guarded": True, "refuses": False, "jobs": {}, "requests": []}
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("RAY_AUTH_TOKEN", TOKEN)
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def connected(head) -> RayCluster:
    address = f"http://127.0.0.1:{head.server_port}/"
    return RayCluster(RaySettings(address=address, cpus=2))


@pytest.fixture
def given(handle) -> Given:
    return Given.of(handle)


def test_places_are_what_fits_on_the_nodes_that_live(connected):
    assert [(d.name, d.places) for d in connected.devices()] == [("ray/cuda", 1), ("ray/cpu", 3)]


def test_what_ray_is_asked_to_run(connected, head, handle, given):
    connected.submit(given, handle, connected.devices()[0])
    connected.submit(given, handle, connected.devices()[0])  # its answer was lost: asked again
    [request] = head.state["requests"]
    assert request["submission_id"] == given.name
    assert (request["entrypoint_num_cpus"], request["entrypoint_num_gpus"]) == (2, 1)
    assert request["entrypoint"].startswith("exec env PYTHONPATH=")
    assert (
        f"-m genimg.jobs.launcher {handle.run} --attempt 1 >>{handle.files.log}"
        in (request["entrypoint"])
    )
    assert int(request["runtime_env"]["env_vars"]["RAY_JOB_STOP_WAIT_TIME_S"]) >= 60
    assert TOKEN not in json.dumps(request)


def test_rays_words(connected, head, handle, given):
    assert connected.standings([given]) == {}
    connected.submit(given, handle, connected.devices()[1])
    for word, standing in (
        ("PENDING", Standing.WAITING),
        ("RUNNING", Standing.RUNNING),
        ("FAILED", Standing.ENDED),
        ("SUCCEEDED", Standing.ENDED),
    ):
        head.state["jobs"][given.name] = word
        assert connected.standings([given]) == {given: standing}
    connected.stop(given)
    assert head.state["jobs"][given.name] == "STOPPED"
    assert "cannot create" in connected.output(given)
    head.state["jobs"].clear()  # the head was restarted
    connected.stop(given)
    assert connected.output(given) == ""


def test_a_refusal_is_a_sentence(connected, head, handle, given):
    head.state["refuses"] = True
    with pytest.raises(ValueError, match="Ray refused the run: there is no such runtime"):
        connected.submit(given, handle, connected.devices()[1])


def test_a_cluster_without_a_token_is_refused(connected, head):
    head.state["guarded"] = False
    with pytest.raises(ValueError, match=r"no token.*`ray get-auth-token --generate`.*AUTH_MODE"):
        connected.devices()
    assert head.state["requests"] == []


def test_a_missing_and_a_wrong_token_say_what_to_do(connected, monkeypatch, tmp_path):
    monkeypatch.setenv("RAY_AUTH_TOKEN", "another")
    with pytest.raises(ValueError, match="another token than this machine"):
        connected.devices()
    monkeypatch.delenv("RAY_AUTH_TOKEN")
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(tmp_path / "token"))
    with pytest.raises(ValueError, match="there is no token of a Ray cluster"):
        connected.devices()
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    assert connected.devices()


def test_a_cluster_that_is_not_there_is_asked_again():
    with pytest.raises(OSError, match="cannot be reached"):
        RayCluster(RaySettings(address="http://127.0.0.1:9")).devices()
    with pytest.raises(ValueError, match="is no address"):
        RayCluster(RaySettings(address="head:8265")).devices()


def test_an_attempt_of_a_folder_with_strange_characters(connected, head, tmp_path):
    handle = Handle(tmp_path / "it's a; run", 1, "ray/cpu")
    connected.submit(Given.of(handle), handle, connected.devices()[1])
    [request] = head.state["requests"]
    assert f" {shlex.quote(str(handle.run))} " in request["entrypoint"]
