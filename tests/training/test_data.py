"""Windows and their targets: forward by hand, reverse against the reverse-complemented genome, and blanked."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from made_organisms import PARTNERS, made_exons, made_worm, made_yeast, reversed_organism

from genomekit.genome.interval import Interval
from genomekit.nn.splice import select_sites
from genomekit.training.data import (
    OTHER,
    Augmentation,
    Junctions,
    OrganismData,
    Sampler,
    Window,
    junction_targets,
    make_batch,
    tile,
)
from genomekit.training.isoforms import annotate

RESOLUTIONS = {"atac": 1, "rna_seq": 1, "chip_tf": 128, "mnase": 1}
LENGTH, CHROMOSOME = 1024, 12_000


@pytest.fixture(scope="module")
def worm():
    return made_worm()


@pytest.fixture(scope="module")
def yeast():
    return made_yeast()


@pytest.fixture(scope="module")
def turned_worm(worm):
    return reversed_organism(worm, made_exons(np.random.default_rng(0), CHROMOSOME, "chrA"))


@pytest.fixture(scope="module")
def turned_yeast(yeast):
    return reversed_organism(yeast)


def introns(batch, index=0):
    return set(zip(*(column.tolist() for column in batch.junctions[index]), strict=True))


def same(a, b):
    assert torch.equal(a.dna, b.dna)
    assert a.coverage.keys() == b.coverage.keys()
    for name, value in a.coverage.items():
        torch.testing.assert_close(value, b.coverage[name], msg=name)
    assert (a.classes is None) == (b.classes is None)
    if a.classes is not None:
        assert torch.equal(a.classes, b.classes)
        assert torch.equal(a.usage, b.usage)
        assert [introns(a, i) for i in range(len(a.dna))] == [introns(b, i) for i in range(len(b.dna))]


def test_a_window_holds_what_the_chromosome_has(worm):
    start, splicing = 1234, worm.splicing["chrA"]
    batch = make_batch(worm, [Window("chrA", start, False)], LENGTH, RESOLUTIONS)
    assert (batch.dna[0].argmax(-1).numpy() == worm.codes["chrA"][start : start + LENGTH]).all()
    assert batch.organism.tolist() == [worm.organism]
    assert batch.coverage == {}
    expected = np.full(LENGTH, OTHER)
    usage = np.zeros((LENGTH, 2), np.float32)
    for position, kind, share in zip(splicing.site_position, splicing.site_kind, splicing.site_usage, strict=True):
        if start <= position < start + LENGTH:
            expected[position - start] = kind
            usage[position - start, kind // 2] = share
    assert set(expected) == {0, 1, 2, 3, 4}
    assert (batch.classes[0].numpy() == expected).all()
    np.testing.assert_array_equal(batch.usage[0].numpy(), usage)
    for donor, acceptor, strand, count in introns(batch):
        assert expected[donor] == 2 * strand
        assert expected[acceptor] == 2 * strand + 1
        assert (acceptor > donor) == (strand == 0)
        assert count in (1.0, 2.0)


def test_coverage_is_summed_over_each_bin(yeast):
    start = 1001
    batch = make_batch(yeast, [Window("chrB", start, False)], LENGTH, RESOLUTIONS)
    signal = yeast.coverage["chip_tf"]["chrB"][:, start : start + LENGTH]
    assert batch.coverage["chip_tf"].shape == (1, LENGTH // 128, 2)
    np.testing.assert_allclose(batch.coverage["chip_tf"][0, 1], signal[:, 128:256].sum(1), rtol=1e-5)
    np.testing.assert_array_equal(
        batch.coverage["rna_seq"][0].T, yeast.coverage["rna_seq"]["chrB"][:, start : start + LENGTH]
    )
    assert batch.classes is None
    assert batch.usage is None
    assert batch.junctions == []


@settings(deadline=None, max_examples=30)
@given(start=st.integers(0, CHROMOSOME - LENGTH))
def test_a_reversed_window_is_the_window_of_the_reversed_genome(worm, turned_worm, yeast, turned_yeast, start):
    mirrored = CHROMOSOME - LENGTH - start
    for data, turned in ((worm, turned_worm), (yeast, turned_yeast)):
        (chrom,) = data.codes
        back = make_batch(data, [Window(chrom, start, True)], LENGTH, RESOLUTIONS)
        same(back, make_batch(turned, [Window(chrom, mirrored, False)], LENGTH, RESOLUTIONS))
        # Twice is the identity.
        twice = make_batch(turned, [Window(chrom, mirrored, True)], LENGTH, RESOLUTIONS)
        same(twice, make_batch(data, [Window(chrom, start, False)], LENGTH, RESOLUTIONS))


def test_a_reversed_window_swaps_what_it_should(worm, yeast):
    windows = [Window("chrA", 500, False), Window("chrA", 500, True)]
    batch = make_batch(worm, windows, LENGTH, {})
    assert torch.equal(batch.dna[1], batch.dna[0].flip(0, 1))  # A C G T backwards is the complement
    assert torch.equal(batch.usage[1], batch.usage[0].flip(0, 1))
    swapped = torch.tensor([2, 3, 0, 1, 4])[batch.classes[0].flip(0)]
    assert torch.equal(batch.classes[1], swapped)
    turned = {(LENGTH - 1 - d, LENGTH - 1 - a, 1 - s, n) for d, a, s, n in introns(batch)}
    assert introns(batch, 1) == turned
    batch = make_batch(yeast, [Window("chrB", 500, False), Window("chrB", 500, True)], LENGTH, RESOLUTIONS)
    for name, order in PARTNERS.items():
        torch.testing.assert_close(batch.coverage[name][1], batch.coverage[name][0].flip(0)[:, order])


def test_blanked_flanks_hold_nothing_and_are_not_judged(worm, yeast):
    for reverse in (False, True):
        whole = make_batch(worm, [Window("chrA", 500, reverse)], LENGTH, {})
        blank = make_batch(worm, [Window("chrA", 500, reverse, (200, 300))], LENGTH, {})
        kept = slice(200, LENGTH - 300)
        assert blank.known[0].nonzero().flatten().tolist() == list(range(200, LENGTH - 300))
        assert torch.equal(blank.dna[0, kept], whole.dna[0, kept])
        assert blank.dna[~blank.known].sum() == 0
        assert torch.equal(blank.classes[0, kept], whole.classes[0, kept])
        assert (blank.classes[~blank.known] == -1).all()
        assert blank.usage[~blank.known].sum() == 0
        inside = {i for i in introns(whole) if all(200 <= place < LENGTH - 300 for place in i[:2])}
        assert introns(blank) == inside
        batch = make_batch(yeast, [Window("chrB", 500, reverse, (128, 256))], LENGTH, RESOLUTIONS)
        assert batch.coverage["chip_tf"][0, [0, -1, -2]].sum() == 0
        assert (batch.coverage["chip_tf"][0, 1:-2] > 0).all()
        assert batch.coverage["rna_seq"][~batch.known].sum() == 0


def test_unknown_letters_are_zero_rows():
    data = OrganismData(organism=0, codes={"c": np.array([0, 4, 3, 1], np.uint8)})
    batch = make_batch(data, [Window("c", 0, False), Window("c", 0, True)], 4, {})
    assert batch.dna[0].tolist() == [[1, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 1], [0, 1, 0, 0]]
    assert batch.dna[1].argmax(-1)[[0, 1, 3]].tolist() == [2, 0, 3]
    assert batch.dna[1, 2].sum() == 0


def test_coverage_without_partners_is_refused():
    with pytest.raises(ValueError, match="rna_seq came without `partners`"):
        OrganismData(organism=0, codes={}, coverage={"rna_seq": {}})


def test_windows_lie_in_regions_and_reach_their_ends():
    regions = [Interval("chrA", 100, 110), Interval("chrB", 50, 56)]
    sampler = Sampler(regions, 5, Augmentation(), seed=0)
    drawn = [sampler.draw() for _ in range(800)]
    places = {(window.chrom, window.start) for window in drawn}
    assert places == {("chrA", start) for start in range(100, 106)} | {("chrB", 50), ("chrB", 51)}
    # Eight starts, each equally likely.
    assert 60 < sum(window.chrom == "chrB" for window in drawn) / 800 * 400 < 140
    assert 300 < sum(window.reverse for window in drawn) < 500
    assert all(window.blank == (0, 0) for window in drawn)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**32 - 1))
def test_blanking_leaves_at_least_what_it_must(seed):
    sampler = Sampler([Interval("c", 0, 20_000)], 4096, Augmentation(blank=1.0, least_kept=512), seed=seed)
    left, right = sampler.draw().blank
    assert 0 <= left
    assert 0 <= right
    assert 512 <= 4096 - left - right <= 4096


def test_the_same_seed_draws_the_same_windows():
    first, second, other = (Sampler([Interval("c", 0, 10**6)], 100, Augmentation(), seed=s) for s in (3, 3, 4))
    drawn = [first.draw() for _ in range(5)]
    assert drawn == [second.draw() for _ in range(5)]
    assert drawn != [other.draw() for _ in range(5)]


def test_regions_too_short_for_a_window_are_refused():
    with pytest.raises(ValueError, match=r"No region holds a window of 2,048 bp; the widest has 2,047"):
        Sampler([Interval("c", 0, 2047), Interval("c", 5, 10)], 2048, Augmentation(), seed=0)
    with pytest.raises(ValueError, match="the widest has 0"):
        Sampler([], 2048, Augmentation(), seed=0)


def test_tiles_do_not_overlap():
    places = [(window.chrom, window.start) for window in tile([Interval("a", 3, 14), Interval("b", 0, 4)], 5)]
    assert places == [("a", 3), ("a", 8)]


def test_counts_lie_on_the_chosen_sites():
    places = [[10, 10, 40, 12], [20, 30, 35, 30], [0, 0, 1, 0]]
    introns = Junctions(*map(np.array, places), np.array([3, 1, 2, 9], np.float32))
    # donor+ 12 is not chosen; positions beyond the last are -1
    sites = torch.tensor([[[5, 10, -1], [20, 30, -1], [40, -1, -1], [35, 36, -1]]])
    out = junction_targets([introns], sites)
    expected = torch.zeros(1, 3, 3, 2)
    expected[0, 1, 0, 0], expected[0, 1, 1, 0], expected[0, 0, 0, 1] = 3, 1, 2
    assert torch.equal(out, expected)


def test_no_sites_and_no_introns_give_zeros():
    none = Junctions(*(np.array([], dtype) for dtype in (int, int, int, np.float32)))
    one = Junctions(np.array([1]), np.array([5]), np.array([0]), np.array([2.0], np.float32))
    out = junction_targets([none, one], torch.full((2, 4, 2), -1))
    assert out.shape == (2, 2, 2, 2)
    assert out.sum() == 0


def test_every_intron_finds_its_place_among_annotated_sites(worm):
    windows = [Window("chrA", start, start % 2 == 1) for start in (0, 501, 2000)]
    batch = make_batch(worm, windows, LENGTH, {})
    known = torch.nn.functional.one_hot(batch.classes, 5).float()
    targets = junction_targets(batch.junctions, select_sites(known, 40, 0.5))
    for index, found in enumerate(batch.junctions):
        assert len(found.count) > 2
        assert targets[index].sum() == found.count.sum()


def test_real_windows_are_the_same_from_either_strand(shared):
    """A stretch of the real worm, read backwards, against the stretch turned around by other means."""
    from made_organisms import reversed_exons

    from genomekit.genome.annotation import Annotation
    from genomekit.genome.fasta import Fasta, reverse_complement
    from genomekit.genome.letters import base_codes

    exons = Annotation.open(shared / "data/celegans/ce10.genes.gtf.gz").exons("chrIII:5,000,000-5,200,000")
    letters = Fasta(shared / "data/celegans/ce10.fa.gz").fetch("chrIII", 0, 5_200_000)
    size = len(letters)
    forward = OrganismData(
        organism=0, codes={"chrIII": base_codes(letters)}, splicing={"chrIII": annotate(exons, "chrIII")}
    )
    turned = OrganismData(
        organism=0,
        codes={"chrIII": base_codes(reverse_complement(letters))},
        splicing={"chrIII": annotate(reversed_exons(exons, size), "chrIII")},
    )
    starts = range(5_050_000, 5_150_000, 30_011)
    back = make_batch(forward, [Window("chrIII", start, True) for start in starts], 16_384, {})
    same(back, make_batch(turned, [Window("chrIII", size - 16_384 - start, False) for start in starts], 16_384, {}))
    assert (back.classes < 4).sum() > 20
