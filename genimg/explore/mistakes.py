"""The classic mistakes in multi-head attention: each beside the right module, with what tells.

`Attention` is written out step by step, so that a mistake is one step done otherwise. What the
package itself computes with is `genimg.models.attention`; a test compares the two.

Shape letters: B batch, T tokens, H heads, D width of one head, C = H * D.
"""

import inspect
import math
import textwrap
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import skip_init

from genimg.checks import shown
from genimg.models.attention import Capture
from genimg.models.attention_masks import causal_mask
from genimg.models.transformer import (
    INITIAL_DEVIATION,
    Transformer,
    TransformerConfig,
    initialise,
    sinusoidal_table,
)

TOKENS, WIDTH, HEADS = 16, 256, 4
DEPTH = 12
_NEAR = 1e-4


class Attention(nn.Module):
    """Causal multi-head attention as it should be (arXiv 1706.03762, section 3.2)."""

    def __init__(
        self, width: int = WIDTH, heads: int = HEADS, numbers: torch.Generator | None = None
    ) -> None:
        """Draw the weights, from `numbers` or PyTorch's global random numbers."""
        super().__init__()
        self.heads = heads
        layers = [skip_init(nn.Linear, width, width, bias=False) for _ in range(4)]
        for layer in layers:
            nn.init.normal_(layer.weight, std=width**-0.5, generator=numbers)  # keeps variance 1
        self.query, self.key, self.value, self.output = layers

    def place(self, x: Tensor) -> Tensor:
        """Tell each token (B, T, C) where it is."""
        positions = sinusoidal_table(x.shape[1], x.shape[2])
        return x + positions / INITIAL_DEVIATION  # as strong as these tokens are

    def project(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Make queries, keys and values of the tokens."""
        return self.query(x), self.key(x), self.value(x)

    def split(self, x: Tensor) -> Tensor:
        """Give each head its part, (B, H, T, D)."""
        batch, tokens, width = x.shape
        return x.view(batch, tokens, self.heads, width // self.heads).transpose(1, 2)

    def weigh(self, q: Tensor, k: Tensor, mask: Tensor) -> Tensor:
        """Decide how much each token looks at each, (B, H, T, T)."""
        scores = q @ k.mT / math.sqrt(q.shape[-1])
        scores = scores.masked_fill(~mask, -torch.inf)
        return scores.softmax(dim=-1)

    def merge(self, y: Tensor) -> Tensor:
        """Put the heads side by side again, (B, T, C)."""
        return y.transpose(1, 2).flatten(2)

    def finish(self, y: Tensor) -> Tensor:
        """Mix what the heads have found."""
        return self.output(y)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return what each token gathered, (B, T, C), and the weights (B, H, T, T)."""
        q, k, v = map(self.split, self.project(self.place(x)))
        weights = self.weigh(q, k, causal_mask(x.shape[1]))
        return self.finish(self.merge(weights @ v)), weights


class NeverCalled(Attention):
    """The layers are multiplied with instead of being called."""

    def project(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """As in the snippets that nobody has run."""
        return self.query * x, self.key * x, self.value * x


class NeverSplit(Attention):
    """The number of heads is kept, and never used."""

    def split(self, x: Tensor) -> Tensor:
        """One head, as wide as the model."""
        return x[:, None]


class NotTransposed(Attention):
    """The tokens are cut among the heads, instead of their numbers."""

    def split(self, x: Tensor) -> Tensor:
        """The shape is right, and what is in it is not."""
        batch, tokens, width = x.shape
        return x.view(batch, self.heads, tokens, width // self.heads)


class NotScaled(Attention):
    """The dot products are not divided by the square root of D."""

    def weigh(self, q: Tensor, k: Tensor, mask: Tensor) -> Tensor:
        """The longer the vectors, the larger the scores."""
        scores = q @ k.mT
        scores = scores.masked_fill(~mask, -torch.inf)
        return scores.softmax(dim=-1)


class WrongAxis(Attention):
    """The softmax goes over those who look, instead of what they look at."""

    def weigh(self, q: Tensor, k: Tensor, mask: Tensor) -> Tensor:
        """Columns sum to 1, not rows."""
        scores = q @ k.mT / math.sqrt(q.shape[-1])
        scores = scores.masked_fill(~mask, -torch.inf)
        return scores.softmax(dim=-2)


class MaskedAfter(Attention):
    """The future is taken out after the softmax, which has already seen it."""

    def weigh(self, q: Tensor, k: Tensor, mask: Tensor) -> Tensor:
        """What is left of a row no longer sums to 1."""
        scores = q @ k.mT / math.sqrt(q.shape[-1])
        weights = scores.softmax(dim=-1)
        return weights.masked_fill(~mask, 0)


class NeverProjected(Attention):
    """There is an output projection, and it is never applied."""

    def finish(self, y: Tensor) -> Tensor:
        """The heads stay side by side, unmixed."""
        return y


class NoPositions(Attention):
    """Nobody tells a token where it is."""

    def place(self, x: Tensor) -> Tensor:
        """Then a picture is a bag of patches."""
        return x


# ------------------------------------------------------------------- the tests that catch them


def it_runs(attention: Attention, x: Tensor) -> bool:
    """The cheapest test, and the first."""
    return attention(x)[0].shape == x.shape


def each_head_has_its_map(attention: Attention, x: Tensor) -> bool:
    """As many maps as heads, and no two alike."""
    weights = attention(x)[1]
    return weights.shape[1] == HEADS and not torch.allclose(weights[:, 0], weights[:, 1])


def the_future_is_hidden(attention: Attention, x: Tensor) -> bool:
    """Change the last token: no earlier one may notice."""
    changed = torch.cat((x[:, :-1], -x[:, -1:]), dim=1)
    return torch.allclose(attention(x)[0][:, :-1], attention(changed)[0][:, :-1], atol=_NEAR)


def nobody_looks_at_one_alone(attention: Attention, x: Tensor) -> bool:
    """Before any training, no token may look at another almost alone."""
    return float(attention(x)[1][:, :, -1].amax(dim=-1).mean()) < 0.5


def rows_sum_to_one(attention: Attention, x: Tensor) -> bool:
    """Each token shares out exactly what it has."""
    sums = attention(x)[1].sum(dim=-1)
    return torch.allclose(sums, torch.ones_like(sums), atol=_NEAR)


def heads_are_mixed(attention: Attention, x: Tensor) -> bool:
    """Doubling the output projection must double the output."""
    before = attention(x)[0]
    attention.output.weight.data.mul_(2)
    after = attention(x)[0]
    attention.output.weight.data.div_(2)
    return torch.allclose(after, 2 * before, atol=_NEAR)


def the_order_matters(attention: Attention, x: Tensor) -> bool:
    """Exchange the first two tokens: the last one must notice."""
    exchanged = x[:, [1, 0, *range(2, x.shape[1])]]
    return not torch.allclose(attention(x)[0][:, -1], attention(exchanged)[0][:, -1], atol=_NEAR)


Test = Callable[[Attention, Tensor], bool]


@dataclass(frozen=True, kw_only=True, slots=True)
class Mistake:
    """One of the classic mistakes.

    Attributes:
        title: what is done, in a few words.
        symptom: what one sees of it, in a sentence or two.
        module: the class that makes it.
        step: the method of `Attention` that it does otherwise.
        test: passes on the right module and fails on this one.
    """

    title: str
    symptom: str
    module: type[Attention]
    step: str
    test: Test


MISTAKES = {
    "never-called": Mistake(
        title="Multiplying by the layer instead of calling it",
        symptom="It does not even run: a layer is an object, not a matrix. Whoever prints such code"
        " has never tried it.",
        module=NeverCalled,
        step="project",
        test=it_runs,
    ),
    "never-split": Mistake(
        title="Heads that are never split",
        symptom="The shapes at the end are right, but there is one map however many heads were"
        " asked for: every token can look for one thing only.",
        module=NeverSplit,
        step="split",
        test=each_head_has_its_map,
    ),
    "not-transposed": Mistake(
        title="view without transpose",
        symptom="Every head gets a block of the tokens instead of a part of each token. Put"
        " together again, numbers of late tokens stand in earlier ones, which the mask should have"
        " kept from them.",
        module=NotTransposed,
        step="split",
        test=the_future_is_hidden,
    ),
    "not-scaled": Mistake(
        title="No division by the square root of the head's width",
        symptom="Long vectors have large dot products, and the softmax of those is nearly 0 or 1"
        " everywhere: before it has learnt anything, each token looks at one other almost alone.",
        module=NotScaled,
        step="weigh",
        test=nobody_looks_at_one_alone,
    ),
    "wrong-axis": Mistake(
        title="Softmax over the wrong axis",
        symptom="Columns sum to 1 instead of rows: the last token takes several times what there"
        " is, the first next to nothing.",
        module=WrongAxis,
        step="weigh",
        test=rows_sum_to_one,
    ),
    "masked-after": Mistake(
        title="Mask after the softmax",
        symptom="Each row has lost what the future took of it. The early tokens, whose future is"
        " long, are almost silent, and how loud they are depends on tokens yet to come.",
        module=MaskedAfter,
        step="weigh",
        test=the_future_is_hidden,
    ),
    "never-projected": Mistake(
        title="An output projection that is never applied",
        symptom="The map is right and so are the shapes. But the heads are not mixed here, and a"
        " quarter of the parameters learns nothing.",
        module=NeverProjected,
        step="finish",
        test=heads_are_mixed,
    ),
    "no-positions": Mistake(
        title="No positions",
        symptom="Exchange two tokens, and the last one finds the same in this layer: the order,"
        " which makes a picture of patches, is ignored.",
        module=NoPositions,
        step="place",
        test=the_order_matters,
    ),
}


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Examined:
    """What a module does to the same tokens as every other.

    Attributes:
        code: its way of the step in question.
        weights: of the first head, float32 (T, T); None if it does not run.
        error: why it does not run, or ''.
        passes: whether the test passes.
        entropy: of its rows, in nats, on average; NaN where they do not sum to 1.
        row_sums: the least and the largest.
        leak: how much the output of earlier tokens changes with the last one; 0 where the mask
            holds.
    """

    code: str
    weights: np.ndarray | None = None
    error: str = ""
    passes: bool = False
    entropy: float = math.nan
    row_sums: tuple[float, float] = (math.nan, math.nan)
    leak: float = math.nan


def examine(name: str, seed: int = 0) -> tuple[Examined, Examined]:
    """Return the right module and one with a mistake, run now on the same random tokens.

    Args:
        name: a key of `MISTAKES`.
        seed: of weights and tokens.

    Raises:
        ValueError: there is no such mistake.
    """
    if not isinstance(name, str) or name not in MISTAKES:
        raise ValueError(f"there is no mistake {shown(name)}; choose one of {', '.join(MISTAKES)}")
    mistake = MISTAKES[name]
    return _examined(Attention, mistake, seed), _examined(mistake.module, mistake, seed)


def test_code(name: str) -> str:
    """Return the Python of the test that catches a mistake."""
    return inspect.getsource(MISTAKES[name].test).strip()


@torch.no_grad()
def _examined(kind: type[Attention], mistake: Mistake, seed: int) -> Examined:
    code = textwrap.dedent(inspect.getsource(getattr(kind, mistake.step))).strip()
    numbers = torch.Generator().manual_seed(seed)  # not the global ones, which others use
    module = kind(numbers=numbers)
    x = torch.randn(2, TOKENS, WIDTH, generator=numbers)
    try:
        output, weights = module(x)
    except TypeError as error:
        return Examined(code=code, error=f"TypeError: {error}")
    later = torch.cat((x[:, :-1], -x[:, -1:]), dim=1)
    leak = (module(later)[0] - output)[:, :-1].abs().max()
    sums = weights.sum(dim=-1)
    whole = torch.allclose(sums, torch.ones_like(sums), atol=_NEAR)
    return Examined(
        code=code,
        weights=weights[0, 0].numpy(),
        passes=mistake.test(module, x),
        entropy=float(torch.special.entr(weights).sum(dim=-1).mean()) if whole else math.nan,
        row_sums=(float(sums.min()), float(sums.max())),
        leak=float(leak),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Depth:
    """A deep Transformer before its first step, built in one way.

    Attributes:
        title: the way.
        norm, residual: see `TransformerConfig`.
    """

    title: str
    norm: str
    residual: bool


DEPTHS = (
    Depth(title="As it should be: residual connections, normalised before", norm="pre-rms",
          residual=True),
    Depth(title="Normalised after each sum, as in 2017", norm="post-layer", residual=True),
    Depth(title="No normalisation", norm="none", residual=True),
    Depth(title="No residual connections", norm="pre-rms", residual=False),
    Depth(title="Neither", norm="none", residual=False),
)  # fmt: skip


def gradients_by_depth(depth: Depth, scale: float = 6.0, seed: int = 0) -> np.ndarray:
    """Return how much gradient reaches each layer of a Transformer with random weights.

    Args:
        scale: of the weights, in those with which training begins, where a layer changes next to
            nothing.
        seed: of weights and tokens.

    Returns:
        float32 (DEPTH,): norm of the gradient by what each layer is given, the first layer first.
    """
    config = TransformerConfig(
        width=64, layers=DEPTH, heads=4, dropout=0, norm=depth.norm, residual=depth.residual
    )
    with torch.device("meta"):  # or building it would take global random numbers
        model = Transformer(config)
    model.to_empty(device="cpu")
    numbers = torch.Generator().manual_seed(seed)
    initialise(model, DEPTH, numbers)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() == 2:
                parameter.mul_(scale)
            else:  # of a normalisation
                parameter.fill_(1.0 if name.endswith("weight") else 0.0)
    x, direction = torch.randn(2, 4, TOKENS, config.width, generator=numbers)
    capture = Capture(keep_streams=True)
    output = model(x.requires_grad_(), capture=capture)
    streams = [capture.streams[layer].before for layer in range(DEPTH)]
    found = torch.autograd.grad((output * direction).sum(), streams)
    return np.array([float(gradient.norm()) for gradient in found], np.float32)
