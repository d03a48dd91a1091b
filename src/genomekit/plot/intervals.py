"""Intervals: motif hits, peaks and other stretches as boxes, packed into rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection

from genomekit.errors import unknown
from genomekit.genome.interval import Interval
from genomekit.plot import colors, lanes, measure
from genomekit.plot.files import intervals_of
from genomekit.plot.heads import caption, legend
from genomekit.plot.panel import Panel, check_rows, message, set_rows
from genomekit.plot.real import Real

ROW = 0.19  # inches
DENSE = 2_000  # boxes beyond which they are rasterised inside vector files


@dataclass(eq=False)
class Intervals(Panel):
    """Stretches of the genome as boxes, pointed where they have a strand, named where there is room.

    Args:
        data: A BED file, a table with chrom, start, end (0-based half-open) and, where there are, name, strand and
            further columns, or a list of Intervals or their texts.
        label: Column written into or beside a box, "" for none.
        color: One colour; default is the first of the palette.
        color_by: Column whose values get colours, with a legend.
        max_rows: Rows drawn; what does not fit is counted in the corner.
        name: Name of the panel, at the left.
        box: Keywords for the boxes (PolyCollection).
        text: Keywords for the names.

    Raises:
        ValueError: When drawn: data without intervals or the chromosome, or an unknown column.

    Example:
        >>> from matplotlib.figure import Figure
        >>> hits = pd.DataFrame({"chrom": "chrI", "start": [10, 12], "end": [20, 30], "name": ["GATA", "CTCF"]})
        >>> ax = Intervals(hits).draw(Figure().add_subplot(), "chrI:0-100")
        >>> len(ax.collections[0].get_paths()), [text.get_text() for text in ax.texts]
        (2, ['GATA', 'CTCF'])
    """

    data: Any
    _: KW_ONLY
    label: str = "name"
    color: str | None = None
    color_by: str | None = None
    max_rows: int = 8
    name: str = ""
    box: Mapping[str, Any] = field(default_factory=dict)
    text: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Keep what a generator gives: data are read each time a panel is measured or drawn."""
        super().__post_init__()
        if isinstance(self.data, Iterator):
            self.data = list(self.data)

    def inches(self, width: Real, region: Interval) -> Real:
        """Give each row the same height."""
        rows, _ = self._rows(intervals_of(self.data, region), region, width)
        return self.height or ROW * min(max(rows, default=0) + 1, self.max_rows) + 0.04

    def _draw(self, ax: Axes, region: Interval) -> str:
        table = intervals_of(self.data, region)
        check_rows(self.max_rows)
        for column in filter(None, (self.label if self.label != "name" else "", self.color_by)):
            if column not in table:
                raise unknown("column", column, table.columns)
        width = ax.bbox.width / ax.figure.dpi
        rows, inside = self._rows(table, region, width)
        count = min(max(rows, default=0) + 1, self.max_rows)
        set_rows(ax, count, 2 * ROW)
        ax.spines["left"].set_visible(False)
        lanes.name_at_left(ax, self.name, float(sum(ax.get_ylim())) / 2, 4, 2)
        if table.empty:
            message(ax, "none here")
            return ""
        tints = colors.categories(table[self.color_by]) if self.color_by else {}
        plain = colors.palette()[0] if self.color is None else colors.checked(self.color)
        boxes, fills = [], []
        least = region.width / max(width * 100, 1)  # a base or two must not vanish
        for index, (row, within) in enumerate(zip(rows, inside, strict=True)):
            if row >= self.max_rows:
                continue
            start, end, strand = (table[name].iloc[index] for name in ("start", "end", "strand"))
            boxes.append(_shape(float(start), max(float(end), start + least), row, str(strand), least * 4))
            fills.append(tints[str(table[self.color_by].iloc[index])] if self.color_by else plain)
            if self.label:
                self._write(ax, str(table[self.label].iloc[index]), fills[-1], start, end, row, within, region)
        style = {"facecolor": fills, "edgecolor": "none", "zorder": 2, "rasterized": len(boxes) > DENSE, **self.box}
        ax.add_collection(PolyCollection(boxes, **style), autolim=False)
        if tints:
            legend(ax, tints)
        if len(boxes) < len(table):
            caption(ax, f"+ {len(table) - len(boxes)} more that do not fit in {self.max_rows} rows")
        return ""

    def _rows(self, table: pd.DataFrame, region: Interval, width: Real) -> tuple[list[int], list[bool]]:
        """Pack boxes with their names; say of each whether its name fits inside."""
        names = table[self.label].astype(str) if self.label in table else pd.Series("", index=table.index)
        per_inch = region.width / max(width, 1e-6)
        named = len(table) <= 300  # beyond, names are noise and measuring them takes long
        spans, inside = [], []
        for start, end, name in zip(table["start"], table["end"], names, strict=True):
            room = (measure.text_width(name, colors.size(0.65)) + 0.08) * per_inch if name and named else 0.0
            within = bool(room <= end - start)
            inside.append(within)
            left = not within and _at_left(start, end, room, region)
            spans.append((start - (room if left else 0), end + (0 if within or left else room) + per_inch * 0.02))
        return measure.pack(spans), inside

    def _write(
        self, ax: Axes, name: str, fill: str, start: Real, end: Real, row: int, within: bool, region: Interval
    ) -> None:
        points = colors.size(0.65)
        if not name or (within and (end - start) < region.width / 2000):
            return
        style = {"fontsize": points, "va": "center", "zorder": 3, "parse_math": False, **self.text}
        if within:
            middle = (max(start, region.start) + min(end, region.end)) / 2
            ax.annotate(name, (middle, -row), **{"ha": "center", "color": colors.on_top(fill), **style})
        else:
            room = (measure.text_width(name, points) + 0.08) * region.width * ax.figure.dpi / ax.bbox.width
            left = _at_left(start, end, room, region)
            # On an axis that runs from right to left the two sides change places.
            move, side = (-3, "right") if left != ax.xaxis_inverted() else (3, "left")
            ax.annotate(name, (start if left else end, -row), (move, 0), textcoords="offset points",
                        annotation_clip=False, **{"ha": side, "color": colors.ink(), **style})  # fmt: skip


def _at_left(start: Real, end: Real, room: Real, region: Interval) -> bool:
    """Whether a name stands before its box, as one does that would run out of the figure after it."""
    return bool(end + room > region.end and start - room >= region.start)


def _shape(start: Real, end: Real, row: int, strand: str, point: Real) -> list[tuple[Real, Real]]:
    """Give the corners of a box, with a point at the 3' end of a strand."""
    low, high, middle, tip = -row - 0.34, -row + 0.34, float(-row), min(point, (end - start) / 2)
    if strand == "+":
        return [(start, low), (start, high), (end - tip, high), (end, middle), (end - tip, low)]
    if strand == "-":
        return [(start, middle), (start + tip, high), (end, high), (end, low), (start + tip, low)]
    return [(start, low), (start, high), (end, high), (end, low)]
