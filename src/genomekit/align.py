"""ALT values put onto REF coordinates at 1 bp, for scores and for display.

Shared by prediction and scoring. Values run along the plus strand; bins wider than 1 bp stay as they are read.
"""

from collections.abc import Iterable

import numpy as np
import torch
from jaxtyping import Int, Shaped
from torch import Tensor

from genomekit.genome.edit import Event, alt_offsets, insertions


def alt_span(events: Iterable[Event], start: int, stop: int, length: int) -> tuple[int, int]:
    """Say which ALT offsets must be read to fill REF offsets [start, stop).

    Args:
        events: Net changes in order, as `Edit.events`.
        start: First REF offset wanted.
        stop: One past the last.
        length: bp of the window.

    Returns:
        First ALT offset and the one past the last; (0, 0) where every base is deleted or past the end.

    Example:
        >>> alt_span([Event(4, 0, 3)], 2, 6, 10), alt_span([Event(4, 0, 3)], 4, 6, 10)
        ((2, 9), (7, 9))
    """
    events = list(events)
    known = alt_offsets(events, start, stop, length)
    known = known[known >= 0]
    spans = [(int(known[0]), int(known[-1]) + 1)] if len(known) else []
    spans += [(first, last) for target, first, last in insertions(events, length) if start <= target < stop]
    return (min(first for first, _ in spans), max(last for _, last in spans)) if spans else (0, 0)


def align(
    alt: Shaped[Tensor, "..."],
    events: Iterable[Event],
    length: int,
    *,
    span: tuple[int, int] | None = None,
    dim: int = 0,
    fill: float = 0.0,
) -> Shaped[Tensor, "..."]:
    """Put ALT values of 1 bp onto REF coordinates.

    The base before an insertion takes the largest value of its own and of the inserted bases. Deleted bases, and bases
    pushed past the end, get `fill`: 0 is the rule of scores, NaN that of display.

    Args:
        alt: ALT values along `dim`: those of the whole window, or of `alt_span` where `span` is given.
        events: Net changes in order, as `Edit.events`.
        length: bp of the window.
        span: First REF offset wanted and the one past the last; None is the whole window.
        dim: Axis of positions.
        fill: Value where REF has a base and ALT none.

    Returns:
        A new tensor of the REF offsets wanted along `dim`.

    Raises:
        ValueError: `alt` does not have the positions of the window, or of the span.

    Example:
        >>> align(torch.arange(10), [Event(1, 1, 3)], 10).tolist()
        [0, 3, 4, 5, 6, 7, 8, 9, 0, 0]
        >>> deletion = [Event(2, 3, 0)]
        >>> alt_span(deletion, 4, 7, 10), align(torch.tensor([2, 3]), deletion, 10, span=(4, 7)).tolist()
        ((2, 4), [0, 2, 3])

    Source:
        google-deepmind/alphagenome_research, alignment of ALT to REF (its test vectors are tests here), for any number
        of events. An insertion before the first base of a window, which upstream leaves undefined, goes to that base.
    """
    events = list(events)
    start, stop = (0, length) if span is None else span
    first, last = (0, length) if span is None else alt_span(events, start, stop, length)
    _check(alt, dim, first, last, start, stop)
    source = alt_offsets(events, start, stop, length)
    known = source >= 0
    if not known.any() and first == last:
        shape = list(alt.shape)
        shape[dim] = stop - start
        return alt.new_full(shape, fill)
    index = torch.from_numpy(np.where(known, source - first, 0)).to(alt.device)
    out = alt.index_select(dim, index)
    if not known.all():
        lost = torch.from_numpy(np.flatnonzero(~known)).to(alt.device)
        out.index_fill_(dim, lost, fill)
    for target, one, two in insertions(events, length):
        if not start <= target < stop:
            continue
        most = alt.narrow(dim, one - first, two - one).amax(dim)
        there = out.select(dim, target - start)
        there.copy_(torch.maximum(there, most) if known[target - start] else most)
    return out


def site_spans(events: Iterable[Event], sites: Int[np.ndarray, "4 site"], length: int) -> dict[int, tuple[int, int]]:
    """Say for every splice site on REF which ALT offsets stand for it: its own base, and what is inserted after it.

    Args:
        events: Net changes in order.
        sites: 0-based REF offsets, -1 past the last.
        length: bp of the window.

    Returns:
        REF offset to the first ALT offset and the one past the last; (0, 0) where ALT has no such base.

    Example:
        >>> site_spans([Event(4, 0, 3), Event(6, 1, 0)], np.array([[3, 6], [4, -1], [-1, -1], [-1, -1]]), 10)
        {3: (3, 7), 4: (7, 8), 6: (0, 0)}
    """
    events = list(events)
    known = np.unique(sites[sites >= 0])
    offsets = alt_offsets(events, 0, length, length)[known]
    spans = {
        site: (offset, offset + 1) if offset >= 0 else (0, 0)
        for site, offset in zip(known.tolist(), offsets.tolist(), strict=True)
    }
    for target, first, last in insertions(events, length):
        if target in spans:
            low, high = spans[target]
            spans[target] = (min(low, first), max(high, last)) if low < high else (first, last)
    return spans


def _check(alt: Tensor, dim: int, first: int, last: int, start: int, stop: int) -> None:
    if alt.shape[dim] != last - first:
        raise ValueError(
            f"ALT values of {alt.shape[dim]} positions came and REF {start}-{stop} needs those of ALT {first}-{last}. "
            "Read what alt_span says."
        )
