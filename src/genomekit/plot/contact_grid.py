"""Grid: a square of contacts, from a prediction or out of a file, and the difference of two."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from genomekit.errors import unknown
from genomekit.genome.interval import Interval
from genomekit.plot.cool import read_cool
from genomekit.plot.curves import dataset_of, one_track
from genomekit.plot.panel import shown
from genomekit.plot.sides import Side, check_units

MOST = 1024  # bins drawn along a side; more are averaged in blocks
OVER_EXPECTED = "log fold over distance-based expectation"  # as contact maps are predicted


@dataclass(frozen=True, slots=True)
class Reading:
    """How contacts are read: a track of a result; resolution and weights of a file."""

    track: str | None = None
    resolution: int | None = None
    balance: bool = True
    over_expected: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """A square of contacts: (bin, bin), from left to right on the genome."""

    values: np.ndarray
    start: int
    step: int
    label: str = ""
    units: str = ""
    long_name: str = ""
    counts: bool = False
    """Whether they are counts, which fall with distance over orders of magnitude."""
    signed: bool = False
    """Whether they are a difference, and 0 is the middle."""

    @property
    def edges(self) -> np.ndarray:
        """First base of each bin, and the end of the last."""
        return self.start + self.step * np.arange(len(self.values) + 1)


def read_grid(data: Any, region: Interval, allele: str | None = None, how: Reading = Reading()) -> Grid:
    """Read the contacts of a region.

    Args:
        data: A node of contacts, a square DataArray, or a .cool or .mcool file.
        region: Where.
        allele: Of data with two alleles: "ref" or "alt".
        how: Which track, resolution and weights.

    Raises:
        ValueError: Data of another kind, an unknown track or allele, or a resolution that the data do not have.
    """
    if _is_file(data):
        return _from_file(Path(data), region, allele, how)
    if not isinstance(data, xr.DataTree | xr.Dataset | xr.DataArray):
        raise ValueError(f"{type(data).__name__} holds no contacts; give tree['contact_maps'] or a .cool file.")
    node = dataset_of(data)
    if "signal" not in node or not {"bin1", "bin2"} <= set(node["signal"].dims):
        raise ValueError("The data have no dims bin1 and bin2; give tree['contact_maps'], or a square DataArray.")
    step = int(node.attrs.get("resolution", 1))
    if how.resolution not in (None, step):
        raise ValueError(f"The contacts have bins of {step} bp, not {how.resolution}; leave resolution out.")
    if how.over_expected:
        raise ValueError("over_expected=True is for counts of a .cool file; leave it out for contacts of a result.")
    signal, label = one_track(node["signal"], how.track, "The contact maps")
    signal = _of_allele(signal, allele)
    values, at = signal.transpose("bin1", "bin2").values, signal["bin1"].values
    if len(at) > 1 and at[0] > at[-1]:
        values, at = values[::-1, ::-1], at[::-1]
    inside = np.flatnonzero((at < region.end) & (at + step > region.start))
    if not len(inside):
        raise ValueError(f"No bin of the contacts lies in {shown(region)}; they cover {at[0]:,}-{at[-1] + step:,}.")
    part = slice(inside[0], inside[-1] + 1)
    name, units = str(node.attrs.get("long_name") or "Contacts"), str(node.attrs.get("units", ""))
    return Grid(values[part, part], int(at[inside[0]]), step, label, units, name)


def _is_file(data: Any) -> bool:
    return isinstance(data, str | os.PathLike)


def has_alleles(data: Any) -> bool:
    """Whether data hold REF and ALT."""
    if not isinstance(data, xr.DataTree | xr.Dataset | xr.DataArray):
        return False
    node = dataset_of(data)
    return "signal" in node and "allele" in node["signal"].dims


def _from_file(path: Path, region: Interval, allele: str | None, how: Reading) -> Grid:
    for name, value in (("allele", allele), ("track", how.track)):
        if value is not None:
            raise ValueError(f"{name}={value!r}, but {path} is a file of one map; leave it out.")
    values, start, step, weighted = read_cool(path, region, how.resolution, how.balance)
    label = path.name.split(".")[0]
    if how.over_expected:
        return Grid(_over_expected(values), start, step, label, OVER_EXPECTED, "Contacts")
    return Grid(values, start, step, label, "balanced counts" if weighted else "counts", "Contacts", counts=True)


def _over_expected(values: np.ndarray) -> np.ndarray:
    """Give the natural log of contacts over their mean at each distance; NaN where there is none."""
    found = np.full_like(values, np.nan)
    bins = np.arange(len(values))
    for apart in range(len(values)):
        diagonal = values[bins[: len(bins) - apart], bins[apart:]]
        known = np.isfinite(diagonal)
        mean = diagonal[known].mean() if known.any() else 0.0
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.log(diagonal / mean)
        ratio[~np.isfinite(ratio)] = np.nan
        found[bins[: len(bins) - apart], bins[apart:]] = found[bins[apart:], bins[: len(bins) - apart]] = ratio
    return found


def _of_allele(signal: xr.DataArray, allele: str | None) -> xr.DataArray:
    if "allele" not in signal.dims:
        if allele is not None:
            raise ValueError(f"allele={allele!r}, but the data have one allele only; leave it out.")
        return signal
    names = [str(name) for name in signal["allele"].values]
    if allele not in names:
        raise unknown("allele", allele, [*names, "difference"])
    return signal.sel(allele=allele)


def compared(sides: tuple[Side, Side], region: Interval, kind: str, how: Reading) -> Grid:
    """Give the difference of two maps over the bins that both have.

    Args:
        sides: What counts upwards, and what it is compared with.
        region: Where.
        kind: "difference", or "log2fc": log2(one / other), NaN where either is 0.
        how: As of `read_grid`; what is only for files is used for those.

    Raises:
        ValueError: Different units or bins, no bin that both have, or a ratio of values below 0.
    """
    mixed = len({_is_file(side.data) for side in sides}) == 2
    one, other = (read_grid(side.data, region, side.allele, _for(side.data, how) if mixed else how) for side in sides)
    names = [side.name for side in sides]
    check_units(names[0], one.units, names[1], other.units)
    if one.step != other.step or (one.start - other.start) % one.step:
        raise ValueError(
            f"{names[0]!r} has bins of {one.step:,} bp from {one.start:,} on, {names[1]!r} of {other.step:,} bp from "
            f"{other.start:,} on; a difference needs the same bins. Choose resolution= of an .mcool file, or merge "
            "those of a result with .gk.bin(...)."
        )
    start, end = max(one.start, other.start), min(int(grid.edges[-1]) for grid in (one, other))
    if end <= start:
        raise ValueError(f"{names[0]!r} and {names[1]!r} share no bin of {region}; give data of one place.")
    first, second = (_cut(grid, start, end) for grid in (one, other))
    if kind == "difference":
        values, units = first - second, one.units or other.units
    elif min(np.nanmin(first, initial=0), np.nanmin(second, initial=0)) < 0:
        raise ValueError("kind='log2fc' is for counts, and there are values below 0, as logarithms have; leave it out.")
    else:
        with np.errstate(divide="ignore", invalid="ignore"):
            values = np.log2(first / second)
        values, units = np.where(np.isfinite(values), values, np.nan), ""
    sign = " - " if kind == "difference" else " / "
    label = one.label if one.label == other.label else sign.join(filter(None, (one.label, other.label)))
    long_name = "; ".join(dict.fromkeys((one.long_name, other.long_name)))
    return Grid(values, start, one.step, label, units, long_name, signed=True)


def _for(data: Any, how: Reading) -> Reading:
    """Leave out what has no meaning for these data, where a file is compared with a result."""
    if _is_file(data):
        return replace(how, track=None)
    return replace(how, resolution=None, over_expected=False)


def _cut(grid: Grid, start: int, end: int) -> np.ndarray:
    part = slice((start - grid.start) // grid.step, (end - grid.start) // grid.step)
    return grid.values[part, part]


def thinned(grid: Grid) -> Grid:
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
