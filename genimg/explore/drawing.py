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

from genimg.checks import check_seed, shown
from genimg.explore.ablation import Ablation, Treatment, ablate, average_maps, surgery_of
from genimg.explore.arguments import Label, check_controls, check_count
from genimg.explore.drawn import Drawing
from genimg.explore.head_table import HeadTable, head_table
from genimg.explore.outputs import Output, Pictures, as_output, check_output
from genimg.explore.presenting import sheet
from genimg.explore.token_drawing import TokenDrawingModel
from genimg.models.image_gpt import ImageGpt
from genimg.models.sampling import Prior, draw_steps, draw_tokens
from genimg.models.surgery import Place
from genimg.randomness import generator

# At 1.75 fashion-gpt's pictures are nearest to real ones and much truer to their class than at 1,
# though a little less varied (benchmarks/guidance.py).
DEFAULT_GUIDANCE = 1.75
_BATCH = 250
_MOST_TOKENS = 16_000  # at once: a token's keys and values take some kilobytes


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


class DrawerModel(TokenDrawingModel):
    """An image GPT with its tokenizer, ready to use.

    Attributes:
        prior, tokenizer: the PyTorch modules, parts of `module`.
        grid: rows and columns of the tokens of a picture.
    """

    prior: ImageGpt

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
        known, labels = self._to_complete(image, keep, rows, count, label)
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

    def measure_heads(self, count: int = 100, *, seed: int = 0) -> HeadTable:
        """Return what each head does, over drawings of all classes in turn, without guidance.

        Args:
            count: how many drawings; 100 take 18 to 30 s of one core for the models that ship.
            seed: which drawings.

        Raises:
            ValueError: an argument is out of range.
        """
        check_count(count)
        labels, uniforms = self._labels(None, count), self._uniforms(seed, count)
        parts = [
            draw_tokens(self.prior, self.here(chosen), rows)
            for chosen, rows in zip(labels.split(_BATCH), uniforms.split(_BATCH), strict=True)
        ]
        return head_table(self.prior, torch.cat(parts), self.here(labels))

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

    def _all_controls(self, controls: Controls, labels: Tensor) -> Controls:
        """Return the controls with the default guidance, or none where it would change nothing."""
        check_controls(controls)
        told = bool((labels != self.prior.unconditional).any())
        return {"guidance": DEFAULT_GUIDANCE if told else 1} | controls

    def _uniforms(self, seed: int, count: int) -> Tensor:
        """Return the random numbers (count, N); row i is a function of (seed, i) alone."""
        check_seed(seed)
        size = self.prior.num_tokens
        rows = [torch.rand(size, generator=generator(seed, "draw", i)) for i in range(count)]
        return torch.stack(rows)

    def _examples(self) -> Image.Image:
        return sheet(self.sample(10, seed=0))

    def _forget(self) -> None:
        super()._forget()
        self.__dict__.pop("_averages", None)
