"""Hugging Face Jobs: machines by the minute, on an account that pays for them.

That is the account of this server, or, of a page whose visitors sign in, each visitor's own: then
the machine is started with the visitor's token in the visitor's namespace, and the files go to a
bucket of the visitor's. Tokens are `genimg.jobs.accounts`'s; none is written anywhere.

https://huggingface.co/docs/huggingface_hub/guides/jobs; written for huggingface_hub 2.4 and tested
against a stand-in that has its signatures. It was never run for real. The machine runs the image of
a Space that has genimg; the files travel by way of a bucket, which keeps the runs.
"""

import functools
import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genimg.configuration import Configuration, setting
from genimg.data import FOLDER_PREFIX, MEMORY_PREFIX
from genimg.jobs.accounts import FEWEST_MINUTES, Accounts, OwnerAway
from genimg.jobs.devices import Device
from genimg.jobs.engine import Handle
from genimg.jobs.engines.cluster import Given, Standing
from genimg.jobs.engines.travelling import (
    LARGEST_OF_STRANGERS,
    BucketStore,
    Refused,
    Travelling,
    asked_of_the_hub,
    without,
)
from genimg.storage import write_json
from genimg.training.attempts import SUBMISSION
from genimg.training.run_directory import RunDirectory

NAME = "hf"
VISITORS_BUCKET = "genimg-runs"
"""What the bucket in a visitor's account is called, if nothing else is said."""
_LABEL = "genimg"
_VISITOR = "VISITOR"  # where nobody has signed in yet
_UNAUTHORISED = 401
_PER_HOUR = {"second": 3600, "minute": 60, "hour": 1}
_STANDINGS = {"SCHEDULING": Standing.WAITING, "RUNNING": Standing.RUNNING}
_MOST_LINES = 200
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class HubSettings(Configuration):
    """What is rented, and where the runs are kept."""

    space: str = setting("", "Space, OWNER/NAME, that runs genimg: its image has what is needed.")
    bucket: str = setting(
        "",
        "Bucket, OWNER/NAME, of yours for the runs, or NAME of each visitor's; made if new.",
    )
    flavour: str = setting("cpu-basic", "Hardware, as `hf jobs hardware` lists it.")
    time_limit: int = setting(
        60,
        "Minutes after which a run saves and ends; resume it to go on.",
        low=FEWEST_MINUTES,
        high=10_000,
    )
    places: int = setting(1, "Runs at a time.", low=1, high=100)
    visitors: bool = setting(
        False, "Whether visitors of the page, on a Space, sign in and pay on their own accounts."
    )


class HubCluster:
    """Hugging Face Jobs; see `genimg.jobs.engines.cluster.Cluster`.

    Args:
        api: a `huggingface_hub.HfApi`; by default that of the account that is signed in here.
        accounts: of the visitors who are signed in.

    Raises:
        ValueError: huggingface_hub is not installed, or a setting is missing.
    """

    name, pace = NAME, 10.0
    # What is to be ended fetches that wish, saves, and sends a checkpoint: all that takes minutes.
    patience = 300.0

    def __init__(
        self, settings: HubSettings, api: Any = None, accounts: Accounts | None = None
    ) -> None:
        _check(settings)
        if api is None:
            try:
                from huggingface_hub import HfApi
            except ImportError:
                raise ValueError(
                    "Hugging Face Jobs needs a package; get it with: pip install 'genimg[hf]'"
                ) from None
            api = HfApi()
        self.settings, self._api = settings, api
        self.accounts = accounts or Accounts()
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
                on_accounts=self.settings.visitors,
            )
        ]

    def request(self, given: Given, run: str, attempt: int) -> dict[str, Any]:
        """Return what `run_job` is called with, but for the token.

        Args:
            run: name of the run's folder.
        """
        settings = self.settings
        module, minutes = "genimg.jobs.engines.guest", self._minutes(given.account)
        words = [self.bucket(given.account), f"{run}/{attempt}", str(attempt), str(minutes)]
        return {
            "image": f"hf.co/spaces/{settings.space}",
            "command": ["python", "-m", module, *words],
            "flavor": settings.flavour,
            "timeout": f"{minutes}m",  # by default it would end after half an hour
            "labels": {_LABEL: given.name},
            **_namespace(given.account),
        }

    def bucket(self, account: str) -> str:
        """Return the bucket of the runs that an account pays for; '' is that of this server."""
        if not account and not self.settings.visitors:
            return self.settings.bucket
        name = self.settings.bucket.rpartition("/")[2] or VISITORS_BUCKET
        return f"{account or _VISITOR}/{name}"

    def submit(self, given: Given, handle: Handle, device: Device) -> None:
        """Send the run's files and start its machine, unless that was done already."""
        account = given.account
        if self.settings.visitors and not account:
            raise ValueError("nobody has signed in for this run; resume it after signing in")
        if self._jobs(given):
            return
        request = self.request(given, handle.run.name, handle.attempt)
        beside, token = _needed(handle.run), self._token(account)
        bucket = self.bucket(account)
        self._ask(account, self._api.create_bucket, bucket, private=True, exist_ok=True)
        self._travelling(given).send_request(beside)
        # The machine has the token as a secret, which Hugging Face keeps and shows to nobody.
        secrets = {"HF_TOKEN": token}
        job = self._ask(account, self._api.run_job, **request, secrets=secrets)
        write_json(given.folder / SUBMISSION, {"engine": NAME, "id": job.id})

    def standings(self, asked: Collection[Given]) -> dict[Given, Standing]:
        """Send wishes and fetch what is new of each; return how those stand that are known."""
        found = {}
        for given in asked:
            try:
                if standing := self._standing(given):
                    found[given] = standing
            except OwnerAway:
                found[given] = Standing.HIDDEN
            except ValueError:
                if not given.account:
                    raise
                found[given] = Standing.HIDDEN  # a visitor's own trouble is nobody else's
        return found

    def _standing(self, given: Given) -> Standing | None:
        jobs = self._jobs(given)
        if not jobs:
            return None
        files = self._travelling(given)
        try:
            files.send_wish()
            files.fetch_results()
        except OwnerAway:
            raise
        except Exception:
            if not given.account:
                raise
            # Whatever lies in a visitor's bucket, the other runs still need somebody.
            _logger.warning("the files of %s could not be brought up to date", given.name)
        return _STANDINGS.get(str(jobs[0].status.stage), Standing.ENDED)

    def stop(self, given: Given) -> None:
        """End its machine, and nothing follows it."""
        try:
            for job in self._jobs(given):
                if job.status.stage in _STANDINGS:
                    where = _namespace(given.account)
                    self._ask(given.account, self._api.cancel_job, job_id=job.id, **where)
        except ValueError:
            if not given.account:
                raise  # what a visitor's account does not have any more is no trouble of others

    def output(self, given: Given) -> str:
        """Return the last lines that its machine printed."""
        try:
            jobs, where = self._jobs(given), _namespace(given.account)
            if not jobs:
                return ""
            ask = functools.partial(self._ask, given.account, self._api.fetch_job_logs)
            lines = ask(job_id=jobs[0].id, tail=_MOST_LINES, **where)
            # Everybody reads the log, and a machine may have printed all that it was given.
            text = "".join(f"{line.rstrip()}\n" for line in lines)
            return without(text, [self.accounts.token_of(given.account)] if given.account else [])
        except (OwnerAway, ValueError):
            if not given.account:
                raise
            return ""

    def _jobs(self, given: Given) -> list[Any]:
        where = _namespace(given.account)
        labels = {_LABEL: given.name}
        return list(self._ask(given.account, self._api.list_jobs, labels=labels, **where))

    def _ask(self, account: str, call: Callable[..., Any], *words: Any, **options: Any) -> Any:
        """Ask the Hub as this server, or as the visitor who has signed in to `account`.

        Raises:
            OwnerAway: the visitor has to sign in again.
            OSError, Refused: as for `asked_of_the_hub`.
        """
        if not account:
            return asked_of_the_hub(call, *words, **options)
        token = self.accounts.token_of(account)
        try:
            return asked_of_the_hub(call, *words, token=token, **options)
        except Refused as error:
            if error.status != _UNAUTHORISED:
                raise
            self.accounts.refuse(account, token)
            raise OwnerAway(account) from None

    def _minutes(self, account: str) -> int:
        """Return how long a machine is lent for: not beyond the token with which it sends files."""
        if not account:
            return self.settings.time_limit
        left = int(self.accounts.minutes_left(account))
        if left < FEWEST_MINUTES:
            raise OwnerAway(account)
        return min(self.settings.time_limit, left)

    def _travelling(self, given: Given) -> Travelling:
        if given.name not in self._files:
            account, run = given.account, given.folder.parents[1]
            number, ask = int(given.folder.name), functools.partial(self._ask, account)
            largest = LARGEST_OF_STRANGERS if account else float("inf")
            store = BucketStore(self._api, self.bucket(account), ask, largest)
            self._files[given.name] = Travelling(
                store, run, number, f"{run.name}/{number}", of_stranger=bool(account)
            )
        return self._files[given.name]

    def _token(self, account: str) -> str:
        if account:
            return self.accounts.token_of(account)
        from huggingface_hub import get_token

        if token := get_token():
            return token
        raise ValueError("nobody is signed in to Hugging Face here; sign in with: hf auth login")


def _check(settings: HubSettings) -> None:
    """Raise ValueError if a setting does not say what it must."""
    fields = ("space",) if settings.visitors else ("space", "bucket")
    for field in fields:
        owner, slash, name = getattr(settings, field).partition("/")
        if not (owner and slash and name) or "/" in name:
            raise ValueError(f"{field} must be OWNER/NAME, not {getattr(settings, field)!r}")
    if settings.visitors and "/" in settings.bucket:
        raise ValueError(
            f"bucket must be NAME where visitors sign in, not {settings.bucket!r}: it is in the"
            " account of each of them"
        )


def _namespace(account: str) -> dict[str, str]:
    """Return where something is to be, among the options of a call: by default with this server."""
    return {"namespace": account} if account else {}


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
