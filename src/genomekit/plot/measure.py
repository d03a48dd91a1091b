"""How wide text is, how numbers are written, and where labels go so that none lies on another."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from functools import lru_cache

from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from genomekit.plot.real import Real


@lru_cache(maxsize=4096)
def text_width(text: str, points: Real) -> float:
    """Give the width of the longest line of a text, in inches.

    Example:
        >>> text_width("genomekit", 20) / text_width("genomekit", 10)
        2.0
    """
    font = FontProperties(size=points)
    widths = [text_to_path.get_text_width_height_descent(line, font, ismath=False)[0] for line in text.split("\n")]
    return max(widths, default=0.0) / 72


def fit(text: str, points: Real, inches: Real, lines: int = 1) -> str:
    """Wrap a text to a width and cut out its middle where it is still too long: both ends of a name tell it apart.

    Example:
        >>> fit("UBERON:0002107 total RNA-seq of the liver", 7, 1.0)
        'UBERON:0...he liver'
    """
    if text_width(text, points) <= inches:
        return text
    per_line = max(int(len(text) * inches / text_width(text, points)), 4)
    if lines > 1:
        wrapped = textwrap.wrap(text, per_line, break_long_words=False, break_on_hyphens=False)
        if len(wrapped) <= lines and all(text_width(line, points) <= inches * 1.05 for line in wrapped):
            return "\n".join(wrapped)
        if len(wrapped) > 1 and len(wrapped[0]) <= per_line:
            rest = text[len(wrapped[0]) :].strip()
            return wrapped[0] + "\n" + fit(rest, points, inches, lines - 1)
    kept = per_line
    while kept > 4 and text_width(_shortened(text, kept), points) > inches:
        kept -= 1
    return _shortened(text, kept)


def _shortened(text: str, length: int) -> str:
    head = max((length - 3 + 1) // 2, 1)
    tail = max(length - 3 - head, 1)
    return f"{text[:head].rstrip()}...{text[-tail:].lstrip()}" if len(text) > head + tail + 3 else text


def compact(value: Real) -> str:
    """Write a number in few signs.

    Example:
        >>> [compact(value) for value in (0, 0.25, 12, 12_500, 3e6, 2e-7)]
        ['0', '0.25', '12', '12.5k', '3M', '2e-7']
    """
    size = abs(value)
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if size >= limit:
            return f"{value / (1e3 if unit == 'k' else limit):.3g}{unit}"
    text = f"{value:.3g}" if size < 1000 else f"{value:.0f}"
    return text.replace("e-0", "e-").replace("e+0", "e") if value else "0"


def lay_out(middles: Sequence[Real], widths: Sequence[Real], rows: int, limits: tuple[Real, Real]) -> list[int]:
    """Give each label a row in which it lies on no other, or -1 where there is none left; in the order given.

    Earlier labels choose first, so give the important ones first. All numbers are in one unit, inches for example.

    Example:
        >>> lay_out([1.0, 1.1, 3.0, 1.2], [0.5] * 4, rows=2, limits=(0, 4))
        [0, 1, 0, -1]
    """
    taken: list[list[tuple[Real, Real]]] = [[] for _ in range(rows)]
    result = []
    for middle, width in zip(middles, widths, strict=True):
        middle = kept_inside(middle, width, limits)
        low, high = middle - width / 2, middle + width / 2
        free = (row for row, spans in enumerate(taken) if all(high <= a or low >= b for a, b in spans))
        row = next(free, -1)
        if row >= 0:
            taken[row].append((low, high))
        result.append(row)
    return result


def kept_inside(middle: Real, width: Real, limits: tuple[Real, Real]) -> float:
    """Move the middle of a label so that its ends stay inside the limits, where it fits at all."""
    low, high = limits
    return (low + high) / 2 if width > high - low else min(max(middle, low + width / 2), high - width / 2)


def pack(spans: Sequence[tuple[Real, Real]]) -> list[int]:
    """Give each span the lowest row where it touches none that starts before it.

    Example:
        >>> pack([(3, 8), (0, 5), (6, 9)])
        [1, 0, 0]
    """
    ends: list[Real] = []
    rows = [0] * len(spans)
    for index in sorted(range(len(spans)), key=spans.__getitem__):
        start, end = spans[index]
        rows[index] = next((i for i, last in enumerate(ends) if last <= start), len(ends))
        ends[rows[index] : rows[index] + 1] = [end]
    return rows


def spread(spans: Sequence[tuple[Real, Real]], tails: Sequence[Real], rows: int) -> tuple[list[int], list[bool]]:
    """Put spans with tails (their names) into rows; where rows run out, a span takes the place of an earlier tail.

    Args:
        spans: (start, end), by start.
        tails: What each would take after its end; 0 for none.
        rows: How many there are.

    Returns:
        The row of each span, `rows` where none is free; whether it keeps its tail.

    Example:
        >>> spread([(0, 5), (1, 3), (6, 7), (6, 9)], [4, 4, 4, 4], rows=2)
        ([0, 1, 0, 1], [False, False, True, True])
    """
    last = [-1] * rows  # span of each row
    ends, reach = [-math.inf] * rows, [-math.inf] * rows
    placed, kept = [], [bool(tail > 0) for tail in tails]
    for index, ((start, end), tail) in enumerate(zip(spans, tails, strict=True)):
        row = next((row for row in range(rows) if reach[row] <= start), -1)
        if row < 0:
            covered = [row for row in range(rows) if ends[row] <= start]
            # The tail with most of it still to come: the others are nearly written.
            row = max(covered, key=reach.__getitem__, default=-1)
            if row < 0:
                placed.append(rows)
                kept[index] = False
                continue
            kept[last[row]] = False
        last[row], ends[row], reach[row] = index, end, end + tail
        placed.append(row)
    return placed, kept
