"""Stretches of a chromosome: which rows of a table overlap one, and overlapping ones joined."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import numpy as np


class SpanIndex:
    """Rows sorted by place, with the largest end so far, so that a query touches few of them.

    Args:
        chrom: int (n,), number of the chromosome of each row.
        start: int (n,), first base, 0-based.
        end: int (n,), one past the last base.

    Example:
        >>> index = SpanIndex(np.array([0, 0, 1]), np.array([50, 10, 10]), np.array([60, 20, 20]))
        >>> index.overlapping(0, 15, 55).tolist(), index.overlapping(2, 0, 99).tolist()
        ([1, 0], [])
    """

    def __init__(self, chrom: np.ndarray, start: np.ndarray, end: np.ndarray) -> None:
        self._order = np.lexsort((end, start, chrom))
        self._start, self._end, chrom = start[self._order], end[self._order], chrom[self._order]
        bounds = np.flatnonzero(np.diff(chrom)) + 1
        edges = [0, *bounds.tolist(), len(chrom)] if len(chrom) else []
        self._slices = {int(chrom[a]): (a, b) for a, b in pairwise(edges)}
        self._reach = np.empty_like(self._end)
        for first, last in self._slices.values():
            self._reach[first:last] = np.maximum.accumulate(self._end[first:last])

    def overlapping(self, chrom: int, start: int, end: int) -> np.ndarray:
        """Return the numbers of the rows that share a base with [start, end), ordered by start."""
        first, last = self._slices.get(chrom, (0, 0))
        stop = first + int(np.searchsorted(self._start[first:last], end, side="left"))
        begin = first + int(np.searchsorted(self._reach[first:last], start, side="right"))
        rows = np.arange(begin, max(begin, stop))
        return self._order[rows[self._end[rows] > start]]


def merged(spans: Iterable[tuple[int, int]], gap: int = 0) -> tuple[tuple[int, int], ...]:
    """Join half-open stretches that overlap, touch, or lie at most `gap` apart; empty ones are left out.

    Example:
        >>> merged([(5, 9), (0, 2), (8, 12), (12, 13)])
        ((0, 2), (5, 13))
    """
    out: list[tuple[int, int]] = []
    for low, high in sorted((int(low), int(high)) for low, high in spans):
        if out and low <= out[-1][1] + gap:
            out[-1] = out[-1][0], max(out[-1][1], high)
        elif low < high:
            out.append((low, high))
    return tuple(out)
