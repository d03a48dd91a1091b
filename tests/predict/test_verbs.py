import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from genomekit.errors import GenomekitWarning
from genomekit.genome.assembly import Genome
from genomekit.genome.interval import Interval
from genomekit.predict import predict_interval, predict_intervals, predict_sequence, verbs
from genomekit.testing import toy_genome

FLOAT32_SLICED = 1e-5
COVERAGE = ["atac", "dnase", "rna_seq", "chip_tf"]


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    return toy_genome(tmp_path_factory.mktemp("toy"), seed=1)


@pytest.fixture
def genome(toy):
    return Genome(toy.fasta, toy.gtf, name="toy", organism="worm")


@pytest.fixture
def letters():
    return "".join(np.random.default_rng(7).choice(list("ACGT"), 2048))


def close(a, b):
    np.testing.assert_allclose(a, b, rtol=FLOAT32_SLICED, atol=FLOAT32_SLICED)


def same(a: xr.DataTree, b: xr.DataTree):
    assert list(a.children) == list(b.children)
    for name in a.children:
        xr.testing.assert_allclose(a[name].to_dataset(), b[name].to_dataset(), rtol=1e-5, atol=1e-5)


# --- the shape of results -------------------------------------------------------------------------------------------


def test_every_modality_is_a_labelled_node(tiny_engine, letters):
    tree = predict_sequence(tiny_engine, letters, organism="worm")
    assert set(tree.children) == set(tiny_engine.tracks.modalities)
    dims = {name: node["signal"].dims for name, node in tree.children.items()}
    assert dims["rna_seq"] == ("position", "track")
    assert dims["contact_maps"] == ("bin1", "bin2", "track")
    assert dims["splice_junctions"] == ("junction", "track")
    assert tree["rna_seq"]["track"].values.tolist() == ["egg x +", "gut x +", "egg x -", "gut x -"]
    assert tree["splice_junctions"]["track"].values.tolist() == ["egg j", "gut j"]
    assert {node["signal"].dtype for node in tree.children.values()} == {np.dtype("float32")}
    assert isinstance(tree["rna_seq"].to_dataset().indexes["position"], pd.RangeIndex)
    assert all(np.isfinite(node["signal"]).all() for node in tree.children.values())


def test_attributes_say_where_and_with_what(tiny_engine, genome):
    tree = predict_interval(tiny_engine, "chrI:3,000-3,300", genome=genome, modalities=COVERAGE)
    for attrs in (tree.attrs, tree["rna_seq"].attrs, tree["chip_tf"].attrs):
        assert attrs["chrom"] == "chrI"
        assert (attrs["start"], attrs["end"], attrs["strand"]) == (3000, 3300, ".")
        assert (attrs["window"], attrs["window_start"], attrs["window_end"]) == ("chrI:2126-4174", 2126, 4174)
        assert (attrs["assembly"], attrs["organism"], attrs["chrom_length"]) == ("toy", "worm", 10_000)
        assert (attrs["model"], attrs["dtype"], attrs["device"]) == ("tiny", "float32", "cpu")
        assert (attrs["pad_left"], attrs["pad_right"]) == (0, 0)
        assert attrs["coordinate_system"] == "0-based half-open"
        assert all(isinstance(value, (str, int, float)) for value in attrs.values())
    assert tree["rna_seq"].attrs["units"] == "normalized read signal"
    assert tree["chip_tf"].attrs["resolution"] == 128


def test_what_is_returned_is_the_interval_asked_for(tiny_engine, genome):
    tree = predict_interval(tiny_engine, "chrI:3,000-3,300", genome=genome, modalities=[*COVERAGE, "contact_maps"])
    position = tree["rna_seq"]["position"].values
    assert (position[0], position[-1], len(position)) == (3000, 3299, 300)
    coarse = tree["chip_tf"]["position"].values  # bins of the window 2126-4174 that overlap
    assert coarse.tolist() == [2894, 3022, 3150, 3278]
    assert tree["contact_maps"]["bin1"].values.tolist() == [2126]


def test_values_do_not_depend_on_how_much_of_the_window_is_shown(tiny_engine, genome):
    # Both are centered on 3150 and read the same window.
    small = predict_interval(tiny_engine, "chrI:3,100-3,200", genome=genome, modalities=["rna_seq"])
    large = predict_interval(tiny_engine, "chrI:3,000-3,300", genome=genome, modalities=["rna_seq"])
    close(small["rna_seq"]["signal"], large["rna_seq"]["signal"].sel(position=slice(3100, 3199)))


def test_the_window_of_an_interval_is_that_of_the_letters(tiny_engine, genome):
    whole = predict_sequence(tiny_engine, genome.sequence("chrI:2126-4174"), organism="worm", modalities=["atac"])
    part = predict_interval(tiny_engine, "chrI:3,000-3,300", genome=genome, modalities=["atac"])
    close(part["atac"]["signal"], whole["atac"]["signal"][3000 - 2126 : 3300 - 2126])


def test_junctions_lie_in_the_interval_and_have_exon_side_ends(tiny_engine, letters):
    whole = predict_sequence(tiny_engine, letters, organism="worm", modalities=["splice_junctions"])["splice_junctions"]
    assert whole.sizes["junction"] > 0
    forward = whole["strand"].values == "+"
    np.testing.assert_array_equal(whole["donor"], np.where(forward, whole["start"] - 1, whole["end"]))
    strongest = float(whole["signal"].max())
    fewer = predict_sequence(
        tiny_engine, letters, organism="worm", modalities=["splice_junctions"], min_count=strongest * 0.99
    )["splice_junctions"]
    assert 0 < fewer.sizes["junction"] < whole.sizes["junction"]
    assert fewer.attrs["min_count"] == strongest * 0.99
    plus = predict_sequence(tiny_engine, letters, organism="worm", modalities=["splice_junctions"], strand="+")
    assert set(plus["splice_junctions"]["strand"].values) == {"+"}
    assert plus["splice_junctions"].sizes["junction"] == forward.sum()


# --- selection ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "criteria",
    [{"biosample": "gut"}, {"strand": "-"}, {"tracks": ["egg x +", "gut x -"]}, {"biosample": ["egg", "gut"]}],
)
def test_selecting_then_predicting_equals_predicting_then_selecting(tiny_engine, letters, criteria):
    selected = predict_sequence(
        tiny_engine, letters, organism="worm", modalities=["rna_seq", "splice_site_usage"], **criteria
    )
    every = predict_sequence(tiny_engine, letters, organism="worm", modalities=["rna_seq", "splice_site_usage"])
    same(selected, every.gk.tracks(**criteria))


def test_junction_biosamples_are_selected_before_predicting(tiny_engine, letters):
    every = predict_sequence(tiny_engine, letters, organism="worm", modalities=["splice_junctions"])
    gut = predict_sequence(tiny_engine, letters, organism="worm", modalities=["splice_junctions"], biosample="gut")
    assert gut["splice_junctions"]["track"].values.tolist() == ["gut j"]
    close(gut["splice_junctions"]["signal"][:, 0], every["splice_junctions"]["signal"][:, 1])


def test_a_track_table_selects(tiny_engine, letters):
    table = tiny_engine.tracks.select(organism="worm", modalities="atac", biosample="gut")
    tree = predict_sequence(tiny_engine, letters, organism="worm", tracks=table)
    assert list(tree.children) == ["atac"]
    assert tree["atac"]["track"].values.tolist() == ["gut a"]


def test_an_asked_modality_without_a_fitting_track_is_reported(tiny_engine, letters):
    with pytest.warns(GenomekitWarning, match="No worm track of atac fits the selection"):
        predict_sequence(tiny_engine, letters, organism="worm", modalities=["atac", "rna_seq"], strand="+")


def test_a_modality_that_the_checkpoint_lacks_is_said_with_what_there_is(tiny_engine, letters):
    with pytest.raises(ValueError, match=r"no cage tracks here.*rna_seq"):
        predict_sequence(tiny_engine, letters, organism="worm", modalities=["cage"])
    with pytest.raises(ValueError, match="Did you mean 'rna_seq'"):
        predict_sequence(tiny_engine, letters, organism="worm", modalities=["rnaseq"])


@pytest.mark.parametrize("criteria", [{"biosample": "guts"}, {"tracks": "nothing like this"}, {"ontology": "UBERON:1"}])
def test_unknown_names_are_errors(tiny_engine, letters, criteria):
    with pytest.raises(ValueError, match="Unknown"):
        predict_sequence(tiny_engine, letters, organism="worm", **criteria)


# --- strands --------------------------------------------------------------------------------------------------------


def test_a_minus_interval_lands_on_the_right_base(tiny_engine, toy, genome):
    # The same letters on the other strand: predicting rc(chrom) at the mirrored place on "-" gives the same bases.
    interval = Interval("chrI", 3000, 3300, "-")
    tree = predict_interval(tiny_engine, interval, genome=genome)
    window = genome.sequence(Interval("chrI", tree.attrs["window_start"], tree.attrs["window_end"], "-"))
    read = predict_sequence(tiny_engine, window, organism="worm")
    offset = tree.attrs["window_end"] - 1
    for position in (3000, 3111, 3299):
        there = offset - position
        here = tree["rna_seq"]["signal"].sel(position=position).values
        close(here, read["rna_seq"]["signal"][there, [2, 3, 0, 1]])
        close(tree["dnase"]["signal"].sel(position=position), read["dnase"]["signal"][there + 1])
        close(
            tree["splice_sites"]["signal"].sel(position=position), read["splice_sites"]["signal"][there, [2, 3, 0, 1]]
        )
    assert (np.diff(tree["rna_seq"]["position"]) == 1).all()
    assert tree.attrs["strand"] == "-"
    everywhere = predict_interval(tiny_engine, replace(interval, start=2126, end=4174), genome=genome)
    back = {
        (int(offset - e + 1), int(offset - s + 1), "-" if strand == "+" else "+")
        for s, e, strand in zip(
            *(read["splice_junctions"][key].values for key in ("start", "end", "strand")), strict=True
        )
    }
    junctions = everywhere["splice_junctions"]
    assert set(zip(*(junctions[key].values for key in ("start", "end", "strand")), strict=True)) == back


def test_dnase_has_nan_where_the_minus_strand_has_no_value(tiny_engine, letters):
    tree = predict_sequence(tiny_engine, letters, interval="chrI:0-2048:-", organism="worm", modalities=["dnase"])
    signal = tree["dnase"]["signal"]
    assert np.isnan(signal[0]).all()
    assert np.isfinite(signal[1:]).all()


def test_averaging_is_the_same_from_either_strand(tiny_engine, genome):
    plus = predict_interval(tiny_engine, "chrI:3,000-3,300:+", genome=genome, average_strands=True)
    minus = predict_interval(tiny_engine, "chrI:3,000-3,300:-", genome=genome, average_strands=True)
    same(plus, minus)
    assert plus.attrs["average_strands"] == 1
    one = predict_interval(tiny_engine, "chrI:3,000-3,300:+", genome=genome, modalities=["rna_seq"])["rna_seq"][
        "signal"
    ]
    other = predict_interval(tiny_engine, "chrI:3,000-3,300:-", genome=genome, modalities=["rna_seq"])["rna_seq"][
        "signal"
    ]
    close(plus["rna_seq"]["signal"], (one.values + other.values) / 2)


# --- sequences and windows ------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::genomekit.errors.GenomekitWarning")
def test_a_sequence_takes_the_next_supported_window_or_the_one_asked_for(tiny_engine, letters):
    longer = predict_sequence(tiny_engine, letters + "A", organism="worm", modalities=["chip_tf"])
    assert longer.attrs["window_end"] - longer.attrs["window_start"] == 4096
    asked = predict_sequence(tiny_engine, letters, organism="worm", modalities=["chip_tf"], window=8192)
    assert asked.attrs["window_end"] - asked.attrs["window_start"] == 8192


def test_a_sequence_can_be_given_a_place(tiny_engine, letters):
    tree = predict_sequence(tiny_engine, letters, interval="chrV:10,000-12,048", organism="worm")
    assert tree["rna_seq"]["position"].values[0] == 10_000
    assert tree["splice_junctions"]["junction"].values[0].startswith("chrV:1")
    with pytest.raises(ValueError, match=r"10 bp and the sequence 2,048"):
        predict_sequence(tiny_engine, letters, interval="chrV:10-20", organism="worm")


def test_empty_too_long_and_foreign_sequences_are_refused(tiny_engine, letters):
    with pytest.raises(ValueError, match="empty"):
        predict_sequence(tiny_engine, "", organism="worm")
    with pytest.raises(ValueError, match=r"8,193 bp.*longest window is 8,192.*predict_intervals"):
        predict_sequence(tiny_engine, "A" * 8193, organism="worm")
    with pytest.raises(ValueError, match="'!' at position 3"):
        predict_sequence(tiny_engine, "ACG!", organism="worm")


def test_a_window_of_n_is_warned_about(tiny_engine):
    with pytest.warns(GenomekitWarning, match="only N"):
        predict_sequence(tiny_engine, "N" * 2048, organism="worm", modalities=["chip_tf"])


def test_a_longer_interval_takes_a_longer_window(tiny_engine, genome):
    tree = predict_interval(tiny_engine, "chrI:1000-4000", genome=genome, modalities=["chip_tf"])
    assert tree.attrs["window_end"] - tree.attrs["window_start"] == 4096
    with pytest.raises(ValueError, match=r"longest window is 8,192 bp.*predict_intervals"):
        predict_interval(tiny_engine, "chrI:0-9000", genome=genome)
    with pytest.raises(ValueError, match="Window length 5,000 bp is not supported"):
        predict_interval(tiny_engine, "chrI:0-900", genome=genome, window=5000)


@pytest.mark.parametrize(
    ("interval", "text"),
    [
        ("chrI:abc", "chrI:abc"),
        ("chr9:1-10", "Unknown chromosome 'chr9'"),
        ("chrI:20000-20010", "outside"),
        ("chrI:5-5", "empty"),
    ],
)
def test_bad_intervals_are_refused(tiny_engine, genome, interval, text):
    with pytest.raises(ValueError, match=text):
        predict_interval(tiny_engine, interval, genome=genome)


# --- genomes and organisms ------------------------------------------------------------------------------------------


def test_the_organism_comes_from_the_genome(tiny_engine, toy):
    yeast = Genome(toy.fasta, organism="yeast")
    assert predict_interval(tiny_engine, "chrI:0-100", genome=yeast, modalities=["atac"]).attrs["organism"] == "yeast"
    assert predict_interval(tiny_engine, "chrI:0-100", genome=yeast, modalities=["atac"]).attrs["assembly"] == ""


def test_an_organism_that_cannot_be_settled_is_asked_for(tiny_engine, toy, letters):
    with pytest.raises(ValueError, match=r"heads of worm and yeast; say whose"):
        predict_sequence(tiny_engine, letters)
    with pytest.raises(ValueError, match="say whose"):
        predict_interval(tiny_engine, "chrI:0-100", genome=toy.fasta)
    with pytest.raises(ValueError, match="Unknown organism 'fly'"):
        predict_sequence(tiny_engine, letters, organism="fly")


def test_an_organism_that_contradicts_the_genome_is_refused(tiny_engine, toy, genome):
    with pytest.raises(ValueError, match="does not fit the genome, which is worm"):
        predict_interval(tiny_engine, "chrI:0-100", genome=genome, organism="yeast")
    human = Genome(toy.fasta, organism="human")
    with pytest.raises(ValueError, match="The genome is human and 'tiny' has heads of worm and yeast"):
        predict_interval(tiny_engine, "chrI:0-100", genome=human)
    with pytest.warns(GenomekitWarning, match="nobody has measured"):
        predict_interval(tiny_engine, "chrI:0-100", genome=human, organism="worm", modalities=["chip_tf"])


def test_genomes_by_organism_are_chosen_by_name(tiny_engine, toy, genome):
    genomes = {"worm": genome, "yeast": Genome(toy.fasta, organism="yeast")}
    tree = predict_interval(tiny_engine, "chrI:0-100", genome=genomes, organism="yeast", modalities=["chip_tf"])
    assert tree.attrs["organism"] == "yeast"
    with pytest.raises(ValueError, match="genomes of worm, yeast; say which"):
        predict_interval(tiny_engine, "chrI:0-100", genome=genomes)
    with pytest.raises(ValueError, match="No genome came"):
        predict_interval(tiny_engine, "chrI:0-100", genome=None)


# --- many intervals -------------------------------------------------------------------------------------------------


def test_many_intervals_are_lazy_and_equal_one_by_one(tiny_engine, genome, monkeypatch):
    calls = []
    run = verbs._predict_on
    monkeypatch.setattr(verbs, "_predict_on", lambda *a: calls.append(1) or run(*a))
    places = ["chrI:100-200", Interval("chrII", 3000, 3100, "-")]
    trees = predict_intervals(tiny_engine, places, genome=genome, modalities=["rna_seq"])
    assert calls == []
    first = next(trees)
    assert calls == [1]
    assert first.identical(predict_interval(tiny_engine, places[0], genome=genome, modalities=["rna_seq"]))
    assert [tree.attrs["chrom"] for tree in trees] == ["chrII"]


def test_a_table_of_intervals_is_read(tiny_engine, genome):
    table = pd.DataFrame({"chrom": ["chrI", "chrI"], "start": [0, 50], "end": [10, 60], "strand": ["+", "-"]})
    trees = list(predict_intervals(tiny_engine, table, genome=genome, modalities=["atac"]))
    assert [(tree.attrs["start"], tree.attrs["strand"]) for tree in trees] == [(0, "+"), (50, "-")]


def test_many_intervals_are_checked_at_the_door(tiny_engine, genome):
    with pytest.raises(ValueError, match=r"Interval number 1 .*chr9"):
        predict_intervals(tiny_engine, ["chrI:0-10", "chr9:0-10"], genome=genome)
    with pytest.raises(ValueError, match="cage"):
        predict_intervals(tiny_engine, ["chrI:0-10"], genome=genome, modalities=["cage"])
    with pytest.raises(ValueError, match="min_count"):
        predict_intervals(tiny_engine, ["chrI:0-10"], genome=genome, min_count=-1.0)


# --- with the rest of the library -----------------------------------------------------------------------------------


def test_a_prediction_survives_a_file(tiny_engine, genome, tmp_path):
    import genomekit as gk

    tree = predict_interval(tiny_engine, "chrI:3,000-3,300", genome=genome)
    path = tree.gk.save(tmp_path / "result.nc")
    assert gk.open(path).identical(tree)


def test_a_prediction_is_cut_and_exported(tiny_engine, genome, tmp_path):
    tree = predict_interval(tiny_engine, "chrI:3,000-3,300", genome=genome, modalities=["rna_seq"])
    assert tree.gk.region("chrI:3,100-3,110")["rna_seq"].sizes["position"] == 10
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert len(tree.gk.to_bigwig(tmp_path / "out")) == 4


def test_bases_asked_for_past_the_chromosome_are_warned_about(tiny_engine, genome):
    length = genome.chroms["chrI"]
    with pytest.warns(GenomekitWarning, match=r"5 of the 105 bp asked for lie past the ends of chrI"):
        predict_interval(tiny_engine, f"chrI:{length - 100}-{length + 5}", genome=genome, modalities=["atac"])
