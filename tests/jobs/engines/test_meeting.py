"""Whether a cluster sees the same files, asked of clusters that are processes of this machine."""

import subprocess
import sys

import pytest

from genimg.jobs import platforms
from genimg.jobs.devices import Device
from genimg.jobs.engines import meeting
from genimg.jobs.engines.cluster import Standing
from genimg.jobs.engines.meeting import main, meet


class OneMachine:
    """Runs each command here, at once, and perhaps changes it first."""

    name = "ray"

    def __init__(self, change=lambda words: words) -> None:
        self.change, self.stopped = change, []

    def devices(self) -> list[Device]:
        return [Device(name="ray/cpu", title="CPU")]

    def start(self, given, words, log, device) -> None:
        assert words[:3] == [sys.executable, "-m", "genimg.jobs.engines.meeting"]
        code = main(self.change(list(words[3:])))
        log.write_text(f"it ended with {code}\n")

    def standings(self, asked) -> dict:
        return dict.fromkeys(asked, Standing.ENDED)

    def stop(self, given) -> None:
        self.stopped.append(given)

    def output(self, given) -> str:
        return "sh: nothing can be written there"


def test_a_machine_that_sees_the_files_says_its_name_and_leaves_nothing(root):
    assert meet(OneMachine(), root, "") == platforms.host()
    assert list(root.iterdir()) == []


def test_a_machine_with_other_files_is_refused(root, tmp_path, capsys):
    (tmp_path / "elsewhere").mkdir()
    blind = OneMachine(lambda words: [str(tmp_path / "elsewhere"), words[1]])
    with pytest.raises(ValueError, match=r"do not see .*root as this one does.*ended with 2"):
        meet(blind, root, "")
    assert "asked.json" in capsys.readouterr().err
    stale = OneMachine(lambda words: [words[0], "another word"])
    with pytest.raises(ValueError, match="ended with 2"):
        meet(stale, root, "")
    assert list(root.iterdir()) == []


def test_what_a_machine_said_where_no_log_could_be_opened_is_told(root, monkeypatch):
    cluster = OneMachine()
    monkeypatch.setattr(cluster, "start", lambda *arguments: None)
    with pytest.raises(ValueError, match="nothing can be written there"):
        meet(cluster, root, "")


def test_a_cluster_that_does_not_come_to_it_is_asked_no_longer(root, monkeypatch):
    cluster = OneMachine()
    monkeypatch.setattr(cluster, "start", lambda *arguments: None)
    monkeypatch.setattr(cluster, "standings", lambda asked: dict.fromkeys(asked, Standing.WAITING))
    monkeypatch.setattr(meeting, "_LOOK_SECONDS", 0.01)
    with pytest.raises(OSError, match="without starting a first command"):
        meet(cluster, root, "", seconds=0.05)
    [given] = cluster.stopped
    assert given.name.startswith("genimg-meeting-")


@pytest.mark.slow
def test_the_answer_is_a_command(tmp_path):
    command = [sys.executable, "-m", "genimg.jobs.engines.meeting", str(tmp_path), "word"]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 2
    assert run.stderr.startswith("error: ")
