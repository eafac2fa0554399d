"""The game of the GAN tab: a small GAN of the visitor's own, taught by hand.

All that a game is are its start and its moves, which the address holds; the server only remembers
where the last few games stand, and plays one again where it has forgotten.
"""

import threading
from collections import OrderedDict
from collections.abc import Generator, Iterator
from typing import Any

import gradio as gr
import numpy as np

from genimg.checks import is_whole, require_one_of
from genimg.training.game import BATCH, MODEL, PLAYERS, Rules, State, look, play
from genimg.training.game_starts import (
    STARTS,
    Move,
    begin,
    joined,
    length,
    moves_in,
    moves_text,
    start_named,
)
from genimg.training.task import Diverged
from genimg.ui.components import component
from genimg.ui.events import QUIET
from genimg.ui.gan.components import STATIC
from genimg.ui.gan.game_diagram import FORMULAS, PARTS
from genimg.ui.messages import sentence
from genimg.ui.payload import pack

TIMES = (1, 10, 100)
"""Steps that a press can ask for."""
REMEMBERED = 32
"""Games that the server remembers, of at most 4 MB each."""
_AT_ONCE = 20  # steps from one picture of a game that goes on to the next
_BARS = 24
_OPTIMIZERS = {"adam": "Adam", "sgd": "SGD"}
_EXPLANATION = (
    "The generator makes pictures out of noise; the discriminator tells them from real ones. Each"
    " learns from what the other does. These two are so small that you can teach them by hand."
    " Try this: choose × 100 and press **Both learn** five times."
)
_TOO_BUSY = "The server is too busy for this just now; press again in a moment."

Key = tuple[str, tuple[Move, ...]]


class GameHandlers:
    """The functions behind the game."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # one computes at a time, also past the queue
        self._states: OrderedDict[Key, State] = OrderedDict()

    def press(self, asked: Any) -> Iterator[dict[str, Any]]:
        """Play a game as far as it has come, then what was pressed, and say how it stands.

        Args:
            asked: {"start", "moves", "player", "count"} from the browser; without `count` nothing
                is pressed.

        Yields:
            First {"begun"}: it was this game's turn; then how it stands, time and again, the last
            with "over" true. Or {"refused"}: what is wrong, in one sentence.
        """
        try:
            asked = asked if isinstance(asked, dict) else {}
            name, moves = asked.get("start"), moves_in(asked.get("moves", ""))
            start, pressed = start_named(name), _pressed(asked)
            final = joined(moves, pressed) if pressed else moves
            yield {"begun": True}
            state = yield from self._reached(name, moves)
            if not pressed:
                yield self._shown(name, moves, state) | {"over": True}
                return
            player, count = pressed
            now = moves
            for steps in _portions(count):
                state = self._play(state, start.rules, player, steps)
                now = joined(now, (player, steps))
                if now == final:
                    self._keep((name, final), state, instead=(name, moves))
                yield self._shown(name, now, state) | {"over": now == final}
        except ValueError as error:
            yield {"refused": sentence(error)}
        except Diverged:
            yield {"refused": "The numbers of this game have run away to infinity; start again."}

    def _reached(
        self, name: str, moves: tuple[Move, ...]
    ) -> Generator[dict[str, Any], None, State]:
        """Return where a game stands, from memory or by playing it again."""
        with self._lock:
            for known in range(len(moves), -1, -1):
                state = self._states.get((name, moves[:known]))
                if state is not None:
                    break
            else:
                state = begin(name)
        done, total = 0, length(moves[known:])
        for player, count in moves[known:]:
            for steps in _portions(count):
                state = self._play(state, STARTS[name].rules, player, steps)
                done += length([(player, steps)])
                yield {"again": [done, total]}
        self._keep((name, moves), state)
        return state

    def _play(self, state: State, rules: Rules, player: str, steps: int) -> State:
        with self._lock:
            return play(state, rules, player, steps)

    def _keep(self, key: Key, state: State, instead: Key | None = None) -> None:
        """Remember a state; the one that it followed is the first to be forgotten."""
        with self._lock:
            self._states[key] = state
            self._states.move_to_end(key)
            if instead is not None and instead in self._states:
                self._states.move_to_end(instead, last=False)
            while len(self._states) > REMEMBERED:
                self._states.popitem(last=False)

    def _shown(self, name: str, moves: tuple[Move, ...], state: State) -> dict[str, Any]:
        """Return how a game stands, for `static/game.js`."""
        rules = STARTS[name].rules
        with self._lock:
            seen = look(state, rules)
        everything = np.concatenate([seen.real, seen.fake])
        span = float(everything.min()), float(everything.max()) + 1e-6
        bars = {
            kind: np.histogram(scores, _BARS, span)[0].astype(np.int32)
            for kind, scores in (("real", seen.real), ("fake", seen.fake))
        }
        return pack(
            {"samples": seen.samples, **bars},
            start=name,
            moves=moves_text(moves),
            steps=dict(state.steps),
            span=span,
            scores={"real": float(seen.real.mean()), "fake": float(seen.fake.mean())},
            right={"real": float((seen.real > 0).mean()), "fake": float((seen.fake < 0).mean())},
            losses=dict(seen.losses),
            gradients=dict(seen.gradients),
            variety=seen.variety,
            rules={
                "optimizer": _OPTIMIZERS[rules.optimizer],
                "rate": f"{rules.learning_rate:g}",
                "objective": rules.objective,
            },
        )


def build(demo: gr.Blocks) -> None:
    """Add the game, folded, to the GAN tab; a link to a game opens it. Nothing runs before."""
    handlers = GameHandlers()
    with gr.Accordion("The game", open=False, elem_id="game-fold") as fold:
        gr.Markdown(_EXPLANATION, elem_classes=["explanation"])
        game = component(
            STATIC,
            "game",
            ["helpers.js", "payload.js", "game_diagram.js", "game.js"],
            None,
            name="game",
            starts=[[name, start.title, start.sentence] for name, start in STARTS.items()],
            parts=[[name, *words] for name, words in PARTS.items()],
            formulas={name: list(both) for name, both in FORMULAS.items()},
            sizes=_sizes(),
        )

    def press(event: gr.EventData) -> Iterator[dict[str, Any]]:
        yield from handlers.press(event._data)

    # In the queue, one at a time: learning takes seconds, and thirty may press at once.
    pressed = game.press(
        press, None, game, concurrency_limit=1, concurrency_id="game", trigger_mode="multiple",
        **QUIET,
    )  # fmt: skip
    pressed.failure(
        lambda: {"refused": _TOO_BUSY}, None, game, queue=False, **QUIET,
    )  # fmt: skip

    def open_link(request: gr.Request) -> Any:
        return gr.update(open=True) if "game" in request.query_params else gr.skip()

    demo.load(open_link, None, fold, queue=False, **QUIET)


def _portions(count: int) -> list[int]:
    """Return how many steps to play from one look to the next, of `count` in all."""
    return [min(_AT_ONCE, count - done) for done in range(0, count, _AT_ONCE)]


def _pressed(asked: dict[str, Any]) -> Move | None:
    """Return what was pressed; ValueError if it is no button."""
    count = asked.get("count")
    if count is None:
        return None
    require_one_of("the player", asked.get("player"), PLAYERS)
    if not is_whole(count) or count not in TIMES:
        raise ValueError("a press makes {}, {} or {} steps".format(*TIMES))
    return asked["player"], count


def _sizes() -> dict[str, int]:
    """Return what the diagram says of the networks."""
    state = begin("fresh")
    weights = {
        side: sum(x.numel() for name, x in state.tensors.items() if name.startswith(side))
        for side in ("generator", "discriminator")
    }
    return weights | {"batch": BATCH, "noise": MODEL.latent_dimensions}
