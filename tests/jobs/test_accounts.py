import pytest

from genimg.jobs import accounts as module
from genimg.jobs.accounts import Accounts, OwnerAway


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
