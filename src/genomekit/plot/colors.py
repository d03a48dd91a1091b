"""Colours and text sizes of figures, taken from matplotlib's settings at the moment something is drawn."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from matplotlib import colormaps, rcParams, rcParamsDefault
from matplotlib.colors import Colormap, LinearSegmentedColormap, is_color_like, to_hex, to_rgb

from genomekit.plot.real import Real

# Okabe-Ito: told apart with every kind of colour vision.
BLUE, ORANGE, GREEN, VERMILLION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
PURPLE, SKY, GREY = "#CC79A7", "#56B4E9", "#8C8C8C"
PALETTE = (BLUE, GREEN, ORANGE, PURPLE, SKY, VERMILLION, GREY)
DARK_PALETTE = (SKY, "#3DDBAA", ORANGE, "#E6A5CB", "#A6D8FF", "#FF8A3D", "#A8A8A8")

# A green, C blue, G orange, T red, as in the first sequence logos; U goes with T.
CLASSIC = {"A": "#109648", "C": "#255C99", "G": "#F7B32B", "T": "#D62839", "U": "#D62839", "N": GREY}
# The hues of Okabe-Ito, moved apart in lightness: no two are alike to any kind of colour vision, on white or on black.
SAFE = {"A": "#33B07A", "C": "#1F5FBF", "G": "#F0A500", "T": "#C8401A", "U": "#C8401A", "N": GREY}
LETTER_SCHEMES = {"colorblind": SAFE, "classic": CLASSIC}


def palette() -> list[str]:
    """Give the colours of categories: the user's own cycle where one is set, otherwise Okabe-Ito."""
    if rcParams["axes.prop_cycle"] == rcParamsDefault["axes.prop_cycle"]:
        return list(DARK_PALETTE if is_dark() else PALETTE)
    return [to_hex(color) for color in rcParams["axes.prop_cycle"].by_key().get("color", PALETTE)]


def categories(values: Iterable[object]) -> dict[str, str]:
    """Give every value a colour, in the order of first appearance; many values share out a continuous map.

    Example:
        >>> categories(["liver", "gut", "liver"])
        {'liver': '#0072B2', 'gut': '#009E73'}
    """
    names = list(dict.fromkeys(str(value) for value in values))
    colors = palette()
    if len(names) > len(colors):
        colors = [to_hex(color) for color in colormaps["viridis"](np.linspace(0, 0.95, len(names)))]
    return dict(zip(names, colors, strict=False))


def checked(color: str) -> str:
    """Give a colour back, if it is one.

    Raises:
        ValueError: It is none.
    """
    if not is_color_like(color):
        raise ValueError(f"{color!r} is no colour; give a name or '#rrggbb'.")
    return color


def background() -> str:
    """Give the colour behind the panels."""
    return to_hex(rcParams["axes.facecolor"])


def is_dark() -> bool:
    """Whether figures are light on dark."""
    return _lightness(rcParams["axes.facecolor"]) < 0.5


def on_top(color: str) -> str:
    """Give the colour of text that stands on another colour.

    Example:
        >>> on_top("#0072B2"), on_top("#F0E442")
        ('white', 'black')
    """
    return "black" if _lightness(color) > 0.55 else "white"


def _lightness(color: str) -> float:
    red, green, blue = to_rgb(color)
    return 0.299 * red + 0.587 * green + 0.114 * blue


def ink() -> str:
    """Give the colour of text; matplotlib's own black is softened."""
    color = to_hex(rcParams["text.color"])
    return "#333333" if color == "#000000" else color


def faint(share: Real = 0.5) -> str:
    """Give the colour of lines that help the eye: ink thinned with the background."""
    front, back = np.array(to_rgb(ink())), np.array(to_rgb(background()))
    return to_hex(tuple(back + (front - back) * share))


def strand_color(strand: object) -> str:
    """Give the colour of a strand: blue for plus, vermillion for minus, grey for none."""
    colors = palette()
    return {"+": colors[0], "-": colors[min(5, len(colors) - 1)]}.get(str(strand), faint())


def allele_colors(names: Sequence[str]) -> dict[str, str]:
    """Give REF grey and ALT vermillion; other groups take the colours of categories."""
    if {name.casefold() for name in names} == {"ref", "alt"}:
        return {name: faint(0.6) if name.casefold() == "ref" else strand_color("-") for name in names}
    return categories(names)


def diverging() -> str | Colormap:
    """Give the map of differences: nothing has the colour of the background."""
    if not is_dark():
        return "RdBu_r"
    return LinearSegmentedColormap.from_list("difference", ["#9FD8FF", "#0072B2", background(), "#D55E00", "#FFC59E"])


def rising() -> Colormap:
    """Give the map of sizes: the half of `diverging` above nothing."""
    whole = diverging()
    whole = colormaps[whole] if isinstance(whole, str) else whole
    return LinearSegmentedColormap.from_list("size", whole(np.linspace(0.5, 1, 256)))


def size(scale: Real = 0.7) -> float:
    """Give a text size in points, as a share of the font size that is set."""
    return float(rcParams["font.size"]) * scale
