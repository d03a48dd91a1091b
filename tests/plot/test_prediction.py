import matplotlib
import numpy as np
import pandas as pd
import pytest

from genomekit import accessors as accessors
from genomekit.labels import prediction_tree, track_dataset
from genomekit.plot import prediction
from genomekit.plot.prediction import figure
from genomekit.tracks.modality import MODALITIES

WHERE = {"chrom": "chrV", "start": 1000, "end": 1512, "assembly": "ce10"}


@pytest.fixture
def exons():
    return pd.DataFrame(
        {
            "chrom": "chrV",
            "start": [1050, 1200, 1300],
            "end": [1100, 1250, 1400],
            "strand": ["+", "+", "-"],
            "gene_id": ["g1", "g1", "g2"],
            "gene_name": ["unc-1", "unc-1", ""],
            "transcript_id": ["t1", "t1", "t2"],
        }
    )


@pytest.fixture
def sites():
    rows = pd.DataFrame({"name": ["donor", "acceptor"] * 2, "strand": list("++--"), "channel": range(4)})
    rows["label"] = rows["name"] + " " + rows["strand"]
    values = np.full((512, 4), 0.01, dtype=np.float32)
    values[[99, 200, 400, 299], [0, 1, 2, 3]] = [0.9, 0.8, 0.7, 0.6]
    node = track_dataset(values, modality=MODALITIES["splice_sites"], rows=rows, start=1000, attrs=WHERE)
    return prediction_tree({"splice_sites": node}, WHERE)


def titles(drawing):
    return [axes.get_title(loc="left") for axes in drawing.axes]


def test_panels_of_a_whole_prediction(result_tree, exons):
    drawing = figure(result_tree, genes=exons)
    drawing.canvas.draw()
    assert titles(drawing)[0] == "Genes"
    assert "Splice junctions: liver   (+ 1 more not drawn)" in titles(drawing)
    assert sum("Gene expression" in title for title in titles(drawing)) == 2  # two strands share a panel
    assert titles(drawing)[-1].startswith("Chromatin contacts")
    assert drawing.axes[0].get_xlim() == (1000, 1512)


def test_max_tracks_counts_what_is_left_out(result_tree):
    assert "Transcription factor binding (ChIP-seq): CTCF liver   (+ 2 more not drawn)" in titles(
        figure(result_tree, max_tracks=1)
    )


def test_genes_are_boxes_lines_and_names(result_tree, exons):
    axes = figure(result_tree, genes=exons).axes[0]
    boxes = [len(collection.get_paths()) for collection in axes.collections]
    assert boxes == [2, 1]
    assert {text.get_text() for text in axes.texts} == {"unc-1", "g2"}


def test_a_gene_whose_intron_spans_the_region_is_drawn(result_tree, exons):
    axes = figure(result_tree, region="chrV:1110-1190", genes=exons).axes[0]
    assert [text.get_text() for text in axes.texts] == ["unc-1"]


def test_genes_elsewhere_and_wrong_tables(result_tree, exons):
    assert titles(figure(result_tree, genes=exons.assign(chrom="chrI")))[0] == "Genes (none here)"
    with pytest.raises(ValueError, match="no column transcript_id"):
        figure(result_tree, genes=exons.drop(columns="transcript_id"))


def test_donors_point_up_and_acceptors_down(sites):
    axes = figure(sites).axes[0]
    tips = {
        float(x): float(y)
        for line in axes.lines
        for x, y in zip(*line.get_data(), strict=True)
        if len(line.get_xdata()) == 1
    }
    assert tips == {
        1099.5: pytest.approx(0.9),
        1200.5: pytest.approx(-0.8),
        1400.5: pytest.approx(0.7),
        1299.5: pytest.approx(-0.6),
    }


def test_arcs_span_their_introns(result_tree):
    axes = next(a for a in figure(result_tree).axes if "junctions" in a.get_title(loc="left"))
    ends = sorted((patch.get_path().vertices[0][0], patch.get_path().vertices[-1][0]) for patch in axes.patches)
    assert ends == [(1100, 1200)]  # the other one is predicted to be unused


def test_decimation_keeps_peaks():
    values = np.zeros(1_000_000, dtype=np.float32)
    values[123_456], values[654_321] = 7, -9
    edges, reduced = prediction._decimated(np.arange(1_000_000), values, 1)
    assert len(reduced) == prediction.COLUMNS
    assert (reduced.max(), reduced.min()) == (7, -9)
    assert (edges[0], edges[-1]) == (0, 1_000_000)


def test_region_and_turned_results(result_tree):
    assert figure(result_tree, region="chrV:1100-1300").axes[0].get_xlim() == (1100, 1300)
    assert figure(result_tree.gk.reverse_complement()).axes[0].get_xlim() == (1512, 1000)


@pytest.mark.parametrize("region", ["chrI:1100-1300", "chrV:5000-6000"])
def test_region_outside_is_an_error(result_tree, region):
    with pytest.raises(ValueError, match="Region chr"):
        figure(result_tree, region=region)


def test_nothing_to_draw_and_two_alleles(sites):
    with pytest.raises(ValueError, match="nothing to draw"):
        figure(prediction_tree({}, {}))
    with pytest.raises(ValueError, match="max_tracks=0"):
        figure(sites, max_tracks=0)
    both = sites.map_over_datasets(lambda node: node.expand_dims(allele=["ref", "alt"]) if "signal" in node else node)
    with pytest.raises(ValueError, match="two alleles"):
        figure(both)


def test_missing_values_are_drawn_as_gaps(result_tree):
    empty = result_tree.map_over_datasets(lambda node: node * np.nan if "signal" in node else node)
    empty = empty.map_over_datasets(lambda node: node.assign_attrs(start=1000, end=1512))
    figure(empty).canvas.draw()


def test_no_global_setting_is_changed(result_tree, exons):
    before = dict(matplotlib.rcParams)
    figure(result_tree, genes=exons, title="A title").canvas.draw()
    assert dict(matplotlib.rcParams) == before


def test_saved_figure_is_the_same_twice(result_tree, exons, tmp_path):
    for name in ("a.png", "b.png"):
        figure(result_tree, genes=exons).savefig(tmp_path / name, dpi=50)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
