import json
import threading

import pytest

from genimg.jobs.inbox import Inbox


@pytest.fixture
def answered(root):
    """Send a command to an inbox that another thread serves with a function."""

    def ask(execute, command="pause", **arguments):
        stop, inbox = threading.Event(), Inbox(root)

        def serve():
            while not stop.wait(0.01):
                inbox.serve(execute)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            return inbox.ask(command, arguments)
        finally:
            stop.set()
            thread.join()

    return ask


def test_a_command_is_answered_and_leaves_nothing(root, answered):
    got = []

    def execute(command, arguments):
        got.append((command, arguments))
        return {"done": True}

    assert answered(execute, job_id="a-1", step=1) == {"done": True}
    assert got == [("pause", {"job_id": "a-1", "step": 1})]
    assert not list(root.glob("*/*"))


@pytest.mark.parametrize("kind", [ValueError, PermissionError, OSError])
def test_errors_come_back_as_they_were(answered, kind):
    def execute(command, arguments):
        raise kind("not yours")

    with pytest.raises(kind, match=r"^not yours$") as caught:
        answered(execute)
    assert caught.type is kind


def test_a_command_that_nobody_answers_is_taken_back(root):
    with pytest.raises(TimeoutError, match="does not answer"):
        Inbox(root).ask("pause", {}, seconds=0.1)
    Inbox(root).serve(lambda command, arguments: pytest.fail("it was taken back"))


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"command": 1, "arguments": 2}', "x" * 300_000])
def test_damaged_commands_are_answered_and_the_next_one_done(root, text):
    (root / "inbox").mkdir()
    (root / "inbox" / "0.json").write_text(text)
    (root / "inbox" / "1.json").write_text('{"command": "list", "arguments": {}}')
    Inbox(root).serve(lambda command, arguments: command)
    answers = {
        path.name: json.loads(path.read_text()) for path in (root / "answers").glob("*.json")
    }
    assert answers["0.json"]["kind"] == "ValueError"
    assert answers["1.json"] == {"value": "list"}
    assert not list((root / "inbox").iterdir())


def test_commands_are_done_in_the_order_of_their_coming(root):
    done = []
    (root / "inbox").mkdir()
    for number in (3, 1, 2):
        path = root / "inbox" / f"{number:020d}-x.json"
        path.write_text(json.dumps({"command": str(number), "arguments": {}}))
    Inbox(root).serve(lambda command, arguments: done.append(command))
    assert done == ["1", "2", "3"]
