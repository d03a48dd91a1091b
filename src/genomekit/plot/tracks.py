"""Tracks: curves along the genome, one lane each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator
from matplotlib.transforms import ScaledTranslation, Transform, blended_transform_factory

from genomekit.errors import unknown
from genomekit.genome.interval import Interval
from genomekit.plot import colors, lanes, measure
from genomekit.plot.columns import AGGREGATES, CurveFill, CurveImage, CurveLine
from genomekit.plot.curves import Curve, curves_of, place_of
from genomekit.plot.heads import legend
from genomekit.plot.lanes import TRANSFORMS, Lane, Scale
from genomekit.plot.panel import Extent, Panel, message
from genomekit.plot.real import Real

STYLES = ("fill", "line", "heat")
Colors = str | Sequence[str] | Mapping[str, str]


@dataclass(eq=False)
class Tracks(Panel):
    """Curves along the genome, stacked in lanes; the two strands of a track share one.

    Args:
        data: A node of a result, a bigWig or bedGraph file, a table (chrom, start, end, value), or a mapping of labels
            to any of these. The labels "+" and "-" are strands, as in {"RNA": {"+": "plus.bw", "-": "minus.bw"}}.
        style: "fill", "line" or "heat" (a row of colour).
        color: One colour, one per lane, or a mapping of labels to colours. None: one colour for all lanes.
        color_by: Column of the metadata whose values get colours, with a legend.
        label: Text at the left, with columns in braces: "{biosample_name} {assay_title}".
        scale: "free" fills each lane whatever its values are, so read the ticks: noise looks like signal. "shared", or
            (low, high) for all lanes, makes heights comparable.
        transform: "linear", "log1p" or "sqrt"; ticks keep the values as they are.
        aggregate: What a pixel column shows of the bins it covers: "minmax", "mean" or "max".
        strands: "auto" hangs the minus strand below the plus strand of a track, "mirror" insists on it, "separate"
            gives each a lane.
        max_tracks: Refuse more.
        artist: Keywords for the artists: those of a PolyCollection, Line2D or AxesImage.
        height: Height of the panel, inches; default grows with the number of lanes.

    Raises:
        ValueError: When drawn: an unknown choice or column, too many tracks, strands that are not there, or a region
            outside the data.

    Example:
        >>> import pandas as pd
        >>> from matplotlib.figure import Figure
        >>> table = pd.DataFrame({"chrom": "chrI", "start": [0, 40], "end": [10, 60], "value": [1.0, 3.0]})
        >>> ax = Tracks({"mine": table}).draw(Figure().add_subplot(), "chrI:0-100")
        >>> [round(float(limit), 2) for limit in (*ax.get_xlim(), *ax.get_ylim())]
        [0.0, 100.0, 0.0, 3.42]
    """

    data: Any
    _: KW_ONLY
    style: str = "fill"
    color: Colors | None = None
    color_by: str | None = None
    label: str = "{track}"
    scale: Scale = "free"
    transform: str = "linear"
    aggregate: str = "minmax"
    strands: str = "auto"
    max_tracks: int = 50
    artist: Mapping[str, Any] = field(default_factory=dict)

    def extent(self) -> Extent | None:
        """Say where the data lie."""
        return place_of(self.data)

    def inches(self, width: Real, region: Interval) -> Real:
        """Give more height to more lanes, and less to each of many."""
        count = len(self._lanes(region))
        each = 0.22 if self.style == "heat" else 0.7 if count <= 2 else 0.5 if count <= 8 else 0.3
        return self.height or max(each * count, 0.3)

    def _lanes(self, region: Interval) -> list[Lane]:
        curves = curves_of(self.data, region)
        check_count(curves, self.max_tracks)
        strands = "separate" if self.style == "heat" and self.strands == "auto" else self.strands
        return lanes.paired(curves, strands, self.label)

    def _draw(self, ax: Axes, region: Interval) -> str:
        for kind, value, options in (
            ("style", self.style, STYLES),
            ("aggregate", self.aggregate, AGGREGATES),
            ("transform", self.transform, TRANSFORMS),
        ):
            if value not in options:
                raise unknown(kind, value, options)
        found = self._lanes(region)
        curves = [curve for lane in found for curve in lane.curves]
        if self.style == "heat":
            self._heat(ax, found, region)
        else:
            lanes.set_scales(found, region, self.scale, self.transform)
            for lane, color in zip(found, lane_colors(found, self.color, self.color_by), strict=True):
                self._lane(ax, lane, color)
            lanes.finish(ax, found)
        if self.color_by and self.style != "heat":
            legend(ax, colors.categories(curve.fact(self.color_by) for curve in curves))
        return titled(curves, self.transform)

    def _lane(self, ax: Axes, lane: Lane, color: str) -> None:
        for curve in lane.curves:
            sign = lane.sign(curve)
            style = {"color": color, "alpha": 0.55 if sign < 0 else 0.9, **self.artist}

            def to_y(values: np.ndarray, lane: Lane = lane, sign: int = sign) -> np.ndarray:
                return lane.y(values, sign)

            if self.style == "fill":
                add(ax, CurveFill(curve, to_y, how=self.aggregate, **style))
            else:
                add(ax, CurveLine(curve, to_y, self.aggregate, **{**style, "alpha": self.artist.get("alpha")}))
        baseline(ax, lane)

    def _heat(self, ax: Axes, found: list[Lane], region: Interval) -> None:
        curves = [lane.curves[0] for lane in found]
        first = curves[0]
        for curve in curves[1:]:
            if (curve.start, curve.step, len(curve.values)) != (first.start, first.step, len(first.values)):
                raise ValueError(
                    f"Tracks {first.label!r} and {curve.label!r} have different bins; a heat map needs the same. Use "
                    "style='fill', or one panel for each."
                )
        scale = self.scale if not isinstance(self.scale, str) else "shared"
        lanes.set_scales(found, region, scale, self.transform)
        forward = TRANSFORMS[self.transform][0]
        low, high = found[0].low, found[0].high
        signed = low < 0 < high
        norm = Normalize(-max(-low, high), max(-low, high)) if signed else Normalize(low, high)
        style = {"cmap": colors.diverging() if signed else "viridis", "norm": norm, "rasterized": True, **self.artist}
        image = CurveImage(ax, curves, 0.0, forward, **style)
        image.set_clip_path(ax.patch)
        ax.add_image(image)
        image.look()
        ax.set_ylim(0, len(found))
        ax.set_yticks([])
        ax.spines["left"].set_visible(False)
        for index, lane in enumerate(found):
            lanes.name_at_left(ax, lane.label, len(found) - index - 0.5, 4, lines=1)
        if all(lane.empty for lane in found):
            message(ax, "no data here")
        else:
            color_bar(ax, image, TRANSFORMS[self.transform][1])


def check_count(curves: Sequence[Curve], limit: int) -> None:
    """Refuse more tracks than can be told apart.

    Raises:
        ValueError: There are more, or the limit leaves none.
    """
    if limit < 1:
        raise ValueError(f"max_tracks={limit}; draw at least one track.")
    if len(curves) > limit:
        raise ValueError(
            f"{len(curves):,} tracks came, more than max_tracks={limit}. Choose some with .gk.tracks(biosample=..., "
            "assay=..., search=...), or raise max_tracks."
        )


def lane_colors(found: Sequence[Lane], color: Colors | None, color_by: str | None) -> list[str]:
    """Give the colour of every lane.

    Raises:
        ValueError: Colours that do not fit the lanes, or an unknown column.
    """
    if color_by is not None:
        table = colors.categories(curve.fact(color_by) for lane in found for curve in lane.curves)
        return [table[lane.curves[0].fact(color_by)] for lane in found]
    if color is None:
        return [colors.palette()[0]] * len(found)
    if isinstance(color, Mapping):
        names = [lane.label if lane.label in color else lane.curves[0].label for lane in found]
        if bare := [lane.label for lane, name in zip(found, names, strict=True) if name not in color]:
            raise ValueError(
                f"color= has no colour for {', '.join(map(repr, bare[:6]))}; it has some for "
                f"{', '.join(map(repr, color)) or 'nothing'}. Give one for each lane, by its name at the left."
            )
        chosen = [color[name] for name in names]
    else:
        chosen = [color] * len(found) if isinstance(color, str) else list(color)
    if len(chosen) != len(found):
        raise ValueError(f"{len(chosen)} colours came for {len(found)} lanes; give one, one each, or a mapping.")
    return [colors.checked(one) for one in chosen]


def add(ax: Axes, artist: Any) -> None:
    """Put an artist that follows its axes into them, limits left alone."""
    artist.set_clip_path(ax.patch)
    ax.add_artist(artist)
    artist.look()


def baseline(ax: Axes, lane: Lane) -> None:
    """Draw the zero line of a lane, where there are values."""
    if lane.low <= 0 <= lane.high:
        x = [at for start, end in lane.spans for at in (start, end, np.nan)]
        ax.plot(x, np.full(len(x), lane.at(0)), color=colors.faint(), linewidth=0.5, zorder=3, solid_capstyle="butt",
                scalex=False, scaley=False)  # fmt: skip


def beside(ax: Axes, share: Real = 1.0) -> Transform:
    """Give the coordinates of a colour bar: inches from a share of the width, which axes that are resized keep."""
    across = ax.figure.dpi_scale_trans + ScaledTranslation(share, 0, ax.transAxes)  # type: ignore[arg-type]
    return blended_transform_factory(across, ax.transAxes)


def color_bar(ax: Axes, artist: Any, back: Any = None) -> None:
    """Draw a narrow colour bar at the right, outside the axes."""
    tall = ax.bbox.height / ax.figure.dpi
    share = min(1.0, 1.2 / max(tall, 1e-6))
    place = (0.1, (1 - share) / 2, 0.1, share)
    bar = ax.figure.colorbar(artist, cax=ax.inset_axes(place, transform=beside(ax)))
    bar.outline.set_visible(False)  # type: ignore[operator]
    bar.ax.tick_params(
        labelsize=colors.size(0.65), length=1.5, width=0.5, color=colors.faint(), labelcolor=colors.ink()
    )
    if isinstance(artist.norm, LogNorm):
        bar.ax.yaxis.set_major_locator(FixedLocator(_log_ticks(artist.norm, 3 if tall > 0.5 else 2)))
        bar.ax.yaxis.set_minor_locator(NullLocator())
    else:
        bar.ax.yaxis.set_major_locator(MaxNLocator(3 if tall > 0.5 else 1))
    bar.ax.yaxis.set_major_formatter(lambda value, _: measure.compact(float(back(np.array(value))) if back else value))


def _log_ticks(norm: LogNorm, count: int) -> list[float]:
    """Give round values, evenly apart; matplotlib's own give none, or collide, where a short bar spans few decades."""
    low, high = float(norm.vmin or 1.0), float(norm.vmax or 10.0)
    decades = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    for steps in ((1,), (1, 2, 5), range(1, 10)):
        inside = [value for e in decades for step in steps if low <= (value := step * 10.0**e) <= high]
        if len(inside) >= count:
            return [inside[round(index)] for index in np.linspace(0, len(inside) - 1, count)]
    return inside or [low, high]


def titled(curves: Sequence[Curve], transform: str = "linear") -> str:
    """Say what curves are and in which units."""
    names = list(dict.fromkeys(curve.long_name for curve in curves if curve.long_name))
    units = list(dict.fromkeys(curve.units for curve in curves if curve.units))
    scale = "" if transform == "linear" else f"{transform} scale"
    return ", ".join(part for part in ("; ".join(names[:3]), "; ".join(units[:2]), scale) if part)
