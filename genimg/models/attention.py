"""Multi-head scaled dot-product self-attention, and a way to look at it.

Vaswani et al., "Attention Is All You Need" (arXiv 1706.03762), section 3.2. The forward pass
always runs through the fused `F.scaled_dot_product_attention`, which returns no weights. Whoever
wants to see them passes a `Capture`: it keeps the very queries and keys that were used, with the
layer's own scale and mask, and recomputes only the rows it is asked for.

Who may look at whom is a boolean mask, see `attention_masks.py`; for long sequences, where the mask
would cost too much, a pattern, see `attention_patterns.py`.

Shape letters: B batch, T tokens that look (queries), S tokens looked at (keys; S > T with a cache),
H heads, D width of one head, C = H * D width of the model.
"""

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genimg.models.attention_patterns import Pattern
from genimg.models.surgery import Surgery

# Grids here have at most a few dozen rows; the 10000 used for text would leave most rotation
# frequencies practically constant over such a distance.
ROTARY_BASE = 100.0


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenLayout:
    """What each position of a sequence is: class tokens, then registers, then patches.

    Patches are in raster order over a grid of `rows` x `columns`. A causal model may have seen
    only the first tokens of the layout.
    """

    rows: int
    columns: int
    class_tokens: int = 1
    registers: int = 0

    @property
    def first_patch(self) -> int:
        """Position of the patch at row 0, column 0."""
        return self.class_tokens + self.registers

    @property
    def length(self) -> int:
        """Number of positions."""
        return self.first_patch + self.rows * self.columns

    def special_names(self) -> list[str]:
        """Return what the positions before the patches are called; all count from 0."""
        registers = [f"register {number}" for number in range(self.registers)]
        return ["class token"] * self.class_tokens + registers

    def coordinates(self, device: torch.device | None = None) -> Tensor:
        """Return the (row, column) of every position, int64 (length, 2).

        Patches count from 1, so that (0, 0), where a rotary embedding is the identity, belongs
        to the class token and the registers alone.
        """
        rows = torch.arange(1, self.rows + 1, device=device)
        columns = torch.arange(1, self.columns + 1, device=device)
        patches = torch.cartesian_prod(rows, columns)  # (rows * columns, 2)
        return F.pad(patches, (0, 0, self.first_patch, 0))  # (length, 2)


# ---------------------------------------------------------------------------------- rotations


def rotary_table(coordinates: Tensor, head_width: int) -> tuple[Tensor, Tensor]:
    """Return the cosines and sines of a 2-D rotary position embedding.

    Half of the pairs of a head turn with the row and half with the column (RoPE, arXiv
    2104.09864, one axis each). A coordinate of 0 is exactly the identity.

    Args:
        coordinates: (T, 2) row and column of each token.
        head_width: D, a multiple of 4.

    Returns:
        cosines and sines, float32 (T, D / 2) each.
    """
    count = head_width // 4
    exponent = torch.arange(count, device=coordinates.device) / count
    frequencies = ROTARY_BASE**-exponent  # (D / 4,)
    angles = (coordinates[:, :, None] * frequencies).flatten(1)  # (T, 2, D / 4) -> (T, D / 2)
    return angles.cos(), angles.sin()


def rotate(x: Tensor, table: tuple[Tensor, Tensor]) -> Tensor:
    """Turn each pair (i, i + D / 2) of the head vectors `x` (B, H, T, D) by its angle."""
    cosines, sines = (part.to(x.dtype) for part in table)
    first, second = x.chunk(2, dim=-1)  # (B, H, T, D / 2) each
    turned = (first * cosines - second * sines, second * cosines + first * sines)
    return torch.cat(turned, dim=-1)  # (B, H, T, D)


# ------------------------------------------------------------------------- cache and capture


class KeyValueCache:
    """The keys and values of the tokens already seen, for sampling without gradients.

    Make a new one for each batch of sequences. Room is taken once and then filled, which is about
    a tenth faster for 64 pictures than concatenating at every token.

    Args:
        capacity: the most tokens it will hold.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._room: dict[int, tuple[Tensor, Tensor]] = {}
        self._filled: dict[int, int] = {}

    @property
    def length(self) -> int:
        """Number of tokens that all layers have seen."""
        return min(self._filled.values(), default=0)

    def extend(self, layer: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Append the new (B, H, T, D) keys and values and return all, (B, H, S, D) each.

        Raises:
            ValueError: there is no room for them.
        """
        batch, heads, tokens, width = keys.shape
        if layer not in self._room:
            shape = (batch, heads, self.capacity, width)
            self._room[layer] = keys.new_empty(shape), values.new_empty(shape)
        start = self._filled.get(layer, 0)
        end = start + tokens
        if end > self.capacity:
            raise ValueError(f"the cache has room for {self.capacity} tokens, not for {end}")
        all_keys, all_values = self._room[layer]
        all_keys[:, :, start:end] = keys
        all_values[:, :, start:end] = values
        self._filled[layer] = end
        return all_keys[:, :, :end], all_values[:, :, :end]  # (B, H, S, D) each


@dataclass(kw_only=True, slots=True)
class LayerRecord:
    """What one attention layer computed with.

    Attributes:
        queries: (B, H, T, D) after normalisation and rotation.
        keys: (B, H, S, D), likewise.
        scale: what the layer multiplies the dot products by.
        mask: bool (T, S), True = may look at; None: everything.
        values: (B, H, S, D), or None unless they were asked for.
        outputs: (B, H, T, D) weights times values, before the output projection; None unless the
            values were asked for. With autograd on it is part of the graph, and the gradient of a
            loss by the attention weights is `grad(loss, outputs) @ values^T`.
    """

    queries: Tensor
    keys: Tensor
    scale: float
    mask: Tensor | None
    values: Tensor | None = None
    outputs: Tensor | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class StreamRecord:
    """The residual stream around one block, float (B, T, C) each.

    Without residual connections a sublayer replaces the stream instead of adding to it.

    Attributes:
        before: what the block was given.
        between: with what its attention added.
        after: with what its feed-forward network added, too.
    """

    before: Tensor
    between: Tensor
    after: Tensor


class Capture:
    """Collects what attention layers computed with, and recomputes weights on demand.

    Pass it as `capture=` to a model. It never changes what the model returns. A pass that
    continues a `KeyValueCache` adds its queries to those of the passes before it; any other pass
    starts anew. Under `surgery` the weights are those that the head would have used by itself.

    Args:
        layers: numbers of the layers to keep; None keeps all.
        keep_values: keep the values and the outputs of the heads too.
        keep_streams: keep the residual stream around each block, too.

    Attributes:
        streams: the residual stream around each block, by layer; that of the last pass alone.
    """

    def __init__(
        self,
        layers: set[int] | None = None,
        keep_values: bool = False,
        keep_streams: bool = False,
    ) -> None:
        self.layers = layers
        self.keep_values = keep_values
        self.keep_streams = keep_streams
        self.layout: TokenLayout | None = None  # set by the model
        self.streams: dict[int, StreamRecord] = {}
        self._passes: dict[int, list[LayerRecord]] = {}

    def record(self, layer: int, record: LayerRecord) -> None:
        """Receive what a layer computed with; called by `MultiHeadSelfAttention`."""
        if self.layers is not None and layer not in self.layers:
            return
        if not self.keep_values:
            record = replace(record, values=None, outputs=None)
        passes = self._passes.setdefault(layer, [])
        if record.keys.shape[2] == record.queries.shape[2]:  # nothing came out of a cache
            passes.clear()
        passes.append(record)

    def layer(self, layer: int) -> LayerRecord:
        """Return what one layer computed with, all passes over a cache put together.

        Raises:
            ValueError: the layer was not captured.
        """
        if layer not in self._passes:
            raise ValueError(f"layer {layer} was not captured; captured: {sorted(self._passes)}")
        passes = self._passes[layer]
        last = passes[-1]
        if len(passes) == 1:
            return last
        queries = torch.cat([part.queries for part in passes], dim=2)  # (B, H, T, D)
        kept = [part.outputs for part in passes if part.outputs is not None]
        outputs = torch.cat(kept, dim=2) if self.keep_values else None
        # The keys of the last pass are all keys. Earlier queries could not see those still to come.
        mask = torch.zeros(
            queries.shape[2], last.keys.shape[2], dtype=torch.bool, device=queries.device
        )
        start = 0
        for part in passes:
            end = start + part.queries.shape[2]
            mask[start:end, : part.keys.shape[2]] = True if part.mask is None else part.mask
            start = end
        return replace(last, queries=queries, mask=mask, outputs=outputs)

    @torch.no_grad()
    def weights(self, layer: int, head: int | None = None, query: int | None = None) -> Tensor:
        """Return softmax(q K^T * scale + mask) for the asked rows only.

        Args:
            layer: number of the layer, from 0.
            head: number of the head; None gives all heads.
            query: position of the token that looks; None gives all.

        Returns:
            float32 (B, H, T, S), without H if `head` is given, without T if `query` is given.
            Rows sum to 1.

        Raises:
            ValueError: the layer was not captured, or there is no such head or query.
        """
        record = self.layer(layer)
        _, heads, queries, _ = record.queries.shape
        chosen_heads = _chosen("head", head, heads)
        chosen_queries = _chosen("query", query, queries)

        q = record.queries[:, chosen_heads, chosen_queries].float()  # (B, h, t, D)
        k = record.keys[:, chosen_heads].float()  # (B, h, S, D)
        scores = q @ k.transpose(-2, -1) * record.scale  # (B, h, t, S)
        if record.mask is not None:
            scores = scores.masked_fill(~record.mask[chosen_queries], float("-inf"))
        weights = scores.softmax(dim=-1)
        if query is not None:
            weights = weights.squeeze(2)  # (B, h, S)
        if head is not None:
            weights = weights.squeeze(1)  # (B, T, S) or (B, S)
        return weights


def _chosen(name: str, index: int | None, count: int) -> slice:
    if index is None:
        return slice(None)
    if not 0 <= index < count:
        raise ValueError(f"{name} must be from 0 to {count - 1}, not {index}")
    return slice(index, index + 1)


# --------------------------------------------------------------------------------- the layer


class MultiHeadSelfAttention(nn.Module):
    """Self-attention of H heads over a sequence.

    Args:
        width: C, width of the model; a multiple of `heads`.
        heads: H.
        layer: this layer's number, its key in caches and captures.
        qk_norm: normalise each query and key (arXiv 2302.05442, here by RMSNorm).
        scale_by_sqrt: divide the dot products by sqrt(D), as one should; False leaves them as
            they are, to show how the softmax then saturates.

    Raises:
        ValueError: `width` is not a multiple of `heads`.
    """

    def __init__(
        self,
        width: int,
        heads: int,
        *,
        layer: int = 0,
        qk_norm: bool = False,
        scale_by_sqrt: bool = True,
    ) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"width ({width}) must be a multiple of heads ({heads})")
        self.heads = heads
        self.layer = layer
        self.scale = (width // heads) ** -0.5 if scale_by_sqrt else 1.0
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.query_norm = nn.RMSNorm(width // heads, eps=1e-6) if qk_norm else None
        self.key_norm = nn.RMSNorm(width // heads, eps=1e-6) if qk_norm else None
        self.output = nn.Linear(width, width, bias=False)

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
        """Let every token gather from the tokens it may look at.

        Args:
            x: float (B, T, C).
            mask: bool (T, S), True = may look at; None: everything. Every row needs one True.
            pattern: the same as a rule, of a whole sequence or of the one token after those in
                the cache. The output is then computed by it, and the mask is for those who look.
            rotation: the `rotary_table` of these T tokens.
            capture: receives this layer's queries, keys, scale and mask.
            cache: earlier tokens, which become keys in front of these T.
            surgery: what is done to the heads.

        Returns:
            float (B, T, C).

        Raises:
            ValueError: `mask` is not boolean.
        """
        if mask is not None and mask.dtype != torch.bool:
            raise ValueError(f"mask must be boolean with True = may look at, not {mask.dtype}")
        batch, tokens, width = x.shape
        qkv = self.qkv(x).view(batch, tokens, 3, self.heads, -1)  # (B, T, 3, H, D)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)  # (B, H, T, D) each
        q = _prepared(q, self.query_norm, rotation).to(v.dtype)
        k = _prepared(k, self.key_norm, rotation).to(v.dtype)
        if cache is not None:
            k, v = cache.extend(self.layer, k, v)  # (B, H, S, D) each

        if pattern is None:
            y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, scale=self.scale)
        elif k.shape[2] > tokens:
            y = pattern.attend_last(q, k, v, scale=self.scale)
        else:
            memory = None
            # Only what learns; who asks for a gradient to explain wants all of it.
            if pattern.recurrent and self.training and torch.is_grad_enabled():
                memory = self._without_gradient(x, rotation)
            y = pattern.attend(q, k, v, scale=self.scale, memory=memory)
        if surgery is not None:
            y = surgery.heads(
                self.layer, y, queries=q, keys=k, values=v, mask=mask, scale=self.scale
            )
        if capture is not None:
            record = LayerRecord(
                queries=q, keys=k, scale=self.scale, mask=mask, values=v, outputs=y
            )
            capture.record(self.layer, record)
        return self.output(y.transpose(1, 2).reshape(batch, tokens, width))  # (B, T, C)

    def _without_gradient(
        self, x: Tensor, rotation: tuple[Tensor, Tensor] | None
    ) -> tuple[Tensor, Tensor]:
        """Return the keys and values (B, H, T, D) of `x`, of which the gradient ends here."""
        batch, tokens, width = x.shape
        projected = F.linear(x.detach(), self.qkv.weight[width:])
        k, v = projected.view(batch, tokens, 2, self.heads, -1).permute(2, 0, 3, 1, 4)
        return _prepared(k, self.key_norm, rotation).to(v.dtype), v


def _prepared(x: Tensor, norm: nn.RMSNorm | None, rotation: tuple[Tensor, Tensor] | None) -> Tensor:
    """Return queries or keys (B, H, T, D) normalised and rotated."""
    if norm is not None:
        # Under autocast they arrive in bfloat16; their norm belongs in full precision.
        x = norm(x.to(norm.weight.dtype))
    return x if rotation is None else rotate(x, rotation)
