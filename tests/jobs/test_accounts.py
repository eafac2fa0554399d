"""Tokens of visitors who sign in, and runs on their accounts with the stand-in of the Hub."""

import contextlib
import dataclasses
import json
import logging
import time

import pytest

from genimg.jobs import accounts as module
from genimg.jobs.accounts import Accounts, OwnerAway
from genimg.jobs.commands import Cancel, Pause, Resume
from genimg.jobs.engines.configured import Engines, write_settings
from genimg.jobs.engines.hub import HubCluster, HubSettings
from genimg.jobs.engines.remote import RemoteEngine
from genimg.jobs.limits import UsageLimits, Visitor
from genimg.jobs.manager import JobManager
from genimg.jobs.states import State
from genimg.training.run_directory import RunDirectory
from tests.jobs.engines.pretended_hub import PretendedHub

pytest.importorskip("huggingface_hub", reason="pip install 'genimg[hf]'")

SETTINGS = HubSettings(space="eve/genimg", flavour="t4-small", places=9, visitors=True)
ADA, BOB = Visitor("ada", account="ada-hf"), Visitor("bob", account="bob-hf")
TEACHER = Visitor("eve", is_teacher=True)
TOKENS = {"hf_of_ada": "ada-hf", "hf_of_bob": "bob-hf"}
HOURS = 3600.0


class House:
    """A server that is started and killed; its engine talks when a test says so."""

    def __init__(self, root, api, engine) -> None:
        self.root, self.api, self.local = root, api, engine
        self.start()

    def start(self) -> None:
        self.accounts = Accounts()

        def connect(name, settings) -> RemoteEngine:
            cluster = HubCluster(settings, self.api, self.accounts)
            self.engine = RemoteEngine(cluster, threaded=False)
            self.engine.talk()
            return self.engine

        engines = Engines(self.root, self.local, connect, accounts=self.accounts)
        limits = UsageLimits(minutes_per_run=10, by_minutes_only=True)
        self.manager = JobManager(self.root, engine=engines, limits=limits)

    def restart(self) -> None:
        self.manager.close()
        self.start()

    def sign_in(self, *tokens: str, seconds: float = 8 * HOURS) -> None:
        for token in tokens:
            self.accounts.sign_in(TOKENS[token.removesuffix("_anew")], token, time.time() + seconds)

    def goes_on(self) -> None:
        for _ in range(3):
            self.manager.step()
            self.engine.talk()
        self.manager.step()

    def queue(self, visitor: Visitor, models) -> str:
        asked = {"images": 80, "device": "hf", **models["fashion-mlp"]}
        return self.manager.start("fashion-mlp", visitor=visitor, **asked).id

    def state(self, job: str) -> State:
        return self.manager.job(job).state

    def report(self, account: str, job: str, name: str, **values) -> None:
        """Let the machine of a run write a small file."""
        files = self.api.buckets[f"{account}/genimg-runs"]
        files[f"{job}/1/attempts/1/{name}.json"] = json.dumps(values).encode()

    def on_disk(self) -> bytes:
        return b"".join(p.read_bytes() for p in self.root.rglob("*") if p.is_file())


@pytest.fixture
def api() -> PretendedHub:
    made = PretendedHub()
    made.server = ""  # whatever is asked without a visitor's token is refused
    made.tokens = dict(TOKENS)
    return made


@pytest.fixture
def house(root, api, engine):
    api.list_jobs_hardware = lambda token=None: PretendedHub().list_jobs_hardware()
    write_settings(root, "hf", SETTINGS)
    made = House(root, api, engine)
    with contextlib.closing(made.manager):
        yield made
    made.manager.close()


def test_two_visitors_train_in_two_namespaces(house, api, small_models):
    house.sign_in("hf_of_ada", "hf_of_bob")
    jobs = [house.queue(visitor, small_models) for visitor in (ADA, BOB)]
    house.goes_on()
    assert [each["namespace"] for each in api.requests] == ["ada-hf", "bob-hf"]
    assert [each["secrets"]["HF_TOKEN"] for each in api.requests] == ["hf_of_ada", "hf_of_bob"]
    assert [each["command"][-4] for each in api.requests] == [
        "ada-hf/genimg-runs",
        "bob-hf/genimg-runs",
    ]
    for account, mine, other in (("ada-hf", *jobs), ("bob-hf", *jobs[::-1])):
        files = api.buckets[f"{account}/genimg-runs"]
        assert f"{mine}/1/spec.json" in files
        assert not any(other in path for path in files)
    assert set(api.used) == {"hf_of_ada", "hf_of_bob"}  # never the server's own
    for account, job in zip(("ada-hf", "bob-hf"), jobs, strict=True):
        house.report(account, job, "status", state="running", images_seen=8, total=80)
    house.goes_on()
    assert [house.state(job) for job in jobs] == [State.RUNNING] * 2
    assert house.manager.notice == ""


@pytest.mark.parametrize("visitor", [Visitor("ada"), TEACHER])
def test_without_signing_in_nothing_starts(house, api, small_models, visitor):
    with pytest.raises(PermissionError, match="owner has to sign in first"):
        house.queue(visitor, small_models)
    with pytest.raises(PermissionError, match="owner has to sign in first"):
        house.manager.race(
            "fashion-mlp", "objective", visitor=visitor, images=80, device="hf",
            generator_widths=(16,), discriminator_widths=(16,),
        )  # fmt: skip
    assert house.manager.jobs() == []
    assert api.requests == []


def test_whoever_pays_decides_for_how_long_but_only_there(house, small_models):
    house.sign_in("hf_of_ada")
    house.queue(ADA, small_models)  # in pictures, where the server's own machine asks for minutes
    with pytest.raises(PermissionError, match="given in minutes"):
        house.manager.start(
            "fashion-mlp", visitor=ADA, images=80, device="cpu", **small_models["fashion-mlp"]
        )


def test_a_token_is_nowhere_on_the_disk_nor_in_what_is_told(house, api, small_models, caplog):
    caplog.set_level(logging.DEBUG)
    api.printed = ["HF_TOKEN=hf_of_ada", "no such module"]
    house.sign_in("hf_of_ada")
    job = house.queue(ADA, small_models)
    house.goes_on()
    api.jobs[0].status.stage = "ERROR"  # so that what it printed is kept
    house.goes_on()
    assert "HF_TOKEN=[token]\nno such module\n" in house.manager.log(job)
    api.tokens = {}  # the Hub refuses it, and repeats it
    house.goes_on()
    told = str([view.to_dict() for view in house.manager.snapshot()]) + house.manager.notice
    assert "ada-hf" in told
    for text in (told, caplog.text, house.on_disk().decode(errors="replace")):
        assert "hf_of_ada" not in text


def test_a_refusal_that_repeats_the_token_is_told_without_it(house, api, small_models):
    from tests.jobs.engines.pretended_hub import refusal

    def refuse(**asked) -> None:
        raise refusal(402, f"no credit for {asked['token']}")

    api.run_job = refuse
    house.sign_in("hf_of_ada")
    job = house.queue(ADA, small_models)
    house.goes_on()
    assert house.state(job) is State.FAILED
    assert house.manager.job(job).message == "Hugging Face refuses: no credit for [token]"
    assert b"hf_of_ada" not in house.on_disk()


def test_after_a_restart_its_owner_signs_in_again_and_it_goes_on(house, api, small_models):
    house.sign_in("hf_of_ada", "hf_of_bob")
    mine, others = (house.queue(visitor, small_models) for visitor in (ADA, BOB))
    house.goes_on()
    for account, job in (("ada-hf", mine), ("bob-hf", others)):
        house.report(account, job, "status", state="running", images_seen=8, total=80)
    house.goes_on()
    house.restart()
    api.used.clear()
    house.sign_in("hf_of_bob")
    house.report("ada-hf", mine, "exit", code=0, signal=None)
    house.report("bob-hf", others, "exit", code=0, signal=None)
    house.goes_on()
    assert house.state(others) is State.SUCCEEDED
    assert house.state(mine) is State.RUNNING  # nobody can know, and nothing is lost
    assert house.manager.awaits_owner(house.manager.job(mine))
    assert set(api.used) == {"hf_of_bob"}
    house.sign_in("hf_of_ada")
    assert not house.manager.awaits_owner(house.manager.job(mine))
    house.goes_on()
    assert house.state(mine) is State.SUCCEEDED
    assert len(api.requests) == 2


def test_what_was_not_begun_before_a_restart_begins_when_its_owner_is_back(
    house, api, small_models
):
    house.sign_in("hf_of_ada")
    job = house.queue(ADA, small_models)
    house.restart()
    house.goes_on()
    assert house.manager.awaits_owner(house.manager.job(job))
    began = time.monotonic()
    house.restart()  # whoever is away does not hold up the end of the server either
    assert time.monotonic() - began < 10
    house.goes_on()
    assert api.requests == []
    house.sign_in("hf_of_ada")
    house.goes_on()
    assert [each["namespace"] for each in api.requests] == ["ada-hf"]


def test_a_token_that_has_expired_is_said_and_a_new_one_is_taken(house, api, small_models):
    house.sign_in("hf_of_ada", "hf_of_bob")
    mine, others = (house.queue(visitor, small_models) for visitor in (ADA, BOB))
    house.goes_on()
    api.tokens = {"hf_of_bob": "bob-hf", "hf_of_ada_anew": "ada-hf"}
    house.report("ada-hf", mine, "status", state="running", images_seen=8, total=80)
    house.report("bob-hf", others, "status", state="running", images_seen=8, total=80)
    house.goes_on()
    assert house.manager.awaits_owner(house.manager.job(mine))
    assert house.state(mine) is State.STARTING
    assert house.state(others) is State.RUNNING
    assert house.manager.notice == ""  # one visitor's trouble is nobody else's
    house.sign_in("hf_of_ada")  # the browser brings it again
    assert house.manager.awaits_owner(house.manager.job(mine))
    house.sign_in("hf_of_ada_anew")
    house.goes_on()
    assert not house.manager.awaits_owner(house.manager.job(mine))
    assert house.state(mine) is State.RUNNING


def test_a_machine_is_lent_no_longer_than_its_token_is_good(house, api, small_models):
    house.sign_in("hf_of_ada", seconds=10 * 60)
    job = house.queue(ADA, small_models)
    house.goes_on()
    assert api.requests == []
    assert house.manager.awaits_owner(house.manager.job(job))
    house.sign_in("hf_of_ada_anew", seconds=30 * 60 + 5)
    api.tokens["hf_of_ada_anew"] = "ada-hf"
    house.goes_on()
    [request] = api.requests
    assert request["timeout"] == "30m"
    assert request["command"][-1] == "30"


def test_what_an_account_pays_for_obeys_it_and_no_nickname(house, api, small_models):
    house.sign_in("hf_of_ada", "hf_of_bob")
    job = house.queue(ADA, small_models)
    house.goes_on()
    for stranger in (Visitor("ada"), Visitor("ada", account="bob-hf"), BOB):
        for command in (Pause(job), Cancel(job)):
            with pytest.raises(PermissionError, match="belongs to ada"):
                house.manager.do(command, stranger)
    house.manager.do(Pause(job), TEACHER)
    house.report("ada-hf", job, "exit", code=75, signal=None)
    house.goes_on()
    assert house.state(job) is State.PAUSED
    for payer in (TEACHER, Visitor("eve", is_teacher=True, account="bob-hf")):
        with pytest.raises(PermissionError, match="owner has to sign in first"):
            house.manager.do(Resume(job), payer)  # it is not the teacher's money
    assert house.manager.do(Resume(job), ADA).account == "ada-hf"


def test_a_run_of_this_machine_that_goes_on_there_is_paid_by_who_resumes_it(
    house, api, small_models
):
    write_settings(house.root, "hf", dataclasses.replace(SETTINGS, flavour="cpu-basic"))
    start = {"minutes": 5, "device": "cpu", **small_models["fashion-mlp"]}
    job = house.manager.start("fashion-mlp", visitor=ADA, **start)
    assert job.account == ""
    house.manager.do(Pause(job.id), ADA)
    with pytest.raises(PermissionError, match="owner has to sign in first"):
        house.manager.do(Resume(job.id, "hf"), Visitor("ada"))
    house.sign_in("hf_of_ada")
    assert house.manager.do(Resume(job.id, "hf"), ADA).account == "ada-hf"
    house.goes_on()
    assert [each["namespace"] for each in api.requests] == ["ada-hf"]


def test_a_visitors_bucket_is_not_believed(house, api, small_models):
    house.sign_in("hf_of_ada")
    job = house.queue(ADA, small_models)
    house.goes_on()
    files, folder = api.buckets["ada-hf/genimg-runs"], house.root / job
    before = RunDirectory(folder).read_spec()
    wish = json.loads(files[f"{job}/1/spec.json"])
    wish["run"]["dataset"] = "folder:/etc"
    foreign = {
        "spec.json": json.dumps(wish).encode(),
        "job.json": b'{"account": "bob-hf"}',
        "attempts/2/exit.json": b"{}",
        "attempts/1/submission.json": b"{}",
        "attempts/1/lease": b"x",
        "samples/000000008.png": b"large",
        "samples/../../x.json": b"x",
        "beside/other/job.json": b"x",
        "ckpt/step-00000001/model.bin": b"x",
        "anything": b"x",
    }
    files |= {f"{job}/1/{name}": content for name, content in foreign.items()}
    api.sizes[f"{job}/1/samples/000000008.png"] = 3 * 10**9
    house.report("ada-hf", job, "status", state="running", images_seen=8, total=80)
    house.goes_on()
    assert house.state(job) is State.RUNNING
    assert RunDirectory(folder).read_spec() == before
    assert json.loads((folder / "job.json").read_text())["account"] == "ada-hf"
    for name in ("attempts/2", "attempts/1/lease", "samples/000000008.png", "anything"):
        assert not (folder / name).exists()
    assert not (house.root / "other").exists()
    assert json.loads((folder / "attempts/1/submission.json").read_text())["engine"] == "hf"
    assert not list(house.root.rglob(".travelling-*"))


def test_what_a_worker_resolved_comes_back(house, api, small_models):
    house.sign_in("hf_of_ada")
    job = house.queue(ADA, small_models)
    house.goes_on()
    files = api.buckets["ada-hf/genimg-runs"]
    values = json.loads(files[f"{job}/1/spec.json"])
    resolved = {"images": 80, "precision": "fp32", "threads": 1, "device": "cuda"}
    values["resolved"] = resolved | {"dataset_images": 9, "dataset_source": "x"}
    files[f"{job}/1/spec.json"] = json.dumps(values).encode()
    house.goes_on()
    assert RunDirectory(house.root / job).read_spec().resolved == values["resolved"]


def test_a_damaged_checkpoint_of_one_visitor_holds_up_nobody(house, api, small_models):
    house.sign_in("hf_of_ada", "hf_of_bob")
    mine, others = (house.queue(visitor, small_models) for visitor in (ADA, BOB))
    house.goes_on()
    files = api.buckets["ada-hf/genimg-runs"]
    for name, content in (("MANIFEST.json", b"[1]"), ("state.json", b"[]")):
        files[f"{mine}/1/ckpt/step-00000001/{name}"] = content
    files[f"{mine}/1/samples/000000001.png"] = b"x"
    house.report("bob-hf", others, "status", state="running", images_seen=8, total=80)
    house.goes_on()
    assert house.state(others) is State.RUNNING
    assert house.manager.notice == ""


def test_settings_of_a_page_whose_visitors_sign_in(api):
    for wrong in ("ada/runs", "a/b/c"):
        with pytest.raises(ValueError, match="bucket must be NAME where visitors sign in"):
            HubCluster(HubSettings(space="a/b", bucket=wrong, visitors=True), api)
    named = HubCluster(HubSettings(space="a/b", bucket="mine", visitors=True), api)
    assert named.bucket("ada-hf") == "ada-hf/mine"
    assert named.bucket("") == "VISITOR/mine"


@pytest.fixture
def accounts(clock) -> Accounts:
    return Accounts(clock)


def test_a_token_is_good_until_it_expires(accounts, clock):
    with pytest.raises(OwnerAway):
        accounts.token_of("ada")
    accounts.sign_in("ada", "one", 600.0)
    assert accounts.token_of("ada") == "one"
    assert accounts.minutes_left("ada") == 10
    assert accounts.minutes_left("bob") == 0
    clock.now = 600.0
    with pytest.raises(OwnerAway):
        accounts.token_of("ada")
    accounts.sign_in("ada", "two", 500.0)  # it has expired already
    with pytest.raises(OwnerAway):
        accounts.token_of("ada")


def test_of_two_tokens_the_one_that_lives_longer_is_kept(accounts):
    accounts.sign_in("ada", "long", 900.0)
    accounts.sign_in("ada", "short", 600.0)
    assert accounts.token_of("ada") == "long"


def test_a_token_that_was_refused_is_not_taken_again(accounts):
    accounts.sign_in("ada", "one", 600.0)
    accounts.refuse("ada", "one")
    accounts.sign_in("ada", "one", 600.0)  # the browser still has it
    with pytest.raises(OwnerAway):
        accounts.token_of("ada")
    accounts.sign_in("ada", "two", 600.0)
    assert accounts.token_of("ada") == "two"
    accounts.refuse("ada", "one")  # late news of the old one
    assert accounts.token_of("ada") == "two"


def test_strangers_do_not_fill_the_memory(accounts, monkeypatch):
    monkeypatch.setattr(module, "MOST_ACCOUNTS", 2)
    for number in range(4):
        accounts.sign_in(f"a{number}", "token", 600.0)
    assert [accounts.minutes_left(f"a{number}") for number in range(4)] == [0, 0, 10, 10]


def test_no_token_is_said_by_what_is_printed(accounts):
    accounts.sign_in("ada", "secret", 600.0)
    assert "secret" not in repr(accounts)
    with pytest.raises(OwnerAway) as error:
        accounts.token_of("bob")
    assert str(error.value) == "bob"
