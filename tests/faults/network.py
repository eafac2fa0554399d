"""A machine with a network of its own, on this one: a namespace, and a link that can be cut."""

import os
import shutil
import subprocess


def why_not() -> str:
    """Return why no namespace can be made here, or ''."""
    if shutil.which("ip") is None:
        return "there is no command ip here: apt-get install iproute2"
    name = f"genimg-probe-{os.getpid()}"
    try:
        _ip("netns", "add", name)
        _ip("netns", "delete", name)
    except subprocess.CalledProcessError as error:
        return f"no network namespace can be made here: {error.stderr.strip()}"
    return ""


class Machine:
    """A namespace at the other end of a link.

    Attributes:
        here, there: the addresses of this end and of the other one.
        enter: what is written before a command so that it runs there.
    """

    def __init__(self) -> None:
        number = os.getpid() % 2**14  # of one of the networks of four addresses in 198.18.0.0/16
        base = f"198.18.{number >> 6}"
        self.here = f"{base}.{(number & 63) * 4 + 1}"
        self.there = f"{base}.{(number & 63) * 4 + 2}"
        self._name, self._link = f"genimg-{os.getpid()}", f"gi{os.getpid()}"
        self.enter = ["ip", "netns", "exec", self._name]
        _ip("netns", "add", self._name)
        try:
            other = f"{self._link}o"
            _ip("link", "add", self._link, "type", "veth", "peer", other, "netns", self._name)
            _ip("address", "add", f"{self.here}/30", "dev", self._link)
            _ip("-n", self._name, "address", "add", f"{self.there}/30", "dev", other)
            for device in ("lo", other):
                _ip("-n", self._name, "link", "set", device, "up")
            self.heal()
        except BaseException:
            self.close()
            raise

    def cut(self) -> None:
        """Let nothing pass any more; nobody is told."""
        _ip("link", "set", self._link, "down")

    def heal(self) -> None:
        """Let all pass again."""
        _ip("link", "set", self._link, "up")

    def close(self) -> None:
        """Take it away, and its link with it; what runs there is to be ended before."""
        _ip("netns", "delete", self._name)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)
