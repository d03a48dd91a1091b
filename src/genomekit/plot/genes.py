"""Genes: transcripts with their exons, coding parts, strand and names, packed into rows."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection

from genomekit.errors import unknown
from genomekit.genome.annotation import Annotation
from genomekit.genome.assembly import Genome
from genomekit.genome.interval import Interval
from genomekit.genome.names import canonical
from genomekit.plot import colors, measure
from genomekit.plot.panel import BARE, Panel, caption, message
from genomekit.plot.real import Real
from genomekit.plot.tracks import legend

SELECTIONS = ("auto", "all", "longest", "mane")
AUTO = 12  # transcripts up to which "auto" draws all of them
ROW = 0.22  # inches
CODING = ("chrom", "start", "end", "transcript_id")
COLUMNS = ("chrom", "start", "end", "strand", "gene_id", "transcript_id")


@dataclass(frozen=True, slots=True, eq=False)
class _Model:
    """One transcript as it is drawn."""

    name: str
    start: int
    end: int
    strand: str
    color: str
    exons: np.ndarray
    cds: np.ndarray


@dataclass(eq=False)
class Genes(Panel):
    """Gene models: thin lines are introns with arrows of the strand, low boxes UTRs, high boxes coding parts.

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

    def assembly(self) -> str:
        """Name the assembly of a Genome."""
        return (self.data.assembly or "") if isinstance(self.data, Genome) else super().assembly()

    def inches(self, width: Real, region: Interval) -> Real:
        """Give each row the same height."""
        rows = self._rows(self._models(region), region, width)
        return self.height or ROW * min(max(rows, default=0) + 1, self.max_rows) + 0.06

    def _draw(self, ax: Axes, region: Interval) -> str:
        models = self._models(region)
        width = ax.bbox.width / ax.figure.dpi
        rows = self._rows(models, region, width)
        count = min(max(rows, default=0) + 1, self.max_rows)
        ax.set(ylim=(-count + 0.4, 0.6), yticks=[])
        ax.spines["left"].set_visible(False)
        if not models:
            message(ax, "no genes here")
            return "Genes"
        shown = [(row, model) for row, model in zip(rows, models, strict=True) if row < self.max_rows]
        boxes, fills, lines, tints = [], [], [], []
        for row, model in shown:
            low = [(model.exons, 0.16 if len(model.cds) else 0.3), (model.cds, 0.3)]
            for spans, half in low:
                boxes += [[(a, -row - half), (a, -row + half), (b, -row + half), (b, -row - half)] for a, b in spans]
                fills += [model.color] * len(spans)
            lines.append([(model.start, -row), (model.end, -row)])
            tints.append(model.color)
            self._name(ax, model, row, region)
        ax.add_collection(
            PolyCollection(boxes, **{"facecolor": fills, "edgecolor": "none", "zorder": 3, **self.exon}), autolim=False
        )
        ax.add_collection(
            LineCollection(lines, **{"colors": tints, "linewidth": 0.7, "zorder": 1, **self.intron}), autolim=False
        )
        self._arrows(ax, shown, region, width)
        if self.color_by != "strand":
            legend(ax, self._colors(self._exons(region)[0]))
        elif len(models) > len(shown):
            caption(ax, f"+ {len(models) - len(shown)} more that do not fit in {self.max_rows} rows")
        return "Genes"

    def _exons(self, region: Interval) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Give exons and coding parts of all transcripts that overlap the region."""
        if self.select not in SELECTIONS:
            raise unknown("selection of transcripts", self.select, SELECTIONS)
        if isinstance(self.data, pd.DataFrame):
            exons = _table(self.data, region)
            return exons, exons.iloc[:0] if self.cds is None else _table(self.cds, region, CODING)
        if isinstance(self.data, Genome):
            if not self.data.has_annotation:
                raise ValueError(f"{self.data!r} has no annotation to draw. Open it with gtf=<a GTF or GFF3 file>.")
            source, where = self.data.annotation, self.data.locate(region)
        else:
            source = self.data if isinstance(self.data, Annotation) else _opened(self.data)
            where = Interval(_spelled(source, region), region.start, region.end)
        found = source.transcripts(where)["transcript_id"].unique()
        if not len(found):
            return pd.DataFrame(columns=list(COLUMNS)), pd.DataFrame(columns=list(COLUMNS))
        options: dict[str, Any] = {"transcript": list(found)}
        if self.select == "mane" or self.select == "longest" or (self.select == "auto" and len(found) > AUTO):
            options["mane" if self.select == "mane" else "longest"] = True
        return source.exons(**options), source.cds(**options)

    def _colors(self, exons: pd.DataFrame) -> dict[str, str]:
        if self.color_by == "strand":
            return {strand: colors.strand_color(strand) for strand in ("+", "-", ".")}
        if self.color_by not in exons:
            raise unknown("column", self.color_by, exons.columns)
        return colors.categories(exons[self.color_by])

    def _models(self, region: Interval) -> list[_Model]:
        exons, cds = self._exons(region)
        if exons.empty:
            return []
        if self.label and self.label not in exons and self.label != "gene_name":
            raise unknown("column", self.label, exons.columns)
        tints = self._colors(exons)
        names = exons[self.label] if self.label in exons else exons["gene_id"]
        names = names.where(names.notna() & (names != ""), exons["gene_id"]).astype(str)
        if isinstance(self.data, pd.DataFrame):
            exons = _selected(exons, self.select)
        coding = dict(tuple(cds.groupby("transcript_id", sort=False))) if len(cds) else {}
        models = []
        for transcript, part in exons.groupby("transcript_id", sort=False):
            first = part.index[0]
            spans = part[["start", "end"]].to_numpy()
            own = coding[transcript][["start", "end"]].to_numpy() if transcript in coding else spans[:0]
            models.append(
                _Model(
                    name=names[first] if self.label else "",
                    start=int(spans[:, 0].min()),
                    end=int(spans[:, 1].max()),
                    strand=str(part["strand"].iloc[0]),
                    color=tints[str(part[self.color_by].iloc[0])],
                    exons=spans,
                    cds=own,
                )
            )
        inside = [model for model in models if model.start < region.end and model.end > region.start]
        return sorted(inside, key=lambda model: (max(model.start, region.start), model.end))

    def _rows(self, models: list[_Model], region: Interval, width: Real) -> list[int]:
        """Pack models with their names; a name stands to the right, or left of a model that reaches the end."""
        per_inch = region.width / max(width, 1e-6)
        room = [(measure.text_width(model.name, colors.size()) + 0.16) * per_inch for model in models]
        spans = []
        for model, name in zip(models, room, strict=True):
            start, end = max(model.start, region.start), min(model.end, region.end)
            right = self._at_right(model, region, name)
            spans.append((start if right else max(start - name, region.start), end + name if right else end))
        order = sorted(range(len(spans)), key=lambda i: spans[i])
        rows = [0] * len(spans)
        for index, row in zip(order, measure.pack([spans[i] for i in order]), strict=True):
            rows[index] = row
        return rows

    def _at_right(self, model: _Model, region: Interval, room: Real) -> bool:
        return not (
            min(model.end, region.end) + room > region.end and max(model.start, region.start) - room >= region.start
        )

    def _name(self, ax: Axes, model: _Model, row: int, region: Interval) -> None:
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

    def _arrows(self, ax: Axes, shown: list[tuple[int, _Model]], region: Interval, width: Real) -> None:
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
                    tints += [model.color] * int((~hidden).sum())
            if x:
                marker = 5 if (strand == "+") != turned else 4  # carets to the right, to the left
                ax.scatter(x, y, s=9, c=tints, marker=marker, linewidth=0, zorder=2)


def _table(table: pd.DataFrame, region: Interval, needed: tuple[str, ...] = COLUMNS) -> pd.DataFrame:
    """Keep the rows of a table that are on the chromosome."""
    missing = [name for name in needed if name not in table]
    if missing:
        raise ValueError(f"genes has no column {', '.join(missing)}; give the table of Genome.exons(...).")
    here = table["chrom"].astype(str).map(canonical) == canonical(region.chrom)
    return table[here | (region.chrom == BARE)].reset_index(drop=True)


def _selected(exons: pd.DataFrame, select: str) -> pd.DataFrame:
    """Keep the transcripts of a table that are asked for."""
    if select == "mane":
        if "mane" not in exons:
            raise ValueError("select='mane' needs a column `mane`; give a Genome or a GTF file instead of a table.")
        return exons[exons["mane"].astype(bool)]
    if select == "all" or (select == "auto" and exons["transcript_id"].nunique() <= AUTO):
        return exons
    spans = exons.groupby(["gene_id", "transcript_id"], sort=False).agg(start=("start", "min"), end=("end", "max"))
    longest = (spans["end"] - spans["start"]).groupby("gene_id", sort=False).idxmax()
    return exons[exons["transcript_id"].isin({transcript for _, transcript in longest})]


@lru_cache(maxsize=4)
def _opened(path: Any) -> Annotation:
    if not isinstance(path, str | os.PathLike):
        raise ValueError(
            f"{type(path).__name__} holds no genes; give a Genome, a GTF or GFF3 file, or a table of exons."
        )
    return Annotation.open(Path(path))


def _spelled(source: Annotation, region: Interval) -> str:
    """Give the chromosome as the annotation spells it; one it lacks has no genes."""
    same = [name for name in source.chroms if canonical(name) == canonical(region.chrom)]
    if not same and source.chroms:
        raise ValueError(
            f"{source.source} has no gene on {region.chrom}, it has {', '.join(list(source.chroms)[:6])}. "
            "Is it of this assembly?"
        )
    return same[0] if same else region.chrom
