import json

import pytest

from genimg.jobs.devices import Device
from genimg.jobs.engine import Handle, Verdict
from genimg.jobs.engines import configured
from genimg.jobs.engines.cluster import Given
from genimg.jobs.engines.configured import Engines, introduce, read_settings, write_settings
from genimg.jobs.engines.ray_jobs import RaySettings
from genimg.jobs.engines.remote import RemoteEngine
from genimg.jobs.states import Exit
from genimg.storage import write_json

SETTINGS = RaySettings(address="http://head:8265")


@pytest.fixture
def engines(root, engine, make_cluster, clock) -> Engines:
    def connect(name, settings) -> RemoteEngine:
        made = RemoteEngine(make_cluster(), clock=clock, threaded=False)
        made.talk()
        return made

    return Engines(root, engine, connect)


def test_an_engine_is_there_once_it_was_named_and_gone_when_forgotten(engines, root):
    assert [device.name for device in engines.capacity()] == ["cpu"]
    write_settings(root, "ray", SETTINGS)
    assert [device.name for device in engines.capacity()] == ["cpu", "ray/cpu"]
    assert read_settings(root) == {"ray": SETTINGS}
    write_settings(root, "ray", None)
    assert [device.name for device in engines.capacity()] == ["cpu"]


def test_each_attempt_is_asked_of_where_it_is(engines, engine, root, tmp_path):
    write_settings(root, "ray", SETTINGS)
    local, other = engines.capacity()
    here, there = Handle(root / "a", 1, "cpu"), Handle(root / "b", 1, "ray/cpu")
    for handle, device in ((here, local), (there, other)):
        handle.files.path.mkdir(parents=True)
        engines.submit(handle, device, tmp_path / "lock")
    assert list(engine.alive) == [here]
    assert engines.probe(here)[0] is Verdict.ALIVE
    assert engines.probe(there)[0] is Verdict.WAITING
    engines.terminate(there)
    assert engine.asked_to_end == []
    remote = engines._remote["ray"][1]
    remote.talk()
    assert remote.cluster.stopped == [Given.of(there).name]
    engines.close()


def test_what_trains_where_nobody_looks_any_more_is_left_alone(engines, root, tmp_path):
    lost = Handle(root / "a", 1, "ray/cpu")
    lost.files.path.mkdir(parents=True)
    assert engines.probe(lost) == (Verdict.UNKNOWN, None)
    engines.terminate(lost)
    write_json(lost.files.exit, {"code": 0})
    assert engines.probe(lost) == (Verdict.DEAD, Exit(code=0))
    with pytest.raises(OSError, match="nothing is known of ray/cpu"):
        engines.submit(lost, Device(name="ray/cpu", title=""), tmp_path / "lock")


def test_a_damaged_file_is_a_notice_and_loses_nobody(engines, root):
    write_settings(root, "ray", SETTINGS)
    engines.capacity()
    for text in ("{", '{"nope": {}}', "[]", '{"ray": {"cpus": 0}}'):
        (root / "engines.json").write_text(text)
        assert [device.name for device in engines.capacity()] == ["cpu", "ray/cpu"]
        assert engines.trouble
    (root / "engines.json").write_text(json.dumps({"ray": SETTINGS.to_dict()}))
    engines.capacity()
    assert engines.trouble == ""


def test_an_engine_is_introduced_only_after_it_was_seen_to_work(root, monkeypatch, make_cluster):
    kind = configured.engine_named("ray")
    pretended = type(kind)("A cluster", RaySettings, lambda settings: make_cluster())
    monkeypatch.setattr(configured, "engine_named", lambda name: pretended)

    def blind(*arguments) -> str:
        raise ValueError("it sees other files")

    monkeypatch.setattr(configured, "meet", blind)
    with pytest.raises(ValueError, match="sees other files"):
        introduce(root, "ray", SETTINGS)
    assert not (root / "engines.json").exists()
    monkeypatch.setattr(configured, "meet", lambda *arguments: "node-1")
    found = introduce(root, "ray", SETTINGS)
    assert (found.host, found.devices[0].places) == ("node-1", 2)
    assert read_settings(root) == {"ray": SETTINGS}
