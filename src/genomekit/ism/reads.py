"""What mutagenesis reads: scorers matched with tracks, and the unedited window wherever they will read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch

from genomekit.engine.incremental import Reference
from genomekit.engine.strands import Part
from genomekit.scoring import JunctionScorer, Scorer, Values
from genomekit.scoring.alleles import Ask, Orientation, spans_of
from genomekit.scoring.alleles import read as read_bins
from genomekit.scoring.contract import targets_of
from genomekit.scoring.scorer import Bins, Place, Rule


class Read(NamedTuple):
    """A scorer, how it reads the place, and the tracks it scores."""

    scorer: Scorer
    rule: Rule
    part: Part

    @classmethod
    def of(cls, scorer: Scorer, part: Part, place: Place) -> Read:
        """Take the one row that a scorer gives for a place, and the tracks of its strand.

        Raises:
            ValueError: It gives none, or several.
        """
        if isinstance(scorer, JunctionScorer):
            raise ValueError(
                f"{scorer} reads junctions, whose sites each substitution may move; mutagenesis has no such scorer. "
                "Score splice_sites or splice_site_usage here, or single variants with score_variant."
            )
        targets = targets_of(scorer, place)
        if len(targets) != 1:
            names = ", ".join(str(target.row.get("gene_name") or target.row.get("gene_id")) for target in targets)
            raise ValueError(
                f"{scorer} gives {len(targets)} rows here ({names or scorer.nothing}), and mutagenesis scores "
                "one. Name one gene, with gene= of the scorer."
            )
        (target,) = targets
        if target.strand == ".":
            return cls(scorer, target.rule, part)
        kept = part.rows["strand"].isin([".", target.strand]).to_numpy()
        if not kept.any():
            raise ValueError(
                f"{scorer}: the gene is on {target.strand}, and no chosen track of {scorer.modality} is. "
                "Leave strand= out."
            )
        chosen = replace(part, rows=part.rows[kept], channels=part.channels[kept], partners=part.partners[kept])
        return cls(scorer, target.rule, chosen)

    def asks(self, offsets: np.ndarray, length: int) -> list[Ask]:
        """Return the bins to read for edits at these offsets of the plus strand."""
        return [Ask(self.part, bins) for bins in self.rule.bins(offsets, length, self.part.modality.resolution)]


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
        asked = [read.asks(offsets, orientation.length) for read in reads]
        whole = [Ask(ask.part, _union(ask.bins)) for asks in asked for ask in asks]
        values = read_bins(reference.unedited(spans_of(whole, orientation)), orientation, whole)
        self._known = [(int(one.bins.starts[0]), value.signal) for one, value in zip(whole, values, strict=True)]
        self._first = np.cumsum([0, *map(len, asked)])

    def __call__(self, number: int, read: Read, offsets: np.ndarray) -> list[Values]:
        """Return the reference values of read number `number`, for edits at these offsets."""
        found = []
        known = self._known[self._first[number] : self._first[number + 1]]
        for (first, signal), ask in zip(known, read.asks(offsets, self.orientation.length), strict=True):
            rows = np.asarray(ask.bins.starts)[:, None] + np.arange(ask.bins.width) - first
            cut = signal[..., torch.from_numpy(rows).to(signal.device), :]
            # Of contact maps (1, bin1, variant, bin, track), else (1, variant, bin, track).
            cut = cut[0].transpose(0, 1) if cut.ndim == 5 else cut[0]
            inside = torch.from_numpy(self.orientation.inside(read.part, ask.bins)).to(cut.device)
            # Bins that are the same for all edits are there once.
            found.append(Values(cut.expand(len(offsets), *cut.shape[1:]), inside.expand(len(offsets), -1)))
        return found


def _union(bins: Bins) -> Bins:
    """Return the stretch from the first bin of any edit to the last."""
    first, stop = int(bins.starts.min()), int(bins.starts.max()) + bins.width
    return Bins(np.array([first]), stop - first)
