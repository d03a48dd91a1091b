"""Curve: one line of numbers along the genome, from a result or from a file of the user's own."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from genomekit.errors import GenomekitWarning, unknown
from genomekit.genome.interval import Interval
from genomekit.plot import files
from genomekit.plot.panel import Extent, extent_of


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Values of bins of one width, from left to right on the genome.

    Args:
        label: What tells it from the others.
        values: One value per bin; NaN where there is none.
        start: First base of the first bin, 0-based.
        step: Width of a bin, bp.
        place: Where all of it lies.
        facts: Metadata of the track: column -> value.
        units: Units of the values.
        long_name: What the values are, in words.
    """

    label: str
    values: np.ndarray
    start: int
    step: int
    place: Extent
    facts: Mapping[str, Any] = field(default_factory=dict)
    units: str = ""
    long_name: str = ""

    @property
    def strand(self) -> str:
        """'+', '-' or '.'."""
        return str(self.facts.get("strand") or ".")

    def fact(self, column: str) -> str:
        """Give one metadata value.

        Raises:
            ValueError: No such column (near matches are listed).
        """
        known = {"label": self.label, "track": self.label, **self.facts}
        if column not in known:
            raise unknown("column", column, known)
        return str(known[column])

    def written(self, template: str) -> str:
        """Fill "{column}" in a text with metadata.

        Raises:
            ValueError: No such column, or braces that do not match.

        Example:
            >>> place = Extent("chr1", 0, 2)
            >>> Curve("a +", np.zeros(2), 0, 1, place, {"strand": "+"}).written("{track} ({strand})")
            'a + (+)'
        """
        try:
            return template.format_map(_Facts(self))
        except (IndexError, KeyError, AttributeError) as error:
            raise ValueError(f"Label {template!r} cannot be filled in ({error}); write columns as {{name}}.") from error

    def inside(self, region: Interval) -> np.ndarray:
        """Give the values of the bins that overlap a region, without copying them."""
        first = max((region.start - self.start) // self.step, 0)
        last = max(-(-(region.end - self.start) // self.step), 0)
        return self.values[first:last]


class _Facts(dict):
    """Looks up a template's columns in a curve."""

    def __init__(self, curve: Curve) -> None:
        super().__init__()
        self._curve = curve

    def __missing__(self, column: str) -> str:
        return self._curve.fact(column)


def named(data: Any) -> bool:
    """Whether data are a mapping of labels to data; results of xarray are mappings too, and are not meant."""
    return isinstance(data, Mapping) and not isinstance(data, xr.DataTree | xr.Dataset)


def place_of(data: Any) -> Extent | None:
    """Say where data lie: None for files, which hold whole genomes."""
    if named(data):
        return joint(place_of(part) for part in data.values())
    if isinstance(data, Curve):
        return data.place
    if isinstance(data, xr.DataTree | xr.Dataset | xr.DataArray):
        node = dataset_of(data)
        dim = next((dim for dim in ("position", "bin1") if dim in node.dims), None)
        if dim is None or not node.sizes[dim]:
            return extent_of(node.attrs, 0, 0) if "end" in node.attrs else None
        at = node[dim].values
        step = int(node.attrs.get("resolution", 1))
        return extent_of(node.attrs, int(at.min()), int(at.max()) + step, bool(len(at) > 1 and at[0] > at[-1]))
    return None


def joint(extents: Iterator[Extent | None]) -> Extent | None:
    """Give the extent that holds all that are known.

    Raises:
        ValueError: They lie on different chromosomes or assemblies.
    """
    whole: Extent | None = None
    for extent in extents:
        if extent is None or whole is None:
            whole = extent or whole
            continue
        for what in ("chrom", "assembly"):
            one, other = getattr(whole, what), getattr(extent, what)
            if one and other and one != other:
                several = {"chrom": "chromosomes", "assembly": "assemblies"}[what]
                raise ValueError(
                    f"Data of two {several} came: {whole} and {extent}. A figure shows one stretch of one genome; "
                    "give data of the same."
                )
        whole = replace(
            whole,
            chrom=whole.chrom or extent.chrom,
            assembly=whole.assembly or extent.assembly,
            start=min(whole.start, extent.start),
            end=max(whole.end, extent.end),
            turned=whole.turned or extent.turned,
        )
    return whole


def curves_of(data: Any, region: Interval, allele: str | None = None) -> list[Curve]:
    """Read curves.

    Args:
        data: A node of a result (Dataset, DataArray, or a tree with one such node), a bigWig or bedGraph file, a
            table with chrom, start, end and value, a Curve, or a mapping of labels to any of these. The labels "+" and
            "-" stand for the strands of one track.
        region: Part to read from a file.
        allele: "ref" or "alt" of a result with both.

    Raises:
        ValueError: Data of another kind, or with two alleles and none chosen.
        FileNotFoundError: A file that does not exist.
    """
    if isinstance(data, Curve):
        return [data]
    if named(data) and data and set(data) <= {"+", "-"}:
        return [
            _on_strand(curve, sign, many=len(part) > 1)
            for sign, part in ((sign, curves_of(part, region, allele)) for sign, part in data.items())
            for curve in part
        ]
    if named(data):
        return [
            replace(curve, label=_named(str(label), curve, len(part)), facts={**curve.facts, "source": str(label)})
            for label, part in ((label, curves_of(part, region, allele)) for label, part in data.items())
            for curve in part
        ]
    if isinstance(data, xr.DataTree | xr.Dataset | xr.DataArray):
        return _from_node(dataset_of(data), allele)
    if isinstance(data, pd.DataFrame):
        return [_from_file("value", files.table_values(data, region), region)]
    if isinstance(data, str | os.PathLike):
        path = Path(data)
        return [_from_file(path.name.split(".")[0], files.file_values(path, region), region)]
    raise ValueError(
        f"{type(data).__name__} cannot be drawn along the genome. Give a node of a result such as tree['rna_seq'], a "
        "bigWig or bedGraph file, a table with chrom, start, end, value, or a mapping of labels to these."
    )


def _on_strand(curve: Curve, sign: str, *, many: bool) -> Curve:
    """Call a curve one of a strand, with sizes upwards: many files hold the minus strand below zero."""
    known = curve.values[np.isfinite(curve.values)]
    values = -curve.values if sign == "-" and known.size and known.max() <= 0 else curve.values
    label = f"{curve.label} {sign}" if many else sign
    return replace(curve, label=label, values=values, facts={**curve.facts, "strand": sign})


def _named(label: str, curve: Curve, count: int) -> str:
    return label if count == 1 else f"{label} {curve.label}"


def _from_file(label: str, read: tuple[np.ndarray, int], region: Interval) -> Curve:
    values, step = read
    place = Extent(region.chrom, region.start, region.end)
    return Curve(label, finite(values, label), region.start, step, place, {"name": label, "strand": "."})


def finite(values: np.ndarray, name: str) -> np.ndarray:
    """Give the values with infinite ones missing, and say so: no scale holds them.

    Example:
        >>> finite(np.array([1.0, 2.0]), "mine").tolist()
        [1.0, 2.0]
    """
    endless = np.isinf(values)
    if not endless.any():
        return values
    text = f"{int(endless.sum()):,} infinite values of {name} are left out of the drawing, as missing ones are."
    warnings.warn(text, GenomekitWarning, stacklevel=2)
    return np.where(endless, np.nan, values)


def one_track(signal: xr.DataArray, track: str | None, what: str) -> tuple[xr.DataArray, str]:
    """Take one track, the first where none is named, and its name, which says how many there were.

    Args:
        signal: With or without a dim `track`; without it comes back as it is, with no name.
        track: Name of one.
        what: What has the tracks, for the text of the error.

    Raises:
        ValueError: An unknown track, or none at all.
    """
    if "track" not in signal.dims:
        return signal, ""
    labels = [str(name) for name in signal["track"].values]
    if track is not None and track not in labels:
        raise unknown("track", track, labels)
    if not labels:
        raise ValueError(f"{what} have no track left; select more.")
    index = 0 if track is None else labels.index(track)
    label = labels[index] + (f" (1 of {len(labels)})" if track is None and len(labels) > 1 else "")
    return signal.isel(track=index), label


def dataset_of(data: xr.DataTree | xr.Dataset | xr.DataArray) -> xr.Dataset:
    """Give the one node with a signal.

    Raises:
        ValueError: None, or several to choose from.
    """
    if isinstance(data, xr.DataTree):
        nodes = {name: node for name, node in data.subtree_with_keys if "signal" in node.data_vars}
        if len(nodes) != 1:
            names = [name for name in nodes if name != "."]
            choice = f"choose one, such as tree[{names[0]!r}]" if names else "nothing in it has a signal"
            raise ValueError(f"The tree has {len(nodes)} nodes with a signal ({', '.join(names)}); {choice}.")
        return next(iter(nodes.values())).to_dataset(inherit=False)
    if isinstance(data, xr.DataArray):
        return data.to_dataset(name="signal").assign_attrs(data.attrs)
    return data


def _from_node(node: xr.Dataset, allele: str | None) -> list[Curve]:
    name = str(node.attrs.get("modality") or "The data")
    if "signal" not in node or "position" not in node["signal"].dims:
        dims = tuple(node["signal"].dims) if "signal" in node else tuple(node.data_vars)
        raise ValueError(f"{name} has {dims}, no signal along `position`; Sashimi draws junctions, ContactMap maps.")
    signal = node["signal"]
    if allele is not None:
        if "allele" not in signal.dims or allele not in signal["allele"].values:
            raise ValueError(
                f"{name} has no allele {allele!r}; it is not a prediction of a variant. Compare two data by name, "
                "as in Difference({'before': one, 'after': other})."
            )
        signal = signal.sel(allele=allele)
    elif "allele" in signal.dims:
        raise ValueError(f"{name} holds two alleles; use Overlay or Difference, or .sel(allele='alt').")
    if "track" not in signal.dims:
        signal = signal.expand_dims("track")
    if not signal.size:
        raise ValueError(f"{name} has sizes {dict(signal.sizes)}: nothing is left to draw. Select more.")
    at, step = signal["position"].values, int(node.attrs.get("resolution", 1))
    turned = bool(len(at) > 1 and at[0] > at[-1])
    if turned:
        signal, at = signal.isel(position=slice(None, None, -1)), at[::-1]
    if len(at) > 1 and not (int(at[-1]) - int(at[0]) == step * (len(at) - 1) and (np.diff(at) == step).all()):
        raise ValueError(f"Positions of {name} are not {step} bp apart throughout; give one unbroken stretch.")
    values = finite(signal.transpose("position", "track").values, name)
    place = extent_of(node.attrs, int(at[0]), int(at[-1]) + step, turned)
    columns = {
        str(key): np.atleast_1d(coord.values)
        for key, coord in signal.coords.items()
        if key != "track" and coord.dims == ("track",)
    }
    labels = np.atleast_1d(signal["track"].values) if "track" in signal.coords else np.arange(values.shape[1])
    shared = {key: str(node.attrs.get(key, "")) for key in ("units", "aggregation")} | {"modality": name}
    return [
        Curve(
            label=str(label),
            values=values[:, i],
            start=int(at[0]),
            step=step,
            place=place,
            facts={**shared, **{key: column[i] for key, column in columns.items()}},
            units=shared["units"],
            long_name=str(node.attrs.get("long_name") or name),
        )
        for i, label in enumerate(labels)
    ]
