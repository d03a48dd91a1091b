"""The toy genome on disk agrees with the genes it was made of."""

import pytest

from genomekit.testing import toy_genome


@pytest.fixture
def toy(tmp_path):
    return toy_genome(tmp_path / "new" / "folder", seed=1)


def chromosomes(fasta):
    records = fasta.read_text().split(">")[1:]
    return {name: "".join(lines) for name, *lines in (record.split("\n") for record in records)}


def test_genes_lie_where_they_say(toy):
    letters = chromosomes(toy.fasta)
    assert {name: len(text) for name, text in letters.items()} == {"chrI": 10_000, "chrII": 10_000}
    for gene in toy.genes:
        assert letters[gene.interval.chrom][gene.interval.start : gene.interval.end] == gene.sequence


def test_gtf_counts_from_one_and_frames_add_up(toy):
    rows = [line.split("\t") for line in toy.gtf.read_text().splitlines()]
    gene = toy.genes[1]
    own = [row for row in rows if '"toy-2"' in row[8]]
    exons = [(int(row[3]) - 1, int(row[4])) for row in own if row[2] == "exon"]
    assert exons == [(exon.start, exon.end) for exon in gene.exons]
    assert {row[6] for row in own} == {"-"}
    coding = [(int(row[4]) - int(row[3]) + 1, int(row[7])) for row in own if row[2] == "CDS"]
    left = 0  # bases of a codon begun in the part before
    for length, frame in coding:
        assert frame == (3 - left) % 3
        left = (left + length) % 3
    assert left == 0


def test_every_line_of_the_fasta_is_at_most_60_letters(toy):
    assert max(map(len, toy.fasta.read_text().splitlines())) == 60


def test_one_gene_is_too_few(tmp_path):
    with pytest.raises(ValueError, match="genes=1 is too few"):
        toy_genome(tmp_path, genes=1)
