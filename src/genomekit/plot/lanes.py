"""Lanes: curves stacked inside one panel, each with a scale of its own and its name at the left."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import blended_transform_factory

from genomekit.errors import unknown
from genomekit.genome.interval import Interval
from genomekit.plot import colors, measure
from genomekit.plot.columns import in_view
from genomekit.plot.curves import Curve
from genomekit.plot.real import Real

Values = Callable[[np.ndarray], np.ndarray]
# Name -> (to the scale, back). Both keep signs, so minus strands and differences can take them too.
TRANSFORMS: dict[str, tuple[Values, Values]] = {
    "linear": (lambda v: v, lambda v: v),
    "log1p": (lambda v: np.sign(v) * np.log1p(np.abs(v)), lambda v: np.sign(v) * np.expm1(np.abs(v))),
    "sqrt": (lambda v: np.sign(v) * np.sqrt(np.abs(v)), lambda v: np.sign(v) * np.square(v)),
}
LABEL_GID = "genomekit-label"  # marks the names at the left, for the figure to make room
LABEL_INCHES = 1.45
GAP = 0.14  # share of a lane left free above its curve
Scale = str | tuple[Real, Real]


@dataclass(eq=False)
class Lane:
    """One strip of a panel: its curves and how their values become y."""

    label: str
    curves: list[Curve]
    mirrored: bool = False
    """The minus strand hangs below the plus strand."""
    low: Real = 0.0
    high: Real = 1.0
    base: Real = 0.0
    gain: Real = 1.0
    empty: bool = False
    transform: str = "linear"

    def sign(self, curve: Curve) -> int:
        """-1 for a curve that hangs."""
        return -1 if self.mirrored and curve.strand == "-" else 1

    def y(self, values: np.ndarray, sign: int = 1) -> np.ndarray:
        """Give the y of values."""
        scaled = TRANSFORMS[self.transform][0](sign * np.asarray(values, float))
        return np.asarray(self.base + (scaled - self.low) * self.gain)

    def at(self, value: Real) -> float:
        """Give the y of one value."""
        return float(self.y(np.asarray(value)))


def paired(curves: Sequence[Curve], strands: str, template: str) -> list[Lane]:
    """Put the two strands of one track into one lane.

    Args:
        curves: All of them.
        strands: "auto" pairs what comes in pairs, "mirror" asks for it, "separate" never does.
        template: Text of the labels, with columns in braces.

    Raises:
        ValueError: An unknown choice, or no strands to mirror.
    """
    if strands not in ("auto", "mirror", "separate"):
        raise unknown("strands", strands, ("auto", "mirror", "separate"))
    if strands == "mirror" and not any(curve.strand in ("+", "-") for curve in curves):
        raise ValueError(
            f"strands='mirror', but {curves[0].long_name or curves[0].label} has no stranded track; leave strands out."
        )
    groups: dict[tuple[str, str], list[Curve]] = {}
    for number, curve in enumerate(curves):
        alone = strands == "separate" or curve.strand not in ("+", "-")
        # Two files may share a name; only strands are ever put together.
        key = (curve.long_name, f"{number}" if alone else _stem(curve))
        groups.setdefault(key, []).append(curve)
    lanes = []
    for members in groups.values():
        both = {"+", "-"} <= {curve.strand for curve in members} and len(members) == 2
        for part in [members] if both else [[curve] for curve in members]:
            label = part[0].written(template)
            lanes.append(Lane(_stem(part[0], label) if both else label, list(part), mirrored=both))
    return lanes


def _stem(curve: Curve, label: str | None = None) -> str:
    text = curve.label if label is None else label
    sign = f" {curve.strand}"
    return "" if text == curve.strand else text.replace(sign, "", 1)  # two files with no name but their strands


def set_scales(lanes: Sequence[Lane], region: Interval, scale: Scale, transform: str, *, zero: bool = True) -> None:
    """Find the limits of every lane from what the region shows.

    Args:
        lanes: Changed in place.
        region: Part that counts.
        scale: "free" gives each lane its own limits, "shared" all the widest, (low, high) sets them.
        transform: One of `TRANSFORMS`.
        zero: Limits hold 0.

    Raises:
        ValueError: An unknown scale or transform, or limits in the wrong order.
    """
    if transform not in TRANSFORMS:
        raise unknown("transform", transform, TRANSFORMS)
    fixed = not isinstance(scale, str)
    if not fixed and scale not in ("free", "shared"):
        raise unknown("scale", scale, ("free", "shared", "(low, high)"))
    if fixed and (len(scale) != 2 or not float(scale[0]) < float(scale[1])):
        raise ValueError(f"scale={scale!r}; give (low, high) with low < high, 'free' or 'shared'.")
    for lane in lanes:
        lows, highs = zip(*(_extremes(curve, region, lane.sign(curve)) for curve in lane.curves), strict=True)
        low, high = np.nanmin([*lows, np.inf]), np.nanmax([*highs, -np.inf])
        lane.empty, lane.transform = bool(low > high), transform
        lane.low, lane.high = (0.0, 1.0) if lane.empty else (float(low), float(high))
        if zero:
            lane.low, lane.high = min(lane.low, 0.0), max(lane.high, 0.0)
    known = [lane for lane in lanes if not lane.empty]
    forward = TRANSFORMS[transform][0]
    for lane in lanes:
        if fixed:
            lane.low, lane.high = float(scale[0]), float(scale[1])
        elif scale == "shared" and known:
            lane.low, lane.high = min(x.low for x in known), max(x.high for x in known)
    for index, lane in enumerate(lanes):
        if lane.high == lane.low:
            lane.high = lane.low + 1
        lane.low, lane.high = (float(forward(np.array(value))) for value in (lane.low, lane.high))
        if len(lanes) == 1:
            lane.base, lane.gain = lane.low, 1.0  # one lane keeps real y values
        else:
            settle(lane, len(lanes) - 1 - index)


def settle(lane: Lane, bottom: Real) -> None:
    """Put a lane between `bottom` and 1 above it, with room above, and below too where values hang."""
    room = 0.3 if lane.low < 0 else GAP
    lane.base = bottom + (room / 2 if lane.low < 0 else 0.03)
    lane.gain = (1 - room) / (lane.high - lane.low)


def _extremes(curve: Curve, region: Interval, sign: int) -> tuple[Real, Real]:
    _, low, high = in_view(curve, (region.start, region.end, 1024))
    known = ~np.isnan(high)
    if not known.any():
        return np.nan, np.nan
    ends = sign * float(low[known].min()), sign * float(high[known].max())
    return min(ends), max(ends)


def finish(ax: Axes, lanes: Sequence[Lane]) -> None:
    """Set limits, ticks and names of the lanes."""
    only = lanes[0] if len(lanes) == 1 else None
    ax.spines["left"].set_visible(only is not None)
    if only is not None:
        room = GAP * (only.high - only.low)
        ax.set_ylim(only.low - (room if only.low < 0 else 0), only.high + room)
    else:
        ax.set_ylim(0, len(lanes))
    inches = ax.bbox.height / ax.figure.dpi / len(lanes)
    places, texts = [], []
    for lane in lanes:
        for value in [] if lane.empty else _ticks(lane, inches):
            places.append(lane.at(value))
            texts.append(measure.compact(abs(value) if lane.mirrored else value))
    ax.set_yticks(places, texts)
    points = colors.size()
    offset = max((measure.text_width(text, points) for text in texts), default=0.0) * 72 + 11
    lines = max(int(inches * 72 / (points * 1.25)), 1)
    for lane in lanes:
        middle = float(np.mean(ax.get_ylim())) if only else lane.base + (lane.high - lane.low) * lane.gain / 2
        name_at_left(ax, lane.label, middle, offset, lines)
        if lane.empty:
            ax.text(0.5, middle, "no data here", transform=blended_transform_factory(ax.transAxes, ax.transData),
                    ha="center", va="center", fontsize=points, style="italic", color=colors.faint(0.7))  # fmt: skip


def name_at_left(ax: Axes, label: str, y: Real, offset: Real, lines: int = 2) -> None:
    """Write a name beside the y axis, wrapped and cut to fit."""
    if not label:
        return
    points = colors.size(0.75)
    ax.annotate(measure.fit(label, points, LABEL_INCHES, min(lines, 3)), (0, y), (-offset, 0),
                xycoords=ax.get_yaxis_transform(), textcoords="offset points", ha="right", va="center",
                fontsize=points, color=colors.ink(), annotation_clip=False, gid=LABEL_GID,
                linespacing=1.1, parse_math=False)  # fmt: skip


def _ticks(lane: Lane, inches: Real) -> list[Real]:
    """Give values worth a tick: as many as the height has room for."""
    back = TRANSFORMS[lane.transform][1]
    low, high = (float(back(np.array(value))) for value in (lane.low, lane.high))
    count = 3 if inches > 0.9 else 2
    if lane.transform != "linear":
        found = _spaced(low, high, lane, count)
    else:
        found = MaxNLocator(count, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    inside = [float(value) for value in found if low - 1e-9 <= value <= high + 1e-9 * abs(high)]
    if inches < 0.14:
        return []
    if inches < 0.42:
        ends = [value for value in (inside[0], inside[-1]) if value] if inside else []
        return sorted(ends, key=abs)[-1:]
    return inside


def _spaced(low: Real, high: Real, lane: Lane, count: int) -> list[Real]:
    """Give round values that lie evenly on a transformed scale."""
    back = TRANSFORMS[lane.transform][1]
    even = back(np.linspace(lane.low, lane.high, count + 1))
    rounded = [float(f"{value:.1g}") for value in even]
    return sorted({value for value in [0.0, *rounded] if low - 1e-9 <= value <= high * (1 + 1e-9)})
