"""Sashimi: junctions as arcs over coverage, with their counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from genomekit.errors import unknown
from genomekit.genome.interval import Interval
from genomekit.plot import colors, lanes, measure
from genomekit.plot.columns import CurveFill
from genomekit.plot.curves import Curve, curves_of, dataset_of, joint, place_of
from genomekit.plot.heads import caption, legend
from genomekit.plot.junctions import SIGNS, Arc, by_sign, read_arcs, strongest_first
from genomekit.plot.panel import Extent, Panel, message
from genomekit.plot.real import Real
from genomekit.plot.tracks import add

SHARE = 0.05  # of the strongest junction shown: what is drawn unless min_count says otherwise
ARCS = 1.0  # height of the room for arcs, of the room for coverage
PLACES = (0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74)  # along an arc, where its count may stand


@dataclass(eq=False)
class Sashimi(Panel):
    """Arcs from exon end to exon start, as wide as they are strong, higher the further they reach.

    One allele: the plus strand rises above the line, the minus strand hangs below. REF and ALT: REF rises, ALT hangs,
    mirrored and on one scale. Nothing is drawn at random, so a figure comes out the same each time.

    Args:
        data: The splice_junctions node of a result, or a table with start, end (intron, 0-based half-open), count and,
            where there are, chrom and strand.
        track: Biosample to draw; None draws the first, and the title says how many there are.
        coverage: Reads along the genome, drawn under the arcs: as `Tracks` takes it, one track per strand at most.
        strand: "+" or "-" draws only those.
        min_count: Junctions below it are left out; default is 5 % of the strongest shown. The corner says how many.
        top: At most this many, the strongest.
        counts: Write the counts.
        colors: "+" and "-" (or "REF" and "ALT") -> colour.
        arc: Keywords for the arcs (PathPatch).
        text: Keywords for the counts.

    Of differences (`.gk.delta()`, or a table with counts below zero) gains go up and losses go down.

    Raises:
        ValueError: When drawn: data without junctions, an unknown track or strand, junctions without a strand, a
            negative threshold.

    Example:
        >>> from matplotlib.figure import Figure
        >>> import pandas as pd
        >>> introns = pd.DataFrame({"start": [20, 20], "end": [40, 70], "strand": "+", "count": [30, 3]})
        >>> ax = Sashimi(introns).draw(Figure().add_subplot(), "chrI:0-100")
        >>> [text.get_text() for text in ax.texts], len(ax.patches)
        (['30', '3'], 2)
    """

    data: Any
    _: KW_ONLY
    track: str | None = None
    coverage: Any = None
    strand: str | None = None
    min_count: Real | None = None
    top: int = 40
    counts: bool = True
    colors: Mapping[str, str] | None = None
    arc: Mapping[str, Any] = field(default_factory=dict)
    text: Mapping[str, Any] = field(default_factory=dict)

    def extent(self) -> Extent | None:
        """Say where the data lie."""
        return joint(place_of(part) for part in (self.data, self.coverage) if part is not None)

    def inches(self, width: Real, region: Interval) -> Real:
        """Give two sides the height of two."""
        sides, _, _ = self._sides(region)
        return self.height or (0.85 + (0.55 if self.coverage is not None else 0)) * (1.6 if len(sides) > 1 else 1)

    def _sides(self, region: Interval) -> tuple[dict[str, list[Arc]], str, str]:
        """Give the arcs above and below the line, what they show, and a note on what is left out."""
        if self.strand not in (None, "+", "-"):
            raise unknown("strand", self.strand, ("+", "-"))
        if self.top < 1 or (self.min_count or 0) < 0:
            raise ValueError(f"top={self.top}, min_count={self.min_count}; draw at least one, from 0 up.")
        groups, name = read_arcs(self.data, self.track, region)
        if any(arc.count < 0 for arcs in groups.values() for arc in arcs):
            groups = by_sign([arc for arcs in groups.values() for arc in arcs])
        elif list(groups) == [""]:
            everything = groups[""]
            groups = {strand: [arc for arc in everything if arc.strand == strand] for strand in ("+", "-")}
            groups = {key: arcs for key, arcs in groups.items() if arcs or (key == "+" and not everything)}
        if self.strand:
            groups = {key: [arc for arc in arcs if arc.strand == self.strand] for key, arcs in groups.items()}
            groups = {key: arcs for key, arcs in groups.items() if key not in "+-" or key == self.strand}
        everything = [arc for arcs in groups.values() for arc in arcs]
        whole = [arc for arc in everything if arc.start >= region.start and arc.end <= region.end]
        limit = self.min_count if self.min_count is not None else SHARE * max((a.count for a in whole), default=0.0)
        touching = sum(arc.count >= limit and arc.count > 0 for arc in set(everything) - set(whole))
        strong = sorted((arc for arc in whole if arc.count >= limit and arc.count > 0), key=strongest_first)
        # REF and ALT show the same junctions, or a lost one would look filtered.
        found = list(dict.fromkeys((arc.start, arc.end, arc.strand) for arc in strong))
        places = found[: self.top]
        kept = {
            key: sorted((a for a in arcs if (a.start, a.end, a.strand) in places and a.count > 0), key=strongest_first)
            for key, arcs in groups.items()
        }
        known = {(arc.start, arc.end, arc.strand) for arc in whole if arc.count > 0}
        left_out = [f"{len(known) - len(found)} below {measure.compact(limit)}"] if len(known) > len(found) else []
        left_out += [f"{len(found) - len(places)} beyond the top {self.top}"] if len(found) > len(places) else []
        left_out += [f"{touching} reaching outside"] if touching else []
        return kept, name, f"not drawn: {', '.join(left_out)}" if left_out else ""

    def _draw(self, ax: Axes, region: Interval) -> str:
        sides, name, note = self._sides(region)
        ax.spines["left"].set_visible(False)
        arcs = [arc for side in sides.values() for arc in side]
        covers = self._covers(region, sides)
        signs = dict(zip(sides, self._signs(list(sides)), strict=True))
        signed = list(sides) == list(SIGNS)
        alleles = {"ref", "alt"} == {key.casefold() for key in sides} or signed
        tints = colors.allele_colors(list(sides)) if alleles else {key: colors.strand_color(key) for key in sides}
        tints |= dict(zip(SIGNS, map(colors.strand_color, "-+"), strict=True)) if signed else {}
        tints |= {key: colors.checked(color) for key, color in (self.colors or {}).items()}
        top_count = max((arc.count for arc in arcs), default=1.0)
        widest = max((arc.end - arc.start for arc in arcs), default=1)
        tallest = self._cover(ax, covers, signs, tints, region)
        placed: list[tuple[np.ndarray, str]] = []
        for key, side in sides.items():
            for arc in side:
                points = self._arc(
                    ax, arc, signs[key], tints[key], arc.count / top_count, widest, covers.get(key), tallest
                )
                text = measure.compact(arc.count)
                text = f"\u2212{text}" if signed and signs[key] < 0 else text
                placed.append((points, text))
        if arcs or covers:
            ax.hlines(0, *self._within(region), color=colors.faint(), linewidth=0.6, zorder=1)
        self._limits(ax, set(signs.values()), placed, bool(covers))
        if covers:
            ends = sorted(set(signs.values()))
            ax.set_yticks([*ends, 0], [*[measure.compact(tallest)] * len(ends), "0"])
        if self.counts and (silent := self._write(ax, placed, region)):
            note += f"{'; ' if note else ''}{silent} {'counts' if silent > 1 else 'count'} without room"
        if not arcs and covers:
            note = f"no junctions here{'; ' if note else ''}{note}"
        elif not arcs:
            message(ax, "no junctions here")
        if alleles:
            legend(ax, {f"{key} ({'up' if signs[key] > 0 else 'down'})": tints[key] for key in sides})
        if note:
            caption(ax, note)
        lanes.name_at_left(ax, name, float(np.mean(ax.get_ylim())), 30 if covers else 6, 3)
        units = str(getattr(self.data, "attrs", {}).get("units", ""))
        title = ", ".join(part for part in ("Splice junctions", units) if part)
        of_cover = next((curve.units for curve in covers.values()), "")
        return title + (f"; coverage{', ' if of_cover else ''}{of_cover}" if covers else "")

    def _signs(self, keys: list[str]) -> list[int]:
        return [-1 if key == "-" or (len(keys) == 2 and number == 1) else 1 for number, key in enumerate(keys)]

    def _covers(self, region: Interval, sides: Mapping[str, Any]) -> dict[str, Curve]:
        """Give the coverage of each side."""
        if self.coverage is None:
            return {}
        if {key.casefold() for key in sides} == {"ref", "alt"}:
            node = (
                dataset_of(self.coverage)
                if isinstance(self.coverage, xr.DataTree | xr.Dataset | xr.DataArray)
                else None
            )
            if node is not None and "allele" in node["signal"].dims:
                found = {key: curves_of(node, region, key.casefold()) for key in sides}
                for curves in found.values():
                    _check_coverage(curves, 1, "one track of both alleles")
                return {key: curves[0] for key, curves in found.items()}
        curves = curves_of(self.coverage, region)
        _check_coverage(curves, 2, "one track, or the two strands of one")
        table = {curve.strand: curve for curve in curves}
        if len(curves) == 1 or "." in table:
            return {next(iter(sides)): curves[0]} if sides else {}
        return {key: table[key] for key in sides if key in table}

    def _cover(
        self,
        ax: Axes,
        covers: Mapping[str, Curve],
        signs: Mapping[str, int],
        tints: Mapping[str, str],
        region: Interval,
    ) -> float:
        """Draw the coverage, its highest value 1 high; return that value."""
        tops = [np.nanmax(curve.inside(region), initial=0.0) for curve in covers.values()]
        tallest = float(max([*tops, 0.0])) or 1.0
        for key, curve in covers.items():

            def to_y(values: np.ndarray, sign: int = signs[key]) -> np.ndarray:
                return sign * np.asarray(values, float) / tallest

            add(ax, CurveFill(curve, to_y, color=tints[key], alpha=0.35, zorder=1))
        return tallest

    def _arc(
        self,
        ax: Axes,
        arc: Arc,
        sign: int,
        color: str,
        share: Real,
        widest: int,
        cover: Curve | None,
        tallest: Real,
    ) -> np.ndarray:
        """Draw one arc from the coverage of one exon to that of the other; return points along it (point, 2)."""
        feet = [0.0, 0.0]
        if cover is not None:
            for side, base in enumerate((arc.start - 1, arc.end)):
                index = (base - cover.start) // cover.step
                if 0 <= index < len(cover.values):
                    feet[side] = sign * float(np.nan_to_num(cover.values[index])) / tallest
        height = sign * ARCS * (0.25 + 0.75 * np.sqrt((arc.end - arc.start) / widest))
        peak = height + (sign if cover is not None else 0)
        # A cubic reaches three quarters of the way from its feet to its control points.
        lift = (peak - np.mean(feet) / 4) * 4 / 3
        path = Path([(arc.start, feet[0]), (arc.start, lift), (arc.end, lift), (arc.end, feet[1])], [1, 4, 4, 4])
        style = {
            "edgecolor": color,
            "linewidth": 0.5 + 2.2 * share,
            "alpha": 0.4 + 0.55 * share,
            "zorder": 3,
            **self.arc,
        }
        ax.add_patch(PathPatch(path, fill=False, **style))
        t = np.linspace(0, 1, 101)[:, None]
        weights = np.hstack([(1 - t) ** 3, 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t**2, t**3])
        return weights @ np.asarray(path.vertices)

    def _limits(self, ax: Axes, signs: set[int], placed: list[tuple[np.ndarray, str]], covered: bool) -> None:
        reach = max([float(np.abs(points[:, 1]).max()) for points, _ in placed] + [1.0 if covered else 0.5])
        # Room on each side for the line of counts, so that the highest one is whole.
        inches, line = max(ax.bbox.height / ax.figure.dpi, 0.1), colors.size(0.6) / 72 * 1.5
        room = reach * len(signs) * line / max(inches - len(signs) * line, 0.1)
        up, down = 1 in signs, -1 in signs
        ax.set(ylim=(-reach - room if down else -0.02, reach + room if up else 0.02), yticks=[])

    def _write(self, ax: Axes, placed: list[tuple[np.ndarray, str]], region: Interval) -> int:
        """Write each count on its arc, clear of other arcs if it can be; say how many would lie on another count."""
        size = colors.size(0.6)
        scale = np.array([ax.bbox.width / region.width, ax.bbox.height / np.ptp(ax.get_ylim())]) / ax.figure.dpi
        arcs = [points * scale for points, _ in placed]
        taken = np.empty((0, 3))
        plate = {"boxstyle": "round,pad=0.05", "fc": colors.background(), "ec": "none", "alpha": 0.85}
        for number, (points, text) in enumerate(placed):
            wide, tall = measure.text_width(text, size) + 0.05, size / 72 * 1.2
            others = np.concatenate([np.empty((0, 2)), *arcs[:number], *arcs[number + 1 :]])
            free = []
            for place in PLACES:
                at = arcs[number][round(place * 100)]
                away = np.abs(taken[:, :2] - at)
                if ((away[:, 0] > (wide + taken[:, 2]) / 2) | (away[:, 1] > tall)).all():
                    crossed = (np.abs(others - at) < (wide / 2, tall / 2)).all(axis=1).sum()
                    free.append((int(crossed), len(free), round(place * 100)))
            if not free:
                continue
            best = min(free)[2]
            taken = np.vstack([taken, [*arcs[number][best], wide]])
            style = {"fontsize": size, "color": colors.ink(), "zorder": 4, **self.text}
            x, y = points[best]
            ax.text(x, y, text, bbox=plate, **{"ha": "center", "va": "center", **style})
        return len(placed) - len(taken)


def _check_coverage(curves: Sequence[Curve], most: int, what: str) -> None:
    if len(curves) > most:
        raise ValueError(
            f"coverage has {len(curves)} tracks, and under the arcs there is room for {what}. Choose it with "
            "coverage=tree['rna_seq'].gk.tracks(biosample=..., strand=...)."
        )
