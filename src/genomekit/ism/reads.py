"""What mutagenesis reads: scorers matched with tracks, on the strand that is read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from genomekit.engine.encode import reverse_complement
from genomekit.engine.incremental import Change, Reference
from genomekit.engine.reading import Stretch
from genomekit.engine.strands import Part
from genomekit.nn.config import PAIR_BIN
from genomekit.scoring import Scorer, Values

_AT_ONCE = 8192
"""Bins of the reference read at a time."""


class Read(NamedTuple):
    """A scorer and the tracks it scores."""

    scorer: Scorer
    part: Part

    @property
    def resolution(self) -> int:
        """Bp per bin of what is read."""
        return self.part.modality.resolution


class Orientation(NamedTuple):
    """The strand that is read, of a window of `length` bp; positions outside are those of the plus strand."""

    length: int
    minus: bool

    def encoded(self, plus: np.ndarray) -> np.ndarray:
        """Return the one-hot that is read."""
        return reverse_complement(plus) if self.minus else plus

    def edit(self, offset: int, base: int) -> Change:
        """Return the edit that puts a base (index in A C G T) at an offset of the plus strand."""
        letter = np.eye(4, dtype=np.float32)[[base]]
        return Change(self.length - 1 - offset, reverse_complement(letter)) if self.minus else Change(offset, letter)

    def stretches(self, read: Read, offsets: np.ndarray) -> list[tuple[Stretch, np.ndarray]]:
        """Return what the network is asked for, and for each stretch which of its bins count.

        Bins are in the order in which they are read: on the minus strand from right to left.
        """
        modality, total = read.part.modality, self.length // read.resolution
        channels = tuple((read.part.partners if self.minus else read.part.channels).tolist())
        found = []
        for starts, width in read.scorer.bins(offsets, self.length, read.resolution):
            starts = np.asarray(starts)
            if self.minus:
                starts = total - starts - width + int(modality.reverse_shift)
            bins = starts[:, None] + np.arange(width)
            inside = (bins >= 0) & (bins < total)
            found.append((Stretch(modality.name, channels, read.resolution, starts, width), inside))
        return found

    def values(self, signal: Tensor, inside: np.ndarray) -> Values:
        """Put what was read in the order of the plus strand."""
        mask = torch.from_numpy(inside).to(signal.device)
        return Values(signal.flip(-2), mask.flip(-1)) if self.minus else Values(signal, mask)


class ReferenceValues:
    """What the unedited window predicts wherever a job will read: computed once, cut for each batch.

    Args:
        reference: The window.
        orientation: Strand that is read.
        reads: Scorers with their tracks.
        offsets: Every position, on the plus strand, that will be edited.
    """

    def __init__(
        self, reference: Reference, orientation: Orientation, reads: Sequence[Read], offsets: np.ndarray
    ) -> None:
        self.orientation = orientation
        self._known: list[list[tuple[int, Tensor]]] = []
        for read in reads:
            stretches = [stretch for stretch, _ in orientation.stretches(read, offsets)]
            self._known.append([_union(reference, stretch) for stretch in stretches])

    def __call__(self, number: int, read: Read, offsets: np.ndarray) -> list[Values]:
        """Return the reference values of read number `number`, for edits at these offsets."""
        found = []
        stretches = self.orientation.stretches(read, offsets)
        for (first, known), (stretch, inside) in zip(self._known[number], stretches, strict=True):
            rows = stretch.starts[:, None] + np.arange(stretch.width) - first
            cut = known[..., torch.from_numpy(rows).to(known.device), :]
            if cut.ndim == 5:  # contact maps: (1, bin1, variant, bin, track)
                cut = cut[0].transpose(0, 1)
            else:
                cut = cut[0]
            found.append(self.orientation.values(cut, inside))
        return found


def _union(reference: Reference, stretch: Stretch) -> tuple[int, Tensor]:
    """Read from the first bin of any edit to the last."""
    first, stop = int(stretch.starts.min()), int(stretch.starts.max()) + stretch.width
    step = _AT_ONCE if stretch.resolution < PAIR_BIN else stop - first
    parts = []
    for start in range(first, stop, step):
        piece = stretch._replace(starts=np.array([start]), width=min(step, stop - start))
        parts += reference.unedited.stretches([piece], 1)
    return first, torch.cat(parts, dim=-2)
