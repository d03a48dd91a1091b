"""Hypothesis strategies; hypothesis is imported only when one is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from genomekit.genome.interval import Interval

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

    from genomekit.genome.variant import Variant


def intervals(chroms: Mapping[str, int], *, max_length: int = 1_000) -> SearchStrategy[Interval]:
    """Make a hypothesis strategy of intervals inside the chromosomes given.

    Args:
        chroms: Length of each chromosome in bp.
        max_length: Longest interval in bp.

    Example:
        >>> from hypothesis import given
        >>> @given(intervals({"chrI": 100}))
        ... def inside(interval):
        ...     assert 0 <= interval.start < interval.end <= 100
        >>> inside()
    """
    from hypothesis import strategies as st

    @st.composite
    def draw_interval(draw: Any) -> Interval:
        chrom = draw(st.sampled_from(sorted(chroms)))
        start = draw(st.integers(0, chroms[chrom] - 1))
        end = draw(st.integers(start + 1, min(chroms[chrom], start + max_length)))
        return Interval(chrom, start, end, draw(st.sampled_from("+-.")))

    return draw_interval()


def variants(chroms: Mapping[str, int], *, max_length: int = 10) -> SearchStrategy[Variant]:
    """Make a hypothesis strategy of variants with random REF and ALT letters (1-based positions).

    Args:
        chroms: Length of each chromosome in bp.
        max_length: Longest REF and ALT in bp.

    Example:
        >>> from hypothesis import given
        >>> @given(variants({"chrI": 100}))
        ... def inside(variant):
        ...     assert 1 <= variant.position and variant.end <= 100 and variant.ref != variant.alt
        >>> inside()
    """
    from hypothesis import strategies as st

    from genomekit.genome.variant import Variant

    @st.composite
    def draw_variant(draw: Any) -> Variant:
        chrom = draw(st.sampled_from(sorted(chroms)))
        position = draw(st.integers(1, chroms[chrom]))
        room = min(max_length, chroms[chrom] - position + 1)
        ref = draw(st.text("ACGT", min_size=1, max_size=room))
        alt = draw(st.text("ACGT", min_size=1, max_size=max_length).filter(lambda text: text != ref))
        return Variant(chrom, position, ref, alt)

    return draw_variant()
