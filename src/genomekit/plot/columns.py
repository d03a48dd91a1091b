"""Curves reduced to the pixel columns they cover, each time they are drawn.

An artist of this module looks at its axes when it is drawn: the part in view and the real width in pixels, at the
resolution of the screen or of the file. It then keeps the lowest and the highest value of every pixel column, so no
peak is lost, a zoom shows more, and a million bases cost no more than a thousand.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.artist import allow_rasterization
from matplotlib.collections import PolyCollection
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D

from genomekit.errors import unknown
from genomekit.plot.curves import Curve
from genomekit.plot.real import Real

AGGREGATES = ("minmax", "mean", "max")
VECTOR = 2  # columns per point of a vector file, which has no pixels: 144 an inch
HAIR, SPARSE = 0.6, 0.1  # points of the outline of lone bins; share of the columns up to which bins are lone
SEEN = 0.5  # pixels of height from which a bin is one of them
View = tuple[Real, Real, int]


def reduce_columns(values: np.ndarray, count: int, how: str = "minmax") -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Reduce values to columns, NaN left out.

    Args:
        values: (bin,) or (bin, track).
        count: Columns; where there are fewer bins than twice that, bins are kept as they are.
        how: "minmax" keeps the lowest and the highest value, "mean" and "max" one of each column.

    Returns:
        The first bin of each column and the last one's end (column + 1,), lowest and highest values (column, ...).

    Example:
        >>> edges, low, high = reduce_columns(np.array([1.0, 5.0, 2.0, -3.0, 0.0, 0.0]), 2)
        >>> edges.tolist(), low.tolist(), high.tolist()
        ([0, 3, 6], [1.0, -3.0], [5.0, 0.0])
    """
    if how not in AGGREGATES:
        raise unknown("aggregate", how, AGGREGATES)
    if len(values) <= 2 * count:
        return np.arange(len(values) + 1), values, values
    edges = np.arange(count + 1) * len(values) // count
    if how == "mean":
        known = ~np.isnan(values)
        total = np.add.reduceat(np.where(known, values, 0), edges[:-1], axis=0, dtype=np.float64)
        number = np.add.reduceat(known, edges[:-1], axis=0, dtype=np.int64)
        mean = np.where(number > 0, total / np.maximum(number, 1), np.nan)
        return edges, mean, mean
    high = np.fmax.reduceat(values, edges[:-1], axis=0)
    return edges, (high if how == "max" else np.fmin.reduceat(values, edges[:-1], axis=0)), high


def in_view(curve: Curve, view: View, how: str = "minmax") -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Reduce what a view shows of a curve: edges of the columns, bp, with their lowest and highest values."""
    left, right, count = min(view[:2]), max(view[:2]), view[2]
    first = max(int((left - curve.start) // curve.step) - 1, 0)
    last = min(int(-(-(right - curve.start) // curve.step)) + 1, len(curve.values))
    # Only what is shown shares out the columns, so a bin in view never competes with one outside.
    edges, low, high = reduce_columns(curve.values[first : max(last, first)], count, how)
    return curve.start + (first + edges) * curve.step, low, high


class _Follows(ABC):
    """Notes what the axes show, and reads the data again where that has changed."""

    _shown: tuple[Real, ...] | None = None

    def look(self, renderer: Any = None) -> None:
        """Bring the artist up to date; without a renderer for the screen."""
        axes = self.axes  # type: ignore[attr-defined]
        pixels = max(round(axes.bbox.width), 1)
        if renderer is not None and not hasattr(renderer, "buffer_rgba"):
            pixels *= VECTOR
        view = (*axes.get_xlim(), pixels)
        shown = (*view, *axes.get_ylim(), axes.bbox.height)
        if shown != self._shown:
            self._shown = shown
            self.see(view)

    @abstractmethod
    def see(self, view: View) -> None:
        """Read the data for a view."""


class CurveFill(_Follows, PolyCollection):
    """The area between a curve and a baseline; one of lone narrow bins is outlined, or these would fade away.

    Args:
        curve: The numbers.
        to_y: Values -> y of the axes.
        base: Value the area starts from; None fills from the lowest to the highest value of each column only.
        how: How columns are made.
        **style: As of a PolyCollection.
    """

    def __init__(
        self,
        curve: Curve,
        to_y: Callable[[np.ndarray], np.ndarray],
        base: Real = 0.0,
        how: str = "minmax",
        **style: Any,
    ) -> None:
        super().__init__([], **{"linewidth": 0, **style})
        self.curve, self._to_y, self._base, self._how = curve, to_y, base, how
        self._own_width = not {"linewidth", "linewidths", "lw"} & set(style)

    def see(self, view: View) -> None:
        """Make the polygons, one for each stretch without missing values."""
        edges, low, high = in_view(self.curve, view, self._how)
        base = self._to_y(np.array([self._base]))[0]
        bounds = self._to_y(low), self._to_y(high)
        bottom, top = np.minimum(np.minimum(*bounds), base), np.maximum(np.maximum(*bounds), base)
        known = ~np.isnan(bottom)
        if self._own_width:
            seen = np.nan_to_num(top - bottom) > SEEN * self._pixel()
            alone = len(low) > view[2] / 2 and 0 < seen.sum() < SPARSE * len(low)  # less than two pixels a bin
            self.set_linewidth(HAIR if alone else 0.0)
            self.set_snap(False if alone else None)  # or some would be twice as wide as others
            known &= seen | (not alone)
        turns = np.flatnonzero(np.diff(np.r_[False, known, False]))
        self.set_verts([
            _area(edges[a : b + 1], bottom[a:b], top[a:b], float(base))
            for a, b in zip(turns[::2], turns[1::2], strict=True)
        ])  # fmt: skip

    def _pixel(self) -> float:
        """Give the height of a pixel in y."""
        axes = self.axes
        assert axes is not None
        return float(abs(np.ptp(axes.get_ylim()))) / max(axes.bbox.height, 1.0)

    @allow_rasterization
    def draw(self, renderer: Any) -> None:
        """Draw what is in view."""
        self.look(renderer)
        super().draw(renderer)


def _area(edges: np.ndarray, bottom: np.ndarray, top: np.ndarray, base: Real) -> np.ndarray:
    """Give the corners: every bin or column has a flat top."""
    x = np.repeat(edges, 2)[1:-1]
    bottom, top = np.repeat(bottom, 2), np.repeat(top, 2)
    sides = [np.column_stack([x, top]), np.column_stack([x[::-1], bottom[::-1]])]
    # Where nothing lies on one side of the baseline, that side is one line: half the corners.
    if (bottom == base).all():
        sides[1] = np.array([[x[-1], base], [x[0], base]])
    elif (top == base).all():
        sides[0] = np.array([[x[0], base], [x[-1], base]])
    return np.concatenate(sides)


class CurveLine(_Follows, Line2D):
    """A curve as a line; where bins are narrower than pixels it runs between lowest and highest values."""

    def __init__(
        self, curve: Curve, to_y: Callable[[np.ndarray], np.ndarray], how: str = "minmax", **style: Any
    ) -> None:
        super().__init__([], [], **{"linewidth": 0.8, "solid_joinstyle": "round", **style})
        self.curve, self._to_y, self._how = curve, to_y, how

    def see(self, view: View) -> None:
        """Set the points."""
        edges, low, high = in_view(self.curve, view, self._how)
        if low is high:
            x, y = np.repeat(edges, 2)[1:-1], np.repeat(low, 2)
        elif self._how == "minmax":
            x = np.repeat((edges[:-1] + edges[1:]) / 2, 2)
            y = np.column_stack([low, high])
            y[1::2] = y[1::2, ::-1]  # up in one column, down in the next: half the ink of a zigzag
            y = y.ravel()
        else:
            x, y = (edges[:-1] + edges[1:]) / 2, high
        self.set_data(x, self._to_y(y))

    @allow_rasterization
    def draw(self, renderer: Any) -> None:
        """Draw what is in view."""
        self.look(renderer)
        super().draw(renderer)


class CurveImage(_Follows, AxesImage):
    """Curves as rows of colour, the first on top; of each column the value furthest from 0 is shown.

    Args:
        ax: Axes it lies in.
        curves: One per row, all with the same bins.
        bottom: y of the lower edge; rows are 1 high.
        transform_values: Applied to the values before they become colours.
        **style: As of an AxesImage.
    """

    def __init__(
        self,
        ax: Any,
        curves: list[Curve],
        bottom: Real,
        transform_values: Callable[[np.ndarray], np.ndarray],
        **style: Any,
    ) -> None:
        super().__init__(ax, **{"interpolation": "nearest", "origin": "upper", "zorder": 1, **style})
        self.curves, self._bottom, self._change = curves, bottom, transform_values
        self.set_data(np.full((1, 1), np.nan))

    def see(self, view: View) -> None:
        """Set the picture and the stretch it covers."""
        rows = []
        edges = np.zeros(2)
        # A bin narrower than a pixel may fall between two of them, and its peak with it.
        whole = (view[0], view[1], max(view[2] // 2, 1))
        for curve in self.curves:
            edges, low, high = in_view(curve, whole)
            low, high = np.asarray(low, float), np.asarray(high, float)
            rows.append(np.where(np.abs(high) >= np.abs(low), high, low) if low is not high else high)
        if len(edges) < 2:
            return
        # Columns differ by a bin at most, less than a pixel; the picture treats them as equal.
        self.set_data(self._change(np.vstack(rows)))
        self.set_extent((float(edges[0]), float(edges[-1]), self._bottom, self._bottom + len(rows)))

    @allow_rasterization
    def draw(self, renderer: Any) -> None:
        """Draw what is in view."""
        self.look(renderer)
        super().draw(renderer)
