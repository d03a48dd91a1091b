"""Overlay: several curves on one scale, such as REF and ALT, or prediction and measurement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from genomekit.errors import unknown
from genomekit.genome.interval import Interval
from genomekit.plot import colors, lanes
from genomekit.plot.columns import CurveFill, CurveLine
from genomekit.plot.curves import Curve, curves_of, dataset_of, named, place_of
from genomekit.plot.lanes import Lane, Scale
from genomekit.plot.panel import Extent, Panel
from genomekit.plot.real import Real
from genomekit.plot.tracks import add, baseline, check_count, legend, titled

STYLES = ("line", "fill")


@dataclass(eq=False)
class Overlay(Panel):
    """Groups of curves drawn over each other, one lane per track, with a legend.

    Args:
        data: A node of a variant's prediction (REF and ALT), a mapping of names to data (each as `Tracks` takes it),
            or with `by` a node whose tracks are grouped.
        by: Column of the metadata whose values are the groups; all tracks then share one lane.
        style: "line" or "fill" (see-through).
        colors: Group -> colour; REF is grey and ALT vermillion unless said otherwise.
        label: Text at the left, with columns in braces.
        scale: "free", "shared", or (low, high) for all lanes.
        transform: "linear", "log1p" or "sqrt".
        aggregate: What a pixel column shows: "minmax", "mean" or "max".
        max_tracks: Refuse more lanes.
        artist: Keywords for the artists.

    Raises:
        ValueError: When drawn: one group only, groups whose tracks do not match, an unknown column or choice.

    Example:
        >>> import pandas as pd
        >>> from matplotlib.figure import Figure
        >>> table = pd.DataFrame({"chrom": "chrI", "start": [0], "end": [10], "value": [1.0]})
        >>> both = Overlay({"before": table, "after": table.assign(value=2.0)})
        >>> ax = both.draw(Figure().add_subplot(), "chrI:0-100")
        >>> [text.get_text() for text in ax.get_legend().get_texts()]
        ['before', 'after']
    """

    data: Any
    _: KW_ONLY
    by: str | None = None
    style: str = "line"
    colors: Mapping[str, str] | None = None
    label: str = "{track}"
    scale: Scale = "free"
    transform: str = "linear"
    aggregate: str = "minmax"
    max_tracks: int = 50
    artist: Mapping[str, Any] = field(default_factory=dict)

    def extent(self) -> Extent | None:
        """Say where the data lie."""
        return place_of(self.data)

    def inches(self, width: Real, region: Interval) -> Real:
        """Give every lane the same height."""
        count = 1 if self.by else len(next(iter(self._groups(region).values())))
        return self.height or max(0.75 * count if count <= 4 else 0.5 * count, 0.5)

    def _groups(self, region: Interval) -> dict[str, list[Curve]]:
        if named(self.data):
            return {str(name): curves_of(part, region) for name, part in self.data.items()}
        if self.by is not None:
            groups: dict[str, list[Curve]] = {}
            for curve in curves_of(self.data, region):
                groups.setdefault(curve.fact(self.by), []).append(curve)
            return groups
        if isinstance(self.data, xr.DataTree | xr.Dataset | xr.DataArray):
            node = dataset_of(self.data)
            if "allele" in node.get("signal", node).dims:
                names = [str(name) for name in node["allele"].values]
                return {name.upper(): curves_of(node, region, name) for name in names}
        raise ValueError(
            "Overlay needs groups: the prediction of a variant, a mapping of names to data, or by='a column'. "
            "Tracks draws a single one."
        )

    def _draw(self, ax: Axes, region: Interval) -> str:
        if self.style not in STYLES:
            raise unknown("style", self.style, STYLES)
        groups = self._groups(region)
        check_count(next(iter(groups.values())), self.max_tracks)
        found = [_shared_lane(groups)] if self.by else _matched(groups, self.label)
        owner = {id(curve): name for name, members in groups.items() for curve in members}
        lanes.set_scales(found, region, self.scale, self.transform)
        tints = {**colors.allele_colors(list(groups)), **(self.colors or {})}
        for lane in found:
            for curve in lane.curves:
                style: dict[str, Any] = {"color": tints[owner[id(curve)]], "zorder": 3, **self.artist}
                if self.style == "fill":
                    add(ax, CurveFill(curve, lane.y, how=self.aggregate, **{"alpha": 0.5, **style}))
                else:
                    add(ax, CurveLine(curve, lane.y, self.aggregate, **{"alpha": 0.9, **style}))
            baseline(ax, lane)
        lanes.finish(ax, found)
        legend(ax, {name: tints[name] for name in groups})
        return titled([curve for members in groups.values() for curve in members], self.transform)


def _shared_lane(groups: Mapping[str, list[Curve]]) -> Lane:
    return Lane("", [curve for members in groups.values() for curve in members])


def _matched(groups: Mapping[str, list[Curve]], template: str) -> list[Lane]:
    """Put the curves of one track, one from each group, into a lane.

    Raises:
        ValueError: The groups have different tracks.
    """
    first = next(iter(groups.values()))
    if all(len(members) == 1 for members in groups.values()):
        return [Lane(first[0].written(template), [members[0] for members in groups.values()])]
    labels = [curve.label for curve in first]
    for name, members in groups.items():
        if sorted(curve.label for curve in members) != sorted(labels):
            raise ValueError(
                f"Group {name!r} has tracks {[curve.label for curve in members][:4]}, the first has {labels[:4]}. Give "
                "each group the same tracks, or one track each."
            )
    tables = [{curve.label: curve for curve in members} for members in groups.values()]
    return [Lane(curve.written(template), [table[curve.label] for table in tables]) for curve in first]


def subtract(alt: Curve, ref: Curve, kind: str, pseudocount: Real) -> Curve:
    """Give ALT against REF as a curve.

    Args:
        alt: Values of ALT.
        ref: Values of REF, on the same bins.
        kind: "difference", or "log2fc" for log2((alt + pseudocount) / (ref + pseudocount)).
        pseudocount: Keeps the ratio of small values near 1.

    Raises:
        ValueError: Different bins.
    """
    if (alt.start, alt.step, len(alt.values)) != (ref.start, ref.step, len(ref.values)):
        raise ValueError(f"{alt.label!r} and {ref.label!r} have different bins; bring them to one with .gk.bin(...).")
    if kind == "difference":
        values, units = alt.values - ref.values, ref.units
    else:
        with np.errstate(divide="ignore", invalid="ignore"):
            values = np.log2((alt.values + pseudocount) / (ref.values + pseudocount))
        values, units = np.where(np.isfinite(values), values, np.nan), "log2 fold change"
    return Curve(ref.label, values, ref.start, ref.step, ref.place, ref.facts, units, ref.long_name)
