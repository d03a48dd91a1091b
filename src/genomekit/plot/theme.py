"""The look of figures, for as long as a `with` block lasts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from cycler import cycler
from matplotlib import rc_context

from genomekit.errors import unknown
from genomekit.plot.colors import DARK_PALETTE, PALETTE
from genomekit.plot.real import Real

_DARK = "#111418"
_LIGHT_INK = "#E8E8E8"
STYLES: dict[str, dict[str, Any]] = {
    "light": {},
    "dark": {
        "figure.facecolor": _DARK,
        "savefig.facecolor": _DARK,
        "axes.facecolor": _DARK,
        **dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), _LIGHT_INK),
    },
}


@contextmanager
def theme(
    style: str = "light",
    *,
    font_size: Real = 10.0,
    font: str | None = None,
    palette: Sequence[str] | None = None,
    **settings: Any,
) -> Iterator[None]:
    """Set the look of the figures made inside the block; afterwards everything is as it was.

    Panels read the settings when they draw, so matplotlib's own `rc_context` and style sheets work just as well.

    Args:
        style: "light" or "dark".
        font_size: Points; every text is a fixed share of it, the title 0.95, ticks 0.7, the smallest 0.6. 10 suits a
            screen and a page 10 inches wide, 8 gives the 5 to 8 points of a printed column.
        font: Font family, such as "Arial".
        palette: Colours of categories, in order; default is the colour-blind-safe Okabe-Ito set.
        **settings: Further matplotlib settings, with "_" in place of "." (`axes_linewidth=1`).

    Raises:
        ValueError: An unknown style.
        KeyError: A setting matplotlib does not have.

    Example:
        >>> import matplotlib
        >>> with theme("dark", font_size=12):
        ...     matplotlib.rcParams["font.size"]
        12.0
        >>> matplotlib.rcParams["font.size"]
        10.0
    """
    if style not in STYLES:
        raise unknown("style", style, STYLES)
    colors = palette or (DARK_PALETTE if style == "dark" else PALETTE)
    chosen: dict[str, Any] = {**STYLES[style], "font.size": font_size, "axes.prop_cycle": cycler(color=list(colors))}
    if font is not None:
        chosen["font.family"] = font
    chosen |= {name.replace("_", ".", 1): value for name, value in settings.items()}
    with rc_context(chosen):  # type: ignore[arg-type]
        yield
