"""The local half of the network on a stretch of rows: encoder and decoder blocks without their padding.

A block here is given the rows that its outputs read, halo included, and returns only rows that are right. Rows past
the ends of the sequence are part of the stretch; what the network pads with zeros, after norm and GELU, is set to zero
there. A full pass in tiles and the re-reading of an edit are the same code on other stretches.
"""

from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from genomekit.engine.constants import Block


class Span(NamedTuple):
    """Rows `[start, start + width)` of one level, for each element of a batch; the sequence has `total` of them."""

    starts: np.ndarray
    width: int
    total: int

    @classmethod
    def one(cls, start: int, stop: int, total: int) -> "Span":
        """Return the span of a batch of one."""
        return cls(np.array([start]), stop - start, total)

    def widened(self, rows: int) -> "Span":
        """Add rows on both sides (take them away where negative)."""
        return Span(self.starts - rows, self.width + 2 * rows, self.total)

    def doubled(self) -> "Span":
        """Return the same stretch one level finer."""
        return Span(self.starts * 2, self.width * 2, self.total * 2)

    def halved(self) -> "Span":
        """Return the coarser rows that hold this stretch: one more than half, so that odd starts fit too."""
        return Span(self.starts >> 1, self.width // 2 + 1, self.total // 2)

    def clear(self, x: Float[Tensor, "batch row channel"]) -> Float[Tensor, "batch row channel"]:
        """Set the rows past the ends of the sequence to zero, in place where no gradient is needed."""
        before = np.clip(-self.starts, 0, self.width)
        after = np.clip(self.starts + self.width - self.total, 0, self.width)
        touched = np.flatnonzero((before > 0) | (after > 0))
        if not len(touched):
            return x
        if x.requires_grad:
            rows = self.starts[:, None] + np.arange(self.width)
            inside = torch.from_numpy((rows >= 0) & (rows < self.total)).to(x.device)
            return torch.where(inside[..., None], x, 0.0)
        for i in touched.tolist():
            x[i, : before[i]] = 0
            x[i, self.width - after[i] :] = 0
        return x

    def take(self, x: Float[Tensor, "one row channel"], first: int = 0) -> Float[Tensor, "batch span channel"]:
        """Cut these rows out of a level that is stored from row `first` on, anything where there is no row."""
        if len(self.starts) == 1:
            start = int(self.starts[0]) - first
            stop, stored = start + self.width, x.shape[1]
            inside = x[:, max(start, 0) : max(min(stop, stored), 0)]
            if start >= 0 and stop <= stored:
                return inside
            return F.pad(inside, (0, 0, max(-start, 0), max(stop - max(stored, start), 0)))
        rows = np.clip(self.starts[:, None] + np.arange(self.width) - first, 0, x.shape[1] - 1)
        return x[0][torch.from_numpy(rows).to(x.device)]


def trim(
    x: Float[Tensor, "batch row channel"], offsets: np.ndarray, width: int
) -> Float[Tensor, "batch width channel"]:
    """Take `width` rows of each element from its own offset on."""
    if (offsets == offsets[0]).all():
        return x[:, int(offsets[0]) : int(offsets[0]) + width]
    return torch.stack([x[i, offset : offset + width] for i, offset in enumerate(offsets.tolist())])


def activate(
    block: Block, x: Float[Tensor, "batch row channel"], span: Span | None = None
) -> Float[Tensor, "batch row channel"]:
    """Norm and GELU, zero past the ends of the sequence."""
    out = torch.addcmul(block.offset, x, block.factor)
    out = F.silu(out, inplace=not out.requires_grad)
    return out if span is None else span.clear(out)


class Stem(NamedTuple):
    """From bases to channels at 1 bp."""

    taps: Float[Tensor, "width 4 channel"]
    bias: Float[Tensor, " channel"]
    block: Block

    @property
    def halo(self) -> int:
        """Bases that a row reads on each side."""
        return len(self.taps) // 2 + self.block.halo

    def __call__(
        self, dna: Float[Tensor, "batch base 4"], span: Span, into: Tensor | None = None
    ) -> Float[Tensor, "batch row channel"]:
        """Return the rows of `span` from its bases, `halo` more of them on both sides (zeros past the ends)."""
        halo = self.block.halo
        x = convolve(self, dna)
        return convolve(self.block, activate(self.block, x, span.widened(halo)), x[:, halo:-halo], into)


def convolve(
    block: Block | Stem,
    x: Float[Tensor, "batch row channel"],
    plus: Float[Tensor, "batch fewer out"] | None = None,
    into: Float[Tensor, "1 fewer out"] | None = None,
) -> Float[Tensor, "batch fewer out"]:
    """Cross-correlate without padding, add the bias and `plus`.

    On the CPU a convolution of this shape is fastest as matrix products of the rows with each tap: rows lie next to
    each other, so a shifted stretch is a view, and what is added lies in the result before they are. For 16-bit types
    the taps are laid side by side instead, so that their sum is rounded once.

    Args:
        block: Whose taps and bias.
        x: Active rows, halo included.
        plus: Rows to add.
        into: Where to write, for a batch of one; None makes a tensor.
    """
    taps, bias = block.taps, block.bias
    width, channels, out_channels = taps.shape
    batch, rows, _ = x.shape
    fewer = rows - width + 1
    if x.is_cuda or torch.is_grad_enabled():
        image = x.unsqueeze(1).permute(0, 3, 1, 2)
        weight = taps.permute(2, 1, 0).unsqueeze(2)
        out = F.conv2d(image, weight, bias).permute(0, 2, 3, 1).squeeze(1)
        out = out if plus is None else out + plus
        return out if into is None else into.copy_(out)
    flat = x.reshape(-1, channels)
    right = len(flat) - width + 1
    if into is None:
        into = x.new_empty(batch, rows if batch > 1 else fewer, out_channels)
    out = into[:, :fewer]
    if plus is None:
        out.copy_(bias)
    else:
        torch.add(plus, bias, out=out)
    into[:, fewer:] = 0  # between two elements, where rows of both are mixed
    target = into.flatten(0, 1)[:right]
    if width > 1 and (channels < _NARROW or x.dtype in (torch.bfloat16, torch.float16)):
        weight = taps.reshape(width * channels, out_channels)
        for first in range(0, right, _UNFOLDED):
            stop = min(first + _UNFOLDED, right)
            offset = flat.storage_offset() + first * channels
            seen = flat.as_strided((stop - first, width * channels), (channels, 1), offset)
            target[first:stop].addmm_(seen.contiguous(), weight)
    else:
        for k in range(width):
            target.addmm_(flat[k : k + right], taps[k])
    return out


_UNFOLDED = 2048
"""Rows laid out side by side at a time: they stay in the cache."""

_NARROW = 16
"""Below these channels a product with one tap is too small."""


class Down(NamedTuple):
    """One level of the encoder."""

    first: Block
    second: Block

    @property
    def halo(self) -> int:
        """Pooled rows that a row reads on each side."""
        return self.first.halo + self.second.halo

    def __call__(
        self, x: Float[Tensor, "batch pooled channel"], span: Span, into: Tensor | None = None
    ) -> Float[Tensor, "batch row wider"]:
        """Return the rows of `span` from the pooled rows of `span.widened(halo)`."""
        one, two = self.first.halo, self.second.halo
        residual = F.pad(x[:, one:-one], (0, len(self.first.bias) - x.shape[-1]))
        hidden = convolve(self.first, activate(self.first, x, span.widened(one + two)), residual)
        return convolve(self.second, activate(self.second, hidden, span.widened(two)), hidden[:, two:-two], into)


class Up(NamedTuple):
    """One level of the decoder."""

    conv_in: Block
    """Its output is already multiplied by the residual scale."""
    skip: Block
    conv_out: Block
    residual_scale: Float[Tensor, ""]

    def coarse(self, span: Span) -> Span:
        """Return the rows of the coarser level that the rows of `span` read."""
        return span.widened(self.conv_out.halo).halved().widened(self.conv_in.halo)

    def __call__(
        self, x: Float[Tensor, "batch coarse wider"], skip: Float[Tensor, "batch fine channel"], span: Span
    ) -> Float[Tensor, "batch row channel"]:
        """Return the rows of `span` from those of `coarse(span)` and the skip of `span.widened(conv_out.halo)`."""
        halo, read = self.conv_in.halo, self.coarse(span)
        fine = span.widened(self.conv_out.halo)
        residual = x[:, halo:-halo, : len(self.conv_in.bias)] * self.residual_scale
        hidden = convolve(self.conv_in, activate(self.conv_in, x, read), residual)
        first = 2 * read.widened(-halo).starts
        hidden = trim(hidden.repeat_interleave(2, dim=1), fine.starts - first, fine.width)
        hidden = convolve(self.skip, activate(self.skip, skip), hidden)
        halo = self.conv_out.halo
        return convolve(self.conv_out, activate(self.conv_out, hidden, fine), hidden[:, halo:-halo])


def pool(x: Float[Tensor, "batch row channel"]) -> Float[Tensor, "batch half channel"]:
    """Keep the larger of each two rows."""
    return torch.maximum(x[:, 0::2], x[:, 1::2])
