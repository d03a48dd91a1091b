"""Genes: transcripts with their exons, coding parts, strand and names, packed into rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection

from genomekit.genome.assembly import Genome
from genomekit.genome.interval import Interval
from genomekit.plot import colors, measure
from genomekit.plot.gene_models import Model, models_of
from genomekit.plot.heads import caption, legend
from genomekit.plot.panel import Panel, check_rows, message, set_rows
from genomekit.plot.real import Real

ROW = 0.22  # inches
CROWDED = 40  # models a row from which none has room for a name
DENSE = 2_000  # boxes beyond which they are rasterised inside vector files
LEAST = 0.012  # inches a model is wide at least, or it would vanish


@dataclass(eq=False)
class Genes(Panel):
    """Gene models: thin lines are introns with arrows of the strand, low boxes UTRs, high boxes coding parts.

    Where all names would push genes out, the genes stay and names go.

    Args:
        data: A Genome or Annotation, a GTF or GFF3 file, or a table of exons such as `Genome.exons` gives.
        cds: Coding parts that belong to a table of exons; without them exons are drawn at full height.
        select: "all" transcripts, the "longest" or the "mane" one of each gene, or "auto": all where there are few,
            else the longest.
        label: Column written beside a model, "" for none.
        color_by: Column whose values get colours; default is the strand.
        max_rows: Rows drawn; what does not fit is counted in the corner.
        exon: Keywords for the boxes (PolyCollection).
        intron: Keywords for the lines (LineCollection).
        text: Keywords for the names.

    Raises:
        ValueError: When drawn: a table without the columns, a genome without annotation, an unknown choice or column,
            or "mane" where nothing is tagged.

    Example:
        >>> from matplotlib.figure import Figure
        >>> from genomekit.testing import designed_gene
        >>> gene = designed_gene()
        >>> ax = Genes(gene.to_frame()).draw(Figure().add_subplot(), gene.interval)
        >>> [text.get_text() for text in ax.texts], len(ax.collections[0].get_paths())
        (['designed'], 7)
    """

    data: Any
    _: KW_ONLY
    cds: pd.DataFrame | None = None
    select: str = "auto"
    label: str = "gene_name"
    color_by: str = "strand"
    max_rows: int = 12
    exon: Mapping[str, Any] = field(default_factory=dict)
    intron: Mapping[str, Any] = field(default_factory=dict)
    text: Mapping[str, Any] = field(default_factory=dict)
    _kept: tuple[Any, list[Model]] | None = field(default=None, init=False, repr=False)

    def assembly(self) -> str:
        """Name the assembly of a Genome."""
        return (self.data.assembly or "") if isinstance(self.data, Genome) else super().assembly()

    def inches(self, width: Real, region: Interval) -> Real:
        """Give each row the same height."""
        rows, _ = self._rows(self._models(region), region, width)
        return self.height or ROW * min(max(rows, default=0) + 1, self.max_rows) + 0.06

    def _draw(self, ax: Axes, region: Interval) -> str:
        check_rows(self.max_rows)
        models = self._models(region)
        width = ax.bbox.width / ax.figure.dpi
        rows, named = self._rows(models, region, width)
        count = min(max(rows, default=0) + 1, self.max_rows)
        set_rows(ax, count, 2 * ROW)
        ax.spines["left"].set_visible(False)
        if not models:
            message(ax, "no genes here")
            return "Genes"
        table = self._colors([model.kind for model in models])
        shown = [(row, model) for row, model in zip(rows, models, strict=True) if row < self.max_rows]
        self._boxes(ax, shown, table, LEAST * region.width / width)
        self._arrows(ax, shown, table, region, width)
        for row, model, name in zip(rows, models, named, strict=True):
            if row < self.max_rows and name:
                self._name(ax, model, row, region)
        if self.color_by != "strand":
            legend(ax, table)
        if len(models) > len(shown):
            caption(ax, f"+ {len(models) - len(shown):,} more that do not fit in {self.max_rows} rows")
        return "Genes"

    def _boxes(self, ax: Axes, shown: list[tuple[int, Model]], table: Mapping[str, str], least: Real) -> None:
        """Draw exons and coding parts, and the lines that join them; a model without room for both is one box."""
        boxes, fills, lines, tints = [], [], [], []
        for row, model in shown:
            parts = [(model.exons, 0.16 if len(model.cds) else 0.3), (model.cds, 0.3)]
            if model.end - model.start < 3 * least:
                middle, half = (model.start + model.end) / 2, max(model.end - model.start, least) / 2
                parts = [(np.array([[middle - half, middle + half]]), 0.3)]
            for spans, half in parts:
                boxes += [[(a, -row - half), (a, -row + half), (b, -row + half), (b, -row - half)] for a, b in spans]
                fills += [table[model.kind]] * len(spans)
            lines.append([(model.start, -row), (model.end, -row)])
            tints.append(table[model.kind])
        dense = len(boxes) > DENSE
        style = {"facecolor": fills, "edgecolor": "none", "zorder": 3, "rasterized": dense, **self.exon}
        ax.add_collection(PolyCollection(boxes, **style), autolim=False)
        style = {"colors": tints, "linewidth": 0.7, "zorder": 1, "rasterized": dense, **self.intron}
        ax.add_collection(LineCollection(lines, **style), autolim=False)

    def _colors(self, kinds: list[str]) -> dict[str, str]:
        if self.color_by == "strand":
            return {strand: colors.strand_color(strand) for strand in dict.fromkeys(kinds)}
        return colors.categories(kinds)

    def _models(self, region: Interval) -> list[Model]:
        """Give the models of a region; those of an annotation are kept, since a figure asks several times."""
        options = {"select": self.select, "label": self.label, "color_by": self.color_by}
        if isinstance(self.data, pd.DataFrame):  # which the caller may change
            return models_of(self.data, self.cds, region, **options)
        key = (region, *options.values(), id(self.data))
        if self._kept is None or self._kept[0] != key:
            self._kept = (key, models_of(self.data, None, region, **options))
        return self._kept[1]

    def _rows(self, models: list[Model], region: Interval, width: Real) -> tuple[list[int], list[bool]]:
        """Pack models with their names, or without where names would crowd out genes; say which have theirs.

        A name stands to the right, or left of a model that reaches the end.
        """
        per_inch = region.width / max(width, 1e-6)
        if len(models) > CROWDED * self.max_rows:
            bare = [self._seen(model, region, per_inch) for model in models]
            return measure.spread(bare, [0] * len(models), self.max_rows)
        room = [(measure.text_width(model.name, colors.size()) + 0.16) * per_inch for model in models]
        spans = []
        for model, name in zip(models, room, strict=True):
            start, end = max(model.start, region.start), min(model.end, region.end)
            right = self._at_right(model, region, name)
            spans.append((start if right else max(start - name, region.start), end + name if right else end))
        rows = measure.pack(spans)
        if max(rows, default=0) < self.max_rows:
            return rows, [True] * len(rows)
        bare = [self._seen(model, region, per_inch) for model in models]
        inside = [0 if end + name > region.end else name for (_, end), name in zip(bare, room, strict=True)]
        return measure.spread(bare, inside, self.max_rows)

    def _seen(self, model: Model, region: Interval, per_inch: Real) -> tuple[Real, Real]:
        """Give the part of the axis that a model takes without its name."""
        start, end = max(model.start, region.start), min(model.end, region.end)
        return start, max(end, start + LEAST * per_inch)

    def _at_right(self, model: Model, region: Interval, room: Real) -> bool:
        return not (
            min(model.end, region.end) + room > region.end and max(model.start, region.start) - room >= region.start
        )

    def _name(self, ax: Axes, model: Model, row: int, region: Interval) -> None:
        if not model.name:
            return
        room = (measure.text_width(model.name, colors.size()) + 0.16) * region.width * ax.figure.dpi / ax.bbox.width
        right = self._at_right(model, region, room)
        start, end = max(model.start, region.start), min(model.end, region.end)
        style = {"fontsize": colors.size(), "style": "italic", "color": colors.ink(), "va": "center", **self.text}
        # On an axis that runs from right to left the two sides change places.
        outward = right != (ax.get_xlim()[0] > ax.get_xlim()[1])
        inside = end + room > region.end and right
        at = end if right else start
        if inside:  # the model fills the panel: its name stands on it, on a plate
            style |= {"bbox": {"boxstyle": "round,pad=0.15", "fc": colors.background(), "ec": "none", "alpha": 0.85}}
            at, outward = region.end, ax.get_xlim()[0] > ax.get_xlim()[1]
        ax.annotate(model.name, (at, -row), (4 if outward else -4, 0), textcoords="offset points", zorder=5,
                    ha="left" if outward else "right", annotation_clip=False, parse_math=False, **style)  # fmt: skip

    def _arrows(
        self, ax: Axes, shown: list[tuple[int, Model]], table: Mapping[str, str], region: Interval, width: Real
    ) -> None:
        """Draw the direction of transcription along the introns."""
        step = region.width / max(width * 4.5, 1)
        turned = bool(ax.get_xlim()[0] > ax.get_xlim()[1])
        for strand in "+-":
            x, y, tints = [], [], []
            for row, model in shown:
                if model.strand == strand:
                    at = np.arange(max(model.start, region.start) + step / 2, min(model.end, region.end), step)
                    hidden = ((at[:, None] > model.exons[:, 0]) & (at[:, None] < model.exons[:, 1])).any(axis=1)
                    x += [*at[~hidden]]
                    y += [-row] * int((~hidden).sum())
                    tints += [table[model.kind]] * int((~hidden).sum())
            if x:
                marker = 5 if (strand == "+") != turned else 4  # carets to the right, to the left
                ax.scatter(x, y, s=9, c=tints, marker=marker, linewidth=0, zorder=2)
