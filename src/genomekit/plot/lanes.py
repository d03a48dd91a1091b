"""Lanes: curves stacked inside one panel, each with a scale of its own and its name at the left."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

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
    spans: list[tuple[Real, Real]] = field(default_factory=list)
    """Where in the region there are values, bp."""

    @property
    def strand(self) -> str:
        """'+' or '-' of a lane that shows one strand, else '.'."""
        return "." if self.mirrored else self.curves[0].strand

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
    name_strands(lanes)
    return lanes


def name_strands(lanes: Sequence[Lane]) -> None:
    """Add the strand to names that two lanes of different strands share: a template may not say it."""
    told: dict[str, set[str]] = {}
    for lane in lanes:
        told.setdefault(lane.label, set()).add(lane.strand)
    for lane in lanes:
        if lane.label and lane.strand in ("+", "-") and len(told[lane.label]) > 1:
            lane.label += f" {lane.strand}"


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
    if isinstance(scale, str) and scale not in ("free", "shared"):
        raise unknown("scale", scale, ("free", "shared", "(low, high)"))
    fixed = not isinstance(scale, str)
    if fixed and (np.shape(scale) != (2,) or not float(scale[0]) < float(scale[1])):
        raise ValueError(f"scale={scale!r}; give (low, high) with low < high, 'free' or 'shared'.")
    for lane in lanes:
        ends = [end for curve in lane.curves for end in _look(lane, curve, region)]
        lane.empty, lane.transform = not ends, transform
        lane.low, lane.high = min(ends, default=0.0), max(ends, default=1.0)
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


def _look(lane: Lane, curve: Curve, region: Interval) -> list[float]:
    """Note where a curve has values in the region; return the lowest and the highest of them, if any."""
    edges, low, high = in_view(curve, (region.start, region.end, 1024))
    known = ~np.isnan(high)
    turns = np.flatnonzero(np.diff(np.r_[False, known, False]))
    lane.spans += [(float(edges[a]), float(edges[b])) for a, b in zip(turns[::2], turns[1::2], strict=True)]
    return [lane.sign(curve) * float(end) for end in (low[known].min(), high[known].max())] if known.any() else []


def finish(ax: Axes, lanes: Sequence[Lane]) -> None:
    """Set limits, ticks and names of the lanes."""
    name_strands(lanes)
    only = lanes[0] if len(lanes) == 1 else None
    ax.spines["left"].set_visible(only is not None)
    if only is not None:
        room = GAP * (only.high - only.low)
        ax.set_ylim(only.low - (room if only.low < 0 else 0), only.high + room)
    else:
        ax.set_ylim(0, len(lanes))
    inches = ax.bbox.height / ax.figure.dpi / len(lanes)
    points = colors.size()
    wanted = [(lane, value) for lane in lanes if not lane.empty for value in _ticks(lane, inches)]
    places, texts = [], []
    least = points * 0.95 / 72 * float(np.ptp(ax.get_ylim())) / (inches * len(lanes))
    # Sizes first: they tell more than the zero, which has a line of its own; last what would lie on that.
    rank = {True: 2, False: 0}
    for lane, value in sorted(wanted, key=lambda w: rank[abs(w[0].at(w[1]) - w[0].at(0)) < least] if w[1] else 1):
        at = lane.at(value)
        if all(abs(at - other) >= least for other in places):
            places.append(at)
            texts.append(measure.compact(abs(value) if lane.mirrored else value))
    order = np.argsort(places, kind="stable")
    ax.set_yticks([places[i] for i in order], [texts[i] for i in order])
    offset = max((measure.text_width(text, points) for text in texts), default=0.0) * 72 + 11
    lines = max(int(inches * 72 / (points * 1.25)), 1)
    for lane in lanes:
        middle = float(np.mean(ax.get_ylim())) if only else lane.base + (lane.high - lane.low) * lane.gain / 2
        name_at_left(ax, lane.label, middle, offset, lines)
        if lane.empty:
            ax.text(0.5, middle, "no data here", transform=blended_transform_factory(ax.transAxes, ax.transData),
                    ha="center", va="center", fontsize=points, style="italic", color=colors.faint(0.7))  # fmt: skip


def name_at_left(ax: Axes, label: str, y: Real, offset: Real, lines: int = 2, color: str | None = None) -> None:
    """Write a name beside the y axis, wrapped and cut to fit."""
    if not label:
        return
    points = colors.size(0.75)
    # A narrow figure is for what it shows.
    room = min(LABEL_INCHES, max(0.22 * ax.figure.bbox.width / ax.figure.dpi, 0.7))
    ax.annotate(measure.fit(label, points, room, min(lines, 3)), (0, y), (-offset, 0),
                xycoords=ax.get_yaxis_transform(), textcoords="offset points", ha="right", va="center",
                fontsize=points, color=color or colors.ink(), annotation_clip=False, gid=LABEL_GID,
                linespacing=1.1, parse_math=False)  # fmt: skip


def _ticks(lane: Lane, inches: Real) -> list[Real]:
    """Give values worth a tick: as many as the height has room for."""
    if inches < 0.14:
        return []
    back = TRANSFORMS[lane.transform][1]
    low, high = (float(back(np.array(value))) for value in (lane.low, lane.high))
    count = 3 if inches > 0.9 else 2
    if lane.transform != "linear":
        found = _spaced(lane, count)
    else:
        found = MaxNLocator(count, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    inside = [float(value) for value in found if low - 1e-9 * abs(low) <= value <= high + 1e-9 * abs(high)]
    if inches < 0.42:
        ends = [value for value in (inside[0], inside[-1]) if value] if inside else []
        return sorted(ends, key=abs)[-1:]
    return inside


def _spaced(lane: Lane, count: int) -> list[Real]:
    """Give values of one digit that lie about evenly on a transformed scale, on both sides of zero."""
    back = TRANSFORMS[lane.transform][1]
    found = {0.0}
    for end in (lane.low, lane.high):
        parts = max(round(count * abs(end) / (lane.high - lane.low)), 1)
        found |= {_one_digit(float(back(np.array(end * part / parts)))) for part in range(1, parts + 1)}
    return sorted(found)


def _one_digit(value: Real) -> float:
    """Round towards zero, so that what is inside the limits stays there."""
    if not value:
        return 0.0
    unit = 10.0 ** np.floor(np.log10(abs(value)) + 1e-9)
    return float(f"{np.copysign(np.floor(abs(value) / unit + 1e-6) * unit, value):.1g}")
