import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from made_scores import tracks

from genomekit.scores import Record, ScorePart, build, merged_splicing, psi


def splicing_scores(*extra, leave_out=""):
    """Two variants that are scored, of which one lies in no gene, and one that is not."""
    records = [Record(0, "I", 5, "A", "C"), Record(1, "I", 9, "A", "C"), Record(2, "I", 7, "N", "*", reason="star")]
    obs = pd.DataFrame({"record": [0, 0], "gene_id": ["a", "b"], "gene_strand": ["+", "-"]})
    values = {
        "splice_sites": [[0.1, 0.9], [np.nan, 0.2]],
        "splice_site_usage": [[0.3, np.nan], [0.7, 0.5]],
        "splice_junctions": [[2.0, 1.0], [0.0, 5.0]],
    }
    parts = [
        ScorePart(f"Splicing({name})", name, False, obs, tracks("x", "y"), np.array(raw))
        for name, raw in values.items()
        if name != leave_out
    ]
    return build(records, [*parts, *extra])


def test_merged_splicing_score():
    table = merged_splicing(splicing_scores())
    # 0.9 + 0.7 + 5 / 5
    assert table.loc[0, "merged_splicing"] == pytest.approx(2.6)
    np.testing.assert_allclose(table.loc[0, ["splice_sites", "splice_site_usage"]].to_numpy(float), [0.9, 0.7])
    assert table.loc[1, "merged_splicing"] == 0  # scored, in no gene
    assert np.isnan(table.loc[2, "merged_splicing"])


def test_merged_splicing_needs_one_scorer_of_each():
    with pytest.raises(ValueError, match="one unsigned scorer of splice_junctions; there are 0: none"):
        merged_splicing(splicing_scores(leave_out="splice_junctions"))
    part = ScorePart("Other", "splice_sites", False, pd.DataFrame({"record": [0]}), tracks("x"), np.array([[3.0]]))
    two = splicing_scores(part)
    with pytest.raises(ValueError, match=r"there are 2: Splicing\(splice_sites\); Other"):
        merged_splicing(two)
    assert merged_splicing(two, {"splice_sites": "Other"}).loc[0, "splice_sites"] == 3
    signed = ScorePart("Mask", "splice_sites", True, pd.DataFrame({"record": [0]}), tracks("x"), np.array([[3.0]]))
    assert merged_splicing(splicing_scores(signed)).loc[0, "merged_splicing"] == pytest.approx(2.6)


def node(counts, donors, acceptors, strands):
    dims = ("allele", "junction", "track") if np.ndim(counts) == 3 else ("junction", "track")
    coords = {"strand": ("junction", strands), "donor": ("junction", donors), "acceptor": ("junction", acceptors)}
    if np.ndim(counts) == 3:
        coords["allele"] = ["ref", "alt"]
    return xr.Dataset({"signal": (dims, np.asarray(counts, dtype=np.float32))}, coords=coords)


def test_psi_by_hand():
    # Donor 99 has 30 and 10, donor 149 has 20; acceptor 200 takes 30 and 20, acceptor 300 takes 10.
    shares = psi(node([[30], [10], [20]], [99, 99, 149], [200, 300, 200], ["+"] * 3))
    np.testing.assert_allclose(shares["psi5"].values.ravel(), [0.75, 0.25, 1])
    np.testing.assert_allclose(shares["psi3"].values.ravel(), [0.6, 1, 0.4])
    assert "delta_psi5" not in shares


def test_psi_keeps_strands_apart():
    """Upstream's notebook puts both strands in one table."""
    shares = psi(node([[30], [10]], [99, 99], [200, 200], ["+", "-"]))
    np.testing.assert_array_equal(shares["psi5"].values.ravel(), [1, 1])
    np.testing.assert_array_equal(shares["psi3"].values.ravel(), [1, 1])


def test_delta_psi():
    shares = psi(node([[[30.0], [10]], [[10], [30]]], [99, 99], [200, 300], ["+", "+"]))
    np.testing.assert_allclose(shares["delta_psi5"].values.ravel(), [-0.5, 0.5])
    np.testing.assert_array_equal(shares["delta_psi3"].values.ravel(), [0, 0])


def test_psi_of_an_unused_site_is_not_a_number():
    shares = psi(node([[0, 5], [0, 5]], [99, 99], [200, 300], ["+", "+"]))
    assert np.isnan(shares["psi5"].values[:, 0]).all()
    np.testing.assert_array_equal(shares["psi5"].values[:, 1], [0.5, 0.5])


def test_psi_of_a_result(result_tree):
    shares = psi(result_tree)
    # The two junctions share no site, so each is all there is; 0 counts of the first give NaN.
    assert set(np.unique(shares["psi5"].values[~np.isnan(shares["psi5"].values)])) == {1.0}
    assert shares.attrs["chrom"] == "chrV"
    assert shares["psi5"].dtype == np.float32
    with pytest.raises(ValueError, match="splice_junctions"):
        psi(result_tree["rna_seq"])


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.sampled_from("+-"), st.integers(1, 50)), min_size=1))
def test_shares_of_a_site_add_up_to_one(rows):
    donors, acceptors, strands, counts = (list(column) for column in zip(*rows, strict=True))
    shares = psi(node(np.array(counts)[:, None], donors, acceptors, strands))
    table = pd.DataFrame({"strand": strands, "donor": donors, "acceptor": acceptors})
    for name, site in (("psi5", "donor"), ("psi3", "acceptor")):
        sums = table.assign(share=shares[name].values[:, 0]).groupby(["strand", site])["share"].sum()
        np.testing.assert_allclose(sums, 1, rtol=1e-5)
