"""Who sees whom in a long sequence, computed without ever making the whole matrix.

Three causal attentions, each the same piece of arithmetic with other numbers. The positions after
the first, which is the class token, are cut into chunks; a token sees the class token, a memory of
the positions right before its chunk, and what came before it in its chunk:

- *full*: one chunk that holds everything.
- *sliding window with a global token* (Longformer, arXiv 2004.05150, sections 3.1 and 3.2): a
  token sees the last w positions; chunk and memory are w long, and of both it sees w.
- *segment recurrence* (Transformer-XL, arXiv 1901.02860, section 3.2): a token sees its segment
  and the whole memory. The memory is what the layer computed for the segments before; it is
  passed on without its gradient, so that learning stays within a segment. Information reaches
  further with each layer. Positions are relative where the keys are rotated (RoPE): a score then
  depends on how far two tokens are apart and on nothing else. The paper has another formula for
  that, and no token that is always seen.

All chunks are as long as one another, so they go through the fused kernel as if they were heads.

Shape letters: B batch, H heads, T positions, D width of a head, S keys, n chunks, c positions of a
chunk, M positions of the memory.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

ATTENTIONS = ("full", "window", "recurrent")


@dataclass(frozen=True, slots=True)
class Pattern:
    """Which of the positions before it a token sees; always itself and position 0.

    Attributes:
        chunk: c, positions that are computed together; position 1 begins the first.
        memory: M, positions before the chunk that can be seen from it.
        sliding: a token sees just the last `memory` positions, of its chunk and of the memory;
            `memory` must then be `chunk`.
        recurrent: no gradient passes through the memory.
    """

    chunk: int
    memory: int = 0
    sliding: bool = False
    recurrent: bool = False

    def first_seen(self, position: Tensor) -> Tensor:
        """Return the first position that each position sees beside position 0, int64 like it."""
        begin = position if self.sliding else self._chunk_start(position)
        return (begin - self.memory).clamp(min=0)

    def rows(self, start: int, end: int, device: torch.device | None = None) -> Tensor:
        """Return which of the first `end` positions those from `start` on see, bool.

        Returns:
            (end - start, end), True = sees.
        """
        query = torch.arange(start, end, device=device)[:, None]
        key = torch.arange(end, device=device)
        return (key <= query) & ((key >= self.first_seen(query)) | (key == 0))

    def remembered(self, length: int, device: torch.device | None = None) -> Tensor:
        """Return which of `length` positions each sees without their gradient, bool (T, T)."""
        start = self._chunk_start(torch.arange(length, device=device))[:, None]
        key = torch.arange(length, device=device)
        before = (key > 0) & (key < start) & self.recurrent
        return before & self.rows(0, length, device)

    def attend(
        self,
        queries: Tensor,
        keys: Tensor,
        values: Tensor,
        *,
        scale: float,
        memory: tuple[Tensor, Tensor] | None = None,
    ) -> Tensor:
        """Return what each of the positions from 0 on finds, (B, H, T, D).

        Args:
            queries, keys, values: (B, H, T, D).
            scale: factor on the dot products.
            memory: keys and values as the chunks after theirs see them: the same numbers, with
                another gradient; None: they are no different.
        """
        old_keys, old_values = memory or (keys, values)
        length, c = queries.shape[2], self.chunk
        end = min(1 + c, length)
        q, k, v = queries[:, :, :end], keys[:, :, :end], values[:, :, :end]
        found = [F.scaled_dot_product_attention(q, k, v, is_causal=True, scale=scale)]
        while end < length and end <= self.memory:  # the memory is not full yet
            start, end = end, min(end + c, length)
            k = torch.cat((keys[:, :, :1], old_keys[:, :, 1:start], keys[:, :, start:end]), dim=2)
            v = torch.cat(
                (values[:, :, :1], old_values[:, :, 1:start], values[:, :, start:end]), dim=2
            )
            mask = self.rows(start, end, queries.device)
            q = queries[:, :, start:end]
            found.append(F.scaled_dot_product_attention(q, k, v, attn_mask=mask, scale=scale))
        if end < length:
            found.append(
                self._many(queries, (keys, values), (old_keys, old_values), start=end, scale=scale)
            )
        return torch.cat(found, dim=2)

    def attend_last(self, query: Tensor, keys: Tensor, values: Tensor, *, scale: float) -> Tensor:
        """Return what the last of S positions finds, (B, H, 1, D).

        Args:
            query: (B, H, 1, D).
            keys, values: (B, H, S, D).
        """
        first = int(self.first_seen(torch.tensor(keys.shape[2] - 1)))
        if first > 1:
            keys, values = (
                torch.cat((x[:, :, :1], x[:, :, first:]), dim=2) for x in (keys, values)
            )
        return F.scaled_dot_product_attention(query, keys, values, scale=scale)

    def _many(
        self,
        queries: Tensor,
        now: tuple[Tensor, Tensor],
        before: tuple[Tensor, Tensor],
        *,
        start: int,
        scale: float,
    ) -> Tensor:
        """Return what all positions from `start` on find, whose memories are full."""
        batch, heads, length, width = queries.shape
        c, reach = self.chunk, self.memory
        count = -(-(length - start) // c)
        end = start + count * c

        def chunks(x: Tensor) -> Tensor:  # (B, H, n, c, D)
            return F.pad(x[:, :, start:], (0, 0, 0, end - length)).unflatten(2, (count, c))

        def with_memory(x: Tensor, old: Tensor) -> Tensor:  # (B, H, n, 1 + M + c, D)
            parts = [x[:, :, :1, None].expand(batch, heads, count, 1, width)]
            if reach:
                seen = old[:, :, start - reach : end - c]
                parts.append(seen.unfold(2, reach, c).transpose(-1, -2))  # (B, H, n, M, D)
            return torch.cat([*parts, chunks(x)], dim=3)

        q = chunks(queries)
        k, v = (with_memory(x, old) for x, old in zip(now, before, strict=True))
        # Every chunk sees alike, so the mask of the first serves all of them.
        mask = self.rows(start, start + c, queries.device)
        mask = torch.cat((mask[:, :1], mask[:, start - reach :]), dim=1)  # (c, 1 + M + c)
        found = F.scaled_dot_product_attention(
            q.flatten(1, 2), k.flatten(1, 2), v.flatten(1, 2), attn_mask=mask, scale=scale
        )  # (B, H * n, c, D)
        return found.view(batch, heads, count * c, width)[:, :, : length - start]

    def _chunk_start(self, position: Tensor) -> Tensor:
        """Return where the chunk of each position begins; position 0 is in none."""
        return (position - 1).clamp(min=0) // self.chunk * self.chunk + (position > 0)


def pattern_of(attention: str, *, length: int, window: int, segment: int, memory: int) -> Pattern:
    """Return the pattern of one of `ATTENTIONS` over `length` positions.

    Args:
        window: how many positions back a token sees; of "window" alone.
        segment, memory: lengths; of "recurrent" alone.
    """
    if attention == "window":
        return Pattern(window, window, sliding=True)
    if attention == "recurrent":
        return Pattern(segment, memory, recurrent=True)
    return Pattern(length)


def reach(rows: Tensor, layers: int) -> Tensor:
    """Return in how many layers each position hears of each, int64 (T, T).

    Through one layer a token hears of those that it sees, through two of those that these see, and
    so on: the receptive field grows.

    Args:
        rows: bool (T, T), True = sees.
        layers: how many there are.

    Returns:
        The fewest layers, 1 to `layers`; 0 where none suffices.
    """
    heard, found = rows, rows.long()
    for layer in range(2, layers + 1):
        heard = heard.float() @ rows.float() > 0
        found[heard & (found == 0)] = layer
    return found
