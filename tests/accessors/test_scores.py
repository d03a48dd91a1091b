"""`.gk` of scores: a set, one scorer's AnnData, the tidy table."""

import anndata as ad
import pandas as pd
import pytest
from made_scores import RECORDS, make_parts

from genomekit import accessors as accessors
from genomekit.scores import build


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


def test_a_table_without_scores_is_refused():
    with pytest.raises(ValueError, match="Unknown column 'variant'"):
        pd.DataFrame({"a": [1]}).gk.plot()
