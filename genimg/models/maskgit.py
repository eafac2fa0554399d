"""A class-conditional Transformer that fills in the masked tokens of a picture.

Where an image GPT predicts the next token from those before it, this one predicts every masked
token from all that are not masked, wherever they are (MaskGIT, Chang et al., arXiv 2202.04200,
section 3.1). So it can draw several tokens at once and in any order, see `parallel_drawing.py`; and
one token at a time it is an autoregressive model of every order (Hoogeboom et al., arXiv
2110.02037).

Shape letters: B batch, N tokens of a picture, V size of the vocabulary, C width.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from genimg.configuration import setting
from genimg.models.attention import TokenLayout, rotary_table
from genimg.models.transformer import Transformer, TransformerConfig, check_heads, initialise


@dataclass(frozen=True, kw_only=True)
class MaskedPriorConfig(TransformerConfig):
    """What a `MaskGit` is made of, whatever its tokens are; see `MaskGitConfig`."""

    classes: int = setting(10, "Number of classes to choose from.", low=1, high=10000)

    def __post_init__(self) -> None:
        """Raise ValueError where fields are out of range or do not fit one another."""
        super().__post_init__()  # also of what a subclass inherits beside this
        check_heads(self.width, self.heads, "rope")


@dataclass(frozen=True, kw_only=True)
class MaskGitConfig(MaskedPriorConfig):
    """All that a `MaskGit` is made of; the defaults have 3.0 million parameters."""

    vocabulary_size: int = setting(1000, "Number of different tokens.", low=2, high=65536)
    rows: int = setting(8, "Rows of the token grid.", low=1, high=64)
    columns: int = setting(8, "Columns of the token grid.", low=1, high=64)


class MaskGit(nn.Module):
    """Model of masked tokens, p(token_i | class, tokens that are not masked) for every place i.

    Attributes:
        unconditional: the label that means "any class". Training replaces some labels by it, and
            guidance compares against it (classifier-free guidance, arXiv 2207.12598).
        layout: what each position of the sequence is: the class token, then the grid.
        num_tokens: N.
    """

    def __init__(self, config: MaskGitConfig) -> None:
        super().__init__()
        self.config = config
        self.unconditional = config.classes
        self.layout = TokenLayout(rows=config.rows, columns=config.columns)
        self.num_tokens = config.rows * config.columns
        self.class_embedding = nn.Embedding(config.classes + 1, config.width)
        self.token_embedding = nn.Embedding(config.vocabulary_size + 1, config.width)
        self.dropout = nn.Dropout(config.dropout)
        self.transformer = Transformer(config)
        self.head = nn.Linear(config.width, config.vocabulary_size, bias=False)
        initialise(self, config.layers)
        # Training then starts at the uniform distribution, a loss of log(V).
        nn.init.zeros_(self.head.weight)

    def forward(self, tokens: Tensor, labels: Tensor) -> Tensor:
        """Return the logits of the token at every place.

        Only those of masked places mean anything: training asks for no others.

        Args:
            tokens: int64 (B, N) from 0 to V - 1, or -1 where the token is masked.
            labels: int64 (B,) from 0 to classes, which is the unconditional label.

        Returns:
            float (B, N, V).

        Raises:
            ValueError: wrong shapes.
        """
        if tokens.shape != (len(labels), self.num_tokens) or labels.dim() != 1:
            raise ValueError(
                f"tokens must be (batch, {self.num_tokens}) and labels (batch,), not "
                f"{tuple(tokens.shape)} and {tuple(labels.shape)}"
            )
        mask_token = self.config.vocabulary_size
        x = self.token_embedding(torch.where(tokens < 0, mask_token, tokens))  # (B, N, C)
        x = torch.cat((self.class_embedding(labels)[:, None], x), dim=1)  # (B, N + 1, C)
        coordinates = self.layout.coordinates(x.device)
        rotation = rotary_table(coordinates, self.config.width // self.config.heads)
        x = self.transformer(self.dropout(x), rotation=rotation)
        # As in an image GPT the class token predicts the first token, and so on: so a MaskGIT can
        # begin with the weights of an image GPT (`benchmarks/maskgit_from_gpt.py`).
        return self.head(x[:, :-1])  # (B, N, V)
