"""The game of a GAN, move by move: a state goes in, one player or both learn, a state comes out.

Everything is a function of the rules and of how many steps each player has made: the networks are
those of `genimg.models.mlp_gan`, the losses those of real training, and the noise and the pictures
of a step follow from its number. So the same moves lead to the same state, to the last bit on one
machine, and any state can be reached again by playing its moves again.

Shapes: B pictures of a step, Z latent dimensions.
"""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor, nn

from genimg.checks import require_one_of, require_whole_number
from genimg.data import bundled
from genimg.models.blueprint import blueprint
from genimg.models.gan import Gan
from genimg.models.mlp_gan import MlpDiscriminator, MlpGanConfig, MlpGenerator
from genimg.randomness import generator as random_generator
from genimg.tensors import to_uint8
from genimg.training.objectives import OBJECTIVES
from genimg.training.task import Diverged, make_optimizer

MODEL = MlpGanConfig(
    size=bundled.TILE,
    latent_dimensions=32,
    generator_widths=(96, 192),
    discriminator_widths=(128, 64),
)
"""Both networks: small enough that thirty games fit into the memory of any server."""
BATCH = 64
"""Pictures that a step looks at, of each kind."""
SAMPLES = 16
"""Generated pictures in a `Look`."""
JUDGED = 256
"""Pictures of each kind that the scores are measured on; always the same noise and real ones."""
MOST_STEPS = 1000
"""Steps that one call may make."""
_SEED = 0
_SIDES = ("discriminator", "generator")
PLAYERS: dict[str, tuple[str, ...]] = {side: (side,) for side in _SIDES} | {"both": _SIDES}
"""Who can be told to learn, and which networks learn then, one after the other."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """How the two players learn."""

    objective: str = "nonsaturating"
    """A key of `OBJECTIVES`."""
    optimizer: str = "adam"
    """"adam" or "sgd"."""
    learning_rate: float = 4e-4
    """Of both players."""
    betas: tuple[float, float] = (0.5, 0.999)
    """Of Adam; SGD has no momentum."""


@dataclass(frozen=True, slots=True)
class State:
    """Where a game stands; nothing in it is ever changed."""

    tensors: Mapping[str, Tensor]
    """Weights by their names in `Gan`, and what the optimizers remember, by "optimizer." names."""
    steps: Mapping[str, int]
    """How many steps each of the two networks has made."""

    @property
    def size(self) -> int:
        """Bytes of memory."""
        return sum(tensor.nbytes for tensor in self.tensors.values())


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What a state looks like, measured on the same noise and real pictures every time."""

    samples: np.ndarray
    """uint8 (SAMPLES, 28, 28, 1)."""
    real: np.ndarray
    """Scores of real pictures, float32 (JUDGED,), logits."""
    fake: np.ndarray
    """Scores of generated pictures, float32 (JUDGED,), logits."""
    losses: Mapping[str, float]
    """What each network minimises."""
    gradients: Mapping[str, float]
    """Norm of the gradient that reaches the generator's weights, for each of two of its losses:
    "minimax" and "nonsaturating"."""
    variety: float
    """How far apart generated pictures lie on average, as a share of how far real ones do."""


def fresh() -> State:
    """Return the state in which nobody has learned anything."""
    random, tensors = random_generator(_SEED, "game", 0), {}
    for name, blank in blueprint("mlp-gan", MODEL).state_dict().items():
        # As PyTorch does it: uniform within one over the root of the layer's inputs.
        if name.endswith("weight"):
            bound = blank.shape[1] ** -0.5
        tensors[name] = torch.empty(blank.shape).uniform_(-bound, bound, generator=random)
    return State(tensors, dict.fromkeys(_SIDES, 0))


def play(state: State, rules: Rules, player: str, count: int = 1) -> State:
    """Return the state after `player` has learned `count` steps.

    With "both", the discriminator goes first in each step, as in training.

    Raises:
        ValueError: there is no such player, or `count` is not from 1 to MOST_STEPS.
        Diverged: a gradient is not finite.
    """
    require_one_of("the player", player, PLAYERS)
    require_whole_number("the number of steps", count, 1, MOST_STEPS)
    model, steps = _model(state), dict(state.steps)
    optimizers = {side: _optimizer(model, side, state, rules) for side in PLAYERS[player]}
    with _one_thread():
        for _ in range(count):
            for side, optimizer in optimizers.items():
                _step(model, optimizer, rules, side, steps[side])
                steps[side] += 1
    kept = {name: x for name, x in state.tensors.items() if name.startswith("optimizer.")}
    for side, optimizer in optimizers.items():
        for index, entries in optimizer.state_dict()["state"].items():
            kept |= {
                f"optimizer.{side}.{index}.{entry}": value
                for entry, value in entries.items()
                if isinstance(value, Tensor)
            }
    weights = {name: tensor.detach() for name, tensor in model.state_dict().items()}
    return State(weights | kept, steps)


def look(state: State, rules: Rules) -> Look:
    """Return what a state looks like."""
    model, objective = _model(state), OBJECTIVES[rules.objective]
    noise = _noise("judged", 0, JUDGED)
    generator, discriminator = _players(model)
    with _one_thread():
        real = discriminator(_real_pictures("test")[:JUDGED])
        pictures = generator(noise)
        fake = discriminator(pictures)
        weights = list(generator.parameters())
        gradients = {}
        for name in ("minimax", "nonsaturating"):
            loss = OBJECTIVES[name].generator(real.detach(), fake)
            parts = torch.autograd.grad(loss, weights, retain_graph=True)
            gradients[name] = nn.utils.get_total_norm(parts).item()
        with torch.no_grad():
            losses = {
                "discriminator": objective.discriminator(real, fake).item(),
                "generator": objective.generator(real, fake).item(),
            }
            variety = _spread(pictures) / _spread(_real_pictures("test")[:JUDGED])
    return Look(
        to_uint8(pictures[:SAMPLES].detach()),
        real.detach().numpy(),
        fake.detach().numpy(),
        losses,
        gradients,
        variety,
    )


def _step(model: Gan, optimizer: torch.optim.Optimizer, rules: Rules, side: str, step: int) -> None:
    """Let one network learn one step: draw noise, generate, judge, update."""
    objective = OBJECTIVES[rules.objective]
    generator, discriminator = _players(model)
    noise = _noise(side, step, BATCH)
    if side == "discriminator":
        with torch.no_grad():
            pictures = generator(noise)
        random = random_generator(_SEED, "real", step)
        chosen = torch.randint(len(_sample("train")), (BATCH,), generator=random)
        real = discriminator(_as_input(_sample("train")[chosen]))
        loss = objective.discriminator(real, discriminator(pictures))
    else:
        fake = discriminator(generator(noise))
        loss = objective.generator(fake.detach(), fake)  # none of these looks at the real ones
    weights = optimizer.param_groups[0]["params"]
    gradients = torch.autograd.grad(loss, weights)
    if not torch.isfinite(nn.utils.get_total_norm(gradients)):
        raise Diverged(f"the gradient of the {side} is not finite")
    for weight, gradient in zip(weights, gradients, strict=True):
        weight.grad = gradient
    optimizer.step()


def _model(state: State) -> Gan:
    """Return the two networks with weights of their own."""
    model = blueprint("mlp-gan", MODEL)
    assert isinstance(model, Gan)
    weights = {name: state.tensors[name].clone() for name in model.state_dict()}
    model.load_state_dict(weights, assign=True)
    return model.requires_grad_()


def _players(model: Gan) -> tuple[MlpGenerator, MlpDiscriminator]:
    generator, discriminator = model.generator, model.discriminator
    assert isinstance(generator, MlpGenerator)  # as MODEL makes them
    assert isinstance(discriminator, MlpDiscriminator)
    return generator, discriminator


def _optimizer(model: Gan, side: str, state: State, rules: Rules) -> torch.optim.Optimizer:
    """Return the optimizer of one network, with what it remembers."""
    optimizer = make_optimizer(
        rules.optimizer,
        getattr(model, side).parameters(),
        learning_rate=rules.learning_rate,
        betas=rules.betas if rules.optimizer == "adam" else (0.0, 0.0),
    )
    remembered: dict[int, dict[str, Tensor]] = {}
    for name, tensor in state.tensors.items():
        if name.startswith(f"optimizer.{side}."):
            index, entry = name.split(".")[2:]
            remembered.setdefault(int(index), {})[entry] = tensor.clone()
    optimizer.load_state_dict(optimizer.state_dict() | {"state": remembered})
    return optimizer


def _noise(stream: str, step: int, count: int) -> Tensor:
    random = random_generator(_SEED, f"noise for {stream}", step)
    return torch.randn(count, MODEL.latent_dimensions, generator=random)


@lru_cache(maxsize=2)
def _sample(split: str) -> Tensor:
    """Return the pictures that ship, uint8 (N, 1, 28, 28): everywhere the same ones."""
    return bundled.read_sample(split)[0]


def _as_input(pictures: Tensor) -> Tensor:
    return pictures.float().div_(127.5).sub_(1)


@lru_cache(maxsize=1)
def _real_pictures(split: str) -> Tensor:
    return _as_input(_sample(split)[:JUDGED])


def _spread(pictures: Tensor) -> float:
    """Return the mean squared distance of pictures (N, ...) from their mean."""
    return pictures.flatten(1).var(dim=0, correction=0).sum().item()


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """Compute on one thread: the order of sums, and so the last bit, must not depend on others."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
