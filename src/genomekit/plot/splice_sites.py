"""SpliceSites: the probability of donors and acceptors, as stems."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from genomekit.errors import unknown
from genomekit.genome.interval import Interval
from genomekit.plot import colors, lanes, measure
from genomekit.plot.curves import Curve, curves_of, dataset_of, place_of
from genomekit.plot.heads import caption
from genomekit.plot.panel import Extent, Panel
from genomekit.plot.real import Real

THRESHOLD = 0.05  # probabilities below this are not drawn: there are thousands, and they mean "no site"


@dataclass(eq=False)
class SpliceSites(Panel):
    """Donors point up and acceptors down; heads are filled on the plus strand and open on the minus strand.

    Args:
        data: The splice_sites node of a result; of a variant's prediction both alleles are drawn, REF in grey.
        threshold: Probabilities below it are not drawn.
        strand: "+" or "-" draws only those.
        stem: Keywords for the stems (vlines).

    Raises:
        ValueError: When drawn: data without donors and acceptors or without strands, an unknown strand, or a threshold
            outside 0 to 1.
    """

    data: Any
    _: KW_ONLY
    threshold: Real = THRESHOLD
    strand: str | None = None
    stem: Mapping[str, Any] = field(default_factory=dict)

    def extent(self) -> Extent | None:
        """Say where the data lie."""
        return place_of(self.data)

    def inches(self, width: Real, region: Interval) -> Real:
        """Two sides of one probability."""
        return self.height or 1.0

    def _draw(self, ax: Axes, region: Interval) -> str:
        if not 0 <= self.threshold <= 1:
            raise ValueError(f"threshold={self.threshold}; probabilities lie between 0 and 1.")
        if self.strand not in (None, "+", "-"):
            raise unknown("strand", self.strand, ("+", "-"))
        node = dataset_of(self.data)
        alleles = [str(name) for name in node["allele"].values] if "allele" in node["signal"].dims else [None]
        # REF first, so that ALT lies on it and what is lost shows grey.
        for allele in sorted(alleles, key=lambda name: name != "ref"):
            for curve in curves_of(node, region, allele):
                kind = str(curve.facts.get("name") or curve.label).casefold()
                if "donor" not in kind and "acceptor" not in kind:
                    raise ValueError(f"Track {curve.label!r} is neither donor nor acceptor; Tracks draws any track.")
                if curve.strand not in ("+", "-"):
                    raise ValueError(
                        f"Track {curve.label!r} has no strand, and splice sites are drawn by theirs. Say it in the "
                        "coordinate `strand`, or draw the track with Tracks."
                    )
                if self.strand in (None, curve.strand):
                    self._stems(ax, curve, region, up="donor" in kind, faint=allele == "ref")
        ax.hlines(0, *self._within(region), color=colors.faint(), linewidth=0.6)
        ax.set(ylim=(-1.15, 1.15), yticks=[-1, 0, 1], yticklabels=["1", "0", "1"])
        title = "Splice sites, probability"
        self._key(ax, len(alleles) > 1, title)
        return title

    def _stems(self, ax: Axes, curve: Curve, region: Interval, *, up: bool, faint: bool) -> None:
        values = curve.inside(region)
        first = max((region.start - curve.start) // curve.step, 0)
        at = np.flatnonzero(values >= max(self.threshold, 1e-9))
        x = curve.start + (first + at) * curve.step + 0.5
        y = values[at] * (1 if up else -1)
        color = colors.faint(0.45) if faint else colors.strand_color("+" if up else "-")
        ax.vlines(x, 0, y, **{"color": color, "linewidth": 1.6 if faint else 0.9, **self.stem})
        hollow = colors.background() if curve.strand == "-" else color
        ax.plot(x, y, "o", color=color, markersize=4.2 if faint else 2.8, markerfacecolor=hollow, markeredgewidth=0.7)

    def _key(self, ax: Axes, both: bool, title: str) -> None:
        """Name the two sides at the left, and say beside the title what the heads mean, briefly where it is narrow."""
        for y, name, strand in ((0.5, "donor", "+"), (-0.5, "acceptor", "-")):
            lanes.name_at_left(ax, name, y, 14, 1, color=colors.strand_color(strand))
        room = ax.bbox.width / ax.figure.dpi - measure.text_width(title, colors.size(0.8)) - 0.2
        grey = ", grey: REF" if both else ""
        texts = [f"filled: + strand, open: - strand{grey}", f"filled +, open -{grey}", "filled +, open -"]
        fitting = (text for text in texts if measure.text_width(text, colors.size(0.65)) < room)
        caption(ax, next(fitting, texts[-1]))
