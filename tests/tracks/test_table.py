"""Building, reading and selecting from a small table of our own making."""

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest

from genomekit.tracks import MODALITIES, TrackTable, published

WIDTHS = {"atac": 4, "rna_seq": 6, "chip_tf": 2, "splice_sites": 5, "splice_junctions": 6}
ROWS = [
    # organism, modality, channel, name, strand, CURIE, biosample, assay, factor, mean
    ("worm", "atac", 0, "embryo ATAC", ".", "WBls:0000003", "embryo", "ATAC-seq", "", 0.5),
    ("worm", "atac", 1, "gut ATAC", ".", "UBERON:0000160", "intestine", "ATAC-seq", "", None),
    ("worm", "rna_seq", 0, "gut RNA", "+", "UBERON:0000160", "intestine", "total RNA-seq", "", 2.0),
    ("worm", "rna_seq", 1, "gut RNA", "-", "UBERON:0000160", "intestine", "total RNA-seq", "", 3.0),
    ("worm", "rna_seq", 2, "embryo RNA", ".", "WBls:0000003", "embryo", "polyA RNA-seq", "", 4.0),
    ("worm", "splice_sites", 0, "donor", "+", "", "", "", "", None),
    ("worm", "splice_sites", 1, "acceptor", "+", "", "", "", "", None),
    ("worm", "splice_sites", 2, "donor", "-", "", "", "", "", None),
    ("worm", "splice_sites", 3, "acceptor", "-", "", "", "", "", None),
    ("worm", "splice_junctions", 0, "junction gut", "+", "UBERON:0000160", "intestine", "total RNA-seq", "", None),
    ("worm", "splice_junctions", 3, "junction gut", "-", "UBERON:0000160", "intestine", "total RNA-seq", "", None),
    ("yeast", "chip_tf", 0, "YPD Pol II", ".", "", "YPD culture", "TF ChIP-seq", "Pol II", 1.5),
    ("yeast", "atac", 3, "YPD ATAC", ".", "", "YPD culture", "ATAC-seq", "", 7.0),
]
COLUMNS = [
    "organism",
    "modality",
    "channel",
    "name",
    "strand",
    "ontology_curie",
    "biosample_name",
    "assay_title",
    "transcription_factor",
    "nonzero_mean",
]


def frame(rows=ROWS) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=COLUMNS)


def build(rows=None, **more) -> TrackTable:
    fields = {"modalities": MODALITIES, "organisms": ["worm", "yeast"], "widths": WIDTHS} | more
    return TrackTable(frame() if rows is None else rows, **fields)


@pytest.fixture
def table() -> TrackTable:
    return build()


def labels(table: TrackTable) -> list[str]:
    return table.frame["label"].tolist()


def test_only_present_modalities_in_the_given_order(table):
    assert list(table.modalities) == ["atac", "rna_seq", "chip_tf", "splice_sites", "splice_junctions"]
    assert table.widths == WIDTHS
    assert table.organisms == ("worm", "yeast")
    assert len(table) == len(ROWS)


def test_rows_are_ordered_whatever_came(table):
    assert build(frame(ROWS[::-1])) == table


def test_missing_values_have_one_spelling(table):
    rows = table.frame
    texts = rows.drop(columns=["channel", "partner", "nonzero_mean"])
    assert not texts.isna().any().any()
    assert (rows["gtex_tissue"] == "").all()
    assert rows["nonzero_mean"].dtype == np.float32
    assert rows["channel"].dtype == rows["partner"].dtype == np.int64


def test_labels_tell_the_strand(table):
    assert table.rows("rna_seq", "worm")["label"].tolist() == ["gut RNA +", "gut RNA -", "embryo RNA"]


def test_labels_are_unique_and_do_not_depend_on_row_order():
    # The made label "x (2)" must not collide with a track that is called so.
    names = ["x", "x", "x (2)", "x", "x +"]
    rows = pd.DataFrame({"organism": "worm", "modality": "chip_tf", "channel": range(5), "name": names})
    expected = ["x", "x (3)", "x (2)", "x (4)", "x +"]
    for seed in range(3):
        shuffled = rows.sample(frac=1, random_state=seed)
        assert labels(build(shuffled, widths={"chip_tf": 5})) == expected


def test_label_with_a_strand_does_not_collide_with_a_name_that_ends_so():
    rows = pd.DataFrame({"organism": "worm", "modality": "rna_seq", "channel": [0, 1, 2], "name": ["a", "a +", "a"]})
    rows["strand"] = ["+", ".", "-"]
    assert labels(build(rows)) == ["a +", "a + (2)", "a -"]


def test_frames_are_copies(table):
    for rows in (table.frame, table.rows("atac", "worm")):
        rows["name"] = "spoilt"
        rows.loc[0, "channel"] = 3
    table.channels("atac", "worm")[:] = 9
    assert table == build()


def test_channels_and_rows(table):
    assert table.channels("rna_seq", "worm").tolist() == [0, 1, 2]
    assert table.channels("atac", "yeast").tolist() == [3]
    assert table.channels("rna_seq", "yeast").tolist() == []
    assert table.channels("atac", "worm").dtype == np.int64
    with pytest.raises(ValueError, match=r"Unknown organism 'yeats'. Did you mean 'yeast'"):
        table.channels("atac", "yeats")


def test_means_are_nan_at_padding_and_one_where_unknown(table):
    means = table.means("atac")
    assert means.dtype == np.float32
    np.testing.assert_array_equal(means, [[0.5, 1, np.nan, np.nan], [np.nan, np.nan, np.nan, 7]])
    # No track of the organism at all: no scaling, as in the published model.
    np.testing.assert_array_equal(table.means("rna_seq")[1], np.ones(6))


def test_partners(table):
    assert table.partners("rna_seq", "worm").tolist() == [1, 0, 2, 3, 4, 5]
    assert table.partners("splice_sites", "worm").tolist() == [2, 3, 0, 1, 4]
    assert table.partners("splice_junctions", "worm").tolist() == [3, 4, 5, 0, 1, 2]
    assert table.partners("atac", "yeast").tolist() == [0, 1, 2, 3]
    assert table.partners("atac", "yeast").dtype == np.int64


def test_partners_of_one_strand_are_still_a_permutation(table):
    assert table.select(modalities="rna_seq", strand="+").partners("rna_seq", "worm").tolist() == [1, 0, 2, 3, 4, 5]


def test_explicit_labels_and_partners_are_kept():
    rows = frame([row for row in ROWS if row[1] == "rna_seq"])
    rows["label"], rows["partner"] = ["a", "b", "c"], [0, 1, 2]
    table = build(rows)
    assert labels(table) == ["a", "b", "c"]
    assert table.partners("rna_seq", "worm").tolist() == [0, 1, 2, 3, 4, 5]
    assert TrackTable.from_dict(table.to_dict()) == table


def change(index: int, column: str, value: object) -> pd.DataFrame:
    rows = frame().astype({column: object})
    rows.loc[index, column] = value
    return rows


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (frame().drop(columns="channel"), "needs the columns organism, modality, channel, name; channel is absent"),
        (frame().assign(tissue="x"), "Unknown track column 'tissue'"),
        (change(0, "organism", "wurm"), r"Unknown organism 'wurm'. Did you mean 'worm'"),
        (change(0, "modality", "atacc"), r"Unknown modality 'atacc'. Did you mean 'atac'"),
        (change(0, "modality", "cage"), "No head width for 'cage'"),
        (change(0, "strand", "*"), "Unknown strand"),
        (change(0, "name", "Padding"), "real tracks only"),
        (change(0, "name", None), "real tracks only"),
        (change(0, "channel", 4), "Channels of 'atac' run 1 to 4; its head has 4"),
        (change(0, "channel", -1), "run -1 to"),
        (change(0, "channel", 0.5), "whole number"),
        (change(0, "channel", None), "whole number"),
        (change(0, "channel", "first"), "something other than numbers"),
        (change(1, "channel", 0), "Channel 0 of worm atac is given to two tracks"),
        (change(3, "strand", "+"), "no mate of that name"),
        (frame().assign(label="same"), "not unique"),
        (frame().assign(partner=1), "must name each other"),
        (frame().assign(partner=99), "outside the head"),
    ],
)
def test_wrong_tables_are_refused(rows, message):
    with pytest.raises(ValueError, match=message):
        build(rows)


@pytest.mark.parametrize("organisms", [[], ["worm", "worm", "yeast"]])
def test_wrong_organisms_are_refused(organisms):
    with pytest.raises(ValueError, match="distinct names"):
        build(organisms=organisms)


def test_added_modality_needs_no_registration():
    mnase = dataclasses.replace(MODALITIES["atac"], name="mnase", head="mnase", resolution=128, resolutions=(128,))
    rows = pd.DataFrame({"organism": ["yeast"], "modality": ["mnase"], "channel": [0], "name": ["nucleosomes"]})
    table = build(rows, modalities={"mnase": mnase}, widths={"mnase": 1})
    assert TrackTable.from_dict(table.to_dict()).modalities == {"mnase": mnase}
    with pytest.raises(ValueError, match="listed under"):
        build(rows, modalities={"nuc": mnase}, widths={"mnase": 1})


@pytest.mark.parametrize(
    ("criteria", "expected"),
    [
        ({"organism": "Yeast"}, ["YPD ATAC", "YPD Pol II"]),
        ({"modalities": "ATAC"}, ["embryo ATAC", "gut ATAC", "YPD ATAC"]),
        ({"modalities": ["chip-tf", MODALITIES["atac"]], "organism": "yeast"}, ["YPD ATAC", "YPD Pol II"]),
        ({"modalities": "rna_seq", "ontology": "uberon:160"}, ["gut RNA +", "gut RNA -"]),
        ({"modalities": "rna_seq", "ontology": "Intestine"}, ["gut RNA +", "gut RNA -"]),
        ({"modalities": "atac", "biosample": ["embryo", "intestine"]}, ["embryo ATAC", "gut ATAC"]),
        ({"modalities": "rna_seq", "strand": ["-", "."]}, ["gut RNA -", "embryo RNA"]),
        ({"transcription_factor": "pol ii"}, ["YPD Pol II"]),
        ({"assay": "polya rna-seq"}, ["embryo RNA"]),
        ({"name": "gut rna"}, ["gut RNA +", "gut RNA -"]),
        ({"name": "gut rna +"}, ["gut RNA +"]),
        ({"search": "GUT rna-seq", "strand": "+", "modalities": "rna_seq"}, ["gut RNA +"]),
        ({"search": ["polya", "pol ii"]}, ["embryo RNA", "YPD Pol II"]),
        ({"tracks": "gut RNA -"}, ["gut RNA -"]),
        ({"tracks": ["gut RNA", "embryo ATAC"]}, ["embryo ATAC", "gut RNA +", "gut RNA -"]),
        ({"tracks": "culture atac"}, ["YPD ATAC"]),
        ({"tracks": pd.DataFrame({"modality": ["atac"], "label": ["gut ATAC"]})}, ["gut ATAC"]),
    ],
)
def test_select_by_meaning(table, criteria, expected):
    assert labels(table.select(**criteria)) == expected


def test_select_with_another_table(table):
    chosen = table.search("gut")
    assert table.select(tracks=chosen) == chosen
    assert labels(table.select(tracks=chosen, modalities="atac")) == ["gut ATAC"]
    assert table.select(tracks=chosen.frame) == table.select(tracks=chosen.frame["label"]) == chosen
    with pytest.raises(ValueError, match=r"Unknown track 'worm atac gut ATAC'.*\(5 of the 5 tracks given are not here"):
        table.select(organism="yeast").select(tracks=chosen)


def test_selection_keeps_the_shape_of_the_heads(table):
    chosen = table.select(organism="yeast", modalities="atac")
    assert chosen.organisms == table.organisms
    assert chosen.widths == {"atac": 4}
    assert chosen.means("atac").shape == (2, 4)
    assert chosen.channels("atac", "yeast").tolist() == [3]


def test_splice_sites_ignore_the_biosample(table):
    chosen = table.select(organism="worm", ontology="UBERON:0000160")
    assert {"donor +", "acceptor -"} <= set(labels(chosen))
    assert len(table.select(modalities="splice_sites", biosample="embryo")) == 4
    assert "splice_sites" not in table.search("intestine").modalities
    # They do not hide that the criterion left nothing else.
    with pytest.raises(ValueError, match="No track is left: biosample='YPD culture' keeps none of the 3 tracks"):
        table.select(modalities=["splice_sites", "rna_seq"], biosample="YPD culture")


@pytest.mark.parametrize(
    ("criteria", "message"),
    [
        ({"organism": "human"}, "Unknown organism 'human'"),
        ({"modalities": "rna_sq"}, "Unknown modality 'rna_sq'. Did you mean 'rna_seq'"),
        ({"modalities": "cage"}, "There are no cage tracks here. What there is: atac, rna_seq, chip_tf"),
        ({"ontology": "UBERON:0000161"}, "Unknown ontology 'UBERON:0000161'. Did you mean 'UBERON:0000160'"),
        ({"biosample": "intestin"}, "Unknown biosample 'intestin'. Did you mean 'intestine'"),
        ({"biosample": ["embryo", "embrio"]}, "Unknown biosample 'embrio'. Did you mean 'embryo'"),
        ({"biosample": ""}, "Unknown biosample ''"),
        ({"histone_mark": "H3K27ac"}, "Unknown histone mark 'H3K27ac'. There is none to choose from"),
        ({"transcription_factor": "Pol 2"}, "Did you mean 'Pol II'"),
        ({"assay": "ATACseq"}, "Did you mean 'ATAC-seq'"),
        ({"strand": "plus"}, "Unknown strand 'plus'"),
        ({"name": "gut RNAs"}, "Unknown track 'gut RNAs'. Did you mean 'gut RNA'"),
        ({"search": "intestinn rna"}, "Unknown search word 'intestinn'. Did you mean 'intestine'"),
        ({"search": "embryo intestine"}, "No track has all the words"),
        ({"search": "  "}, "search text is empty"),
        ({"tracks": "gutt"}, "Unknown search word 'gutt'"),
        ({"tracks": pd.DataFrame({"name": ["gut"]})}, "columns modality and label"),
        ({"modalities": []}, "empty list"),
        (
            {"organism": "yeast", "assay": "total RNA-seq"},
            r"assay='total RNA-seq' keeps none of the 2 tracks left by organism='yeast'. "
            r"Its tracks are in: worm rna_seq \(2\), worm splice_junctions \(2\)",
        ),
    ],
)
def test_misses_say_what_to_do(table, criteria, message):
    with pytest.raises(ValueError, match=message):
        table.select(**criteria)


def test_coverage(table):
    counts = table.coverage()
    assert list(counts.columns) == list(table.modalities)
    assert counts.index[0] == "intestine"
    assert counts.loc["intestine"].tolist() == [1, 2, 0, 0, 2]
    assert table.coverage("organism").loc["yeast", "chip_tf"] == 1
    with pytest.raises(ValueError, match="Did you mean 'biosample_name'"):
        table.coverage("biosample_nam")


def test_dict_round_trip_through_json(table):
    for one in (table, table.select(strand="+"), table.select(organism="yeast", modalities="atac")):
        assert TrackTable.from_dict(json.loads(json.dumps(one.to_dict()))) == one


def test_made_labels_survive_a_selection():
    rows = pd.DataFrame({"organism": "worm", "modality": "chip_tf", "channel": [0, 1], "name": ["x", "x"]})
    rows["biosample_name"] = ["a", "b"]
    one = build(rows).select(biosample="b")
    assert labels(one) == ["x (2)"]
    assert TrackTable.from_dict(one.to_dict()) == one


@pytest.mark.parametrize("mean", [0.1, 1 / 3, 1110.8236, 1e-30, 3.4e38])
def test_means_survive_json_to_the_last_bit(mean):
    rows = pd.DataFrame({"organism": ["worm"], "modality": ["atac"], "channel": [0], "name": ["a"]})
    table = build(rows.assign(nonzero_mean=mean))
    again = TrackTable.from_dict(json.loads(json.dumps(table.to_dict())))
    assert again.frame["nonzero_mean"].item() == np.float32(mean)


def test_damaged_dicts_are_refused(table):
    fields = table.to_dict()
    with pytest.raises(ValueError, match="lacks 'widths'"):
        TrackTable.from_dict({key: value for key, value in fields.items() if key != "widths"})
    for columns in (
        fields["columns"] | {"channel": [0, 1]},
        fields["columns"] | {"strand": {"values": ["+"], "codes": [5], "repeats": [13]}},
        fields["columns"] | {"strand": {"values": ["+"]}},
    ):
        with pytest.raises(ValueError, match=r"Track column '(channel|strand)'"):
            TrackTable.from_dict(fields | {"columns": columns})


def test_equality_means_everything(table):
    assert table != build(widths=WIDTHS | {"atac": 8})
    assert table != build(organisms=["worm", "yeast", "fly"])
    assert table != table.select(organism="worm")
    assert table != "table"


def test_repr_counts_and_shows_rows(table):
    text = repr(table)
    assert text.startswith("TrackTable: 13 tracks, 5 modalities, worm and yeast")
    assert "10 of the 13 rows" in text
    one = table.select(transcription_factor="Pol II")
    assert repr(one).startswith("TrackTable: 1 track, 1 modality, yeast")
    assert "All rows" in repr(one)


def test_html_repr_escapes_names():
    rows = pd.DataFrame({"organism": ["worm"], "modality": ["atac"], "channel": [0], "name": ["<b>x</b>"]})
    text = build(rows)._repr_html_()
    assert text.count("<table") == 2
    assert "<b>x</b>" not in text
    assert "&lt;b&gt;x" in text


def test_empty_table_is_allowed():
    table = build(frame([]))
    assert (len(table), table.modalities, repr(table)) == (0, {}, "TrackTable: no tracks")
    assert table._repr_html_()
    assert TrackTable.from_dict(json.loads(json.dumps(table.to_dict()))) == table


def test_a_misspelt_word_is_compared_with_the_parts_of_names():
    with pytest.raises(ValueError, match=r"Unknown search word 'chipp'. Did you mean '.*[Cc]h[Ii][Pp]"):
        published("human").search("chipp")
