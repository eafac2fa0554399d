"""Hugging Face Jobs whose machines are processes of this one, and whose buckets are a folder.

The real `HubCluster` asks it, and the real guest trains in a folder of its own, to which and from
which the files travel. It outlives every server, because all that it knows is on disk.
"""

import contextlib
import json
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import psutil
from warm_python import become

from genimg.jobs import platforms
from genimg.jobs.engines import guest
from genimg.jobs.engines.hub import HubCluster, HubSettings
from genimg.jobs.engines.travelling import BucketStore
from genimg.storage import Lease, write_json

BUCKET = "ada/runs"


def connect(folder: Path) -> HubCluster:
    """Return the engine's cluster, whose jobs and buckets are in `folder`."""
    os.environ["HF_TOKEN"] = "hf_secret"
    guest._SEND_SECONDS = guest._LOOK_SECONDS = 0.05
    cluster = HubCluster(HubSettings(space="ada/genimg", bucket=BUCKET), Hub(folder))
    cluster.pace, cluster.patience = 0.05, 0.5
    return cluster


class Hub:
    """What is used of `huggingface_hub.HfApi`; tests/jobs/engines/test_hub.py has its signatures.

    Args:
        folder: below it are jobs/, a bucket/, and machines/ATTEMPT/RUN.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self._bucket = folder, folder / "bucket"
        self._bucket.mkdir(parents=True, exist_ok=True)
        (folder / "jobs").mkdir(exist_ok=True)

    def list_jobs_hardware(self):
        facts = {"accelerator": None, "unit_cost_usd": 0.0, "unit_label": "minute"}
        return [SimpleNamespace(name="cpu-basic", pretty_name="CPU Basic", **facts)]

    def create_bucket(self, bucket, *, private, exist_ok):
        assert private
        assert exist_ok

    def run_job(self, *, image, command, flavor, timeout, labels, secrets: dict):
        job = self.folder / "jobs" / f"{time.time_ns()}"
        job.mkdir()
        write_json(job / "labels.json", labels)
        *_, prefix, number, minutes = command

        def work() -> None:
            lease = Lease(job / "lease")
            assert lease.acquire()
            (job / "process").write_text(str(os.getpid()))
            store = BucketStore(self, BUCKET)
            there = self.folder / "machines" / number
            there.mkdir(parents=True, exist_ok=True)
            guest.train_as_guest(store, prefix, int(number), float(minutes), there)
            # The machine is gone with all that still ran on it.
            note = there / prefix.split("/")[0] / "attempts" / number / "launcher.json"
            if note.exists():
                platforms.end_group(json.loads(note.read_text())["group"], kill=True)

        if os.fork() == 0:
            become(work, output=None, environment={}, session=True)
        return SimpleNamespace(id=job.name)

    def list_jobs(self, *, labels):
        found = []
        for job in sorted((self.folder / "jobs").glob("*/labels.json"), reverse=True):
            if json.loads(job.read_text()) == labels:
                status = SimpleNamespace(stage=_stage(job.parent))
                found.append(SimpleNamespace(id=job.parent.name, status=status))
        return found

    def cancel_job(self, *, job_id):
        """Take the machine away, with all that runs on it."""
        process = self.folder / "jobs" / job_id / "process"
        with contextlib.suppress(FileNotFoundError, psutil.NoSuchProcess):
            leader = psutil.Process(int(process.read_text()))
            for each in [*leader.children(recursive=True), leader]:
                with contextlib.suppress(psutil.NoSuchProcess):
                    each.kill()

    def fetch_job_logs(self, *, job_id, tail):
        yield ""

    def list_bucket_tree(self, bucket, prefix, *, recursive) -> Iterator[SimpleNamespace]:
        # What is asked for is a folder, or one file.
        asked = self._bucket / prefix
        for path in [asked] if asked.is_file() else asked.rglob("*"):
            if path.is_file() and not path.name.startswith("."):
                facts = path.stat()
                mark, name = f"{facts.st_mtime_ns} {facts.st_size}", path.relative_to(self._bucket)
                size = facts.st_size
                yield SimpleNamespace(type="file", path=str(name), xet_hash=mark, size=size)

    def batch_bucket_files(self, bucket, *, add):
        for source, name in add:
            target = self._bucket / name
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary = target.with_name(f".{secrets.token_hex(4)}")
            shutil.copyfile(source, temporary)
            os.replace(temporary, target)

    def download_bucket_files(self, bucket, files, *, raise_on_missing_files):
        assert raise_on_missing_files
        for name, target in files:
            shutil.copyfile(self._bucket / name, target)


def _stage(job: Path) -> str:
    if not (job / "process").exists():
        return "SCHEDULING"
    return "RUNNING" if Lease(job / "lease").is_held() else "ERROR"
