"""Sites, usage and junctions by hand, under reverse complement, and on the real worm."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_organisms import exon_table, made_exons, reversed_exons

from genomekit.genome.annotation import Annotation
from genomekit.genome.fasta import Fasta
from genomekit.genome.junction import Junction
from genomekit.genome.letters import base_codes
from genomekit.training.isoforms import annotate

A, C, G, T = range(4)

ISOFORMS = [
    [(10, 20), (30, 40), (50, 60)],
    [(10, 20), (50, 60)],
    [(25, 40), (50, 60)],
]


def sites(found):
    keys = zip(found.site_position.tolist(), found.site_kind.tolist(), strict=True)
    return dict(zip(keys, found.site_usage.tolist(), strict=True))


def junctions(found):
    columns = (found.junction_donor, found.junction_acceptor, found.junction_strand, found.junction_count)
    return set(zip(*(column.tolist() for column in columns), strict=True))


def test_a_gene_on_the_forward_strand():
    found = annotate(exon_table([("g", "+", ISOFORMS)], "chrI"), "chrI")
    # The third isoform begins at 25, so it does not reach over the donor at 19 but over the acceptor at 30.
    assert sites(found) == {
        (19, 0): pytest.approx(2 / 2),
        (30, 1): pytest.approx(1 / 3),
        (39, 0): pytest.approx(2 / 3),
        (50, 1): pytest.approx(3 / 3),
    }
    assert junctions(found) == {(19, 30, 0, 1.0), (39, 50, 0, 2.0), (19, 50, 0, 1.0)}


def test_a_gene_on_the_reverse_strand():
    found = annotate(exon_table([("g", "-", ISOFORMS)], "chrI"), "chrI")
    assert set(sites(found)) == {(19, 3), (30, 2), (39, 3), (50, 2)}
    assert junctions(found) == {(30, 19, 1, 1.0), (50, 39, 1, 2.0), (50, 19, 1, 1.0)}


@pytest.mark.parametrize("strand", ["+", "-"])
def test_sites_are_those_of_a_junction(strand):
    found = annotate(exon_table([("g", strand, [[(0, 10), (50, 60)]])], "chrI"), "chrI")
    intron = Junction("chrI", 10, 50, strand)
    assert (found.junction_donor.item(), found.junction_acceptor.item()) == (intron.donor, intron.acceptor)


def test_other_chromosomes_touching_exons_and_unstranded_exons_make_no_sites():
    table = exon_table([("g", "+", [[(0, 10), (10, 20)]]), ("h", ".", [[(30, 40), (60, 70)]])], "chrI")
    for chrom in ("chrI", "chrII"):
        found = annotate(table, chrom)
        assert len(found.site_position) == len(found.junction_donor) == 0


def test_a_site_of_two_genes_keeps_the_larger_usage():
    genes = [("g", "+", [[(0, 10), (20, 30)]]), ("h", "+", [[(0, 10), (20, 30)], [(0, 30)]])]
    found = annotate(exon_table(genes, "chrI"), "chrI")
    assert sites(found) == {(9, 0): 1.0, (20, 1): 1.0}
    assert junctions(found) == {(9, 20, 0, 2.0)}


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_the_reverse_complement_has_the_same_splicing(seed):
    length = 3000
    exons = made_exons(np.random.default_rng(seed), length, "chrA")
    found, turned = annotate(exons, "chrA"), annotate(reversed_exons(exons, length), "chrA")
    assert sites(turned) == {(length - 1 - p, (k + 2) % 4): u for (p, k), u in sites(found).items()}
    assert junctions(turned) == {(length - 1 - d, length - 1 - a, 1 - s, n) for d, a, s, n in junctions(found)}
    assert (np.diff(found.site_position) >= 0).all()
    assert ((found.site_usage > 0) & (found.site_usage <= 1)).all()


@pytest.fixture(scope="module")
def worm_chr1(shared):
    exons = Annotation.open(shared / "data/celegans/ce10.genes.gtf.gz").exons()
    fasta = Fasta(shared / "data/celegans/ce10.fa.gz")
    return annotate(exons, "chrI"), base_codes(fasta.fetch("chrI", 0, fasta.lengths["chrI"]))


def test_introns_of_the_worm_begin_with_gt_and_end_with_ag_on_both_strands(worm_chr1):
    found, codes = worm_chr1
    following = {0: (1, G, 2, T), 1: (-1, G, -2, A), 2: (-1, C, -2, A), 3: (1, C, 2, T)}
    for kind, (near, first, far, second) in following.items():
        at = found.site_position[found.site_kind == kind]
        assert len(at) > 8000
        assert ((codes[at + near] == first) & (codes[at + far] == second)).mean() > 0.98


def test_junctions_of_the_worm_join_its_sites(worm_chr1):
    found, _ = worm_chr1
    known = set(sites(found))
    for position, offset in ((found.junction_donor, 0), (found.junction_acceptor, 1)):
        kinds = offset + 2 * found.junction_strand
        assert set(zip(position.tolist(), kinds.tolist(), strict=True)) == {
            site for site in known if site[1] % 2 == offset
        }
    forward = np.where(found.junction_strand == 0, 1, -1)
    assert ((found.junction_acceptor - found.junction_donor) * forward > 1).all()
    assert 40 < np.median(np.abs(found.junction_acceptor - found.junction_donor)) < 200
    for field in dataclasses.fields(found):
        assert np.isfinite(getattr(found, field.name)).all(), field.name
