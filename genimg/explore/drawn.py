"""A picture that an image GPT has drawn, and how it came to be.

Shape letters: L layers, N tokens of a picture, V size of the vocabulary, T = N + 1 positions: the
class token, then the tokens.
"""

from collections.abc import Callable
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from genimg.explore.arguments import require_index
from genimg.explore.attention_maps import AttentionMaps
from genimg.explore.lens import Lens, logit_lens
from genimg.explore.presenting import card, large, line, pixels_text, png
from genimg.explore.reasons import Reasons, reasons
from genimg.models.attention import Capture
from genimg.models.image_gpt import ImageGpt
from genimg.models.sampling import Prior


class Drawing:
    """A picture of an image GPT, with the numbers it came from.

    Positions count from 0: the class token, then the tokens in raster order. Position t is the one
    that predicted token t, looking at the class and at the tokens before t; so queries go from 0
    to N - 1.

    Attributes:
        prior: the image GPT that drew it.
        image: uint8 (H, W, C).
        tokens: int64 (N,).
        label: number of the class; `ImageGpt.unconditional` for none.
        probabilities: float32 (N, V), the distribution each token was drawn from, after guidance,
            temperature, top-k and top-p. For tokens that were given, as if they had been drawn.
    """

    def __init__(
        self,
        prior: ImageGpt,
        *,
        image: np.ndarray,
        tokens: np.ndarray,
        label: int,
        probabilities: np.ndarray,
        again: Callable[[Prior], Tensor],
        decode: Callable[[Tensor], np.ndarray],
    ) -> None:
        """Take a drawing.

        Args:
            again: draws the tokens anew, int64 (1, N), with the same random numbers and controls
                but another prior.
            decode: makes pictures, uint8 (M, H, W, C), of tokens int64 (M, N).
        """
        self.image, self.tokens, self.label = image, tokens, label
        self.probabilities = probabilities
        self.again, self.decode = again, decode
        self.prior = prior

    def __repr__(self) -> str:
        return line("Drawing", self._facts())

    def _repr_html_(self) -> str:
        return card("Drawing", self._facts(), large(self.image))

    def _repr_png_(self) -> bytes | None:
        return png(large(self.image))

    def _facts(self) -> dict[str, str]:
        grid = self.prior.layout
        told = self.label != self.prior.unconditional
        return {
            "picture": pixels_text(self.image.shape[0], self.image.shape[2]),
            "class": f"class {self.label}" if told else "any class",
            "tokens": f"{grid.rows} x {grid.columns} tokens",
            "vocabulary": f"{self.probabilities.shape[1]} kinds of token",
        }

    @property
    def logits(self) -> np.ndarray:
        """Logits of each token given the class and the tokens before, float32 (N, V).

        They are as the model gives them, before any control. `next_token_distribution` makes
        `probabilities` from u + guidance * (logits - u), with the `unconditional_logits` u; at
        guidance 1 that is just the logits.
        """
        return self._pass[0]

    @cached_property
    def unconditional_logits(self) -> np.ndarray:
        """The same without the class, float32 (N, V)."""
        return self._read(self.prior.unconditional)

    @cached_property
    def maps(self) -> AttentionMaps:
        """The attention of all layers, from one causal pass over the finished tokens."""
        return AttentionMaps(self._pass[1], self.prior.transformer)

    def attention(self, layer: int, head: int, query: int) -> np.ndarray:
        """Return how much position `query` looks at each position, float32 (T,); sums to 1.

        Raises:
            ValueError: there is no such layer, head or query.
        """
        return self.maps.attention(layer, head, query)

    def entropy(self, layer: int, head: int, query: int) -> float:
        """Return the entropy of `attention` in nats."""
        return self.maps.entropy(layer, head, query)

    def contribution(self, layer: int, head: int, query: int) -> np.ndarray:
        """Return how much each position adds to position `query` through one head, float32 (T,).

        The length of weight times value times output projection; see `AttentionMaps.contribution`.
        """
        return self.maps.contribution(layer, head, query)

    def rollout(self, query: int) -> np.ndarray:
        """Return the attention rollout of a position through all layers, float32 (T,)."""
        return self.maps.rollout(query)

    def stages(self, layer: int, head: int, query: int) -> dict[str, np.ndarray]:
        """Return the attention of one head step by step; see `AttentionMaps.stages`."""
        return self.maps.stages(layer, head, query)

    def lens(self) -> Lens:
        """Return what each layer would already have drawn, before any control."""
        return logit_lens(self._pass[1], self.prior, self.tokens, self.decode)

    def reasons(self, query: int) -> Reasons:
        """Return why token `query` was drawn: what spoke for it, by gradient and by ablation.

        Raises:
            ValueError: there is no such token.
        """
        require_index("query", query, len(self.tokens))
        return reasons(self.prior, self.tokens, self.label, self.logits, int(query))

    @cached_property
    def losses(self) -> np.ndarray:
        """-log p of each token given the class and those before, in nats, float32 (N,)."""
        return token_losses(torch.from_numpy(self.logits), self.tokens)

    @cached_property
    def _pass(self) -> tuple[np.ndarray, Capture]:
        capture = Capture(keep_values=True, keep_streams=True)
        return self._read(self.label, capture), capture

    @torch.inference_mode()
    def _read(self, label: int, capture: Capture | None = None) -> np.ndarray:
        device = next(self.prior.parameters()).device
        tokens = torch.from_numpy(self.tokens)[None, :-1].to(device)  # (1, N - 1)
        logits = self.prior(tokens, torch.tensor([label], device=device), capture=capture)
        return logits[0].float().cpu().numpy()


def token_losses(logits: Tensor, tokens: np.ndarray) -> np.ndarray:
    """Return -log p of tokens int64 (N,) by logits (N, V), in nats, float32 (N,)."""
    chances = logits.float().log_softmax(dim=1).cpu()  # (N, V)
    return -chances[range(len(tokens)), tokens].numpy()
