import os
import resource
import signal
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genimg.storage import Lease, atomic_write, read_json, write_json

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def in_child(function) -> int:
    """Run `function` in a forked child and return its exit code (9: an exception got out)."""
    pid = os.fork()
    if pid == 0:
        try:
            code = function() or 0
        except BaseException:
            code = 9
        os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def limit_files_to(size: int) -> None:
    """Let every write beyond `size` bytes fail with OSError, as on a full disk."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


@pytest.mark.parametrize("content", [b"\x00\xff", "Größe\n", b""])
def test_a_file_is_replaced_and_nothing_else_is_left(tmp_path, content):
    path = tmp_path / "file"
    path.write_text("old and longer than the new one")
    atomic_write(path, content)
    assert path.read_bytes() == (content.encode() if isinstance(content, str) else content)
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_failing_system_call_leaves_the_old_file(tmp_path, monkeypatch, call):
    path = tmp_path / "file"
    path.write_text("old")

    def fail(*arguments):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(OSError, match="Input/output"):
        atomic_write(path, "new")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]


def test_a_full_disk_leaves_the_old_file_and_no_temporary(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")

    def write_too_much() -> int:
        limit_files_to(1000)
        try:
            atomic_write(path, b"x" * 5000)
        except OSError:
            return 7
        return 0

    assert in_child(write_too_much) == 7
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]


def test_a_reader_sees_the_old_or_the_new_file_while_the_writer_is_killed(tmp_path):
    path = tmp_path / "file.json"
    write_json(path, [0] * 2000)
    for _ in range(5):
        pid = os.fork()
        if pid == 0:
            value = 0
            while True:
                value += 1
                write_json(path, [value] * 2000)
        time.sleep(0.03)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        values = read_json(path)
        assert len(values) == 2000
        assert len(set(values)) == 1


@given(value=JSON)
def test_json_comes_back_as_it_was(tmp_path_factory, value):
    path = tmp_path_factory.getbasetemp() / "round-trip.json"
    write_json(path, value)
    assert read_json(path) == value


@pytest.mark.parametrize("value", [float("nan"), {"a": [float("inf")]}])
def test_json_refuses_what_is_not_json(tmp_path, value):
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "file.json", value)
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b"1" * 5000, b'{"a": 1'], ids=range(6)
)
def test_damaged_json_is_a_value_error_that_names_the_file(tmp_path, content):
    path = tmp_path / "file.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"file\.json is not valid JSON"):
        read_json(path)


def test_large_json_is_refused_and_a_missing_file_is_file_not_found(tmp_path):
    path = tmp_path / "file.json"
    path.write_text('"' + "x" * 100 + '"')
    assert len(read_json(path, limit=102)) == 100
    with pytest.raises(ValueError, match="larger than 101 bytes"):
        read_json(path, limit=101)
    with pytest.raises(FileNotFoundError):
        read_json(tmp_path / "none.json")


def _hold_in_child(path, *, with_grandchild: bool = False) -> tuple[int, int]:
    """Fork a child that holds the lease; return its pid, and a grandchild's that survives it."""
    readable, writable = os.pipe()
    pid = os.fork()
    if pid == 0:
        lease = Lease(path)
        taken = lease.acquire()
        grandchild = 0
        if with_grandchild:
            grandchild = os.fork()
            if grandchild == 0:
                time.sleep(60)
                os._exit(0)
        os.write(writable, f"{int(taken)} {grandchild}".encode())
        time.sleep(60)
        os._exit(0)
    taken, grandchild = os.read(readable, 100).split()
    assert taken == b"1"
    return pid, int(grandchild)


def _kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def test_a_lease_has_one_holder_and_is_free_when_the_holder_is_killed(tmp_path):
    lease = Lease(tmp_path / "lease")
    assert not lease.is_held()  # there is not even a file
    child, _ = _hold_in_child(lease.path)
    assert lease.is_held()
    assert not lease.acquire()
    _kill(child)
    assert not lease.is_held()
    assert lease.acquire()
    assert in_child(lambda: 1 + Lease(lease.path).acquire()) == 1  # refused
    lease.release()
    lease.release()
    assert in_child(lambda: 1 + Lease(lease.path).acquire()) == 2


def test_who_may_only_read_can_ask_for_a_lease():
    with tempfile.TemporaryDirectory() as folder:  # pytest's own are for its user alone
        lease = Lease(Path(folder, "lease"))
        lease.path.touch()
        lease.path.chmod(0o444)
        Path(folder).chmod(0o555)

        def ask_as_a_stranger() -> int:
            if os.getuid() == 0:
                os.setuid(65534)
            return 2 + Lease(lease.path).is_held()

        assert in_child(ask_as_a_stranger) == 2
        child, _ = _hold_in_child(lease.path)
        assert in_child(ask_as_a_stranger) == 3
        _kill(child)
        assert in_child(ask_as_a_stranger) == 2
        Path(folder).chmod(0o755)


def test_a_surviving_grandchild_does_not_keep_the_lease(tmp_path):
    lease = Lease(tmp_path / "lease")
    child, grandchild = _hold_in_child(lease.path, with_grandchild=True)
    try:
        assert lease.is_held()
        _kill(child)
        os.kill(grandchild, 0)  # it lives
        assert lease.acquire()
        lease.release()
    finally:
        os.kill(grandchild, signal.SIGKILL)


def test_a_file_system_without_locks_is_an_error_and_not_a_holder(tmp_path, monkeypatch):
    def no_locks(*arguments):
        raise OSError(37, "No locks available")

    monkeypatch.setattr("fcntl.lockf", no_locks)
    with pytest.raises(OSError, match="No locks"):
        Lease(tmp_path / "lease").acquire()
