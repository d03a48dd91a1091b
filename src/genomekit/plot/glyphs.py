"""Letters of any size and number, drawn in one stroke per kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from matplotlib.artist import Artist, allow_rasterization
from matplotlib.colors import to_rgba
from matplotlib.font_manager import FontProperties
from matplotlib.path import Path
from matplotlib.textpath import TextPath

from genomekit.plot.real import Real

READABLE = 3.0  # pixels a base needs to be drawn as a letter; below it is a bar
ZOOMED = 3  # a vector file is looked at closely: its letters may be as small as a point
_BAR = Path([(0, 0), (0, 1), (1, 1), (1, 0), (0, 0)], [1, 2, 2, 2, 79])


@lru_cache(maxsize=64)
def glyph(letter: str, weight: str = "bold") -> Path:
    """Give the outline of a letter, stretched to fill the unit square."""
    outline = TextPath((0, 0), letter, size=1, prop=FontProperties(family="DejaVu Sans", weight=weight))
    box = outline.get_extents()
    low, span = np.array(box.min), np.maximum(box.size, 1e-9)
    if span[0] < 0.25 * span[1]:  # a narrow letter (I) would become a block: it keeps a quarter of the width
        low, span = low - np.array([0.5 * span[1] - span[0] / 2, 0]), np.array([span[1], span[1]])
    # The vertex that closes an outline is a placeholder anywhere.
    return Path(np.clip((np.asarray(outline.vertices) - low) / span, 0, 1), outline.codes)


def stacked(heights: np.ndarray) -> np.ndarray:
    """Give the foot of each letter of a stack: positive ones upwards, negative ones down, the largest outermost.

    Args:
        heights: (position, letter); NaN counts as 0.

    Returns:
        (position, letter), the y that is nearer to zero.

    Example:
        >>> stacked(np.array([[1.0, 3.0, -2.0, -1.0]])).tolist()
        [[0.0, 1.0, -1.0, 0.0]]
    """
    heights = np.nan_to_num(heights)
    order = np.argsort(np.abs(heights), axis=1, kind="stable")
    inner = np.take_along_axis(heights, order, axis=1)
    feet = np.zeros_like(inner)
    for part in (np.clip(inner, 0, None), np.clip(inner, None, 0)):
        before = np.cumsum(part, axis=1) - part
        feet = np.where(part != 0, before, feet)
    result = np.empty_like(feet)
    np.put_along_axis(result, order, feet, axis=1)
    return result


class Letters(Artist):
    """Letters at positions, as high as their values.

    What is drawn depends on the room: letters, bars where a base has fewer than `READABLE` pixels, and where several
    bases share a pixel the one that reaches furthest. Each kind of letter is one path, in every kind of file.

    Args:
        heights: (position, letter).
        alphabet: One letter per column.
        start: Position of the first row, 0-based.
        colors: Letter -> colour.
        flip: Turn letters below zero upside down.
        base: y of the foot of all letters.
        alpha: Opacity from 0 to 1; None is that of the colours.
    """

    def __init__(
        self,
        heights: np.ndarray,
        alphabet: Sequence[str],
        start: int,
        colors: Mapping[str, str],
        *,
        flip: bool = True,
        base: Real = 0.0,
        alpha: Real | None = None,
    ) -> None:
        super().__init__()
        self.heights, self.alphabet, self.start = np.asarray(heights, float), tuple(alphabet), start
        self.colors, self.flip, self.base = colors, flip, base
        self.set_alpha(alpha)
        self.set_zorder(2)  # highlights lie behind: shading would change the colours of the bases

    def paths(self, columns: Real) -> dict[str, Path]:
        """Give one path per letter, in data coordinates, for what the axes show.

        Args:
            columns: Pixels across the axes.
        """
        ax = self.axes
        assert ax is not None
        left, right = ax.get_xlim()
        turned = left > right
        low, high = min(left, right), max(left, right)
        first = max(int(np.floor(low)) - self.start, 0)
        last = min(int(np.ceil(high)) - self.start, len(self.heights))
        if last <= first:
            return {}
        per_base = columns / max(high - low, 1e-9)
        rows, widths = np.arange(first, last), np.ones(last - first)
        if per_base < 0.5:
            rows, widths = _furthest(self.heights, first, last, max(int(columns), 1))
        heights = np.nan_to_num(self.heights[rows])
        feet = stacked(heights)
        letters = per_base >= READABLE
        margin = 0.04 if letters else 0.0
        made = {}
        for column, letter in enumerate(self.alphabet):
            here = np.flatnonzero(heights[:, column])
            if not len(here):
                continue
            outline = glyph(letter) if letters else _BAR
            points, codes = np.asarray(outline.vertices), np.asarray(outline.codes)
            across = margin + points[:, 0] * (1 - 2 * margin)
            # An axis that runs from right to left would show letters in a mirror.
            across = 1 - across if turned else across
            x = self.start + rows[here, None] + across * widths[here, None]
            size, foot = heights[here, column], feet[here, column]
            if self.flip:
                y = self.base + foot[:, None] + points[:, 1] * size[:, None]
            else:
                y = self.base + np.minimum(foot, foot + size)[:, None] + points[:, 1] * np.abs(size)[:, None]
            vertices = np.stack([x, y], axis=-1).reshape(-1, 2)
            made[letter] = Path(vertices, np.tile(codes, len(here)))
        return made

    @allow_rasterization
    def draw(self, renderer: Any) -> None:
        """Draw what is in view."""
        if not self.get_visible() or self.axes is None:
            return
        columns = self.axes.bbox.width * (1 if hasattr(renderer, "buffer_rgba") else ZOOMED)
        renderer.open_group("letters")
        for letter, path in self.paths(columns).items():
            context = renderer.new_gc()
            self._set_gc_clip(context)  # type: ignore[attr-defined]
            color = to_rgba(self.colors.get(letter, "#8C8C8C"), self.get_alpha())
            context.set_linewidth(0)
            context.set_alpha(color[3])
            renderer.draw_path(context, path, self.axes.transData, color)
            context.restore()
        renderer.close_group("letters")
        self.stale = False


def _furthest(heights: np.ndarray, first: int, last: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Give for each of `count` columns the row with the largest sum of sizes, and the width of the column."""
    reach = np.abs(np.nan_to_num(heights[first:last])).sum(axis=1)
    edges = np.arange(count + 1) * len(reach) // count
    widths = np.diff(edges)
    padded = np.full((count, int(widths.max())), -1.0)
    padded[np.arange(padded.shape[1]) < widths[:, None]] = reach
    return first + edges[:-1] + padded.argmax(axis=1), widths.astype(float)
