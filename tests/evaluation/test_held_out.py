"""Held-out numbers of networks and scores whose accuracy is known beforehand."""

import numpy as np
import pytest
import torch
from made_organisms import PARTNERS, exon_table, made_worm, made_yeast, tiny_config

from genomekit.evaluation import held_out
from genomekit.genome.interval import Interval
from genomekit.nn import AlphaGenome
from genomekit.training.data import OrganismData
from genomekit.training.isoforms import annotate

REPEATS = 20


@pytest.fixture(scope="module")
def worm():
    return made_worm(length=8_000)


def test_labels_are_the_sites_of_the_region(worm):
    splicing = worm.splicing["chrA"]
    region = Interval("chrA", 1000, 5000)
    labels = held_out.site_labels(worm, region)
    inside = (splicing.site_position >= 1000) & (splicing.site_position < 5000)
    assert labels.shape == (4000, 4)
    assert labels.sum() == inside.sum() > 8
    position, kind = np.nonzero(labels)
    assert set(zip(position + 1000, kind, strict=True)) == set(
        zip(splicing.site_position[inside], splicing.site_kind[inside], strict=True)
    )


def test_accuracy_is_strand_by_strand_inside_gene_bodies():
    labels = np.zeros((10, 4), bool)
    labels[[1, 4], 0], labels[7, 2], labels[8, 1], labels[9, 3] = True, True, True, True
    scores = np.zeros((10, 4))
    scores[1, 0], scores[4, 0], scores[7, 2] = 0.9, 0.2, 0.8
    scores[0, 0] = 1.0  # outside of the gene on +
    scores[5, 0] = 0.5  # inside and wrong
    scores[5, 2] = 0.95  # inside of the gene on + alone
    plus, minus = np.zeros((2, 10), bool)
    plus[1:7], minus[6:9] = True, True
    found = held_out.splice_site_accuracy(scores, labels, [plus, minus])
    assert found["donor +"] == 0.5
    assert found["donor -"] == 1.0
    # Pooled: three true donors, and the best three places hold two of them.
    assert found["donor"] == pytest.approx(2 / 3)
    # No acceptor lies inside of a gene body of its strand.
    assert np.isnan([found["acceptor +"], found["acceptor -"], found["acceptor"]]).all()


def test_perfect_scores_are_perfect(worm):
    labels = held_out.site_labels(worm, Interval("chrA", 0, 8_000))
    everywhere = np.ones(8_000, bool)
    found = held_out.splice_site_accuracy(labels.astype(float), labels, [everywhere, everywhere])
    assert set(found.values()) == {1.0}
    # Scores of the other strand are worth nothing.
    wrong = held_out.splice_site_accuracy(labels[:, [2, 3, 0, 1]].astype(float), labels, [everywhere, everywhere])
    assert max(wrong.values()) < 0.2


def test_the_weight_matrix_learns_both_strands():
    other = made_worm(seed=7, length=8_000)
    scores = held_out.weight_matrix_scores(made_worm(seed=3, length=60_000), other.codes["chrA"])
    labels = held_out.site_labels(other, Interval("chrA", 0, 8_000))
    assert scores.shape == labels.shape
    for kind in range(4):
        # Two letters are all that the made-up sites have in common: every site scores above nearly all other places.
        assert np.quantile(scores[labels[:, kind], kind], 0.1) > np.quantile(scores[~labels[:, kind], kind], 0.9)


class Pairing(AlphaGenome):
    """Counts that depend on the distance of donor and acceptor alone; remembers what it was asked."""

    def __init__(self, prefers):
        super().__init__(tiny_config())
        self.prefers = prefers
        self.starts = 0

    def forward(self, dna, organism, modalities=None, *, sites=None, **_):
        self.starts += 1
        plus, minus = ((sites[0, d][:, None] - sites[0, a][None]).abs() for d, a in ((0, 1), (2, 3)))
        counts = torch.stack([self.prefers(pairs.float()) for pairs in (plus, minus)], -1)[None]
        return {"splice_junctions": {"predictions": counts}}


def organism(genes, length):
    exons = exon_table(genes, "c")
    return OrganismData(organism=0, codes={"c": np.zeros(length, np.uint8)}, splicing={"c": annotate(exons, "c")})


NEAREST = Pairing(lambda distance: 1 / distance)
FARTHEST = Pairing(lambda distance: distance)


@pytest.mark.parametrize("strand", ["+", "-"])
def test_the_nearest_acceptor_is_right_for_simple_genes(strand):
    genes = [("g", strand, [[(100, 200), (300, 400), (600, 700)]]), ("h", strand, [[(1500, 1600), (1800, 1900)]])]
    data, region = organism(genes, 2048), Interval("c", 0, 2048)
    assert held_out.junction_ranks(NEAREST, data, region, "splice_junctions", length=2048) == {
        "strict": (3, 3),
        "false": (3, 3),
    }
    # The farthest is right only for the donor that has no other acceptor after it.
    found = held_out.junction_ranks(FARTHEST, data, region, "splice_junctions", length=2048)
    assert found == {"strict": (1, 3), "false": (1, 3)}


def test_other_annotated_acceptors_compete_in_one_rule_alone():
    # One donor, two annotated acceptors, the far one of which is in the first gene's isoform only.
    genes = [("g", "+", [[(100, 200), (300, 400)], [(100, 200), (600, 700)]])]
    data = organism(genes, 2048)
    found = held_out.junction_ranks(NEAREST, data, Interval("c", 0, 2048), "splice_junctions", length=2048)
    assert found == {"strict": (1, 2), "false": (2, 2)}


def test_an_intron_judged_in_an_earlier_window_is_no_false_rival_in_a_later_one():
    # Windows of 2,048 bp begin at 0 and 1,024: the short intron is in both, the long one in the second alone.
    genes = [("g", "+", [[(1100, 1200), (1300, 1400)], [(1100, 1200), (2500, 2600)]])]
    data = organism(genes, 3072)
    found = held_out.junction_ranks(NEAREST, data, Interval("c", 0, 3072), "splice_junctions", length=2048)
    assert found == {"strict": (1, 2), "false": (2, 2)}


def test_every_short_intron_is_judged_once_up_to_the_region_s_end():
    genes = [(f"g{at}", "+-"[at % 2], [[(at, at + 50), (at + 150, at + 200)]]) for at in range(10, 4_700, 251)]
    data, network = organism(genes, 5_000), Pairing(lambda distance: 1 / distance)
    found = held_out.junction_ranks(network, data, Interval("c", 0, 5_000), "splice_junctions", length=2048)
    assert found == {"strict": (len(genes), len(genes)), "false": (len(genes), len(genes))}
    assert network.starts == 4  # at 0, 1,024, 2,048 and, for the end, 2,952
    inner = held_out.junction_ranks(network, data, Interval("c", 1_000, 3_500), "splice_junctions", length=2048)
    within = [g for g in genes if g[2][0][0][1] - 1 >= 1_000 and g[2][0][1][0] < 3_500]
    assert inner["strict"][1] == len(within)


def test_a_base_that_is_two_kinds_of_site_keeps_both_introns():
    # The one-base exon at 300 is acceptor of the first intron and donor of the second.
    data = organism([("g", "+", [[(100, 200), (300, 301), (400, 500)]])], 2048)
    found = held_out.junction_ranks(NEAREST, data, Interval("c", 0, 2048), "splice_junctions", length=2048)
    assert found["strict"] == (2, 2)


def test_ties_and_empty_regions():
    level = Pairing(torch.ones_like)
    genes = [("g", "+", [[(100, 200), (300, 400), (600, 700)]])]
    found = held_out.junction_ranks(
        level, organism(genes, 2048), Interval("c", 0, 2048), "splice_junctions", length=2048
    )
    assert found["strict"] == (1, 2)  # the last donor has but one acceptor after it
    empty = organism([("g", "+", [[(100, 200)]])], 2048)
    found = held_out.junction_ranks(level, empty, Interval("c", 0, 2048), "splice_junctions", length=2048)
    assert found == {"strict": (0, 0), "false": (0, 0)}
    with pytest.raises(ValueError, match=r"shorter than a window of 4,096 bp"):
        held_out.junction_ranks(level, empty, Interval("c", 0, 2048), "splice_junctions", length=4096)


def test_a_real_network_ranks_junctions(worm):
    torch.manual_seed(0)
    network = AlphaGenome(tiny_config()).eval()
    found = held_out.junction_ranks(network, worm, Interval("chrA", 0, 8_000), "splice_junctions", length=4096)
    counts = worm.splicing["chrA"].junction_count
    assert found["strict"][1] == found["false"][1] == len(counts)
    assert 0 < found["strict"][0] <= found["false"][0] <= len(counts)


def test_bins_are_sums_and_the_remainder_is_left_out():
    values = np.arange(2 * 300).reshape(300, 2)
    found = held_out.binned(values)
    assert found.shape == (2, 2)
    assert found[1].tolist() == values[128:256].sum(0).tolist()


class Letters(AlphaGenome):
    """Predicts how many G and T there are, which is what the made-up coverage counts."""

    def forward(self, dna, organism, modalities=None, **_):
        fine = dna[..., 2:]
        binned = fine.unflatten(1, (-1, 128)).sum(2)
        by_name = {"rna_seq": {"predictions_1bp": fine}, "chip_tf": {"predictions_128bp": binned}}
        return {name: by_name[name] for name in modalities}


@pytest.fixture(scope="module")
def counted():
    """Coverage that is the letters themselves, in stretches rich and poor in G and T."""
    rng = np.random.default_rng(0)
    rich = np.repeat(rng.uniform(0.05, 0.45, 200), 128)[:, None]
    chances = np.concatenate([0.5 - rich, 0.5 - rich[::-1], rich, rich[::-1]], 1)
    codes = (chances.cumsum(1) < rng.random((len(rich), 1))).sum(1).astype(np.uint8)
    rows = np.stack([codes == 2, codes == 3]).astype(np.float32)
    partners = {name: PARTNERS[name] for name in ("rna_seq", "chip_tf")}
    coverage = {name: {"chrB": rows} for name in partners}
    return OrganismData(organism=1, codes={"chrB": codes}, coverage=coverage, partners=partners)


def test_coverage_of_a_network_that_knows_is_perfect_wherever_the_region_starts(counted):
    network = Letters(tiny_config()).eval()
    for start in (0, 37, 1000):
        region = Interval("chrB", start, start + 128 * 180)
        found = held_out.coverage_accuracy(
            network, counted, region, ["rna_seq", "chip_tf"], length=4096, margin=512, repeats=REPEATS
        )
        assert set(found) == {(name, channel) for name in ("rna_seq", "chip_tf") for channel in (0, 1)}
        for estimate in found.values():
            assert tuple(estimate) == pytest.approx((1, 1, 1))


def test_the_ridge_finds_what_letters_tell_and_nothing_more(counted):
    train, tune = [Interval("chrB", 0, 9_000)], [Interval("chrB", 9_000, 12_000)]
    test = Interval("chrB", 12_001, 12_001 + 128 * 100)
    found = held_out.ridge_accuracy(counted, train, tune, test, repeats=REPEATS)
    assert set(found) == {(name, channel) for name in ("rna_seq", "chip_tf") for channel in (0, 1)}
    assert all(estimate.value > 0.9 for estimate in found.values())
    noise = made_yeast(length=25_600)
    found = held_out.ridge_accuracy(noise, train, tune, test, repeats=REPEATS)
    assert all(abs(estimate.value) < 0.5 for estimate in found.values())
