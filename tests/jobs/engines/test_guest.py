"""A lent machine whose time is over: the run saves, and all of it comes home."""

import hashlib
from pathlib import Path

import pytest

from genimg.jobs.engines import guest
from genimg.jobs.engines.travelling import Travelling
from genimg.storage import read_json
from genimg.training import run_checkpoints
from genimg.training.presets import make_spec
from genimg.training.run_directory import RunDirectory


class Shelf:
    """A store in memory."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def marks(self, prefix: str) -> dict[str, str]:
        found = {path: content for path, content in self.files.items() if path.startswith(prefix)}
        return {path: hashlib.sha256(content).hexdigest() for path, content in found.items()}

    def put(self, files) -> None:
        for source, path in files:
            self.files[path] = Path(source).read_bytes()

    def get(self, files) -> None:
        for path, target in files:
            Path(target).write_bytes(self.files[path])


@pytest.mark.slow
def test_before_the_time_is_over_the_run_saves_and_comes_home(
    root, tmp_path, tiny_run, monkeypatch
):
    settings = tiny_run | {"dataset": "fashion-mnist", "checkpoint_seconds": 0.5}
    run = RunDirectory.create(root / "a-1", make_spec(**settings))
    run.new_attempt(1)
    shelf = Shelf()
    here = Travelling(shelf, run.path, 1, "a-1/1")
    here.send_request()
    monkeypatch.setattr(guest, "_SEND_SECONDS", 0.5)
    began = None

    def clock() -> float:
        """Say that five minutes are left once the run has saved something."""
        nonlocal began
        saved = any("MANIFEST" in path for path in shelf.files)
        seconds = 0.0 if not saved else 60 * 60 - guest._FAREWELL_SECONDS
        began = seconds if began is None else began + 0.5
        return max(began, seconds)

    code = guest.train_as_guest(shelf, "a-1/1", 1, 60.0, tmp_path / "machine", clock)
    assert code == 75
    here.fetch_results()
    [attempt] = run.attempts()
    assert read_json(attempt.exit)["code"] == 75
    newest = run_checkpoints.latest(run.checkpoints)
    assert attempt.read_status()["state"] == "paused"
    assert read_json(newest / "state.json")["images_seen"] == attempt.read_status()["images_seen"]
