"""Edit: letters of both alleles, the map between them, and one answer for every spelling."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genomekit.errors import GenomekitWarning, ReferenceMismatch
from genomekit.genome.assembly import Genome
from genomekit.genome.edit import Edit, Event, alt_offsets, insertions
from genomekit.genome.interval import Interval
from genomekit.genome.variant import Variant

#           0         1         2
#           0123456789012345678901234567
LETTERS = "ACGTTGCAGGCACACATTTTGATCCAGT"


def reader(letters):
    def read(chrom, start, end):
        inside = letters[max(start, 0) : max(end, 0)]
        return "N" * (min(end, 0) - min(start, 0)) + inside + "N" * (end - max(start, 0) - len(inside))

    return read


def edit(variants, start=0, end=20, letters=LETTERS, **options):
    return Edit.of(variants, Interval("chr1", start, end), reader(letters), **options)


@pytest.mark.parametrize(
    ("variant", "alt", "events", "spelled"),
    [
        ("chr1:5:T>A", "ACGTAGCAGGCACACATTTT", [(4, 1, 1)], "chr1:5:T>A"),  # SNV
        ("chr1:5:TGC>AGG", "ACGTAGGAGGCACACATTTT", [(4, 1, 1), (6, 1, 1)], "chr1:5:TGC>AGG"),  # MNP: two runs
        ("chr1:6:G>GTT", "ACGTTGTTCAGGCACACATT", [(6, 0, 2)], "chr1:6:G>GTT"),  # insertion pushes off the right
        # Deletion of one GC (offsets 5, 6); GATC of offset 20 on comes in on the right.
        ("chr1:6:GC>", "ACGTTAGGCACACATTTTGA", [(5, 2, 0)], "chr1:5:TGC>T"),
        ("chr1:6:GCA>TT", "ACGTTTTGGCACACATTTTG", [(5, 3, 2)], "chr1:6:GCA>TT"),  # delins
        # Duplication of CA at 12-13: the same as one at 10-11.
        ("chr1:12:A>ACA", "ACGTTGCAGGCACACACATT", [(10, 0, 2)], "chr1:10:G>GCA"),
        ("chr1:5:TGCA>TGCA", "ACGTTGCAGGCACACATTTT", [], "chr1:5:TGCA>TGCA"),  # no change
        ("chr1:5:TGC>GCA", "ACGTGCAAGGCACACATTTT", [(4, 3, 3)], "chr1:5:TGC>GCA"),  # inversion of TGC
    ],
)
def test_letters_and_events_of_every_kind_of_variant(variant, alt, events, spelled):
    found = edit(variant)
    assert found.ref == LETTERS[:20]
    assert found.alt == alt
    assert found.events == tuple(Event(*event) for event in events)
    assert str(found.variants[0]) == spelled


def test_haplotype_of_a_substitution_a_deletion_and_an_insertion():
    found = edit(["chr1:20:T>TGG", "chr1:3:G>A", "chr1:8:AGG>A"], end=24)
    # 0-based: G2 becomes A; GG at 8-9 goes; GG comes in after 19.
    assert found.alt == (LETTERS[:2] + "A" + LETTERS[3:8] + LETTERS[10:20] + "GG" + LETTERS[20:])[:24]
    assert found.alt_offsets.tolist() == [*range(8), -1, -1, *range(8, 18), *range(20, 24)]
    assert [str(v) for v in found.variants] == ["chr1:3:G>A", "chr1:8:AGG>A", "chr1:20:T>TGG"]


@pytest.mark.parametrize(
    "variants",
    [
        ["chr1:3:G>A", "chr1:3:G>T"],
        ["chr1:3:G>A", "chr1:3:G>A"],
        ["chr1:3:GTT>G", "chr1:4:T>A"],
        ["chr1:4:T>TGG", "chr1:4:T>TAA"],
    ],
)
def test_overlapping_variants_are_an_error_that_names_both(variants):
    with pytest.raises(ValueError, match="overlap") as raised:
        edit(variants)
    assert all(variant in str(raised.value) for variant in variants)


def test_anchored_insertion_beside_a_substitution_of_its_anchor():
    """VCF files write both at position 4; the insertion goes after the base that is substituted."""
    found = edit(["chr1:4:T>C", "chr1:4:T>TGG"])
    assert found.alt == (LETTERS[:3] + "C" + "GG" + LETTERS[4:])[:20]
    assert found == edit("chr1:4:T>CGG")


def test_neighbours_are_one_change():
    assert edit(["chr1:5:T>A", "chr1:6:G>C"]) == edit("chr1:5:TG>AC")
    assert edit(["chr1:5:T>A", "chr1:7:C>G"]) == edit("chr1:5:TGC>AGG")
    assert edit(["chr1:5:TG>T", "chr1:7:C>G"]) == edit("chr1:6:GC>G")
    # A deletion undone by the insertion after it is no change.
    assert edit(["chr1:5:TG>T", "chr1:7:>G"]).events == ()


def test_shifts_stop_at_a_neighbour():
    """Deleting an A right of a substituted A of a run is not the same as deleting one left of it."""
    run = "CAAAAAAC"
    found = edit(["chr1:3:A>G", "chr1:6:A>"], end=8, letters=run + "TTTT")
    assert found.alt == "CAGAAACT"
    assert found.events == (Event(2, 2, 1),)


def test_variant_across_the_left_edge_is_cut():
    """Deletion of offsets 2-6 in a window from 4 on: 4-6 go, and three bases come in on the right."""
    found = edit("chr1:3:GTTGC>", start=4, end=12)
    assert found.ref == LETTERS[4:12]
    assert found.alt == LETTERS[7:15]
    assert found.events == (Event(0, 3, 0),)


def test_variant_across_the_right_edge():
    """Deletion of offsets 10-15 in a window that ends at 12: what follows comes in."""
    found = edit("chr1:10:GCACACA>G", start=4, end=12)
    assert found.alt == LETTERS[4:10] + LETTERS[16:18]
    assert found.alt_offsets.tolist() == [0, 1, 2, 3, 4, 5, -1, -1]


def test_shift_never_leaves_the_window():
    """A of a run deleted: in a window that begins inside the run the deletion stands at its first base."""
    run = "CAAAAAACGTGT"
    for spelled in ("chr1:2:A>", "chr1:5:A>", "chr1:7:A>", "chr1:1:CA>C"):
        found = edit(spelled, start=3, end=10, letters=run)
        assert found.alt == "AAACGTG"
        assert found.events == (Event(0, 1, 0),)


@pytest.mark.parametrize("variant", ["chr1:3:G>A", "chr1:21:G>A", "chr1:20:T>TG", "chr1:4:T>TGG"])
def test_variant_outside_the_window_is_an_error(variant):
    with pytest.raises(ValueError, match="changes nothing in the window chr1:6-20"):
        edit(variant, start=6)


def test_first_and_last_base_of_a_chromosome():
    window = Interval("chr1", -4, 32)
    read = reader(LETTERS)
    assert Edit.of("chr1:1:A>", window, read).alt == "NNNN" + LETTERS[1:] + "N" * 5
    assert str(Edit.of("chr1:1:A>", window, read).variants[0]) == "chr1:1:AC>C"
    assert Edit.of("chr1:1:>GG", window, read).alt == "NNNNGG" + LETTERS + "NN"
    assert Edit.of("chr1:28:T>TGG", window, read).alt == "NNNN" + LETTERS + "GGNN"
    assert Edit.of("chr1:28:T>", window, read).alt == "NNNN" + LETTERS[:-1] + "N" * 5


def test_parity_takes_the_variant_as_spelled():
    """Two events of upstream's test vectors, official_sdk.md section 8: start and lengths as they stand."""
    letters = "NCCCGAAAAA"
    assert edit("chr1:2:CCCGA>CCC", end=10, letters=letters, parity=True).events == (Event(1, 5, 3),)
    assert edit("chr1:2:CCCGA>CCC", end=10, letters=letters).events == (Event(4, 2, 0),)
    assert str(edit("chr1:12:A>ACA", parity=True).variants[0]) == "chr1:12:A>ACA"


def test_reference_mismatch_and_what_can_be_done_about_it():
    with pytest.raises(ReferenceMismatch, match="REF fits at 6"):
        edit("chr1:5:GCAG>")
    with pytest.warns(GenomekitWarning, match="letters given replace those of the genome"):
        found = edit("chr1:1:C>G", ref_check="warn")
    # As upstream does: the REF letters given stand in the reference too.
    assert found.ref.startswith("CCG")
    assert found.alt.startswith("GCG")
    assert edit("chr1:1:C>G", ref_check="ignore") == found
    with pytest.raises(ValueError, match="Unknown ref_check 'no'"):
        edit("chr1:1:C>G", ref_check="no")


def test_genome_names_its_chromosomes(tmp_path):
    path = tmp_path / "toy.fa"
    path.write_text(f">chrI\n{LETTERS}\n>chrII\nACGT\n")
    genome = Genome(path, aliases={"one": "chrI"})
    found = Edit.of("one:5:t>a", Interval("chrI", -2, 6), genome)
    assert (found.chrom, found.start, found.end) == ("chrI", -2, 6)
    assert (found.ref, found.alt) == ("NNACGTTG", "NNACGTAG")
    assert str(found.variants[0]) == "chrI:5:T>A"
    with pytest.raises(ValueError, match="is on chrII and the window on chrI"):
        Edit.of("chrII:1:A>C", Interval("chrI", 0, 6), genome)


def test_reading_too_few_letters_is_an_error():
    with pytest.raises(ValueError, match="gave 2 letters instead of 8"):
        Edit.of("chr1:1:>G", Interval("chr1", 0, 8), lambda chrom, start, end: "AC")


# Two letters make long repeats, where spellings differ most.
genomes = st.text("AC", min_size=8, max_size=24)


@st.composite
def changes(draw):
    """Draw a genome, a variant, another spelling of it, and a window."""
    genome = draw(genomes)
    start = draw(st.integers(0, len(genome) - 1))
    stop = draw(st.integers(start, min(len(genome), start + 5)))
    alt = draw(st.text("AC", max_size=5))
    changed = genome[:start] + alt + genome[stop:]
    # A spelling is any stretch outside of which both sequences are equal.
    shortest = min(len(genome), len(changed))
    before = next((i for i in range(shortest) if genome[i] != changed[i]), shortest)
    first = draw(st.integers(0, before))
    after = next((i for i in range(shortest - first) if genome[-1 - i] != changed[-1 - i]), shortest - first)
    last = draw(st.integers(0, after))
    spellings = (
        Variant("chr1", start + 1, genome[start:stop], alt),
        Variant("chr1", first + 1, genome[first : len(genome) - last], changed[first : len(changed) - last]),
    )
    low = draw(st.integers(-3, len(genome) - 1))
    return genome, changed, spellings, Interval("chr1", low, draw(st.integers(low + 1, len(genome) + 6)))


def outcome(variant, window, genome):
    try:
        return Edit.of(variant, window, reader(genome))
    except ValueError as error:
        assert "changes nothing in the window" in str(error)  # noqa: PT017
        return None


@given(changes())
def test_equivalent_spellings_give_one_edit(drawn):
    genome, changed, spellings, window = drawn
    one, two = (outcome(variant, window, genome) for variant in spellings)
    if genome == changed:
        assert all(found is None or found.events == () for found in (one, two))
        return
    assert one == two
    if one is not None:
        assert one.variants == two.variants


@given(changes())
def test_letters_follow_from_the_changed_genome(drawn):
    genome, changed, (variant, _), _ = drawn
    window = Interval("chr1", -2, len(genome) + 3)
    found = Edit.of(variant, window, reader(genome))
    assert found.ref == reader(genome)("chr1", -2, len(genome) + 3)
    assert found.alt == reader(changed)("chr1", -2, len(genome) + 3)
    # The spelled variant says the same as the events.
    again = Edit.of(found.variants, window, reader(genome), parity=True)
    assert again.alt == found.alt


@given(changes())
def test_offsets_lead_to_the_same_base(drawn):
    genome, _, (variant, _), window = drawn
    found = outcome(variant, window, genome)
    if found is None:
        return
    offsets = found.alt_offsets
    kept = [i for i in range(len(found.ref)) if offsets[i] >= 0]
    replaced = {e.start + i for e in found.events for i in range(min(e.ref_length, e.alt_length))}
    assert all(found.alt[offsets[i]] == found.ref[i] for i in kept if i not in replaced)
    assert (offsets[kept][1:] > offsets[kept][:-1]).all()
    # A piece is a piece of the whole.
    middle = len(found.ref) // 2
    assert alt_offsets(found.events, middle, len(found.ref), len(found.ref)).tolist() == offsets[middle:].tolist()


def test_insertions_past_the_end_are_left_out():
    assert list(insertions([Event(2, 0, 9), Event(4, 0, 2)], 8)) == [(1, 2, 8)]
    assert list(insertions([Event(0, 0, 2)], 8)) == [(0, 0, 2)]
