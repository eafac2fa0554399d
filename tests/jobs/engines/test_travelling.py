"""What travels, in which order, and what never arrives in halves."""

import hashlib
import shutil
from pathlib import Path

import pytest
import torch

from genimg.jobs.engines.travelling import Travelling
from genimg.storage import read_json, write_json
from genimg.training import run_checkpoints
from genimg.training.presets import make_spec
from genimg.training.run_directory import RunDirectory


class Shelf:
    """A store in memory, which notes what comes, and fails when a test says so."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.sent: list[str] = []
        self.fails_after: int | None = None

    def marks(self, prefix: str) -> dict[str, str]:
        return {
            path: hashlib.sha256(content).hexdigest()
            for path, content in self.files.items()
            if path.startswith(prefix)
        }

    def put(self, files) -> None:
        for source, path in files:
            self._count()
            self.files[path] = Path(source).read_bytes()
            self.sent.append(path)

    def get(self, files) -> None:
        for path, target in files:
            self._count()
            Path(target).write_bytes(self.files[path])

    def _count(self) -> None:
        if self.fails_after is not None:
            self.fails_after -= 1
            if self.fails_after < 0:
                raise OSError("the network is cut")


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def home(root, small_models) -> RunDirectory:
    spec = make_spec("fashion-mlp", **small_models["fashion-mlp"], images=80)
    run = RunDirectory.create(root / "a-1", spec)
    run.new_attempt(1)
    write_json(run.path / "control.json", {"command": "run", "generation": 1})
    return run


@pytest.fixture
def there(tmp_path) -> RunDirectory:
    (tmp_path / "machine" / "a-1").mkdir(parents=True)
    return RunDirectory(tmp_path / "machine" / "a-1")


def save(run: RunDirectory, step: int) -> None:
    tensors = {part: {"w": torch.full((3,), float(step))} for part in ("model", "ema", "optimizer")}
    state = {"step": step, "images_seen": 8 * step}
    run_checkpoints.save(run.checkpoints, step=step, tensors=tensors, state=state)


def names(run: RunDirectory) -> list[str]:
    return sorted(path.name for path in run.checkpoints.glob("*"))


def test_a_run_goes_there_with_its_newest_checkpoint_and_comes_back(shelf, home, there):
    for step in (1, 2):
        save(home, step)
    home.attempts()[0].write_status(state="paused", wish_seen=7)
    here, guest = (Travelling(shelf, run.path, 2, "a-1/2") for run in (home, there))
    here.send_request()
    guest.fetch_request()
    assert there.read_spec() == home.read_spec()
    assert names(there) == ["step-00000002"]
    assert there.last_wish_seen() == 7  # an old wish is not granted again
    attempt = there.new_attempt(2)
    attempt.report({"images_seen": 24})
    attempt.write_status(state="running", images_seen=24)
    there.write_sheet(24, b"png")
    save(there, 3)
    guest.send_results()
    here.fetch_results()
    assert home.read_metrics() == [{"images_seen": 24}]
    assert home.newest_status()["state"] == "running"
    assert (home.samples / "000000024.png").read_bytes() == b"png"
    assert names(home) == ["step-00000002", "step-00000003"]
    count = len(shelf.sent)
    guest.send_results()
    assert len(shelf.sent) == count  # what has not changed stays


def test_what_lies_beside_a_run_lies_beside_it_there_and_does_not_come_back(shelf, home, there):
    pictures = home.path.parent / "sent" / "mine"
    pictures.mkdir(parents=True)
    (pictures / "1.png").write_bytes(b"png")
    here, guest = (Travelling(shelf, run.path, 1, "a-1/1") for run in (home, there))
    here.send_request([pictures])
    guest.fetch_request()
    assert (there.path.parent / "sent" / "mine" / "1.png").read_bytes() == b"png"
    (pictures / "1.png").write_bytes(b"newer")
    here.fetch_results()
    assert (pictures / "1.png").read_bytes() == b"newer"


def test_a_wish_arrives_and_results_do_not_overwrite_it(shelf, home, there):
    here, guest = (Travelling(shelf, run.path, 1, "a-1/1") for run in (home, there))
    here.send_request()
    guest.fetch_request()
    write_json(home.path / "control.json", {"command": "pause", "generation": 2})
    here.send_wish()
    guest.fetch_wish()
    assert there.read_control() == {"command": "pause", "generation": 2}
    write_json(home.path / "control.json", {"command": "cancel", "generation": 3})
    here.fetch_results()
    assert home.read_control()["generation"] == 3


def test_the_manifest_comes_after_its_files_and_the_exit_at_the_very_end(shelf, there):
    attempt = there.new_attempt(1)
    save(there, 5)
    attempt.write_status(state="succeeded")
    write_json(attempt.exit, {"code": 0})
    Travelling(shelf, there.path, 1, "a-1/1").send_results()
    order = [path.rpartition("/")[2] for path in shelf.sent]
    assert order[-1] == "exit.json"
    assert order.index("MANIFEST.json") == 4
    assert not {"lease"} & set(order)


@pytest.mark.parametrize("cut", range(12))
def test_wherever_the_network_is_cut_all_is_whole_or_absent(shelf, home, there, cut):
    attempt = there.new_attempt(1)
    save(there, 5)
    attempt.write_status(state="succeeded", images_seen=40)
    write_json(attempt.exit, {"code": 0})
    guest = Travelling(shelf, there.path, 1, "a-1/1")
    here = Travelling(shelf, home.path, 1, "a-1/1")
    for move in (guest.send_results, here.fetch_results):
        shelf.fails_after = cut
        try:
            move()
        except OSError:
            here_now = home.attempts()[0]
            assert all(run_checkpoints.is_valid(path) for path in home.checkpoints.glob("step-*"))
            assert not here_now.exit.exists()
            shelf.fails_after = None
            if move == guest.send_results:
                here.fetch_results()  # of half of it
                assert not here_now.exit.exists()
            move()
        shelf.fails_after = None
    assert names(home) == ["step-00000005"]
    assert run_checkpoints.is_valid(home.checkpoints / "step-00000005", thorough=True)
    assert read_json(home.attempts()[0].exit) == {"code": 0}


def test_a_checkpoint_that_was_damaged_on_its_way_does_not_count(shelf, home, there):
    there.new_attempt(1)
    save(there, 5)
    Travelling(shelf, there.path, 1, "a-1/1").send_results()
    name = "a-1/1/ckpt/step-00000005/model.safetensors"
    shelf.files[name] = shelf.files[name][:-1] + b"x"
    Travelling(shelf, home.path, 1, "a-1/1").fetch_results()
    assert names(home) == []


def test_an_attempt_that_was_replaced_reaches_nobody(shelf, home, there):
    there.new_attempt(1)
    late = Travelling(shelf, there.path, 1, "a-1/1")
    home.new_attempt(2)
    save(there, 9)
    late.send_results()
    Travelling(shelf, home.path, 2, "a-1/2").fetch_results()
    assert names(home) == []


def test_old_checkpoints_are_thinned_out_at_home_too(shelf, home, there):
    there.new_attempt(1)
    guest = Travelling(shelf, there.path, 1, "a-1/1")
    here = Travelling(shelf, home.path, 1, "a-1/1")
    for step in (1, 2, 3, 4):
        save(there, step)
        guest.send_results()
        here.fetch_results()
    assert names(home) == ["step-00000003", "step-00000004"]
    shutil.rmtree(there.path)
    here.fetch_results()
    assert names(home) == ["step-00000003", "step-00000004"]


def test_a_name_that_leads_elsewhere_is_refused(shelf, home):
    for name in ("a-1/1/../../../evil.txt", "a-1/1/beside/../../evil.txt"):
        shelf.files = {name: b"x"}
        with pytest.raises(OSError, match="leads out of the run's folder"):
            Travelling(shelf, home.path, 1, "a-1/1").fetch_request()
    assert not list(home.path.parents[1].rglob("evil.txt"))
