"""The designed gene holds what it says it holds."""

import itertools

import pytest

from genomekit.testing import designed_gene

STOPS = {"TAA", "TAG", "TGA"}
COMPLEMENT = str.maketrans("ACGT", "TGCA")


def reverse_complement(letters):
    return letters.translate(COMPLEMENT)[::-1]


def read(gene, place):
    letters = gene.sequence[place.start - gene.interval.start : place.end - gene.interval.start]
    return letters if gene.gene.strand == "+" else reverse_complement(letters)


@pytest.fixture(params=[(seed, strand) for seed in range(6) for strand in "+-"], ids=str)
def gene(request):
    seed, strand = request.param
    return designed_gene(seed=seed, strand=strand)


def test_every_intron_has_the_consensus_and_its_exons_too(gene):
    for before, intron, after in zip(gene.exons, gene.introns, gene.exons[1:], strict=False):
        letters = read(gene, intron)
        assert letters.startswith("GTAAGT")
        assert letters.endswith("TTTTCAG")
        assert 50 <= len(letters) <= 400
        assert read(gene, before).endswith("AG")
        assert read(gene, after)[0] in "AG"


def test_signals_occur_nowhere_else(gene):
    for letters in (gene.sequence, reverse_complement(gene.sequence)):
        own = read(gene, gene.interval) == letters
        assert letters.count("GTAAGT") == len(gene.introns) * own
        assert letters.count("TTTCAG") == len(gene.introns) * own


def test_coding_parts_are_one_open_reading_frame(gene):
    letters = "".join(read(gene, part) for part in gene.coding)
    codons = [letters[start : start + 3] for start in range(0, len(letters), 3)]
    assert len(letters) % 3 == 0
    assert codons[0] == "ATG"
    assert codons[-1] in STOPS
    assert not STOPS & set(codons[:-1])


def test_exons_and_introns_tile_the_gene(gene):
    parts = sorted((part.start, part.end) for part in (*gene.exons, *gene.introns))
    assert parts[0][0] == gene.gene.start
    assert parts[-1][1] == gene.gene.end
    assert all(left[1] == right[0] for left, right in itertools.pairwise(parts))


def test_sites_are_the_exon_bases_next_to_the_introns(gene):
    step = 1 if gene.gene.strand == "+" else -1
    ends = [exon.end - 1 if step == 1 else exon.start for exon in gene.exons[:-1]]
    starts = [exon.start if step == 1 else exon.end - 1 for exon in gene.exons[1:]]
    assert list(gene.donors) == ends
    assert list(gene.acceptors) == starts


def test_promoter_and_tail(gene):
    whole = read(gene, gene.interval)
    start = gene.tss if gene.gene.strand == "+" else len(whole) - 1 - gene.tss
    assert whole[start - 2 : start + 5] == "TCATTCT"
    assert whole[start - 31 : start - 25] == "TATAAA"
    end = gene.polya_site if gene.gene.strand == "+" else len(whole) - 1 - gene.polya_site
    assert "AATAAA" in whole[end - 25 : end]


def test_composition_is_that_of_a_worm():
    gene = designed_gene(length=65_536)
    exons = "".join(read(gene, part) for part in gene.coding)
    share = {name: sum(map(text.count, "GC")) / len(text) for name, text in (("exon", exons), ("all", gene.sequence))}
    assert share["exon"] == pytest.approx(0.43, abs=0.04)
    assert share["all"] == pytest.approx(0.31, abs=0.02)


def test_the_same_arguments_give_the_same_letters():
    assert designed_gene(seed=3) == designed_gene(seed=3)
    assert designed_gene(seed=3).sequence != designed_gene(seed=4).sequence


def test_strands_are_mirror_images():
    plus, minus = designed_gene(seed=5), designed_gene(seed=5, strand="-")
    assert minus.sequence == reverse_complement(plus.sequence)
    assert [8_191 - donor for donor in minus.donors] == list(plus.donors)


def test_placed_moves_every_part():
    gene = designed_gene()
    moved = gene.placed("chrV", 1_000, "other")
    assert moved.name == "other"
    assert {part.chrom for part in (moved.gene, *moved.exons, *moved.introns, *moved.coding)} == {"chrV"}
    assert [donor - 1_000 for donor in moved.donors] == list(gene.donors)
    assert (moved.tss - gene.tss, moved.polya_site - gene.polya_site) == (1_000, 1_000)


def test_the_table_has_the_exons_in_genomic_order(gene):
    frame = gene.to_frame()
    assert frame["start"].is_monotonic_increasing
    assert set(zip(frame["start"], frame["end"], strict=True)) == {(exon.start, exon.end) for exon in gene.exons}
    assert frame["transcript_id"].unique().tolist() == ["designed.1"]


def test_a_gene_without_introns():
    gene = designed_gene(introns=0, length=2_048)
    assert gene.donors == ()
    assert len(gene.exons) == 1


def test_lengths_are_exact():
    assert [len(designed_gene(length=length).sequence) for length in (4_097, 16_384)] == [4_097, 16_384]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [({"strand": "."}, r"'\.'.*'\+' or '-'"), ({"length": 500}, "500 bp is too short"), ({"introns": -1}, "-1")],
)
def test_bad_arguments(arguments, text):
    with pytest.raises(ValueError, match=text):
        designed_gene(**arguments)
