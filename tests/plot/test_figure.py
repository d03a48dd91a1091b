"""The figure as a whole: which panels, where, how large, and what it refuses."""

import io
import itertools

import matplotlib
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from made_results import WHERE, contact_node, exons, ism_node, junction_node, track_node

from genomekit import accessors as accessors
from genomekit import plot
from genomekit.genome.assembly import Genome
from genomekit.genome.interval import Interval
from genomekit.labels import prediction_tree
from genomekit.plot.automatic import panels_of
from genomekit.testing import toy_genome


def titles(drawing):
    return [ax.get_title(loc="left") for ax in drawing.axes if ax.get_label().startswith("panel")]


def names(drawing):
    return [text.get_text() for ax in drawing.axes for text in ax.texts if text.get_gid() == "genomekit-label"]


def test_panels_of_a_whole_prediction(result_tree):
    drawing = plot.figure(result_tree, genes=exons())
    drawing.canvas.draw()
    assert titles(drawing) == [
        "Genes",
        "Splice junctions, normalized junction read signal",
        "Transcription factor binding (ChIP-seq), fold change over control, summed in the 128 bp bin",
        "Gene expression (RNA-seq), normalized read signal",
        "Chromatin contacts (Hi-C, Micro-C), log fold over distance-based expectation",
    ]
    assert names(drawing) == [
        "liver (1 of 2)", "CTCF liver", "CTCF gut", "POLR2A gut", "liver RNA", "gut RNA", "cell Hi-C",
    ]  # fmt: skip
    assert drawing.axes[0].get_xlim() == (1000, 1512)


def test_max_tracks_counts_what_is_left_out(result_tree):
    assert any(title.endswith("(+ 2 more not drawn)") for title in titles(plot.figure(result_tree, max_tracks=1)))


def test_accessor_draws_trees_nodes_and_arrays(result_tree):
    assert len(titles(result_tree.gk.plot())) == 4
    assert len(titles(result_tree["rna_seq"].gk.plot())) == 1
    assert len(titles(result_tree["rna_seq"]["signal"].gk.plot())) == 1
    assert len(titles(result_tree["rna_seq"].to_dataset().gk.plot())) == 1


def test_mutagenesis_gets_logo_and_heatmap():
    assert titles(ism_node().gk.plot()) == ["gut", "gut, effect of each substitution"]
    assert titles(ism_node().gk.contribution().gk.plot()) == ["gut"]


def test_a_variant_gets_overlay_difference_and_marks():
    pair = np.stack([np.ones((512, 1)), 2 * np.ones((512, 1))])
    both = track_node(pair, "gut")
    tree = prediction_tree({"atac": both}, WHERE | {"variant": "chrV:1101:A>G"})
    drawing = tree.gk.plot()
    assert titles(drawing) == [
        "Chromatin accessibility (ATAC-seq), normalized insertion signal",
        "Chromatin accessibility (ATAC-seq), ALT - REF, normalized insertion signal",
    ]
    strip = next(ax for ax in drawing.axes if ax.get_label() == "annotations")
    assert [text.get_text() for text in strip.texts] == ["1,101 A>G"]


def test_region_and_turned_results(result_tree):
    assert plot.figure(result_tree, region="chrV:1100-1300").axes[0].get_xlim() == (1100, 1300)
    assert plot.figure(result_tree.gk.reverse_complement()).axes[0].get_xlim() == (1512, 1000)


@pytest.mark.parametrize("region", ["chrI:1100-1300", "chrV:5000-6000"])
def test_region_outside_is_an_error(result_tree, region):
    with pytest.raises(ValueError, match="Region chr"):
        plot.figure(result_tree, region=region)


def test_every_panel_refuses_a_region_outside_its_data(result_tree):
    both = track_node(np.ones((2, 512, 1)), "gut")
    panels = [
        plot.Tracks(result_tree["rna_seq"]), plot.Overlay(both), plot.Difference(both), plot.Logo(ism_node()),
        plot.IsmHeatmap(ism_node()), plot.Sequence(ism_node()), plot.Sashimi(result_tree["splice_junctions"]),
        plot.ContactMap(result_tree["contact_maps"]),
    ]  # fmt: skip
    for panel in panels:
        name = type(panel).__name__
        with pytest.raises(
            ValueError, match=f"nothing of the data of {name}, which cover chrV:.* Give a region inside"
        ):
            plot.figure(panel, region="chrV:5000-6000")


def test_an_empty_selection_says_so(result_tree):
    with pytest.raises(ValueError, match=r"no track; there is nothing to draw\. Select more"):
        result_tree["rna_seq"].to_dataset().isel(track=[]).gk.plot()
    with pytest.raises(ValueError, match=r"nothing is left to draw\. Select more"):
        plot.figure(
            plot.Tracks(result_tree["rna_seq"].to_dataset().isel(position=slice(0, 0))), region="chrV:1000-1100"
        )
    with pytest.raises(ValueError, match="Unknown biosample 'brain'"):
        result_tree.gk.tracks(biosample="brain").gk.plot()


def test_errors_write_a_region_without_a_strand(result_tree):
    with pytest.raises(ValueError, match=r"^Region chrV:100-200 holds nothing of the data of Tracks"):
        plot.figure(plot.Tracks(result_tree["rna_seq"]), region=Interval("chrV", 100, 200, "+"))
    with pytest.raises(ValueError, match=r"^Region chrV:1,100-1,100 is empty"):
        plot.figure(plot.Tracks(result_tree["rna_seq"]), region="chrV:1100-1100")


@pytest.mark.parametrize(("width", "said"), [(0, "width=0; give"), (-3, "width=-3; give"), (0.9, "make it wider")])
def test_a_width_without_room_is_refused(result_tree, width, said):
    with pytest.raises(ValueError, match=said):
        plot.figure(result_tree, width=width)


def test_the_ends_of_the_position_axis_are_whole():
    drawing = plot.figure(plot.Genes(exons()), region="chrV:1,000,000-1,000,700")
    drawing.canvas.draw()
    ax = drawing.axes[0]
    written = [label for label in ax.get_xticklabels() if 1_000_000 <= label.get_position()[0] <= 1_000_700]
    boxes = [label.get_window_extent() for label in written]
    assert min(box.x0 for box in boxes) >= 0
    assert max(box.x1 for box in boxes) <= drawing.bbox.width
    assert {written[0].get_position()[0], written[-1].get_position()[0]} == {1_000_000, 1_000_700}


def test_a_panel_on_axes_of_the_callers_writes_positions_in_full():
    from matplotlib.figure import Figure

    own = Figure(figsize=(3, 2), dpi=100)
    ax = own.add_axes((0.2, 0.2, 0.7, 0.6))
    node = track_node(1e-9 * np.ones((512, 1)), "gut", start=1_200_000, attrs={"chrom": "chrV"})
    plot.Tracks(node).draw(ax)
    own.canvas.draw()
    assert ax.xaxis.get_offset_text().get_text() == ax.yaxis.get_offset_text().get_text() == ""
    written = [label for label in ax.get_xticklabels() if 1_200_000 <= label.get_position()[0] <= 1_200_512]
    assert all(label.get_text().startswith("1,200,") for label in written)
    assert ax.get_xlabel() == "chrV (bp)"
    boxes = [label.get_window_extent() for label in written]
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    assert ax._left_title.get_window_extent().x1 <= ax.bbox.x1 + 1  # cut to the axes


def test_chromosome_spellings_are_one(result_tree):
    assert plot.figure(result_tree, region="V:1100-1300").axes[0].get_xlim() == (1100, 1300)


def test_bad_input_names_the_remedy(result_tree):
    tracks = plot.Tracks(result_tree["rna_seq"])
    with pytest.raises(ValueError, match="nothing to draw"):
        plot.figure(prediction_tree({}, {}))
    with pytest.raises(ValueError, match="No panel came"):
        plot.figure([])
    with pytest.raises(ValueError, match="max_tracks=0"):
        plot.figure(result_tree, max_tracks=0)
    with pytest.raises(ValueError, match="Wrap it in one"):
        plot.figure([tracks, result_tree])
    with pytest.raises(ValueError, match=r"put Genes\(\.\.\.\) into the list"):
        plot.figure([tracks], genes=exons())
    with pytest.raises(ValueError, match="is no annotation"):
        plot.figure([tracks], annotations=["chrV:1101:A>G"])
    with pytest.raises(ValueError, match="int cannot be drawn by itself"):
        plot.figure(3)
    with pytest.raises(ValueError, match="say which part: region="):
        plot.figure(plot.Genes(exons()))
    with pytest.raises(ValueError, match="neither `signal` nor `effect`"):
        plot.figure(xr.Dataset({"other": ("x", [1.0])}))


@pytest.mark.parametrize(("what", "changed", "said"), [
    ("chrom", "chrI", "two chromosomes came: chrV:1,000-1,512 .* and chrI"),
    ("assembly", "ce11", "two assemblies came: .*ce10.* and .*ce11"),
])  # fmt: skip
def test_data_of_two_genomes_do_not_mix(what, changed, said):
    one = track_node(np.ones((512, 1)), "gut")
    other = track_node(np.ones((512, 1)), "gut", attrs=WHERE | {what: changed})
    with pytest.raises(ValueError, match=said + ".*give data of the same"):
        plot.figure([plot.Tracks(one), plot.Tracks(other)])


@pytest.mark.parametrize("panel", [plot.Genes, plot.Sequence])
def test_a_genome_of_another_assembly_is_refused(panel, tmp_path):
    node = track_node(np.ones((512, 1)), "gut", attrs=WHERE | {"chrom": "chrI"})
    toy = toy_genome(tmp_path)
    other = Genome(toy.fasta, toy.gtf, name="ce10 with a patch", organism="worm")
    with pytest.raises(
        ValueError, match=r"two assemblies came: ce10 \(Tracks\), ce10 with a patch .*; open the genome"
    ):
        plot.figure([plot.Tracks(node), panel(other)])
    same = Genome(toy.fasta, toy.gtf, organism="worm")  # nobody knows which assembly it is
    assert len(plot.figure([plot.Tracks(node), panel(same)]).axes) == 2


def test_a_genome_without_annotation_says_how_to_give_one(result_tree, tmp_path):
    bare = Genome(toy_genome(tmp_path).fasta, organism="worm")
    with pytest.raises(ValueError, match=r"no annotation to draw\. Open it with gtf=<a GTF or GFF3 file>"):
        plot.figure(result_tree, genes=bare)


@pytest.mark.parametrize("width", [2.5, 4.0, 10.0])
def test_numbers_of_a_colour_bar_stay_inside_the_figure(width):
    node = ism_node()
    node["effect"] *= 1e-4
    drawing = plot.figure(plot.IsmHeatmap(node), width=width)
    drawing.savefig(io.BytesIO())  # bars find their place when a file is written
    bar = drawing.axes[0].child_axes[0]
    assert "-" in "".join(text.get_text() for text in bar.get_yticklabels())
    assert max(text.get_window_extent().x1 for text in bar.get_yticklabels()) <= drawing.bbox.width
    box, panel = bar.bbox, drawing.axes[0].bbox
    assert [(box.x0 - panel.x1) / drawing.dpi, box.width / drawing.dpi] == pytest.approx([0.1, 0.1])  # at any width


def test_long_names_leave_a_narrow_figure_its_panels(result_tree):
    label = "a name of a sample that is long, as many are"
    narrow = plot.figure(plot.Tracks(result_tree["rna_seq"], label=label), width=4)
    assert narrow.axes[0].get_position().width > 0.6


def test_panels_line_up_and_do_not_overlap(result_tree):
    drawing = plot.figure(result_tree, genes=exons())
    boxes = [ax.get_position() for ax in drawing.axes]
    assert len({(round(box.x0, 6), round(box.x1, 6)) for box in boxes}) == 1
    assert all(upper.y0 > lower.y1 for upper, lower in itertools.pairwise(boxes))
    assert min(box.y0 for box in boxes) > 0
    assert max(box.y1 for box in boxes) < 1
    assert [any(tick.label1.get_visible() for tick in ax.xaxis.get_major_ticks()) for ax in drawing.axes] == [
        False, False, False, False, True,
    ]  # fmt: skip


@pytest.mark.parametrize(("count", "rows", "more"), [(3, 1, 0), (9, 2, 0), (49, 6, 20)])
def test_a_key_of_many_colours_has_rows_of_its_own(count, rows, more):
    names = [f"a tissue with number {index}" for index in range(count)]
    node = track_node(np.ones((512, count)), *names)
    drawing = plot.figure([plot.Tracks(node.isel(track=[0])), plot.Overlay(node, by="name", title="all of them")])
    drawing.savefig(io.BytesIO())  # places the key
    upper, lower = drawing.axes
    entries = lower.get_legend().get_texts()
    assert len({round(entry.get_window_extent().y0) for entry in entries}) == rows
    assert len(entries) == count - more + bool(more)
    assert entries[-1].get_text() == (f"+ {more} more" if more else names[-1])
    title, key = lower._left_title.get_window_extent(), lower.get_legend().get_window_extent()
    assert not title.overlaps(key)
    assert key.y1 <= upper.bbox.y0
    assert 0 <= key.x0 < key.x1 <= drawing.bbox.width


def test_a_key_leaves_the_caption_and_a_long_title_whole():
    many = pd.DataFrame({"chrom": "chrV", "start": range(1000, 1300, 5), "end": range(1200, 1500, 5), "name": "x"})
    for title, width in (("hits", 8), ("hits of every motif that was looked for", 4)):
        drawing = plot.figure(plot.Intervals(many, color_by="name", max_rows=2, title=title), region="chrV:1000-1512",
                              width=width)  # fmt: skip
        drawing.savefig(io.BytesIO())  # places the key
        ax = drawing.axes[0]
        (note,) = (text for text in ax.texts if text.get_gid() == "genomekit-caption")
        assert note.get_text().startswith("+ 56 more")
        boxes = [ax._left_title.get_window_extent(), ax.get_legend().get_window_extent(), note.get_window_extent()]
        assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))
        assert max(box.y1 for box in boxes) < drawing.bbox.height


def test_text_stays_text_in_vector_files():
    drawing, buffer = plot.figure(plot.Tracks(track_node(np.ones((512, 1)), "gut"))), io.BytesIO()
    drawing.savefig(buffer, format="svg")
    assert b">chrV:1,000-1,512 ce10</text>" in buffer.getvalue()


def test_names_and_titles_stay_inside_the_figure():
    long = "UBERON:0002107 a track with a name that no figure has room for, ending in this"
    drawing = plot.figure(plot.Tracks(track_node(np.ones((512, 2)), long, long + " 2")), width=5)
    drawing.canvas.draw()
    width = drawing.bbox.width
    for ax in drawing.axes:
        for text in [*ax.texts, ax._left_title]:
            box = text.get_window_extent()
            assert box.x0 >= 0
            assert box.x1 <= width


def test_a_figure_of_the_callers_keeps_its_size():
    from matplotlib.figure import Figure

    own = Figure(figsize=(6, 4))
    node = track_node(np.ones((512, 1)), "gut")
    assert plot.figure([plot.Tracks(node), plot.Tracks(node)], fig=own) is own
    assert own.get_size_inches().tolist() == [6, 4]
    upper, lower = (ax.get_position() for ax in own.axes)
    assert 0 < lower.y0 < lower.y1 < upper.y0 < upper.y1 < 1
    assert upper.height + lower.height > 0.4


def test_a_panel_draws_on_any_axes_and_returns_them(result_tree):
    from matplotlib.figure import Figure

    ax = Figure().add_subplot()
    assert plot.Tracks(result_tree["rna_seq"]).draw(ax, "chrV:1100-1200") is ax
    assert ax.get_xlim() == (1100, 1200)


def test_no_global_setting_is_changed_and_no_pyplot_loaded(result_tree):
    before = dict(matplotlib.rcParams)
    plot.figure(result_tree, genes=exons(), title="A title").canvas.draw()
    assert dict(matplotlib.rcParams) == before


def test_theme_lasts_for_its_block_only(result_tree):
    before = dict(matplotlib.rcParams)
    with plot.theme("dark", font_size=14, lines_linewidth=3):
        dark = plot.figure(result_tree)
        assert matplotlib.rcParams["lines.linewidth"] == 3
    assert dict(matplotlib.rcParams) == before
    assert sum(dark.get_facecolor()[:3]) < 0.5
    assert plot.figure(result_tree).get_facecolor()[:3] == (1, 1, 1)
    with pytest.raises(ValueError, match="Unknown style 'drak'"), plot.theme("drak"):
        pass


def test_saved_figure_is_the_same_twice(result_tree, tmp_path):
    for kind in ("png", "svg"):
        for name in ("a", "b"):
            undated = {"metadata": {"Date": None}} if kind == "svg" else {}
            plot.figure(result_tree, genes=exons()).savefig(tmp_path / name, format=kind, dpi=50, **undated)
        assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_notebook_shows_it_without_pyplot(result_tree):
    assert plot.figure(result_tree)._repr_png_().startswith(b"\x89PNG")


def test_missing_values_and_empty_nodes_are_said(result_tree):
    empty = result_tree.map_over_datasets(lambda node: node * np.nan if "signal" in node else node)
    empty = empty.map_over_datasets(lambda node: node.assign_attrs(start=1000, end=1512))
    drawing = plot.figure(empty)
    drawing.canvas.draw()
    said = {text.get_text() for ax in drawing.axes for text in ax.texts}
    assert {"no data here", "no junctions here"} <= said


def test_own_data_and_predictions_side_by_side(tmp_path):
    bed = tmp_path / "peaks.bed"
    bed.write_text("chrV\t1100\t1200\tpeak\n")
    table = pd.DataFrame({"chrom": "V", "start": [1000], "end": [1100], "value": [4.0]})
    node = track_node(np.ones((512, 1)), "predicted")
    drawing = plot.figure(
        [
            plot.Tracks({"measured": table, "predicted": node}),
            plot.Intervals(bed),
            plot.Sashimi(junction_node([[3]], [1100], [1200])),
        ]
    )
    drawing.canvas.draw()
    assert names(drawing)[:2] == ["measured", "predicted"]


def test_a_difference_draws_its_losses():
    node = track_node(np.array([[0.0], [-0.9], [0.2]]), "donor", modality="splice_sites", strands="+")
    (panel,), _ = panels_of(node)
    assert isinstance(panel, plot.Tracks)
    contributions = ism_node()["effect"].assign_attrs(modality="splice_sites")
    (panel,), _ = panels_of(contributions.to_dataset(name="signal").assign_attrs(modality="splice_sites"))
    assert isinstance(panel, plot.Logo)


def test_contacts_of_a_variant_show_ref_beside_the_difference():
    both = contact_node(np.stack([np.ones((4, 4, 1)), 3 * np.ones((4, 4, 1))]))
    name, units = "Chromatin contacts (Hi-C, Micro-C)", "log fold over distance-based expectation"
    assert titles(both.gk.plot()) == [f"{name}, REF, {units}", f"{name}, ALT - REF, {units}"]


def test_generators_and_paths_of_another_kind_are_answered_in_words(tmp_path, result_tree):
    with pytest.raises(ValueError, match=r"A generator came.*for tree in results: tree.gk.plot"):
        plot.figure(tree for tree in [result_tree])
    places = plot.Intervals(text for text in ["chrV:1000-1100", "chrV:1050-1200"])
    drawing = plot.figure(places, region="chrV:900-1500")  # measured once and drawn once
    assert len(drawing.axes[0].collections[0].get_paths()) == 2
    for path in (tmp_path / "peaks.txt", "peaks.txt", "genes.gtf"):
        with pytest.raises(ValueError, match="is no interval such as 'chr1:100-200' and no BED file"):
            plot.figure(plot.Intervals(path), region="chrV:900-1500")
    backwards = pd.DataFrame({"chrom": "chrV", "start": [1000, 1200], "end": [1100, 1150]})
    with pytest.raises(ValueError, match="The table has in row 2 chrV:1200-1150"):
        plot.figure(plot.Intervals(backwards), region="chrV:900-1500")
    with pytest.raises(ValueError, match="ends before it starts"):
        plot.figure(plot.Intervals("chrV:1200-1150"), region="chrV:900-1500")


@pytest.mark.parametrize("width", [40, 120, 777, 1652, 10_500, 123_456, 1_048_576])
def test_positions_go_up_in_round_steps(width):
    """Of 1, 2, 2.5 or 5 times a power of ten."""
    spans = pd.DataFrame({"chrom": ["chrI"], "start": [3_001], "end": [3_001 + width]})
    (ax,) = plot.figure([plot.Intervals(spans)], region=f"chrI:3001-{3_001 + width}").axes
    steps = set(np.diff(ax.get_xticks()).round().astype(int).tolist())
    assert len(steps) == 1
    assert str(steps.pop()).rstrip("0") in ("1", "2", "25", "5")
