"""The published heads and track tables on a narrow random network: every real track comes back, padding never."""

import numpy as np
import pytest
from narrow import narrow_checkpoint

from genomekit.engine import Engine
from genomekit.predict import predict_sequence


@pytest.fixture(scope="module")
def engine():
    return Engine(narrow_checkpoint(), device="cpu")


@pytest.fixture(scope="module")
def letters():
    return "".join(np.random.default_rng(0).choice(list("ACGT"), 2048))


@pytest.mark.parametrize(("organism", "tracks", "biosamples"), [("human", 5930, 367), ("mouse", 1128, 90)])
def test_every_real_track_is_a_labelled_column(engine, letters, organism, tracks, biosamples):
    tree = predict_sequence(engine, letters, organism=organism)
    sizes = {name: node.sizes["track"] for name, node in tree.children.items()}
    assert len(sizes) == (11 if organism == "human" else 10)  # there is no PRO-cap of the mouse
    assert sizes["splice_junctions"] == biosamples
    # A biosample of the junctions is two rows of the table, one per strand.
    assert sum(sizes.values()) + biosamples == tracks
    for name, node in tree.children.items():
        assert np.isfinite(node["signal"]).all(), name
        assert not node["track"].to_series().str.casefold().str.contains("padding").any()


def test_a_selection_by_tissue_reaches_every_kind_of_head(engine, letters):
    tree = predict_sequence(engine, letters, organism="human", biosample="liver", strand=["+", "."])
    assert {"dnase", "rna_seq", "splice_junctions", "splice_sites"} <= set(tree.children)
    assert set(tree["rna_seq"]["biosample_name"].values) == {"liver"}
    assert set(tree["splice_junctions"]["strand"].values) <= {"+"}


def test_the_minus_strand_of_a_full_table(engine, letters):
    whole = predict_sequence(engine, letters, organism="human", modalities=["cage"])
    there = letters.translate(str.maketrans("ACGT", "TGCA"))[::-1]
    turned = predict_sequence(engine, there, interval="chr1:0-2048:-", organism="human", modalities=["cage"])
    plus, minus = whole["cage"].to_dataset(), turned["cage"].to_dataset()
    # The same letters were read; a track of the plus strand is now its partner, at the mirrored place.
    name = str(plus["track"].values[0])
    assert name.endswith("+")
    mate = name[:-1] + "-"
    np.testing.assert_allclose(
        minus["signal"].sel(track=mate), plus["signal"].sel(track=name)[::-1], rtol=1e-5, atol=1e-6
    )
