"""Tracks, Overlay and Difference: lanes, scales, colours, and what they refuse."""

import numpy as np
import pandas as pd
import pyBigWig
import pytest
import xarray as xr
from made_results import WHERE, axes, track_node

from genomekit import accessors as accessors
from genomekit.errors import GenomekitWarning
from genomekit.plot import Difference, Intervals, Overlay, Tracks
from genomekit.plot.columns import CurveFill, CurveImage, CurveLine


def artists(ax, kind):
    return [child for child in ax.get_children() if isinstance(child, kind)]


def ticks(ax):
    return [label.get_text() for label in ax.get_yticklabels()]


def labels(ax):
    return [text.get_text() for text in ax.texts if text.get_gid() == "genomekit-label"]


def peak(height, width=512):
    values = np.zeros(width)
    values[100] = height
    return values


@pytest.fixture
def pair():
    """REF 1 and 4 on two tracks, ALT 3 and 4."""
    ref, alt = np.ones((512, 2)) * [1, 4], np.ones((512, 2)) * [3, 4]
    return track_node(np.stack([ref, alt]), "gut", "liver")


def test_one_track_keeps_real_values_on_its_axis():
    ax = Tracks(track_node(peak(10)[:, None], "gut")).draw(axes())
    low, high = ax.get_ylim()
    assert (low, high) == (0, pytest.approx(11.4))  # 14 % of room
    assert artists(ax, CurveFill)[0].get_paths()[0].vertices[:, 1].max() == 10
    assert ax.get_title(loc="left") == "Chromatin accessibility (ATAC-seq), normalized insertion signal"


def test_lanes_have_scales_of_their_own_or_share_one():
    node = track_node(np.column_stack([peak(10), peak(100)]), "gut", "liver")
    free = Tracks(node).draw(axes())
    tops = [fill.get_paths()[0].vertices[:, 1].max() % 1 for fill in artists(free, CurveFill)]
    assert tops[0] == pytest.approx(tops[1])
    shared = Tracks(node, scale="shared").draw(axes())
    heights = [np.ptp(fill.get_paths()[0].vertices[:, 1]) for fill in artists(shared, CurveFill)]
    assert heights[1] == pytest.approx(10 * heights[0])
    fixed = Tracks(node, scale=(0, 50)).draw(axes())
    assert ticks(fixed) == ["0", "20", "40", "0", "20", "40"]
    assert labels(fixed) == ["gut", "liver"]


def test_log_ticks_say_values_and_not_logarithms():
    ax = Tracks(track_node(peak(1000)[:, None], "gut"), transform="log1p").draw(axes(height=1))
    assert artists(ax, CurveFill)[0].get_paths()[0].vertices[:, 1].max() == pytest.approx(np.log(1001))
    assert "1000" in ticks(ax)
    assert ax.get_title(loc="left").endswith("log1p scale")


def test_strands_of_a_track_share_a_lane():
    values = np.column_stack([peak(2), peak(6)])
    node = track_node(values, "gut", modality="rna_seq", strands="+-")
    ax = Tracks(node).draw(axes())
    plus, minus = (fill.get_paths()[0].vertices[:, 1] for fill in artists(ax, CurveFill))
    assert (plus.max(), minus.min()) == (2, -6)
    assert labels(ax) == ["gut"]
    assert not any(text.startswith("-") for text in ticks(ax))  # both count upwards from the line
    apart = Tracks(node, strands="separate").draw(axes())
    assert labels(apart) == ["gut +", "gut -"]
    with pytest.raises(ValueError, match="has no stranded track"):
        Tracks(track_node(values, "gut", "liver"), strands="mirror").draw(axes())


def test_colours_by_hand_by_label_and_by_column():
    node = track_node(np.ones((512, 2)), "gut", "liver", biosample_name=["a", "b"])
    by_column = Tracks(node, color_by="biosample_name").draw(axes())
    assert [text.get_text() for text in by_column.get_legend().get_texts()] == ["a", "b"]
    colors = [tuple(fill.get_facecolor()[0][:3]) for fill in artists(by_column, CurveFill)]
    assert len(set(colors)) == 2
    red = Tracks(node, color={"gut": "red", "liver": "blue"}).draw(axes())
    assert [fill.get_facecolor()[0][0] for fill in artists(red, CurveFill)] == [1, 0]
    with pytest.raises(ValueError, match=r"Unknown column 'biosample'.*biosample_name"):
        Tracks(node, color_by="biosample").draw(axes())
    with pytest.raises(ValueError, match="3 colours came for 2 lanes"):
        Tracks(node, color=["red"] * 3).draw(axes())
    with pytest.raises(ValueError, match="'rde' is no colour"):
        Tracks(node, color="rde").draw(axes())
    with pytest.raises(ValueError, match="no colour for 'liver'; it has some for 'gut'"):
        Tracks(node, color={"gut": "red"}).draw(axes())


@pytest.mark.parametrize("options", [{"strands": "separate"}, {"style": "heat"}])
def test_lanes_of_two_strands_never_have_one_name(options):
    node = track_node(np.ones((512, 2)), "gut", strands="+-", modality="rna_seq", biosample_name="tissue")
    assert labels(Tracks(node, label="{biosample_name}", **options).draw(axes())) == ["tissue +", "tissue -"]
    assert labels(Tracks(node, label="{biosample_name}").draw(axes())) == ["tissue"]  # both in one lane
    both = track_node(np.ones((2, 512, 2)), "gut", strands="+-", modality="rna_seq", biosample_name="tissue")
    for panel in (Overlay, Difference):
        assert labels(panel(both, label="{biosample_name}").draw(axes())) == ["tissue +", "tissue -"]


def lines_at(ax, y):
    """Spans of a horizontal line, from its points with NaN between them."""
    x = np.concatenate([line.get_xdata() for line in ax.lines if np.allclose(line.get_ydata(), y)])
    return x.reshape(-1, 3)[:, :2].tolist()


def test_the_zero_line_stops_where_there_are_no_values():
    values = np.ones((512, 1))
    values[100:200] = np.nan
    node = track_node(values, "gut")
    assert lines_at(Tracks(node).draw(axes()), 0) == [[1000, 1100], [1200, 1512]]
    ax = Tracks(node).draw(axes(), "chrV:900-1600")
    assert lines_at(ax, 0) == [[1000, 1100], [1200, 1512]]
    hatched = [(p.get_x(), p.get_x() + p.get_width()) for p in ax.patches if p.get_gid() == "genomekit-outside"]
    assert hatched == [(900, 1000), (1512, 1600)]  # nobody knows what is there


def test_infinite_values_are_missing_and_it_is_said():
    values = np.full((512, 1), 10.0)
    values[300] = np.inf
    with pytest.warns(GenomekitWarning, match="1 infinite values of atac are left out"):
        ax = Tracks(track_node(values, "gut")).draw(axes())
    assert ax.get_ylim()[1] == pytest.approx(11.4)
    assert len(artists(ax, CurveFill)[0].get_paths()) == 2


@pytest.mark.parametrize("transform", ["linear", "log1p", "sqrt"])
@pytest.mark.parametrize("height", [0.4, 1, 3])
@pytest.mark.parametrize("sizes", [(1000, 30), (999, 3), (5, 0.02)])
def test_ticks_do_not_lie_on_each_other(transform, height, sizes):
    node = track_node(np.column_stack([peak(size) for size in sizes]), "gut", strands="+-", modality="rna_seq")
    for panel in (Tracks(node, transform=transform), Tracks(node, strands="separate", transform=transform)):
        ax = panel.draw(axes(height=height))
        ax.figure.canvas.draw()
        boxes = [label.get_window_extent() for label in ax.get_yticklabels()]
        assert boxes
        assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


def test_both_sides_of_a_transformed_lane_have_ticks():
    node = track_node(np.column_stack([peak(1000), peak(30)]), "gut", strands="+-", modality="rna_seq")
    assert ticks(Tracks(node, transform="log1p").draw(axes())) == ["30", "0", "30", "1000"]


@pytest.mark.parametrize(("options", "said"), [
    ({"artist": {"colour": "red"}}, "Unknown Tracks option .for a PolyCollection of matplotlib. 'colour'. .*'color'"),
    ({"artist": {"linewdth": 1}, "style": "line"}, "for a Line2D of matplotlib. 'linewdth'. Did you mean 'linewidth'"),
    ({"artist": {"camp": "magma"}, "style": "heat"}, "for a AxesImage of matplotlib. 'camp'. Did you mean 'cmap'"),
])  # fmt: skip
def test_mistyped_options_of_artists_name_the_panel_and_the_nearest(options, said):
    with pytest.raises(ValueError, match=said):
        Tracks(track_node(np.ones((512, 1)), "gut"), **options).draw(axes())


@pytest.mark.parametrize("height", [0, -1, float("nan")])
def test_a_height_that_is_none_is_refused(height):
    with pytest.raises(ValueError, match=f"height={height}; give the inches"):
        Tracks(track_node(np.ones((512, 1)), "gut"), height=height)
    with pytest.raises(ValueError, match=f"height={height}; give the inches"):
        Intervals("chrV:1000-1100", height=height)


def test_labels_are_templates_of_the_metadata():
    node = track_node(np.ones((512, 1)), "gut", biosample_name=["intestine"])
    assert labels(Tracks(node, label="{biosample_name} ({modality})").draw(axes())) == ["intestine (atac)"]
    with pytest.raises(ValueError, match="Unknown column 'tissue'"):
        Tracks(node, label="{tissue}").draw(axes())


def test_keywords_reach_the_artists():
    line = artists(
        Tracks(track_node(np.ones((512, 1)), "a"), style="line", artist={"linewidth": 3}).draw(axes()), CurveLine
    )
    assert line[0].get_linewidth() == 3


def test_heat_is_one_rasterised_picture_with_rows_in_order():
    node = track_node(np.column_stack([peak(1), peak(5)]), "gut", "liver")
    ax = Tracks(node, style="heat").draw(axes())
    (image,) = artists(ax, CurveImage)
    assert image.get_rasterized()
    assert image.get_array().max(axis=1).tolist() == [1, 5]
    with pytest.raises(ValueError, match="different bins"):
        Tracks({"a": node.isel(track=[0]), "b": node.isel(track=[0], position=slice(5, None))}, style="heat").draw(
            axes()
        )


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"style": "bars"}, "Unknown style 'bars'"),
        ({"transform": "log"}, "Unknown transform 'log'. Did you mean 'log1p'"),
        ({"scale": "same"}, "Unknown scale 'same'"),
        ({"scale": (5, 1)}, "low < high"),
        ({"aggregate": "median"}, "Unknown aggregate"),
        ({"strands": "both"}, "Unknown strands"),
        ({"max_tracks": 1}, r"2 tracks came, more than max_tracks=1. Choose some with .gk.tracks"),
    ],
)
def test_unknown_choices_are_refused(options, text):
    with pytest.raises(ValueError, match=text):
        Tracks(track_node(np.ones((512, 2)), "gut", "liver"), **options).draw(axes())


def test_data_that_are_no_curves_are_refused(result_tree, pair):
    with pytest.raises(ValueError, match="choose one, such as tree\\['rna_seq'\\]"):
        Tracks(result_tree).draw(axes())
    with pytest.raises(ValueError, match="Sashimi draws junctions"):
        Tracks(result_tree["splice_junctions"]).draw(axes())
    with pytest.raises(ValueError, match="two alleles; use Overlay or Difference"):
        Tracks(pair).draw(axes())
    with pytest.raises(ValueError, match="nothing is left to draw"):
        Tracks(track_node(np.ones((512, 1)), "gut").isel(track=[])).draw(axes())
    with pytest.raises(ValueError, match="not 1 bp apart"):
        Tracks(track_node(np.ones((512, 1)), "gut").isel(position=[0, 1, 5])).draw(axes())
    with pytest.raises(ValueError, match="int cannot be drawn along the genome"):
        Tracks(3).draw(axes(), "chrV:0-10")
    with pytest.raises(ValueError, match="give region="):
        Tracks("a.bw").draw(axes())


def test_panels_of_groups_refuse_too_many_tracks_and_unknown_columns(pair):
    for panel in (Overlay(pair, max_tracks=1), Difference(pair, max_tracks=1)):
        with pytest.raises(ValueError, match=r"2 tracks came, more than max_tracks=1. Choose some with .gk.tracks"):
            panel.draw(axes())
    with pytest.raises(ValueError, match=r"Unknown column 'biosample'.*biosample_name"):
        Overlay(track_node(np.ones((512, 2)), "gut", "liver"), by="biosample").draw(axes())


def test_turned_results_run_from_right_to_left():
    node = track_node(peak(10)[:, None], "gut").gk.reverse_complement()
    ax = Tracks(node).draw(axes())
    assert ax.get_xlim() == (1512, 1000)
    top = artists(ax, CurveFill)[0].get_paths()[0].vertices
    assert top[top[:, 1].argmax(), 0] == 1100  # at its place on the genome


def test_alleles_are_overlaid_in_grey_and_colour(pair):
    ax = Overlay(pair).draw(axes())
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["REF", "ALT"]
    assert labels(ax) == ["gut", "liver"]
    assert len(artists(ax, CurveLine)) == 4
    ref, alt = (line.get_color() for line in artists(ax, CurveLine)[:2])
    assert ref != alt


def test_groups_by_name_or_by_column():
    node = track_node(np.ones((512, 2)), "gut", "liver", biosample_name=["a", "b"])
    ax = Overlay(node, by="biosample_name", style="fill").draw(axes())
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a", "b"]
    assert ax.get_ylim()[1] == pytest.approx(1.14)
    with pytest.raises(ValueError, match="Overlay needs groups"):
        Overlay(node).draw(axes())
    with pytest.raises(ValueError, match="same tracks"):
        Overlay({"one": node, "two": node.isel(track=[0])}).draw(axes())


def test_difference_is_alt_minus_ref_on_symmetric_limits(pair):
    ax = Difference(pair.isel(track=[0])).draw(axes())
    low, high = ax.get_ylim()
    assert low == -high
    up, down = artists(ax, CurveFill)
    assert up.get_paths()[0].vertices[:, 1].max() == 2  # 3 - 1
    assert down.get_paths()[0].vertices[:, 1].min() == 0
    fold = Difference(pair.isel(track=[0]), kind="log2fc", pseudocount=1.0).draw(axes())
    assert artists(fold, CurveFill)[0].get_paths()[0].vertices[:, 1].max() == 1  # log2(4 / 2)
    assert "log2 fold change" in fold.get_title(loc="left")


def test_difference_of_two_measurements_and_its_refusals(pair):
    ref, alt = (pair.sel(allele=name) for name in ("ref", "alt"))
    ax = Difference(alt, reference=ref).draw(axes())
    assert labels(ax) == ["gut", "liver"]
    with pytest.raises(ValueError, match="no allele 'alt'"):
        Difference(alt).draw(axes())
    with pytest.raises(ValueError, match="2 tracks came against 1"):
        Difference(alt, reference=ref.isel(track=[0])).draw(axes())
    with pytest.raises(ValueError, match="different bins"):
        Difference(alt, reference=ref.gk.bin(2)).draw(axes())
    with pytest.raises(ValueError, match="Unknown kind of difference"):
        Difference(pair, kind="ratio").draw(axes())


def test_missing_values_of_a_difference_stay_gaps():
    values = np.stack([np.ones((512, 1)), np.full((512, 1), 2.0)])
    values[1, 100:200] = np.nan
    up = artists(Difference(track_node(values, "gut")).draw(axes()), CurveFill)[0]
    assert len(up.get_paths()) == 2


def test_bigwig_bedgraph_and_table_give_the_same_curve(tmp_path):
    with pyBigWig.open(str(tmp_path / "a.bw"), "w") as handle:
        handle.addHeader([("chrV", 5000)])
        handle.addEntries(["chrV"] * 2, [1000, 1300], ends=[1100, 1400], values=[2.0, 5.0])
    (tmp_path / "a.bedgraph").write_text("track type=bedGraph\nchrV\t1000\t1100\t2\nchrV\t1300\t1400\t5\n")
    drawn = {}
    for name in ("a.bw", "a.bedgraph"):
        ax = Tracks(tmp_path / name).draw(axes(), "V:900-1500")
        paths = artists(ax, CurveFill)[0].get_paths()
        drawn[name] = [
            (path.vertices[:, 0].min(), path.vertices[:, 0].max(), path.vertices[:, 1].max()) for path in paths
        ]
    assert drawn["a.bw"] == drawn["a.bedgraph"] == [(1000, 1100, 2), (1300, 1400, 5)]


def test_wide_regions_of_a_bigwig_are_read_in_bins(tmp_path):
    with pyBigWig.open(str(tmp_path / "a.bw"), "w") as handle:
        handle.addHeader([("chrV", 20_000_000)])
        handle.addEntries(["chrV"], [5_000_000], ends=[5_000_003], values=[7.0])
    ax = Tracks(tmp_path / "a.bw").draw(axes(), "chrV:0-20,000,000")
    assert artists(ax, CurveFill)[0].get_paths()[0].vertices[:, 1].max() == 7


def test_files_that_do_not_fit_say_so(tmp_path):
    (tmp_path / "a.bedgraph").write_text("chrV\t1000\t1100\t2\n")
    (tmp_path / "b.bedgraph").write_text("")
    (tmp_path / "c.bedgraph").write_text("chrV\tx\t1100\t2\n")
    with pytest.raises(ValueError, match="has no chromosome chrX, it has chrV"):
        Tracks(tmp_path / "a.bedgraph").draw(axes(), "chrX:0-10")
    with pytest.raises(ValueError, match="is empty"):
        Tracks(tmp_path / "b.bedgraph").draw(axes(), "chrV:0-10")
    with pytest.raises(ValueError, match="text where numbers belong"):
        Tracks(tmp_path / "c.bedgraph").draw(axes(), "chrV:0-10")
    with pytest.raises(FileNotFoundError, match="no file"):
        Tracks(tmp_path / "d.bw").draw(axes(), "chrV:0-10")
    with pytest.raises(ValueError, match="is no file of values"):
        Tracks(tmp_path / "a.txt").draw(axes(), "chrV:0-10")


def test_real_bigwig_beside_a_prediction(shared):
    own = shared / "data" / "yeast" / "Scc1.50bp.bw"
    node = track_node(
        np.ones((1024, 1)),
        "predicted",
        start=100_000,
        attrs=WHERE | {"chrom": "chrII", "start": 100_000, "end": 101_024},
    )
    ax = Tracks({"measured": own, "predicted": node}).draw(axes(), "chrII:100,000-101,024")
    assert labels(ax) == ["measured", "predicted"]
    with pyBigWig.open(str(own)) as handle:
        highest = handle.stats(
            "chrII" if "chrII" in handle.chroms() else "II", 100_000, 101_024, type="max", exact=True
        )[0]
    fill = artists(ax, CurveFill)[0]
    assert fill.curve.values.max() == pytest.approx(highest)


def test_arrays_out_of_a_node_are_drawn_too():
    node = track_node(np.ones((512, 2)), "gut", "liver")
    assert labels(Tracks(node["signal"].isel(track=1)).draw(axes())) == ["liver"]
    assert isinstance(node["signal"], xr.DataArray)


def one(values, name="gut", **more):
    return track_node(np.asarray(values, float)[:, None], name, **more)


def legend_of(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def table(*rows):
    return pd.DataFrame([("chrV", *row) for row in rows], columns=["chrom", "start", "end", "value"])


def test_a_difference_says_which_is_which(pair):
    ref, alt = (pair.sel(allele=name) for name in ("ref", "alt"))
    for data in ({"wild type": ref, "mutant": alt}, {"mutant": alt}):
        panel = Difference(data, reference=None if len(data) == 2 else {"wild type": ref})
        ax = panel.draw(axes())
        assert ax.get_title(loc="left").split(", ")[1:] == ["mutant - wild type", "normalized insertion signal"]
        assert legend_of(ax) == ["more in mutant", "more in wild type"]
    assert legend_of(Difference(pair).draw(axes())) == ["more in ALT", "more in REF"]
    tables = Difference(table((1000, 1100, 3.0)), reference=table((1000, 1100, 1.0))).draw(axes(), "chrV:1000-1200")
    assert tables.get_title(loc="left") == "data - reference"  # nothing is known of them, and no comma stands alone
    other = Difference(ref.isel(track=[0]), reference=ref.isel(track=[1])).draw(axes())
    assert legend_of(other) == ["more in gut", "more in liver"]
    assert labels(other) == ["gut - liver"]


@pytest.mark.parametrize("order", [("ref", "alt"), ("alt", "ref")])
def test_ref_and_alt_of_a_mapping_come_in_either_order(pair, order):
    ax = Difference({name: pair.sel(allele=name).isel(track=[0]) for name in order}).draw(axes())
    assert artists(ax, CurveFill)[0].curve.values.tolist() == [2.0] * 512  # 3 - 1
    assert "ALT - REF" in ax.get_title(loc="left")


def test_a_fold_change_names_its_pseudocount(pair):
    ax = Difference(pair, kind="log2fc", pseudocount=0.5).draw(axes())
    assert ax.get_title(loc="left") == (
        "Chromatin accessibility (ATAC-seq), log2 fold change ALT / REF, pseudocount 0.5"
    )
    with pytest.raises(ValueError, match="pseudocount=-1"):
        Difference(pair, kind="log2fc", pseudocount=-1).draw(axes())


def test_a_difference_of_two_units_or_of_three_data_is_refused():
    atac, rna = one(np.ones(512)), one(np.ones(512), modality="rna_seq")
    with pytest.raises(ValueError, match=r"'normalized insertion signal', .* in 'normalized read signal'"):
        Difference(atac, reference=rna).draw(axes())
    with pytest.raises(ValueError, match="of two data, and 3 came: a, b, c"):
        Difference(dict.fromkeys("abc", atac)).draw(axes())


def test_a_file_and_a_prediction_are_compared_where_both_have_bins():
    measured = table((1100, 1200, 5.0))
    ax = Difference(one(np.full(512, 7.0)), reference=measured).draw(axes(), "chrV:1050-1300")
    change = artists(ax, CurveFill)[0].curve
    assert (change.start, len(change.values)) == (1050, 250)
    assert np.nanmin(change.values) == np.nanmax(change.values) == 2
    assert np.isfinite(change.values).sum() == 100


def test_curves_of_one_lane_are_on_one_scale():
    summed = track_node(np.full((4, 1), 256.0), "CTCF", modality="chip_tf")
    with pytest.raises(ValueError, match=r"sums over bins of 128 bp beside bins of 1 bp.*normalize=True"):
        Overlay({"predicted": summed, "measured": table((1000, 1512, 2.0))}).draw(axes(), "chrV:1000-1512")
    with pytest.raises(ValueError, match="'normalized insertion signal' and 'normalized read signal'"):
        Overlay({"a": one(np.ones(512)), "b": one(np.ones(512), modality="rna_seq")}).draw(axes())
    fine, coarse = one(np.ones(512)), one(np.ones(512)).gk.bin(128)
    with pytest.raises(ValueError, match="sums over bins of 128 bp"):
        Overlay({"fine": fine, "coarse": coarse}).draw(axes())
    assert Overlay({"fine": fine, "coarse": one(np.ones(512)).gk.bin(128, "mean")}).draw(axes())
    shares = Overlay({"predicted": summed, "measured": table((1000, 1256, 2.0), (1256, 1512, 1.0))}, normalize=True)
    ax = shares.draw(axes(), "chrV:1000-1512")
    predicted, measured = (line.curve.values for line in artists(ax, CurveLine))
    assert predicted.tolist() == [1] * 4
    assert (measured[0], measured[-1]) == (1, 0.5)
    assert ax.get_title(loc="left").endswith("share of the maximum")
    assert labels(ax) == []  # the legend names them


def test_pairs_of_strands_are_overlaid_by_strand_whatever_their_names():
    predicted = track_node(np.ones((512, 2)) * [2, 5], "RNA 1", "RNA 2", modality="rna_seq")
    predicted = predicted.assign_coords(strand=("track", ["-", "+"]))
    measured = {"+": table((1000, 1512, 4.0)), "-": table((1000, 1512, -1.0))}
    ax = Overlay({"measured": measured, "predicted": predicted}).draw(axes(), "chrV:1000-1512")
    assert [line.curve.values[0] for line in artists(ax, CurveLine)] == [4, 5, 1, 2]  # + above, - below
    assert labels(ax) == ["+", "-"]
    alone = {"measured": {"+": measured["+"]}, "predicted": predicted}
    with pytest.raises(ValueError, match="Give each group the same tracks"):
        Overlay(alone).draw(axes(), "chrV:1000-1512")


def test_colours_of_unknown_groups_are_refused(pair):
    red = Overlay(pair.isel(track=[0]), colors={"ALT": "red"}).draw(axes())
    assert artists(red, CurveLine)[1].get_color() == "red"
    with pytest.raises(ValueError, match=r"Unknown group among the colours 'alt'\. Did you mean 'ALT'"):
        Overlay(pair, colors={"alt": "red"}).draw(axes())
    with pytest.raises(ValueError, match="'rde' is no colour"):
        Overlay(pair, colors={"ALT": "rde"}).draw(axes())


@pytest.mark.parametrize("sign", [1, -1])
def test_two_files_are_the_strands_of_one_lane(sign):
    strands = {"+": table((1100, 1101, 2.0)), "-": table((1100, 1101, 6.0 * sign))}  # many files hold minus below zero
    for data, name in (({"RNA": strands}, ["RNA"]), (strands, [])):
        ax = Tracks(data).draw(axes(), "chrV:1000-1512")
        plus, minus = (fill.get_paths()[0].vertices[:, 1] for fill in artists(ax, CurveFill))
        assert (plus.max(), minus.min()) == (2, -6)
        assert labels(ax) == name
    apart = Tracks({"RNA": strands}, strands="separate").draw(axes(), "chrV:1000-1512")
    assert labels(apart) == ["RNA +", "RNA -"]


def test_rows_that_overlap_or_run_backwards_are_refused(tmp_path):
    twice = table((1000, 1100, 1.0), (1050, 1200, 9.0))
    (tmp_path / "a.bedgraph").write_text("chrV\t1000\t1100\t1\nchrV\t1050\t1200\t9\n")
    for data in (twice, tmp_path / "a.bedgraph"):
        with pytest.raises(ValueError, match="rows that overlap, chrV:1000-1100 and chrV:1050-1200"):
            Tracks(data).draw(axes(), "chrV:900-1500")
    beside = table((1100, 1200, 9.0), (1000, 1100, 1.0))  # in any order, end to end
    assert artists(Tracks(beside).draw(axes(), "chrV:900-1500"), CurveFill)[0].curve.values[199:201].tolist() == [1, 9]
    with pytest.raises(ValueError, match="in row 2 chrV:1300-1200"):
        Tracks(table((1000, 1100, 1.0), (1300, 1200, 2.0))).draw(axes(), "chrV:900-1500")


def test_rows_of_colour_without_values_say_so():
    ax = Tracks(track_node(np.full((512, 2), np.nan), "gut", "liver"), style="heat").draw(axes())
    assert "no data here" in [text.get_text() for text in ax.texts]
    assert not ax.child_axes  # colours of nothing need no bar
