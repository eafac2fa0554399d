"""Play the leads of the game's starts again, and say what each start shows.

    python benchmarks/make_game_starts.py            # only says what those that ship show
    python benchmarks/make_game_starts.py minute     # plays that one's lead and writes its weights

The numbers are those of `genimg.training.game.look`; the sentences of `game_starts.STARTS` quote
them.
"""

import sys
import time

import torch
from safetensors.torch import save

from genimg.storage import atomic_write
from genimg.training.game import MOST_STEPS, Look, fresh, look, play
from genimg.training.game_starts import FOLDER, LEADS, STARTS, begin

_HEADER = (
    f"{'start':20}{'real':>8}{'generated':>11}{'right':>8}{'right':>8}{'D loss':>9}{'G loss':>9}"
    f"{'minimax':>12}{'nonsat.':>12}{'variety':>9}"
)


def make(name: str) -> None:
    lead, begun = LEADS[name], time.process_time()
    state = fresh()
    for player, count in lead.moves:
        for done in range(0, count, MOST_STEPS):
            state = play(state, lead.rules, player, min(MOST_STEPS, count - done))
    weights = {
        name: tensor.to(torch.float16)
        for name, tensor in state.tensors.items()
        if not name.startswith("optimizer.")
    }
    FOLDER.mkdir(exist_ok=True)
    atomic_write(FOLDER / f"{name}.safetensors", save(weights))
    print(f"{name}: {time.process_time() - begun:.0f} s of one core", flush=True)


def row(name: str, seen: Look) -> str:
    real, fake = seen.real, seen.fake
    return (
        f"{name:20}{real.mean():8.2f}{fake.mean():11.2f}{(real > 0).mean():8.2f}"
        f"{(fake < 0).mean():8.2f}{seen.losses['discriminator']:9.3f}"
        f"{seen.losses['generator']:9.3f}{seen.gradients['minimax']:12.2e}"
        f"{seen.gradients['nonsaturating']:12.2e}{seen.variety:9.3f}"
    )


def main() -> None:
    for name in sys.argv[1:]:
        make(name)
    print(_HEADER)
    for name, start in STARTS.items():
        print(row(name, look(begin(name), start.rules)))
        for player in ("discriminator", "generator", "both"):
            after = play(begin(name), start.rules, player, 100)
            print(row(f"  {player} x 100", look(after, start.rules)), flush=True)


if __name__ == "__main__":
    main()
