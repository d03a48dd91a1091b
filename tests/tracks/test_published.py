"""The track tables shipped with the package, against counts and against the published facts."""

import json
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from genomekit import tracks
from genomekit.tracks import MODALITIES, TrackTable, published
from genomekit.tracks.published import ORGANISMS, WIDTHS, _load

COUNTS = {
    "human": [167, 305, 12, 546, 667, 1617, 1116, 28, 4, 734, 734],
    "mouse": [18, 67, 0, 188, 173, 127, 183, 8, 4, 180, 180],
}
TOTALS = {"human": 5930, "mouse": 1128}


@pytest.mark.parametrize("organism", ORGANISMS)
def test_counts_per_modality(organism):
    table = published()
    assert list(table.modalities) == list(WIDTHS) == list(MODALITIES)
    counts = [len(table.rows(modality, organism)) for modality in MODALITIES]
    assert counts == COUNTS[organism]
    assert sum(counts) == len(published(organism)) == TOTALS[organism]


def test_published_widths():
    assert published().widths == WIDTHS
    assert sum(WIDTHS.values()) == 6493


def test_one_organism_keeps_its_place_in_the_network():
    mouse = published("mouse")
    assert mouse.organisms == ("human", "mouse")
    assert set(mouse.frame["organism"]) == {"mouse"}
    assert "procap" not in mouse.modalities
    with pytest.raises(ValueError, match="Unknown organism 'rat'"):
        published("rat")


@pytest.mark.parametrize("organism", ORGANISMS)
def test_labels_and_names_are_unique(organism):
    rows = published(organism).frame
    assert not rows.duplicated(["modality", "label"]).any()
    assert not rows.duplicated(["modality", "name", "strand"]).any()
    # So no label needed a number appended.
    assert rows["label"].tolist() == (rows["name"] + rows["strand"].map({"+": " +", "-": " -", ".": ""})).tolist()


@pytest.mark.parametrize("organism", ORGANISMS)
@pytest.mark.parametrize("modality", MODALITIES)
def test_partners_swap_strands_of_one_name(organism, modality):
    table = published()
    rows, partners = table.rows(modality, organism), table.partners(modality, organism)
    np.testing.assert_array_equal(partners[partners], np.arange(WIDTHS[modality]))
    by_channel = rows.set_index("channel")
    mates = by_channel.loc[rows["partner"]]
    assert mates["name"].tolist() == rows["name"].tolist()
    assert mates["strand"].tolist() == rows["strand"].map({"+": "-", "-": "+", ".": "."}).tolist()
    if not MODALITIES[modality].stranded:
        assert set(rows["strand"]) <= {"."}


def test_means_cover_exactly_the_real_tracks():
    table = published()
    for modality in ("atac", "dnase", "cage", "rna_seq", "chip_tf", "chip_histone"):
        means = table.means(modality)
        for row, organism in zip(means, ORGANISMS, strict=True):
            np.testing.assert_array_equal(np.flatnonzero(~np.isnan(row)), table.channels(modality, organism))
            assert np.nanmin(row) > 0
    # Nothing is known of mouse PRO-cap, and the published model scales it by 1.
    assert (table.means("procap")[1] == 1).all()
    assert (table.means("splice_sites")[0, :4] == 1).all()


def test_rebuilding_partners_and_labels_gives_the_stored_ones():
    table = published()
    rows = table.frame.drop(columns=["partner", "label"])
    assert TrackTable(rows, modalities=MODALITIES, organisms=ORGANISMS, widths=WIDTHS) == table


def test_search_covers_both_organisms():
    liver = tracks.search("liver")
    assert set(liver.frame["organism"]) == {"human", "mouse"}
    assert len(tracks.search("liver", organism="human")) < len(liver)
    assert "liver" in repr(liver)
    with pytest.raises(ValueError, match="Did you mean 'liver'"):
        tracks.search("livr")


def test_published_biosamples():
    human = published("human")
    k562 = human.select(ontology="EFO:2067", modalities="chip_tf")
    assert (k562.frame["biosample_name"] == "K562").all()
    liver = human.select(biosample="Liver").frame
    assert set(liver["ontology_curie"]) == {"UBERON:0002107", ""}
    assert human.select(histone_mark="H3K4me3").frame["assay_title"].unique().tolist() == ["Histone ChIP-seq"]
    assert len(human.select(modalities="rna_seq", search="gtex")) == 54
    assert human.frame["transcription_factor"].nunique() == 752


def test_coverage_of_the_published_tracks():
    counts = tracks.coverage(organism="human")
    assert list(counts.columns) == list(MODALITIES)
    assert counts["splice_sites"].sum() == 0
    assert counts["chip_tf"].sum() == 1617
    assert counts.loc["K562", "dnase"] >= 1


def test_json_is_exact_and_small():
    table = published()
    text = json.dumps(table.to_dict())
    assert TrackTable.from_dict(json.loads(text)) == table
    assert len(text) < 700_000


def test_reading_is_fast():
    published()
    times = []
    for _ in range(3):
        _load.cache_clear()
        start = time.perf_counter()
        published()
        times.append(time.perf_counter() - start)
    # 45 ms on two old cores; the bound leaves room for a busy machine and for shape checks switched on.
    assert min(times) < 0.5


def test_tracks_need_no_torch():
    code = "import sys, genomekit.tracks as t; t.search('liver'); sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": ":".join(p for p in sys.path if p)})


@pytest.mark.parametrize("organism", ORGANISMS)
def test_every_fact_is_the_published_one(shared, organism):
    source = pd.read_csv(shared / "spec" / f"tracks_{organism}.csv.gz", dtype=str, keep_default_na=False)
    assert source.groupby(source["output_type"].str.lower()).size().to_dict() == WIDTHS
    source = source[source["is_padding"] == "False"].reset_index(drop=True)
    rows = published(organism).frame
    assert rows["modality"].tolist() == source["output_type"].str.lower().tolist()
    assert rows["channel"].tolist() == source["track_index"].astype(int).tolist()
    assert rows["partner"].tolist() == source["rc_track_index"].astype(int).tolist()
    same = {column for column in rows.columns if column in source.columns} - {"organism", "nonzero_mean"}
    assert len(same) == 13
    for column in same:
        assert rows[column].tolist() == source[column].tolist(), column
    means = pd.to_numeric(source["nonzero_mean"]).astype("float32")
    np.testing.assert_array_equal(rows["nonzero_mean"], means)
    for modality, group in source.groupby("output_type"):
        entry = MODALITIES[str(modality).lower()]
        assert set(group["head"]) == {entry.head}
        assert set(group["resolution_bp"]) == {str(entry.resolution)}


def test_means_and_partners_are_those_of_the_reference(shared):
    table = published()
    with np.load(shared / "parity" / "track_means.npz") as reference:
        heads = [key for key in reference if ":" not in key]
        assert len(heads) == 7
        for head in heads:
            np.testing.assert_array_equal(table.means(head), reference[head])
        orders = [key.split(":") for key in reference if key.startswith("strand_reindexing:")]
        assert len(orders) == 22
        for key, organism, modality in orders:
            np.testing.assert_array_equal(
                table.partners(modality, organism), reference[f"{key}:{organism}:{modality}"], err_msg=modality
            )
