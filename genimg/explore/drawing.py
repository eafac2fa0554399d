"""Drawing with an image GPT, and looking at how it drew.

Shape letters: N tokens of a picture, V size of the vocabulary, T = N + 1 positions: the class
token, then the tokens.
"""

from collections.abc import Collection, Iterator, Mapping
from functools import cached_property
from typing import TypedDict, Unpack

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from genimg.checkpoints import Checkpoint
from genimg.checks import check_seed, shown
from genimg.explore.ablation import Ablation, Treatment, ablate, average_maps, surgery_of
from genimg.explore.arguments import (
    Label,
    check_controls,
    check_count,
    class_number,
    class_numbers,
    one_picture,
    require_index,
    token_numbers,
)
from genimg.explore.drawn import Drawing
from genimg.explore.loaded import LoadedModel
from genimg.explore.outputs import Output, Pictures, as_output, check_output
from genimg.explore.presenting import sheet
from genimg.models.sampling import Prior, draw_steps, draw_tokens
from genimg.models.surgery import Place
from genimg.randomness import generator
from genimg.tensors import to_uint8

# At 1.75 fashion-gpt's pictures are nearest to real ones and much truer to their class than at 1,
# though a little less varied (benchmarks/guidance.py).
DEFAULT_GUIDANCE = 1.75
_BATCH = 250
_MOST_TOKENS = 16_000  # at once: a token's keys and values take some kilobytes
_UNDRAWN = 128  # the grey of places that have no token yet


class Controls(TypedDict, total=False):
    """How the next token is chosen.

    temperature (default 1): below 1 more typical, above 1 more varied, 0 the likeliest only.
    top_k (0): choose among the likeliest k tokens; 0 among all.
    top_p (1): choose among the likeliest tokens that together have this probability.
    guidance (`DEFAULT_GUIDANCE`): above 1 exaggerates what is special to the class; 1 is none, and
        takes half the time. Without a class there is nothing to exaggerate.
    """

    temperature: float
    top_k: int
    top_p: float
    guidance: float


class DrawerModel(LoadedModel):
    """An image GPT with its tokenizer, ready to use.

    Attributes:
        prior, tokenizer: the PyTorch modules, parts of `module`.
        grid: rows and columns of the tokens of a picture.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__(checkpoint)
        self.prior = checkpoint.model.prior
        # Decoding is a third faster this way on a CPU.
        self.tokenizer = checkpoint.model.tokenizer.to(memory_format=torch.channels_last)
        self.grid = self.tokenizer.grid

    def sample(
        self,
        count: int,
        *,
        seed: int = 0,
        label: Label = None,
        output: Output = "numpy",
        **controls: Unpack[Controls],
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
            controls: see `Controls`.

        Raises:
            ValueError: an argument is out of range, or the model does not know the label.
        """
        check_count(count)
        check_output(output)
        labels = self._labels(label, count)
        return as_output(self._pictures(labels, seed, controls), output)

    def generate(
        self, *, label: str | int | None, seed: int = 0, **controls: Unpack[Controls]
    ) -> Drawing:
        """Return sample 0 of `seed` with the numbers it came from.

        Arguments as for `sample`, but the label None is any class: the model is not told one.
        """
        return self._drawing(self._one_label(label), self._uniforms(seed, 1), None, controls)

    def stream(
        self, *, label: str | int | None, seed: int = 0, **controls: Unpack[Controls]
    ) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
        """Draw the picture of `generate` and yield after each token.

        Yields:
            The number of the step from 0; the tokens so far, int64 (N,) with -1 for those to come;
            the picture so far, uint8 (H, W, C), grey where there is no token yet. Near what is
            undrawn it may still change, because the decoder looks at neighbouring tokens.
        """
        labels, uniforms = self._one_label(label), self._uniforms(seed, 1)
        controls = self._all_controls(controls, labels)
        steps = draw_steps(self.prior, self.here(labels), uniforms, **controls)
        return self._stream(steps)  # refused now, and not when the first step is asked for

    def _stream(
        self, steps: Iterator[tuple[Tensor, Tensor]]
    ) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
        so_far = np.full(self.prior.num_tokens, -1)
        for step, (token, _) in enumerate(steps):
            so_far[step] = int(token)
            yield step, so_far.copy(), self.unfinished(so_far)

    def unfinished(self, tokens: np.ndarray) -> np.ndarray:
        """Return the picture of tokens int64 (..., N), of which some are -1, uint8 (..., H, W, C).

        The decoder needs a token in every place: there it gets those of a black picture, and the
        result is painted grey.

        Raises:
            ValueError: the tokens have another shape, or one is not in the vocabulary.
        """
        size = self.prior.num_tokens
        given = token_numbers(tokens, size, -1, self.tokenizer.vocabulary_size - 1)
        missing = given == -1  # (..., N)
        rows = torch.where(missing, self._black, given).view(-1, size)  # (M, N)
        pictures = self._decode(rows)  # (M, H, W, C)
        pictures = pictures.reshape(*given.shape[:-1], *pictures.shape[1:])
        grid = missing.unflatten(-1, self.grid).numpy()  # (..., rows, columns)
        patch = self.tokenizer.config.patch_size
        pictures[grid.repeat(patch, axis=-2).repeat(patch, axis=-1)] = _UNDRAWN
        return pictures

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
        **controls: Unpack[Controls],
    ) -> Pictures:
        """Return pictures that keep a part of one and finish it, uint8 (count, H, W, C).

        The tokens of the part stay as they are. The model draws in raster order, so what it draws
        fits what is kept above and to the left; it does not see what is kept further on.

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
        known = self._encode(image)  # (1, N)
        kept = torch.from_numpy(self._kept(keep, rows)).flatten()  # (N,)
        known = torch.where(kept, known, -1).repeat(count, 1)  # (count, N)
        if label is None:
            labels = torch.full((count,), self.prior.unconditional)
        else:
            labels = self._labels(label, count)
        return as_output(self._pictures(labels, seed, controls, known), output)

    def read(self, image: np.ndarray, *, label: str | int | None = None) -> Drawing:
        """Return a given picture as the model reads it: all tokens are known, none is drawn.

        `probabilities` tell how it would have gone on at each token, without any control.

        Args:
            image: uint8 (H, W, C).
            label: a class by name or number; None is any class.

        Raises:
            ValueError: the picture has another size, or the model does not know the label.
        """
        labels = self._one_label(label)
        return self._drawing(labels, self._uniforms(0, 1), self._encode(image), {"guidance": 1})

    def ablate(
        self,
        drawing: Drawing,
        *,
        heads: Mapping[Place, Treatment] | None = None,
        feed_forwards: Collection[int] = (),
    ) -> Ablation:
        """Make a drawing of this model again without some of its parts.

            drawing = model.generate(label="Coat", seed=3)
            model.ablate(drawing, heads={(2, 0): "off", (2, 1): "uniform"}, feed_forwards=[5])

        Args:
            drawing: from `generate` or `read`.
            heads: what is done to heads, by (layer, head): see `genimg.explore.ablation.Treatment`.
            feed_forwards: layers whose feed-forward network adds nothing.

        Raises:
            ValueError: there is no such layer, head or treatment, or this is not a drawing.
        """
        if isinstance(drawing, Drawing) and drawing.prior is not self.prior:
            raise ValueError("this drawing is another model's; generate it with this one")
        if not isinstance(drawing, Drawing):
            raise ValueError(f"drawing must come from generate or read, not {shown(drawing)}")
        surgery = surgery_of(self.prior, heads, feed_forwards, lambda: self._averages)
        return ablate(drawing, self.prior, surgery)

    @cached_property
    def _averages(self) -> Tensor:
        return average_maps(self.prior)

    @torch.inference_mode()
    def negative_log_likelihood(self, images: np.ndarray, labels: Label) -> np.ndarray:
        """Return -log p(tokens | class) of pictures in nats per token, float32 (M,).

        It is the likelihood of the tokens: what the tokenizer lost does not count.

        Args:
            images: uint8 (M, H, W, C).
            labels: the class of each by name or number, or one for all.

        Raises:
            ValueError: pictures or labels do not fit the model.
        """
        x = self._input(images)
        numbers = self._labels(labels, len(x))
        found = []
        parts = zip(x.split(self._batch), numbers.split(self._batch), strict=True)
        for part, classes in parts:
            tokens = self.tokenizer.encode(part)  # (B, N)
            logits = self.prior(tokens[:, :-1], self.here(classes)).float()  # (B, N, V)
            losses = F.cross_entropy(logits.mT, tokens, reduction="none").cpu()
            found.append(losses.mean(dim=1))  # (B,)
        return torch.cat(found).numpy()

    def _pictures(
        self, labels: Tensor, seed: int, controls: Controls, known: Tensor | None = None
    ) -> np.ndarray:
        uniforms = self._uniforms(seed, len(labels))
        controls = self._all_controls(controls, labels)
        pictures = []
        for start in range(0, len(labels), self._batch):
            part = slice(start, start + self._batch)
            chosen, given = self.here(labels[part]), self._given(known, part)
            tokens = draw_tokens(self.prior, chosen, uniforms[part], known=given, **controls)
            pictures.append(self._decode(tokens))
        return np.concatenate(pictures)

    def _drawing(
        self, labels: Tensor, uniforms: Tensor, known: Tensor | None, controls: Controls
    ) -> Drawing:
        controls = self._all_controls(controls, labels)

        def again(prior: Prior) -> Tensor:  # where the model is then
            given = self._given(known, slice(None))
            return draw_tokens(prior, self.here(labels), uniforms, known=given, **controls)

        given = self._given(known, slice(None))
        steps = list(draw_steps(self.prior, self.here(labels), uniforms, known=given, **controls))
        tokens = torch.cat([token for token, _ in steps])  # (N,)
        return Drawing(
            self.prior,
            image=self._decode(tokens[None])[0],
            tokens=tokens.cpu().numpy(),
            label=int(labels[0]),
            probabilities=torch.cat([row for _, row in steps]).cpu().numpy(),
            again=again,
            decode=self._decode,
        )

    @property
    def _batch(self) -> int:
        """How many pictures go through the model at once."""
        return max(1, min(_BATCH, _MOST_TOKENS // self.prior.num_tokens))

    def _given(self, known: Tensor | None, part: slice) -> Tensor | None:
        return None if known is None else self.here(known[part])

    def _all_controls(self, controls: Controls, labels: Tensor) -> Controls:
        """Return the controls with the default guidance, or none where it would change nothing."""
        check_controls(controls)
        told = bool((labels != self.prior.unconditional).any())
        return {"guidance": DEFAULT_GUIDANCE if told else 1} | controls

    def _labels(self, label: Label, count: int) -> Tensor:
        """Return class numbers, int64 (count,); None is all classes in turn."""
        numbers = class_numbers(label, count, self.classes, self.name)
        assert numbers is not None  # an image GPT has at least one class
        return numbers

    def _one_label(self, label: str | int | None) -> Tensor:
        """Return the number of a class, int64 (1,); None is any class."""
        if label is None:
            return torch.tensor([self.prior.unconditional])
        return torch.tensor([class_number(label, self.classes, self.name)])

    def _uniforms(self, seed: int, count: int) -> Tensor:
        """Return the random numbers (count, N); row i is a function of (seed, i) alone."""
        check_seed(seed)
        size = self.prior.num_tokens
        rows = [torch.rand(size, generator=generator(seed, "draw", i)) for i in range(count)]
        return torch.stack(rows)

    def _kept(self, keep: np.ndarray | None, rows: int | None) -> np.ndarray:
        """Return which tokens to keep, bool (rows, columns)."""
        if (keep is None) == (rows is None):
            raise ValueError("say what to keep: either keep, a mask of tokens, or rows, a number")
        if rows is not None:
            require_index("rows", rows, self.grid[0] + 1)
            return np.arange(self.grid[0])[:, None].repeat(self.grid[1], axis=1) < rows
        try:
            mask = np.asarray(keep)
        except (ValueError, TypeError):  # rows of several lengths
            mask = np.empty(0)
        if mask.dtype != bool or mask.shape != self.grid:
            raise ValueError(f"keep must be bool {self.grid}, not {shown(keep)}")
        return mask

    def _examples(self) -> Image.Image:
        return sheet(self.sample(10, seed=0))

    def _forget(self) -> None:
        for name in ("_black", "_averages"):
            self.__dict__.pop(name, None)

    @cached_property
    def _black(self) -> Tensor:
        shape = (self.config.size, self.config.size, self.config.channels)
        return self._encode(np.zeros(shape, np.uint8))[0]  # (N,)

    @torch.inference_mode()
    def _encode(self, image: np.ndarray) -> Tensor:
        x = self.here(one_picture(image, self.config, self.name))
        return self.tokenizer.encode(x).cpu()  # (1, N)

    @torch.inference_mode()
    def _decode(self, tokens: Tensor) -> np.ndarray:
        return to_uint8(self.tokenizer.decode(self.here(tokens)))
