"""Drawing with a MaskGIT: several tokens at a time, in any order, step by step to look at.

Shape letters: N tokens of a picture, S steps.
"""

from collections.abc import Iterator
from typing import Any, Literal, TypedDict, Unpack

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from genimg.checks import check_seed, require_number, require_whole_number, shown
from genimg.explore.arguments import Label, check_controls, check_count
from genimg.explore.drawing import DEFAULT_GUIDANCE
from genimg.explore.outputs import Output, Pictures, as_output, check_output
from genimg.explore.parallel_drawn import ParallelDrawing
from genimg.explore.presenting import sheet
from genimg.explore.token_drawing import TokenDrawingModel
from genimg.models.maskgit import MaskGit
from genimg.models.masking import even_masks
from genimg.models.parallel_drawing import ParallelStep, parallel_steps
from genimg.models.token_orders import FIXED, fixed_ranks
from genimg.randomness import generator

ORDERS = ("confidence", *FIXED, "random")
MOST_STEPS = 4096
_BATCH = 250

Order = Literal["confidence", "raster", "spiral", "centre-out", "random"]


class ParallelControls(TypedDict, total=False):
    """How a picture is drawn: those of `Controls`, and three more.

    steps (default 8): in how many steps; at most as many as there are tokens to draw.
    order ("confidence"): which proposals are kept first: those that the model is surest of; or by
        their place, "raster", "spiral", "centre-out", or "random", another order for each picture.
    noise (1): how much chance has a say in which proposals the model is surest of; less of it with
        every step. Of no use in another order.
    """

    temperature: float
    top_k: int
    top_p: float
    guidance: float
    steps: int
    order: Order
    noise: float


DEFAULTS: dict[str, Any] = {
    "steps": 8,
    "order": "confidence",
    "noise": 1.0,
    "guidance": DEFAULT_GUIDANCE,
}


class MaskedDrawerModel(TokenDrawingModel):
    """A MaskGIT with its tokenizer, ready to use.

    Attributes:
        prior, tokenizer: the PyTorch modules, parts of `module`.
        grid: rows and columns of the tokens of a picture.
    """

    prior: MaskGit

    def sample(
        self,
        count: int,
        *,
        seed: int = 0,
        label: Label = None,
        output: Output = "numpy",
        **controls: Unpack[ParallelControls],
    ) -> Pictures:
        """Return new pictures, uint8 (count, H, W, C).

        Args:
            count: how many; sample i of a seed does not depend on it, save for rounding, which now
                and then carries a draw across the border between two tokens.
            seed: which pictures, 0 to 2^32 - 1.
            label: a class by name or number, one of these for each picture, or None for all
                classes in turn.
            output: "numpy" for an array, "torch" for a tensor, uint8 (count, C, H, W), "pil" for a
                list of Pillow images.
            controls: see `ParallelControls`.

        Raises:
            ValueError: an argument is out of range, or the model does not know the label.
        """
        check_count(count)
        check_output(output)
        labels = self._labels(label, count)
        return as_output(self._pictures(labels, seed, controls), output)

    def draw(
        self, *, label: str | int | None, seed: int = 0, **controls: Unpack[ParallelControls]
    ) -> ParallelDrawing:
        """Return sample 0 of `seed` with all that happened in each step.

        Arguments as for `sample`, but the label None is any class: the model is not told one.
        """
        labels = self._one_label(label)
        steps = list(self._steps(labels, seed, 0, controls))
        tokens, proposals, confidence = (
            torch.cat([getattr(step, name) for step in steps]).cpu().numpy()
            for name in ("tokens", "proposals", "confidence")
        )
        return ParallelDrawing(
            image=self._decode(steps[-1].tokens)[0],
            tokens=tokens[-1],
            label=None if label is None else int(labels[0]),
            masked=tokens < 0,
            confidence=confidence,
            proposals=proposals,
            paint=self.unfinished,
        )

    def complete(
        self,
        image: np.ndarray,
        keep: np.ndarray | None = None,
        *,
        rows: int | None = None,
        count: int = 4,
        seed: int = 0,
        label: Label = None,
        output: Output = "numpy",
        **controls: Unpack[ParallelControls],
    ) -> Pictures:
        """Return pictures that keep a part of one and finish it, uint8 (count, H, W, C).

        The tokens of the part stay as they are, and the model sees all of them, wherever they are.

        Args:
            image: uint8 (H, W, C).
            keep: bool, True where the token is kept, over the `grid` of tokens.
            rows: instead of `keep`: how many rows of tokens to keep, from the top.
            label: as for `sample`, but None is any class: the model decides by what it sees.
            output: as for `sample`.

        Raises:
            ValueError: an argument has another shape or range.
        """
        check_count(count)
        check_output(output)
        known, labels = self._to_complete(image, keep, rows, count, label)
        return as_output(self._pictures(labels, seed, controls, known), output)

    @torch.inference_mode()
    def negative_log_likelihood(
        self,
        images: np.ndarray,
        labels: Label,
        *,
        order: Literal["any", "raster", "spiral", "centre-out", "random"] = "any",
        seed: int = 0,
    ) -> np.ndarray:
        """Return -log p(tokens | class) of pictures in nats per token, float32 (M,).

        It is that of drawing one token at a time without any control, for which an order takes N
        passes. "any" is an estimate of the mean over all orders from one pass: for each picture the
        mean over its masked tokens, of which any number is as likely (arXiv 2110.02037, section 3).
        One picture's is rough, the mean of many is not biased.

        It is the likelihood of the tokens: what the tokenizer lost does not count.

        Args:
            images: uint8 (M, H, W, C).
            labels: the class of each by name or number, or one for all.
            order: as for `ParallelControls`, or "any".
            seed: of "random", another order for each picture, and of what "any" masks.

        Raises:
            ValueError: pictures or labels do not fit the model, or there is no such order.
        """
        orders = ("any", *FIXED, "random")
        if not isinstance(order, str) or order not in orders:
            raise ValueError(f"order must be one of {', '.join(orders)}, not {shown(order)}")
        check_seed(seed)
        x = self._input(images)
        numbers = self._labels(labels, len(x))
        # Whatever the order of the pictures: neighbours may be alike.
        masks = even_masks(len(x), self.prior.num_tokens, generator(seed, "likelihood", 0))
        masks = masks[torch.randperm(len(x), generator=generator(seed, "likelihood", 1))]
        found = []
        for start in range(0, len(x), _BATCH):
            part = slice(start, start + _BATCH)
            tokens, classes = self.tokenizer.encode(x[part]), self.here(numbers[part])
            if order == "any":
                mask = self.here(masks[part])
                losses = self._losses(tokens, classes, mask).sum(dim=1) / mask.sum(dim=1)
            else:
                ranks = self.here(self._ranks(order, seed, start, len(tokens)))
                losses = torch.zeros(tokens.shape, device=tokens.device)
                for rank in range(tokens.shape[1]):
                    asked = ranks == rank
                    losses += self._losses(tokens, classes, ranks >= rank) * asked
                losses = losses.mean(dim=1)
            found.append(losses.cpu())
        return torch.cat(found).numpy()

    def _losses(self, tokens: Tensor, labels: Tensor, masked: Tensor) -> Tensor:
        """Return -log p of each masked token given those that are not, else 0, float32 (B, N)."""
        logits = self.prior(tokens.masked_fill(masked, -1), labels).float()  # (B, N, V)
        return F.cross_entropy(logits.mT, tokens, reduction="none").masked_fill(~masked, 0)

    def _pictures(
        self, labels: Tensor, seed: int, controls: ParallelControls, known: Tensor | None = None
    ) -> np.ndarray:
        pictures = []
        for start in range(0, len(labels), _BATCH):
            part = slice(start, start + _BATCH)
            given = self._given(known, part)
            *_, last = self._steps(labels[part], seed, start, controls, given)
            pictures.append(self._decode(last.tokens))
        return np.concatenate(pictures)

    def _steps(
        self,
        labels: Tensor,
        seed: int,
        first: int,
        controls: ParallelControls,
        known: Tensor | None = None,
    ) -> Iterator[ParallelStep]:
        """Return the steps of drawings from number `first` of a seed on."""
        told = bool((labels != self.prior.unconditional).any())
        chosen: dict[str, Any] = DEFAULTS | ({} if told else {"guidance": 1}) | {**controls}
        check_seed(seed)
        _check(chosen)
        steps, order = min(chosen.pop("steps"), self.prior.num_tokens), chosen.pop("order")
        shape = steps, 2, self.prior.num_tokens
        streams = [generator(seed, "draw in parallel", first + i) for i in range(len(labels))]
        uniforms = torch.stack([torch.rand(shape, generator=stream) for stream in streams])
        ranks = None
        if order != "confidence":
            ranks = self.here(self._ranks(order, seed, first, len(labels)))
        return parallel_steps(
            self.prior, self.here(labels), uniforms, ranks=ranks, known=known, **chosen
        )

    def _ranks(self, order: str, seed: int, first: int, count: int) -> Tensor:
        """Return when each token is drawn, int64 (count, N), in pictures from `first` on."""
        if order != "random":
            return fixed_ranks(order, *self.grid).expand(count, -1)
        streams = [generator(seed, "order", first + i) for i in range(count)]
        return torch.stack([torch.randperm(self.prior.num_tokens, generator=s) for s in streams])

    def _examples(self) -> Image.Image:
        return sheet(self.sample(10, seed=0))


def _check(controls: dict[str, Any]) -> None:
    """Raise ValueError unless these are controls of how a picture is drawn in parallel."""
    check_controls(controls, more=("steps", "order", "noise"))
    require_whole_number("steps", controls["steps"], 1, MOST_STEPS)
    require_number("noise", controls["noise"], 0, 100)
    order = controls["order"]
    if not isinstance(order, str) or order not in ORDERS:
        raise ValueError(f"order must be one of {', '.join(ORDERS)}, not {shown(order)}")
