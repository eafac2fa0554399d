"""The rules that all clusters share, on a cluster that does what the test says."""

import threading
import time

import pytest

from genimg.jobs.accounts import OwnerAway
from genimg.jobs.devices import Device
from genimg.jobs.engine import Verdict
from genimg.jobs.engines.cluster import Given, Standing
from genimg.jobs.engines.remote import RemoteEngine
from genimg.jobs.states import Exit
from genimg.storage import Lease, write_json

CPU = Device(name="ray/cpu", title="CPU")
DEAD, ALIVE, WAITING, UNKNOWN = Verdict.DEAD, Verdict.ALIVE, Verdict.WAITING, Verdict.UNKNOWN


def name_of(handle) -> str:
    return Given.of(handle).name


def begin(handle) -> None:
    """Write what a launcher and a worker write first."""
    write_json(handle.files.launcher, {"group": 1})
    write_json(handle.files.status, {"state": "running"})


def test_an_attempt_from_its_submission_to_its_end(remote, cluster, handle, tmp_path):
    remote.submit(handle, CPU, tmp_path / "lock")
    assert remote.probe(handle) == (WAITING, None)
    assert cluster.submissions == []  # nobody has waited for the network
    remote.talk()
    assert cluster.submissions == [name_of(handle)]
    assert remote.probe(handle) == (WAITING, None)
    begin(handle)
    cluster.known[name_of(handle)] = Standing.RUNNING
    remote.talk()
    assert remote.probe(handle) == (ALIVE, None)
    write_json(handle.files.exit, {"code": 0})
    assert remote.probe(handle) == (DEAD, Exit(code=0))  # whatever the cluster says


def test_a_name_is_the_same_in_every_process_and_other_elsewhere(handle, tmp_path):
    assert name_of(handle) == name_of(type(handle)(handle.run, 1))
    elsewhere = type(handle)(tmp_path / "copy" / "run", 1)
    assert len({name_of(handle), name_of(elsewhere), name_of(type(handle)(handle.run, 2))}) == 3


def test_a_cut_network_is_no_verdict_and_what_was_wanted_is_not_lost(
    remote, cluster, handle, clock, tmp_path
):
    cluster.error = OSError("no route to host")
    remote.submit(handle, CPU, tmp_path / "lock")
    remote.talk()
    assert "no route" in remote.trouble
    assert remote.probe(handle) == (WAITING, None)
    cluster.error = None
    remote.talk()
    assert (remote.trouble, cluster.submissions) == ("", [name_of(handle)])
    begin(handle)
    cluster.known[name_of(handle)] = Standing.RUNNING
    remote.talk()
    assert remote.capacity()[0].places == 2
    cluster.error = OSError("no route to host")
    clock.now = 100.0
    remote.talk()
    assert remote.probe(handle) == (UNKNOWN, None)
    assert remote.capacity()[0].places == 0  # nothing new is sent there
    cluster.error = None
    remote.talk()
    assert remote.probe(handle) == (ALIVE, None)


def test_the_next_server_asks_again_for_what_a_killed_one_wanted(cluster, handle, clock):
    later = RemoteEngine(cluster, clock=clock, threaded=False)
    assert later.probe(handle) == (UNKNOWN, None)
    later.talk()
    assert later.probe(handle) == (WAITING, None)
    later.talk()
    assert cluster.submissions == [name_of(handle)]
    later.talk()
    assert later.probe(handle) == (WAITING, None)
    assert cluster.submissions == [name_of(handle)]


def test_what_the_cluster_calls_ended_is_dead_when_its_files_have_had_time(
    remote, cluster, handle, clock
):
    begin(handle)
    cluster.known[name_of(handle)] = Standing.ENDED
    remote.probe(handle)
    for now, verdict in ((1.0, UNKNOWN), (9.0, UNKNOWN), (12.0, DEAD)):
        clock.now = now
        remote.talk()
        assert remote.probe(handle) == (verdict, None)


def test_what_a_restarted_head_forgot_lives_while_it_shows_signs_of_life(remote, handle, clock):
    begin(handle)
    remote.probe(handle)
    for now in (0.0, 50.0, 100.0):
        clock.now = now
        write_json(handle.files.status, {"state": "running", "images_seen": now})
        remote.talk()
        assert remote.probe(handle) == (UNKNOWN, None)
    for now, verdict in ((159.0, UNKNOWN), (161.0, DEAD)):
        clock.now = now
        remote.talk()
        assert remote.probe(handle) == (verdict, None)


def test_what_a_restarted_head_forgot_lives_while_its_lease_is_held(remote, handle, monkeypatch):
    begin(handle)
    remote.probe(handle)
    remote.talk()
    monkeypatch.setattr(Lease, "is_held", lambda lease: lease.path == handle.files.lease)
    assert remote.probe(handle) == (ALIVE, None)


def test_what_never_began_is_paused_and_not_lost(remote, cluster, handle, tmp_path):
    remote.submit(handle, CPU, tmp_path / "lock")
    remote.talk()
    remote.terminate(handle)
    remote.terminate(handle)  # twice is once
    remote.talk()
    assert cluster.stopped == [name_of(handle)]
    # Ray may yet start it: then the launcher finds that it is over.
    cluster.known[name_of(handle)] = Standing.WAITING
    assert remote.probe(handle) == (DEAD, Exit(code=75))
    assert handle.files.exit.exists()


def test_what_has_begun_is_given_time_to_end_by_itself(remote, cluster, handle, clock):
    begin(handle)
    cluster.known[name_of(handle)], cluster.patience = Standing.RUNNING, 100.0
    remote.terminate(handle)
    remote.talk()
    clock.now = 99.0
    remote.talk()
    assert cluster.stopped == []
    clock.now = 101.0
    remote.terminate(handle)
    remote.talk()
    assert cluster.stopped == [name_of(handle)]


def test_what_was_taken_back_before_it_was_sent_is_not_sent(remote, cluster, handle, tmp_path):
    remote.submit(handle, CPU, tmp_path / "lock")
    remote.terminate(handle)
    remote.talk()
    assert cluster.submissions == []
    assert remote.probe(handle) == (DEAD, Exit(code=75))


def test_a_refusal_is_the_jobs_sentence(remote, cluster, handle, tmp_path):
    cluster.refusal = ValueError("there is no partition 'gpu'")
    remote.submit(handle, CPU, tmp_path / "lock")
    remote.talk()
    assert remote.probe(handle) == (DEAD, Exit(code=2))
    assert handle.files.last_error() == "there is no partition 'gpu'"


def test_what_no_log_could_take_is_fetched(remote, cluster, handle, tmp_path):
    cluster.printed = "sh: python: not found\n"
    remote.submit(handle, CPU, tmp_path / "lock")
    cluster.known[name_of(handle)] = Standing.ENDED
    remote.talk()
    remote.talk()
    assert handle.files.read_log() == "sh: python: not found\n"


def test_a_thread_talks_and_a_hanging_network_holds_nobody_up(cluster, handle, tmp_path):
    let_go = threading.Event()
    honest = cluster.submit

    def slow(*arguments) -> None:
        let_go.wait(30)
        honest(*arguments)

    cluster.submit = slow
    engine = RemoteEngine(cluster)
    began = time.monotonic()
    engine.submit(handle, CPU, tmp_path / "lock")
    assert engine.probe(handle) == (WAITING, None)
    assert time.monotonic() - began < 5
    let_go.set()
    engine.close()  # only when the cluster has it
    assert cluster.submissions == [name_of(handle)]


def test_closing_does_not_wait_for_a_cluster_that_cannot_be_reached(cluster, handle, tmp_path):
    cluster.error = OSError("no route to host")
    engine = RemoteEngine(cluster)
    engine.submit(handle, CPU, tmp_path / "lock")
    engine.wait(10)
    began = time.monotonic()
    engine.close()
    assert time.monotonic() - began < 10
    assert "no route" in engine.trouble


@pytest.mark.parametrize("seconds", [0.0, 14.0])
def test_an_answer_is_believed_for_a_while(remote, cluster, handle, clock, seconds):
    begin(handle)
    cluster.known[name_of(handle)] = Standing.RUNNING
    remote.probe(handle)
    remote.talk()
    clock.now = seconds
    assert remote.probe(handle) == (ALIVE, None)


def test_what_only_an_absent_owner_may_ask_about_is_left_alone(remote, cluster, handle, clock):
    begin(handle)
    cluster.known[name_of(handle)] = Standing.HIDDEN
    remote.probe(handle)
    for clock.now in (0.0, 50.0, 1000.0):
        remote.talk()
        assert remote.probe(handle) == (UNKNOWN, None)
    cluster.known[name_of(handle)] = Standing.RUNNING
    remote.talk()
    assert remote.probe(handle) == (ALIVE, None)


def test_what_waits_for_its_owner_holds_nobody_up(cluster, handle, tmp_path):
    other, honest = type(handle)(tmp_path / "other", 1, "ray/cpu"), cluster.submit

    def submit(given, which, device) -> None:
        if which == handle:
            raise OwnerAway("ada")
        honest(given, which, device)

    cluster.submit = submit
    engine = RemoteEngine(cluster)
    for each in (handle, other):
        engine.submit(each, CPU, tmp_path / "lock")
    engine.wait(10)
    began = time.monotonic()
    engine.close()
    assert time.monotonic() - began < 10
    assert cluster.submissions == [name_of(other)]
    assert engine.probe(handle) == (WAITING, None)
    assert engine.trouble == ""
