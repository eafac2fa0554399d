import pytest


@pytest.fixture
def launched(monkeypatch):
    """Launch nothing, and return what would have been launched."""
    from genimg.ui import application

    calls = []
    monkeypatch.setattr(application, "launch", lambda **settings: calls.append(settings))
    return calls


def test_options_reach_the_app(call, launched):
    options = ["--host", "0.0.0.0", "--port", 8000, "--checkpoint", "a", "--checkpoint", "b"]
    assert call("app", *options, "--no-browser").code == 0
    settings = {"host": "0.0.0.0", "port": 8000, "open_browser": False}
    assert launched == [settings | {"checkpoints": ["a", "b"]}]


def test_without_options_the_browser_is_opened_on_this_machine_only(call, launched):
    assert call("app").code == 0
    settings = {"checkpoints": [], "host": None, "port": None, "open_browser": True}
    assert launched == [settings]


def test_bad_options_are_refused(refuse, launched):
    assert "1 to 65535" in refuse("app", "--port", 70_000)
    assert not launched


def test_a_bad_checkpoint_is_refused(refuse):
    assert "nope" in refuse("app", "--checkpoint", "nope", "--no-browser")
