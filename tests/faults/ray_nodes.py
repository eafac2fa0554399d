"""A Ray cluster on this machine: a head and nodes that are nothing but processes of this test.

`ray stop` would end every Ray on the machine, so they are ended by their numbers.
"""

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import httpx
import psutil

from tests.faults.network import Machine

_RAY = Path(sys.executable).with_name("ray")
_MEMORY = 80 * 2**20


class RayNodes:
    """A head and the nodes that joined it, each with two CPUs.

    Args:
        machine: where the nodes are, at the end of a link; the head, which is here, then has no
            CPU. Without it all of them are here.
    """

    def __init__(self, machine: Machine | None = None) -> None:
        self._machine = machine
        self._here = machine.here if machine else "127.0.0.1"
        # Paths of sockets are short.
        self.folder = Path(tempfile.mkdtemp(prefix="ray-", dir="/tmp"))
        self.port, self.dashboard = _free_port(), _free_port()
        self.address = f"http://127.0.0.1:{self.dashboard}"
        self.token = secrets.token_hex(16)
        self.environment = os.environ | {
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": self.token,
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_ENABLE_METRICS_COLLECTION": "0",
        }
        if machine:  # a node that is not heard of is given up after seconds, not most of a minute
            self.environment["RAY_health_check_period_ms"] = "1000"
            self.environment["RAY_health_check_timeout_ms"] = "2000"
        self.nodes: list[subprocess.Popen] = []

    def start_head(self) -> None:
        """Start the head, and wait until it answers."""
        self._start(
            *("--head", f"--port={self.port}", f"--dashboard-port={self.dashboard}"),
            *("--dashboard-host=127.0.0.1", f"--temp-dir={self.folder}"),
            *(f"--node-ip-address={self._here}", f"--num-cpus={0 if self._machine else 2}"),
        )
        self.wait_for(1)

    def start_node(self) -> subprocess.Popen:
        """Let another node join, and wait until the head knows it."""
        there, enter = (self._machine.there, self._machine.enter) if self._machine else (None, [])
        node = self._start(
            f"--address={self._here}:{self.port}",
            *(f"--node-ip-address={there or self._here}", "--num-cpus=2"),
            enter=enter,
        )
        self.wait_for(len(self.nodes))
        return node

    def _start(self, *options: str, enter: Sequence[str] = ()) -> subprocess.Popen:
        ports = ("dashboard-agent-listen", "dashboard-agent-grpc", "metrics-export")
        words = [*(f"--{name}-port={_free_port()}" for name in ports), "--num-gpus=0"]
        words += [f"--object-store-memory={_MEMORY}", "--disable-usage-stats"]
        with (self.folder / f"node-{len(self.nodes)}.txt").open("wb") as log:
            node = subprocess.Popen(
                [*enter, _RAY, "start", "--block", *words, *options],
                env=self.environment,
                cwd=self.folder,  # where no genimg is found by chance
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.nodes.append(node)
        return node

    def wait_for(self, count: int, seconds: float = 120) -> None:
        """Wait until the head says that so many nodes live."""
        end = time.monotonic() + seconds
        while self.living() != count:
            assert time.monotonic() < end, self.output()
            time.sleep(0.5)

    def living(self) -> int:
        """Return how many nodes live, as the head says; -1 where it does not answer."""
        headers = {"Authorization": f"Bearer {self.token}"}
        with contextlib.suppress(httpx.HTTPError, ValueError, KeyError, TypeError):
            answer = httpx.get(
                f"{self.address}/api/v0/nodes?detail=true", headers=headers, trust_env=False
            )
            nodes = answer.json()["data"]["result"]["result"]
            return sum(node["state"] == "ALIVE" for node in nodes)
        return -1

    def output(self) -> str:
        """Return the end of what the nodes printed."""
        return "\n".join(path.read_text()[-2000:] for path in self.folder.glob("node-*.txt"))

    def kill(self, node: subprocess.Popen) -> None:
        """Kill a node and all that it started, as when its machine loses power."""
        _kill_tree(node.pid)
        node.wait()
        self.nodes.remove(node)

    def close(self) -> None:
        """End all of it."""
        for node in list(self.nodes):
            self.kill(node)
        shutil.rmtree(self.folder, ignore_errors=True)


def _kill_tree(root: int) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(root)
        for each in [process, *process.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                each.kill()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]
