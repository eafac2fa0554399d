import pytest

from genimg.checkpoints import CheckpointError
from genimg.ui import application


def test_every_endpoint_that_is_not_meant_for_others_is_private(paths):
    demo = application.build([paths["style"]])
    events = demo.config["dependencies"]
    public = {event["api_name"] for event in events if event["api_visibility"] == "public"}
    assert public == {"sample", "interpolate"}


def test_the_page_keeps_no_state_on_the_server(paths):
    """A state opens a lasting connection for each browser tab; a browser allows six."""
    demo = application.build([paths["style"]])
    assert not [block for block in demo.config["components"] if block["type"] == "state"]


def test_live_events_skip_the_queue_and_keep_the_last_value(paths):
    demo = application.build([paths["style"]])
    (show,) = (event for event in demo.config["dependencies"] if event["api_name"] == "show")
    assert not show["queue"]
    assert show["trigger_mode"] == "always_last"
    assert show["show_progress"] == "hidden"


def test_a_bad_checkpoint_is_refused_before_anything_is_served(tmp_path):
    with pytest.raises(CheckpointError, match="no checkpoint"):
        application.build([tmp_path])
