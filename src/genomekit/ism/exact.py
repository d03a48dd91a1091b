"""Exact effects: every edit is read incrementally."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from genomekit.engine.incremental import Change, Reference
from genomekit.ism.reads import Read, ReferenceValues
from genomekit.scoring.alleles import Orientation, spans_of
from genomekit.scoring.alleles import read as read_bins


class Exact:
    """Scores single-base edits of one window.

    Args:
        reference: The window, as it is read.
        orientation: Strand that is read.
        reads: Scorers with their tracks.
        offsets: Every position that will be edited, or whose mask `levels` is asked for, on the plus strand.
        mask_at: Position whose mask every edit is scored in; None takes that of the edit itself.
    """

    def __init__(
        self,
        reference: Reference,
        orientation: Orientation,
        reads: Sequence[Read],
        offsets: np.ndarray,
        mask_at: int | None = None,
    ) -> None:
        self.reference, self.orientation, self.reads, self.mask_at = reference, orientation, reads, mask_at
        with torch.no_grad():
            self._known = ReferenceValues(reference, orientation, reads, self._centers(offsets))

    def effects(self, offsets: np.ndarray, bases: np.ndarray) -> Tensor:
        """Score a batch: (edit, track), the tracks of all reads side by side.

        Args:
            offsets: Position of each edit.
            bases: Index in A C G T of its new letter.
        """
        with torch.no_grad():
            edits = [self.orientation.change(int(o), int(b)) for o, b in zip(offsets, bases, strict=True)]
            return self._score(edits, self._centers(offsets))

    def levels(self, offset: int) -> Tensor:
        """Return each track's measure of the unedited window, the mask at one position."""
        centers = np.array([offset])
        with torch.no_grad():
            levels = []
            for number, read in enumerate(self.reads):
                levels.append(read.rule.level(self._known(number, read, centers)))
            return torch.cat(levels, dim=-1)[0]

    def _centers(self, offsets: np.ndarray) -> np.ndarray:
        return np.asarray(offsets) if self.mask_at is None else np.full(len(offsets), self.mask_at)

    def _score(self, edits: Sequence[Change], centers: np.ndarray) -> Tensor:
        asked = [read.asks(centers, self.orientation.length) for read in self.reads]
        flat = [ask for asks in asked for ask in asks]
        reading = self.reference.edited(edits, spans_of(flat, self.orientation))
        values = iter(read_bins(reading, self.orientation, flat, len(edits)))
        scores = []
        for number, (read, asks) in enumerate(zip(self.reads, asked, strict=True)):
            alt = [next(values) for _ in asks]
            scores.append(read.rule.score(self._known(number, read, centers), alt))
        return torch.cat(scores, dim=-1)


def substitutions(letters: str, offsets: np.ndarray) -> list[tuple[int, int, int]]:
    """List every edit: (number of the position, offset in the window, index of the new base).

    There are three at a known base and four at an N. Positions without a place in the window are left out.
    """
    found = []
    for number, (letter, offset) in enumerate(zip(letters, offsets.tolist(), strict=True)):
        if offset >= 0:
            found += [(number, offset, base) for base, other in enumerate("ACGT") if other != letter]
    return found
