import pytest

from genimg.jobs.limits import Visitor
from genimg.ui.identity import Identity


@pytest.mark.parametrize(
    "token", ["", "secre", "secret ", "SECRET", "sécret", "\ud800", None, 3, []]
)
def test_only_the_exact_token_is_the_teachers(token):
    assert not Identity("secret").of({"nickname": "ada", "token": token}).is_teacher
    assert Identity("secret").of({"nickname": "ada", "token": "secret"}).is_teacher
    assert Identity("sécret").of({"token": "sécret"}).is_teacher


@pytest.mark.parametrize("who", [None, [], "ada", {}, {"nickname": 3}, {"nickname": ["ada"]}])
def test_a_damaged_question_is_nobody(who):
    assert Identity("secret").of(who) == Visitor("")


def test_without_a_token_the_only_visitor_is_the_teacher():
    assert Identity().of({"nickname": "  ada \n b "}) == Visitor("ada b", is_teacher=True)
    assert Identity().of({"nickname": "a", "token": "x"}).is_teacher
