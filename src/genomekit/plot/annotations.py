"""Annotations: what is marked across all panels of a figure, with labels that never lie on each other."""

from __future__ import annotations

import os
import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.image import AxesImage

from genomekit.errors import GenomekitWarning
from genomekit.genome.interval import Interval
from genomekit.genome.names import canonical
from genomekit.genome.variant import Variant
from genomekit.plot import colors, files, measure
from genomekit.plot.panel import BARE, shown
from genomekit.plot.real import Real

ROWS = 4  # of labels above the panels; those that find no room in them are counted instead
BEHIND, OVER = 0.5, 2.5  # layers: data are drawn from 1 on
NARROW = 400  # of a panel's width: what is narrower is a line, or it would vanish


@dataclass(frozen=True, slots=True)
class Mark:
    """One place that is marked: 0-based half-open, its label and colour."""

    start: int
    end: int
    label: str
    color: str


@dataclass(frozen=True, slots=True)
class Label:
    """A label in the strip above the panels: shares of its width, and a row."""

    text: str
    share: Real
    at: Real
    row: int
    color: str


@dataclass(eq=False, kw_only=True)
class Annotation(ABC):
    """Something marked across the panels.

    Args:
        color: Colour; None is the annotation's own.
        artist: Keywords for the patches or lines.
    """

    color: str | None = None
    artist: Mapping[str, Any] = field(default_factory=dict)

    @abstractmethod
    def marks(self, region: Interval) -> list[Mark]:
        """Give what lies in the region."""

    @abstractmethod
    def across(self, axes: Sequence[Axes], region: Interval) -> None:
        """Draw on the panels."""

    def listed(self) -> int | None:
        """Count what the caller listed by hand; None for tables and files, most of which may lie elsewhere."""
        return None

    def _color(self, default: str) -> str:
        return default if self.color is None else colors.checked(self.color)

    def _spans(self, axes: Sequence[Axes], region: Interval, shade: Real, line: Mapping[str, Any]) -> None:
        """Shade what is wide, and draw a line through the middle of what is narrow: behind the data.

        A picture would hide both, and shading would change its colours: there, lines go above and what is wide has an
        outline.
        """
        for mark in self.marks(region):
            narrow = mark.end - mark.start <= region.width / NARROW
            for ax in axes:
                picture = any(isinstance(artist, AxesImage | QuadMesh) for artist in ax.get_children())
                layer = {"color": mark.color, "zorder": OVER if picture else BEHIND}
                if narrow:
                    ax.axvline((mark.start + mark.end) / 2, **{**layer, **line, **self.artist})
                elif picture:
                    outline = {"fill": False, "linewidth": 1.2, **self.artist}
                    ax.axvspan(mark.start, mark.end, **{**layer, **outline})
                else:
                    ax.axvspan(mark.start, mark.end, **{**layer, "linewidth": 0, "alpha": shade, **self.artist})


@dataclass(eq=False)
class Variants(Annotation):
    """Variants, as a line (or the span of what is deleted) through every panel.

    Args:
        variants: A Variant or its text ("chrV:10008000:A>G", 1-based), several, or a table with a column `variant`.
        labels: One text each; default is the variant itself, long alleles cut.

    Raises:
        ValueError: When drawn: text that is no variant, another count of labels, or none on the chromosome.

    Example:
        >>> [mark.label for mark in Variants("chr1:5:A>G").marks(Interval("chr1", 0, 9))]
        ['5 A>G']
    """

    variants: Any
    _: KW_ONLY
    labels: Sequence[str] | None = None

    def marks(self, region: Interval) -> list[Mark]:
        """Give what lies in the region."""
        given = self.variants
        if isinstance(given, pd.DataFrame):
            files.require_columns(given, ["variant"], "The table of variants")
            given = given["variant"].drop_duplicates()
        parsed = [Variant.parse(one) for one in _several(given)]
        labels = _checked(self.labels, len(parsed)) or [one.name or _short(one) for one in parsed]
        _same_chrom([one.chrom for one in parsed], region, "variants")
        color = self._color(colors.strand_color("-"))
        spans = [(one.start, max(one.end, one.start + 1)) for one in parsed]
        return [
            Mark(start, end, label, color)
            for (start, end), label, one in zip(spans, labels, parsed, strict=True)
            if _on(one.chrom, region) and start < region.end and end > region.start
        ]

    def across(self, axes: Sequence[Axes], region: Interval) -> None:
        """Draw on the panels."""
        self._spans(axes, region, 0.25, {"linewidth": 0.8, "alpha": 0.8})

    def listed(self) -> int | None:
        """Count the variants, unless they are a table."""
        return None if isinstance(self.variants, pd.DataFrame) else len(_several(self.variants))


@dataclass(eq=False)
class Highlights(Annotation):
    """Stretches, shaded through every panel.

    Args:
        intervals: An Interval or its text, several, a BED file, or a table with chrom, start, end and, where there is
            one, name.
        labels: One text each; default is their names.

    Raises:
        ValueError: When drawn: another count of labels, or none on the chromosome.
    """

    intervals: Any
    _: KW_ONLY
    labels: Sequence[str] | None = None

    def marks(self, region: Interval) -> list[Mark]:
        """Give what lies in the region."""
        given = self.intervals
        if self.labels is not None:
            listed: Any = given if isinstance(given, pd.DataFrame) else _several(given)
            if isinstance(listed, pd.DataFrame):
                given = listed.assign(name=_checked(self.labels, len(listed)))
            else:
                parsed = [Interval.parse(one).to_dict() for one in listed]
                given = pd.DataFrame(parsed).assign(name=_checked(self.labels, len(parsed)))
        table = files.intervals_of(given, region)
        color = self._color(colors.palette()[2])
        columns = (table["start"], table["end"], table["name"])
        return [Mark(int(start), int(end), str(name), color) for start, end, name in zip(*columns, strict=True)]

    def across(self, axes: Sequence[Axes], region: Interval) -> None:
        """Draw on the panels."""
        self._spans(axes, region, 0.16, {"linewidth": 1.0, "alpha": 0.7})

    def listed(self) -> int | None:
        """Count the stretches, unless they are a table or a file."""
        table = isinstance(self.intervals, pd.DataFrame | os.PathLike)
        file = isinstance(self.intervals, str) and self.intervals.casefold().endswith(files.BED)
        return None if table or file else len(_several(self.intervals))


@dataclass(eq=False)
class Labels(Annotation):
    """Texts above the panels at positions, with a fine line through them.

    Args:
        texts: Position (0-based) -> text.

    Raises:
        ValueError: When drawn: no mapping.

    Example:
        >>> [mark.start for mark in Labels({5: "here", 50: "not here"}).marks(Interval("chr1", 0, 9))]
        [5]
    """

    texts: Any

    def marks(self, region: Interval) -> list[Mark]:
        """Give what lies in the region."""
        if not isinstance(self.texts, Mapping):
            raise ValueError(f"{type(self.texts).__name__} came; give Labels a mapping of positions to texts.")
        color = self._color(colors.ink())
        inside = {at: text for at, text in self.texts.items() if region.start <= at < region.end}
        return [Mark(int(at), int(at) + 1, str(text), color) for at, text in inside.items()]

    def across(self, axes: Sequence[Axes], region: Interval) -> None:
        """Draw on the panels."""
        for mark in self.marks(region):
            for ax in axes:
                style = {"color": mark.color, "linewidth": 0.5, "linestyle": ":", "alpha": 0.7, **self.artist}
                ax.axvline(mark.start + 0.5, **style)

    def listed(self) -> int | None:
        """Count the texts."""
        return len(self.texts)


def warn_outside(notes: Iterable[Annotation], region: Interval) -> None:
    """Say once what of the annotations lies outside the region, and so is not drawn."""
    lost = []
    for note in notes:
        name, drawn, listed = type(note).__name__.casefold(), len(note.marks(region)), note.listed()
        if listed is None and not drawn:
            lost.append(f"all {name}")
        elif listed is not None and drawn < listed:
            lost.append(f"{listed - drawn} of {listed:,} {name}")
    if lost:
        text = f"Outside {shown(region)} and so not drawn: {', '.join(lost)}."
        warnings.warn(text, GenomekitWarning, stacklevel=3)


def lowest_first(notes: Iterable[Annotation], region: Interval, inches: Real, limits: tuple[Real, Real]) -> list[Label]:
    """Lay the labels out in rows above the panels; those without room become a count at the right end.

    Args:
        notes: Annotations; the first get their place first.
        region: What is shown.
        inches: Width of the panels.
        limits: Left and right end of the x axis, in bp.
    """
    marks = [mark for note in notes for mark in note.marks(region) if mark.label]
    if not marks:
        return []
    points = colors.size(0.65)
    texts = [measure.fit(mark.label, points, 1.8) for mark in marks]
    widths = [measure.text_width(text, points) + 0.1 for text in texts]
    middles = [(max(mark.start, region.start) + min(mark.end, region.end)) / 2 for mark in marks]
    shares = [(middle - limits[0]) / (limits[1] - limits[0]) for middle in middles]
    rows = measure.lay_out([share * inches for share in shares], widths, ROWS, (0, inches))
    labels = [
        Label(text, share, measure.kept_inside(share * inches, width, (0, inches)) / inches, row, mark.color)
        for text, share, width, row, mark in zip(texts, shares, widths, rows, marks, strict=True)
        if row >= 0
    ]
    hidden = rows.count(-1)
    if hidden:
        text = f"+ {hidden} more labels"
        at = measure.kept_inside(inches, measure.text_width(text, points) + 0.1, (0, inches)) / inches
        labels.append(Label(text, at, at, max(rows) + 1, ""))
    return labels


def _several(given: Any) -> list[Any]:
    return [given] if isinstance(given, str | Variant | Interval) else list(given)


def _short(variant: Variant) -> str:
    ref, alt = (
        letters if len(letters) <= 8 else f"{letters[:3]}..{len(letters)} bp" for letters in (variant.ref, variant.alt)
    )
    return f"{variant.position:,} {ref or '-'}>{alt or '-'}"


def _checked(labels: Sequence[str] | None, count: int) -> list[str]:
    if labels is None:
        return []
    texts = [labels] if isinstance(labels, str) else list(labels)
    if len(texts) != count:
        raise ValueError(f"{len(texts)} labels came for {count} things to mark; give one each.")
    return texts


def _on(chrom: str, region: Interval) -> bool:
    return region.chrom == BARE or canonical(chrom) == canonical(region.chrom)


def _same_chrom(chroms: Sequence[str], region: Interval, what: str) -> None:
    if chroms and not any(_on(chrom, region) for chrom in chroms):
        raise ValueError(f"None of the {what} is on {region.chrom}; they are on {', '.join(sorted(set(chroms)))}.")
