"""What the commands share: a parser with one-line errors, numbers with a range, output files."""

import argparse
import math
import os
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NoReturn

from genimg import explore
from genimg.explore.drawing import DEFAULT_GUIDANCE

_LONGEST_SPAN = 1000
CONTROLS = ("temperature", "top_k", "top_p", "guidance")  # of how an image GPT chooses tokens


class _Store(argparse._StoreAction):
    """Store a value, and that it was given: only then is it refused where it has no use."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option: str | None = None) -> None:
        super().__call__(parser, namespace, values, option)
        namespace.given = {*getattr(namespace, "given", ()), self.dest}


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are ValueErrors of one sentence.

    If any option was given, its namespace has a set `given` with the names of those that were.
    """

    def __init__(self, **settings: Any) -> None:
        # No abbreviations: a script that used one would break when an option is added.
        super().__init__(
            allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter, **settings
        )
        self.register("action", None, _Store)
        self.register("action", "store", _Store)

    def error(self, message: str) -> NoReturn:
        """Raise ValueError instead of printing the usage and leaving."""
        raise ValueError(f"{message}; see {self.prog} --help")

    def _print_message(self, message: str, file: Any = None) -> None:
        # argparse's own ignores an output that takes nothing, as on a full disk.
        if message:
            (file or sys.stderr).write(message)


def add_number(
    parser: argparse._ActionsContainer,
    option: str,
    kind: type[int] | type[float],
    help: str,
    *,
    default: Any,
    low: float | None = None,
    high: float | None = None,
    shown_default: str | None = None,
    **settings: Any,
) -> argparse.Action:
    """Add an option that takes a number from `low` to `high` (inclusive, None for no bound).

    Args:
        help: one sentence with the unit; the range and the default are added to it.
        shown_default: the default in words, where the help should not show `default`.
        settings: for `add_argument`.
    """
    shown = shown_default or default_text(default)
    return parser.add_argument(
        option,
        type=_number(kind, low, high),
        default=default,
        metavar="N" if kind is int else "X",
        help=help_text(help, _range_text(low, high), shown),
        **settings,
    )


def help_text(help: str, allowed: str, default: str) -> str:
    """Return the help of one option: the sentence, what is allowed, and the default."""
    facts = "; ".join(filter(None, [allowed, f"default {default}" if default else ""]))
    return f"{help.removesuffix('.')} ({facts}).".replace("%", "%%")


def default_text(default: Any) -> str:
    """Return a default as one would type it."""
    several = default if isinstance(default, (tuple, list)) else [default]
    return " ".join(_plain(value) for value in several)


def _range_text(low: float | None, high: float | None) -> str:
    if low is not None and high is not None:
        return f"{_plain(low)} to {_plain(high)}"
    if low is not None:
        return f"{_plain(low)} or more"
    return "any number" if high is None else f"{_plain(high)} or less"


def _plain(value: float | str) -> str:
    """Write a number as one would type it: 0.0002, 20000, not 2e-04 or 20000.0."""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else f"{value:.10f}".rstrip("0")
    return str(value)


def _number(kind: type, low: float | None, high: float | None) -> Callable[[str], Any]:
    def parse(text: str) -> Any:
        try:
            value = kind(text)
        except ValueError:
            value = math.nan
        good = math.isfinite(value)
        good = good and (low is None or value >= low) and (high is None or value <= high)
        if not good:
            noun = "a whole number" if kind is int else "a number"
            raise argparse.ArgumentTypeError(
                f"must be {noun}, {_range_text(low, high)}, not {text!r}"
            )
        return value

    return parse


def several_values(kind: Any, choices: Iterable[Any] | None) -> Callable[[str], list[Any]]:
    """Return what reads several values of an option: "0..4" is 0, 1, 2, 3, 4, and "1e-4,2e-4" two.

    Args:
        kind: what reads one of them.
        choices: the only values that are allowed; None for any.
    """

    def parse(text: str) -> list[Any]:
        found = []
        for part in text.split(","):
            span = re.fullmatch(r"(\d{1,9})\.\.(\d{1,9})", part.strip())
            if span and not int(span[1]) <= int(span[2]) < int(span[1]) + _LONGEST_SPAN:
                raise argparse.ArgumentTypeError(
                    f"must count up at most {_LONGEST_SPAN} values, not {part.strip()!r}"
                )
            texts = map(str, range(int(span[1]), int(span[2]) + 1)) if span else [part.strip()]
            found += [kind(each) for each in texts]
        if choices is not None and (wrong := [each for each in found if each not in choices]):
            raise argparse.ArgumentTypeError(
                f"must be of {', '.join(map(str, choices))}, not {str(wrong[0])!r}"
            )
        return found

    return parse


def refuse_ignored(options: argparse.Namespace, names: Iterable[str], reason: str) -> None:
    """Raise ValueError if one of the options `names` was given, which would change nothing.

    Args:
        reason: why it would not, in words that follow a comma.
    """
    for name in names:
        if name in getattr(options, "given", ()):
            raise ValueError(
                f"--{name.replace('_', '-')} would change nothing, {reason}; leave it out"
            )


def path(text: str) -> Path:
    """Return a path from the command line; refuse an empty one, which would mean this folder."""
    if not text.strip() or "\0" in text:
        raise argparse.ArgumentTypeError(f"must be the name of a file or a folder, not {text!r}")
    return Path(text)


def add_name(
    parser: argparse.ArgumentParser, help: str = "Checkpoint, its path, or a run's folder."
) -> None:
    """Add NAME, as for `genimg.load`."""
    parser.add_argument("name", metavar="NAME", help=help)


def add_out(parser: argparse.ArgumentParser, help: str) -> None:
    """Add `--out`, the file to write; `file_format` checks it."""
    parser.add_argument("--out", type=path, required=True, metavar="FILE", help=help)


def add_count(parser: argparse.ArgumentParser, default: int) -> None:
    """Add `--count`, as for `GanModel.sample`."""
    add_number(parser, "--count", int, "Number of pictures.", default=default, low=1, high=100_000)


def add_seed(parser: argparse.ArgumentParser, help: str) -> None:
    """Add `--seed`, as for `GanModel.sample`."""
    add_number(parser, "--seed", int, help, default=0, low=0, high=2**32 - 1)


def add_label(parser: argparse.ArgumentParser) -> None:
    """Add `--label`, as for `GanModel.sample`."""
    parser.add_argument(
        "--label",
        metavar="CLASS",
        help="Name of a class, such as Sneaker; only for a model trained with labels.",
    )


def add_class_and_truncation(parser: argparse.ArgumentParser) -> None:
    """Add `--label` and `--truncation`, as for `GanModel.sample`."""
    add_label(parser)
    add_number(
        parser,
        "--truncation",
        float,
        "How far to go from the average style: below 1, pictures are less varied and more typical."
        " Only for a GAN with a mapping network.",
        default=1.0,
        low=0,
        high=2,
    )


def add_controls(parser: argparse.ArgumentParser) -> None:
    """Add an option for each of `CONTROLS`, as for `DrawerModel.sample`."""
    add_number(
        parser,
        "--temperature",
        float,
        "Below 1 more typical, above 1 more varied; 0 takes the likeliest token only.",
        default=1.0,
        low=0,
        high=100,
    )
    add_number(
        parser,
        "--top-k",
        int,
        "Choose among the likeliest N tokens; 0 is all.",
        default=0,
        low=0,
        high=65_536,
    )
    add_number(
        parser,
        "--top-p",
        float,
        "Choose among the likeliest tokens that together have this probability.",
        default=1.0,
        low=0.001,
        high=1,
    )
    add_number(
        parser,
        "--guidance",
        float,
        "Above 1 exaggerates what is special to the class; anything but 1 takes twice the time.",
        default=DEFAULT_GUIDANCE,
        low=0,
        high=100,
    )


def file_format(out: Path, formats: dict[str, str]) -> str:
    """Return the format that the ending of `out` asks for, before any work is done.

    Args:
        formats: format by ending, such as {".jpg": "jpeg"}.

    Raises:
        ValueError: another ending, or `out` cannot be written.
    """
    ending = out.suffix.lower()
    if out.name.lower() in formats:
        raise ValueError(f"--out needs a name before its ending, not just {out.name!r}")
    if ending not in formats:
        raise ValueError(f"--out must end in {', '.join(formats)}, not {str(out)!r}")
    if out.is_dir():
        raise ValueError(f"{out} is a folder; give the name of a file")
    if not out.parent.is_dir():
        raise ValueError(f"there is no folder {out.parent}; make it, or choose another --out")
    if not os.access(out.parent, os.W_OK):
        raise ValueError(f"the folder {out.parent} cannot be written to; choose another --out")
    return formats[ending]


def load_model(name: str, verb: str, kinds: Any, words: str) -> Any:
    """Load a model that can do something.

    Args:
        verb: what it must be able to do.
        kinds: the classes of models that can.
        words: the same, in words for people.

    Raises:
        ValueError: there is no such model, or it is of a kind that cannot do that.
    """
    model = explore.load(name)
    if not isinstance(model, kinds):
        raise ValueError(f"{name} is of a kind that cannot {verb}; choose {words}")
    return model
