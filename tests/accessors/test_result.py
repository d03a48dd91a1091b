import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from genomekit import Interval, accessors
from genomekit.errors import GenomekitWarning


@pytest.fixture
def rna(result_tree):
    return result_tree["rna_seq"].to_dataset()


def alleles(dataset):
    both = xr.concat([dataset["signal"], dataset["signal"] + 1], pd.Index(["ref", "alt"], name="allele", dtype=object))
    return dataset.drop_vars("signal").assign(signal=both.assign_attrs(dataset["signal"].attrs))


def test_region_is_half_open(rna):
    assert rna.gk.region("chrV:1010-1020").position.values.tolist() == list(range(1010, 1020))


def test_region_keeps_the_bins_that_overlap(result_tree):
    part = result_tree.gk.region(Interval("chrV", 1151, 1153))
    assert part["chip_tf"].position.values.tolist() == [1024, 1152]
    assert part["contact_maps"]["bin1"].values.tolist() == part["contact_maps"]["bin2"].values.tolist() == [896, 1152]
    assert part["rna_seq"].position.values.tolist() == [1151, 1152]


@given(start=st.integers(1000, 1510), width=st.integers(1, 200))
def test_region_equals_a_scan_over_the_bins(start, width):
    bins = pd.RangeIndex(896, 896 + 5 * 128, 128)
    array = xr.DataArray(np.arange(5.0), {"position": bins}, attrs={"resolution": 128, "start": 1000, "end": 1512})
    array = array.expand_dims(track=["a"])
    end = min(start + width, 1512)
    expected = [b for b in bins if any(b <= base < b + 128 for base in range(start, end))]
    assert array.gk.region(Interval("chrV", start, end)).position.values.tolist() == expected


def test_region_keeps_introns_that_lie_inside(result_tree):
    assert result_tree.gk.region("chrV:1100-1200")["splice_junctions"]["junction"].values.tolist() == [
        "chrV:1100-1200:+"
    ]
    assert result_tree.gk.region("chrV:1101-1200")["splice_junctions"].sizes["junction"] == 0


def test_region_moves_start_and_end_in_every_attrs(result_tree):
    part = result_tree.gk.region("chrV:1100-1200")
    for attrs in (part.attrs, part["rna_seq"].attrs, part["rna_seq"]["signal"].attrs, part["splice_junctions"].attrs):
        assert (attrs["start"], attrs["end"]) == (1100, 1200)
    assert result_tree.attrs["start"] == result_tree["rna_seq"].attrs["start"] == 1000


def test_region_of_an_array_is_a_view(rna):
    signal = rna["signal"]
    assert np.shares_memory(signal.gk.region("chrV:1010-1020").values, signal.values)


def test_region_accepts_the_other_spelling_of_the_chromosome(rna):
    assert rna.gk.region("V:1010-1020").sizes["position"] == 10


@pytest.mark.parametrize(
    ("region", "message"),
    [
        ("chrI:1010-1020", "on chrI, the result is on chrV:1000-1512"),
        ("chrV:2000-2100", "covers chrV:1000-1512"),
        ("chrV:900-1000", "covers chrV:1000-1512"),
        ("chrV:1100-1100", "holds nothing"),
    ],
)
def test_region_outside_is_an_error(result_tree, region, message):
    with pytest.raises(ValueError, match=message):
        result_tree.gk.region(region)


def test_region_partly_outside_warns_once(result_tree):
    with pytest.warns(GenomekitWarning, match="reaches outside") as caught:
        part = result_tree.gk.region("chrV:900-1010")
    assert len(caught) == 1
    assert part["rna_seq"].sizes["position"] == 10


def test_region_on_a_tree_node_keeps_its_name(result_tree):
    node = result_tree["rna_seq"].gk.region("chrV:1010-1020")
    assert isinstance(node, xr.DataTree)
    assert node.sizes["position"] == 10


def test_tracks_by_meaning(result_tree):
    chosen = result_tree.gk.tracks(transcription_factor="ctcf", biosample="gut")
    assert list(chosen.children) == ["chip_tf"]
    assert chosen["chip_tf"]["track"].values.tolist() == ["CTCF gut"]


def test_tracks_takes_alternatives_and_keeps_the_order(result_tree):
    chosen = result_tree["chip_tf"]["signal"].gk.tracks(name=["POLR2A gut", "CTCF liver"])
    assert chosen["track"].values.tolist() == ["CTCF liver", "POLR2A gut"]


def test_tracks_by_label_and_by_text(result_tree):
    assert result_tree.gk.tracks("gut RNA +")["rna_seq"]["track"].values.tolist() == ["gut RNA +"]
    found = result_tree.gk.tracks("liver")
    assert {name: node.sizes["track"] for name, node in found.children.items()} == {"splice_junctions": 1}
    found = result_tree.gk.tracks(search="liver")
    assert {name: node.sizes["track"] for name, node in found.children.items()} == {
        "rna_seq": 2,
        "chip_tf": 1,
        "splice_junctions": 1,
    }


def test_strand_selects_tracks_and_junctions(result_tree):
    chosen = result_tree.gk.tracks(strand="-")
    assert set(chosen.children) == {"rna_seq", "splice_junctions"}
    assert chosen["rna_seq"]["track"].values.tolist() == ["liver RNA -", "gut RNA -"]
    assert chosen["splice_junctions"]["junction"].values.tolist() == ["chrV:1300-1400:-"]


def test_tracks_takes_rows_of_a_track_table(result_tree):
    rows = pd.DataFrame({"modality": ["splice_junctions", "rna_seq"], "label": ["liver +", "gut RNA -"]})
    chosen = result_tree.gk.tracks(rows)
    assert chosen["splice_junctions"]["track"].values.tolist() == ["liver"]
    assert chosen["rna_seq"]["track"].values.tolist() == ["gut RNA -"]


def test_unknown_value_lists_near_matches(result_tree):
    with pytest.raises(ValueError, match=r"'CTCFF'.*Did you mean 'CTCF'"):
        result_tree.gk.tracks(transcription_factor="CTCFF")
    with pytest.raises(ValueError, match="strand"):
        result_tree.gk.tracks(strand="plus")


def test_empty_selection_is_an_error(result_tree):
    with pytest.raises(ValueError, match="No track is left"):
        result_tree.gk.tracks(transcription_factor="POLR2A", biosample="liver")
    with pytest.raises(ValueError, match="No track is left"):
        result_tree.gk.tracks(transcription_factor="CTCF", strand="+")


def test_bin_uses_the_aggregation_of_the_modality(result_tree):
    coarse = result_tree.gk.bin(128)
    assert coarse["rna_seq"]["position"].values.tolist() == [1000, 1128, 1256, 1384]
    expected = np.nansum(result_tree["rna_seq"]["signal"].values.reshape(4, 128, 4), axis=1)
    np.testing.assert_allclose(coarse["rna_seq"]["signal"].values, expected, rtol=1e-6)
    assert coarse["rna_seq"].attrs["resolution"] == coarse["rna_seq"]["signal"].attrs["resolution"] == 128
    assert coarse["chip_tf"].identical(result_tree["chip_tf"])
    assert coarse["splice_junctions"].identical(result_tree["splice_junctions"])


def test_bin_merges_both_axes_of_contacts(result_tree):
    maps = result_tree["contact_maps"].to_dataset()
    coarse = maps.gk.bin(512)
    expected = maps["signal"].values.reshape(2, 2, 2, 2, 1).mean(axis=(1, 3))
    np.testing.assert_allclose(coarse["signal"].values, expected, rtol=1e-6)
    assert coarse["bin1"].values.tolist() == coarse["bin2"].values.tolist() == [896, 1408]


@pytest.mark.parametrize(
    ("how", "expected"), [("sum", [1, 5, np.nan]), ("mean", [1, 2.5, np.nan]), ("max", [1, 3, np.nan])]
)
def test_bin_leaves_missing_values_out(how, expected):
    values = np.array([[1, np.nan, 2, 3, np.nan, np.nan]], dtype=np.float32)
    array = xr.DataArray(values, {"track": ["a"], "position": pd.RangeIndex(6)}, ("track", "position"))
    coarse = array.gk.bin(2, how)
    assert coarse.dims == ("track", "position")
    assert coarse.dtype == np.float32
    np.testing.assert_array_equal(coarse.values[0], np.array(expected, dtype=np.float32))


def test_bin_drops_the_remainder_with_a_warning(rna):
    with pytest.warns(GenomekitWarning, match="rna_seq loses its last 112 bp"):
        coarse = rna.gk.bin(200)
    assert coarse.sizes["position"] == 2
    assert (coarse.attrs["start"], coarse.attrs["end"]) == (1000, 1400)


@pytest.mark.parametrize(
    ("width", "message"), [(100, "multiple of its 128 bp"), (1280, "less than one bin"), (64, "do not fit")]
)
def test_bin_of_a_width_that_does_not_fit(result_tree, width, message):
    with pytest.raises(ValueError, match=message):
        result_tree["chip_tf"].to_dataset().gk.bin(width)


def test_bin_refuses_junctions_and_unknown_aggregations(result_tree):
    with pytest.raises(ValueError, match="no bins to merge"):
        result_tree["splice_junctions"].to_dataset().gk.bin(128)
    with pytest.raises(ValueError, match="'median'"):
        result_tree["rna_seq"].to_dataset().gk.bin(128, "median")


def test_delta_is_alt_minus_ref(rna):
    change = alleles(rna).gk.delta()
    assert "allele" not in change.dims
    assert np.allclose(change["signal"].values[10:], 1)
    assert change.attrs["long_name"].endswith("ALT - REF")
    assert change["signal"].attrs["units"] == rna["signal"].attrs["units"]


def test_delta_needs_alleles(result_tree):
    with pytest.raises(ValueError, match="no alleles"):
        result_tree.gk.delta()


def test_delta_of_a_tree(result_tree):
    tree = result_tree.map_over_datasets(lambda node: alleles(node) if "signal" in node else node)
    assert np.allclose(tree.gk.delta()["chip_tf"]["signal"].values, 1)


def test_reverse_complement_twice_is_the_result(result_tree):
    turned = result_tree.gk.reverse_complement()
    assert turned["rna_seq"]["position"].values[0] == 1511
    assert turned["rna_seq"].attrs["displayed_strand"] == "-"
    assert turned["splice_junctions"]["start"].values.tolist() == [1300, 1100]
    assert turned.gk.reverse_complement().identical(result_tree)


def test_turned_result_has_the_same_regions_and_bins(result_tree):
    turned = result_tree.gk.reverse_complement()
    assert turned.gk.region("chrV:1100-1200").gk.reverse_complement().identical(result_tree.gk.region("chrV:1100-1200"))
    a = turned["rna_seq"].to_dataset().gk.bin(256).sortby("position")
    b = result_tree["rna_seq"].to_dataset().gk.bin(256)
    np.testing.assert_allclose(a["signal"].values, b["signal"].values, rtol=1e-6)
    assert a["position"].values.tolist() == [1000, 1256]


def test_reverse_complement_of_letters():
    effect = xr.Dataset(
        {"effect": (("position", "base"), np.arange(8.0).reshape(2, 4))},
        {"position": [5, 6], "base": list("ACGT"), "ref_base": ("position", ["A", "C"])},
    )
    turned = effect.gk.reverse_complement()
    assert turned["effect"].values.tolist() == [[7, 6, 5, 4], [3, 2, 1, 0]]
    assert turned["base"].values.tolist() == list("ACGT")
    assert turned["ref_base"].values.tolist() == ["G", "T"]


def test_methods_leave_the_result_alone(result_tree):
    before = result_tree.copy(deep=True)
    result_tree.gk.region("chrV:1100-1200").gk.bin(4).gk.reverse_complement()
    result_tree.gk.tracks("gut")
    assert result_tree.identical(before)


def test_table_of_a_tree(result_tree):
    table = result_tree.gk.to_dataframe()
    assert len(table) == sum(node["signal"].size for node in result_tree.children.values())
    assert table["modality"].value_counts()["rna_seq"] == 2048
    assert table["start2"].notna().sum() == 16
    assert table["donor"].notna().sum() == 4
    assert table["start"].dtype == np.int64


def test_table_too_long_is_refused(result_tree):
    with pytest.raises(ValueError, match="max_rows=100"):
        result_tree.gk.to_dataframe(max_rows=100)
    with pytest.raises(ValueError, match="2,083"):
        result_tree.gk.to_dataframe(max_rows=2060)


def test_genome_tracks_of_a_tree(result_tree, tmp_path):
    with pytest.warns(GenomekitWarning, match="contact_maps, splice_junctions"):
        files = result_tree.gk.to_bigwig(tmp_path / "tracks")
    assert sorted(file.name for file in files)[0] == "chip_tf_CTCF_gut.bw"
    assert len(files) == 7
    with pytest.raises(ValueError, match="2 modalities"):
        result_tree.gk.to_bedgraph(tmp_path / "one.bedgraph")


def test_save_and_open(result_tree, tmp_path):
    path = result_tree.gk.save(tmp_path / "a.nc")
    assert accessors.open(path).identical(result_tree)


def test_plot_of_a_tree_a_node_and_an_array(result_tree):
    assert len(result_tree.gk.plot().axes) >= 4
    names = {"CTCF liver", "CTCF gut", "POLR2A gut"}

    def drawn(figure):
        (panel,) = figure.axes
        return names & {text.get_text() for text in panel.texts}

    assert drawn(result_tree["chip_tf"].gk.plot(max_tracks=2)) == {"CTCF liver", "CTCF gut"}
    assert drawn(result_tree["chip_tf"]["signal"].gk.plot(region="chrV:1100-1300")) == names
