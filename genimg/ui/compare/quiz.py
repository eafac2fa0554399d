"""Which one is real? Questions whose answers stay on the server until somebody has guessed."""

import secrets
import threading
from collections import Counter, OrderedDict
from typing import Any

from genimg.explore import DrawerModel, GanModel
from genimg.explore.comparing import numbers_of, question
from genimg.explore.local_data import pictures_here
from genimg.render import data_uri
from genimg.ui.compare.handlers import CompareHandlers
from genimg.ui.messages import sentence
from genimg.ui.model_shelf import ModelShelf
from genimg.ui.texts import class_name, say, sent

_MOST_OPEN = 1000  # questions that nobody has answered yet; the oldest are forgotten


class Quiz:
    """Asks and keeps count, for all visitors of this server together.

    The browser never learns which picture is real before it has answered, and each question can be
    answered once.
    """

    def __init__(self, handlers: CompareHandlers) -> None:
        self._handlers = handlers
        self._open: OrderedDict[str, tuple[str, int]] = (
            OrderedDict()
        )  # (who made it, which is real)
        self._asked: Counter[str] = Counter()
        self._fooled: Counter[str] = Counter()
        self._lock = threading.Lock()

    def ask(self, request: Any) -> dict[str, Any]:
        """Return a new question, or one sentence that says why there is none.

        Args:
            request: {"gan", "drawer", "label"}, as the controls have them.

        Returns:
            {"id", "pictures": [address, address], "words"}, or {"error"}.
        """
        try:
            if not isinstance(request, dict):
                raise ValueError(say("compare.quiz.nothing_asked"))
            gan, drawer, label = (request.get(name) for name in ("gan", "drawer", "label"))
            view = self._handlers.view(gan, drawer, label, secrets.randbelow(2**32))
            by_gan = bool(secrets.randbelow(2))
            shelf: ModelShelf[GanModel] | ModelShelf[DrawerModel] = (
                self._handlers.gans if by_gan else self._handlers.drawers
            )
            name = view.gan if by_gan else view.drawer
            with shelf.use(name) as model:
                split = pictures_here(model.info.get("dataset"), model.config.size, "test")
                number = numbers_of(split, view.label, view.seed, 1)[0]
                label = view.label if model.classes else None
                asked = question(model, split.pictures()[number], view.seed, label)
        except ValueError as error:
            return {"error": sent(sentence(error))}
        id = secrets.token_urlsafe(12)
        with self._lock:
            self._open[id] = name, asked.real
            while len(self._open) > _MOST_OPEN:
                self._open.popitem(last=False)
        words = (
            say("compare.quiz.which")
            if label is None
            else say("compare.quiz.which_of", label=class_name(label))
        )
        return {
            "id": id,
            "pictures": [data_uri(picture, "png") for picture in asked.pictures],
            "words": sent(words),
        }

    def answer(self, request: Any) -> dict[str, Any]:
        """Return whether a guess was right, and how often people were fooled.

        Args:
            request: {"id", "guess": 0 or 1}.

        Returns:
            {"right", "real": 0 or 1, "model": its name, "asked", "fooled"}, the last two of this
            model, by everybody since the server was started; or {"error"}.
        """
        id, guess = (
            (request.get("id"), request.get("guess")) if isinstance(request, dict) else (None, None)
        )
        with self._lock:
            found = self._open.pop(id, None) if isinstance(id, str) and guess in (0, 1) else None
            if found is None:
                return {"error": sent(say("compare.quiz.over"))}
            name, real = found
            self._asked[name] += 1
            self._fooled[name] += guess != real
            return {
                "right": guess == real,
                "real": real,
                "model": name,
                "asked": self._asked[name],
                "fooled": self._fooled[name],
            }
