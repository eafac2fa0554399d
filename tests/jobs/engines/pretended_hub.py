"""A stand-in for the client of Hugging Face, with the signatures of the real one."""

import hashlib
import threading
from pathlib import Path
from types import SimpleNamespace

import httpx


def refusal(status: int, said: str) -> Exception:
    """Return what the real client raises where the Hub says no."""
    from huggingface_hub.errors import HfHubHTTPError

    request = httpx.Request("POST", "https://huggingface.co")
    return HfHubHTTPError(said, response=httpx.Response(status, request=request))


class PretendedHub:
    """Buckets in memory and jobs in threads, called as `huggingface_hub.HfApi` is.

    Attributes:
        server: the account that is signed in where no token is given.
        tokens: of accounts; each may do everything in its own namespace, and nothing elsewhere.
        used: each token that was given, None among them.
        buckets: of each the files, by their paths.
        printed: by every machine.
    """

    def __init__(self) -> None:
        self.server = "ada"
        self.tokens: dict[str, str] = {}
        self.used: list[str | None] = []
        self.buckets: dict[str, dict[str, bytes]] = {}
        self.sizes: dict[str, int] = {}
        self.printed = ["Traceback", "ModuleNotFoundError: genimg"]
        self.jobs: list[SimpleNamespace] = []
        self.requests: list[dict] = []
        self.threads: list[threading.Thread] = []
        self.train = lambda job, command: None
        self.down = False

    @property
    def files(self) -> dict[str, bytes]:
        """Those of the server's own bucket."""
        return self.buckets.setdefault("ada/runs", {})

    def _answer(self, token=None, namespace=None) -> str:
        """Return in whose namespace something is asked."""
        if self.down:
            raise httpx.ConnectError("no route to host")
        self.used.append(token)
        account = self.server if token is None else self.tokens.get(token, "")
        if not account:
            raise refusal(401, f"Invalid token {token}")  # whatever it may say
        if account != (namespace or account):
            raise refusal(403, f"{account} has no access to {namespace}")
        return account

    def _bucket(self, bucket_id, token) -> dict[str, bytes]:
        self._answer(token, bucket_id.partition("/")[0])
        return self.buckets.setdefault(bucket_id, {})

    def list_jobs_hardware(self, token=None):
        self._answer(token)
        facts = {"unit_cost_usd": 0.40 / 60, "unit_label": "minute"}
        return [
            SimpleNamespace(name="cpu-basic", pretty_name="CPU Basic", accelerator=None, **facts),
            SimpleNamespace(name="t4-small", pretty_name="Nvidia T4", accelerator="T4", **facts),
        ]

    def create_bucket(
        self,
        bucket_id,
        *,
        private=None,
        visibility=None,
        resource_group_id=None,
        region=None,
        exist_ok=False,
        token=None,
    ):
        assert private
        assert exist_ok
        self._bucket(bucket_id, token)

    def run_job(
        self,
        *,
        image,
        command,
        env=None,
        secrets=None,
        flavor=None,
        timeout=None,
        attempts=None,
        name=None,
        labels=None,
        volumes=None,
        expose=None,
        expose_public=None,
        ssh=False,
        network_group=None,
        network_aliases=None,
        resource_group_id=None,
        namespace=None,
        token=None,
    ):
        account = self._answer(token, namespace)
        self.requests.append(
            {"image": image, "command": command, "flavor": flavor, "timeout": timeout}
            | {"secrets": secrets, "labels": labels}
            | ({"namespace": namespace} if namespace else {})
        )
        assert env is None, "everybody who sees a job sees its environment"
        status = SimpleNamespace(stage="RUNNING", message=None)
        job = SimpleNamespace(
            id=f"job-{len(self.jobs)}", labels=labels, status=status, namespace=account
        )
        self.jobs.insert(0, job)
        thread = threading.Thread(target=self.train, args=(job, command), daemon=True)
        self.threads.append(thread)
        thread.start()
        return job

    def list_jobs(self, *, status=None, labels=None, timeout=None, namespace=None, token=None):
        account = self._answer(token, namespace)
        jobs = [job for job in self.jobs if job.namespace == account]
        return [job for job in jobs if labels.items() <= job.labels.items()]

    def cancel_job(self, *, job_id, namespace=None, token=None):
        account = self._answer(token, namespace)
        [job] = [job for job in self.jobs if (job.id, job.namespace) == (job_id, account)]
        job.status.stage = "CANCELED"

    def fetch_job_logs(self, *, job_id, namespace=None, follow=False, tail=None, token=None):
        self._answer(token, namespace)
        yield from self.printed

    def list_bucket_tree(self, bucket_id, prefix=None, *, recursive=None, token=None):
        for path, content in list(self._bucket(bucket_id, token).items()):
            if path.startswith(prefix):
                mark = hashlib.sha256(content).hexdigest()
                size = self.sizes.get(path, len(content))
                yield SimpleNamespace(type="file", path=path, xet_hash=mark, size=size)

    def batch_bucket_files(self, bucket_id, *, add=None, copy=None, delete=None, token=None):
        files = self._bucket(bucket_id, token)
        for source, path in add:
            files[path] = Path(source).read_bytes()

    def download_bucket_files(self, bucket_id, files, *, raise_on_missing_files=False, token=None):
        known = self._bucket(bucket_id, token)
        for path, target in files:
            Path(target).write_bytes(known[path])
