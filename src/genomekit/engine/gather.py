"""Reading many stretches at once: what overlaps is decoded once, whichever modality asked for it."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from genomekit.engine.device import empty
from genomekit.engine.passes import BASES, READ
from genomekit.engine.reading import Reading, Stretch
from genomekit.engine.rows import Span
from genomekit.genome.spans import merged
from genomekit.nn.config import PAIR_BIN

_GAP = 512
"""Stretches of bases this close are decoded as one: a stretch by itself costs as much as so many rows, since every
weight of the decoder is read for it."""


class Wanted(NamedTuple):
    """What to read of one modality, the same for every edit of a batch."""

    modality: str
    channels: tuple[int, ...] | None
    resolution: int
    spans: tuple[tuple[int, int], ...]
    """Bins, 0-based half-open, in any order; they may overlap and run past the ends of the window."""


class Rows:
    """What was read of one modality.

    Args:
        total: Bins of the window.
        none: No bin at all, (edit, [bin1,] 0, track).
        parts: First bin and values (edit, [bin1,] bin, track) of stretches that are apart, ascending.
    """

    def __init__(self, total: int, none: Tensor, parts: list[tuple[int, Tensor]]) -> None:
        self.total, self._none, self._parts = total, none, parts

    def cut(self, start: int, stop: int) -> Float[Tensor, "batch *bin track"]:
        """Return the bins of one of the spans; those past the ends of the window are 0."""
        low, high = max(start, 0), min(stop, self.total)
        if low >= high:
            return F.pad(self._none, (0, 0, 0, stop - start))
        first, values = next((a, v) for a, v in reversed(self._parts) if a <= low)
        inside = values[..., low - first : high - first, :]
        return inside if (low, high) == (start, stop) else F.pad(inside, (0, 0, low - start, stop - high))


def gather(reading: Reading, wanted: Sequence[Wanted], edits: int) -> list[Rows]:
    """Read spans of several modalities for every edit of a batch.

    Args:
        reading: The window after the transformer.
        wanted: What to read.
        edits: Elements of the batch.

    Returns:
        Rows of each, on the device.
    """
    found: list[Rows | None] = [None] * len(wanted)
    fine: list[int] = []
    for number, want in enumerate(wanted):
        if want.resolution == 1:
            fine.append(number)
            continue
        total = reading.length // want.resolution
        spans = _joined(want.spans, total)
        asked = [
            Stretch(want.modality, want.channels, want.resolution, np.array([low]), high - low) for low, high in spans
        ]
        values = reading.stretches(asked, edits)
        parts = [(low, one) for (low, _), one in zip(spans, values, strict=True)]
        found[number] = Rows(total, _none(reading, want, edits), parts)
    for number, rows in zip(fine, _bases(reading, [wanted[number] for number in fine], edits), strict=True):
        found[number] = rows
    return [rows for rows in found if rows is not None]


def _bases(reading: Reading, wanted: list[Wanted], edits: int) -> list[Rows]:
    """Decode the union of all stretches tile by tile, and read every head on its part of each tile."""
    length = reading.length
    reads = [reading.prepared.reader(want.modality, reading.organism, want.channels, 1) for want in wanted]
    spans = [_joined(want.spans, length) for want in wanted]
    out = [
        [(low, empty((edits, high - low, read.width), reading.prepared.wide, reading.pair.device)) for low, high in own]
        for own, read in zip(spans, reads, strict=True)
    ]
    for first, stop in merged((span for own in spans for span in own), _GAP):
        for a in range(first, stop, BASES):
            b = min(a + BASES, stop)
            embedding = reading.embed(Span(np.full(edits, a), b - a, length))
            for read, parts in zip(reads, out, strict=True):
                for low, values in parts:
                    start, end = max(a, low), min(b, low + values.shape[1])
                    for i in range(start, end, READ):
                        j = min(i + READ, end)
                        values[:, i - low : j - low] = read(embedding[:, i - a : j - a])
    return [Rows(length, _none(reading, want, edits), parts) for want, parts in zip(wanted, out, strict=True)]


def _none(reading: Reading, want: Wanted, edits: int) -> Tensor:
    """Return no bin of a modality, in the shape of some."""
    tracks = reading.prepared.reader(want.modality, reading.organism, want.channels, want.resolution).width
    first = (reading.length // PAIR_BIN,) if want.resolution == PAIR_BIN else ()
    return torch.zeros(edits, *first, 0, tracks, dtype=reading.prepared.wide, device=reading.pair.device)


def _joined(spans: Iterable[tuple[int, int]], total: int) -> tuple[tuple[int, int], ...]:
    """Cut spans to the window, and join those that overlap or touch."""
    return merged((max(low, 0), min(high, total)) for low, high in spans)
