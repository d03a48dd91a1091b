"""ScoreHeatmap: what each variant changes, by modality, biosample or track."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from genomekit.errors import unknown
from genomekit.genome.interval import Interval
from genomekit.plot import colors, measure
from genomekit.plot.heads import caption
from genomekit.plot.panel import Panel
from genomekit.plot.real import Real
from genomekit.plot.tables import scores_of, strongest
from genomekit.plot.tracks import beside

CELL = 1.2  # inches of a cell, at most


@dataclass(eq=False)
class ScoreHeatmap(Panel):
    """Scores as colours: rows are modalities, biosamples or tracks, columns are variants.

    Where several scores share a cell, the one furthest from 0 is shown. The x axis is not the genome.

    Args:
        data: Scores: a tidy table, an AnnData, or what `Model.score_variants` returns.
        value: Column of the score.
        rows: Column of the rows: "modality", "biosample_name", "track_name", "gene_name", ...
        columns: Column of the columns.
        top: At most this many rows and columns, those with the largest scores; the corner says what is left out.
        limits: Largest score the colours tell apart, one number; default is the largest shown.
        annotate: Write the numbers into the cells; default does so where they are few.
        heatmap: Keywords for seaborn's heatmap.

    Raises:
        ValueError: When drawn: a table without the columns, nothing in it, or a limit that is not positive.
    """

    data: Any
    _: KW_ONLY
    value: str = "raw_score"
    rows: str = "modality"
    columns: str = "variant"
    top: int = 40
    limits: Real | None = None
    annotate: bool | None = None
    heatmap: Mapping[str, Any] = field(default_factory=dict)

    genomic: ClassVar[bool] = False

    def inches(self, width: Real, region: Interval) -> Real:
        """Give each row the same height."""
        return self.height or max(0.2 * len(self._grid()[0]), 0.4)

    def where(self, region: Interval | str | None) -> Interval:
        """Any region will do: the x axis is not the genome."""
        return Interval("scores", 0, 1) if region is None else Interval.parse(region)

    def _grid(self) -> tuple[pd.DataFrame, tuple[int, int]]:
        """Give rows x columns, and how many of each there were."""
        if self.top < 1:
            raise ValueError(f"top={self.top}; draw at least one row.")
        table = scores_of(self.data, self.value)
        for column in (self.rows, self.columns):
            if column not in table:
                raise unknown("column", column, table.columns)
        kept = strongest(table, [self.rows, self.columns])
        if kept.empty:
            raise ValueError(f"Column {self.value!r} has no number; choose another value.")
        order = table[self.columns].astype(str).drop_duplicates()
        names = table[self.rows].astype(str).drop_duplicates()
        kept = kept.assign(**{key: kept[key].astype(str) for key in (self.rows, self.columns)})
        grid = kept.pivot(index=self.rows, columns=self.columns, values="value").reindex(index=names, columns=order)
        whole = grid.shape
        size = grid.abs()
        rows = size.max(axis=1).fillna(-1).sort_values(ascending=False, kind="stable").index[: self.top]
        columns = size.max(axis=0).fillna(-1).sort_values(ascending=False, kind="stable").index[: self.top]
        grid = grid.loc[[n for n in grid.index if n in set(rows)], [n for n in grid.columns if n in set(columns)]]
        return grid, whole

    def _draw(self, ax: Axes, region: Interval) -> str:
        import seaborn  # loads pyplot and scipy: only for those who draw this panel

        grid, whole = self._grid()
        known = np.abs(grid.to_numpy(float))
        if self.limits is not None and self.limits <= 0:
            raise ValueError(f"limits={self.limits}; give the largest score, above 0.")
        limit = self.limits or float(np.nanmax(known)) or 1.0
        signed = bool(np.nanmin(grid.to_numpy(float)) < 0)
        inches = ax.bbox.width / ax.figure.dpi
        wide = measure.text_width("-0.0001", colors.size(0.6))  # as numbers in cells may be
        cell = min(inches / grid.shape[1], CELL)
        few = bool(grid.size <= 120 and wide < cell)
        end = cell * grid.shape[1] / inches  # share of the axes that is covered
        tall = max(ax.bbox.height / ax.figure.dpi, 0.1)
        share = min(1.0, 1.2 / tall)  # of the height, for the bar
        options = {
            "cmap": colors.diverging() if signed else "viridis",
            "vmin": -limit if signed else 0.0,
            "vmax": limit,
            "annot": few if self.annotate is None else self.annotate,
            "fmt": ".2g",
            "annot_kws": {"fontsize": colors.size(0.6)},
            "linewidths": 0.5 if few else 0,
            "linecolor": colors.background(),
            "rasterized": grid.size > 2000,
            "xticklabels": True,
            "yticklabels": True,
            "cbar_ax": ax.inset_axes((0.1, 1 - share, 0.1, share), transform=beside(ax, end)),
            **self.heatmap,
        }
        seaborn.heatmap(grid, ax=ax, **options)
        points = colors.size(0.65)
        ax.set(xlabel="", ylabel="", xlim=(0, inches / cell))
        names = [measure.fit(str(name), points, 1.6) for name in grid.columns]
        upright = max(measure.text_width(name, points) for name in names) > 0.95 * cell
        ax.set_xticks(np.arange(len(names)) + 0.5, names, rotation=90 if upright else 0, fontsize=points)
        names = [measure.fit(str(name), points, 1.6) for name in grid.index]
        ax.set_yticks(np.arange(len(names)) + 0.5, names, rotation=0, fontsize=points)
        ax.tick_params(length=0)
        bar = options["cbar_ax"]
        bar.tick_params(labelsize=colors.size(0.65), length=1.5, width=0.5, labelcolor=colors.ink())
        left_out = [
            f"{n - k} {what}" for n, k, what in zip(whole, grid.shape, ("rows", "columns"), strict=True) if n > k
        ]
        if left_out:
            caption(ax, f"not drawn: {', '.join(left_out)} with smaller scores")
        return f"{self.value.replace('_', ' ')} by {self.rows.replace('_', ' ')}"
