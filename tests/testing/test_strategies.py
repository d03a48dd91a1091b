"""The strategies stay inside the chromosomes."""

from hypothesis import given

from genomekit.testing import intervals, variants

CHROMS = {"chrI": 50, "chrII": 3}


@given(intervals(CHROMS, max_length=20))
def test_intervals_fit(interval):
    assert 0 <= interval.start < interval.end <= CHROMS[interval.chrom]
    assert interval.end - interval.start <= 20


@given(variants(CHROMS, max_length=4))
def test_variants_fit(variant):
    assert 1 <= variant.position
    assert variant.position - 1 + len(variant.ref) <= CHROMS[variant.chrom]
    assert variant.ref != variant.alt
    assert len(variant.alt) <= 4
