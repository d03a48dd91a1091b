"""Contact maps: how two bins of the genome meet, as a triangle over the genome or as a square."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize

from genomekit.errors import unknown
from genomekit.genome.interval import Interval
from genomekit.plot import colors, lanes
from genomekit.plot.contact_grid import Grid, Reading, compared, has_alleles, read_grid, thinned
from genomekit.plot.curves import joint, named, place_of
from genomekit.plot.panel import Extent, Panel, message, unit_of
from genomekit.plot.real import Real
from genomekit.plot.sides import check_kind, sides_of, spelled
from genomekit.plot.tracks import color_bar

SHAPES = ("triangle", "square")
TRANSFORMS = ("linear", "log1p", "log")


@dataclass(eq=False)
class ContactMap(Panel):
    """Contacts of two bins, over the middle between them (triangle) or as a square.

    Args:
        data: The contact_maps node of a result, a .cool or .mcool file, or a square DataArray with dims bin1 and bin2.
            Or a mapping of two names to such data: the second minus the first ("ref" and "alt" in either order).
        reference: Contacts that are subtracted from those of `data`, in the same bins and units.
        kind: Of a difference: "difference", or "log2fc": log2(one / other), for counts.
        shape: "triangle" or "square".
        track: Track to draw; None draws the first, and its name says how many there are.
        allele: Of a variant's prediction: "ref", "alt", or "difference" (the default).
        depth: Greatest distance shown in a triangle, bp; default is all of it.
        limits: (low, high) of the colours; default covers 99 % of the values, symmetric where they have two signs.
        cmap: Colour map; default is diverging for values of two signs, from the background upwards for counts of a
            file, else "cividis".
        transform: "linear", "log1p" or "log"; default is "log" for counts of a file, which fall with distance over
            orders of magnitude, with 0 in the lowest colour, else "linear".
        resolution: bp per bin, needed where an .mcool file has several.
        balance: Use the weights of a .cool file where it has them.
        over_expected: Of a .cool file: natural log of contacts over the mean at their distance in the region, the
            units of predicted maps, so that the two can be compared.
        artist: Keywords for the mesh (QuadMesh).

    Raises:
        ValueError: When drawn: data without contacts, an unknown shape, track, allele, resolution or transform, limits
            in the wrong order, or a difference of maps that have other bins or units.

    Example:
        >>> import xarray as xr
        >>> from matplotlib.figure import Figure
        >>> bins = range(0, 4000, 1000)
        >>> grid = xr.DataArray(np.eye(4), dims=("bin1", "bin2"), coords={"bin1": bins, "bin2": bins})
        >>> grid = grid.assign_attrs(resolution=1000)
        >>> ax = ContactMap(grid).draw(Figure().add_subplot())
        >>> [float(limit) for limit in (*ax.get_xlim(), *ax.get_ylim())]
        [0.0, 4000.0, 0.0, 4000.0]
        >>> ContactMap({"before": grid, "after": grid + 1}).draw(Figure().add_subplot()).get_title(loc="left")
        'Contacts, after - before'
    """

    data: Any
    _: KW_ONLY
    reference: Any = None
    kind: str = "difference"
    shape: str = "triangle"
    track: str | None = None
    allele: str | None = None
    depth: int | None = None
    limits: tuple[Real, Real] | None = None
    cmap: Any = None
    transform: str | None = None
    resolution: int | None = None
    balance: bool = True
    over_expected: bool = False
    artist: Mapping[str, Any] = field(default_factory=dict)

    def extent(self) -> Extent | None:
        """Say where the data lie."""
        return joint(place_of(part) for part in (self.data, self.reference))

    def inches(self, width: Real, region: Interval) -> Real:
        """Keep a bin as high as it is wide."""
        if self.height:
            return self.height
        if self.shape == "square":
            return width
        return max(width / 2 * self._depth(region) / region.width * 0.62, 0.5)

    def _depth(self, region: Interval) -> int:
        if self.depth is not None and self.depth <= 0:
            raise ValueError(f"depth={self.depth}; give the greatest distance to show, in bp.")
        return min(self.depth or region.width, region.width)

    def _grid(self, region: Interval) -> tuple[Grid, str]:
        """Read the contacts, or the difference of two; say which."""
        check_kind(self.kind)
        how = Reading(self.track, self.resolution, self.balance, self.over_expected)
        two = self.reference is not None or named(self.data)
        if two and self.allele is not None:
            raise ValueError(f"allele={self.allele!r} and a difference of two data exclude each other; leave one out.")
        if two or (has_alleles(self.data) and self.allele in (None, "difference")):
            sides = sides_of(self.data, self.reference)
            return thinned(compared(sides, region, self.kind, how)), spelled(sides[0].name, sides[1].name, self.kind)
        return thinned(read_grid(self.data, region, self.allele, how)), (self.allele or "").upper()

    def _draw(self, ax: Axes, region: Interval) -> str:
        if self.shape not in SHAPES:
            raise unknown("shape", self.shape, SHAPES)
        grid, what = self._grid(region)
        triangle = self.shape == "triangle"
        self._frame(ax, region)
        if not np.isfinite(grid.values).any():
            message(ax, "no data here")
            return grid.long_name
        transform = self._scale(grid)
        forward, back = lanes.TRANSFORMS["log1p" if transform == "log1p" else "linear"]
        values = forward(grid.values)
        if transform == "log":
            low, high = self._log_limits(values)
            norm, cmap = LogNorm(low, high), self.cmap or colors.rising()
            values = np.maximum(values, low)  # a logarithm has no place for 0; what is missing stays so
        else:
            norm, cmap = self._colors(values, forward, grid)
        x, y = _corners(grid.edges, triangle)
        shown = np.where(np.triu(np.ones_like(values, dtype=bool)), values, np.nan) if triangle else values.T
        style = {"cmap": cmap, "norm": norm, "rasterized": True, "linewidth": 0, **self.artist}
        mesh = ax.pcolormesh(x, y, shown, **style)
        ax.set_xlim(ax.get_xlim())
        color_bar(ax, mesh, back if transform == "log1p" else None)
        if triangle:
            lanes.name_at_left(ax, grid.label, float(np.mean(ax.get_ylim())), 4, 4)
        scale = "" if transform == "linear" else f"{transform} scale"
        parts = (grid.long_name, what, grid.units, scale, "" if triangle else grid.label)
        return ", ".join(part for part in parts if part)

    def _frame(self, ax: Axes, region: Interval) -> None:
        if self.shape == "triangle":
            ax.set(ylim=(0, self._depth(region)), yticks=[])
            ax.spines["left"].set_visible(False)
            return
        ax.set(ylim=(region.end, region.start))
        scale, unit = unit_of(region)
        ax.yaxis.set_major_formatter(lambda y, _: f"{round(y / scale, 4):,.10g}")
        ax.set_ylabel(unit, fontsize=colors.size(0.8), color=colors.ink())

    def _scale(self, grid: Grid) -> str:
        if self.transform is None:
            fits = grid.counts and np.nanmax(grid.values) > 0 and (self.limits is None or self.limits[0] > 0)
            return "log" if fits else "linear"
        if self.transform not in TRANSFORMS:
            raise unknown("transform", self.transform, TRANSFORMS)
        return self.transform

    def _log_limits(self, values: np.ndarray) -> tuple[Real, Real]:
        if self.limits is not None:
            low, high = self._limits()
            if low <= 0:
                raise ValueError(f"limits={self.limits}; on a logarithmic scale they lie above 0.")
            return low, high
        known = values[np.isfinite(values) & (values > 0)]
        if not len(known):
            raise ValueError("transform='log' needs values above 0, and there is none; use 'log1p' or 'linear'.")
        low, high = (float(limit) for limit in np.quantile(known, (0.01, 0.995)))
        return low, high if high > low else low * 10

    def _colors(self, values: np.ndarray, forward: Any, grid: Grid) -> tuple[Normalize, Any]:
        known = values[np.isfinite(values)]
        if self.limits is not None:
            low, high = (float(forward(np.array(limit))) for limit in self._limits())
        else:
            low, high = (float(limit) for limit in np.quantile(known, (0.005, 0.995)))
            if grid.signed or low < 0 < high:
                high = max(-low, high) or 1.0
                low = -high
            elif low >= 0:
                low = 0.0
            high = high if high > low else low + 1.0
        one_sided = colors.rising() if grid.counts else "cividis"
        return Normalize(low, high), self.cmap or (colors.diverging() if low < 0 < high else one_sided)

    def _limits(self) -> tuple[Real, Real]:
        if self.limits is None or not self.limits[0] < self.limits[1]:
            raise ValueError(f"limits={self.limits}; give (low, high) with low < high.")
        return self.limits


def _corners(edges: np.ndarray, triangle: bool) -> tuple[np.ndarray, np.ndarray]:
    first, second = np.meshgrid(edges, edges, indexing="ij")
    # Two bins meet above the middle between them, as high as they are apart.
    return ((first + second) / 2, second - first) if triangle else (first.T, second.T)
