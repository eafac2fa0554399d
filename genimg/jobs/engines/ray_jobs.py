"""Ray Jobs: a cluster that runs commands, asked by its REST interface.

https://docs.ray.io/en/latest/cluster/running-applications/job-submission/rest.html; read and run
with Ray 2.60. Ray itself is not imported: its client would bring 100 MB into the server, insist on
the cluster's own version of Ray and Python, and wait for ever where a network is cut.

Whoever reaches the port of a cluster without a token can run anything on it (CVE-2023-48022), so
such a cluster is refused. The token is no encryption: use it in a network of your own, or https.
"""

import os
import shlex
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from genimg.configuration import Configuration, setting
from genimg.jobs.devices import Device, worker_device
from genimg.jobs.engine import Handle
from genimg.jobs.engines.cluster import Given, Standing
from genimg.jobs.engines.starting import STOP_SECONDS, launcher_words, worker_environment
from genimg.wording import Wording

NAME = "ray"
_TIMEOUT_SECONDS = 10.0
_STANDINGS = {
    "PENDING": Standing.WAITING,
    "RUNNING": Standing.RUNNING,
    "STOPPED": Standing.ENDED,
    "SUCCEEDED": Standing.ENDED,
    "FAILED": Standing.ENDED,
}
_MAKE_A_TOKEN = (
    "make one with `ray get-auth-token --generate`, copy the file ~/.ray/auth_token to every"
    " machine, and start Ray anew with RAY_AUTH_MODE=token in the environment of every `ray start`"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class RaySettings(Configuration):
    """Where the cluster is, and what one run takes of it."""

    address: str = setting("http://127.0.0.1:8265", "Address of the head's dashboard.")
    cpus: int = setting(1, "CPUs that one run takes.", low=1, high=1024)
    python: str = setting("", "Python on the cluster that has genimg; '' is the path of this one.")


class RayCluster:
    """A Ray cluster; see `genimg.jobs.engines.cluster.SharingCluster`."""

    name, pace, patience = NAME, 1.0, 0.0

    def __init__(self, settings: RaySettings) -> None:
        self.settings = settings
        self._guarded = False  # whether it was seen to refuse strangers

    def devices(self) -> list[Device]:
        """Return the GPUs and the CPUs of all nodes that live, by places for one run."""
        answer = self._ask("GET", "/api/v0/nodes?detail=true")
        nodes = answer["data"]["result"]["result"]
        cpus = gpus = 0
        for node in nodes:
            if node.get("state") != "ALIVE":
                continue
            has = node.get("resources_total") or {}
            fits = int(has.get("CPU", 0)) // self.settings.cpus
            cpus += fits
            gpus += min(int(has.get("GPU", 0)), fits)
        where = f"of the Ray cluster {self.settings.address}"
        found = [Device(name=f"{NAME}/cuda", title=f"GPU {where}", places=gpus)] if gpus else []
        return [*found, Device(name=f"{NAME}/cpu", title=f"CPU {where}", places=cpus)]

    def submit(self, given: Given, handle: Handle, device: Device) -> None:
        """Start an attempt; a name that is known is known for the same attempt."""
        words = launcher_words(handle.run, handle.attempt, self.settings.python)
        self.start(given, words, handle.files.log.resolve(), device)

    def start(self, given: Given, words: Sequence[str], log: Path, device: Device) -> None:
        """Run a command, whose output goes to the end of `log` from its first byte."""
        # The shell gives way to the command, so that whom Ray ends is the launcher. Ray keeps a
        # PYTHONPATH to itself where it is given one, so the shell sets it.
        variables = [f"{name}={value}" for name, value in worker_environment().items()]
        command = shlex.join(["env", *variables, *words])
        entrypoint = f"exec {command} >>{shlex.quote(str(log))} 2>&1"
        request = {
            "entrypoint": entrypoint,
            "submission_id": given.name,
            "runtime_env": {"env_vars": {"RAY_JOB_STOP_WAIT_TIME_S": str(STOP_SECONDS)}},
            "entrypoint_num_cpus": self.settings.cpus,
            "entrypoint_num_gpus": int(worker_device(device.name) == "cuda"),
        }
        try:
            self._ask("POST", "/api/jobs/", request)
        except ValueError as error:
            # It answers 500 to a name that it knows; then the first answer was lost on its way.
            if given not in self.standings([given]):
                raise ValueError(f"Ray refused the run: {error}") from None

    def standings(self, asked: Collection[Given]) -> dict[Given, Standing]:
        """Return how those of `asked` stand that it knows; after a restart of its head, none."""
        jobs = self._ask("GET", "/api/jobs/")
        said = {job.get("submission_id"): job.get("status") for job in jobs}
        return {
            given: _STANDINGS.get(str(said[given.name]), Standing.RUNNING)
            for given in asked
            if given.name in said
        }

    def stop(self, given: Given) -> None:
        """Send SIGTERM to launcher and worker, and SIGKILL after `STOP_SECONDS`."""
        if given in self.standings([given]):
            self._ask("POST", f"/api/jobs/{quote(given.name)}/stop")

    def output(self, given: Given) -> str:
        """Return what Ray kept of it: what its shell said."""
        try:
            return str(self._ask("GET", f"/api/jobs/{quote(given.name)}/logs").get("logs", ""))
        except ValueError:  # the machine that had it is gone
            return ""

    def _ask(self, method: str, path: str, request: Any = None) -> Any:
        """Return what the cluster answers.

        Raises:
            OSError: it cannot be reached.
            ValueError: it refuses.
        """
        if not self._guarded:
            self._check_guard()
        answer = self._send(method, path, request, {"Authorization": f"Bearer {_token()}"})
        if answer.status_code in (401, 403):
            raise ValueError(
                f"the Ray cluster {self.settings.address} has another token than this machine;"
                " copy ~/.ray/auth_token from its head"
            )
        if answer.status_code >= 400:
            raise ValueError(" ".join(answer.text.split())[-500:])
        return answer.json()

    def _check_guard(self) -> None:
        """Raise ValueError if the cluster does what a stranger asks."""
        if self._send("GET", "/api/jobs/", None, {}).status_code < 400:
            raise ValueError(
                f"the Ray cluster {self.settings.address} has no token, so that whoever reaches it"
                f" can run anything there; {_MAKE_A_TOKEN}"
            )
        self._guarded = True

    def _send(
        self, method: str, path: str, request: Any, headers: dict[str, str]
    ) -> httpx.Response:
        try:
            # No proxy of the environment: a cluster is in a network of one's own.
            with httpx.Client(timeout=_TIMEOUT_SECONDS, trust_env=False) as client:
                address = self.settings.address.rstrip("/") + path
                return client.request(method, address, json=request, headers=headers)
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise ValueError(f"{self.settings.address!r} is no address: {error}") from None
        except httpx.HTTPError as error:
            reason = str(error) or type(error).__name__
            raise OSError(
                Wording(
                    "engine.ray_unreachable",
                    "the Ray cluster {address} cannot be reached ({reason})",
                    address=self.settings.address,
                    reason=reason,
                )
            ) from None


def _token() -> str:
    """Return the token of this user, from where Ray looks for it.

    Raises:
        ValueError: there is none.
    """
    if token := os.environ.get("RAY_AUTH_TOKEN", "").strip():
        return token
    path = Path(os.environ.get("RAY_AUTH_TOKEN_PATH") or "~/.ray/auth_token").expanduser()
    try:
        if token := path.read_text(encoding="utf-8").strip():
            return token
    except OSError:
        pass
    raise ValueError(f"there is no token of a Ray cluster in {path}; {_MAKE_A_TOKEN}")
