"""Genes and Intervals: boxes, rows, names, and what they refuse."""

import time

import numpy as np
import pandas as pd
import pytest
from made_results import axes, exons, track_node

from genomekit import accessors as accessors
from genomekit import plot
from genomekit.genome.annotation import Annotation
from genomekit.genome.assembly import Genome
from genomekit.plot import Genes, Highlights, Intervals, Tracks
from genomekit.testing import designed_gene


def names(ax):
    return [text.get_text() for text in ax.texts]


def heights(ax):
    return [round(float(np.ptp(path.vertices[:, 1])), 2) for path in ax.collections[0].get_paths()]


@pytest.fixture
def gtf(tmp_path):
    lines = []
    for transcript, parts, tag in (("a.1", [(100, 200), (300, 400)], ""), ("a.2", [(100, 150)], ' tag "MANE_Select";')):
        keys = f'gene_id "a"; gene_name "abc-1"; transcript_id "{transcript}"; gene_type "protein_coding";{tag}'
        lines += [f"V\tx\texon\t{s + 1}\t{e}\t.\t-\t.\t{keys}" for s, e in parts]
        lines += [f"V\tx\tCDS\t{parts[0][0] + 21}\t{parts[0][1]}\t.\t-\t.\t{keys}"]
    path = tmp_path / "a.gtf"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_exons_are_boxes_and_names_are_written():
    ax = Genes(exons()).draw(axes(), "chrV:1000-1512")
    assert len(ax.collections[0].get_paths()) == 3
    assert set(names(ax)) == {"unc-1", "g2"}  # no symbol: the id
    assert ax.get_title(loc="left") == "Genes"


def test_strands_have_colours_and_arrows():
    ax = Genes(exons()).draw(axes(), "chrV:1000-1512")
    colors = [tuple(color) for color in ax.collections[0].get_facecolor()]
    assert colors[0] == colors[1] != colors[2]
    assert len(ax.collections) > 2  # boxes, lines, and carets of the intron


def test_a_gene_whose_intron_spans_the_region_is_drawn():
    assert names(Genes(exons()).draw(axes(), "chrV:1110-1190")) == ["unc-1"]


def test_names_of_neighbours_do_not_lie_on_each_other():
    parts = [designed_gene(n).placed("chr1", n * 3000, name=f"a long name of gene {n}").to_frame() for n in range(4)]
    table = pd.concat(parts).assign(gene_id=lambda t: t["gene_name"])
    panel = Genes(table)
    ax = panel.draw(axes(), "chr1:0-20000")
    ax.figure.canvas.draw()
    boxes = [text.get_window_extent() for text in ax.texts]
    assert len(boxes) == 4
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


def test_coding_parts_are_higher_than_utrs(gtf):
    ax = Genes(gtf, select="longest").draw(axes(), "chrV:0-500")
    assert heights(ax) == [0.32, 0.32, 0.6]


def test_transcripts_are_chosen(gtf):
    annotation = Annotation.open(gtf, cached=False)
    assert len(names(Genes(annotation).draw(axes(), "V:0-500"))) == 2
    assert len(names(Genes(annotation, select="mane").draw(axes(), "V:0-500"))) == 1
    assert len(names(Genes(exons(), select="all").draw(axes(), "chrV:1000-1512"))) == 2
    with pytest.raises(ValueError, match="Unknown selection of transcripts 'best'"):
        Genes(annotation, select="best").draw(axes(), "V:0-500")
    with pytest.raises(ValueError, match="select='mane' needs a column"):
        Genes(exons(), select="mane").draw(axes(), "chrV:1000-1512")


def test_longest_of_a_table_is_one_transcript_per_gene():
    table = exons().assign(gene_id="g1")
    assert len(names(Genes(table, select="longest").draw(axes(), "chrV:1000-1512"))) == 1


def test_colour_and_label_by_any_column():
    table = exons().assign(kind=["a", "a", "b"])
    ax = Genes(table, color_by="kind", label="transcript_id").draw(axes(), "chrV:1000-1512")
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a", "b"]
    assert set(names(ax)) == {"t1", "t2"}
    for option in ("color_by", "label"):
        with pytest.raises(ValueError, match="Unknown column 'kidn'"):
            Genes(table, **{option: "kidn"}).draw(axes(), "chrV:1000-1512")


def test_no_genes_here_is_said_and_wrong_data_are_refused(gtf, tmp_path):
    assert names(Genes(exons()).draw(axes(), "chrI:1000-1512")) == ["no genes here"]
    assert names(Genes(gtf).draw(axes(), "chrV:5000-6000")) == ["no genes here"]
    with pytest.raises(ValueError, match="no column transcript_id"):
        Genes(exons().drop(columns="transcript_id")).draw(axes(), "chrV:1000-1512")
    with pytest.raises(ValueError, match="has no gene on chrI, it has V"):
        Genes(gtf).draw(axes(), "chrI:0-500")
    with pytest.raises(ValueError, match="int holds no genes"):
        Genes(3).draw(axes(), "chrI:0-500")
    (tmp_path / "a.fa").write_text(">V\nACGTACGT\n")
    with pytest.raises(ValueError, match="has no annotation to draw"):
        Genes(Genome(tmp_path / "a.fa")).draw(axes(), "V:0-8")


def test_what_does_not_fit_is_counted():
    table = pd.concat([exons().assign(transcript_id=f"t{n}", gene_id=f"g{n}") for n in range(6)])
    ax = Genes(table, max_rows=2).draw(axes(), "chrV:1000-1512")
    assert "+ 4 more that do not fit in 2 rows" in names(ax)


def test_mane_without_tags_says_what_to_write(gtf, tmp_path):
    bare = tmp_path / "bare.gtf"
    bare.write_text(gtf.read_text().replace(' tag "MANE_Select";', ""))
    with pytest.raises(ValueError, match=r"^select='mane', but the annotation tags no .* Use select='longest'"):
        Genes(bare, select="mane").draw(axes(), "V:0-500")
    with pytest.raises(ValueError, match="column `mane` of the table is true nowhere"):
        Genes(exons().assign(mane=False), select="mane").draw(axes(), "chrV:1000-1512")
    with pytest.raises(ValueError, match="max_rows=0"):
        Genes(bare, max_rows=0).draw(axes(), "V:0-500")


def test_names_go_where_they_would_push_genes_out():
    parts = [
        designed_gene(n).placed("chr1", n * 20_000, name=f"gene {n}").to_frame().assign(gene_id=f"g{n}")
        for n in range(60)
    ]
    panel = Genes(pd.concat(parts), select="longest", max_rows=2)
    ax = panel.draw(axes(8, 1), "chr1:0-1,300,000")
    ax.figure.canvas.draw()
    assert sum(len(path.vertices) > 0 for path in ax.collections[1].get_paths()) == 60  # a line each
    assert not any("more" in text for text in names(ax))
    boxes = [text.get_window_extent() for text in ax.texts]
    assert 5 < len(boxes) < 60
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    bodies = [path.get_extents(ax.transData) for path in ax.collections[0].get_paths()]
    assert not any(box.x0 < body.x1 - 1 and body.x0 + 1 < box.x1 and box.y0 < body.y1 and body.y0 < box.y1
                   for box in boxes for body in bodies)  # fmt: skip


def test_names_stand_beside_their_genes_on_a_turned_axis():
    node = track_node(np.ones((512, 1)), "gut").gk.reverse_complement()
    ax = plot.figure([Genes(exons()), Tracks(node), Intervals(["chrV:1100-1200"])]).axes[0]
    ax.figure.canvas.draw()
    assert ax.get_xlim() == (1512, 1000)  # whichever panel comes last
    bodies = [path.get_extents(ax.transData) for path in ax.collections[0].get_paths()]
    for text in ax.texts:
        assert not any(text.get_window_extent().overlaps(body) for body in bodies)


def test_models_of_an_annotation_are_read_once_for_a_figure(gtf, monkeypatch):
    annotation, asked = Annotation.open(gtf, cached=False), []
    whole = Annotation.exons
    monkeypatch.setattr(Annotation, "exons", lambda self, **options: asked.append(1) or whole(self, **options))
    panel = Genes(annotation)
    plot.figure(panel, region="chrV:0-500")
    assert len(asked) == 1
    plot.figure(panel, region="chrV:50-500")
    assert len(asked) == 2


def test_a_whole_chromosome_is_quick(shared):
    panel = Genes(shared / "data" / "celegans" / "ce10.genes.gtf.gz")
    plot.figure(panel, region="chrV:9,000,000-9,010,000")  # the file is parsed
    used = time.process_time()
    ax = plot.figure(panel, region="chrV:0-20,924,149").axes[0]
    assert time.process_time() - used < 3  # seconds of CPU; 0.4 on a quiet machine, 16 when every row was looked up
    assert len(ax.collections[1].get_paths()) > 4_000


def test_real_worm_genes_pack_without_collisions(shared):
    ax = Genes(shared / "data" / "celegans" / "ce10.genes.gtf.gz").draw(axes(10, 4), "chrV:9,000,000-9,060,000")
    ax.figure.canvas.draw()
    boxes = [text.get_window_extent() for text in ax.texts if text.get_gid() is None]
    assert len(boxes) > 5
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


def test_intervals_are_boxes_pointed_by_strand(tmp_path):
    bed = tmp_path / "hits.bed.gz"
    pd.DataFrame(
        [["chr1", 10, 20, "GATA", 5, "+"], ["chr1", 15, 30, "SP1", 5, "-"], ["chr1", 50, 60, "CTCF", 5, "."]]
    ).to_csv(bed, sep="\t", header=False, index=False)
    ax = Intervals(bed).draw(axes(), "1:0-100")
    shapes = [path.vertices for path in ax.collections[0].get_paths()]
    assert [len(np.unique(shape, axis=0)) for shape in shapes] == [5, 5, 4]
    assert shapes[0][shapes[0][:, 0].argmax(), 1] == pytest.approx(0)  # the tip of + is at its right
    assert shapes[1][shapes[1][:, 0].argmin(), 1] == pytest.approx(-1)  # packed below, tip at the left
    assert names(ax) == ["GATA", "SP1", "CTCF"]


@pytest.mark.parametrize("turned", [False, True])
def test_names_of_intervals_stay_in_the_figure(turned):
    hits = pd.DataFrame({"chrom": "chr1", "start": [900, 985], "end": [901, 986], "name": ["YBL007C", "YBL006W-A"]})
    ax = axes()
    if turned:
        ax.set_xlim(1000, 0)
    Intervals(hits).draw(ax, "chr1:0-1000")
    ax.figure.canvas.draw()
    boxes = [text.get_window_extent() for text in ax.texts]
    assert min(box.x0 for box in boxes) > ax.bbox.x0
    assert max(box.x1 for box in boxes) < ax.bbox.x1
    assert not boxes[0].overlaps(boxes[1])


def test_intervals_take_tables_and_texts_and_refuse_the_rest():
    ax = Intervals(["chr1:5-10", "chr1:50-60"]).draw(axes(), "chr1:0-100")
    assert len(ax.collections[0].get_paths()) == 2
    table = pd.DataFrame({"chrom": "chr1", "start": [1, 30], "end": [9, 40], "kind": ["a", "b"]})
    by_kind = Intervals(table, color_by="kind", label="kind").draw(axes(), "chr1:0-100")
    assert [text.get_text() for text in by_kind.get_legend().get_texts()] == ["a", "b"]
    assert names(Intervals(table).draw(axes(), "chr1:500-900")) == ["none here"]
    with pytest.raises(ValueError, match="Unknown column 'kidn'"):
        Intervals(table, color_by="kidn").draw(axes(), "chr1:0-100")
    with pytest.raises(ValueError, match="no column end"):
        Intervals(table.drop(columns="end")).draw(axes(), "chr1:0-100")
    with pytest.raises(ValueError, match="has no chromosome chrX"):
        Intervals(table).draw(axes(), "chrX:0-100")
    with pytest.raises(ValueError, match="int holds no intervals"):
        Intervals(3).draw(axes(), "chrX:0-100")
    with pytest.raises(ValueError, match="max_rows=0"):
        Intervals(table, max_rows=0).draw(axes(), "chr1:0-100")
    with pytest.raises(ValueError, match="'rde' is no colour"):
        Intervals(table, color="rde").draw(axes(), "chr1:0-100")


def test_highlights_take_the_same_and_shade():
    ax = axes()
    Highlights("chr1:5-10", labels="here", color="red").across([ax], _region("chr1:0-100"))
    (patch,) = ax.patches
    assert (patch.get_x(), patch.get_width()) == (5, 5)
    with pytest.raises(ValueError, match="2 labels came for 1"):
        Highlights("chr1:5-10", labels=["a", "b"]).marks(_region("chr1:0-100"))
    with pytest.raises(ValueError, match="'rde' is no colour"):
        Highlights("chr1:5-10", color="rde").marks(_region("chr1:0-100"))


def _region(text):
    from genomekit.genome.interval import Interval

    return Interval.parse(text)


@pytest.mark.parametrize(("height", "inches"), [(0.4, 0.24), (4.0, 0.264)])
def test_boxes_stay_boxes_on_tall_axes(height, inches):
    ax = Genes(exons()[:2]).draw(axes(height=height), "chrV:1000-1512")
    (low, high) = ax.collections[0].get_paths()[0].get_extents().intervaly
    assert (high - low) * ax.bbox.height / 100 / np.ptp(ax.get_ylim()) == pytest.approx(inches)
    assert low + high == sum(ax.get_ylim()) == 0  # in the middle


def test_names_stand_out_on_the_colours_of_their_boxes():
    table = pd.DataFrame({"chrom": "chrV", "start": [1000, 1200], "end": [1150, 1400], "name": ["on", "off"]})
    for color, ink in (("#0072B2", "white"), ("#F0E442", "black")):
        ax = Intervals(table, color=color).draw(axes(), "chrV:1000-1512")
        assert [text.get_color() for text in ax.texts] == [ink] * 2
