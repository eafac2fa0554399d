"""Signing in with Hugging Face: where it is offered, and what a browser may not pretend."""

import json
import time
from types import SimpleNamespace

import gradio as gr
import pytest
from gradio.helpers import special_args

from genimg.jobs.accounts import Accounts, OwnerAway
from genimg.jobs.devices import Device
from genimg.jobs.engines.configured import Engines, write_settings
from genimg.jobs.engines.hub import HubCluster, HubSettings
from genimg.jobs.engines.remote import RemoteEngine
from genimg.jobs.manager import JobManager
from genimg.training.variants import variables
from genimg.ui import application, signing_in
from genimg.ui.host import Host
from genimg.ui.identity import Identity
from genimg.ui.signing_in import SigningIn, engines_of, is_possible
from genimg.ui.training.handlers import TrainHandlers
from genimg.ui.training.race_handlers import RaceHandlers
from genimg.ui.training.run_handlers import RunHandlers
from tests.jobs.engines.pretended_hub import PretendedHub

pytest.importorskip("huggingface_hub", reason="pip install 'genimg[hf]'")

SPACE = {"SYSTEM": "spaces", "SPACE_ID": "eve/genimg", "OAUTH_CLIENT_ID": "id"}
SPACE |= {"OAUTH_CLIENT_SECRET": "s", "OAUTH_SCOPES": "openid profile jobs"}
SPACE |= {"OPENID_PROVIDER_URL": "https://huggingface.co"}
SETTINGS = HubSettings(space="eve/genimg", places=9, visitors=True)
ADA = {"nickname": "ada"}


@pytest.fixture(autouse=True)
def packages(monkeypatch):
    """Those that a Space has with Gradio."""
    monkeypatch.setattr(signing_in, "find_spec", lambda name: name)


def asking(account="ada-hf", token="hf_of_ada", seconds=3600.0):
    """Return a request with the session that Gradio keeps for who is signed in."""
    info = {"name": "Ada", "preferred_username": account, "profile": "", "picture": ""}
    kept = {"access_token": token, "scope": "jobs", "expires_at": time.time() + seconds}
    return SimpleNamespace(session={"oauth_info": {"userinfo": info, **kept}})


NOBODY = SimpleNamespace(session={})


def called(function, data, request):
    """Call a function of a component as Gradio does."""
    return function(*special_args(function, [data], request)[0])


@pytest.fixture
def api() -> PretendedHub:
    made = PretendedHub()
    made.server, made.tokens = "eve", {"hf_of_ada": "ada-hf"}
    return made


@pytest.fixture
def open_manager(tmp_path, api, idle_manager):
    """A function that opens a manager whose runs train on the accounts of visitors."""
    opened = []

    def make() -> JobManager:
        accounts = Accounts()

        def connect(name, settings) -> RemoteEngine:
            engine = RemoteEngine(HubCluster(settings, api, accounts), threaded=False)
            engine.talk()
            return engine

        root = tmp_path / "hf-runs"
        write_settings(root, "hf", SETTINGS)
        local = type(idle_manager.engine)()
        manager = JobManager(root, engine=Engines(root, local, connect, accounts=accounts))
        opened.append(manager)
        return manager

    yield make
    for manager in opened:
        manager.close()


@pytest.fixture
def manager(open_manager):
    return open_manager()


def talk(manager: JobManager) -> None:
    for _ in range(3):
        manager.step()
        manager.engine._remote["hf"][1].talk()
    manager.step()


def settings(small_models, device="hf/cpu"):
    changes = {name: str(*value) for name, value in small_models["fashion-mlp"].items()}
    return {"changes": changes | {"device": device, "batch_size": 8}}


def test_it_is_possible_only_on_a_space_that_asks_for_it(monkeypatch):
    assert is_possible(SPACE)
    for name in SPACE:  # without any of these Gradio would pretend, or not start
        assert not is_possible({key: value for key, value in SPACE.items() if key != name})
    monkeypatch.setattr(signing_in, "find_spec", lambda name: None)
    assert not is_possible(SPACE)


def test_a_variable_names_what_visitors_rent():
    engines = engines_of(SPACE | {"GENIMG_JOBS": " t4-small "})
    assert engines["hf"].to_dict() | {} == {
        "space": "eve/genimg", "bucket": "", "flavour": "t4-small", "time_limit": 60,
        "places": 100, "visitors": True,
    }  # fmt: skip
    assert engines_of(SPACE) == {}
    assert engines_of({"GENIMG_JOBS": "t4-small", "SPACE_ID": "eve/genimg"}) == {}


def test_what_the_variable_names_is_an_engine_and_the_file_counts_more(tmp_path, idle_manager):
    def connect(name, settings):
        engine = RemoteEngine(HubCluster(settings, PretendedHub()), threaded=False)
        engine.talk()
        return engine

    local = type(idle_manager.engine)()
    engines = Engines(tmp_path, local, connect, besides={"hf": SETTINGS})
    assert engines.on_accounts
    assert [device.name for device in engines.capacity()] == ["cpu", "hf/cpu"]
    write_settings(tmp_path, "hf", HubSettings(space="eve/genimg", bucket="eve/runs"))
    assert not engines.on_accounts


def test_who_is_signed_in_is_what_the_session_says():
    accounts = Accounts()
    heard = []

    def handler(account, data):
        heard.append((account, data))

    told = SigningIn(accounts, offered=True).told(handler)
    assert told.__name__ == "handler"
    called(told, {"who": {"account": "bob-hf"}}, asking())
    called(told, "x", NOBODY)
    called(told, "x", asking(token="hf_old", seconds=-1))
    assert heard == [("ada-hf", {"who": {"account": "bob-hf"}}), ("", "x"), ("", "x")]
    assert accounts.token_of("ada-hf") == "hf_of_ada"


def test_a_token_without_a_session_is_nobodys():
    """A call of the API may bring a token along; whose it is nobody has checked."""
    accounts = Accounts()
    told = SigningIn(accounts, offered=True).told(lambda account, data: account)
    brought = gr.OAuthToken(token="hf_x", scope="", expires_at=9 * 10**9)
    assert told(*special_args(told, ["x"], NOBODY, token=brought)[0]) == ""
    with pytest.raises(OwnerAway):
        accounts.token_of("")


def test_where_it_is_not_offered_nobody_is_asked():
    told = SigningIn(Accounts(), offered=False).told(lambda account, data: (account, data))
    assert called(told, "x", asking()) == ("", "x")


def parts(demo) -> set:
    blocks = demo.config["components"]
    return {block["type"] for block in blocks} | {b["props"].get("elem_id") for b in blocks}


@pytest.mark.parametrize(("possible", "paid"), [(False, True), (True, False), (True, True)])
def test_the_page_has_the_button_only_where_it_is_good_for_something(
    paths, manager, idle_manager, monkeypatch, possible, paid
):
    monkeypatch.setattr(gr.routes, "attach_oauth", lambda app: None)  # it needs the packages
    runs = manager if paid else idle_manager
    demo = application.build([paths["style"]], runs, "secret", Host(can_sign_in=possible))
    offered = possible and paid
    assert demo.expects_oauth is offered
    assert ("sign-in" in parts(demo)) is offered
    names = [event["api_name"] for event in demo.config["dependencies"]]
    assert ("signed_in" in names) is offered
    assert "_check_login_status" not in names
    for event in demo.config["dependencies"]:
        if event["api_name"] in ("signed_in", "begin"):
            assert event["api_visibility"] == "private"


def test_start_is_refused_in_one_sentence_and_goes_with_an_account(manager, api, small_models):
    handlers = TrainHandlers(manager, Identity("secret"))
    asked = (ADA, "fashion-mlp", "fashion-mnist", "minutes", 5, "", settings(small_models))
    with pytest.raises(ValueError, match="its owner has to sign in first"):
        handlers.start(*asked)
    races = RaceHandlers(handlers, RunHandlers(manager, Identity("secret")))
    race = {"who": ADA, "preset": "fashion-mlp", "setting": "objective"}
    race |= {"values": list(variables("fashion-mlp")["objective"].names[:2])}
    race |= {"length": "minutes", "amount": 2, "seed": 0, "device": "hf/cpu"}
    assert "has to sign in first" in races.start(race)["error"]
    assert manager.jobs() == []
    needs = handlers.estimate(*asked[1:5], asked[-1])
    assert "The machine costs $0.40 an hour." in needs["text"]
    manager.accounts.sign_in("ada-hf", "hf_of_ada", time.time() + 3600)
    job = manager.job(handlers.start(*asked, account="ada-hf"))
    assert (job.owner, job.account) == ("ada", "ada-hf")


def test_a_run_says_that_its_owner_has_to_sign_in_and_only_its_account_has_buttons(
    open_manager, api, small_models
):
    first = open_manager()
    first.accounts.sign_in("ada-hf", "hf_of_ada", time.time() + 3600)
    asked = (ADA, "fashion-mlp", "fashion-mnist", "minutes", 5, "", settings(small_models))
    job = TrainHandlers(first, Identity("secret")).start(*asked, account="ada-hf")
    talk(first)
    first.close()
    manager = open_manager()
    handlers = RunHandlers(manager, Identity("secret"))
    told = SigningIn(manager.accounts, offered=True)
    answers = []

    def poll(account, request):
        answers.append(handlers.poll(request, account))
        return answers[-1]["runs"][0]

    asked_again = {"who": ADA, "run": job}
    row = called(told.told(poll), asked_again, NOBODY)
    assert "has to sign in with Hugging Face again" in row["message"]
    assert row["actions"] == ["copy"]  # a nickname proves nothing
    assert "belongs to ada" in handlers.act(asked_again | {"action": "cancel"})["error"]
    bob = called(told.told(poll), asked_again, asking("bob-hf", "hf_of_bob"))
    assert bob["actions"] == ["copy"]
    assert "sign in" in bob["message"]
    row = called(told.told(poll), asked_again, asking())  # it is enough to have the page open
    assert "sign in" not in row["message"]
    assert "cancel" in row["actions"]
    talk(manager)
    assert len(api.requests) == 1
    for answer in answers:
        assert "hf_of" not in json.dumps(answer)
        assert "ada-hf" not in json.dumps(answer)


def test_a_device_that_costs_the_servers_money_is_the_teachers_as_before(idle_manager):
    idle_manager.engine.devices.append(Device(name="hf/cpu", title="x", dollars_an_hour=0.4))
    with pytest.raises(ValueError, match="only the teacher"):
        TrainHandlers(idle_manager, Identity("secret")).start(
            ADA, "fashion-mlp", "fashion-mnist", "minutes", 5, "",
            {"changes": {"device": "hf/cpu"}}, account="ada-hf",
        )  # fmt: skip
