"""Sets of intervals: union, intersection, merging. Strands are ignored, chromosomes kept apart."""

from __future__ import annotations

from collections.abc import Iterable

from genomekit.genome.interval import Interval


def union_intervals(lhs: Iterable[Interval], rhs: Iterable[Interval], *, result_strand: str = ".") -> list[Interval]:
    """Return the bases covered by either set; overlapping and abutting intervals become one.

    Returns:
        Sorted by chromosome name and start, with `result_strand` and no name.

    Example:
        >>> [str(i) for i in union_intervals([Interval("chr1", 0, 2)], [Interval("chr1", 2, 5)])]
        ['chr1:0-5:.']
    """
    spans = _spans([*lhs, *rhs])
    return [Interval(chrom, start, end, result_strand) for chrom in sorted(spans) for start, end in spans[chrom]]


def intersect_intervals(
    lhs: Iterable[Interval], rhs: Iterable[Interval], *, result_strand: str = "."
) -> list[Interval]:
    """Return the bases covered by both sets; each set is united first.

    Where two intervals only touch, or an empty one lies in the other set, the shared boundary is returned as
    an empty interval (the SDK's rule).

    Returns:
        Sorted by chromosome name and start, with `result_strand` and no name.

    Example:
        >>> found = intersect_intervals([Interval("chr1", 0, 4)], [Interval("chr1", 2, 9), Interval("chr2", 0, 9)])
        >>> [str(i) for i in found]
        ['chr1:2-4:.']
    """
    ours, theirs = _spans(lhs), _spans(rhs)
    found = []
    for chrom in sorted(set(ours) & set(theirs)):
        left, right = ours[chrom], theirs[chrom]
        i = j = 0
        while i < len(left) and j < len(right):
            start, end = max(left[i][0], right[j][0]), min(left[i][1], right[j][1])
            if start <= end:
                found.append(Interval(chrom, start, end, result_strand))
            if left[i][1] < right[j][1]:
                i += 1
            else:
                j += 1
    return found


def merge_overlapping_intervals(intervals: Iterable[Interval]) -> list[Interval]:
    """Unite overlapping and abutting intervals of one strand, sorted; the strand is kept.

    Raises:
        ValueError: The intervals are not all on one strand.

    Example:
        >>> [str(i) for i in merge_overlapping_intervals([Interval("chr1", 3, 9, "+"), Interval("chr1", 0, 4, "+")])]
        ['chr1:0-9:+']
    """
    given = list(intervals)
    strands = sorted({interval.strand for interval in given})
    if len(strands) > 1:
        raise ValueError(
            f"The intervals are on strands {', '.join(strands)}; merging needs one strand. "
            "Split them by strand, or call as_unstranded() on each."
        )
    return union_intervals(given, [], result_strand=strands[0]) if given else []


def _spans(intervals: Iterable[Interval]) -> dict[str, list[tuple[int, int]]]:
    """Per chromosome the covered stretches, sorted, no two touching."""
    spans: dict[str, list[tuple[int, int]]] = {}
    for interval in sorted(intervals):
        known = spans.setdefault(interval.chrom, [])
        if known and interval.start <= known[-1][1]:
            known[-1] = (known[-1][0], max(known[-1][1], interval.end))
        else:
            known.append((interval.start, interval.end))
    return spans
