"""Encoder and decoder as a ladder of levels (1, 2, 4, ..., 64 bp): any stretch of any level, on demand.

A level that is kept is read from memory; one that is not is computed from the level below it for just the rows that
were asked for. How much is kept decides the memory of a pass, never its result.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from genomekit.engine.constants import Block, own
from genomekit.engine.device import empty
from genomekit.engine.rows import Down, Span, Stem, Up, pool
from genomekit.nn.convolutions import Decoder, Encoder

LEVELS = 7
"""Levels with a skip: 1 bp to 64 bp."""

TILE = 4096
"""Rows computed at a time when a whole level is."""


class Ladder(NamedTuple):
    """The blocks of the encoder and of the decoder, finest first."""

    stem: Stem
    downs: tuple[Down, ...]
    ups: tuple[Up, ...]

    @classmethod
    def of(
        cls, encoder: Encoder, decoder: Decoder, dtype: torch.dtype, moved: Callable[[Any], Any] = lambda module: module
    ) -> "Ladder":
        """Prepare the convolutions of a network.

        Args:
            encoder: The plain encoder.
            decoder: The plain decoder.
            dtype: Type of the activations.
            moved: Gives a module on the device, one block at a time.
        """
        embedder = moved(encoder.embedder)
        taps = embedder.conv.weight.permute(2, 1, 0).contiguous().to(dtype)
        stem = Stem(taps, own(embedder.conv.bias, dtype), Block.of(embedder.block, dtype))
        downs, ups = [], []
        for plain in encoder.blocks:
            block = moved(plain)
            downs.append(Down(Block.of(block.first, dtype), Block.of(block.second, dtype)))
        for plain in reversed(list(decoder.blocks)):
            block = moved(plain)
            scale = block.residual_scale
            blocks = Block.of(block.conv_in, dtype, scale), Block.of(block.skip, dtype), Block.of(block.conv_out, dtype)
            ups.append(Up(*blocks, own(scale, dtype)))
        return cls(stem, tuple(downs), tuple(ups))

    @property
    def channels(self) -> list[int]:
        """Channels of each level."""
        return [len(self.stem.bias), *(len(down.second.bias) for down in self.downs)]

    @property
    def dtype(self) -> torch.dtype:
        """Floating-point type of the activations."""
        return self.stem.bias.dtype


class Encoding:
    """The encoder's side of one sequence: its skips and tokens.

    Args:
        ladder: Blocks.
        dna: One-hot, in the type of the ladder.
        kept: Finest level that is kept in memory; finer ones are computed again where they are read.
        region: First base and the one past the last whose rows stay in memory; None is all of them.
        skips: False where only the tokens will be read: each level goes once the next is there.
        base: Encoding of a sequence that is the same up to `first`: what lies before is read from there.
        first: First base that may differ from `base`.
    """

    def __init__(
        self,
        ladder: Ladder,
        dna: Float[Tensor, "one base 4"],
        kept: int = 0,
        *,
        region: tuple[int, int] | None = None,
        skips: bool = True,
        base: "Encoding | None" = None,
        first: int = 0,
    ) -> None:
        self.ladder, self.dna, self.base, self.first = ladder, dna, base, first
        self.levels: dict[int, tuple[int, Tensor]] = {}
        for level in range(kept, LEVELS):
            self.levels[level] = self._whole(level)
            if level > kept:
                self._forget(level - 1, region if skips else (0, 0))
        self.tokens: Float[Tensor, "one token channel"] = self._tokens()
        self._forget(LEVELS - 1, region if skips else (0, 0))
        if region is not None and skips:
            for level in reversed(range(kept)):
                low, high = _rows(region, level, self.length)
                self.levels[level] = low, self.compute(level, Span.one(low, high, self.length >> level))

    @property
    def length(self) -> int:
        """Bases."""
        return self.dna.shape[1]

    def rows(self, level: int, span: Span) -> Float[Tensor, "batch row channel"]:
        """Return rows of a level, anything where the sequence has none."""
        low, high = max(int(span.starts.min()), 0), min(int(span.starts.max()) + span.width, span.total)
        start, stored = self.levels.get(level, (0, None))
        if stored is not None and start <= low and high <= start + stored.shape[1]:
            return span.take(stored, start)
        if self.base is None or low >= self._changed(level):
            return self.compute(level, span)
        if high <= self._changed(level):
            return self.base.rows(level, span)
        # Some rows are as before and some are not.
        cut = self._changed(level)
        before, after = Span.one(low, cut, span.total), Span.one(cut, high, span.total)
        joined = torch.cat([self.base.rows(level, before), self.rows(level, after)], dim=1)
        return span.take(joined, low)

    def compute(self, level: int, span: Span, into: Tensor | None = None) -> Float[Tensor, "batch row channel"]:
        """Compute rows of a level from the level below."""
        if level == 0:
            stem = self.ladder.stem
            wide = span.widened(stem.halo)
            return stem(wide.clear(wide.take(self.dna)), span, into)
        down = self.ladder.downs[level - 1]
        return down(pool(self.rows(level - 1, span.widened(down.halo).doubled())), span, into)

    def _changed(self, level: int) -> int:
        """First row of a level that may differ from the base's."""
        return 0 if self.base is None else max(0, (self.first >> level) - REACH)

    def _whole(self, level: int) -> tuple[int, Float[Tensor, "one row channel"]]:
        low, total = self._changed(level), self.length >> level
        out = empty((1, total - low, self.ladder.channels[level]), self.ladder.dtype, self.dna.device)
        for start in range(low, total, TILE):
            stop = min(start + TILE, total)
            self.compute(level, Span.one(start, stop, total), out[:, start - low : stop - low])
        return low, out

    def _tokens(self) -> Float[Tensor, "one token channel"]:
        """Pool the last level; where there is a base, its tokens stand before the change."""
        low, total = self._changed(LEVELS), self.length >> LEVELS
        late = pool(self.rows(LEVELS - 1, Span.one(2 * low, 2 * total, 2 * total)))
        return late if self.base is None else torch.cat([self.base.tokens[:, :low], late], dim=1)

    def _forget(self, level: int, region: tuple[int, int] | None) -> None:
        """Keep the rows of a region, where one is given."""
        if region is None:
            return
        start, stored = self.levels.pop(level)
        low, high = _rows(region, level, self.length)
        if low < high:
            low = max(low, start)
            self.levels[level] = low, stored[:, low - start : high - start].clone()


REACH = 9
"""Rows of any level on each side of the edited one that an edit changes: 7 + 2 of the stem, halved and 4 more each."""

_MARGIN = 16
"""Rows around a region that decoding it reads, of every level."""


def _rows(region: tuple[int, int], level: int, length: int) -> tuple[int, int]:
    if region[0] >= region[1]:
        return 0, 0
    return max(0, (region[0] >> level) - _MARGIN), min(length >> level, (region[1] >> level) + 1 + _MARGIN)


@runtime_checkable
class Skips(Protocol):
    """What the decoder reads of the encoder's side: an `Encoding`, or one with edits laid over it."""

    def rows(self, level: int, span: Span) -> Float[Tensor, "batch row channel"]:
        """Return rows of a level."""
        ...


def decode(
    ladder: Ladder,
    encoding: Skips,
    tokens: Float[Tensor, "read token trunk"],
    span: Span,
    level: int = 0,
) -> Float[Tensor, "batch row channel"]:
    """Decode the rows of a span from the transformer's tokens.

    Args:
        ladder: Blocks.
        encoding: The encoder's side.
        tokens: All tokens of the window, one element or one for each element of the span.
        span: Rows wanted.
        level: Their level.
    """
    up = ladder.ups[level]
    coarse = up.coarse(span)
    if level + 1 == LEVELS:
        x = take_each(tokens, coarse)
    else:
        x = decode(ladder, encoding, tokens, coarse, level + 1)
    return up(x, encoding.rows(level, span.widened(up.conv_out.halo)), span)


def take_each(x: Float[Tensor, "read row channel"], span: Span) -> Float[Tensor, "batch width channel"]:
    """Cut a span out of whole levels, one for each element."""
    if len(x) == 1:
        return span.take(x)
    rows = np.clip(span.starts[:, None] + np.arange(span.width), 0, span.total - 1)
    index = torch.from_numpy(rows).to(x.device)
    return x[torch.arange(len(x), device=x.device)[:, None], index]
