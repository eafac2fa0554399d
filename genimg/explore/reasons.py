"""Why a token was drawn: what the class and each token before it did for it, asked in two ways.

Both compare with a picture in which something else had come: at the place of a token the average
of what the model expected there, at that of the class "any class". *Ablation* puts it there and
looks at how much less likely the drawn token becomes. The *gradient* guesses the same from slopes
alone, in one pass: gradient times difference, the first-order part of the ablation (the two are
compared in Ancona et al. 2018, arXiv 1711.06104). Where they disagree, the model is not straight
between the two pictures, and a map of gradients tells little.

Shape letters: N tokens of a picture, T = N + 1 positions: the class token, then the tokens; n
positions that the one in question may look at; C width of the model.
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from genimg.models.image_gpt import ImageGpt

_BATCH = 64


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Reasons:
    """What spoke for a token that was drawn, in nats of its log probability.

    Above 0 speaks for the token, below 0 against it. Positions that come later have 0.

    Attributes:
        gradient: float32 (T,).
        ablation: float32 (T,).
        seen: the number of positions that came before, n.
    """

    gradient: np.ndarray
    ablation: np.ndarray
    seen: int

    @property
    def agreement(self) -> float:
        """How far the two agree: their rank correlation (Spearman), -1 to 1.

        NaN for fewer than three positions, where there is no order to speak of.
        """
        if self.seen < 3:
            return float("nan")
        first, second = (
            each[: self.seen].argsort().argsort() for each in (self.gradient, self.ablation)
        )
        return float(np.corrcoef(first, second)[0, 1])


def reasons(
    prior: ImageGpt, tokens: np.ndarray, label: int, logits: np.ndarray, query: int
) -> Reasons:
    """Return why token `query` of a picture was drawn.

    Args:
        prior: the model that drew it.
        tokens: of the picture, int64 (N,).
        label: number of the class, or `ImageGpt.unconditional`.
        logits: float32 (N, V), as the model gave them for each token.
        query: number of the token, which the positions up to `query` predict.
    """
    table = prior.token_embedding.weight
    here = torch.from_numpy(tokens).to(table.device)
    classes = torch.tensor([label, prior.unconditional], device=table.device)
    with torch.no_grad():
        drawn = prior.embed(here[None, :query], classes[:1])  # (1, n, C)
        chances = torch.from_numpy(logits[:query]).to(table.device).softmax(dim=1)
        expected = torch.cat((prior.class_embedding(classes[1:]), chances.to(table) @ table))
    vectors = drawn.clone().requires_grad_()
    with torch.enable_grad():
        chance = _log_probability(prior, vectors, here[query])  # (1,)
        (slopes,) = torch.autograd.grad(chance.sum(), vectors)
    gradient = (slopes[0].float() * (drawn[0] - expected).float()).sum(dim=1)  # (n,)
    changed = [
        _changed(prior, drawn, expected, part, here[query])
        for part in torch.arange(query + 1, device=table.device).split(_BATCH)
    ]
    ablation = chance.detach() - torch.cat(changed)  # (n,)
    later = len(tokens) - query
    return Reasons(
        gradient=F.pad(gradient, (0, later)).cpu().numpy(),
        ablation=F.pad(ablation, (0, later)).cpu().numpy(),
        seen=query + 1,
    )


@torch.inference_mode()
def _changed(
    prior: ImageGpt, drawn: Tensor, expected: Tensor, positions: Tensor, token: Tensor
) -> Tensor:
    """Return the log probability of `token`, each time with another position changed, (M,)."""
    vectors = drawn.repeat(len(positions), 1, 1)  # (M, n, C)
    vectors[torch.arange(len(positions), device=drawn.device), positions] = expected[positions]
    return _log_probability(prior, vectors, token)


def _log_probability(prior: ImageGpt, vectors: Tensor, token: Tensor) -> Tensor:
    return prior.predict(vectors)[:, -1].float().log_softmax(dim=1)[:, token]  # (M,)
