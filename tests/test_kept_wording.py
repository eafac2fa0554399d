import json

import pytest

from genimg.kept_wording import kept, read
from genimg.wording import Wording


def test_words_come_back_from_a_file():
    inner = Wording("x.inner", "the {what}", what="run")
    words = Wording("x.y", "{count} of {name}: {all}", count=3, name=inner, all=["a", "b"])
    again = read(json.loads(json.dumps(kept(words))))
    assert again == words == "3 of the run: a, b"
    assert (again.key, again.arguments["count"], again.arguments["all"]) == ("x.y", 3, ["a", "b"])
    assert again.arguments["name"].key == "x.inner"


def test_plain_text_stays_plain():
    assert kept("plain") == read("plain") == "plain"


@pytest.mark.parametrize("value", [None, 3, [], {}, {"key": 3}, {"key": "a.b", "arguments": 5}])
def test_whatever_a_file_holds_is_a_text(value):
    assert isinstance(read(value), str)
