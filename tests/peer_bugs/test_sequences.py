"""Bugs that peers had with letters, ends and files; each test is named after one and says where it was."""

import numpy as np
import pyBigWig
import pytest
import torch

import genomekit as gk
from genomekit.engine import one_hot
from genomekit.errors import GenomekitWarning
from genomekit.training.signal import bigwig_coverage


def test_lower_case_fasta_gives_the_same_output(model, letters, gtf, snv, tmp_path):
    """google-deepmind/deepmind-research#695."""
    (tmp_path / "soft.fa").write_text(f">chrA\n{letters[:2900].lower()}{letters[2900:3030]}{letters[3030:].lower()}\n")
    soft = gk.Genome(tmp_path / "soft.fa", gtf, organism="worm")
    pairs = [
        [model.predict_interval("chrA:3,000-3,100", genome=one, window=2048) for one in (None, soft)],
        [model.predict_sequence(text, organism="worm") for text in (letters[:2048], letters[:2048].lower())],
    ]
    for upper, lower in pairs:
        for name, node in upper.children.items():
            np.testing.assert_array_equal(lower[name]["signal"], node["signal"])
    upper, lower = (model.score_variant(snv(3021), genome=one, window=2048) for one in (None, soft))
    for scorer, table in upper.items():
        np.testing.assert_array_equal(lower[scorer].X, table.X)
    upper, lower = (model.ism("chrA:2,898-2,902", genome=one, modalities="atac", window=2048) for one in (None, soft))
    np.testing.assert_array_equal(lower.effect, upper.effect)
    assert "".join(lower["ref_base"].values) == letters[2898:2902]


def test_window_ending_exactly_at_the_chromosome_end_is_kept(model, letters, snv):
    """tangermeme release notes 1.2.0."""
    tree = model.predict_interval("chrA:3,952-6,000", modalities="atac")
    assert (tree.attrs["window_start"], tree.attrs["window_end"]) == (3952, 6000)
    assert (tree.attrs["pad_left"], tree.attrs["pad_right"]) == (0, 0)
    last = model.engine.predict(one_hot(letters[3952:]), "worm", {"atac": np.array([1, 2])})["atac"]
    np.testing.assert_allclose(tree["atac"]["signal"], last, rtol=1e-6)
    places = [f"chrA:{start}-{start + 2048}" for start in (0, 3951, 3952)]
    assert [one.attrs["end"] for one in model.predict_intervals(places, modalities="atac")] == [2048, 5999, 6000]
    # One base more, and what is read past the end is said.
    with pytest.warns(GenomekitWarning, match="1 of the 2,048 bp asked for lie past the ends"):
        assert model.predict_interval("chrA:3,953-6,001", modalities="atac").attrs["pad_right"] == 1
    scores = model.score_variant(snv(6000), interval="chrA:3,952-6,000", scorers="dnase", window=2048)
    assert scores.records[["window", "status"]].values.tolist() == [["chrA:3952-6000", "ok"]]
    assert np.isfinite(model.ism("chrA:5,999-6,000", modalities="atac", window=2048).effect).all()


def test_interval_at_the_chromosome_end_is_padded_and_says_so(model):
    """tangermeme release notes 1.2.0."""
    tree = model.predict_interval("chrA:5,900-6,000", modalities="atac")
    assert tree["atac"]["position"].values[-1] == 5_999
    assert tree.attrs["pad_right"] == tree.attrs["window_end"] - 6_000 == 974


def test_a_sequence_shorter_than_the_smallest_window_is_never_accepted_silently(model, letters, tmp_path):
    """Genentech/gReLU#72: padded by rule with a warning and attributes, or refused."""
    with pytest.warns(GenomekitWarning, match="774 N before and 774 N after") as seen:
        tree = model.predict_sequence(letters[:500], organism="worm", modalities="atac")
    assert len(seen) == 1
    assert tree["atac"]["position"].values.tolist() == list(range(500))
    assert (tree.attrs["pad_left"], tree.attrs["pad_right"], tree.attrs["chrom"]) == (774, 774, "")
    padded = "N" * 774 + letters[:500] + "N" * 774
    expected = model.predict_sequence(padded, organism="worm", modalities="atac")["atac"]["signal"][774:-774]
    np.testing.assert_allclose(tree["atac"]["signal"], expected, rtol=1e-6)
    # A whole chromosome that is shorter.
    (tmp_path / "short.fa").write_text(f">chrS\n{letters[:500]}\n")
    short = gk.Genome(tmp_path / "short.fa", organism="worm")
    tree = model.predict_interval("chrS:0-500", genome=short, modalities="atac")
    assert (tree.attrs["pad_left"], tree.attrs["pad_right"]) == (774, 774)
    # Below the verbs nothing is padded.
    with pytest.raises(ValueError, match="A window of 500 bp came; allowed are multiples of 2048"):
        model.engine.predict(one_hot(letters[:500]), "worm", {"atac": np.array([1])})
    with pytest.raises(ValueError, match="A window of 500 bp came; allowed are multiples of 2048"):
        model.engine.checkpoint.network(torch.zeros(1, 500, 4), torch.zeros(1, dtype=torch.long))


@pytest.mark.parametrize("order", [["chr1", "chr10", "chr2"], ["chr1", "chr2", "chr10"], ["chr2", "chr10", "chr1"]])
def test_bigwig_with_any_order_of_chromosomes_reads_correctly(tmp_path, order):
    """deeptools/pyBigWig#154."""
    sizes = {"chr1": 50, "chr2": 40, "chr10": 30}
    with pyBigWig.open(str(tmp_path / "made.bw"), "w") as file:
        file.addHeader([(chrom, sizes[chrom]) for chrom in order])
        for value, chrom in enumerate(order, start=1):
            file.addEntries([chrom], [value], ends=[value + 5], values=[float(len(chrom) * 10 + int(chrom[3:]))])
    for value, chrom in enumerate(order, start=1):
        expected = np.zeros(sizes[chrom])
        expected[value : value + 5] = len(chrom) * 10 + int(chrom[3:])
        np.testing.assert_array_equal(bigwig_coverage(tmp_path / "made.bw", chrom, sizes[chrom]), expected)
