"""Where the page is served: its address, and what is in the way to it."""

import contextlib
import ipaddress
import os
import secrets
import shutil
import socket
import time
from pathlib import Path

from genimg.ui.host import host_of

UPLOADS = ".uploads"
"""Below the folder of the runs: what visitors send, until it has been read."""
_HERE = "127.0.0.1"
# Nobody has these addresses, and asking which way a packet would go sends nothing to them.
_ELSEWHERE = {"0.0.0.0": (socket.AF_INET, "192.0.2.1"), "::": (socket.AF_INET6, "2001:db8::1")}


def listening_host(host: str | None) -> str:
    """Return the address to listen on: the one asked for, GRADIO_SERVER_NAME, or this machine's."""
    host = host or os.environ.get("GRADIO_SERVER_NAME") or _HERE
    return host.removeprefix("[").removesuffix("]")


def in_address(host: str) -> str:
    """Return a host as it is written in an address: IPv6 in brackets."""
    return f"[{host}]" if ":" in host else host


def require_free(host: str, port: int | None) -> None:
    """Raise OSError, with the reason, if a host and a port that were asked for cannot be had."""
    try:
        found = socket.getaddrinfo(host, port or 0, type=socket.SOCK_STREAM)
        family, *_, address = found[0]
        socket.create_server(address, family=family).close()
    except (OSError, UnicodeError) as error:  # the latter from a name that no machine can have
        raise not_to_be_had(host, port, getattr(error, "strerror", None) or str(error)) from None


def not_to_be_had(host: str, port: int | None, reason: str) -> OSError:
    """Return the error for a host and a port that cannot be had."""
    place = f"{host}, port {port}" if port else host
    return OSError(f"the page cannot be served at {place}: {reason}; choose another host or port")


def reachable_at(host: str) -> str:
    """Return the host of the address at which people reach a server that listens at `host`."""
    if host not in _ELSEWHERE:
        return in_address(host)
    family, elsewhere = _ELSEWHERE[host]
    with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.connect((elsewhere, 9))
        return in_address(probe.getsockname()[0])
    return "[::1]" if family is socket.AF_INET6 else "localhost"


def new_token(host: str | None, root_path: str = "") -> str:
    """Return a token for the teacher if other machines reach the page, or ''.

    Whoever sits at the only machine that reaches the page needs none. A page with a `root_path`
    has a proxy in front, which lets in others; nobody sits at a Space.
    """
    here = host_of(os.environ)
    if here.space:
        return secrets.token_urlsafe(9) if here.training else ""
    host = listening_host(host)
    try:
        local = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:  # the name of a machine
        local = False
    return "" if local and not root_path else secrets.token_urlsafe(9)


def use_own_upload_folder(runs: str | os.PathLike, seconds: float) -> None:
    """Have Gradio keep uploads below `runs`, and delete what is left there from `seconds` ago.

    Its own place is one folder for all people of a machine, which only the first of them can
    write. Where GRADIO_TEMP_DIR names another folder, that one is used.
    """
    folder = Path(runs).resolve() / UPLOADS
    if os.environ.setdefault("GRADIO_TEMP_DIR", str(folder)) != str(folder):
        return
    with contextlib.suppress(OSError):  # none yet, or another server deletes it, too
        for old in folder.iterdir():
            if time.time() - old.stat().st_mtime > seconds:
                shutil.rmtree(old, ignore_errors=True)
