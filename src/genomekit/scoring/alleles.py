"""The bins that scorers read, of one allele or of a batch of edits, along the plus strand whichever strand is read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from genomekit.align import align, alt_span
from genomekit.engine.encode import reverse_complement
from genomekit.engine.gather import Wanted, gather
from genomekit.engine.incremental import Change
from genomekit.engine.reading import Reading, Stretch
from genomekit.engine.strands import Part
from genomekit.genome.edit import Event
from genomekit.scoring.scorer import Bins, Values


class Ask(NamedTuple):
    """Bins of one part."""

    part: Part
    bins: Bins
    aligned: bool = False
    """Whether they are bins of REF, whatever the allele."""


class Orientation(NamedTuple):
    """The strand that is read, of a window of `length` bp; positions outside are those of the plus strand."""

    length: int
    minus: bool = False

    def encoded(self, plus: np.ndarray) -> np.ndarray:
        """Return the one-hot that is read."""
        return reverse_complement(plus) if self.minus else plus

    def change(self, offset: int, base: int) -> Change:
        """Return the edit that puts a base (index in A C G T) at an offset of the plus strand."""
        letter = np.eye(4, dtype=np.float32)[[base]]
        return Change(self.length - 1 - offset, reverse_complement(letter)) if self.minus else Change(offset, letter)

    def channels(self, part: Part) -> tuple[int, ...]:
        """Return the channels that hold the tracks of a part on this strand."""
        return tuple((part.partners if self.minus else part.channels).tolist())

    def starts(self, part: Part, starts: np.ndarray, width: int) -> np.ndarray:
        """Return where stretches of the plus strand start on the strand that is read."""
        if not self.minus:
            return starts
        return self.length // part.modality.resolution - starts - width + int(part.modality.reverse_shift)

    def stretch(self, part: Part, bins: Bins) -> Stretch:
        """Return what the network is asked for."""
        starts = self.starts(part, np.asarray(bins.starts), bins.width)
        return Stretch(part.modality.name, self.channels(part), part.modality.resolution, starts, bins.width)

    def inside(self, part: Part, bins: Bins) -> np.ndarray:
        """Say which bins have a value: (variant, bin), along the plus strand."""
        rows = np.asarray(bins.starts)[:, None] + np.arange(bins.width)
        # Read from the other side, a value that belongs between two bases has none before the first.
        first = int(self.minus and part.modality.reverse_shift)
        return (rows >= first) & (rows < self.length // part.modality.resolution)

    def forward(self, part: Part, signal: Tensor) -> Tensor:
        """Put what was read in the order of the plus strand."""
        if not self.minus:
            return signal
        return signal.flip(-2, -3) if part.modality.head_kind == "contact" else signal.flip(-2)


def read(
    reading: Reading,
    orientation: Orientation,
    asks: Sequence[Ask],
    edits: int = 1,
    events: Sequence[Event] = (),
) -> list[Values]:
    """Read bins of every edit of a batch.

    Args:
        reading: The allele, or a batch of edits, after the transformer.
        orientation: Strand that is read.
        asks: What to read: bins of each edit's own, or the same for all.
        edits: Elements of the batch.
        events: What the allele inserts and deletes; with any, the batch is one allele.

    Returns:
        Values of each, along the plus strand.
    """
    own = [len(ask.bins.starts) > 1 for ask in asks]
    stretches = [orientation.stretch(ask.part, ask.bins) for ask, each in zip(asks, own, strict=True) if each]
    separate = iter(reading.stretches(stretches, edits))
    shared = _shared(reading, orientation, [a for a, each in zip(asks, own, strict=True) if not each], edits, events)
    found = []
    for ask, each in zip(asks, own, strict=True):
        signal = orientation.forward(ask.part, next(separate)) if each else next(shared)
        inside = torch.from_numpy(orientation.inside(ask.part, ask.bins)).to(signal.device)
        found.append(Values(signal, inside.expand(edits, -1)))
    return found


def spans_of(asks: Sequence[Ask], orientation: Orientation) -> list[Stretch]:
    """Return all that is asked for, to say beforehand what the transformer is needed for."""
    return [orientation.stretch(ask.part, ask.bins) for ask in asks]


class _Source(NamedTuple):
    """Where the bins of an ask come from."""

    ref: tuple[int, int]
    """The bins of the ask that lie in the window."""
    read: tuple[int, int]
    """The bins to read: these, or those of ALT that stand for them."""
    moved: bool
    """Whether they differ."""

    @classmethod
    def of(cls, ask: Ask, length: int, events: Sequence[Event]) -> _Source:
        total = length // ask.part.modality.resolution
        low = min(max(int(ask.bins.starts[0]), 0), total)
        ref = low, max(low, min(int(ask.bins.starts[0]) + ask.bins.width, total))
        moved = bool(ask.aligned and events) and ask.part.modality.resolution == 1
        return cls(ref, alt_span(events, *ref, length) if moved else ref, moved)


def _shared(
    reading: Reading, orientation: Orientation, asks: Sequence[Ask], edits: int, events: Sequence[Event]
) -> Iterator[Tensor]:
    """Yield the signal of bins that are the same for all edits; what overlaps is read once."""
    length = orientation.length
    sources = [_Source.of(ask, length, events) for ask in asks]
    keys = [(ask.part.modality.name, orientation.channels(ask.part)) for ask in asks]
    spans: dict[tuple, list[tuple[int, int]]] = {}
    for key, ask, source in zip(keys, asks, sources, strict=True):
        spans.setdefault(key, []).append(_there(orientation, ask.part, source.read))
    resolutions = {key: ask.part.modality.resolution for key, ask in zip(keys, asks, strict=True)}
    wanted = [Wanted(key[0], key[1], resolutions[key], tuple(own)) for key, own in spans.items()]
    rows = dict(zip(spans, gather(reading, wanted, edits), strict=True))
    for key, ask, source in zip(keys, asks, sources, strict=True):
        cut = rows[key].cut(*_there(orientation, ask.part, source.read))
        signal = orientation.forward(ask.part, cut)
        if source.moved:
            signal = align(signal, events, length, span=source.ref, dim=-2)
        before = source.ref[0] - int(ask.bins.starts[0]) if signal.shape[-2] else 0
        yield F.pad(signal, (0, 0, before, ask.bins.width - before - signal.shape[-2]))


def _there(orientation: Orientation, part: Part, span: tuple[int, int]) -> tuple[int, int]:
    """Return a stretch of the plus strand on the strand that is read."""
    low, high = span
    start = int(orientation.starts(part, np.array([low]), high - low)[0])
    return start, start + high - low
