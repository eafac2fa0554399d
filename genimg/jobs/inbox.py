"""Commands from another process, as small files that the supervisor answers.

    inbox/TOKEN.json       {"command": "pause", "arguments": {...}}
    answers/TOKEN.json     {"value": ...} or {"error": sentence, "kind": "ValueError"}

Whoever can write these files could change the runs by hand as well, so the sender is believed. A
supervisor that is killed between doing and answering does a command twice, which is harmless.
"""

import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from genimg.storage import read_json, write_json

_LONGEST_COMMAND = 256 * 1024
_ANSWERS_KEPT_SECONDS = 600.0
# The most special first: a PermissionError is an OSError.
_ERRORS = {"PermissionError": PermissionError, "OSError": OSError, "ValueError": ValueError}


class Inbox:
    """The two folders of a data root."""

    def __init__(self, root: Path) -> None:
        self._requests, self._answers = root / "inbox", root / "answers"

    def ask(self, command: str, arguments: dict[str, Any], seconds: float = 15.0) -> Any:
        """Send a command and wait for its answer.

        Raises:
            ValueError, PermissionError, OSError: what the command raised.
            TimeoutError: no supervisor answered; the command was taken back, so it will not be done
                later, unless the supervisor was just doing it.
        """
        for folder in (self._requests, self._answers):
            folder.mkdir(exist_ok=True)
        # Names sort by time, and nobody can guess one.
        token = f"{time.time_ns():020d}-{secrets.token_hex(6)}"
        request, answer = self._requests / f"{token}.json", self._answers / f"{token}.json"
        write_json(request, {"command": command, "arguments": arguments})
        end = time.monotonic() + seconds
        while not answer.exists():
            if time.monotonic() > end:
                request.unlink(missing_ok=True)
                raise TimeoutError("the server that looks after these runs does not answer")
            time.sleep(0.05)
        values = read_json(answer)
        answer.unlink(missing_ok=True)
        if "error" in values:
            raise _ERRORS.get(values.get("kind"), ValueError)(values["error"])
        return values["value"]

    def serve(self, execute: Callable[[str, dict[str, Any]], Any]) -> None:
        """Do every command that waits, oldest first.

        Args:
            execute: is given the command and its arguments and returns a JSON-ready value; what it
                raises for bad input becomes the answer.
        """
        for request in sorted(self._requests.glob("*.json")):
            try:
                values = read_json(request, _LONGEST_COMMAND)
                answer = {"value": execute(str(values["command"]), dict(values["arguments"]))}
            except FileNotFoundError:  # taken back
                continue
            except (KeyError, TypeError):
                answer = {"error": "this is no command", "kind": "ValueError"}
            except (ValueError, OSError) as error:
                kind = next(name for name, known in _ERRORS.items() if isinstance(error, known))
                answer = {"error": str(error), "kind": kind}
            self._answers.mkdir(exist_ok=True)
            write_json(self._answers / request.name, answer)
            request.unlink(missing_ok=True)
        self._forget_old_answers()

    def _forget_old_answers(self) -> None:
        for answer in self._answers.glob("*.json"):
            try:
                if time.time() - answer.stat().st_mtime > _ANSWERS_KEPT_SECONDS:
                    answer.unlink(missing_ok=True)
            except FileNotFoundError:
                continue
