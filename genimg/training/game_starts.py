"""Where a game of `genimg.training.game` may begin, and the moves from there, as a link has them.

A start that takes long to reach ships as weights in float16; from there the optimizers begin anew.
`benchmarks/make_game_starts.py` plays their leads again and prints what each shows.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from genimg.checkpoints import assemble
from genimg.checks import shown
from genimg.training.game import MODEL, PLAYERS, Rules, State, fresh
from genimg.wording import Wording

Move = tuple[str, int]
"""Who learned, a key of `PLAYERS`, and how many steps."""
FOLDER = Path(__file__).parent / "starts"
LONGEST = 3000
"""The most steps of a game, both networks together: whoever opens a link waits for them."""
_LONGEST_TEXT = 2 * LONGEST + 8  # single steps in turn, and one press more
_PLAYER_OF = {player[0]: player for player in PLAYERS}


@dataclass(frozen=True, kw_only=True, slots=True)
class Start:
    """One place to begin."""

    title: str
    sentence: str
    """What it shows; every number in it is measured, and a test holds it."""
    rules: Rules
    file: str = ""
    """Name of the shipped weights, a key of `LEADS`; '' where nobody has learned anything."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Lead:
    """How the weights of a start were reached."""

    moves: tuple[Move, ...]
    rules: Rules


_TOO_FAST = Rules(learning_rate=0.05)
_SGD = Rules(optimizer="sgd", learning_rate=0.1)
# Adam would scale the faint gradient up again, so what saturates is shown without it.
_SLOW_SGD = Rules(optimizer="sgd", learning_rate=0.02)
LEADS = {
    "minute": Lead(moves=(("both", 5000),), rules=Rules()),
    "strong": Lead(moves=(("discriminator", 300),), rules=Rules()),
    "collapsed": Lead(moves=(("discriminator", 2), ("generator", 15)) * 30, rules=Rules()),
    "fast": Lead(moves=(("both", 200),), rules=_TOO_FAST),
    "sgd": Lead(moves=(("both", 5000),), rules=_SGD),
}
STARTS = {
    "fresh": Start(
        title=Wording("game_start.fresh", "Fresh"),
        sentence=Wording(
            "game_start.fresh.about",
            "Nobody has learned anything yet: the pictures are grey noise, and the discriminator"
            " gives real and generated ones nearly the same score.",
        ),
        rules=Rules(),
    ),
    "minute": Start(
        title=Wording("game_start.minute", "After a minute"),
        sentence=Wording(
            "game_start.minute.about",
            "Both have learned for 5000 steps, and neither wins: the discriminator is right about"
            " 69 % of the real and 78 % of the generated pictures. Let it learn alone, × 100, and"
            " it is right about nearly all.",
        ),
        rules=Rules(),
        file="minute",
    ),
    "strong": Start(
        title=Wording("game_start.strong", "Discriminator too strong, saturating loss"),
        sentence=Wording(
            "game_start.strong.about",
            "The discriminator learned alone for 300 steps and is never wrong. The loss of the"
            " generator is flat there: a gradient of 0.005. Let it learn × 100, and the score of"
            " its pictures moves from −7.7 to −7.6. (By SGD, as Adam scales a faint gradient up"
            " again.)",
        ),
        rules=replace(_SLOW_SGD, objective="minimax"),
        file="strong",
    ),
    "strong-nonsaturating": Start(
        title=Wording(
            "game_start.strong-nonsaturating", "Discriminator too strong, non-saturating loss"
        ),
        sentence=Wording(
            "game_start.strong-nonsaturating.about",
            "The same two networks, but the generator has the non-saturating loss, steep where it"
            " is worst: a gradient of 9.4. Let it learn × 100, and every one of its pictures is"
            " taken for real.",
        ),
        rules=_SLOW_SGD,
        file="strong",
    ),
    "collapsed": Start(
        title=Wording("game_start.collapsed", "Collapsed"),
        sentence=Wording(
            "game_start.collapsed.about",
            "The generator learned 15 steps for every 2 of the discriminator: whatever the noise,"
            " it makes the same picture (variety 0.01), which is taken for real. Let both learn, ×"
            " 100: 90 % are found out, but they are still all alike.",
        ),
        rules=Rules(),
        file="collapsed",
    ),
    "fast": Start(
        title=Wording("game_start.fast", "Learning rate too high"),
        sentence=Wording(
            "game_start.fast.about",
            "Steps 125 times as long as elsewhere: the pixels are black or white, with nothing"
            " between. Let both learn, × 100, twice: the scores are thrown into the hundreds, and"
            " the pictures get no better.",
        ),
        rules=_TOO_FAST,
        file="fast",
    ),
    "sgd": Start(
        title=Wording("game_start.sgd", "SGD instead of Adam"),
        sentence=Wording(
            "game_start.sgd.about",
            "5000 steps of plain SGD come as far as Adam, but only at a rate that had to be"
            " found: at a fifth of it, pictures are still nearly alike after 300 steps (variety"
            " 0.03; Adam's 0.3), and at five times that rate the numbers run away to infinity.",
        ),
        rules=_SGD,
        file="sgd",
    ),
}


@lru_cache(maxsize=len(STARTS))
def begin(name: str) -> State:
    """Return the state of a start.

    Raises:
        ValueError: there is no such start.
        genimg.checkpoints.CheckpointError: its weights do not fit, seen before memory is taken.
    """
    file = start_named(name).file
    if not file:
        return fresh()
    weights = assemble("mlp-gan", MODEL, FOLDER / f"{file}.safetensors").state_dict()
    return State(weights, fresh().steps)


def start_named(name: object) -> Start:
    """Return the start `name`; ValueError lists the known ones."""
    if not isinstance(name, str) or name not in STARTS:
        raise ValueError(
            Wording(
                "game_start.unknown",
                "there is no start {name}; choose one of {names}",
                name=shown(name),
                names=list(STARTS),
            )
        )
    return STARTS[name]


def moves_in(text: object) -> tuple[Move, ...]:
    """Return the moves that a link names, such as "d100g10b1"; the inverse of `moves_text`.

    Raises:
        ValueError: it names none, or more than a game may have.
    """
    if (
        not isinstance(text, str)
        or len(text) > _LONGEST_TEXT
        or not re.fullmatch(r"(?:[dgb][1-9][0-9]{0,3})*", text, re.ASCII)
    ):
        raise ValueError(
            Wording(
                "game_start.damaged_link",
                "this link is damaged: its moves cannot be read; begin a new game",
            )
        )
    moves: list[Move] = []
    for letter, count in re.findall(r"([dgb])([0-9]+)", text):
        before = moves.pop()[1] if moves and moves[-1][0] == _PLAYER_OF[letter] else 0
        moves.append((_PLAYER_OF[letter], before + int(count)))
    if length(moves) > LONGEST:
        raise ValueError(
            Wording(
                "game_start.too_long",
                "a game here has at most {longest} steps, those of both players counted; start"
                " again, or train a model of your own in the Training tab",
                longest=str(LONGEST),
            )
        )
    return tuple(moves)


def moves_text(moves: Sequence[Move]) -> str:
    """Return moves in the short form that a link has; the inverse of `moves_in`."""
    return "".join(f"{player[0]}{count}" for player, count in moves)


def joined(moves: tuple[Move, ...], move: Move) -> tuple[Move, ...]:
    """Return moves with one more; two in a row by the same player become one.

    Raises:
        ValueError: the game becomes longer than LONGEST.
    """
    return moves_in(moves_text((*moves, move)))


def length(moves: Sequence[Move]) -> int:
    """Return how many steps moves are, those of both networks counted."""
    return sum(count * len(PLAYERS[player]) for player, count in moves)
