"""Encoder and decoder as a ladder of levels (1, 2, 4, ..., 64 bp): any stretch of any level, on demand.

A level that is kept is read from memory; one that is not is computed from the level below it for just the rows that
were asked for. How much is kept decides the memory of a pass, never its result.
"""

from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from genomekit.engine.constants import Block
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
    def of(cls, encoder: Encoder, decoder: Decoder, dtype: torch.dtype) -> "Ladder":
        """Prepare the convolutions of a network."""
        embedder = encoder.embedder
        stem = Stem(
            embedder.conv.weight.permute(2, 1, 0).contiguous().to(dtype),
            embedder.conv.bias.to(dtype),
            Block.of(embedder.block, dtype),
        )
        down: Any = encoder.blocks
        up: Any = decoder.blocks
        downs = tuple(Down(Block.of(b.first, dtype), Block.of(b.second, dtype)) for b in down)
        ups = tuple(
            Up(
                Block.of(b.conv_in, dtype, gain=b.residual_scale),
                Block.of(b.skip, dtype),
                Block.of(b.conv_out, dtype),
                b.residual_scale.to(dtype),
            )
            for b in reversed(up)
        )
        return cls(stem, downs, ups)

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
        skips: False where only the tokens will be read: each level goes once the next is there.
    """

    def __init__(self, ladder: Ladder, dna: Float[Tensor, "one base 4"], kept: int = 0, *, skips: bool = True) -> None:
        self.ladder, self.dna, self.kept = ladder, dna, kept
        self.levels: dict[int, Tensor] = {}
        for level in range(kept, LEVELS):
            self.levels[level] = self._whole(level)
            if not skips:
                self.levels.pop(level - 1, None)
        self.tokens: Float[Tensor, "one token channel"] = pool(self.levels[LEVELS - 1])
        if not skips:
            self.levels.clear()

    @property
    def length(self) -> int:
        """Bases."""
        return self.dna.shape[1]

    def rows(self, level: int, span: Span) -> Float[Tensor, "batch row channel"]:
        """Return rows of a level, anything where the sequence has none."""
        if level in self.levels:
            return span.take(self.levels[level])
        return self.compute(level, span)

    def compute(self, level: int, span: Span, into: Tensor | None = None) -> Float[Tensor, "batch row channel"]:
        """Compute rows of a level from the level below."""
        if level == 0:
            stem = self.ladder.stem
            wide = span.widened(stem.halo)
            dna = wide.take(self.dna)
            return stem(wide.clear(dna) if len(span.starts) > 1 else dna, span, into)
        down = self.ladder.downs[level - 1]
        return down(pool(self.rows(level - 1, span.widened(down.halo).doubled())), span, into)

    def _whole(self, level: int) -> Float[Tensor, "one row channel"]:
        total = self.length >> level
        out = empty((1, total, self.ladder.channels[level]), self.ladder.dtype, self.dna.device)
        for start in range(0, total, TILE):
            stop = min(start + TILE, total)
            self.compute(level, Span.one(start, stop, total), out[:, start:stop])
        return out


def decode(
    ladder: Ladder,
    encoding: "Encoding",
    tokens: Float[Tensor, "read token trunk"],
    span: Span,
    level: int = 0,
) -> Float[Tensor, "batch row channel"]:
    """Decode the rows of a span from the transformer's tokens.

    Args:
        ladder: Blocks.
        encoding: Anything with `rows(level, span)`.
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
