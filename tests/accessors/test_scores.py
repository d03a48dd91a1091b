"""`.gk` of scores: a set, one scorer's AnnData, the tidy table."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from made_scores import RECORDS, make_parts

from genomekit import accessors as accessors
from genomekit.plot.tables import scores_of, strongest
from genomekit.scores import ScorePart, build


def titles(figure):
    return [ax.get_title(loc="left") for ax in figure.axes]


def test_a_set_and_its_tidy_table_draw_the_same():
    scores = build(RECORDS, make_parts())
    drawn = titles(scores.gk.plot())
    kinds = ["Mask(dnase), dnase", "Gene(rna_seq), rna_seq", "Junction, splice_junctions"]
    # Junctions of one variant only: there is no row of variants along the genome.
    noted = f"{kinds[0]}   (without a score: 1 of 3 variants)"  # which the tidy table does not know
    assert drawn == [noted, kinds[1], *(f"{kind} by biosample name" for kind in kinds)]
    assert titles(scores.to_frame().gk.plot()) == [kinds[0], *drawn[1:]]
    assert scores.gk.plot(region="chrV:90-210").axes[0].get_xlim() == (90, 210)


@pytest.mark.skipif(not hasattr(ad, "register_anndata_namespace"), reason="anndata before 0.12 has no namespaces")
def test_one_scorer_draws_itself():
    table = build(RECORDS, make_parts())["Mask(dnase)"]
    drawing = table.gk.plot()
    assert titles(drawing) == ["", "raw score by biosample name"]
    assert [text.get_text() for text in drawing.axes[1].get_yticklabels()] == ["egg", "gut"]


@pytest.mark.parametrize("variant", ["chrV:5:A>C; chrV:9:T>G", "chrV:4-20:+"])
def test_scores_of_a_haplotype_and_of_an_interval_lie_where_they_begin(variant):
    part = ScorePart("S", "atac", True, pd.DataFrame({"record": [0]}), pd.DataFrame({"label": ["a"]}), np.ones((1, 1)))
    row = {"record": 0, "chrom": "chrV", "position": 5, "ref": "", "alt": "", "variant": variant}
    scores = build(pd.DataFrame([row]), [part])
    for result in (scores, scores["S"]):
        drawn = scores_of(result, "raw_score")
        assert drawn[["chrom", "position", "value"]].values.tolist() == [["chrV", 5, 1.0]]


def test_texts_that_h5ad_made_categories_draw_the_same_without_a_warning(tmp_path):
    scores = build(RECORDS, make_parts())
    before = scores_of(scores["Gene(rna_seq)"], "raw_score")
    scores["Gene(rna_seq)"].write_h5ad(tmp_path / "one.h5ad")
    after = scores_of(ad.read_h5ad(tmp_path / "one.h5ad"), "raw_score").assign(kind=pd.Categorical(["x"] * len(before)))
    keys = ["variant", "gene_id"]
    assert isinstance(after["gene_id"].dtype, pd.CategoricalDtype)
    found = strongest(after, [*keys, "kind"])  # pandas warns unless it is told what to do with unused categories
    assert found.index.tolist() == strongest(before, keys).index.tolist()


def test_a_table_without_scores_is_refused():
    with pytest.raises(ValueError, match="Unknown column 'variant'"):
        pd.DataFrame({"a": [1]}).gk.plot()
