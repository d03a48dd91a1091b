"""Panel: what every row of a figure is, and the checks that all of them share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

from matplotlib.axes import Axes

from genomekit.genome.interval import Interval
from genomekit.genome.names import canonical
from genomekit.plot import colors
from genomekit.plot.real import Real

CAPTION_GID = "genomekit-caption"  # marks what stands above a panel, for the figure to make room
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

    def draw(self, ax: Axes, region: Interval | str | None = None) -> Axes:
        """Draw on the axes and return them.

        Args:
            ax: Any axes of the caller's.
            region: Part to draw, 0-based half-open; None draws all of the data.

        Raises:
            ValueError: No region where the data do not tell one, or one outside the data.
        """
        where = self.where(region)
        self._prepare(ax, where)
        title = self._draw(ax, where)
        text = title if self.title is None else self.title
        text += f"   ({self.note})" if self.note else ""
        if text:
            write_title(ax, text)
        return ax

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
            raise ValueError(f"Region {where} is empty; its end must lie beyond its start.")
        if known is not None:
            check_inside(where, known, type(self).__name__)
        return where

    def _prepare(self, ax: Axes, region: Interval) -> None:
        """Take away what no panel needs, and set the limits."""
        line = colors.faint()
        ax.spines[["top", "right", "bottom"]].set_visible(False)
        ax.spines["left"].set(color=line, linewidth=0.6)
        ax.tick_params(labelsize=colors.size(), length=2.5, width=0.6, color=line, labelcolor=colors.ink())
        if self.genomic:
            known = self.extent()
            ax.set_xlim(*((region.end, region.start) if known and known.turned else (region.start, region.end)))


def write_title(ax: Axes, text: str) -> None:
    """Set the title of a panel, in its style."""
    ax.set_title(text, loc="left", fontsize=colors.size(0.8), color=colors.ink(), pad=3, parse_math=False)


def check_inside(where: Interval, known: Extent, who: str) -> None:
    """Refuse a region on another chromosome, or one that shares no base with the data.

    Raises:
        ValueError: It is one of the two.
    """
    if known.chrom and canonical(where.chrom) != canonical(known.chrom):
        raise ValueError(f"Region {where} is on {where.chrom}, the data of {who} are on {known}. Give a region there.")
    if where.start >= known.end or where.end <= known.start:
        raise ValueError(
            f"Region {where} holds nothing of the data of {who}, which cover {known}. Give a region inside, or "
            "predict that one."
        )


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
    ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center", fontsize=colors.size(), style="italic",
            color=colors.faint(0.7))  # fmt: skip


def caption(ax: Axes, text: str) -> None:
    """Say at the upper right, beside the title, what a reader must know of the drawing."""
    ax.text(1, 1, text, transform=ax.transAxes, ha="right", va="bottom", fontsize=colors.size(0.65),
            color=colors.faint(0.8), parse_math=False, gid=CAPTION_GID)  # fmt: skip
