"""Hugging Face Jobs, with a stand-in that has the signatures of the real client."""

import contextlib
import dataclasses
import functools
import inspect
import shutil
import time

import httpx
import pytest

from genimg.jobs.accounts import Accounts
from genimg.jobs.commands import Cancel, Pause, Resume
from genimg.jobs.engine import Handle
from genimg.jobs.engines import guest
from genimg.jobs.engines.cluster import Given, Standing
from genimg.jobs.engines.configured import Engines, write_settings
from genimg.jobs.engines.hub import HubCluster, HubSettings
from genimg.jobs.engines.remote import RemoteEngine
from genimg.jobs.engines.travelling import BucketStore, asked_of_the_hub
from genimg.jobs.limits import Visitor
from genimg.jobs.manager import JobManager
from genimg.jobs.states import State
from genimg.storage import read_json
from genimg.training import run_checkpoints
from genimg.training.presets import make_spec
from genimg.training.run_directory import RunDirectory
from tests.jobs.engines.pretended_hub import PretendedHub

TEACHER = Visitor("ada", is_teacher=True)
hub = pytest.importorskip("huggingface_hub", reason="pip install 'genimg[hf]'")

SETTINGS = HubSettings(space="ada/genimg", bucket="ada/runs", flavour="t4-small", time_limit=90)


CALLED = [name for name, value in vars(PretendedHub).items() if inspect.isfunction(value)]


@pytest.mark.parametrize("name", [name for name in CALLED if not name.startswith("_")])
def test_the_stand_in_is_called_as_the_real_client_is(name):
    def parameters(owner) -> list[tuple]:
        found = inspect.signature(getattr(owner, name)).parameters.values()
        return [(each.name, each.kind, each.default) for each in found]

    assert parameters(PretendedHub) == parameters(hub.HfApi)


@pytest.fixture
def api(monkeypatch) -> PretendedHub:
    monkeypatch.setattr(hub, "get_token", lambda: "hf_secret")
    return PretendedHub()


@pytest.fixture
def handle(root, small_models) -> Handle:
    spec = make_spec("fashion-mlp", **small_models["fashion-mlp"], images=80)
    RunDirectory.create(root / "a-1", spec).new_attempt(1)
    return Handle(root / "a-1", 1, "hf/cuda")


def test_what_it_costs_is_known_before_anything_is_started(api):
    [device] = HubCluster(SETTINGS, api).devices()
    assert (device.name, device.title) == ("hf/cuda", "Nvidia T4 of Hugging Face Jobs")
    assert device.dollars_an_hour == pytest.approx(0.40)
    wrong = HubSettings(space="a/b", bucket="a/c", flavour="t5")
    with pytest.raises(ValueError, match="no flavour 't5'; there are cpu-basic, t4-small"):
        HubCluster(wrong, api).devices()
    for settings in (HubSettings(bucket="a/b"), HubSettings(space="a/b", bucket="a/b/c")):
        with pytest.raises(ValueError, match="must be OWNER/NAME"):
            HubCluster(settings, api)


def test_what_is_asked_for_and_that_it_is_asked_for_once(api, handle):
    cluster, given = HubCluster(SETTINGS, api), Given.of(handle)
    [device] = cluster.devices()
    cluster.submit(given, handle, device)
    HubCluster(SETTINGS, api).submit(given, handle, device)
    [request] = api.requests
    assert request == cluster.request(given, "a-1", 1) | {"secrets": {"HF_TOKEN": "hf_secret"}}
    assert request["image"] == "hf.co/spaces/ada/genimg"
    assert request["timeout"] == "90m"
    assert request["command"][-4:] == ["ada/runs", "a-1/1", "1", "90"]
    assert "hf_secret" not in str(request | {"secrets": None})
    assert set(api.files) == {"a-1/1/spec.json"}
    assert read_json(handle.files.path / "submission.json") == {"engine": "hf", "id": "job-0"}


def test_how_things_stand_and_what_was_printed(api, handle):
    cluster, given = HubCluster(SETTINGS, api), Given.of(handle)
    assert cluster.standings([given]) == {}
    assert cluster.output(given) == ""
    cluster.submit(given, handle, cluster.devices()[0])
    for stage, standing in (
        ("SCHEDULING", Standing.WAITING),
        ("RUNNING", Standing.RUNNING),
        ("ERROR", Standing.ENDED),
    ):
        api.jobs[0].status.stage = stage
        assert cluster.standings([given]) == {given: standing}
    assert cluster.output(given) == "Traceback\nModuleNotFoundError: genimg\n"
    api.jobs[0].status.stage = "RUNNING"
    cluster.stop(given)
    cluster.stop(given)
    assert cluster.standings([given]) == {given: Standing.ENDED}
    api.down = True
    with pytest.raises(OSError, match=r"cannot be reached \(no route to host\)"):
        cluster.standings([given])


def test_refusals_are_not_asked_again(api, handle, monkeypatch):
    cluster, given = HubCluster(SETTINGS, api), Given.of(handle)

    def refuse(*arguments, **options):
        response = httpx.Response(402, request=httpx.Request("POST", "https://huggingface.co"))
        raise hub.errors.HfHubHTTPError("pre-paid credits are missing", response=response)

    monkeypatch.setattr(api, "run_job", refuse)
    with pytest.raises(ValueError, match="Hugging Face refuses: pre-paid credits"):
        cluster.submit(given, handle, cluster.devices()[0])
    monkeypatch.setattr(hub, "get_token", lambda: None)
    with pytest.raises(ValueError, match="sign in with: hf auth login"):
        cluster.submit(given, handle, cluster.devices()[0])


def test_what_cannot_travel_is_refused(api, root, pictures, small_models):
    spec = make_spec("fashion-mlp", **small_models["fashion-mlp"], dataset=f"folder:{pictures}")
    RunDirectory.create(root / "own", spec).new_attempt(1)
    cluster, handle = HubCluster(SETTINGS, api), Handle(root / "own", 1, "hf/cpu")
    with pytest.raises(ValueError, match=r"only what lies in .*root travels"):
        cluster.submit(Given.of(handle), handle, cluster.devices()[0])
    assert api.requests == []


def test_pictures_that_lie_among_the_runs_travel_along(api, root, pictures, small_models):
    shutil.copytree(pictures, root / "sent" / "mine")
    spec = make_spec(
        "fashion-mlp", **small_models["fashion-mlp"], dataset=f"folder:{root / 'sent' / 'mine'}"
    )
    RunDirectory.create(root / "own", spec).new_attempt(1)
    cluster, handle = HubCluster(SETTINGS, api), Handle(root / "own", 1, "hf/cpu")
    cluster.submit(Given.of(handle), handle, cluster.devices()[0])
    assert len([path for path in api.files if "/beside/sent/mine/" in path]) == 40


@pytest.mark.slow
@pytest.mark.parametrize("account", ["", "ada-hf"])
def test_a_run_travels_there_and_back(
    api, root, tiny_run, pictures, wait_for, monkeypatch, tmp_path, account
):
    """It is paused by a wish, goes on in another attempt and is cancelled; all whole or absent."""
    monkeypatch.setattr(guest, "_SEND_SECONDS", 0.5)
    places = iter(range(9))

    def train(job, command) -> None:
        bucket, prefix, number, minutes = command[-4:]
        token = "hf_of_ada" if account else None
        store = BucketStore(api, bucket, functools.partial(asked_of_the_hub, token=token))
        folder = tmp_path / f"machine-{next(places)}"
        code = guest.train_as_guest(store, prefix, int(number), float(minutes), folder)
        shutil.rmtree(folder)  # nothing there stays
        job.status.stage = "COMPLETED" if code == 0 else "ERROR"

    def connect(name, settings) -> RemoteEngine:
        cluster = HubCluster(settings, api, accounts)
        cluster.pace = 0.2
        return RemoteEngine(cluster)

    api.train, api.tokens = train, {"hf_of_ada": "ada-hf"}
    accounts = Accounts()
    accounts.sign_in("ada-hf", "hf_of_ada", time.time() + 3600)
    asker = dataclasses.replace(TEACHER, account=account)
    settings = HubSettings(space="ada/genimg", bucket="" if account else "ada/runs")
    settings = dataclasses.replace(settings, visitors=bool(account))
    write_settings(root, "hf", settings)
    shutil.copytree(pictures, root / "sent" / "mine")
    run = tiny_run | {"device": "hf", "dataset": f"folder:{root / 'sent' / 'mine'}"}
    engines = Engines(root, connect=connect, accounts=accounts)
    with contextlib.closing(JobManager(root, engine=engines)) as manager:
        job = manager.start(visitor=asker, **run)
        directory = manager.directory(job.id)

        def saved() -> int:
            newest = run_checkpoints.latest(directory.checkpoints)
            return int(newest.name.removeprefix("step-")) if newest else 0

        def state() -> State:
            return manager.job(job.id).state

        wait_for(manager, lambda: saved() > 1, 200)
        wait_for(manager, lambda: state() is State.RUNNING)
        assert directory.read_metrics()
        manager.do(Pause(job.id), asker)
        wait_for(manager, lambda: state() is State.PAUSED)
        assert manager.job(job.id).message == ""
        reached = saved()
        assert directory.read_spec().resolved["dataset_images"] > 0  # as it was decided there
        assert directory.newest_status()["images_seen"] == 8 * reached
        manager.do(Resume(job.id), asker)
        wait_for(manager, lambda: saved() > reached)
        api.down = True  # the network is cut: nothing is done, and nothing is lost
        wait_for(manager, lambda: "cannot be reached" in manager.notice)
        api.down = False
        wait_for(manager, lambda: not manager.notice)
        manager.do(Cancel(job.id), asker)
        wait_for(manager, lambda: state() is State.CANCELLED)
        assert directory.attempt_numbers() == [1, 2]
        for folder in directory.checkpoints.glob("step-*"):
            assert run_checkpoints.is_valid(folder, thorough=True)
        assert not list(directory.checkpoints.glob(".*"))
    for thread in api.threads:
        thread.join(60)
