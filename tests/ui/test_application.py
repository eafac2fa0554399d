import asyncio
import inspect
import os
import re
import shutil
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import get_type_hints
from urllib.request import getproxies

import gradio as gr
import pytest
from gradio.state_holder import SessionState

from genimg import checkpoints
from genimg.checkpoints import CheckpointError
from genimg.jobs.limits import Visitor
from genimg.jobs.manager import JobManager
from genimg.jobs.recordings import Recordings
from genimg.training.presets import make_spec
from genimg.training.run_directory import RunDirectory
from genimg.ui import application, serving
from genimg.ui.host import host_of


def test_every_endpoint_that_is_not_meant_for_others_is_private(paths):
    demo = application.build([paths[use] for use in ("style", "drawer", "masked", "vision")])
    events = demo.config["dependencies"]
    public = {event["api_name"] for event in events if event["api_visibility"] == "public"}
    assert public == {"sample", "interpolate", "draw", "complete", "draw_in_parallel", "look"}


def test_the_page_keeps_no_state_on_the_server(paths):
    """A state opens a lasting connection for each browser tab; a browser allows six."""
    demo = application.build([paths["style"]])
    assert not [block for block in demo.config["components"] if block["type"] == "state"]


def test_live_events_skip_the_queue_and_keep_the_last_value(paths):
    demo = application.build([paths["style"]])
    (show,) = (event for event in demo.config["dependencies"] if event["api_name"] == "show")
    assert not show["queue"]
    assert show["trigger_mode"] == "always_last"
    assert show["show_progress"] == "hidden"


def test_no_event_has_the_browser_read_all_that_it_puts_out(paths, tmp_path):
    """Where nothing else is said, it tells its progress on each output and all inside it."""
    with JobManager(tmp_path) as manager:
        models = [paths[use] for use in ("style", "drawer", "masked", "vision")]
        events = application.build(models, manager).config["dependencies"]
    told = [event for event in events if event["api_visibility"] != "public" and event["outputs"]]
    for event in told:
        assert event["show_progress_on"] is not None, event["api_name"]
        assert len(event["show_progress_on"]) <= 1, event["api_name"]


def test_of_two_asked_at_once_the_second_is_not_the_first_again(paths, tmp_path):
    """Gradio 6.31 calls an event that waits for its forerunner with the data of the forerunner."""
    with JobManager(tmp_path) as manager:
        models = [paths[use] for use in ("style", "drawer", "masked", "vision")]
        page = application.build(models, manager)
    asked = [
        event
        for event in page.fns.values()
        if event.fn and takes_event_data(inspect.unwrap(event.fn))
    ]
    assert len(asked) > 10
    assert not [event.name for event in asked if event.trigger_mode == "always_last"]


def takes_event_data(function):
    kinds = get_type_hints(function).values()
    return any(isinstance(kind, type) and issubclass(kind, gr.EventData) for kind in kinds)


def test_a_bad_checkpoint_is_refused_before_anything_is_served(tmp_path):
    with pytest.raises(CheckpointError, match="no checkpoint"):
        application.build([tmp_path])


@pytest.fixture
def launched(monkeypatch, tmp_path):
    """Launch a page that only notes what happens to it; return the notes."""
    monkeypatch.delenv("GRADIO_TEMP_DIR", raising=False)
    happened = []

    class Page:
        server_port = 7860

        def launch(self, *, quiet, prevent_thread_lock, share, server_name, **settings):
            assert quiet
            assert prevent_thread_lock
            assert not share
            happened.append(f"launched at {server_name}")
            happened.append(getproxies())

        def block_thread(self):
            happened.append("served")

    def launch(**settings):
        happened.clear()
        application.launch(runs=tmp_path, when_up=happened.append, **settings)
        return happened

    monkeypatch.setattr(application, "build", lambda *arguments: Page())
    return launch


@pytest.mark.parametrize(
    ("host", "given", "address"),
    [
        ("127.0.0.1", "127.0.0.1", r"127\.0\.0\.1"),
        ("0.0.0.0", "0.0.0.0", r"\d+(\.\d+){3}|localhost"),
        ("::1", "[::1]", r"\[::1\]"),
        ("[::1]", "[::1]", r"\[::1\]"),
        ("::", "[::]", r"\[[0-9a-f:]+\]"),
    ],
)
def test_only_the_address_is_said_and_only_when_the_page_is_up(
    launched, capsys, host, given, address
):
    begun, _, said, served = launched(host=host)
    assert (begun, served) == (f"launched at {given}", "served")
    assert re.fullmatch(f"http://({address}):7860/", said)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("proxy", ["http://127.0.0.1:9", "socks5://127.0.0.1:9", "socks://x:9/"])
def test_no_proxy_stands_between_the_server_and_itself(launched, monkeypatch, proxy):
    for name in ("http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy)
    monkeypatch.setenv("no_proxy", "intranet.example.org")
    monkeypatch.delenv("NO_PROXY", raising=False)
    _, proxies, *_ = launched()
    assert proxies["no"] == "*"
    assert getproxies()["no"] == "intranet.example.org"  # downloads go through it as before
    assert "NO_PROXY" not in os.environ


def test_a_place_that_cannot_be_had_is_named_before_anything_is_made(tmp_path):
    runs = tmp_path / "runs"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"at 127.0.0.1, port {port}: .*; choose another host or"):
            application.launch(port=port, runs=runs)
    with pytest.raises(OSError, match=r"cannot be served at 203\.0\.113\.77: "):  # nobody's
        application.launch(host="203.0.113.77", runs=runs)
    assert not runs.exists()


def test_a_class_of_the_last_model_on_its_way_to_the_next_changes_nothing(paths, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(paths["style"], other)
    card = checkpoints.read_card(other)
    checkpoints.write_card(other, card | {"classes": ["Cat", "Dog", "Fish"]})
    demo = application.build([paths["style"], other])
    events = {event.api_name: event for event in demo.fns.values()}
    page = SessionState(demo)

    def send(event: str, *values):
        call = demo.process_api(events[event], list(values), state=page)
        with ThreadPoolExecutor(1) as other_thread:  # Playwright's loop may run in this one
            return other_thread.submit(asyncio.run, call).result()["data"]

    sliders = [0, *[0.0] * (len(events["show"].inputs) - 7), "own", ""]  # no code
    send("choose", str(other), "Shoe", 5, 0.7)  # from now on the choices are Cat, Dog and Fish
    [shown] = send("show", str(other), "Cat", 5, 0.7, *sliders)
    assert "label=Cat" in shown["query"]
    for stale in ("Shoe", None, ["Cat"], {}):
        [answer] = send("show", str(other), stale, 5, 0.7, *sliders)
        assert answer["__type__"] == "update"  # of nothing
        assert "src" not in str(answer)


def test_a_run_is_shown_by_its_name(tmp_path, monkeypatch):
    run = RunDirectory.create(tmp_path / "runs" / "mine", make_spec("fashion-mlp"))

    def note(checkpoints, *rest):
        raise CheckpointError(f"asked for {checkpoints}")

    monkeypatch.setattr(application, "build", note)
    for name in ("mine", "mi", str(run.path)):
        with pytest.raises(CheckpointError, match=re.escape(f"asked for [{str(run.path)!r}]")):
            application.launch(checkpoints=[name], runs=tmp_path / "runs")


SPACE = {"SYSTEM": "spaces", "SPACE_ID": "ada/genimg"}
ZERO = SPACE | {"SPACES_ZERO_GPU": "true"}


def as_if(monkeypatch, environment):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return host_of(environment)


def test_the_owner_of_a_space_gets_a_token_where_there_is_something_to_control(monkeypatch):
    assert serving.new_token(None) == ""
    as_if(monkeypatch, SPACE)
    assert serving.new_token(None) == ""
    as_if(monkeypatch, {"GENIMG_ALLOW_TRAINING": "1"})
    assert len(serving.new_token("127.0.0.1")) >= 12  # though only Hugging Face's proxy asks


@pytest.mark.parametrize("environment", [{}, SPACE, ZERO])
def test_the_queue_is_bounded_and_longer_than_one_everywhere(monkeypatch, paths, environment):
    here = as_if(monkeypatch, environment)
    demo = application.build([paths["style"]], here=here)
    assert demo._queue.max_size == 64


def test_where_runs_are_trained_their_folder_must_be_usable(monkeypatch, tmp_path):
    taken = tmp_path / "file"
    taken.write_text("")
    with pytest.raises(OSError, match="file"):
        application._open_runs(host_of({}), taken)
    recordings, trouble = application._open_runs(
        host_of(SPACE | {"GENIMG_ALLOW_TRAINING": "1"}), taken
    )
    assert isinstance(recordings, Recordings)
    assert trouble.startswith("The folder that GENIMG_RUNS names cannot be used (File exists).")
    assert str(tmp_path) not in trouble


@pytest.mark.parametrize("environment", [SPACE, ZERO, ZERO | {"GENIMG_ALLOW_TRAINING": "1"}])
def test_where_nothing_is_trained_no_folder_is_made(tmp_path, environment):
    recordings, trouble = application._open_runs(host_of(environment), tmp_path / "runs")
    assert isinstance(recordings, Recordings)
    assert trouble == ""
    assert not (tmp_path / "runs").exists()
    with pytest.raises(PermissionError):
        recordings.start("fashion-mlp", minutes=1, visitor=Visitor("ada", is_teacher=True))


def test_the_limits_of_a_host_reach_the_runs(tmp_path):
    here = host_of(SPACE | {"GENIMG_ALLOW_TRAINING": "1"})
    manager, _ = application._open_runs(here, tmp_path)
    with manager:
        assert manager.limits == here.limits
        with pytest.raises(PermissionError, match="given in minutes"):
            manager.start("fashion-mlp", images=100, device="cpu", visitor=Visitor("ada"))


def test_strangers_files_are_stopped_on_a_space_only():
    assert application._gate(host_of({})) == []
    [gate] = application._gate(host_of(SPACE))
    assert gate.kwargs["largest"] == 0
    assert gate.kwargs["refusal"].endswith(".")


def test_no_two_handlers_of_an_event_wait_for_their_last_call(paths):
    """Gradio calls each again when the other ends, and so for ever, ten times a second."""
    demo = application.build([paths[use] for use in ("style", "drawer", "masked", "vision")])
    waiting = [
        (target, event)
        for handler in demo.config["dependencies"]
        if handler["trigger_mode"] == "always_last"
        for target, event in handler["targets"]
        if event not in ("load", "then")  # each of which is called by itself
    ]
    assert len(waiting) > 30
    assert sorted(waiting) == sorted(set(waiting))
