"""The same change is known again, and no other is taken for it."""

from hypothesis import assume, given
from hypothesis import strategies as st

from genomekit.genome.duplicates import Duplicates
from genomekit.genome.variant import Variant

genomes = st.text("AC", min_size=6, max_size=14)


@st.composite
def changes(draw, genome):
    start = draw(st.integers(0, len(genome) - 1))
    ref = genome[start : start + draw(st.integers(0, 3))]
    return Variant("chrI", start + 1, ref, draw(st.text("AC", max_size=3)))


def applied(genome, variant):
    return genome[: variant.start] + variant.alt + genome[variant.end :]


@given(st.data(), genomes)
def test_two_changes_are_one_if_they_leave_the_same_letters(data, genome):
    one, other = data.draw(changes(genome)), data.draw(changes(genome))
    assume(one.ref != one.alt and other.ref != other.alt)
    known = Duplicates(lambda chrom, start, end: genome[start:end])
    assert known.first(0, one) is None
    same = applied(genome, one) == applied(genome, other)
    assert known.first(1, other) == (0 if same else None)


def test_without_letters_they_are_compared_as_spelled():
    known = Duplicates()
    assert [known.first(n, Variant("chrI", 3, "CA", alt)) for n, alt in enumerate(["C", "", "C"])] == [None, None, 0]


def test_wrong_reference_letters_are_not_shifted():
    """TA>T at 3 deletes an A as CA>C at 1 does, but its T is not there."""
    known = Duplicates(lambda chrom, start, end: "CAAAAG"[start:end])
    assert known.first(0, Variant("chrI", 3, "TA", "T")) is None
    assert known.first(1, Variant("chrI", 1, "CA", "C")) is None
    assert known.first(2, Variant("chrI", 4, "A", "")) == 1
