"""Panel: what every row of a figure is, and the checks that all of them share."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from genomekit.errors import unknown
from genomekit.genome.interval import Interval
from genomekit.genome.names import canonical
from genomekit.plot import colors, measure
from genomekit.plot.heads import write_head
from genomekit.plot.real import Real

OUTSIDE_GID = "genomekit-outside"  # marks the hatching where a region reaches beyond the data
BARE = "sequence"  # stands for the chromosome of a sequence that lies on none


@dataclass(frozen=True, slots=True)
class Extent:
    """Where the data of a panel lie: 0-based half-open, with what is known of the genome."""

    chrom: str
    start: int
    end: int
    assembly: str = ""
    turned: bool = False
    """Positions run from right to left (`.gk.reverse_complement()`)."""

    def __str__(self) -> str:
        return f"{self.chrom or BARE}:{self.start:,}-{self.end:,}" + (f" ({self.assembly})" if self.assembly else "")


@dataclass(eq=False, kw_only=True)
class Panel(ABC):
    """One row of a figure: data, style, height, and `draw(ax, region)`.

    A panel is added to the library by one file with one subclass that has `_draw`; see "How to add a panel" in the
    documentation.

    Args:
        height: Height of its axes, inches; None is the panel's own choice.
        title: Text above it; None says what is drawn and in which units, "" leaves it out.
        note: Written in brackets after the title.
    """

    height: Real | None = None
    title: str | None = None
    note: str = ""

    genomic: ClassVar[bool] = True
    """Whether the x axis is the genome, shared with the other panels."""
    covers: ClassVar[bool] = True
    """Whether the data say something of every place of their extent, and of none beyond it."""

    def __post_init__(self) -> None:
        if self.height is not None and not 0 < self.height < float("inf"):
            raise ValueError(f"height={self.height}; give the inches of a panel, above 0, or None for its own choice.")

    def draw(self, ax: Axes, region: Interval | str | None = None) -> Axes:
        """Draw on the axes and return them.

        Args:
            ax: Any axes of the caller's.
            region: Part to draw, 0-based half-open; None draws all of the data.

        Raises:
            ValueError: No region where the data do not tell one, one outside the data, or an option that the artists of
                matplotlib do not have.
        """
        where = self.where(region)
        text = self.paint(ax, where)
        if self.genomic:
            position_axis(ax, where)
        write_head(ax, text, float(ax.bbox.width / ax.figure.dpi))
        return ax

    def paint(self, ax: Axes, region: Interval) -> str:
        """Draw without the title, and return it: who places several panels knows the room for it later."""
        self._prepare(ax, region)
        with artist_options(type(self).__name__):
            title = self._draw(ax, region)
        title = title if self.title is None else self.title
        return title + (f"   ({self.note})" if self.note else "")

    @abstractmethod
    def _draw(self, ax: Axes, region: Interval) -> str:
        """Draw; return the title used where the caller gave none."""

    def extent(self) -> Extent | None:
        """Say where the data lie; None where any region will do, as for files."""
        return None

    def assembly(self) -> str:
        """Name the assembly of the data; "" where it is not known."""
        known = self.extent()
        return known.assembly if known else ""

    def inches(self, width: Real, region: Interval) -> Real:
        """Give the height of the axes for their width, both in inches."""
        return self.height or 0.8

    def where(self, region: Interval | str | None) -> Interval:
        """Check the region against the data.

        Raises:
            ValueError: None of the two tells a region, or they do not fit.
        """
        known = self.extent()
        if region is None:
            if known is None:
                raise ValueError(f"{type(self).__name__} has data of a whole genome; give region='chrom:start-end'.")
            return Interval(known.chrom or BARE, known.start, known.end)
        where = Interval.parse(region)
        if where.width == 0:
            raise ValueError(f"Region {shown(where)} is empty; its end must lie beyond its start.")
        if known is not None:
            check_inside(where, known, type(self).__name__)
        return where

    def _prepare(self, ax: Axes, region: Interval) -> None:
        """Take away what no panel needs, and set the limits."""
        line = colors.faint()
        ax.spines[["top", "right", "bottom"]].set_visible(False)
        ax.spines["left"].set(color=line, linewidth=0.6)
        ax.tick_params(labelsize=colors.size(), length=2.5, width=0.6, color=line, labelcolor=colors.ink())
        ax.yaxis.set_major_formatter(FuncFormatter(lambda y, _: measure.compact(y)))
        if not self.genomic:
            return
        known = self.extent()
        # Another panel of the figure, or the caller, may have turned the axis.
        turned = ax.xaxis_inverted() or bool(known and known.turned)
        ax.set_xlim(*((region.end, region.start) if turned else (region.start, region.end)))
        if known is None or not self.covers:
            return
        for start, end in ((region.start, known.start), (known.end, region.end)):
            if start < end:
                ax.axvspan(start, end, fc="none", ec=colors.faint(0.13), hatch="///", lw=0, zorder=0, gid=OUTSIDE_GID)

    def _within(self, region: Interval) -> tuple[int, int]:
        """Give the part of a region that has data."""
        known = self.extent()
        return (max(region.start, known.start), min(region.end, known.end)) if known else (region.start, region.end)


@contextmanager
def artist_options(who: str) -> Iterator[None]:
    """Say of an option that matplotlib does not know whose it is and which there are.

    Raises:
        ValueError: An artist has no such option.
    """
    try:
        yield
    except AttributeError as error:
        found = re.match(r"'?(\w+)'?(?:\.set\(\) got an| object has no property)", str(error))
        kinds = [kind for kind in _subclasses(Artist) if found and kind.__name__ == found[1]]
        if not kinds:
            raise
        options = [name.removeprefix("set_") for name in dir(kinds[0]) if name.startswith("set_")]
        artist = next(kind.__name__ for kind in kinds[0].__mro__ if kind.__module__.startswith("matplotlib"))
        options = [name for name in options if len(name) > 2]  # the short forms would hide the rest
        raise unknown(f"{who} option (for a {artist} of matplotlib)", error.name, options) from error


def _subclasses(kind: type) -> Iterator[type]:
    for child in kind.__subclasses__():
        yield child
        yield from _subclasses(child)


def position_axis(ax: Axes, region: Interval) -> None:
    """Write positions under the axes, as many as there is room for, with their chromosome and units."""
    scale, unit = unit_of(region)

    def written(x: Real, _: object = None) -> str:
        return f"{round(x / scale, 4):,.10g}"

    room = max(measure.text_width(written(x), colors.size()) for x in (region.start, region.end)) + 0.25
    count = min(max(int(ax.bbox.width / ax.figure.dpi / room), 1), 7)
    ax.xaxis.set_major_locator(MaxNLocator(count, integer=True, steps=[1, 2, 2.5, 5, 10]))
    ax.xaxis.set_major_formatter(FuncFormatter(written))
    ax.spines["bottom"].set(visible=True, color=colors.faint(), linewidth=0.6)
    name = "position" if region.chrom == BARE else region.chrom
    ax.set_xlabel(f"{name} ({unit})", fontsize=colors.size(0.8), color=colors.ink(), labelpad=2)


def unit_of(region: Interval) -> tuple[Real, str]:
    """Give the unit in which positions of a region are written: its bp, and its name."""
    return (1e6, "Mb") if region.width >= 2e6 else (1e3, "kb") if region.width >= 2e3 else (1, "bp")


def shown(where: Interval) -> str:
    """Write a region as a figure does: no strand, since panels draw both."""
    return f"{where.chrom}:{where.start:,}-{where.end:,}"


def check_inside(where: Interval, known: Extent, who: str) -> None:
    """Refuse a region on another chromosome, or one that shares no base with the data.

    Raises:
        ValueError: It is one of the two.
    """
    if known.chrom and canonical(where.chrom) != canonical(known.chrom):
        raise ValueError(
            f"Region {shown(where)} is on {where.chrom}, the data of {who} are on {known}. Give a region there."
        )
    if where.start >= known.end or where.end <= known.start:
        raise ValueError(
            f"Region {shown(where)} holds nothing of the data of {who}, which cover {known}. Give a region inside, or "
            "predict that one."
        )


def check_rows(most: int) -> None:
    """Refuse a number of rows that leaves none.

    Raises:
        ValueError: It is below 1.
    """
    if most < 1:
        raise ValueError(f"max_rows={most}; draw at least one row.")


def set_rows(ax: Axes, count: int, tallest: Real) -> None:
    """Give rows at 0, -1, -2, ... the height of the axes, but at most `tallest` inches each: boxes stay boxes."""
    spare = max(float(ax.bbox.height / ax.figure.dpi) / tallest - count, 0.0) / 2
    ax.set(ylim=(-count + 0.5 - spare, 0.5 + spare), yticks=[])


def extent_of(attrs: Any, start: int, end: int, turned: bool = False) -> Extent:
    """Read an extent from the attributes of a result; what is shown there goes before the ends of the bins."""
    return Extent(
        chrom=str(attrs.get("chrom") or ""),
        start=int(attrs.get("start", start)),
        end=int(attrs.get("end", end)),
        assembly=str(attrs.get("assembly") or ""),
        turned=turned or attrs.get("displayed_strand") == "-",
    )


def message(ax: Axes, text: str) -> None:
    """Say in the middle of a panel why there is nothing in it."""
    plate = {"boxstyle": "square,pad=0.2", "fc": colors.background(), "ec": "none"}
    ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center", fontsize=colors.size(), style="italic",
            color=colors.faint(0.7), bbox=plate)  # fmt: skip
