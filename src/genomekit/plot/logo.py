"""Logo: letters as high as what they contribute."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from genomekit.contribution import CONVENTIONS
from genomekit.genome.interval import Interval
from genomekit.plot import colors, measure
from genomekit.plot.glyphs import Letters
from genomekit.plot.panel import Extent, Panel, message
from genomekit.plot.real import Real
from genomekit.plot.weights import Weights, letter_colors, node_of, weights_of


@dataclass(eq=False)
class Logo(Panel):
    """Letters along the genome, negative ones upside down, the largest of a position outermost.

    Args:
        data: Mutagenesis (`Model.ism`), contributions (`.gk.contribution()`), or a table with one column per letter.
        track: Track to draw; None draws the first, and its name says how many there are.
        convention: What mutagenesis is turned into: "alphagenome" (the default), "mean4" or "raw"; it is named on the
            axis. Contributions and tables are drawn as they are.
        scheme: "colorblind" (A green, C blue, G orange, T vermillion, told apart with every kind of colour vision),
            "classic" (those of the first logos), or letter -> colour.
        limits: (low, high) of the y axis; give several logos the same to compare them.
        start: Position of the first row of a table without positions, 0-based.
        flip: Turn letters below zero upside down.
        alpha: Opacity.

    Raises:
        ValueError: When drawn: data without letters, an unknown track, convention or scheme, limits in the wrong order.

    Example:
        >>> import pandas as pd
        >>> from matplotlib.figure import Figure
        >>> table = pd.DataFrame({"T": [0.2, 0.0], "G": [0.0, 1.5], "A": [0.3, -0.5]})
        >>> ax = Logo(table, start=10).draw(Figure().add_subplot())
        >>> [round(float(limit), 2) for limit in (*ax.get_xlim(), *ax.get_ylim())]
        [10.0, 12.0, -0.6, 1.6]
    """

    data: Any
    _: KW_ONLY
    track: str | None = None
    convention: str | None = None
    scheme: str | Mapping[str, str] = "colorblind"
    limits: tuple[Real, Real] | None = None
    start: int = 0
    flip: bool = True
    alpha: Real | None = None

    def _weights(self) -> Weights:
        data = node_of(self.data)
        made = isinstance(data, xr.Dataset) and "effect" in data  # mutagenesis; all else is drawn as it is
        if not made and self.convention not in (None, getattr(data, "attrs", {}).get("convention")):
            raise ValueError(
                f"convention={self.convention!r} says what mutagenesis (Model.ism) is turned into; "
                f"{type(data).__name__} is drawn as it is. Leave convention out."
            )
        return weights_of(data, self.start, track=self.track, convention=self.convention or CONVENTIONS[0])

    def extent(self) -> Extent | None:
        """Say where the data lie."""
        return self._weights().place

    def inches(self, width: Real, region: Interval) -> Real:
        """Letters need some height."""
        return self.height or 1.0

    def _draw(self, ax: Axes, region: Interval) -> str:
        weights = self._weights()
        part = weights.values[max(region.start - weights.start, 0) : max(region.end - weights.start, 0)]
        self._limit(ax, part)
        letters = Letters(
            weights.values,
            weights.alphabet,
            weights.start,
            letter_colors(self.scheme, weights.alphabet),
            flip=self.flip,
            alpha=self.alpha,
        )
        letters.set_clip_path(ax.patch)
        ax.add_artist(letters)
        ax.hlines(0, *self._within(region), color=colors.faint(), linewidth=0.6, zorder=0)
        ax.yaxis.set_major_locator(MaxNLocator(3))
        ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: measure.compact(value)))
        ax.set_ylabel(weights.axis, fontsize=colors.size(), color=colors.ink())
        if not np.isfinite(part).any():
            message(ax, "no data here")
        return weights.label

    def _limit(self, ax: Axes, part: np.ndarray) -> None:
        if self.limits is not None:
            if not self.limits[0] < self.limits[1]:
                raise ValueError(f"limits={self.limits}; give (low, high) with low < high.")
            ax.set_ylim(*self.limits)
            return
        low = float(np.clip(np.nan_to_num(part), None, 0).sum(axis=1).min(initial=0.0))
        high = float(np.clip(np.nan_to_num(part), 0, None).sum(axis=1).max(initial=0.0))
        if low == high:
            high = 1.0
        room = 0.05 * (high - low)
        ax.set_ylim(low - (room if low < 0 else 0), high + (room if high > 0 else 0))
