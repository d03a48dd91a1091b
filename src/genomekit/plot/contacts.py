"""Contact maps: how two bins of the genome meet, as a triangle over the genome or as a square."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import Normalize

from genomekit.errors import unknown
from genomekit.genome.interval import Interval
from genomekit.plot import colors, lanes
from genomekit.plot.cool import read_cool
from genomekit.plot.curves import dataset_of, place_of
from genomekit.plot.panel import Extent, Panel, message
from genomekit.plot.real import Real
from genomekit.plot.tracks import color_bar

SHAPES = ("triangle", "square")
MOST = 1024  # bins drawn along a side; more are averaged in blocks


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """A square of contacts: (bin, bin), from left to right on the genome."""

    values: np.ndarray
    start: int
    step: int
    label: str = ""
    units: str = ""
    long_name: str = ""

    @property
    def edges(self) -> np.ndarray:
        """First base of each bin, and the end of the last."""
        return self.start + self.step * np.arange(len(self.values) + 1)


@dataclass(eq=False)
class ContactMap(Panel):
    """Contacts of two bins, over the middle between them (triangle) or as a square.

    Args:
        data: The contact_maps node of a result, a .cool or .mcool file, or a square DataArray with dims bin1 and bin2.
        shape: "triangle" or "square".
        track: Track to draw; None draws the first, and its name says how many there are.
        allele: Of a variant's prediction: "ref", "alt", or "difference" (the default).
        depth: Greatest distance shown in a triangle, bp; default is all of it.
        limits: (low, high) of the colours; default covers 99 % of the values, symmetric where they have two signs.
        cmap: Colour map; default is diverging for values of two signs, else "cividis".
        transform: "linear" or "log1p" (counts of a .cool file).
        resolution: bp per bin, needed where an .mcool file has several.
        balance: Use the weights of a .cool file where it has them.
        artist: Keywords for the mesh (QuadMesh).

    Raises:
        ValueError: When drawn: data without contacts, an unknown shape, track or allele, or limits in the wrong order.

    Example:
        >>> from matplotlib.figure import Figure
        >>> bins = range(0, 4000, 1000)
        >>> grid = xr.DataArray(np.eye(4), dims=("bin1", "bin2"), coords={"bin1": bins, "bin2": bins})
        >>> ax = ContactMap(grid.assign_attrs(resolution=1000)).draw(Figure().add_subplot())
        >>> [float(limit) for limit in (*ax.get_xlim(), *ax.get_ylim())]
        [0.0, 4000.0, 0.0, 4000.0]
    """

    data: Any
    _: KW_ONLY
    shape: str = "triangle"
    track: str | None = None
    allele: str | None = None
    depth: int | None = None
    limits: tuple[Real, Real] | None = None
    cmap: Any = None
    transform: str = "linear"
    resolution: int | None = None
    balance: bool = True
    artist: Mapping[str, Any] = field(default_factory=dict)

    def extent(self) -> Extent | None:
        """Say where the data lie."""
        return place_of(self.data)

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

    def _draw(self, ax: Axes, region: Interval) -> str:
        for kind, value, options in (("shape", self.shape, SHAPES), ("transform", self.transform, ("linear", "log1p"))):
            if value not in options:
                raise unknown(kind, value, options)
        grid, what = read_grid(
            self.data, region, self.track, self.allele, resolution=self.resolution, balance=self.balance
        )
        forward, back = lanes.TRANSFORMS[self.transform]
        values = forward(grid.values)
        triangle = self.shape == "triangle"
        ax.set(ylim=(0, self._depth(region)) if triangle else (region.end, region.start))
        if triangle:
            ax.set_yticks([])
            ax.spines["left"].set_visible(False)
        else:
            scale, unit = (1e6, "Mb") if region.width >= 2e6 else (1e3, "kb") if region.width >= 2e3 else (1, "bp")
            ax.yaxis.set_major_formatter(lambda y, _: f"{round(y / scale, 4):,.10g}")
            ax.set_ylabel(unit, fontsize=colors.size(0.8), color=colors.ink())
        if not np.isfinite(values).any():
            message(ax, "no data here")
            return grid.long_name
        norm, cmap = self._colors(values, forward)
        x, y = _corners(grid.edges, triangle)
        shown = np.where(np.triu(np.ones_like(values, dtype=bool)), values, np.nan) if triangle else values.T
        style = {"cmap": cmap, "norm": norm, "rasterized": True, "linewidth": 0, **self.artist}
        mesh = ax.pcolormesh(x, y, shown, **style)
        ax.set_xlim(ax.get_xlim())
        color_bar(ax, mesh, back if self.transform != "linear" else None)
        middle = float(np.mean(ax.get_ylim()))
        if triangle:
            lanes.name_at_left(ax, grid.label, middle, 4, 4)
        return ", ".join(part for part in (grid.long_name, what, grid.units, "" if triangle else grid.label) if part)

    def _colors(self, values: np.ndarray, forward: Any) -> tuple[Normalize, Any]:
        known = values[np.isfinite(values)]
        if self.limits is not None:
            low, high = (float(forward(np.array(limit))) for limit in self.limits)
            if not low < high:
                raise ValueError(f"limits={self.limits}; give (low, high) with low < high.")
        else:
            low, high = (float(limit) for limit in np.quantile(known, (0.005, 0.995)))
            if low < 0 < high:
                low, high = -max(-low, high), max(-low, high)
            elif low >= 0:
                low = 0.0
            high = high if high > low else low + 1.0
        cmap = self.cmap or (colors.diverging() if low < 0 < high else "cividis")
        return Normalize(low, high), cmap


def _corners(edges: np.ndarray, triangle: bool) -> tuple[np.ndarray, np.ndarray]:
    first, second = np.meshgrid(edges, edges, indexing="ij")
    # Two bins meet above the middle between them, as high as they are apart.
    return ((first + second) / 2, second - first) if triangle else (first.T, second.T)


def read_grid(
    data: Any,
    region: Interval,
    track: str | None,
    allele: str | None,
    *,
    resolution: int | None = None,
    balance: bool = True,
) -> tuple[Grid, str]:
    """Read the contacts of a region; return them and what an allele shows.

    Raises:
        ValueError: Data of another kind, or an unknown track or allele.
    """
    if isinstance(data, str | os.PathLike):
        values, start, step, weighted = read_cool(Path(data), region, resolution, balance)
        units = "balanced counts" if weighted else "counts"
        return _thinned(Grid(values, start, step, Path(data).name.split(".")[0], units, "Contacts")), ""
    if not isinstance(data, xr.DataTree | xr.Dataset | xr.DataArray):
        raise ValueError(f"{type(data).__name__} holds no contacts; give tree['contact_maps'] or a .cool file.")
    node = dataset_of(data)
    if "signal" not in node or not {"bin1", "bin2"} <= set(node["signal"].dims):
        raise ValueError("The data have no dims bin1 and bin2; give tree['contact_maps'], or a square DataArray.")
    signal, label = node["signal"], ""
    if "track" in signal.dims:
        labels = [str(name) for name in signal["track"].values]
        if track is not None and track not in labels:
            raise unknown("track", track, labels)
        if not labels:
            raise ValueError("The contact maps have no track left; select more.")
        index = 0 if track is None else labels.index(track)
        label = labels[index] + (f" (1 of {len(labels)})" if track is None and len(labels) > 1 else "")
        signal = signal.isel(track=index)
    signal, what = _of_allele(signal, allele)
    values = signal.transpose("bin1", "bin2").values
    at, step = signal["bin1"].values, int(node.attrs.get("resolution", 1))
    if len(at) > 1 and at[0] > at[-1]:
        values, at = values[::-1, ::-1], at[::-1]
    inside = np.flatnonzero((at < region.end) & (at + step > region.start))
    part = slice(inside[0], inside[-1] + 1)
    name, units = str(node.attrs.get("long_name") or "Contacts"), str(node.attrs.get("units", ""))
    return _thinned(Grid(values[part, part], int(at[inside[0]]), step, label, units, name)), what


def _of_allele(signal: xr.DataArray, allele: str | None) -> tuple[xr.DataArray, str]:
    """Take one allele, or the difference of both."""
    if "allele" not in signal.dims:
        if allele is not None:
            raise ValueError(f"allele={allele!r}, but the data have one allele only; leave it out.")
        return signal, ""
    names = [str(name) for name in signal["allele"].values]
    allele = allele or "difference"
    if allele == "difference":
        return signal.sel(allele="alt") - signal.sel(allele="ref"), "ALT - REF"
    if allele not in names:
        raise unknown("allele", allele, [*names, "difference"])
    return signal.sel(allele=allele), allele.upper()


def _thinned(grid: Grid) -> Grid:
    """Average blocks of bins where there are more than a page has pixels."""
    factor = -(-len(grid.values) // MOST)
    if factor == 1:
        return grid
    size = len(grid.values) // factor * factor
    blocks = grid.values[:size, :size].reshape(size // factor, factor, size // factor, factor)
    known = np.isfinite(blocks)
    count = known.sum(axis=(1, 3))
    total = np.where(known, blocks, 0).sum(axis=(1, 3))
    mean = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return replace(grid, values=mean, step=grid.step * factor)
