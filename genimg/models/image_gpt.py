"""A class-conditional Transformer that draws a picture token by token.

A decoder-only Transformer over the tokens of a picture, in raster order, with the class
as the first token (image GPT, Chen et al. 2020; block choices as in LlamaGen, arXiv 2406.06525).
Each output is a distribution over the next token, so the likelihood of a picture is exact.

Shape letters: B batch, T tokens given, N tokens of a picture, V size of the vocabulary, C width.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from genimg.configuration import setting
from genimg.models.attention import Capture, KeyValueCache, TokenLayout, rotary_table
from genimg.models.attention_patterns import ATTENTIONS, Pattern, pattern_of
from genimg.models.surgery import Surgery
from genimg.models.transformer import (
    INITIAL_DEVIATION,
    Transformer,
    TransformerConfig,
    check_heads,
    initialise,
    sinusoidal_table,
)
from genimg.wording import Wording

# With more tokens than this no mask of all pairs is made (see `attention_patterns`). Below it one
# call with a mask is as fast.
MOST_MASKED = 256
_USUAL_WINDOW = 112  # four rows of 28 pixels


@dataclass(frozen=True, kw_only=True)
class PriorConfig(TransformerConfig):
    """What an `ImageGpt` is made of, whatever its tokens are; see `ImageGptConfig`."""

    classes: int = setting(10, "Number of classes to choose from.", low=1, high=10000)
    position: str = setting(
        "rope",
        "How the model knows where a token is.",
        choices=("rope", "learned", "sinusoidal", "none"),
    )
    attention: str = setting(
        "full",
        "What a token sees: all before it, a sliding window, or its segment and a memory.",
        choices=ATTENTIONS,
    )
    window: int = setting(
        0,
        "Tokens back that a sliding window sees, besides the class; 0 is 112. Above 0 attention is"
        " one.",
        low=0,
        high=4096,
    )
    segment: int = setting(112, "Tokens of a segment of recurrent attention.", low=1, high=4096)
    memory: int = setting(
        112, "Tokens before its segment that recurrent attention remembers.", low=0, high=4096
    )

    def __post_init__(self) -> None:
        """Raise ValueError where fields are out of range or do not fit one another.

        A window of some length is a sliding one, as it was before there was a choice.
        """
        super().__post_init__()  # also of what a subclass inherits beside this
        if self.window and self.attention == "full":
            object.__setattr__(self, "attention", "window")
        check_heads(self.width, self.heads, self.position)
        if self.width % 2:
            raise ValueError(
                Wording("model.even_width", "width must be even, not {width}", width=self.width)
            )


@dataclass(frozen=True, kw_only=True)
class ImageGptConfig(PriorConfig):
    """All that an `ImageGpt` is made of; the defaults have 3.0 million parameters."""

    vocabulary_size: int = setting(1000, "Number of different tokens.", low=2, high=65536)
    rows: int = setting(8, "Rows of the token grid.", low=1, high=64)
    columns: int = setting(8, "Columns of the token grid.", low=1, high=64)


class ImageGpt(nn.Module):
    """Next-token model p(token_t | class, tokens before t).

    Attributes:
        unconditional: the label that means "any class". Training replaces some labels by it, and
            guidance compares against it (classifier-free guidance, arXiv 2207.12598).
        layout: what each position of the sequence is: the class token, then the grid.
        pattern: which positions each position sees.
    """

    def __init__(self, config: ImageGptConfig) -> None:
        super().__init__()
        self.config = config
        self.unconditional = config.classes
        self.layout = TokenLayout(rows=config.rows, columns=config.columns)
        self.num_tokens = config.rows * config.columns
        self.pattern = pattern_of(
            config.attention,
            length=self.num_tokens,
            window=config.window or _USUAL_WINDOW,
            segment=config.segment,
            memory=config.memory,
        )
        self.class_embedding = nn.Embedding(config.classes + 1, config.width)
        self.token_embedding = nn.Embedding(config.vocabulary_size, config.width)
        if config.position == "learned":
            self.positions = nn.Parameter(torch.empty(self.num_tokens, config.width))
            nn.init.normal_(self.positions, std=INITIAL_DEVIATION)
        self.dropout = nn.Dropout(config.dropout)
        self.transformer = Transformer(config)
        self.head = nn.Linear(config.width, config.vocabulary_size, bias=False)
        initialise(self, config.layers)
        # Training then starts at the uniform distribution, a loss of log(V).
        nn.init.zeros_(self.head.weight)

    def forward(
        self,
        tokens: Tensor,
        labels: Tensor,
        *,
        capture: Capture | None = None,
        cache: KeyValueCache | None = None,
        surgery: Surgery | None = None,
    ) -> Tensor:
        """Return the logits of the next token after the class and after each given token.

        For a whole picture pass `tokens[:, :-1]`: the last token predicts nothing.

        With a `cache`, pass only the tokens it has not seen. The first call, with an empty cache,
        puts the class token in front, and its `tokens` may be (B, 0):

            cache = KeyValueCache(gpt.num_tokens)
            logits = gpt(tokens[:, :0], labels, cache=cache)       # (B, 1, V), for token 0
            logits = gpt(tokens[:, 0:1], labels, cache=cache)      # (B, 1, V), for token 1

        Args:
            tokens: int64 (B, T) from 0 to V - 1, at most N - 1 including those in the cache.
            labels: int64 (B,) from 0 to classes, which is the unconditional label.
            capture: receives what every attention layer computed with.
            cache: keys and values of the tokens already seen.
            surgery: what is done to heads and feed-forward networks.

        Returns:
            float (B, T + 1, V); logits[:, t] predicts token t. Once the cache holds tokens,
            (B, T, V): one row for each new token.

        Raises:
            ValueError: wrong shapes, or more tokens than the picture has places.
        """
        past = cache.length if cache is not None else 0
        self._check(tokens, labels, past)
        x = self.token_embedding(tokens) if past else self.embed(tokens, labels)  # (B, T + 1, C)
        return self.predict(x, capture=capture, cache=cache, surgery=surgery)

    def embed(self, tokens: Tensor, labels: Tensor) -> Tensor:
        """Return the vectors of the class and of the tokens int64 (B, T), float (B, T + 1, C).

        They do not say yet where they are: `predict` adds that.
        """
        x = self.token_embedding(tokens)  # (B, T, C)
        return torch.cat((self.class_embedding(labels)[:, None], x), dim=1)  # (B, T + 1, C)

    def predict(
        self,
        x: Tensor,
        *,
        capture: Capture | None = None,
        cache: KeyValueCache | None = None,
        surgery: Surgery | None = None,
    ) -> Tensor:
        """Return the logits after each of the vectors of `embed`, float (B, T, C) to (B, T, V).

        The rest as for `forward`, whose second half it is: who calls it has the vectors at hand,
        to change them or to ask for gradients.
        """
        past = cache.length if cache is not None else 0
        end = past + x.shape[1]
        if self.config.position == "learned":
            x = x + self.positions[past:end]
        elif self.config.position == "sinusoidal":
            table = sinusoidal_table(end, self.config.width, x.device)  # (end, C)
            x = x + table[past:].to(x.dtype)
        if capture is not None:
            capture.layout = self.layout
        pattern = self._pattern(past, end)
        looked_at = capture is not None or surgery is not None
        x = self.transformer(
            self.dropout(x),
            mask=self._mask(past, end, x.device) if looked_at or pattern is None else None,
            pattern=pattern,
            rotation=self._rotation(past, end, x.device),
            capture=capture,
            cache=cache,
            surgery=surgery,
        )
        return self.head(x)  # (B, T + 1, V), or (B, T, V) after a filled cache

    def visible(self) -> Tensor:
        """Return which positions each position that predicts a token may look at, bool (N, N)."""
        return self.pattern.rows(0, self.num_tokens, self.token_embedding.weight.device)

    def _pattern(self, past: int, end: int) -> Pattern | None:
        """Return the rule to compute by; None where a mask is the better way."""
        long = self.num_tokens > MOST_MASKED or self.pattern.recurrent
        return self.pattern if long and (not past or end - past == 1) else None

    def _mask(self, past: int, end: int, device: torch.device) -> Tensor | None:
        """Return which of the first `end` positions those from `past` on may see."""
        if end - past == 1 and self.config.attention == "full":
            return None  # the newest token sees everything there is
        return self.pattern.rows(past, end, device)  # (end - past, end)

    def _rotation(self, past: int, end: int, device: torch.device) -> tuple[Tensor, Tensor] | None:
        # Computed at every call, in microseconds: a stored table would be one more buffer that a
        # model built without data could leave uninitialised.
        if self.config.position != "rope":
            return None
        coordinates = self.layout.coordinates(device)[past:end]
        return rotary_table(coordinates, self.config.width // self.config.heads)

    def _check(self, tokens: Tensor, labels: Tensor, past: int) -> None:
        if tokens.dim() != 2 or labels.shape != tokens.shape[:1]:
            raise ValueError(
                "tokens must be (batch, tokens) and labels (batch,), not "
                f"{tuple(tokens.shape)} and {tuple(labels.shape)}"
            )
        before = max(past - 1, 0)  # the first position is the class token
        if before + tokens.shape[1] >= self.num_tokens:
            raise ValueError(
                f"{before + tokens.shape[1]} tokens are too many for a picture of "
                f"{self.num_tokens}: leave out the last, which predicts nothing"
            )
        if past and not tokens.shape[1]:
            raise ValueError("the cache holds the class token already, so give at least one token")
