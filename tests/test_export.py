import gzip

import numpy as np
import pandas as pd
import pyBigWig
import pytest

from genomekit import accessors as accessors
from genomekit import export


@pytest.fixture
def rna(result_tree):
    return result_tree["rna_seq"].to_dataset()


def read_bigwig(file):
    with pyBigWig.open(str(file)) as handle:
        return handle.chroms(), np.array(handle.values("chrV", 0, 1500))


def test_bigwig_gives_the_values_back(rna, tmp_path):
    files = export.to_bigwig(rna, tmp_path / "new" / "folder")
    assert [file.name for file in files] == [
        "rna_seq_liver_RNA_plus.bw",
        "rna_seq_liver_RNA_minus.bw",
        "rna_seq_gut_RNA_plus.bw",
        "rna_seq_gut_RNA_minus.bw",
    ]
    for index, file in enumerate(files):
        chroms, values = read_bigwig(file)
        assert chroms == {"chrV": 1500}
        assert np.isnan(values[:1000]).all()
        np.testing.assert_array_equal(values[1000:].astype(np.float32), rna["signal"].values[:500, index])


def test_bigwig_cuts_the_bin_in_which_the_chromosome_ends(result_tree, tmp_path):
    chip = result_tree["chip_tf"].to_dataset()
    file = export.to_bigwig(chip.isel(track=[0]), tmp_path / "one.bw")[0]
    _, values = read_bigwig(file)
    np.testing.assert_array_equal(values[896:].astype("float32"), np.repeat(chip["signal"].values[:, 0], 128)[:604])


def test_bigwig_of_a_turned_result_is_the_same(result_tree, tmp_path):
    chip = result_tree["chip_tf"].to_dataset().isel(track=[0])
    a = export.to_bigwig(chip, tmp_path / "a.bw")[0]
    b = export.to_bigwig(chip.gk.reverse_complement(), tmp_path / "b.bw")[0]
    assert a.read_bytes() == b.read_bytes()


def test_bigwig_starts_left_of_the_chromosome(rna, tmp_path):
    left = rna.assign_coords(position=pd.RangeIndex(-5, 507)).isel(track=[0])
    _, values = read_bigwig(export.to_bigwig(left, tmp_path / "a.bw")[0])
    np.testing.assert_array_equal(values[:507].astype(np.float32), rna["signal"].values[5:, 0])


def test_nothing_is_overwritten_silently(rna, tmp_path):
    (tmp_path / "rna_seq_gut_RNA_minus.bw").write_text("mine")
    with pytest.raises(FileExistsError, match="overwrite=True"):
        export.to_bigwig(rna, tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["rna_seq_gut_RNA_minus.bw"]
    assert len(export.to_bigwig(rna, tmp_path, overwrite=True)) == 4


def test_interrupted_write_leaves_no_file(rna, tmp_path, monkeypatch):
    def fail(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(export, "_runs", fail)
    with pytest.raises(KeyboardInterrupt):
        export.to_bedgraph(rna, tmp_path)
    assert not list(tmp_path.iterdir())


def test_bigwig_needs_the_chromosome_length(rna, tmp_path):
    del rna.attrs["chrom_length"]
    with pytest.raises(ValueError, match="chrom_length="):
        export.to_bigwig(rna, tmp_path)
    assert len(export.to_bigwig(rna, tmp_path, chrom_length=20_000)) == 4


def test_one_file_for_several_tracks_is_refused(rna, tmp_path):
    with pytest.raises(ValueError, match="4 tracks came for the one file"):
        export.to_bigwig(rna, tmp_path / "a.bw")


def test_track_without_values_is_refused(rna, tmp_path):
    rna["signal"][:, 1] = np.nan
    with pytest.raises(ValueError, match="'rna_seq_liver_RNA_minus' has no value"):
        export.to_bigwig(rna, tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["contact_maps", "splice_junctions"])
def test_nodes_without_position_are_refused(result_tree, tmp_path, name):
    with pytest.raises(ValueError, match=f"{name} has dims"):
        export.to_bedgraph(result_tree[name].to_dataset(), tmp_path)


def test_labels_that_look_alike_get_files_of_their_own(rna, tmp_path):
    twins = rna.assign_coords(track=["a b", "a/b", "A b", "a_b_2"])
    names = [file.name for file in export.to_bedgraph(twins, tmp_path)]
    assert names == [
        "rna_seq_a_b.bedgraph",
        "rna_seq_a_b_2.bedgraph",
        "rna_seq_A_b_3.bedgraph",
        "rna_seq_a_b_2_2.bedgraph",
    ]


def test_alleles_get_files_of_their_own(rna, tmp_path):
    both = rna.isel(track=[0]).expand_dims(allele=["ref", "alt"])
    names = [file.name for file in export.to_bedgraph(both, tmp_path)]
    assert names == ["rna_seq_liver_RNA_plus_ref.bedgraph", "rna_seq_liver_RNA_plus_alt.bedgraph"]


@pytest.mark.parametrize("ending", [".bedgraph", ".bg.gz"])
def test_bedgraph_is_exact_and_merges_equal_bins(rna, tmp_path, ending):
    one = rna.isel(track=[1])
    one["signal"][100:200, 0] = 0.1
    file = export.to_bedgraph(one, tmp_path / f"a{ending}")[0]
    opener = gzip.open if ending.endswith("gz") else open
    with opener(file, "rt") as handle:
        lines = pd.read_csv(handle, sep="\t", names=["chrom", "start", "end", "value"], dtype={"value": np.float32})
    values = np.full(500, np.nan, dtype=np.float32)
    for row in lines.itertuples():
        values[row.start - 1000 : row.end - 1000] = row.value
    np.testing.assert_array_equal(values, one["signal"].values[:500, 0])
    assert ((lines["start"] == 1100) & (lines["end"] == 1200)).sum() == 1


def test_table_is_tidy(result_tree):
    chip = result_tree["chip_tf"].to_dataset()
    table = export.to_dataframe(chip)
    assert list(table.columns[:4]) == ["chrom", "start", "end", "track"]
    assert table.columns[-1] == "signal"
    assert "ontology_curie" not in table  # empty in this node
    row = table[(table["track"] == "CTCF gut") & (table["start"] == 1024)].iloc[0]
    assert (row["end"], row["biosample_name"], row["transcription_factor"]) == (1152, "gut", "CTCF")
    assert row["signal"] == chip["signal"].values[1, 1]


def test_table_of_junctions_and_contacts(result_tree):
    junctions = export.to_dataframe(result_tree["splice_junctions"].to_dataset())
    first = junctions.iloc[0][["start", "end", "strand", "donor", "acceptor", "track", "signal"]].tolist()
    assert first == [1100, 1200, "+", 1099, 1200, "liver", 2.0]
    contacts = export.to_dataframe(result_tree["contact_maps"].to_dataset())
    assert contacts.loc[1, ["start", "end", "start2", "end2"]].tolist() == [896, 1152, 1152, 1408]


def test_table_of_one_track_and_one_allele(rna):
    both = rna.expand_dims(allele=["ref", "alt"])
    assert export.to_dataframe(both)["allele"].value_counts().tolist() == [2048, 2048]
    one = export.to_dataframe(both.isel(allele=1, track=2))
    assert len(one) == 512
    assert (one["track"] == "gut RNA +").all()
    assert (one["allele"] == "alt").all()
