"""Overlay: several curves on one scale, such as REF and ALT, or prediction and measurement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from genomekit.errors import unknown
from genomekit.genome.interval import Interval
from genomekit.plot import colors, lanes
from genomekit.plot.columns import CurveFill, CurveLine
from genomekit.plot.curves import Curve, curves_of, dataset_of, named, place_of
from genomekit.plot.heads import legend
from genomekit.plot.lanes import Lane, Scale
from genomekit.plot.panel import Extent, Panel
from genomekit.plot.real import Real
from genomekit.plot.tracks import add, baseline, check_count, titled

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
        normalize: Divide each curve by its largest size in the region, so that data of different units, or sums over
            bins of different widths, can share a lane.
        aggregate: What a pixel column shows: "minmax", "mean" or "max".
        max_tracks: Refuse more lanes.
        artist: Keywords for the artists.

    Raises:
        ValueError: When drawn: one group only, groups whose tracks do not match, curves of one lane that are not on one
            scale, colours of groups that are not there, an unknown column or choice.

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
    normalize: bool = False
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
        if self.normalize:
            groups = {name: [_normalized(curve, region) for curve in members] for name, members in groups.items()}
        found = [_shared_lane(groups)] if self.by else _matched(groups, self.label)
        for lane in found:
            _check_scale(lane.curves)
        owner = {id(curve): name for name, members in groups.items() for curve in members}
        lanes.set_scales(found, region, self.scale, self.transform)
        tints = self._tints(list(groups))
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

    def _tints(self, groups: list[str]) -> dict[str, str]:
        for name, color in (self.colors or {}).items():
            if name not in groups:
                raise unknown("group among the colours", name, groups)
            colors.checked(color)
        return {**colors.allele_colors(groups), **(self.colors or {})}


def _normalized(curve: Curve, region: Interval) -> Curve:
    part = np.abs(curve.inside(region))
    largest = float(np.nanmax(part)) if np.isfinite(part).any() else 0.0
    # Shares of a maximum are of one kind, whatever they were sums of.
    facts = {**curve.facts, "aggregation": ""}
    return replace(curve, values=curve.values / (largest or 1.0), units="share of the maximum", facts=facts)


def _check_scale(curves: Sequence[Curve]) -> None:
    """Refuse curves whose heights mean different things in one lane; files do not tell their units.

    Raises:
        ValueError: They differ in units, or sums over bins of one width meet another width.
    """
    first = curves[0]
    for curve in curves[1:]:
        summed = any(part.facts.get("aggregation") == "sum" and part.step > 1 for part in (first, curve))
        if first.units and curve.units and first.units != curve.units:
            what = f"{first.units!r} and {curve.units!r}"
        elif summed and first.step != curve.step:
            what = f"sums over bins of {max(first.step, curve.step)} bp beside bins of {min(first.step, curve.step)} bp"
        else:
            continue
        raise ValueError(
            f"{first.label!r} and {curve.label!r} are not on one scale: {what}. Give each a lane of its own with "
            "Tracks, bring results to one width with .gk.bin(...), or draw shares of the maximum with normalize=True."
        )


def _shared_lane(groups: Mapping[str, list[Curve]]) -> Lane:
    return Lane("", [curve for members in groups.values() for curve in members])


def _matched(groups: Mapping[str, list[Curve]], template: str) -> list[Lane]:
    """Put the curves of one track, one from each group, into a lane.

    Raises:
        ValueError: The groups have different tracks.
    """
    first = next(iter(groups.values()))
    strands = [sorted(curve.strand for curve in members) for members in groups.values()]
    if all(pair == ["+", "-"] for pair in strands):  # a pair of files has other names than a predicted pair
        tables = [{curve.strand: curve for curve in members} for members in groups.values()]
        found = {sign: [table[sign] for table in tables] for sign in "+-"}
        return [Lane(_common(curves, template) or sign, curves) for sign, curves in found.items()]
    if all(len(members) == 1 for members in groups.values()):
        alone = [members[0] for members in groups.values()]
        return [Lane(_common(alone, template), alone)]
    labels = [curve.label for curve in first]
    for name, members in groups.items():
        if sorted(curve.label for curve in members) != sorted(labels):
            raise ValueError(
                f"Group {name!r} has tracks {[curve.label for curve in members][:4]}, the first has {labels[:4]}. Give "
                "each group the same tracks, or one track each."
            )
    tables = [{curve.label: curve for curve in members} for members in groups.values()]
    return [Lane(curve.written(template), [table[curve.label] for table in tables]) for curve in first]


def _common(curves: Sequence[Curve], template: str) -> str:
    """Give the label that all curves of a lane have; where they differ the legend tells them apart."""
    labels = {curve.written(template) for curve in curves}
    return labels.pop() if len(labels) == 1 else ""
