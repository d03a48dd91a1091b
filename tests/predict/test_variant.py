"""Both alleles of a variant: the numbers of predict_sequence, on one set of coordinates."""

import numpy as np
import pandas as pd
import pytest

from genomekit.engine import passes
from genomekit.engine.encode import one_hot
from genomekit.engine.strands import read_window
from genomekit.errors import GenomekitWarning, ReferenceMismatch
from genomekit.genome.assembly import Genome
from genomekit.predict import find_own_organism, make_request, predict_haplotype, predict_sequence, predict_variant
from genomekit.testing import toy_genome

FLOAT32_SAME_PASS = 1e-6
ONE_BP = ["atac", "dnase", "rna_seq", "splice_sites", "splice_site_usage"]
BINNED = ["chip_tf", "contact_maps"]
TRACKS = [*ONE_BP, *BINNED]


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    return toy_genome(tmp_path_factory.mktemp("toy"), seed=1)


@pytest.fixture
def genome(toy):
    return Genome(toy.fasta, toy.gtf, name="toy", organism="worm")


@pytest.fixture
def bare(toy):
    """Without annotation."""
    return Genome(toy.fasta, name="toy", organism="worm")


def close(a, b):
    np.testing.assert_allclose(a, b, rtol=FLOAT32_SAME_PASS, atol=FLOAT32_SAME_PASS)


def other(letter):
    return "A" if letter != "A" else "C"


def snv(genome, position, chrom="chrI"):
    letter = genome.sequence(f"{chrom}:{position - 1}-{position}")
    return f"{chrom}:{position}:{letter}>{other(letter)}"


def whole(engine, letters, names=TRACKS, **options):
    return predict_sequence(engine, letters, organism="worm", modalities=names, **options)


# --- substitutions ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("average", [False, True])
def test_a_substitution_is_two_sequences(tiny_engine, genome, average):
    tree = predict_variant(tiny_engine, snv(genome, 3000), genome=genome, modalities=TRACKS, average_strands=average)
    # An SNV at 3000 (offset 2999) in a window of 2048 bp by the rule of resize: 2999 - 1023 = 1976.
    assert tree.attrs["window"] == "chrI:1976-4024"
    assert (tree.attrs["start"], tree.attrs["end"]) == (1976, 4024)
    ref = genome.sequence("chrI:1976-4024")
    alt = ref[:1023] + other(ref[1023]) + ref[1024:]
    for allele, letters in (("ref", ref), ("alt", alt)):
        expected = whole(tiny_engine, letters, average_strands=average)
        for name in TRACKS:
            close(tree[name]["signal"].sel(allele=allele), expected[name]["signal"])
            assert tree[name].attrs["allele_alignment"] == "ref"
    assert (tree["rna_seq"].gk.delta()["signal"] != 0).any()


def test_labels(tiny_engine, genome):
    variant = snv(genome, 3000)
    tree = predict_variant(tiny_engine, variant, genome=genome, interval="chrI:2,990-3,010")
    assert set(tree.children) == set(tiny_engine.tracks.modalities)
    for node in tree.children.values():
        assert node["signal"].dims[0] == "allele"
        assert node["allele"].values.tolist() == ["ref", "alt"]
        assert node.attrs["variant"] == variant
        assert node["signal"].dtype == np.float32
    assert tree.attrs["variant"] == variant
    assert tree["rna_seq"]["position"].values.tolist() == list(range(2990, 3010))
    assert isinstance(tree["rna_seq"].to_dataset().indexes["position"], pd.RangeIndex)


def test_what_is_shown_does_not_change_a_value(tiny_engine, genome):
    variant = snv(genome, 3000)
    small, large = (
        predict_variant(tiny_engine, variant, genome=genome, interval=where, modalities=TRACKS)
        for where in ("chrI:2,990-3,010", "chrI:2,900-3,100")
    )
    for name in ONE_BP:
        close(small[name]["signal"], large[name]["signal"].sel(position=slice(2990, 3009)))


def test_no_change_is_exactly_none(tiny_engine, genome):
    letter = genome.sequence("chrI:2999-3000")
    tree = predict_variant(tiny_engine, f"chrI:3000:{letter}>{letter}", genome=genome)
    assert all((node["signal"] == 0).all() for node in tree.gk.delta().children.values())


def test_a_haplotype_without_variants_is_the_reference(tiny_engine, genome):
    """As `read_haplotypes` gives it for the other copy of a heterozygous variant."""
    tree = predict_haplotype(tiny_engine, (), genome=genome, interval="chrI:2,990-3,010")
    assert tree.attrs["variant"] == ""
    assert all((node["signal"] == 0).all() for node in tree.gk.delta().children.values())
    with pytest.raises(ValueError, match="No variant came; give at least one, or with interval="):
        predict_haplotype(tiny_engine, (), genome=genome)


# --- lengths that change ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("strand", [".", "-"])
def test_insertion_and_deletion_on_ref_coordinates(tiny_engine, bare, strand):
    """A haplotype: CC inserted after 2500 (offset 500 of the window), 3 bp deleted from offset 1000 on."""
    where = f"chrI:2,000-4,048:{strand}"
    letters = bare.sequence("chrI:2,000-4,051")
    ref = letters[:2048]
    kept = next(i for i in range(1000, 1100) if letters[i - 1] != letters[i + 2] and letters[i] != letters[i + 3])
    inserted = "CC" if letters[500] != "C" else "GG"
    alt = (letters[:501] + inserted + letters[501:kept] + letters[kept + 3 :])[:2048]
    variants = [f"chrI:2501:{letters[500]}>{letters[500]}{inserted}", f"chrI:{2001 + kept}:{letters[kept : kept + 3]}>"]
    options = {"genome": bare, "interval": where, "modalities": TRACKS}
    tree = predict_haplotype(tiny_engine, variants, **options)
    raw = predict_haplotype(tiny_engine, variants[::-1], align="raw", **options)
    read = whole(tiny_engine, alt, interval=where)
    before = whole(tiny_engine, ref, interval=where)
    for name in TRACKS:
        close(tree[name]["signal"].sel(allele="ref"), before[name]["signal"])
        close(raw[name]["signal"].sel(allele="alt"), read[name]["signal"])
    for name in ONE_BP:
        got, values = (one[name]["signal"].values for one in (tree.sel(allele="alt"), read))
        # Insertions stand left of a run: the base before is 500 or earlier only where letters repeat.
        close(got[:500], values[:500])
        close(got[500], values[500:503].max(axis=0))
        close(got[501:kept], values[503 : kept + 2])
        assert np.isnan(got[kept : kept + 3]).all()
        close(got[kept + 3 :], values[kept + 2 : 2047])
        assert (tree[name].attrs["allele_alignment"], raw[name].attrs["allele_alignment"]) == ("ref", "raw")
    for name in BINNED:
        close(tree[name]["signal"], raw[name]["signal"])
        assert tree[name].attrs["allele_alignment"] == "raw"


def test_equivalent_spellings_predict_the_same(tiny_engine, bare):
    letters = bare.sequence("chrI:2,900-3,100")
    at = next(i for i in range(100) if letters[i] == letters[i + 1] and letters[i - 1] != letters[i])
    place = 2901 + at  # 1-based position of the first letter of a run
    texts = [
        f"chrI:{place}:{letters[at]}>",
        f"chrI:{place + 1}:{letters[at + 1]}>",
        f"chrI:{place - 1}:{letters[at - 1 : at + 1]}>{letters[at - 1]}",
        f"chrI:g.{place}del",
    ]
    one, *others = (predict_variant(tiny_engine, text, genome=bare, modalities=["rna_seq"]) for text in texts)
    for tree in others:
        assert tree["rna_seq"].to_dataset().identical(one["rna_seq"].to_dataset())


def test_a_shown_stretch_that_is_deleted_whole(tiny_engine, bare):
    deleted = bare.sequence("chrI:2,950-3,050")
    tree = predict_variant(
        tiny_engine, f"chrI:2951:{deleted}>", genome=bare, interval="chrI:2,990-3,010", modalities=["rna_seq"]
    )
    signal = tree["rna_seq"]["signal"]
    assert np.isfinite(signal.sel(allele="ref")).all()
    assert np.isnan(signal.sel(allele="alt")).all()


def test_delta_of_raw_indels_warns(tiny_engine, bare):
    deleted = bare.sequence("chrI:2,950-2,953")
    options = {"genome": bare, "modalities": ["rna_seq"]}
    raw = predict_variant(tiny_engine, f"chrI:2951:{deleted}>", align="raw", **options)
    with pytest.warns(GenomekitWarning, match="rna_seq: ALT is as read"):
        raw.gk.delta()
    aligned = predict_variant(tiny_engine, f"chrI:2951:{deleted}>", **options).gk.delta()
    assert np.isnan(aligned["rna_seq"]["signal"]).any()


@pytest.mark.parametrize("position", [1, 10_000])
def test_first_and_last_base_of_a_chromosome(tiny_engine, bare, position):
    for variant in (snv(bare, position), f"chrI:{position}:{bare.sequence(f'chrI:{position - 1}-{position}')}>"):
        tree = predict_variant(tiny_engine, variant, genome=bare, modalities=["rna_seq"])
        assert np.isfinite(tree["rna_seq"]["signal"].sel(allele="ref")).all()
    assert tree.attrs["pad_left" if position == 1 else "pad_right"] > 1000


# --- junctions -------------------------------------------------------------------------------------------------------


def junctions(tree):
    return tree["splice_junctions"].to_dataset()


@pytest.mark.parametrize("options", [{}, {"strand": "+"}, {"average_strands": True}])
def test_junctions_of_a_substitution_pair_the_sites_of_both_alleles(tiny_engine, bare, options):
    """Every count equals that of reading the allele alone with these sites."""
    tree = predict_variant(tiny_engine, snv(bare, 3000), genome=bare, modalities=["splice_junctions"], **options)
    found = junctions(tree)
    assert found.sizes["junction"] > 4
    assert np.isfinite(found["signal"]).all()
    ref = bare.sequence("chrI:1976-4024")
    alt = ref[:1023] + other(ref[1023]) + ref[1024:]
    request = make_request(tiny_engine, "worm", {"modalities": ["splice_junctions"]})
    edges = [found["donor"].values, found["acceptor"].values]
    plus = found["strand"].values == "+"
    kinds = [edges[0][plus], edges[1][plus], edges[0][~plus], edges[1][~plus]]
    kinds = [np.unique(kind) - 1976 for kind in kinds]
    sites = np.stack([np.pad(kind, (0, 99 - len(kind)), constant_values=-1) for kind in kinds])
    for allele, letters in (("ref", ref), ("alt", alt)):
        average = options.get("average_strands", False)
        raw = read_window(tiny_engine, one_hot(letters), "worm", request.wanted, {}, sites=sites, average=average)
        counts = raw["splice_junctions"].predictions
        for row in found.sel(allele=allele).to_dataframe().reset_index().itertuples():
            tissue = ["egg j", "gut j"].index(row.track)
            kind = 0 if row.strand == "+" else 2
            donor = np.flatnonzero(sites[kind] == row.donor - 1976)[0]
            acceptor = np.flatnonzero(sites[kind + 1] == row.acceptor - 1976)[0]
            assert counts[donor, acceptor, tissue + kind] == pytest.approx(row.signal, rel=1e-5)


def test_both_windows_are_read_once_where_there_is_room_to_hold_them(tiny_model, bare, monkeypatch):
    encoded = []

    class Counted(passes.Encoding):
        def __init__(self, *given, **options):
            encoded.append(1)
            super().__init__(*given, **options)

    monkeypatch.setattr(passes, "Encoding", Counted)
    given, options = snv(bare, 3000), {"genome": bare, "modalities": ["splice_sites", "splice_junctions"]}
    plan = tiny_model.plan("predict_variant", given, **options)
    held = tiny_model.predict_variant(given, **options)
    assert len(encoded) == plan.passes == 2
    monkeypatch.setattr(tiny_model.engine, "memory_budget", plan.bytes)
    again = tiny_model.predict_variant(given, **options)
    assert len(encoded) - 2 == tiny_model.plan("predict_variant", given, **options).passes == 4
    for name in held.children:
        np.testing.assert_allclose(again[name]["signal"], held[name]["signal"], rtol=1e-5)


def test_annotated_sites_count_as_predicted_inside_the_genes_of_the_variant(tiny_engine, genome, toy):
    gene = toy.genes[0]
    inside = (gene.gene.start + gene.gene.end) // 2
    found = junctions(predict_variant(tiny_engine, snv(genome, inside), genome=genome, modalities=["splice_junctions"]))
    low, high = found.attrs["window_start"], found.attrs["window_end"]
    bodies = [g.gene for g in toy.genes if g.gene.chrom == "chrI" and g.gene.start < inside <= g.gene.end]
    assert bodies
    for name in ("donor", "acceptor"):
        sites = found[name].values
        assert all(any(body.start <= site < body.end for body in bodies) for site in sites)
    introns = genome.introns(f"chrI:{low}-{high}", gene=gene.name)
    here = set(zip(found["start"].values, found["end"].values, strict=True))
    within = [(a, b) for a, b in zip(introns["start"], introns["end"], strict=True) if low < a and b < high]
    assert within
    assert set(within) <= here


def test_an_intron_whose_donor_is_deleted_has_no_count_in_alt(tiny_engine, genome, toy):
    gene = next(g for g in toy.genes if g.gene.strand == "+")
    intron = genome.introns(gene=gene.name).iloc[1]
    donor = int(intron["start"]) - 1
    letters = genome.sequence(f"chrI:{donor - 2}-{donor + 5}")
    tree = predict_variant(tiny_engine, f"chrI:{donor - 1}:{letters}>", genome=genome, modalities=["splice_junctions"])
    found = junctions(tree)
    lost = found["donor"] == donor
    assert lost.any()
    assert np.isnan(found["signal"].sel(allele="alt")[lost]).all()
    kept = (found["donor"] < donor - 2) & (found["acceptor"] < donor - 2)
    assert np.isfinite(found["signal"].sel(allele="ref")).all()
    assert np.isfinite(found["signal"].sel(allele="alt")[kept]).all()


def test_min_count_keeps_what_either_allele_has(tiny_engine, bare):
    options = {"genome": bare, "modalities": ["splice_junctions"]}
    every = junctions(predict_variant(tiny_engine, snv(bare, 3000), **options))
    most = every["signal"].max(["allele", "track"])
    least = float(most.quantile(0.5))
    fewer = junctions(predict_variant(tiny_engine, snv(bare, 3000), min_count=least, **options))
    assert fewer["junction"].values.tolist() == every["junction"].values[most >= least].tolist()


def test_tracks_asked_for_do_not_change_with_junctions(tiny_engine, genome):
    options = {"genome": genome, "interval": "chrI:2,950-3,050"}
    names = ["splice_sites", "rna_seq"]
    with_them = predict_variant(
        tiny_engine, snv(genome, 3000), modalities=[*names, "splice_junctions"], strand="-", **options
    )
    without = predict_variant(tiny_engine, snv(genome, 3000), modalities=names, strand="-", **options)
    for name in names:
        close(with_them[name]["signal"], without[name]["signal"])
        assert with_them[name]["track"].equals(without[name]["track"])


# --- what cannot be --------------------------------------------------------------------------------------------------


def test_bad_input(tiny_engine, bare):
    letter = bare.sequence("chrI:2999-3000")
    with pytest.raises(ReferenceMismatch, match="says the reference is"):
        predict_variant(tiny_engine, f"chrI:3000:{other(letter)}>T", genome=bare)
    with pytest.warns(GenomekitWarning, match="letters given replace"):
        predict_variant(tiny_engine, f"chrI:3000:{other(letter)}>T", genome=bare, ref_check="warn", modalities=["atac"])
    with pytest.raises(ValueError, match="changes nothing in the window"):
        predict_variant(tiny_engine, snv(bare, 9000), genome=bare, interval="chrI:2,000-3,000")
    with pytest.raises(ValueError, match="No variant came"):
        predict_haplotype(tiny_engine, [], genome=bare)
    with pytest.raises(ValueError, match="overlap"):
        predict_haplotype(tiny_engine, [f"chrI:3000:{letter}>T", f"chrI:3000:{letter}>"], genome=bare)
    with pytest.raises(ValueError, match="Variants on chrI, chrII came"):
        predict_haplotype(tiny_engine, [snv(bare, 3000), snv(bare, 3000, "chrII")], genome=bare)
    with pytest.raises(ValueError, match="Unknown alignment 'none'"):
        predict_variant(tiny_engine, snv(bare, 3000), genome=bare, align="none")
    with pytest.raises(ValueError, match="lies outside chrI"):
        predict_variant(tiny_engine, "chrI:99999:A>C", genome=bare)
    assert find_own_organism(tiny_engine, None, bare) == "worm"
