"""Sashimi and splice sites: arcs from exon to exon, whole, and the same each time."""

import numpy as np
import pandas as pd
import pytest
from made_results import WHERE, axes, junction_node, rows, track_node

from genomekit.labels import junction_dataset, track_dataset
from genomekit.plot import Sashimi, SpliceSites
from genomekit.tracks.modality import MODALITIES


def arcs(ax):
    return [patch.get_path().vertices for patch in ax.patches]


def spans(ax):
    return sorted((float(arc[0, 0]), float(arc[-1, 0])) for arc in arcs(ax))


def texts(ax):
    return [text.get_text() for text in ax.texts]


def two_alleles(ref, alt):
    introns = pd.DataFrame({"chrom": "chrV", "start": [1100, 1100], "end": [1200, 1300], "strand": "+"})
    values = np.array([ref, alt], dtype=np.float32)[..., None]
    return junction_dataset(
        values, modality=MODALITIES["splice_junctions"], rows=rows("gut"), junctions=introns, attrs=WHERE
    )


def test_arcs_span_their_introns_and_counts_are_written():
    ax = Sashimi(junction_node([[30], [7]], [1100, 1300], [1200, 1400])).draw(axes())
    assert spans(ax) == [(1100, 1200), (1300, 1400)]
    assert {"30", "7"} <= set(texts(ax))


def test_wider_arcs_are_stronger_and_higher_ones_reach_further():
    ax = Sashimi(junction_node([[30], [10]], [1100, 1100], [1200, 1400])).draw(axes())
    strong, weak = sorted(ax.patches, key=lambda patch: -patch.get_linewidth())
    assert strong.get_path().vertices[-1, 0] == 1200
    assert weak.get_path().vertices[:, 1].max() > strong.get_path().vertices[:, 1].max()


def test_strands_rise_and_hang():
    both = pd.DataFrame({"start": [1100, 1300], "end": [1200, 1400], "strand": ["+", "-"], "count": [3, 3]})
    ax = Sashimi(both).draw(axes(), "chrV:1000-1512")
    assert sorted(np.sign(arc[1, 1]) for arc in arcs(ax)) == [-1, 1]
    assert spans(Sashimi(both, strand="-").draw(axes(), "chrV:1000-1512")) == [(1300, 1400)]


def test_weak_and_cut_junctions_are_left_out_and_counted():
    table = pd.DataFrame({"start": [1100, 1150, 900], "end": [1200, 1250, 1400], "count": [100, 4, 50]})
    ax = Sashimi(table).draw(axes(), "chrV:1000-1512")
    assert spans(ax) == [(1100, 1200)]  # 5 % of 100 is 5
    assert "not drawn: 1 below 5, 1 reaching outside" in texts(ax)
    assert len(spans(Sashimi(table, min_count=0).draw(axes(), "chrV:1000-1512"))) == 2
    few = Sashimi(table, min_count=0, top=1).draw(axes(), "chrV:1000-1512")
    assert len(spans(few)) == 1
    assert "not drawn: 1 beyond the top 1, 1 reaching outside" in texts(few)


def test_every_count_stands_on_its_own_arc():
    ax = Sashimi(two_alleles([50, 9], [10, 40])).draw(axes(height=3))
    ax.figure.canvas.draw()
    counts = {text.get_text(): text for text in ax.texts if text.get_text().isdigit()}
    assert set(counts) == {"50", "9", "10", "40"}
    ends = {"50": (1200, 1), "9": (1300, 1), "10": (1200, -1), "40": (1300, -1)}
    for count, text in counts.items():
        box = text.get_window_extent()
        through = {
            (float(patch.get_path().vertices[-1, 0]), float(np.sign(patch.get_path().vertices[1, 1])))
            for patch in ax.patches
            if box.count_contains(_along(patch, ax))
        }
        assert through == {ends[count]}


def _along(patch, ax):
    """Points along an arc, in pixels."""
    a, b, c, d = patch.get_path().vertices
    t = np.linspace(0, 1, 400)[:, None]
    return ax.transData.transform((1 - t) ** 3 * a + 3 * (1 - t) ** 2 * t * b + 3 * (1 - t) * t**2 * c + t**3 * d)


def test_counts_without_room_are_counted():
    many = pd.DataFrame({"start": np.arange(1100, 1110), "end": np.arange(1400, 1410), "count": 5})
    shown = texts(Sashimi(many).draw(axes(width=1), "chrV:1000-1512"))
    written = sum(text == "5" for text in shown)
    assert 0 < written < 10
    assert any(f"{10 - written} counts without room".startswith(text.split("...")[0]) for text in shown if text != "5")


def test_the_unit_of_the_coverage_is_named():
    ax = Sashimi(junction_node([[3]], [1100], [1200]), coverage=track_node(np.ones((512, 1)), "reads")).draw(axes())
    title = "Splice junctions, normalized junction read signal; coverage, normalized insertion signal"
    assert ax.get_title(loc="left") == title


def test_nothing_crosses_the_words_where_there_is_no_junction():
    ax = Sashimi(two_alleles([0, 0], [0, 0])).draw(axes())
    assert "no junctions here" in texts(ax)
    assert not ax.lines
    assert not ax.collections


def test_arcs_and_counts_are_never_cut_off():
    cover = track_node(np.full((512, 1), 8.0), "reads")
    ax = Sashimi(junction_node([[3], [2], [1]], [1100, 1100, 1001], [1200, 1400, 1511]), coverage=cover).draw(axes())
    ax.figure.canvas.draw()
    low, high = ax.get_ylim()
    for patch in ax.patches:
        path = patch.get_path().interpolated(1).to_polygons(closed_only=False)[0]
        assert low <= path[:, 1].min()
        assert path[:, 1].max() <= high
    for text in ax.texts:
        if text.get_gid() is None:
            box = text.get_window_extent()
            assert ax.bbox.y0 - 1 <= box.y0
            assert box.y1 <= ax.bbox.y1 + 1


def test_arcs_stand_on_the_coverage_of_their_exons():
    values = np.zeros((512, 1))
    values[:100], values[200:] = 10, 5  # the exon before 1100 and the one from 1200 on
    ax = Sashimi(junction_node([[3]], [1100], [1200]), coverage=track_node(values, "reads")).draw(axes())
    (arc,) = arcs(ax)
    assert (arc[0, 1], arc[-1, 1]) == (1.0, 0.5)


def test_ref_rises_alt_hangs_and_lost_junctions_count_for_both():
    ax = Sashimi(two_alleles([50, 0], [0, 40])).draw(axes())
    ends = sorted((arc[-1, 0], np.sign(arc[1, 1])) for arc in arcs(ax))
    assert ends == [(1200, 1), (1300, -1)]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["REF (up)", "ALT (down)"]


def test_a_drawing_comes_out_the_same_each_time():
    node = junction_node([[30], [7]], [1100, 1300], [1200, 1400])
    first, second = (np.concatenate(arcs(Sashimi(node).draw(axes()))) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_track_is_chosen_by_name_and_said():
    node = junction_node([[30, 1]], [1100], [1200], names=("gut", "liver"))
    assert "gut (1 of 2)" in texts(Sashimi(node).draw(axes()))
    assert "1" in texts(Sashimi(node, track="liver").draw(axes()))
    with pytest.raises(ValueError, match="Unknown track 'livre'"):
        Sashimi(node, track="livre").draw(axes())


def test_nothing_and_nonsense():
    table = pd.DataFrame({"start": [1100], "end": [1200], "count": [3]})
    assert "no junctions here" in texts(Sashimi(table).draw(axes(), "chrV:1300-1400"))
    with pytest.raises(ValueError, match="no column count"):
        Sashimi(table.drop(columns="count")).draw(axes(), "chrV:0-10")
    with pytest.raises(ValueError, match="Unknown strand"):
        Sashimi(table, strand="plus").draw(axes(), "chrV:0-10")
    with pytest.raises(ValueError, match=r"has strands \., .* leave the column out"):
        Sashimi(table.assign(strand=".")).draw(axes(), "chrV:0-10")
    with pytest.raises(ValueError, match="min_count=-1"):
        Sashimi(table, min_count=-1).draw(axes(), "chrV:0-10")
    with pytest.raises(ValueError, match="no dim `junction`"):
        Sashimi(track_node(np.ones((512, 1)), "gut")).draw(axes())
    with pytest.raises(ValueError, match="int holds no junctions"):
        Sashimi(3).draw(axes(), "chrV:0-10")
    with pytest.raises(ValueError, match=r"coverage has 2 tracks, .* one track of both alleles\. Choose it with"):
        Sashimi(two_alleles([1, 1], [1, 1]), coverage=track_node(np.ones((2, 512, 2)), "a", "b")).draw(axes())


@pytest.fixture
def sites():
    table = pd.DataFrame({"name": ["donor", "acceptor"] * 2, "strand": list("++--"), "channel": range(4)})
    table["label"] = table["name"] + " " + table["strand"]
    values = np.full((512, 4), 0.01, dtype=np.float32)
    values[[99, 200, 400, 299], [0, 1, 2, 3]] = [0.9, 0.8, 0.7, 0.6]
    return track_dataset(values, modality=MODALITIES["splice_sites"], rows=table, start=1000, attrs=WHERE)


def tips(ax):
    return {
        float(x): float(y)
        for line in ax.lines
        if line.get_marker() == "o"
        for x, y in zip(*line.get_data(), strict=True)
    }


def test_donors_point_up_and_acceptors_down(sites):
    expected = {1099.5: 0.9, 1200.5: -0.8, 1400.5: 0.7, 1299.5: -0.6}
    assert tips(SpliceSites(sites).draw(axes())) == pytest.approx(expected)
    assert tips(SpliceSites(sites, strand="+").draw(axes())) == pytest.approx({1099.5: 0.9, 1200.5: -0.8})
    assert tips(SpliceSites(sites, threshold=0.85).draw(axes())) == pytest.approx({1099.5: 0.9})


@pytest.mark.parametrize("width", [2.0, 3.0, 8.0])
def test_the_key_of_sites_never_lies_on_the_title(sites, width):
    ax = SpliceSites(sites).draw(axes(width=width))
    ax.figure.canvas.draw()
    key = next(text for text in ax.texts if text.get_gid() == "genomekit-caption")
    assert not key.get_window_extent().overlaps(ax._left_title.get_window_extent())
    assert "+" in key.get_text()
    assert [text for text in texts(ax) if text in ("donor", "acceptor")] == ["donor", "acceptor"]


def test_sites_refuse_other_tracks_and_thresholds(sites):
    with pytest.raises(ValueError, match="neither donor nor acceptor"):
        SpliceSites(track_node(np.ones((512, 1)), "gut")).draw(axes())
    with pytest.raises(ValueError, match="Unknown strand 'plus'"):
        SpliceSites(sites, strand="plus").draw(axes())
    unstranded = sites.isel(track=[0]).assign_coords(strand=("track", ["."]))
    with pytest.raises(ValueError, match=r"'donor [+]' has no strand.* draw the track with Tracks"):
        SpliceSites(unstranded).draw(axes())
    with pytest.raises(ValueError, match="between 0 and 1"):
        SpliceSites(sites, threshold=5).draw(axes())


def test_differences_have_gains_above_and_losses_below():
    table = pd.DataFrame({"start": [20, 45], "end": [40, 70], "strand": "+", "count": [-1.4, 0.6]})
    ax = Sashimi(table).draw(axes(), "chrI:0-100")
    assert [text.get_text() for text in ax.texts] == ["0.6", "\N{MINUS SIGN}1.4"]
    gain, loss = (patch.get_path().vertices[:, 1] for patch in ax.patches)
    assert gain.max() > 0 > loss.min()
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["gain (up)", "loss (down)"]
