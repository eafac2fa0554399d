import pytest

from genimg.cli import engines
from genimg.jobs.devices import Device
from genimg.jobs.engines import configured


@pytest.fixture
def launched(monkeypatch):
    """Launch nothing, say that it is up, and return what would have been launched."""
    from genimg.ui import application

    calls = []

    def launch(when_up, **settings):
        when_up("http://here:7860/")
        calls.append(settings)

    monkeypatch.setattr(application, "launch", launch)
    return calls


def test_options_reach_the_app(call, launched):
    options = ["--host", "0.0.0.0", "--port", 8000, "--checkpoint", "a", "--checkpoint", "b"]
    options += ["--runs", "lessons", "--teacher-token", "chalk"]
    options += ["--root-path", "/lessons"]
    assert call("app", *options, "--no-browser").code == 0
    settings = {"host": "0.0.0.0", "port": 8000, "root_path": "/lessons", "open_browser": False}
    settings |= {"runs": "lessons", "teacher_token": "chalk"}
    assert launched == [settings | {"checkpoints": ["a", "b"]}]


def test_an_engine_is_named_before_the_page_is_served(
    call, launched, refuse, monkeypatch, tmp_path
):
    named = []

    def introduce(root, name, settings) -> configured.Introduced:
        named.append((root, name, settings.address))
        return configured.Introduced([Device(name="ray/cpu", title="CPU", places=3)], "node-1")

    monkeypatch.setattr(engines, "introduce", introduce)
    where = ["--engine", "ray", "--address", "http://head:8265", "--runs", tmp_path]
    result = call("app", *where)
    assert named == [(tmp_path, "ray", "http://head:8265")]
    assert "3 on ray/cpu" in result.out
    assert len(launched) == 1
    assert "no engine 'nope'" in refuse("app", "--engine", "nope")
    assert len(launched) == 1


def test_a_class_room_gets_a_token_that_is_printed(call, launched):
    result = call("app", "--host", "0.0.0.0")
    assert launched[0]["teacher_token"] in result.out
    assert len(launched[0]["teacher_token"]) >= 12


def test_without_options_the_browser_is_opened_on_this_machine_only(call, launched):
    result = call("app")
    assert result.code == 0
    assert "http://here:7860/" in result.out
    settings = {"checkpoints": [], "host": None, "port": None, "root_path": ""}
    settings |= {"open_browser": True}
    assert launched == [settings | {"runs": "runs", "teacher_token": ""}]


def test_bad_options_are_refused(refuse, launched):
    assert "1 to 65535" in refuse("app", "--port", 70_000)
    assert not launched


def test_a_bad_checkpoint_is_refused(refuse, tmp_path):
    options = ["--checkpoint", "nope", "--no-browser", "--runs", tmp_path / "runs"]
    assert "nope" in refuse("app", *options)


def test_behind_a_proxy_there_are_others_so_that_a_token_is_printed(call, launched):
    result = call("app", "--root-path", "/lessons")
    assert launched[0]["teacher_token"] in result.out
    assert launched[0]["teacher_token"]


@pytest.mark.parametrize("path", ["a b", "/x?y=1", "ftp://x/y", "/a/../b", "/<script>"])
def test_a_path_that_is_none_is_refused(refuse, tmp_path, path):
    options = ["--root-path", path, "--no-browser", "--runs", tmp_path / "runs"]
    assert "--root-path must be a path such as /genimg" in refuse("app", *options)
    assert not (tmp_path / "runs").exists()
