"""What each layer of an image GPT would already draw, and what each adds to the residual stream.

The logit lens: the last normalisation and the head of the model are applied to the stream between
the layers, as if it ended there (nostalgebraist, "interpreting GPT: the logit lens", 2020; a
lens that is trained for each layer: arXiv 2303.08112).

Shape letters: L layers, N tokens of a picture, V size of the vocabulary, C width of the model.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from genimg.models.attention import Capture
from genimg.models.image_gpt import ImageGpt


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Lens:
    """A drawing as each layer would predict it.

    Depth 0 is before the first layer, depth l after l layers. At every depth the tokens before are
    those of the finished drawing, so each place is one question: what comes here?

    Attributes:
        images: uint8 (L + 1, H, W, C), the pictures of `tokens`.
        tokens: int64 (L + 1, N), the likeliest at each depth.
        probabilities: float32 (L + 1, N), of the drawing's own tokens; before any control, so the
            last row may differ from the `probabilities` of the drawing.
        decided: int64 (N,), the depth from which on the likeliest token stays what it is at the
            end.
        stream: float32 (L + 1, N), length of the stream.
        attention: float32 (L, N), length of what the attention of each layer adds; where
            a normalisation follows, of how far it moves the stream.
        feed_forward: float32 (L, N), the same of the feed-forward network.
    """

    images: np.ndarray
    tokens: np.ndarray
    probabilities: np.ndarray
    decided: np.ndarray
    stream: np.ndarray
    attention: np.ndarray
    feed_forward: np.ndarray


@torch.inference_mode()
def logit_lens(
    capture: Capture, prior: ImageGpt, drawn: np.ndarray, decode: Callable[[Tensor], np.ndarray]
) -> Lens:
    """Return the lens of a drawing.

    Args:
        capture: of the pass over all its tokens but the last.
        prior: the model that made that pass.
        drawn: its tokens, int64 (N,).
        decode: makes pictures, uint8 (M, H, W, C), of tokens int64 (M, N).
    """
    records = [capture.streams[layer] for layer in range(len(prior.transformer.blocks))]
    depths = [records[0].before, *(record.after for record in records)]
    # The model may have gone elsewhere since.
    stream = torch.cat(depths).to(prior.head.weight)  # (L + 1, N, C)
    logits = prior.head(prior.transformer.last_norm(stream)).float().cpu()  # (L + 1, N, V)
    tokens = logits.argmax(dim=-1)  # (L + 1, N)
    places = torch.from_numpy(drawn).expand(len(tokens), -1)[..., None]  # (L + 1, N, 1)
    otherwise = (tokens != tokens[-1]).long()  # (L + 1, N)
    depth = torch.arange(1, len(tokens) + 1)[:, None]
    attention = torch.cat([record.between - record.before for record in records])
    feed_forward = torch.cat([record.after - record.between for record in records])
    return Lens(
        images=decode(tokens),
        tokens=tokens.numpy(),
        probabilities=logits.softmax(dim=-1).gather(-1, places)[..., 0].numpy(),
        decided=(otherwise * depth).amax(dim=0).numpy(),  # right after the last that differs
        stream=_lengths(stream),
        attention=_lengths(attention),
        feed_forward=_lengths(feed_forward),
    )


def _lengths(vectors: Tensor) -> np.ndarray:
    return vectors.float().norm(dim=-1).cpu().numpy()
