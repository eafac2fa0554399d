"""The Transformer trunk shared by the image GPT and the vision Transformer.

A stack of blocks, each self-attention followed by a SwiGLU feed-forward network. Three parts of
the usual block are named choices, so that a lesson can take one away and watch what happens:
where the normalisation is (`NORMS`), the residual connections, and the scaling by sqrt(D).

Sources: blocks and sinusoidal positions arXiv 1706.03762; normalisation before the layer instead
of after it arXiv 2002.04745; RMSNorm arXiv 1910.07467; SwiGLU arXiv 2002.05202.

Shape letters: B batch, T tokens, C width of the model, F width of the feed-forward network.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genimg.configuration import Configuration, setting
from genimg.models.attention import (
    Capture,
    KeyValueCache,
    MultiHeadSelfAttention,
    StreamRecord,
)
from genimg.models.attention_patterns import Pattern
from genimg.models.surgery import Surgery
from genimg.wording import Wording

NORMS = ("pre-rms", "pre-layer", "post-layer", "none")
INITIAL_DEVIATION = 0.02


@dataclass(frozen=True, kw_only=True)  # no slots: a subclass may have another parent that has them
class TransformerConfig(Configuration):
    """What a `Transformer` is made of."""

    width: int = setting(192, "Width of the model; an even multiple of heads.", low=8, high=1024)
    layers: int = setting(6, "Number of Transformer blocks.", low=1, high=48)
    heads: int = setting(6, "Attention heads in each block.", low=1, high=64)
    dropout: float = setting(
        0.1, "Share of each sublayer's result that is dropped.", low=0, high=0.9
    )
    norm: str = setting("pre-rms", "Kind and place of the normalisation.", choices=NORMS)
    residual: bool = setting(True, "Add each sublayer's result to its input.")
    qk_norm: bool = setting(True, "Normalise queries and keys.")
    scale_by_sqrt: bool = setting(True, "Divide dot products by sqrt(width / heads).")


class SwiGlu(nn.Module):
    """Feed-forward network with a gate: W_out(silu(W_gate x) * W_value x)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        # 8/3 of the width gives the three matrices the size of the classic two with 4 times the
        # width; the multiple of 16 suits vector units.
        hidden = 16 * math.ceil(8 * width / 3 / 16)
        self.gate_and_value = nn.Linear(width, 2 * hidden, bias=False)
        self.output = nn.Linear(hidden, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map float (B, T, C) to (B, T, C), each token by itself."""
        gate, value = self.gate_and_value(x).chunk(2, dim=-1)  # (B, T, F) each
        return self.output(F.silu(gate) * value)  # (B, T, C)


class TransformerBlock(nn.Module):
    """Self-attention, then a feed-forward network; `layer` is its number in the stack."""

    def __init__(self, config: TransformerConfig, *, layer: int) -> None:
        super().__init__()
        self.norm_last = config.norm == "post-layer"
        self.residual = config.residual
        self.attention_norm = _norm(config)
        self.attention = MultiHeadSelfAttention(
            config.width,
            config.heads,
            layer=layer,
            qk_norm=config.qk_norm,
            scale_by_sqrt=config.scale_by_sqrt,
        )
        self.feed_forward_norm = _norm(config)
        self.feed_forward = SwiGlu(config.width)
        # On what is added to the stream, not on the attention weights: rows go on summing to 1
        # and the fused attention kernel stays available on a CPU.
        self.dropout = nn.Dropout(config.dropout)

    def forward(
        self,
        x: Tensor,
        *,
        mask: Tensor | None = None,
        pattern: Pattern | None = None,
        rotation: tuple[Tensor, Tensor] | None = None,
        capture: Capture | None = None,
        cache: KeyValueCache | None = None,
        surgery: Surgery | None = None,
    ) -> Tensor:
        """Map float (B, T, C) to (B, T, C); the rest goes to the attention."""

        def attention(tokens: Tensor) -> Tensor:
            return self.attention(
                tokens,
                mask=mask,
                pattern=pattern,
                rotation=rotation,
                capture=capture,
                cache=cache,
                surgery=surgery,
            )

        def feed_forward(tokens: Tensor) -> Tensor:
            if surgery is not None and self.attention.layer in surgery.feed_forwards_off:
                return torch.zeros_like(tokens)
            return self.feed_forward(tokens)

        between = self._sublayer(x, attention, self.attention_norm)
        after = self._sublayer(between, feed_forward, self.feed_forward_norm)
        if capture is not None and capture.keep_streams:
            record = StreamRecord(before=x, between=between, after=after)
            capture.streams[self.attention.layer] = record
        return after

    def _sublayer(self, x: Tensor, function, norm: nn.Module) -> Tensor:
        change = self.dropout(function(x if self.norm_last else norm(x)))
        x = x + change if self.residual else change
        return norm(x) if self.norm_last else x


class Transformer(nn.Module):
    """A stack of blocks and a last normalisation."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            TransformerBlock(config, layer=layer) for layer in range(config.layers)
        )
        # After a post-norm block the stream is normalised already.
        self.last_norm = nn.Identity() if config.norm == "post-layer" else _norm(config)

    def forward(
        self,
        x: Tensor,
        *,
        mask: Tensor | None = None,
        pattern: Pattern | None = None,
        rotation: tuple[Tensor, Tensor] | None = None,
        capture: Capture | None = None,
        cache: KeyValueCache | None = None,
        surgery: Surgery | None = None,
    ) -> Tensor:
        """Map float (B, T, C) to (B, T, C); see `MultiHeadSelfAttention.forward`."""
        for block in self.blocks:
            x = block(
                x,
                mask=mask,
                pattern=pattern,
                rotation=rotation,
                capture=capture,
                cache=cache,
                surgery=surgery,
            )
        return self.last_norm(x)


def check_heads(width: int, heads: int, position: str) -> None:
    """Raise ValueError unless `width` splits into `heads`, by four each for rotary positions."""
    if width % heads:
        raise ValueError(
            Wording(
                "model.width_of_heads",
                "width ({width}) must be a multiple of heads ({heads})",
                width=width,
                heads=heads,
            )
        )
    if position == "rope" and width // heads % 4:
        raise ValueError(
            Wording(
                "model.rope_width",
                "width / heads must be a multiple of 4 for position 'rope', not {found}",
                found=width // heads,
            )
        )


def sinusoidal_table(length: int, width: int, device: torch.device | None = None) -> Tensor:
    """Return the sinusoidal position table, float32 (length, width); `width` must be even.

    Scaled to the deviation of freshly initialised embeddings: at amplitude 1 the positions would
    drown the tokens they are added to.
    """
    position = torch.arange(length, device=device)[:, None]
    frequency = 10000.0 ** -(torch.arange(0, width, 2, device=device) / width)  # (C / 2,)
    angles = position * frequency  # (T, C / 2)
    waves = torch.stack((angles.sin(), angles.cos()), dim=-1).flatten(1)  # (T, C)
    return waves * (math.sqrt(2) * INITIAL_DEVIATION)


def initialise(model: nn.Module, layers: int, numbers: torch.Generator | None = None) -> None:
    """Draw all matrices and embeddings from N(0, 0.02), in place.

    What is added to the residual stream starts smaller by sqrt(2 * layers), so that the stream's
    variance does not grow with depth (GPT-2). The random numbers are PyTorch's global ones, or
    those of `numbers`.
    """
    for name, module in model.named_modules():
        if isinstance(module, (nn.Linear, nn.Conv2d, nn.Embedding)):
            into_stream = name.endswith((".attention.output", ".feed_forward.output"))
            deviation = INITIAL_DEVIATION / (math.sqrt(2 * layers) if into_stream else 1)
            nn.init.normal_(module.weight, std=deviation, generator=numbers)
            bias = getattr(module, "bias", None)
            if bias is not None:
                nn.init.zeros_(bias)


def _norm(config: TransformerConfig) -> nn.Module:
    if config.norm == "none":
        return nn.Identity()
    if config.norm == "pre-rms":
        return nn.RMSNorm(config.width, eps=1e-6)
    return nn.LayerNorm(config.width)
