"""figure: panels stacked over one interval of the genome."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Annotation as Note

from genomekit.genome.interval import Interval
from genomekit.plot import colors, measure
from genomekit.plot.annotations import Annotation, lowest_first, warn_outside
from genomekit.plot.automatic import panels_of
from genomekit.plot.curves import joint
from genomekit.plot.heads import CAPTION_GID, write_head
from genomekit.plot.lanes import LABEL_GID
from genomekit.plot.panel import BARE, Panel, artist_options, position_axis
from genomekit.plot.real import Real

WIDTH = 10.0  # inches
MARGIN = 0.12
GAP, AXIS = 0.1, 0.42  # inches: between panels, the position axis
BAR, NUMBERS = 0.62, 0.32  # room for a colour bar, and the part of it that is not numbers
LEAST = 0.5  # inches of a panel that still shows something


class GenomeFigure(Figure):
    """A matplotlib Figure that a notebook shows even without pyplot; text in PDF and SVG stays text."""

    def savefig(self, *arguments: Any, **options: Any) -> None:
        """Save, with fonts that a drawing program can edit."""
        with rc_context({"pdf.fonttype": 42, "ps.fonttype": 42, "svg.fonttype": "none", "svg.hashsalt": "genomekit"}):
            super().savefig(*arguments, **options)

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png")
        return buffer.getvalue()


def figure(
    panels: Any,
    *,
    region: Interval | str | None = None,
    annotations: Annotation | Iterable[Any] = (),
    genes: Any = None,
    max_tracks: int = 4,
    title: str | None = None,
    width: Real = WIDTH,
    fig: Figure | None = None,
) -> Figure:
    """Stack panels over one interval.

    No global setting of matplotlib is touched and nothing is shown: use `.savefig`, or leave the figure as the last
    line of a notebook cell. Curves are reduced to the pixels they cover whenever they are drawn, so any length of DNA
    is quick and no peak is lost.

    Args:
        panels: Panels from top to bottom, or a result (tree, node, mutagenesis, scores), for which panels are chosen.
        region: Part to draw, 0-based half-open; default is all that the panels have.
        annotations: `Variants`, `Highlights` or `Labels`, drawn across the panels.
        genes: With a result: what `Genes` takes (a Genome, a GTF file, exons), drawn on top.
        max_tracks: With a result: tracks (or pairs of strands) drawn per modality, the first ones.
        title: Title; default is the region and the assembly, "" leaves it out.
        width: Width of the whole, inches; the height follows from the panels.
        fig: Figure to draw in instead of a new one, such as `plt.figure()` of an interactive backend, where a zoom
            draws finer data; its size stays and the panels share out its height.

    Returns:
        The figure.

    Raises:
        ValueError: Nothing to draw, data of several chromosomes or assemblies, a region outside the data, or a width
            that leaves the panels no room.

    Warns:
        GenomekitWarning: Things to mark lie outside the region.

    Example:
        >>> import genomekit as gk
        >>> gene, model = gk.testing.designed_gene(), gk.Model.from_pretrained()
        >>> tree = model.predict_sequence(gene.sequence, organism="worm", modalities=["splice_sites"])
        >>> drawn = figure(tree, genes=gene.to_frame())
        >>> [axes.get_title(loc="left") for axes in drawn.axes]
        ['Genes', 'Splice sites, probability']
    """
    rows, more = _rows(panels, genes, max_tracks)
    notes = [annotations] if isinstance(annotations, Annotation) else [*annotations]
    for note in notes:
        if not isinstance(note, Annotation):
            raise ValueError(f"{type(note).__name__} is no annotation; give Variants, Highlights or Labels.")
    if not 0 < width < float("inf"):
        raise ValueError(f"width={width}; give the inches of the whole figure, above 0.")
    where, assembly, turned = _where(rows, region)
    warn_outside(notes, where)
    notes += more
    canvas = GenomeFigure(figsize=(width, 1.0), dpi=150) if fig is None else fig
    inches = float(canvas.bbox.width / canvas.dpi)
    plot_width = max(inches - 2.1, inches * 0.5)  # until the names are measured
    heights = [panel.inches(plot_width, where) for panel in rows]
    first: Axes | None = None
    drawn: list[Axes] = []
    texts: list[str] = []
    total = float(canvas.bbox.height / canvas.dpi)
    for panel, height in zip(rows, heights, strict=True):
        share = first if panel.genomic else None
        # Panels choose ticks and letters by the size they have, so it must be right before they draw.
        ax = canvas.add_axes((0.1, 0.1, plot_width / inches, height / total), sharex=share, label=f"panel {len(drawn)}")
        if turned and panel.genomic:
            ax.set_xlim(where.end, where.start)
        texts.append(panel.paint(ax, panel.where(where)))
        first = first or (ax if panel.genomic else None)
        drawn.append(ax)
    if first is not None:
        _position_axis([ax for ax, panel in zip(drawn, rows, strict=True) if panel.genomic], where)
    if title is None:
        title = f"{'sequence' if where.chrom == BARE else where.chrom}:{where.start:,}-{where.end:,} {assembly}".strip()
        title = title if first is not None else ""
    _place(canvas, rows, drawn, texts, notes, where, title, resize=fig is None)
    return canvas


def _rows(panels: Any, genes: Any, max_tracks: int) -> tuple[list[Panel], list[Annotation]]:
    """Give the panels: as they came, or chosen for a result."""
    if isinstance(panels, Panel):
        panels = [panels]
    if not isinstance(panels, list | tuple):
        return panels_of(panels, genes=genes, max_tracks=max_tracks)
    if not panels:
        raise ValueError("No panel came, so there is nothing to draw; give at least one.")
    for panel in panels:
        if not isinstance(panel, Panel):
            raise ValueError(
                f"{type(panel).__name__} is no panel. Wrap it in one, such as Tracks(...), or give a single result "
                "alone and panels are chosen for it."
            )
    if genes is not None:
        raise ValueError("genes= goes with a result; put Genes(...) into the list of panels instead.")
    return list(panels), []


def _where(rows: Sequence[Panel], region: Interval | str | None) -> tuple[Interval, str, bool]:
    """Find the region of the figure, the assembly, "" where it is not known, and whether positions run to the left."""
    known = joint(panel.extent() for panel in rows if panel.genomic)
    named = {panel.assembly(): type(panel).__name__ for panel in rows if panel.genomic and panel.assembly()}
    if len(named) > 1:
        which = ", ".join(f"{name} ({who})" for name, who in named.items())
        raise ValueError(
            f"Panels of two assemblies came: {which}. Their positions do not mean the same; open the genome that the "
            "data are of."
        )
    assembly = next(iter(named), "")
    turned = bool(known and known.turned)
    if region is not None:
        return Interval.parse(region), assembly, turned
    if known is None:
        if not any(panel.genomic for panel in rows):
            return Interval(BARE, 0, 1), assembly, turned
        raise ValueError("The panels show files of whole genomes; say which part: region='chrom:start-end'.")
    return Interval(known.chrom or BARE, known.start, known.end), assembly, turned


def _position_axis(axes: Sequence[Axes], where: Interval) -> None:
    """Write positions under the lowest panel only."""
    for ax in axes[:-1]:
        ax.tick_params(axis="x", length=0, labelbottom=False)
    position_axis(axes[-1], where)


def _place(
    canvas: Any,
    rows: Sequence[Panel],
    drawn: Sequence[Axes],
    texts: Sequence[str],
    notes: Sequence[Annotation],
    where: Interval,
    title: str,
    *,
    resize: bool,
) -> None:
    """Measure what stands beside the panels, then put everything in its place."""
    inches = float(canvas.bbox.width / canvas.dpi)
    unit = colors.size(1.0) / 10  # margins grow with the text
    genomic = [ax for ax, panel in zip(drawn, rows, strict=True) if panel.genomic]
    # The first and the last position may stand at the very ends of the axis, half of each outside.
    ticks = genomic[-1].get_xticklabels() if genomic else []
    ends = [measure.text_width(tick.get_text(), colors.size()) / 2 for tick in ticks]
    left = max([_left(ax) for ax in drawn] + ends, default=0.0) + MARGIN
    right = max([_right(ax, unit) for ax in drawn] + [end + 0.05 for end in ends])
    wide = inches - left - right
    if wide < LEAST:
        raise ValueError(
            f"A figure {inches:.3g} inches wide leaves the panels {max(wide, 0):.2g} beside their names and numbers, "
            f"which take {left + right:.2g}; make it wider."
        )
    heights = [panel.inches(wide, where) for panel in rows]
    below = [_below(ax, canvas) if not panel.genomic else 0.0 for ax, panel in zip(drawn, rows, strict=True)]
    rooms = [wide if ax.get_legend() or _has_caption(ax) else wide + right - 0.1 for ax in drawn]
    titles = [write_head(ax, text, room) or 0.04 for ax, text, room in zip(drawn, texts, rooms, strict=True)]
    limits = next((ax.get_xlim() for ax, p in zip(drawn, rows, strict=True) if p.genomic), (0.0, 1.0))
    strip = lowest_first(notes, where, wide, limits) if genomic else []
    strip_inches = (max((label.row for label in strip), default=-1) + 1) * 0.16 * unit
    head = (0.3 * unit if title else 0.05) + strip_inches + (0.05 if strip else 0)
    axis = AXIS * unit if genomic else 0.05
    total = head + sum(titles) + sum(heights) + sum(below) + GAP * (len(rows) - 1) + axis
    stretch = 1.0
    if resize:
        canvas.set_size_inches(inches, total)
    else:
        available = float(canvas.bbox.height / canvas.dpi)
        stretch = max((available - (total - sum(heights))) / sum(heights), 0.1)
        total = total + (stretch - 1) * sum(heights)
    top = total - head
    last = max((i for i, panel in enumerate(rows) if panel.genomic), default=-1)
    for index, ax in enumerate(drawn):
        top -= titles[index]
        height = heights[index] * stretch
        ax.set_position((left / inches, (top - height) / total, wide / inches, height / total))
        top -= height + below[index] + GAP + (axis if index == last else 0)
    if title:
        canvas.text(left / inches, 1 - 0.08 / total, title, fontsize=colors.size(0.95), color=colors.ink(), ha="left",
                    va="top", parse_math=False)  # fmt: skip
    for note in notes if genomic else ():
        with artist_options(type(note).__name__):
            note.across(genomic, where)
    if strip:
        box = (left / inches, (total - head) / total, wide / inches, strip_inches / total)
        _strip(canvas, strip, box)


def _left(ax: Axes) -> float:
    """Give the inches that names and ticks need at the left of a panel."""
    names = [note for note in ax.texts if isinstance(note, Note) and note.get_gid() == LABEL_GID]
    named = [measure.text_width(note.get_text(), float(note.get_fontsize())) - note.xyann[0] / 72 for note in names]
    ticks = [measure.text_width(text.get_text(), colors.size()) + 0.08 for text in ax.get_yticklabels()]
    label = (ax.get_ylabel().count("\n") + 1) * colors.size() * 1.4 / 72 + 0.08 if ax.get_ylabel() else 0.0
    return max([*named, max(ticks, default=0.0) + label, 0.05])


def _right(ax: Axes, unit: Real) -> float:
    """Give the inches that a colour bar and its numbers need at the right of a panel."""
    numbers = [text.get_text() for bar in ax.child_axes for text in bar.get_yticklabels()]
    widths = [NUMBERS + measure.text_width(text, colors.size(0.65)) for text in numbers]
    return max([BAR * unit, *widths]) if ax.child_axes else 0.2


def _has_caption(ax: Axes) -> bool:
    return any(text.get_gid() == CAPTION_GID for text in ax.texts)


def _below(ax: Axes, canvas: Any) -> float:
    """Give the inches that the own x axis of a panel needs below it."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    if not hasattr(canvas, "canvas") or not hasattr(canvas.canvas, "get_renderer"):
        FigureCanvasAgg(canvas)
    box = ax.xaxis.get_tightbbox(canvas.canvas.get_renderer())
    return 0.1 if box is None else max((ax.bbox.y0 - box.y0) / canvas.dpi, 0.0) + 0.08


def _strip(canvas: Any, labels: Sequence[Any], box: tuple[Real, Real, Real, Real]) -> None:
    """Write the labels of annotations above the panels, with lines down to where they belong."""
    ax = canvas.add_axes(box, label="annotations")
    ax.set_axis_off()
    rows = max(label.row for label in labels) + 1
    ax.set(xlim=(0, 1), ylim=(0, rows))
    for label in labels:
        if label.color:
            x, y = [label.share] * 2, [-0.1, label.row + 0.15]
            ax.plot(x, y, color=label.color, linewidth=0.6, clip_on=False, alpha=0.7)
        # Lines to labels higher up pass behind the lower ones.
        plate = {"boxstyle": "square,pad=0.1", "fc": colors.background(), "ec": "none"}
        ax.text(label.at, label.row + 0.5, label.text, fontsize=colors.size(0.65), color=colors.ink(), ha="center",
                va="center", bbox=plate, parse_math=False, clip_on=False)  # fmt: skip
