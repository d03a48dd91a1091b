"""Virtual 4C: the contacts of one place with all others, as a curve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from genomekit.genome.interval import Interval
from genomekit.genome.names import canonical
from genomekit.plot import colors, lanes
from genomekit.plot.columns import CurveFill, CurveLine
from genomekit.plot.contact_grid import Grid, Reading, has_alleles, read_grid
from genomekit.plot.curves import Curve, dataset_of, named, place_of
from genomekit.plot.heads import legend
from genomekit.plot.lanes import Lane
from genomekit.plot.panel import Extent, Panel, shown
from genomekit.plot.sides import Side, check_units
from genomekit.plot.tracks import add, baseline


@dataclass(eq=False)
class Virtual4C(Panel):
    """The row of a contact map that belongs to a viewpoint; REF and ALT together where there are both.

    Args:
        data: As of `ContactMap`; of a mapping of names to data each has a curve, all in the same units and bins.
        viewpoint: An Interval or its text; the mean over its bins is drawn.
        track: Track to draw; None draws the first, and its name says how many there are.
        scale: "free" or (low, high).
        resolution: bp per bin, needed where an .mcool file has several.
        balance: Use the weights of a .cool file where it has them.
        over_expected: As of `ContactMap`.
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
    over_expected: bool = False
    artist: Mapping[str, Any] = field(default_factory=dict)

    def extent(self) -> Extent | None:
        """Say where the data lie."""
        return place_of(self.data)

    def _draw(self, ax: Axes, region: Interval) -> str:
        view = Interval.parse(self.viewpoint)
        same = canonical(view.chrom) == canonical(region.chrom)
        if not same or view.start >= region.end or view.end <= region.start:
            raise ValueError(f"The viewpoint {shown(view)} lies outside the region {shown(region)}; give one inside.")
        how = Reading(self.track, self.resolution, self.balance, self.over_expected)
        grids = {side.name: read_grid(side.data, region, side.allele, how) for side in self._sides()}
        grid = next(iter(grids.values()))
        for name, other in grids.items():
            check_units(next(iter(grids)), grid.units, name, other.units)
            if other.step != grid.step:
                raise ValueError(
                    f"{name!r} has bins of {other.step} bp, the first {grid.step} bp; give data of one width."
                )
        curves = {name: self._curve(other, view, region) for name, other in grids.items()}
        labels = {other.label for other in grids.values()}
        lane = Lane(grid.label if len(labels) == 1 else "", list(curves.values()))
        lanes.set_scales([lane], region, self.scale, "linear")
        tints = colors.allele_colors(list(curves)) if len(curves) > 1 else dict.fromkeys(curves, colors.palette()[0])
        for name, curve in curves.items():
            kind = CurveFill if len(curves) == 1 else CurveLine
            add(ax, kind(curve, lane.y, **{"color": tints[name], "alpha": 0.9, **self.artist}))
        baseline(ax, lane)
        lanes.finish(ax, [lane])
        rows = _rows_at(grid, view)
        if rows.size:  # what is marked are the bins whose contacts are drawn
            first, last = grid.edges[[rows[0], rows[-1] + 1]]
            ax.axvspan(first, last, color=colors.palette()[2], alpha=0.3, linewidth=0)
        if len(curves) > 1:
            legend(ax, tints)
        return ", ".join(part for part in (f"Contacts with {view.start:,}-{view.end:,}", grid.units) if part)

    def _sides(self) -> list[Side]:
        if named(self.data):
            if not self.data:
                raise ValueError("The mapping of names to contacts is empty; give one at least.")
            return [Side(str(name), part) for name, part in self.data.items()]
        if has_alleles(self.data):
            return [Side(str(name).upper(), self.data, str(name)) for name in dataset_of(self.data)["allele"].values]
        return [Side("", self.data)]

    def _curve(self, grid: Grid, view: Interval, region: Interval) -> Curve:
        edges = grid.edges
        part = grid.values[_rows_at(grid, view)]
        known = np.isfinite(part)
        mean = np.where(known, part, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
        values = np.where(known.any(axis=0), mean, np.nan)
        place = Extent(region.chrom, int(edges[0]), int(edges[-1]))
        return Curve(grid.label, values, grid.start, grid.step, place, units=grid.units)


def _rows_at(grid: Grid, view: Interval) -> np.ndarray:
    """Give the bins that a viewpoint touches."""
    return np.flatnonzero((grid.edges[:-1] < max(view.end, view.start + 1)) & (grid.edges[1:] > view.start))
