import numpy as np
import pytest

from genomekit.engine import Junctions, one_hot
from genomekit.engine.encode import reverse_complement, reverse_sites
from genomekit.engine.strands import parts, read_window

FLOAT32_SLICED = 1e-5


@pytest.fixture
def dna():
    return one_hot("".join(np.random.default_rng(5).choice(list("ACGT"), 2048)))


@pytest.fixture
def wanted(tiny_engine):
    return parts(tiny_engine.tracks, "worm", tiny_engine.tracks)


def close(a, b):
    np.testing.assert_allclose(a, b, rtol=FLOAT32_SLICED, atol=FLOAT32_SLICED)


def whole(wanted):
    return {n: slice(0, 2048 // p.modality.resolution) for n, p in wanted.items() if not p.is_junction}


def test_parts_know_partners_and_tissues(wanted):
    assert wanted["rna_seq"].channels.tolist() == [0, 1, 2, 3]
    assert wanted["rna_seq"].partners.tolist() == [2, 3, 0, 1]
    assert wanted["splice_junctions"].channels.tolist() == [0, 1]
    assert len(wanted["splice_junctions"].rows) == 4


def test_a_selection_of_one_strand_reads_its_partners_on_the_other(tiny_engine):
    chosen = tiny_engine.tracks.select(organism="worm", modalities="rna_seq", strand="-")
    part = parts(chosen, "worm", tiny_engine.tracks)["rna_seq"]
    assert part.channels.tolist() == [2, 3]
    assert part.partners.tolist() == [0, 1]


def test_minus_of_the_reverse_complement_is_plus_of_the_sequence_mapped(tiny_engine, dna, wanted):
    # Reading rc(x) on "-" reads x, so the result is that of x, flipped and with strands swapped.
    plus = read_window(tiny_engine, dna, "worm", wanted, whole(wanted))
    minus = read_window(tiny_engine, reverse_complement(dna), "worm", wanted, whole(wanted), strand="-")
    close(minus["rna_seq"], plus["rna_seq"][::-1][:, [2, 3, 0, 1]])
    close(minus["atac"], plus["atac"][::-1])
    close(minus["contact_maps"], plus["contact_maps"][::-1, ::-1])
    close(minus["splice_sites"], plus["splice_sites"][::-1][:, [2, 3, 0, 1]])
    assert np.isnan(minus["dnase"][0]).all()
    close(minus["dnase"][1:], plus["dnase"][:0:-1])
    a, b = plus["splice_junctions"], minus["splice_junctions"]
    np.testing.assert_array_equal(b.sites, np.where(a.sites >= 0, 2047 - a.sites, -1)[[2, 3, 0, 1]])
    close(b.predictions, np.roll(a.predictions, 2, axis=-1))


def test_bins_on_minus_are_those_of_the_whole(tiny_engine, dna, wanted):
    full = read_window(tiny_engine, dna, "worm", wanted, whole(wanted), strand="-")
    for start, stop in ((0, 5), (700, 900), (2040, 2048)):
        bins = {n: slice(start // (2048 // b.stop), -(-stop * b.stop // 2048)) for n, b in whole(wanted).items()}
        part = read_window(tiny_engine, dna, "worm", wanted, bins, strand="-")
        for name, kept in bins.items():
            expected = full[name][kept, kept] if name == "contact_maps" else full[name][kept]
            close(part[name], expected)


def test_an_average_is_the_mean_of_both_readings(tiny_engine, dna, wanted):
    plus = read_window(tiny_engine, dna, "worm", wanted, whole(wanted))
    minus = read_window(tiny_engine, dna, "worm", wanted, whole(wanted), strand="-")
    both = read_window(tiny_engine, dna, "worm", wanted, whole(wanted), average=True)
    close(both["rna_seq"], (plus["rna_seq"] + minus["rna_seq"]) / 2)
    close(both["dnase"][0], plus["dnase"][0])
    assert np.isfinite(both["dnase"]).all()
    junctions = both["splice_junctions"]
    assert isinstance(junctions, Junctions)
    np.testing.assert_array_equal(junctions.sites, plus["splice_junctions"].sites)


def pairs(junctions, length=2048, turned=False):
    """Counts of pairs of sites that can be an intron, by strand, donor and acceptor."""
    found = {}
    for strand in (0, 1):
        donors, acceptors = junctions.sites[2 * strand], junctions.sites[2 * strand + 1]
        for i, donor in enumerate(donors):
            for j, acceptor in enumerate(acceptors):
                if min(donor, acceptor) < 0 or (donor < acceptor) != (strand == 0) or donor == acceptor:
                    continue
                place = (1 - strand, length - 1 - donor, length - 1 - acceptor) if turned else (strand, donor, acceptor)
                tissues = junctions.predictions.shape[-1] // 2
                found[place] = junctions.predictions[i, j, strand * tissues : (strand + 1) * tissues]
    return found


def test_junctions_of_given_sites_on_minus_are_those_of_the_other_strand(tiny_engine, dna, wanted):
    """Given sites are turned: every pair keeps its own count, and an average is the mean pair by pair."""
    part = {"splice_junctions": wanted["splice_junctions"]}
    plus = read_window(tiny_engine, dna, "worm", part, {})["splice_junctions"]
    assert (plus.sites >= 0).sum() > 8
    minus = read_window(tiny_engine, dna, "worm", part, {}, strand="-", sites=plus.sites)["splice_junctions"]
    np.testing.assert_array_equal(minus.sites, plus.sites)
    there = reverse_sites(plus.sites, 2048)
    there = np.stack([np.r_[np.sort(row[row >= 0]), row[row < 0]] for row in there])
    other = read_window(tiny_engine, reverse_complement(dna), "worm", part, {}, sites=there)["splice_junctions"]
    expected, got = pairs(other, turned=True), pairs(minus)
    assert set(got) == set(expected)
    assert len(got) > 8
    average = pairs(read_window(tiny_engine, dna, "worm", part, {}, average=True)["splice_junctions"])
    for place, counts in pairs(plus).items():
        close(got[place], expected[place])
        close(average[place], (counts + expected[place]) / 2)


def test_an_average_of_a_palindrome_is_symmetric(tiny_engine, wanted):
    half = one_hot("".join(np.random.default_rng(6).choice(list("ACGT"), 1024)))
    dna = np.concatenate([half, reverse_complement(half)])
    both = read_window(tiny_engine, dna, "worm", wanted, whole(wanted), average=True)
    close(both["rna_seq"], both["rna_seq"][::-1][:, [2, 3, 0, 1]])
