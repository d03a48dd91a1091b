"""Variants that break splice sites, and their controls."""

import numpy as np
import pandas as pd
import pytest

import genomekit as gk
from genomekit.evaluation.splice_variants import choose_pairs, score_pairs, table, with_interval
from genomekit.model import Model


@pytest.fixture
def genome(tmp_path):
    """Two genes of one intron each, GT-AG on their own strand."""
    letters = np.random.default_rng(0).choice(list("ACGT"), 6000)
    letters[[2000, 2001, 2198, 2199]] = list("GTAG")  # + intron [2000, 2200)
    letters[[4000, 4001, 4198, 4199]] = list("CTAC")  # - intron [4000, 4200): its donor is on the right
    (tmp_path / "genome.fa").write_text(f">chrA\n{''.join(letters)}\n")
    lines = []
    for name, strand, exons in (("g1", "+", [(1500, 2000), (2200, 2600)]), ("g2", "-", [(3500, 4000), (4200, 4600)])):
        own = f'gene_id "{name}"; gene_name "{name}"; gene_biotype "protein_coding"; transcript_id "{name}.1";'
        spans = [("transcript", (exons[0][0], exons[-1][1])), *(("exon", exon) for exon in exons)]
        lines += [f"chrA\tmade\t{kind}\t{a + 1}\t{b}\t.\t{strand}\t.\t{own}" for kind, (a, b) in spans]
    (tmp_path / "genes.gtf").write_text("\n".join(lines) + "\n")
    return gk.Genome(tmp_path / "genome.fa", tmp_path / "genes.gtf", organism="worm")


def test_pairs_break_the_g_and_controls_are_far(genome):
    pairs = [pair for seed in range(8) for pair in choose_pairs(genome, "chrA", 2, seed)]
    places = {("donor", 2000, "G"), ("acceptor", 2199, "G"), ("donor", 4199, "C"), ("acceptor", 4000, "C")}
    assert {(pair.kind, pair.position, pair.ref) for pair in pairs} == places
    for pair in pairs:
        assert genome.fasta.fetch("chrA", pair.control, pair.control + 1) == pair.ref
        assert pair.alt != pair.ref
        assert min(abs(pair.control - site) for site in (2000, 2200, 4000, 4200)) >= 30
        assert (1500 <= pair.control < 2600) == (1500 <= pair.position < 2600)


def test_both_of_a_pair_are_scored(genome, tiny_checkpoint):
    engine = Model(tiny_checkpoint, device="cpu", precision="float32").engine
    scored = score_pairs(engine, genome, choose_pairs(genome, "chrA", 2))
    assert scored["kind"].tolist() == ["donor", "donor", "acceptor", "acceptor"]
    assert scored["broken"].tolist() == [True, False] * 2
    assert np.isfinite(scored["merged_splicing"]).all()


def test_the_table_by_hand():
    # Of the 4 comparisons of a broken with a control variant 3 are right: 0.75.
    scores = np.array([[0.9, 0.3], [0.2, 0.1]])
    value, low, high = with_interval(scores)
    assert value == 0.75
    assert low <= value <= high
    scored = pd.DataFrame({"kind": "donor", "broken": [True, False] * 2, "merged_splicing": scores.ravel()})
    row = table(scored, "chrA").splitlines()[-1]
    assert row.startswith("| chrA | all, 2 pairs | 0.750 (")
    assert row.endswith("| 0.550 | 0.200 |")
