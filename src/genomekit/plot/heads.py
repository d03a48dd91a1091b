"""What stands above a panel: its title, a caption, and the key of its colours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.transforms import ScaledTranslation

from genomekit.plot import colors, measure
from genomekit.plot.real import Real

TITLE, ROW = 0.19, 0.15  # inches of the line of the title, and of each row of a key above it
MOST_ROWS = 6  # of a key
CAPTION_GID = "genomekit-caption"  # marks what stands beside the title, for that to make room


def caption(ax: Axes, text: str) -> None:
    """Say at the upper right, beside the title, what a reader must know of the drawing."""
    text = measure.fit(text, colors.size(0.65), 0.7 * ax.bbox.width / ax.figure.dpi)
    ax.text(1, 1, text, transform=ax.transAxes, ha="right", va="bottom", fontsize=colors.size(0.65),
            color=colors.faint(0.8), parse_math=False, gid=CAPTION_GID)  # fmt: skip


def legend(ax: Axes, table: Mapping[str, Any]) -> None:
    """Write what the colours mean, at the upper right; `write_head` gives it its place."""
    shown = {measure.fit(name, colors.size(), 1.6): color for name, color in table.items()}
    _key(ax, [Patch(color=color, label=name or "(none)") for name, color in shown.items()], len(shown))


def write_head(ax: Axes, text: str, inches: Real) -> float:
    """Write the title, and put the key beside it, or in rows above it where there is no room for both.

    Args:
        ax: Axes of the panel.
        text: The title, cut where a caption leaves it no room.
        inches: Width there is.

    Returns:
        Inches that all of it takes above the panel, 0 for nothing.
    """
    points, unit = colors.size(0.8), colors.size(1.0) / 10
    notes = [note.get_text() for note in ax.texts if note.get_gid() == CAPTION_GID]
    beside = max((measure.text_width(note, colors.size(0.65)) + 0.1 for note in notes), default=0.0)
    rows, above = _place_key(ax, inches, measure.text_width(text, points), beside)
    if ax.get_legend() is None or above:
        room = max(inches - beside, inches * 0.25)
    else:
        room = inches  # a key stands beside a title only where both are whole
    ax.set_title(measure.fit(text, points, room), loc="left", fontsize=points, color=colors.ink(), pad=3,
                 parse_math=False)  # fmt: skip
    line = TITLE if text or notes or (not above and rows) else 0.0
    return (line + (ROW * rows if above else 0.0)) * unit


def _place_key(ax: Axes, inches: Real, title: Real, caption: Real) -> tuple[int, bool]:
    """Arrange the key, if there is one, in a width; return its rows and whether they stand above the title.

    Args:
        ax: Axes of the panel.
        inches: Width there is.
        title: Inches of the title.
        caption: Inches of the caption, beside which the key may stand.
    """
    key = ax.get_legend()
    if key is None:
        return 0, False
    handles = [
        Patch(color=patch.get_facecolor(), label=text.get_text())  # type: ignore[attr-defined]
        for patch, text in zip(key.legend_handles, key.get_texts(), strict=True)
    ]
    widths = [measure.text_width(str(one.get_label()), colors.size()) + 2.4 * colors.size() / 72 for one in handles]
    count = len(handles)
    if sum(widths) > inches:
        count = max(int(inches / max(widths)), 1)
        if len(handles) > count * MOST_ROWS:
            left_out = len(handles) - count * MOST_ROWS + 1
            handles = [*handles[:-left_out], Patch(color="none", label=f"+ {left_out} more")]
    rows = -(-len(handles) // count)
    above = bool(title or caption) and (rows > 1 or title + 0.1 + sum(widths) + caption > inches)
    _key(ax, handles, count, right=0.0 if above else caption, above=above)
    return rows, above or rows > 1


def _key(ax: Axes, handles: list[Patch], columns: int, *, right: Real = 0.0, above: bool = False) -> None:
    lift = TITLE * colors.size(1.0) / 10 if above else 0.0
    place = ax.transAxes + ScaledTranslation(-right, lift, ax.figure.dpi_scale_trans)
    ax.legend(handles=handles, loc="lower right", bbox_to_anchor=(1, 1), bbox_transform=place, ncols=columns,
              frameon=False, fontsize=colors.size(), handlelength=0.8, handleheight=0.8, borderaxespad=0.1,
              borderpad=0.2, columnspacing=1, handletextpad=0.4, labelspacing=0.3)  # fmt: skip
