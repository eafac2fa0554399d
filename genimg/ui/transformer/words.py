"""Words that several parts of the Transformer tab say."""

from collections.abc import Sequence

from genimg.models.attention import TokenLayout
from genimg.ui.texts import class_name, say


def special_words(layout: TokenLayout) -> list[str]:
    """Return what the positions before the patches are called; all count from 0."""
    registers = range(layout.registers)
    return [
        *[say("transformer.class_token")] * layout.class_tokens,
        *(say("transformer.register", number=str(number)) for number in registers),
    ]


def damaged_number() -> ValueError:
    """Return the error of a link in which a number cannot be read."""
    return ValueError(say("transformer.damaged_number"))


def no_drawing() -> ValueError:
    """Return the error of a request that speaks of no drawing."""
    return ValueError(say("transformer.no_drawing"))


def no_such_drawing() -> ValueError:
    """Return the error of a request that speaks of a drawing that no page has."""
    return ValueError(say("transformer.no_such_drawing"))


def no_such_class(label: object, classes: Sequence[str]) -> ValueError:
    """Return the error of a class that a model does not know."""
    names = [class_name(name) for name in classes]
    return ValueError(say("transformer.no_such_class", label=repr(label), classes=names))
