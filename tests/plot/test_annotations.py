"""What is marked across panels: at its place, with labels that do not lie on each other."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_results import contact_node, exons, ism_node, track_node
from matplotlib.collections import QuadMesh
from matplotlib.image import AxesImage

from genomekit import plot
from genomekit.errors import GenomekitWarning
from genomekit.genome.interval import Interval
from genomekit.labels import prediction_tree
from genomekit.plot import Genes, Highlights, Labels, Tracks, Variants
from genomekit.plot.columns import CurveFill
from genomekit.plot.measure import compact, fit, lay_out, pack, text_width

WHERE = Interval("chrV", 1000, 1512)


def panels():
    return [Tracks(track_node(np.ones((512, 1)), "gut")), Genes(exons())]


def strip(drawing):
    return next(ax for ax in drawing.axes if ax.get_label() == "annotations")


def test_variants_cross_every_panel_at_their_base():
    drawing = plot.figure(panels(), annotations=Variants(["chrV:1101:A>G", "chrV:1201:ACGTACGT>A"]))
    for ax in drawing.axes[:2]:
        assert 1100.5 in [line.get_xdata()[0] for line in ax.lines]
        assert [(patch.get_x(), patch.get_width()) for patch in ax.patches] == [(1200, 8)]  # a deletion has a width
    assert {text.get_text() for text in strip(drawing).texts} == {"1,101 A>G", "1,201 ACGTACGT>A"}


def test_a_narrow_highlight_does_not_vanish():
    node = track_node(np.ones((1_000_000, 1)), "gut", attrs={"chrom": "chrV"}, start=0)
    marks = Highlights(["chrV:500,000-500,010", "chrV:600,000-700,000"])
    ax = plot.figure(Tracks(node), annotations=marks).axes[0]
    (line,) = (line for line in ax.lines if line.get_xdata()[0] == 500_005)
    assert line.get_linewidth() == 1
    assert [(patch.get_x(), patch.get_width()) for patch in ax.patches] == [(600_000, 100_000)]


@pytest.mark.parametrize("picture", [
    lambda: Tracks(track_node(np.ones((512, 1)), "gut"), style="heat"),
    lambda: plot.ContactMap(contact_node(np.eye(4)[..., None])),
    lambda: plot.IsmHeatmap(ism_node("ACGT" * 128)),
])  # fmt: skip
def test_marks_lie_behind_curves_and_outline_pictures(picture):
    marks = [Highlights("chrV:1100-1200"), Variants("chrV:1301:A>G")]
    picture_ax, curve_ax = plot.figure([picture(), panels()[0]], annotations=marks).axes[:2]
    (curve,) = (child for child in curve_ax.get_children() if isinstance(child, CurveFill))
    (shade,) = curve_ax.patches
    behind = next(line for line in curve_ax.lines if line.get_xdata()[0] == 1300.5)
    assert max(shade.get_zorder(), behind.get_zorder()) < curve.get_zorder()
    drawn = next(child for child in picture_ax.get_children() if isinstance(child, AxesImage | QuadMesh))
    outline = next(patch for patch in picture_ax.patches if patch.get_x() == 1100)
    above = next(line for line in picture_ax.lines if line.get_xdata()[0] == 1300.5)
    assert not outline.get_fill()  # or it would change the colours
    assert min(outline.get_zorder(), above.get_zorder()) > drawn.get_zorder()


@pytest.mark.parametrize(("marks", "said"), [
    (Variants(["chrV:1101:A>G", "chrV:9101:A>G", "chrI:1:A>G"]), "not drawn: 2 of 3 variants"),
    ([Labels({5: "x"}), Highlights("chrV:1-5")], "not drawn: 1 of 1 labels, 1 of 1 highlights"),
    (Highlights(pd.DataFrame({"chrom": "chrV", "start": [1], "end": [5]})), "not drawn: all highlights"),
])  # fmt: skip
def test_what_lies_outside_the_region_is_said_once(marks, said):
    with pytest.warns(GenomekitWarning, match=said) as caught:
        plot.figure(panels(), annotations=marks)
    assert len(caught) == 1


def test_tables_may_hold_a_whole_genome_and_results_their_variant():
    table = pd.DataFrame({"chrom": "chrV", "start": [1100, 9000], "end": [1200, 9100]})
    tree = prediction_tree({"atac": track_node(np.ones((512, 1)), "gut")}, {"variant": "chrV:1101:A>G"})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plot.figure(panels(), annotations=Highlights(table))
        plot.figure(tree, region="chrV:1200-1300")


def test_mistyped_options_of_marks_are_refused():
    with pytest.raises(ValueError, match=r"Unknown Variants option .for a Line2D of matplotlib. 'linewdth'"):
        plot.figure(panels(), annotations=Variants("chrV:1101:A>G", artist={"linewdth": 1}))


def test_highlights_lie_behind_letters():
    panel = plot.Sequence("ACGT" * 5, start=1000, chrom="chrV")
    ax = plot.figure(panel, annotations=Highlights("chrV:1005-1010")).axes[0]
    letters = next(child for child in ax.get_children() if type(child).__name__ == "Letters")
    assert ax.patches[0].get_zorder() < letters.get_zorder()


def test_labels_do_not_lie_on_each_other_and_the_rest_is_counted():
    many = Variants([f"chrV:{1100 + n}:A>G" for n in range(30)])
    drawing = plot.figure(panels(), annotations=[many, Labels({1001: "at the very left", 1511: "at the very right"})])
    drawing.canvas.draw()
    texts = strip(drawing).texts
    boxes = [text.get_window_extent() for text in texts]
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    assert any("more labels" in text.get_text() for text in texts)
    ax = drawing.axes[0]
    assert all(ax.bbox.x0 - 1 <= box.x0 and box.x1 <= ax.bbox.x1 + 40 for box in boxes)


def test_labels_stand_over_their_places_on_a_turned_axis():
    from genomekit import accessors as accessors

    node = track_node(np.ones((512, 1)), "gut").gk.reverse_complement()
    drawing = plot.figure(Tracks(node), annotations=Labels({1010: "low", 1500: "high"}))
    places = {text.get_text(): text.get_position()[0] for text in strip(drawing).texts}
    assert places["high"] < 0.5 < places["low"]


def test_labels_of_ones_own_and_tables_of_variants():
    table = pd.DataFrame({"variant": ["chrV:1101:A>G"] * 2})
    assert [mark.label for mark in Variants(table).marks(WHERE)] == ["1,101 A>G"]
    assert [mark.label for mark in Variants("chrV:1101:A>G", labels="mine").marks(WHERE)] == ["mine"]
    assert Variants("V:1101:A>G").marks(WHERE)[0].start == 1100
    assert Variants("chrV:9101:A>G").marks(WHERE) == []
    long = Variants(f"chrV:1101:{'A' * 30}>A").marks(WHERE)[0]
    assert long.label == "1,101 AAA..30 bp>A"


def test_bad_annotations_are_refused():
    with pytest.raises(ValueError, match="None of the variants is on chrV; they are on chrI"):
        plot.figure(panels(), annotations=Variants("chrI:1101:A>G"))
    with pytest.raises(ValueError, match="2 labels came for 1"):
        Variants("chrV:1101:A>G", labels=["a", "b"]).marks(WHERE)
    with pytest.raises(ValueError, match="no column variant"):
        Variants(pd.DataFrame({"v": []})).marks(WHERE)
    with pytest.raises(ValueError, match="'rde' is no colour"):
        Labels({1001: "a"}, color="rde").marks(WHERE)
    with pytest.raises(ValueError, match="has no chromosome chrV"):
        Highlights("chrI:1-10").marks(WHERE)


@given(st.lists(st.tuples(st.floats(0, 10), st.floats(0.1, 3)), max_size=30), st.integers(1, 4))
def test_laid_out_labels_never_overlap(labels, rows):
    middles, widths = [middle for middle, _ in labels], [width for _, width in labels]
    placed = [
        (row, max(min(middle, 10 - width / 2), width / 2), width)
        for row, middle, width in zip(lay_out(middles, widths, rows, (0, 10)), middles, widths, strict=True)
        if row >= 0
    ]
    for i, (row, middle, width) in enumerate(placed):
        for other, place, size in placed[:i]:
            assert row != other or abs(middle - place) >= (width + size) / 2 - 1e-9


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 20)), max_size=30))
def test_packed_spans_never_touch(spans):
    ordered = sorted((start, start + width) for start, width in spans)
    rows = pack(ordered)
    for i, (start, _) in enumerate(ordered):
        assert all(rows[i] != rows[j] or ordered[j][1] <= start for j in range(i))


@given(st.text(alphabet="abc DEF:-", min_size=1, max_size=80), st.floats(0.5, 3))
def test_fitted_text_fits(text, inches):
    text = text.strip() or "a"
    assert text_width(fit(text, 7, inches), 7) <= inches + 1e-6
    assert max(text_width(line, 7) for line in fit(text, 7, inches, 2).split("\n")) <= inches * 1.05 + 1e-6


def test_numbers_are_short():
    assert [compact(value) for value in (1234, -0.5, 99_999, 1e9)] == ["1234", "-0.5", "100k", "1G"]


def test_labels_without_positions_are_refused():
    with pytest.raises(ValueError, match="list came; give Labels a mapping of positions to texts"):
        plot.figure(panels(), annotations=Labels(["here"]))
