import pickle
import re

import numpy as np
import pytest

from genimg.checks import (
    require_choice,
    require_flag,
    require_number,
    require_one_of,
    require_whole_number,
)
from genimg.wording import Wording, wording_of


def test_a_wording_is_its_english_text():
    inner = Wording("a.b", "the seed")
    words = Wording("x.y", "{name} must be {low} or {all}", name=inner, low=0, all=["a", "b"])
    assert words == "the seed must be 0 or a, b"
    assert words.key == "x.y"
    assert words.arguments["name"].key == "a.b"
    assert Wording("x.z", "{n}", n={"compact": 1_500_000}) == "1.5 million"


def test_braces_of_an_argument_stay():
    assert Wording("x.y", "{text}", text="{0} {x}") == "{0} {x}"


def test_it_may_read_otherwise_and_keeps_its_key():
    words = Wording("x.y", "no {what}", what="run").reading("No run.")
    assert (words, words.key, words.arguments) == ("No run.", "x.y", {"what": "run"})


def test_an_exception_takes_it_from_one_process_to_another():
    error = pickle.loads(pickle.dumps(ValueError(Wording("x.y", "{n} left", n=3))))
    words = wording_of(error)
    assert (words, words.key, words.arguments) == ("3 left", "x.y", {"n": 3})


def test_what_any_exception_says():
    assert wording_of(ValueError("plain")) == "plain"
    assert wording_of(OSError(2, "gone")) == "[Errno 2] gone"
    assert wording_of(KeyError(3)) == "3"
    assert wording_of("a text") == "a text"


@pytest.mark.parametrize(
    ("check", "arguments", "said"),
    [
        (require_whole_number, (-1, 0, 9), "a whole number from 0 to 9, not -1"),
        (require_whole_number, (np.zeros(2), 0, 9), "not an array of float64 (2,)"),
        (require_number, (None, 0.5, 2.0), "a number from 0.5 to 2, not nothing"),
        (require_choice, ("x", ("z", "w")), "z or w, not 'x'"),
        (require_one_of, ("x", ("a", "b", "c")), "one of a, b, c, not 'x'"),
        (require_flag, (1,), "True or False, not 1"),
    ],
)
def test_a_check_says_what_it_always_said_and_knows_its_words(check, arguments, said):
    with pytest.raises(ValueError, match=f"^it must be .*{re.escape(said)}$") as refused:
        check("it", *arguments)
    words = wording_of(refused.value)
    assert words.key.startswith("check.")
    assert words.arguments["name"].key == "argument.it"
