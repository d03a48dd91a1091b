"""Difference: ALT minus REF, or one measurement against another, above and below zero."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from genomekit.errors import unknown
from genomekit.genome.interval import Interval
from genomekit.plot import colors, lanes
from genomekit.plot.columns import CurveFill
from genomekit.plot.curves import Curve, curves_of, joint, place_of
from genomekit.plot.lanes import Lane, Scale
from genomekit.plot.overlay import subtract
from genomekit.plot.panel import Extent, Panel
from genomekit.plot.real import Real
from genomekit.plot.tracks import add, baseline, check_count

KINDS = ("difference", "log2fc")


@dataclass(eq=False)
class Difference(Panel):
    """What ALT adds (up) and takes away (down), one lane per track, with symmetric limits.

    Args:
        data: A node of a variant's prediction, or the data of ALT, as `Tracks` takes them.
        reference: Data of REF where `data` has one allele only; the tracks come in the same order.
        kind: "difference", or "log2fc": log2((alt + pseudocount) / (ref + pseudocount)).
        pseudocount: In the units of the values.
        label: Text at the left, with columns in braces.
        scale: "free", "shared", or (low, high) for all lanes.
        up: Colour above zero.
        down: Colour below zero.
        max_tracks: Refuse more lanes.
        artist: Keywords for the artists (PolyCollection).

    Raises:
        ValueError: When drawn: one allele and no reference, tracks or bins that do not match, an unknown kind.

    Example:
        >>> import pandas as pd
        >>> from matplotlib.figure import Figure
        >>> table = pd.DataFrame({"chrom": "chrI", "start": [0], "end": [100], "value": [3.0]})
        >>> change = Difference(table, reference=table.assign(value=1.0), kind="log2fc")
        >>> ax = change.draw(Figure().add_subplot(), "chrI:0-100")
        >>> [round(float(limit), 2) for limit in ax.get_ylim()]  # log2(4 / 2) = 1, and some room
        [-1.28, 1.28]
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
        return self.height or max(0.6 * len(self._changes(region)), 0.6)

    def _changes(self, region: Interval) -> list[Curve]:
        if self.kind not in KINDS:
            raise unknown("kind of difference", self.kind, KINDS)
        if self.reference is None:
            alt, ref = (curves_of(self.data, region, allele) for allele in ("alt", "ref"))
        else:
            alt, ref = curves_of(self.data, region), curves_of(self.reference, region)
        check_count(alt, self.max_tracks)
        if len(alt) != len(ref):
            raise ValueError(
                f"{len(alt)} tracks came against {len(ref)} of the reference; give the same tracks of both."
            )
        return [subtract(a, b, self.kind, self.pseudocount) for a, b in zip(alt, ref, strict=True)]

    def _draw(self, ax: Axes, region: Interval) -> str:
        changes = self._changes(region)
        found = [Lane(curve.written(self.label), [curve]) for curve in changes]
        lanes.set_scales(found, region, self.scale, "linear")
        if isinstance(self.scale, str):
            for index, lane in enumerate(found):
                limit = max(-lane.low, lane.high)
                lane.low, lane.high = -limit, limit
                if len(found) == 1:
                    lane.base = -limit
                else:
                    lanes.settle(lane, len(found) - 1 - index)
        up, down = self.up or colors.strand_color("-"), self.down or colors.strand_color("+")
        for lane in found:
            for color, keep in ((up, np.fmax), (down, np.fmin)):
                # NaN stays NaN: fmax alone would turn it into 0.
                def to_y(values: np.ndarray, lane: Lane = lane, keep: Any = keep) -> np.ndarray:
                    return lane.y(np.where(np.isnan(values), np.nan, keep(values, 0)))

                add(ax, CurveFill(lane.curves[0], to_y, **{"color": color, "alpha": 0.9, **self.artist}))
            baseline(ax, lane)
        lanes.finish(ax, found)
        what = "log2 fold change" if self.kind == "log2fc" else "ALT - REF"
        name = changes[0].long_name
        units = changes[0].units if self.kind == "difference" else ""
        return ", ".join(part for part in (name, what, units) if (part and part not in name) or part == name)
