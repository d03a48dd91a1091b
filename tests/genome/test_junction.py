"""Junction: donor and acceptor on the exon side, and the regions around them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genomekit.genome.interval import Interval
from genomekit.genome.junction import Junction


@st.composite
def junctions(draw):
    start = draw(st.integers(0, 10**8))
    return Junction("chr1", start, start + draw(st.integers(1, 10**6)), draw(st.sampled_from("+-")))


def test_donor_and_acceptor_are_exon_bases():
    plus, minus = Junction("chr1", 100, 200, "+"), Junction("chr1", 100, 200, "-")
    assert (plus.donor, plus.acceptor) == (99, 200)
    assert (minus.donor, minus.acceptor) == (200, 99)


@pytest.mark.parametrize(
    ("donor", "acceptor", "strand", "intron"),
    [
        (10, 15, "+", (1011, 1015)),
        (10, 30, "+", (1011, 1030)),
        (20, 30, "+", (1021, 1030)),
        (40, 35, "-", (1036, 1040)),
    ],
)
def test_agrees_with_upstream_introns(donor, acceptor, strand, intron):
    """Parity vector: exon-side positions in the interval chr1:1000-1100 and the introns upstream makes of them."""
    junction = Junction("chr1", *intron, strand)
    assert (junction.donor - 1000, junction.acceptor - 1000) == (donor, acceptor)


@given(junctions())
def test_exon_bases_touch_the_intron(junction):
    low, high = sorted((junction.donor, junction.acceptor))
    assert (low + 1, high) == (junction.start, junction.end)
    assert junction.interval.width == junction.width
    assert (junction.donor < junction.acceptor) == (junction.strand == "+")


@given(junctions())
def test_text_round_trip(junction):
    assert Junction.parse(str(junction)) == junction
    assert Junction.parse(junction) is junction
    assert Junction.parse(str(junction.interval)) == junction


def test_regions():
    plus, minus = Junction("chr1", 100, 200, "+"), Junction("chr1", 100, 200, "-")
    assert [str(i) for i in plus.dinucleotide_region()] == ["chr1:100-102:+", "chr1:198-200:+"]
    assert [str(i) for i in minus.dinucleotide_region()] == ["chr1:100-102:-", "chr1:198-200:-"]
    assert str(plus.donor_region((3, 7))) == "chr1:97-107:+"
    assert str(plus.acceptor_region((3, 7))) == "chr1:197-207:+"
    assert str(minus.donor_region((3, 7))) == "chr1:193-203:-"
    assert str(minus.acceptor_region((3, 7))) == "chr1:93-103:-"
    assert plus.donor_region().width == 500


@given(junctions(), st.integers(1, 50), st.integers(1, 50))
def test_regions_hold_the_exon_base(junction, before, after):
    for site, region in (
        (junction.donor, junction.donor_region((before, after))),
        (junction.acceptor, junction.acceptor_region((before, after))),
    ):
        assert region.width == before + after
        assert region.contains(Interval("chr1", site, site + 1))


def test_compares_and_hashes_without_the_name():
    one, other = Junction("chr1", 1, 9, "+", "a"), Junction("chr1", 1, 9, "+")
    assert one == other
    assert len({one, other}) == 1
    assert one < Junction("chr1", 1, 9, "-")
    assert one.interval.name == "a"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("chr1", 1, 9, "."), "splicing has a direction"),
        (("chr1", 9, 1, "+"), "ends before it starts"),
        (("chr1", 1.5, 9, "+"), "1.5 (float)"),
    ],
)
def test_refuses(args, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        Junction(*args)


def test_text_without_strand_is_refused():
    with pytest.raises(ValueError, match="splicing has a direction"):
        Junction.parse("chr1:1-9")
