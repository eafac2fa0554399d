"""Who asks: a nickname that anybody can type, and the teacher's token that only one can."""

import hmac
from typing import Any

from genimg.jobs.limits import Visitor

_LONGEST = 200  # what a visitor sends is only compared, but not at any length


class Identity:
    """Tells visitors apart.

    A nickname keeps students from pressing one another's buttons by mistake; it proves nothing.

    Args:
        teacher_token: what the teacher types; '' makes everybody the teacher, for a page that only
            this machine reaches.
    """

    def __init__(self, teacher_token: str = "") -> None:
        self.has_token = bool(teacher_token)
        self._token = teacher_token.encode()

    def of(self, who: Any, account: str = "") -> Visitor:
        """Return the visitor who says this.

        Args:
            who: {"nickname", "token"} as it came from the browser; what is missing is ''.
            account: with which they are signed in, as the server knows it, see
                `genimg.ui.signing_in`; never what a browser says.
        """
        who = who if isinstance(who, dict) else {}
        nickname, token = (
            value[:_LONGEST] if isinstance(value := who.get(name), str) else ""
            for name in ("nickname", "token")
        )
        is_teacher = hmac.compare_digest(token.encode("utf-8", "replace"), self._token)
        is_teacher = is_teacher or not self.has_token
        return Visitor(" ".join(nickname.split()), is_teacher, account)
