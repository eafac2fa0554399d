"""The wiring of the Training tab; in a browser it is tested in tests/app."""

import gradio as gr
import pytest

from genimg.explore.uses import SHOWN
from genimg.ui import application


@pytest.fixture
def demo(paths, idle_manager):
    return application.build([paths["style"]], idle_manager, "secret")


def events(demo):
    return {event["api_name"]: event for event in demo.config["dependencies"]}


def test_nothing_of_training_is_offered_to_programs(demo):
    for name in ("begin", "copy", "take_in", "estimate", "open_run", "list_data"):
        assert events(demo)[name]["api_visibility"] == "private"


def test_the_tab_keeps_no_state_and_no_timer_on_the_server(demo):
    kinds = {block["type"] for block in demo.config["components"]}
    assert not kinds & {"state", "timer"}


@pytest.mark.parametrize(("token", "nickname"), [("secret", ""), ("", "me")])
def test_only_who_is_alone_has_a_nickname_from_the_start(paths, idle_manager, token, nickname):
    demo = application.build([paths["style"]], idle_manager, token)
    [who] = [
        block["props"]["value"]
        for block in demo.config["components"]
        if block["props"].get("elem_id") == "who"
    ]
    assert who["nickname"] == nickname


def test_a_tab_is_chosen_before_the_model_is_loaded(demo):
    """A jump that comes when the model is there would take along who has gone elsewhere."""
    tabs = {block["id"] for block in demo.config["components"] if block["type"] == "tabs"}
    choose, show = events(demo)["choose_tab"], events(demo)["open_run"]
    assert choose["targets"] == show["targets"]
    assert set(choose["outputs"]) <= tabs
    assert not choose["queue"]
    assert show["outputs"]
    assert not set(show["outputs"]) & tabs


def chosen_tabs(demo, use):
    chooser = next(fn for fn in demo.fns.values() if fn.api_name == "choose_tab")
    return chooser.fn(gr.EventData(None, {"run": "x", "use": use}))


@pytest.mark.parametrize("use", SHOWN)
def test_a_model_opens_in_the_tab_of_its_use(demo, use):
    selected = [update["selected"] for update in chosen_tabs(demo, use).values()]
    inside = {"gan": [], "drawer": ["draw"], "masked-drawer": ["parallel"], "vision": ["look"]}[use]
    assert selected == [*inside, SHOWN[use].tab_id]


@pytest.mark.parametrize("use", ["tokenizer", "nonsense", None, ["gan"]])
def test_what_has_no_tab_opens_none(demo, use):
    assert chosen_tabs(demo, use) == gr.skip()


def test_a_file_of_a_visitor_is_checked_by_gradio(demo):
    """Without this a visitor could name any file of the server instead of an upload."""
    taken = next(fn for fn in demo.fns.values() if fn.api_name == "take_in")
    assert taken.preprocess
    others = [fn for fn in demo.fns.values() if fn.api_name in ("begin", "estimate", "copy")]
    assert not any(fn.preprocess for fn in others)


def test_the_token_is_nowhere_on_the_page(demo):
    assert "secret" not in str(demo.config)


def test_without_a_manager_there_is_no_such_tab(paths):
    demo = application.build([paths["style"]])
    names = [block["props"].get("id") for block in demo.config["components"]]
    assert "train" not in names
    assert "gan" in names
