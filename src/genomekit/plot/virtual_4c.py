"""Virtual 4C: the contacts of one place with all others, as a curve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from genomekit.genome.interval import Interval
from genomekit.plot import colors, lanes
from genomekit.plot.columns import CurveFill, CurveLine
from genomekit.plot.contacts import Grid, read_grid
from genomekit.plot.curves import Curve, dataset_of, place_of
from genomekit.plot.lanes import Lane
from genomekit.plot.panel import Extent, Panel, check_inside
from genomekit.plot.tracks import add, baseline, legend


@dataclass(eq=False)
class Virtual4C(Panel):
    """The row of a contact map that belongs to a viewpoint; REF and ALT together where there are both.

    Args:
        data: As of `ContactMap`.
        viewpoint: An Interval or its text; the mean over its bins is drawn.
        track: Track to draw; None draws the first, and its name says how many there are.
        scale: "free" or (low, high).
        resolution: bp per bin, needed where an .mcool file has several.
        balance: Use the weights of a .cool file where it has them.
        artist: Keywords for the curve.

    Raises:
        ValueError: When drawn: a viewpoint outside the region, or what `ContactMap` refuses.
    """

    data: Any
    viewpoint: Interval | str
    _: KW_ONLY
    track: str | None = None
    scale: lanes.Scale = "free"
    resolution: int | None = None
    balance: bool = True
    artist: Mapping[str, Any] = field(default_factory=dict)

    def extent(self) -> Extent | None:
        """Say where the data lie."""
        return place_of(self.data)

    def _draw(self, ax: Axes, region: Interval) -> str:
        view = Interval.parse(self.viewpoint)
        check_inside(view, Extent(region.chrom, region.start, region.end), "the viewpoint")
        alleles = self._alleles()
        curves, grid = {}, Grid(np.zeros((0, 0)), 0, 1)
        for allele in alleles:
            grid, _ = read_grid(self.data, region, self.track, allele, resolution=self.resolution, balance=self.balance)
            curves[str(allele).upper()] = self._curve(grid, view, region)
        lane = Lane(grid.label, list(curves.values()))
        lanes.set_scales([lane], region, self.scale, "linear")
        tints = colors.allele_colors(list(curves)) if len(curves) > 1 else dict.fromkeys(curves, colors.palette()[0])
        for name, curve in curves.items():
            kind = CurveFill if len(curves) == 1 else CurveLine
            add(ax, kind(curve, lane.y, **{"color": tints[name], "alpha": 0.9, **self.artist}))
        baseline(ax, lane)
        lanes.finish(ax, [lane])
        ax.axvspan(view.start, max(view.end, view.start + grid.step), color=colors.palette()[2], alpha=0.3, linewidth=0)
        if len(curves) > 1:
            legend(ax, tints)
        return ", ".join(part for part in (f"Contacts with {view.start:,}-{view.end:,}", grid.units) if part)

    def _alleles(self) -> list[str | None]:
        if hasattr(self.data, "dims"):
            node = dataset_of(self.data)
            if "allele" in node["signal"].dims:
                return [str(name) for name in node["allele"].values]
        return [None]

    def _curve(self, grid: Grid, view: Interval, region: Interval) -> Curve:
        edges = grid.edges
        rows = np.flatnonzero((edges[:-1] < max(view.end, view.start + 1)) & (edges[1:] > view.start))
        part = grid.values[rows]
        known = np.isfinite(part)
        mean = np.where(known, part, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
        values = np.where(known.any(axis=0), mean, np.nan)
        place = Extent(region.chrom, int(edges[0]), int(edges[-1]))
        return Curve(grid.label, values, grid.start, grid.step, place, units=grid.units)
