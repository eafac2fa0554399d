import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from genimg.ui import serving


@pytest.mark.parametrize("host", [None, "", "localhost", "127.0.0.1", "127.1.2.3", "::1", "[::1]"])
def test_alone_at_the_machine_everybody_is_the_teacher(host, monkeypatch):
    monkeypatch.delenv("GRADIO_SERVER_NAME", raising=False)
    assert serving.new_token(host) == ""
    assert serving.new_token(host, "/genimg")  # a proxy lets in others


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.7", "::", "lab.example.org"])
def test_where_others_come_the_teacher_needs_a_token(host, monkeypatch):
    tokens = {serving.new_token(host) for _ in range(3)}
    assert len(tokens) == 3
    assert all(len(token) >= 12 for token in tokens)
    monkeypatch.setenv("GRADIO_SERVER_NAME", host)
    assert serving.new_token(None)


@pytest.mark.parametrize("host", ["no.such.host.invalid", "a" * 80, "fe80::1%nope", "1.2.3.4.5"])
def test_a_host_that_is_none_is_refused_in_one_sentence(host):
    with pytest.raises(OSError, match=r"cannot be served at .*; choose another host or port$"):
        serving.require_free(host, None)


def test_uploads_are_kept_below_the_runs_and_not_for_ever(tmp_path, monkeypatch):
    monkeypatch.delenv("GRADIO_TEMP_DIR", raising=False)
    monkeypatch.chdir(tmp_path)
    left, fresh = (tmp_path / "runs" / serving.UPLOADS / name for name in ("left", "fresh"))
    for folder in (left, fresh):
        folder.mkdir(parents=True)
        (folder / "a.zip").write_bytes(b"PK")
    os.utime(left, (time.time() - 100,) * 2)
    serving.use_own_upload_folder("runs", seconds=50)
    assert Path(os.environ["GRADIO_TEMP_DIR"]) == tmp_path / "runs" / serving.UPLOADS
    assert not left.exists()
    assert fresh.exists()


def test_a_folder_for_uploads_that_was_chosen_is_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "mine"))
    serving.use_own_upload_folder(tmp_path / "runs", seconds=0)
    assert os.environ["GRADIO_TEMP_DIR"] == str(tmp_path / "mine")


@pytest.mark.slow
@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:9", "socks://127.0.0.1:9/", "nonsense://x"])
def test_the_page_can_be_imported_whatever_the_proxy_is(proxy):
    code = "from genimg.ui import application; import os; print(os.environ['ALL_PROXY'])"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"ALL_PROXY": proxy, "http_proxy": proxy},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout.strip(), done.stderr) == (proxy, "")
