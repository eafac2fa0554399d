"""Who is signed in elsewhere: the tokens with which runs train on their owners' own accounts.

A token is kept in memory only, and nobody but an engine is given it. A run knows the name of the
account that pays for it, so the next server asks its owner to sign in again and then goes on.
"""

import threading
import time
from collections.abc import Callable

MOST_ACCOUNTS = 10_000
"""Of those who are signed in at once; whoever signed in first is forgotten first."""
FEWEST_MINUTES = 15
"""Of a machine that is rented: a run must start, and has to save and send its files at the end."""


class OwnerAway(Exception):
    """Something can only be asked with the token of an account, and that is not there.

    Nothing is wrong: it is asked again when the owner has signed in.
    """


class Accounts:
    """Tokens by the names of their accounts. Threads may share it.

    Args:
        clock: seconds since 1970.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, tuple[str, float]] = {}
        self._refused: dict[str, str] = {}

    def sign_in(self, account: str, token: str, expires: float) -> None:
        """Take in a token, unless it was refused before or a longer-lived one is known.

        Args:
            account: whose it is.
            expires: when it is no longer good, in seconds since 1970.
        """
        with self._lock:
            if self._refused.get(account) == token or expires <= self._clock():
                return
            if self._known.get(account, ("", 0.0))[1] < expires:
                self._known.pop(account, None)
                self._known[account] = token, expires
            while len(self._known) > MOST_ACCOUNTS:
                self._known.pop(next(iter(self._known)))

    def refuse(self, account: str, token: str) -> None:
        """Forget a token that was not accepted: a browser that still has it brings it again."""
        with self._lock:
            self._refused[account] = token
            if self._known.get(account, ("", 0.0))[0] == token:
                del self._known[account]

    def minutes_left(self, account: str) -> float:
        """Return how long the token of an account is still good; 0 without one."""
        with self._lock:
            expires = self._known.get(account, ("", 0.0))[1]
            return max(0.0, (expires - self._clock()) / 60)

    def token_of(self, account: str) -> str:
        """Return the token of an account; OwnerAway if its owner has to sign in first."""
        if self.minutes_left(account) <= 0:
            raise OwnerAway(account)
        with self._lock:
            return self._known.get(account, ("", 0.0))[0]
