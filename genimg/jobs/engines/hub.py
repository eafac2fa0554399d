"""Hugging Face Jobs: machines by the minute, on the user's own account.

https://huggingface.co/docs/huggingface_hub/guides/jobs; written for huggingface_hub 2.4 and tested
against a stand-in that has its signatures. It was never run for real. The machine runs the image of
a Space that has genimg; the files travel by way of a bucket, which keeps the runs.
"""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genimg.configuration import Configuration, setting
from genimg.data import FOLDER_PREFIX, MEMORY_PREFIX
from genimg.jobs.devices import Device
from genimg.jobs.engine import Handle
from genimg.jobs.engines.cluster import Given, Standing
from genimg.jobs.engines.travelling import BucketStore, Travelling, asked_of_the_hub
from genimg.storage import write_json
from genimg.training.attempts import SUBMISSION
from genimg.training.run_directory import RunDirectory

NAME = "hf"
_LABEL = "genimg"
_PER_HOUR = {"second": 3600, "minute": 60, "hour": 1}
_STANDINGS = {"SCHEDULING": Standing.WAITING, "RUNNING": Standing.RUNNING}
_MOST_LINES = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class HubSettings(Configuration):
    """What is rented, and where the runs are kept."""

    space: str = setting("", "Space, OWNER/NAME, that runs genimg: its image has what is needed.")
    bucket: str = setting("", "Bucket, OWNER/NAME, of yours that keeps the runs; made if new.")
    flavour: str = setting("cpu-basic", "Hardware, as `hf jobs hardware` lists it.")
    time_limit: int = setting(
        60, "Minutes after which a run saves and ends; resume it to go on.", low=15, high=10_000
    )
    places: int = setting(1, "Runs at a time.", low=1, high=100)


class HubCluster:
    """Hugging Face Jobs; see `genimg.jobs.engines.cluster.Cluster`.

    Args:
        api: a `huggingface_hub.HfApi`; by default that of the account that is signed in here.

    Raises:
        ValueError: huggingface_hub is not installed, or a setting is missing.
    """

    name, pace = NAME, 10.0
    # What is to be ended fetches that wish, saves, and sends a checkpoint: all that takes minutes.
    patience = 300.0

    def __init__(self, settings: HubSettings, api: Any = None) -> None:
        for field in ("space", "bucket"):
            owner, slash, name = getattr(settings, field).partition("/")
            if not (owner and slash and name) or "/" in name:
                raise ValueError(f"{field} must be OWNER/NAME, not {getattr(settings, field)!r}")
        if api is None:
            try:
                from huggingface_hub import HfApi
            except ImportError:
                raise ValueError(
                    "Hugging Face Jobs needs a package; get it with: pip install 'genimg[hf]'"
                ) from None
            api = HfApi()
        self.settings, self._api = settings, api
        self._store = BucketStore(api, settings.bucket)
        self._files: dict[str, Travelling] = {}

    def devices(self) -> list[Device]:
        """Return the one kind of machine that the settings ask for, with what it costs."""
        hardware = {each.name: each for each in asked_of_the_hub(self._api.list_jobs_hardware)}
        flavour = self.settings.flavour
        if flavour not in hardware:
            raise ValueError(f"there is no flavour {flavour!r}; there are {', '.join(hardware)}")
        facts = hardware[flavour]
        kind = "cuda" if facts.accelerator else "cpu"
        dollars = facts.unit_cost_usd * _PER_HOUR.get(facts.unit_label, 60)
        return [
            Device(
                name=f"{NAME}/{kind}",
                title=f"{facts.pretty_name} of Hugging Face Jobs",
                places=self.settings.places,
                dollars_an_hour=dollars,
            )
        ]

    def request(self, given: Given, run: str, attempt: int) -> dict[str, Any]:
        """Return what `run_job` is called with, but for the token.

        Args:
            run: name of the run's folder.
        """
        settings = self.settings
        module = "genimg.jobs.engines.guest"
        words = [settings.bucket, f"{run}/{attempt}", str(attempt), str(settings.time_limit)]
        return {
            "image": f"hf.co/spaces/{settings.space}",
            "command": ["python", "-m", module, *words],
            "flavor": settings.flavour,
            "timeout": f"{settings.time_limit}m",  # by default it would end after half an hour
            "labels": {_LABEL: given.name},
        }

    def submit(self, given: Given, handle: Handle, device: Device) -> None:
        """Send the run's files and start its machine, unless that was done already."""
        if self._jobs(given):
            return
        beside = _needed(handle.run)
        asked_of_the_hub(self._api.create_bucket, self.settings.bucket, private=True, exist_ok=True)
        self._travelling(given).send_request(beside)
        job = asked_of_the_hub(
            self._api.run_job,
            **self.request(given, handle.run.name, handle.attempt),
            secrets={"HF_TOKEN": self._token()},
        )
        write_json(given.folder / SUBMISSION, {"engine": NAME, "id": job.id})

    def standings(self, asked: Collection[Given]) -> dict[Given, Standing]:
        """Send wishes and fetch what is new of each; return how those stand that are known."""
        found = {}
        for given in asked:
            if jobs := self._jobs(given):
                files = self._travelling(given)
                files.send_wish()
                files.fetch_results()
                found[given] = _STANDINGS.get(str(jobs[0].status.stage), Standing.ENDED)
        return found

    def stop(self, given: Given) -> None:
        """End its machine, and nothing follows it."""
        for job in self._jobs(given):
            if job.status.stage in _STANDINGS:
                asked_of_the_hub(self._api.cancel_job, job_id=job.id)

    def output(self, given: Given) -> str:
        """Return the last lines that its machine printed."""
        jobs = self._jobs(given)
        if not jobs:
            return ""
        lines = asked_of_the_hub(self._api.fetch_job_logs, job_id=jobs[0].id, tail=_MOST_LINES)
        return "".join(f"{line.rstrip()}\n" for line in lines)

    def _jobs(self, given: Given) -> list[Any]:
        return list(asked_of_the_hub(self._api.list_jobs, labels={_LABEL: given.name}))

    def _travelling(self, given: Given) -> Travelling:
        if given.name not in self._files:
            number, run = int(given.folder.name), given.folder.parents[1]
            prefix = f"{run.name}/{number}"
            self._files[given.name] = Travelling(self._store, run, number, prefix)
        return self._files[given.name]

    def _token(self) -> str:
        from huggingface_hub import get_token

        if token := get_token():
            return token
        raise ValueError("nobody is signed in to Hugging Face here; sign in with: hf auth login")


def _needed(run: Path) -> list[Path]:
    """Return the folders of pictures and models, beside the run's, that it needs.

    Raises:
        ValueError: one of them is somewhere else, so that it cannot travel.
    """
    spec, runs = RunDirectory(run).read_spec(), run.resolve().parent
    names = [spec.run.init, spec.run.extend, str(spec.task.to_dict().get("tokenizer") or "")]
    if spec.run.dataset.startswith(FOLDER_PREFIX):
        names.append(spec.run.dataset.removeprefix(FOLDER_PREFIX))
    folders = [Path(name).resolve() for name in names if name and Path(name).exists()]
    away = [folder for folder in folders if runs not in folder.parents]
    if away or spec.run.dataset.startswith(MEMORY_PREFIX):
        what = away[0] if away else "the pictures that Python gave"
        raise ValueError(
            f"only what lies in {runs} travels to Hugging Face, and this run needs {what}; copy it"
            " there, or send pictures in the Training tab"
        )
    return folders
