"""Difference: ALT minus REF, or one measurement against another, above and below zero."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field, replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from genomekit.genome.interval import Interval
from genomekit.plot import colors, lanes
from genomekit.plot.columns import CurveFill
from genomekit.plot.curves import Curve, curves_of, joint, place_of
from genomekit.plot.heads import legend
from genomekit.plot.lanes import Lane, Scale
from genomekit.plot.panel import Extent, Panel
from genomekit.plot.real import Real
from genomekit.plot.sides import UNNAMED, check_kind, check_units, sides_of, spelled
from genomekit.plot.tracks import add, baseline, check_count


@dataclass(eq=False)
class Difference(Panel):
    """What ALT adds (up) and takes away (down), one lane per track, with symmetric limits.

    Any two data can be compared: the title and the legend say which is which. Only bins that both have are drawn.

    Args:
        data: A node of a variant's prediction, or a mapping of two names to data, {"before": ..., "after": ...}: the
            second minus the first ("ref" and "alt" in either order). With `reference`: data as `Tracks` takes them.
        reference: What is subtracted; its tracks come in the order of those of `data`.
        kind: "difference", or "log2fc": log2((alt + pseudocount) / (ref + pseudocount)).
        pseudocount: In the units of the values.
        label: Text at the left, with columns in braces.
        scale: "free", "shared", or (low, high) for all lanes.
        up: Colour above zero.
        down: Colour below zero.
        max_tracks: Refuse more lanes.
        artist: Keywords for the artists (PolyCollection).

    Raises:
        ValueError: When drawn: one allele and no reference, tracks, units or bins that do not match, an unknown kind,
            or a pseudocount below 0.

    Example:
        >>> import pandas as pd
        >>> from matplotlib.figure import Figure
        >>> table = pd.DataFrame({"chrom": "chrI", "start": [0], "end": [100], "value": [3.0]})
        >>> change = Difference({"before": table.assign(value=1.0), "after": table}, kind="log2fc")
        >>> ax = change.draw(Figure().add_subplot(), "chrI:0-100")
        >>> [round(float(limit), 2) for limit in ax.get_ylim()]  # log2(4 / 2) = 1, and some room
        [-1.28, 1.28]
        >>> ax.get_title(loc="left")
        'log2 fold change after / before, pseudocount 1'
    """

    data: Any
    _: KW_ONLY
    reference: Any = None
    kind: str = "difference"
    pseudocount: Real = 1.0
    label: str = "{track}"
    scale: Scale = "free"
    up: str | None = None
    down: str | None = None
    max_tracks: int = 50
    artist: Mapping[str, Any] = field(default_factory=dict)

    def extent(self) -> Extent | None:
        """Say where the data lie."""
        return joint(place_of(part) for part in (self.data, self.reference))

    def inches(self, width: Real, region: Interval) -> Real:
        """Give every lane the same height."""
        return self.height or max(0.6 * len(self._pairs(region)), 0.6)

    def _pairs(self, region: Interval) -> list[tuple[Curve, Curve]]:
        """Read what is compared: pairs of what counts upwards and what it is compared with."""
        check_kind(self.kind)
        if self.pseudocount < 0:
            raise ValueError(f"pseudocount={self.pseudocount}; give 0 or more.")
        alt, ref = (curves_of(side.data, region, side.allele) for side in sides_of(self.data, self.reference))
        check_count(alt, self.max_tracks)
        if len(alt) != len(ref):
            raise ValueError(
                f"{len(alt)} tracks came against {len(ref)} of the reference; give the same tracks of both."
            )
        return list(zip(alt, ref, strict=True))

    def _draw(self, ax: Axes, region: Interval) -> str:
        pairs = self._pairs(region)
        above, below = (side.name for side in sides_of(self.data, self.reference))
        if len(pairs) == 1 and (above, below) == UNNAMED and pairs[0][0].label != pairs[0][1].label:
            above, below = (curve.label for curve in pairs[0])
        changes = [subtract(alt, ref, self.kind, self.pseudocount) for alt, ref in pairs]
        names = [tuple(dict.fromkeys(curve.written(self.label) for curve in pair)) for pair in pairs]
        found = [Lane(" - ".join(name), [curve]) for name, curve in zip(names, changes, strict=True)]
        self._set_scales(found, region)
        up, down = self.up or colors.strand_color("-"), self.down or colors.strand_color("+")
        for lane in found:
            for color, keep in ((up, np.fmax), (down, np.fmin)):
                # NaN stays NaN: fmax alone would turn it into 0.
                def to_y(values: np.ndarray, lane: Lane = lane, keep: Any = keep) -> np.ndarray:
                    return lane.y(np.where(np.isnan(values), np.nan, keep(values, 0)))

                add(ax, CurveFill(lane.curves[0], to_y, **{"color": color, "alpha": 0.9, **self.artist}))
            baseline(ax, lane)
        lanes.finish(ax, found)
        legend(ax, {f"more in {above}": up, f"more in {below}": down})
        what = spelled(above, below, self.kind)
        what += f", pseudocount {self.pseudocount:g}" if self.kind == "log2fc" else ""
        long_names = dict.fromkeys(curve.long_name for pair in pairs for curve in pair[::-1])
        units = changes[0].units if self.kind == "difference" else ""
        return ", ".join(part for part in ("; ".join(filter(None, long_names)), what, units) if part)

    def _set_scales(self, found: list[Lane], region: Interval) -> None:
        """Give every lane limits that are symmetric, but for those that were asked for."""
        lanes.set_scales(found, region, self.scale, "linear")
        if not isinstance(self.scale, str):
            return
        for index, lane in enumerate(found):
            limit = max(-lane.low, lane.high)
            lane.low, lane.high = -limit, limit
            if len(found) == 1:
                lane.base = -limit
            else:
                lanes.settle(lane, len(found) - 1 - index)


def subtract(alt: Curve, ref: Curve, kind: str, pseudocount: Real) -> Curve:
    """Give ALT against REF as a curve over the bins that both have.

    Args:
        alt: Values of ALT.
        ref: Values of REF.
        kind: "difference", or "log2fc" for log2((alt + pseudocount) / (ref + pseudocount)).
        pseudocount: Keeps the ratio of small values near 1.

    Raises:
        ValueError: Different units or bins, or no bin that both have.
    """
    check_units(alt.label, alt.units, ref.label, ref.units)
    if alt.step != ref.step or (alt.start - ref.start) % alt.step:
        raise ValueError(
            f"{alt.label!r} and {ref.label!r} have different bins, {alt.step} bp from {alt.start:,} on and {ref.step} "
            f"bp from {ref.start:,} on; bring them to one with .gk.bin(...)."
        )
    start = max(alt.start, ref.start)
    end = min(curve.start + curve.step * len(curve.values) for curve in (alt, ref))
    if end <= start:
        raise ValueError(f"{alt.label!r} and {ref.label!r} share no bin: they lie on {alt.place} and {ref.place}.")
    a, b = (curve.values[(start - curve.start) // alt.step : (end - curve.start) // alt.step] for curve in (alt, ref))
    if kind == "difference":
        values, units = a - b, ref.units or alt.units
    else:
        with np.errstate(divide="ignore", invalid="ignore"):
            values = np.log2((a + pseudocount) / (b + pseudocount))
        values, units = np.where(np.isfinite(values), values, np.nan), "log2 fold change"
    return replace(ref, values=values, start=start, units=units)
