"""Lollipop and ScoreHeatmap: scores of variants from any form they come in."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from made_results import axes

from genomekit import plot
from genomekit.plot import Lollipop, ScoreHeatmap
from genomekit.plot.tables import scores_of


@pytest.fixture
def table():
    rows = [
        ("chrV:1101:A>G", "atac", "gut", 0.5),
        ("chrV:1101:A>G", "rna_seq", "gut", -2.0),
        ("chrV:1201:C>T", "atac", "gut", 1.0),
        ("chrV:1201:C>T", "rna_seq", "liver", np.nan),
    ]
    return pd.DataFrame(rows, columns=["variant", "modality", "biosample_name", "raw_score"])


@pytest.fixture
def scores():
    obs = pd.DataFrame({"variant": ["chrV:1101:A>G", "chrV:1201:C>T"]}, index=["0", "1"])
    var = pd.DataFrame({"modality": ["atac", "rna_seq"], "biosample_name": ["gut", "gut"]}, index=["a", "b"])
    layers = {"quantile": np.array([[0.1, -0.9], [0.3, 0.2]])}
    return ad.AnnData(X=np.array([[0.5, -2.0], [1.0, 0.2]]), obs=obs, var=var, layers=layers)


def test_stems_stand_at_the_variants_with_the_largest_score(table):
    ax = Lollipop(table).draw(axes(), "chrV:1000-1512")
    assert not [patch for patch in ax.patches if patch.get_hatch()]  # variants say nothing of the places beside them
    assert ax.collections[1].get_offsets().tolist() == [[1100.5, -2.0], [1200.5, 1.0]]
    assert ax.get_ylabel() == "raw score"
    low, high = ax.get_ylim()
    assert low < -2 < 1 < high


def test_colours_by_a_column_give_a_head_each(table):
    ax = Lollipop(table, color_by="modality").draw(axes(), "chrV:1000-1512")
    assert sorted(ax.collections[1].get_offsets()[:, 1]) == [-2, 0.5, 1]
    assert {text.get_text() for text in ax.get_legend().get_texts()} == {"rna_seq", "atac"}


def test_names_are_given_once_and_do_not_collide():
    rows = [(f"chrV:{1100 + 3 * n}:A>G", kind, 10.0 + n) for n in range(20) for kind in ("atac", "cage")]
    many = pd.DataFrame(rows, columns=["variant", "modality", "raw_score"])
    ax = Lollipop(many, color_by="modality", label=20).draw(axes(), "chrV:1000-1512")
    ax.figure.canvas.draw()
    boxes = [text.get_window_extent() for text in ax.texts]
    assert ax.texts[0].get_text() == "1157:A>G"  # the largest comes first, without its chromosome
    assert len({text.get_text() for text in ax.texts}) == len(boxes) > 1
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    assert not Lollipop(many, label=0).draw(axes(), "chrV:1000-1512").texts


def test_many_heads_are_rasterised_in_vector_files():
    many = pd.DataFrame({"variant": [f"chr1:{n}:A>G" for n in range(1, 3001)], "raw_score": 1.0})
    ax = Lollipop(many).draw(axes(), "chr1:0-4000")
    assert all(collection.get_rasterized() for collection in ax.collections)


def test_heat_map_has_rows_columns_and_gaps(table):
    ax = ScoreHeatmap(table).draw(axes())
    assert [text.get_text() for text in ax.get_yticklabels()] == ["atac", "rna_seq"]
    assert [text.get_text() for text in ax.get_xticklabels()] == ["chrV:1101:A>G", "chrV:1201:C>T"]
    shown = np.ma.filled(ax.collections[0].get_array().reshape(2, 2), np.nan)
    np.testing.assert_array_equal(shown, [[0.5, 1.0], [-2.0, np.nan]])
    assert ax.collections[0].norm.vmin == -2


def test_names_of_many_columns_stand_upright_and_numbers_have_room():
    variants = [f"chrV:{position}:A>G" for position in range(1101, 1141)]
    many = pd.DataFrame({"variant": variants, "modality": "atac", "raw_score": 0.5})
    ax = ScoreHeatmap(many).draw(axes())
    assert {text.get_rotation() for text in ax.get_xticklabels()} == {90}
    assert {text.get_rotation() for text in ax.get_yticklabels()} == {0}
    assert not ax.texts
    narrow, wide = (ScoreHeatmap(many[:10]).draw(axes(width=width)) for width in (2.0, 8.0))
    assert not narrow.texts
    assert [text.get_text() for text in wide.texts] == ["0.5"] * 10


def test_cells_are_no_wider_than_their_names_need(table):
    ax = ScoreHeatmap(table[:1]).draw(axes(width=6.0))
    assert ax.get_xlim() == (0, 5)  # one cell of 1.2 inches
    assert ax.child_axes[0].get_position().x0 == pytest.approx((1.2 + 0.1) / 6)


def test_what_is_left_out_is_counted(table):
    ax = ScoreHeatmap(table, rows="biosample_name", top=1).draw(axes())
    assert [text.get_text() for text in ax.get_yticklabels()] == ["gut"]
    assert any("not drawn: 1 rows, 1 columns" in text.get_text() for text in ax.texts)


def test_anndata_and_tables_give_the_same(scores):
    long = scores_of(scores, "raw_score")
    assert long["value"].tolist() == [0.5, -2.0, 1.0, 0.2]
    assert long["position"].tolist() == [1101, 1101, 1201, 1201]
    assert long["track_name"].tolist() == ["a", "b", "a", "b"]
    assert scores_of(scores, "quantile_score")["value"].tolist() == [0.1, -0.9, 0.3, 0.2]
    two = scores_of({"one": scores, "two": scores}, "raw_score")
    assert two.groupby("scorer").size().to_dict() == {"one": 4, "two": 4}
    assert list(ScoreHeatmap(scores, rows="track_name").draw(axes()).get_yticks()) == [0.5, 1.5]


def test_figure_chooses_panels_for_scores(table, scores):
    drawing = plot.figure(table)
    kinds = [ax.get_title(loc="left") for ax in drawing.axes]
    assert kinds == ["", "raw score by modality"]
    assert drawing.axes[0].get_ylabel() == "raw score"
    assert len(plot.figure(scores).axes) == 2
    drawing.canvas.draw()
    low = min(label.get_window_extent().y0 for label in drawing.axes[1].get_xticklabels())
    assert low >= 0  # the names of the columns are inside the figure


def test_genomic_panels_and_the_heat_map_stack(table):
    drawing = plot.figure([ScoreHeatmap(table), Lollipop(table)], region="chrV:1000-1512")
    assert drawing.axes[1].get_xlim() == (1000, 1512)
    assert drawing.axes[0].get_xlim()[0] == 0  # not on the genome


def test_bad_scores_are_refused(table):
    with pytest.raises(ValueError, match="None of 2 variants lies in chrV:1110-1120"):
        Lollipop(table).draw(axes(), "chrV:1110-1120")
    with pytest.raises(ValueError, match="Unknown column of scores 'score'"):
        Lollipop(table, value="score").draw(axes(), "chrV:1000-1512")
    with pytest.raises(ValueError, match="Unknown column 'tissue'"):
        Lollipop(table, color_by="tissue").draw(axes(), "chrV:1000-1512")
    with pytest.raises(ValueError, match="Unknown column 'variant'"):
        Lollipop(table.drop(columns="variant")).draw(axes(), "chrV:1000-1512")
    with pytest.raises(ValueError, match="has no row"):
        Lollipop(table.iloc[:0]).draw(axes(), "chrV:1000-1512")
    with pytest.raises(ValueError, match="int holds no scores"):
        Lollipop(3).draw(axes(), "chrV:1000-1512")
    with pytest.raises(ValueError, match="has no number"):
        ScoreHeatmap(table.assign(raw_score=np.nan)).draw(axes())
    with pytest.raises(ValueError, match="Unknown column 'tissue'"):
        ScoreHeatmap(table, rows="tissue").draw(axes())
    with pytest.raises(ValueError, match="above 0"):
        ScoreHeatmap(table, limits=0).draw(axes())
    with pytest.raises(ValueError, match="top=0"):
        ScoreHeatmap(table, top=0).draw(axes())


LOG2 = "CenterMaskScorer(modality='{}', width=501, aggregation='diff_log2_sum')"
ACTIVE = "CenterMaskScorer(modality='{}', width=501, aggregation='active_sum')"
SPLICING = "GeneMaskSplicingScorer(modality='{}')"


def scored(*kinds, count=2):
    rows = [
        (f"chrV:{1100 + 100 * n}:A>G", modality, scorer.format(modality), 0.1 * n)
        for n in range(count)
        for scorer, modality in kinds
    ]
    return pd.DataFrame(rows, columns=["variant", "modality", "scorer", "raw_score"])


def headings(result):
    return [ax.get_title(loc="left") for ax in plot.figure(result).axes if ax.get_label().startswith("panel")]


def test_scores_of_different_units_have_axes_of_their_own():
    mixed = scored((LOG2, "atac"), (LOG2, "dnase"), (SPLICING, "splice_sites"), ("Mine(width=5)", "atac"))
    assert headings(mixed) == [
        "log2 fold change of sums",
        "largest change of a site of the gene, splice_sites",
        "Mine, atac",
        "log2 fold change of sums by modality",
        "largest change of a site of the gene, splice_sites by modality",
        "Mine, atac by modality",
    ]
    drawing = plot.figure(mixed)
    assert {text.get_text() for text in drawing.axes[0].get_legend().get_texts()} == {"atac", "dnase"}
    bare = mixed.drop(columns="scorer").query("modality != 'dnase'")
    assert headings(bare)[:2] == ["raw score, atac", "raw score, splice_sites"]


def test_levels_are_left_out_where_there_are_changes_and_it_is_said():
    both = scored((LOG2, "atac"), (ACTIVE, "atac"), (ACTIVE, "dnase"))
    assert headings(both) == [
        "log2 fold change of sums, atac",
        "log2 fold change of sums, atac by modality   (2 more not drawn: levels, not changes)",
    ]
    # Sums are in the units of their modality.
    assert headings(scored((ACTIVE, "atac"), (ACTIVE, "dnase")))[:2] == [
        "larger sum of both alleles, atac", "larger sum of both alleles, dnase",
    ]  # fmt: skip


def test_quantiles_share_an_axis_where_every_score_has_one():
    mixed = scored((LOG2, "atac"), (SPLICING, "splice_sites")).assign(quantile_score=[0.5, 0.9, -0.2, 0.1])
    drawing = plot.figure(mixed)
    assert headings(mixed) == ["", "quantile score by modality"]
    assert sorted(drawing.axes[0].collections[1].get_offsets()[:, 1]) == [-0.2, 0.1, 0.5, 0.9]
    assert len(headings(mixed.assign(quantile_score=[0.5, np.nan, -0.2, 0.1]))) == 4


def test_one_variant_gets_heat_maps_by_what_tells_tracks_apart():
    one = scored((LOG2, "atac"), (SPLICING, "splice_sites"), count=1).assign(biosample_name="gut", track_name="t")
    two = pd.concat([one, one.assign(biosample_name="liver")])
    assert headings(two) == [
        "log2 fold change of sums, atac by biosample name",
        "largest change of a site of the gene, splice_sites by biosample name",
    ]
