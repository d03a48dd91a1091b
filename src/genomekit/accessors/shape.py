"""How the axes of a result change: coarser bins, ALT minus REF, turned for display."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from genomekit.errors import unknown

PLACES = ("position", "bin1", "bin2")
_COMPLEMENT = dict(zip("ACGTN", "TGCAN", strict=True))


def resolution_of(node: xr.Dataset) -> int:
    """Give the width of a bin, bp."""
    return int(node.attrs.get("resolution", 1))


def with_attrs(node: xr.Dataset, **attrs: Any) -> xr.Dataset:
    """Set attributes on the node and, where it carries them, on its signal."""
    node = node.assign_attrs(attrs)
    if "signal" in node:
        node["signal"] = node["signal"].assign_attrs(attrs)
    return node


def coarsen(node: xr.Dataset, width: int, how: str | None, lost: list[str], *, strict: bool) -> xr.Dataset:
    """Merge bins into bins of `width` bp; what does not fill one is told to `lost`.

    Unless `strict`, a node without bins or with bins as coarse already comes back as it is.
    """
    dims = [dim for dim in PLACES if dim in node.dims]
    resolution = resolution_of(node)
    name = str(node.attrs.get("modality", "signal"))
    if not strict and (not dims or resolution >= width):
        return node
    if not dims or "signal" not in node:
        raise ValueError(f"{name} has no bins to merge; only results along position, bin1 and bin2 have.")
    if width < resolution or width % resolution:
        raise ValueError(f"Bins of {width} bp do not fit {name}; use a multiple of its {resolution} bp.")
    how = how or str(node.attrs.get("aggregation", "mean"))
    if how not in ("sum", "mean", "max"):
        raise unknown("aggregation", how, ("sum", "mean", "max"))
    factor = width // resolution
    values, axes, shape, coords = node["signal"], [], [], {}
    for dim in values.dims:
        size = values.sizes[dim]
        if dim not in dims:
            shape.append(size)
            continue
        if size < factor:
            raise ValueError(f"{name} has {size * resolution} bp, less than one bin of {width} bp.")
        if size % factor and dim != "bin2":
            lost.append(f"{name} loses its last {size % factor * resolution} bp")
        axes.append(len(shape) + 1)
        shape += [size // factor, factor]
        values = values.isel({dim: slice(0, size // factor * factor)})
        first = values[dim].values
        start, sign = int(min(first[0], first[factor - 1])), -1 if factor > 1 and first[0] > first[1] else 1
        coords[dim] = pd.RangeIndex(start, start + sign * width * (size // factor), sign * width)
    merged = _reduce(values.values.reshape(shape), tuple(axes), how)
    kept = {n: c.variable for n, c in node.coords.items() if not set(c.dims) & set(dims)}
    signal = (values.dims, merged.astype(np.float32, copy=False), values.attrs)
    result = xr.Dataset({"signal": signal}, coords={**coords, **kept}, attrs=node.attrs)
    span = coords[dims[0]]
    low, high = min(span[0], span[-1]), max(span[0], span[-1]) + width
    if "start" in node.attrs:
        result = with_attrs(result, start=max(low, node.attrs["start"]), end=min(high, node.attrs["end"]))
    return with_attrs(result, resolution=width, aggregation=how)


def _reduce(blocks: np.ndarray, axes: tuple[int, ...], how: str) -> np.ndarray:
    if how == "max":
        return np.fmax.reduce(blocks, axis=axes)  # skips NaN, and gives NaN only where all are
    reduce = np.sum if how == "sum" else np.mean
    merged = reduce(blocks, axis=axes, dtype=np.float64)
    if np.isnan(merged).any():  # rare, so the common case never allocates a mask
        known = ~np.isnan(blocks)
        count = known.sum(axis=axes)
        total = np.sum(blocks, axis=axes, dtype=np.float64, where=known)
        merged = np.where(count > 0, total if how == "sum" else total / np.maximum(count, 1), np.nan)
    return np.asarray(merged)


def delta(node: xr.Dataset) -> xr.Dataset:
    """Subtract REF from ALT."""
    signal = node["signal"]
    if "allele" not in signal.dims or not {"ref", "alt"} <= set(signal["allele"].values):
        raise ValueError(f"{node.attrs.get('modality', 'The result')} has no alleles 'ref' and 'alt' to subtract.")
    change = signal.sel(allele="alt", drop=True) - signal.sel(allele="ref", drop=True)
    name = f"{node.attrs.get('long_name', 'signal')}, ALT - REF"
    change.attrs = dict(signal.attrs)
    return with_attrs(node.drop_dims("allele").assign(signal=change), long_name=name)


def turn(node: xr.Dataset) -> xr.Dataset:
    """Reverse the order of positions, and complement letters where the result has some."""
    turned = node.isel({dim: slice(None, None, -1) for dim in (*PLACES, "junction") if dim in node.dims})
    if "base" in turned.dims:
        opposite = [_COMPLEMENT[base] for base in turned["base"].values]
        turned = turned.sel(base=opposite).assign_coords(base=turned["base"].values)
    if "ref_base" in turned.coords:
        letters = np.array([_COMPLEMENT[base] for base in turned["ref_base"].values], dtype=object)
        turned = turned.assign_coords(ref_base=(turned["ref_base"].dims, letters))
    if turned.attrs.get("displayed_strand") != "-":
        return with_attrs(turned, displayed_strand="-")
    turned.attrs.pop("displayed_strand")
    if "signal" in turned:
        turned["signal"].attrs.pop("displayed_strand", None)
    return turned
