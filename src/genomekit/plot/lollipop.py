"""Lollipop: scores of variants at their positions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.ticker import FuncFormatter, MaxNLocator

from genomekit.errors import unknown
from genomekit.genome.interval import Interval
from genomekit.genome.names import canonical
from genomekit.plot import colors, measure
from genomekit.plot.heads import legend
from genomekit.plot.panel import BARE, Extent, Panel, message
from genomekit.plot.real import Real
from genomekit.plot.tables import scores_of, strongest

DENSE = 2_000  # stems beyond which they are rasterised inside vector files


@dataclass(eq=False)
class Lollipop(Panel):
    """A stem and a head for each variant (and value of `color_by`), at its score.

    Of the tracks of a variant the one furthest from 0 is drawn.

    Args:
        data: Scores: a tidy table, an AnnData, or what `Model.score_variants` returns.
        value: Column of the score.
        color_by: Column whose values get colours, with a legend; each then has a stem of its own.
        label: Name the variants with the largest scores: how many of them.
        label_by: Column of the names.
        limits: (low, high) of the y axis.
        stem: Keywords for the stems (LineCollection).
        head: Keywords for the heads (scatter).

    Raises:
        ValueError: When drawn: a table without the columns, nothing in it, or no variant in the region.

    Example:
        >>> from matplotlib.figure import Figure
        >>> table = pd.DataFrame({"variant": ["chr1:5:A>G", "chr1:9:C>T"], "raw_score": [0.5, -2.0]})
        >>> ax = Lollipop(table).draw(Figure().add_subplot(), "chr1:0-10")
        >>> ax.collections[1].get_offsets().tolist()  # the middle of a base, the score
        [[4.5, 0.5], [8.5, -2.0]]
    """

    data: Any
    _: KW_ONLY
    covers: ClassVar[bool] = False
    value: str = "raw_score"
    color_by: str | None = None
    label: int = 5
    label_by: str = "variant"
    limits: tuple[Real, Real] | None = None
    stem: Mapping[str, Any] = field(default_factory=dict)
    head: Mapping[str, Any] = field(default_factory=dict)

    def extent(self) -> Extent | None:
        """Say where the variants lie, with a little room."""
        table = scores_of(self.data, self.value)
        chroms = table["chrom"].astype(str).unique()
        if len(chroms) > 1:
            return None
        first, last = int(table["position"].min()) - 1, int(table["position"].max())
        room = max((last - first) // 50, 5)
        return Extent(str(chroms[0]), max(first - room, 0), last + room)

    def inches(self, width: Real, region: Interval) -> Real:
        """Leave room for names."""
        return self.height or 1.0

    def _draw(self, ax: Axes, region: Interval) -> str:
        table = scores_of(self.data, self.value)
        if self.color_by is not None and self.color_by not in table:
            raise unknown("column", self.color_by, table.columns)
        if self.label and self.label_by not in table:
            raise unknown("column", self.label_by, table.columns)
        at = table["position"] - 1
        here = table["chrom"].astype(str).map(canonical) == canonical(region.chrom)
        shown = table[(here | (region.chrom == BARE)) & (at >= region.start) & (at < region.end)]
        if shown.empty:
            raise ValueError(f"None of {table['variant'].nunique()} variants lies in {region}; give another region.")
        rows = strongest(shown, ["variant"] + ([self.color_by] if self.color_by else []))
        x, y = rows["position"].to_numpy() - 0.5, rows["value"].to_numpy(float)
        tints = colors.categories(rows[self.color_by]) if self.color_by else {}
        each = [tints[str(name)] for name in rows[self.color_by]] if self.color_by else colors.palette()[0]
        stems = np.stack([np.column_stack([x, np.zeros_like(x)]), np.column_stack([x, y])], axis=1)
        dense = {"rasterized": len(rows) > DENSE}
        ax.add_collection(
            LineCollection([*stems], **{"colors": each, "linewidth": 0.7, "alpha": 0.6, **dense, **self.stem}),
            autolim=False,
        )
        ax.scatter(
            x, y, **{"c": each, "s": 14 if len(rows) < 500 else 5, "linewidth": 0, "zorder": 3, **dense, **self.head}
        )
        ax.axhline(0, color=colors.faint(), linewidth=0.6)
        self._limit(ax, y)
        ax.yaxis.set_major_locator(MaxNLocator(3))
        ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: measure.compact(value)))
        ax.set_ylabel(self.value.replace("_", " "), fontsize=colors.size(), color=colors.ink())
        if not len(rows):
            message(ax, "no scores here")
        self._names(ax, rows, x, y, region)
        if tints:
            legend(ax, tints)
        return ""

    def _limit(self, ax: Axes, y: np.ndarray) -> None:
        if self.limits is not None:
            if not self.limits[0] < self.limits[1]:
                raise ValueError(f"limits={self.limits}; give (low, high) with low < high.")
            ax.set_ylim(*self.limits)
            return
        low, high = min(y.min(initial=0.0), 0.0), max(y.max(initial=0.0), 0.0)
        room = (high - low or 1.0) * 0.2
        ax.set_ylim(low - (room if low < 0 else room / 8), high + (room if high > 0 else room / 8))

    def _names(self, ax: Axes, rows: pd.DataFrame, x: np.ndarray, y: np.ndarray, region: Interval) -> None:
        """Name the largest; a name that would lie on another is left out."""
        points = colors.size(0.62)
        order = np.argsort(-np.abs(y), kind="stable")
        names = rows[self.label_by].astype(str).to_numpy()
        # A variant with several heads is named once, at the largest.
        first = pd.Series(names[order]).drop_duplicates().index.to_numpy() if self.label > 0 else []
        order = order[first][: self.label] if len(first) else order[:0]
        inches = ax.bbox.width / ax.figure.dpi
        left, right = ax.get_xlim()
        texts = [measure.fit(_bare(names[i]), points, 1.6) for i in order]
        places = [float((x[i] - left) / (right - left) * inches) for i in order]
        widths = [measure.text_width(text, points) + 0.06 for text in texts]
        for side in (1, -1):
            mine = [k for k, i in enumerate(order) if (y[i] >= 0) == (side > 0)]
            free = measure.lay_out([places[k] for k in mine], [widths[k] for k in mine], 1, (0, inches))
            for k, row in zip(mine, free, strict=True):
                if row < 0:
                    continue
                i = order[k]
                middle = measure.kept_inside(places[k], widths[k], (0, inches)) / inches * (right - left) + left
                ax.annotate(texts[k], (middle, y[i]), (0, 4 * side), textcoords="offset points", fontsize=points,
                            color=colors.ink(), ha="center", va="bottom" if side > 0 else "top",
                            parse_math=False)  # fmt: skip


def _bare(name: str) -> str:
    """Leave out the chromosome of a variant, which the axis tells."""
    head, colon, rest = name.partition(":")
    return rest if colon and rest[:1].isdigit() and ">" in rest and head else name
