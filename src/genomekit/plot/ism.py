"""IsmHeatmap: the effect of every substitution, four rows of colour with the reference marked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.artist import allow_rasterization
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.lines import Line2D

from genomekit.genome.interval import Interval
from genomekit.plot import colors
from genomekit.plot.columns import CurveImage
from genomekit.plot.curves import Curve
from genomekit.plot.panel import Extent, Panel, message
from genomekit.plot.real import Real
from genomekit.plot.tracks import color_bar
from genomekit.plot.weights import Weights, node_of, weights_of

ROOM = 5.0  # points a base needs for its reference to be marked


@dataclass(eq=False)
class IsmHeatmap(Panel):
    """Effects of all substitutions: one row per base, blue below and red above zero, a dot at the reference base.

    Effects without a sign, such as the largest change of a splice site, have one colour.

    Args:
        data: Mutagenesis (`Model.ism`).
        track: Track to draw; None draws the first, and the title says how many there are.
        limits: Largest effect the colours tell apart, one number; default is the largest shown.
        cmap: Colour map; default is a diverging one, or its upper half for effects without a sign.
        mark: Mark the reference.
        artist: Keywords for the picture (AxesImage).

    Raises:
        ValueError: When drawn: data without effects, an unknown track, or a limit that is not positive.
    """

    data: Any
    _: KW_ONLY
    track: str | None = None
    limits: Real | None = None
    cmap: Any = None
    mark: bool = True
    artist: Mapping[str, Any] = field(default_factory=dict)

    def _weights(self) -> Weights:
        data = node_of(self.data)
        if not (isinstance(data, xr.Dataset) and "effect" in data):
            raise ValueError(f"{type(self.data).__name__} holds no `effect`; give what Model.ism returns.")
        return weights_of(data, 0, track=self.track, convention=None)

    def extent(self) -> Extent | None:
        """Say where the data lie."""
        return self._weights().place

    def inches(self, width: Real, region: Interval) -> Real:
        """Four low rows."""
        return self.height or 0.62

    def _draw(self, ax: Axes, region: Interval) -> str:
        weights = self._weights()
        count = len(weights.alphabet)
        place = weights.place or Extent("", weights.start, weights.start + len(weights.values))
        rows = [Curve(base, weights.values[:, i], weights.start, 1, place) for i, base in enumerate(weights.alphabet)]
        part = np.concatenate([row.inside(region) for row in rows])
        known = np.abs(part[np.isfinite(part)])
        if self.limits is not None and self.limits <= 0:
            raise ValueError(f"limits={self.limits}; give the largest effect, above 0.")
        limit = self.limits or float(known.max(initial=0.0)) or 1.0
        ax.set(ylim=(0, count))
        ax.set_yticks(np.arange(count) + 0.5, list(reversed(weights.alphabet)))
        ax.tick_params(axis="y", length=0, pad=2)
        ax.spines["left"].set_visible(False)
        if not len(known):
            message(ax, "no data here")
            return weights.label
        lowest, cmap = (-limit, colors.diverging()) if weights.signed else (0.0, colors.rising())
        style = {"cmap": self.cmap or cmap, "norm": Normalize(lowest, limit), "rasterized": True}
        image = CurveImage(ax, rows, 0.0, lambda values: values, **{**style, **self.artist})
        image.set_clip_path(ax.patch)
        ax.add_image(image)
        image.look()
        if self.mark and weights.letters:
            known_letters = [letter if letter in weights.alphabet else "" for letter in weights.letters]
            marks = _Marks(known_letters, weights.alphabet, weights.start)
            marks.set_clip_path(ax.patch)
            ax.add_artist(marks)
        color_bar(ax, image)
        return ", ".join(part for part in (weights.label, "effect of each substitution") if part)


class _Marks(Line2D):
    """Dots on the reference bases, where there is room for them."""

    def __init__(self, letters: list[str], alphabet: tuple[str, ...], start: int) -> None:
        rows = {letter: len(alphabet) - index - 0.5 for index, letter in enumerate(alphabet)}
        at = [index for index, letter in enumerate(letters) if letter]
        x, y = [start + index + 0.5 for index in at], [rows[letters[index]] for index in at]
        super().__init__(x, y, linestyle="none", marker="o", color=colors.ink(), markersize=1.8, markeredgewidth=0)

    @allow_rasterization
    def draw(self, renderer: Any) -> None:
        """Draw the dots."""
        ax = self.axes
        assert ax is not None
        points = ax.bbox.width / ax.figure.dpi * 72 / abs(ax.get_xlim()[1] - ax.get_xlim()[0])
        if points >= ROOM:
            super().draw(renderer)
