import numpy as np
import pandas as pd
import pytest
import torch

from genomekit.genome.junction import Junction
from genomekit.splicing import annotated_sites, introns, pair_values, pool_sites, unstack

SITES = np.array([[10, 20, -1], [15, 30, -1], [40, -1, -1], [35, -1, -1]])


def test_unstacking_vector_of_the_reference():
    # section 8: interval chr1:1000-1100
    table, _ = unstack(np.zeros((3, 3, 4)), SITES, chrom="chr1", offset=1000)
    assert table.to_dict("split")["data"] == [
        ["chr1", 1011, 1015, "+"],
        ["chr1", 1011, 1030, "+"],
        ["chr1", 1021, 1030, "+"],
        ["chr1", 1036, 1040, "-"],
    ]


def test_sites_of_a_row_are_the_donor_and_acceptor_of_the_junction():
    found = introns(SITES)
    for start, end, forward, donor, acceptor in zip(*found, strict=True):
        junction = Junction("chr1", start, end, "+" if forward else "-")
        kinds = (0, 1) if forward else (2, 3)
        assert (junction.donor, junction.acceptor) == (SITES[kinds[0], donor], SITES[kinds[1], acceptor])


def test_each_junction_takes_the_half_of_its_strand():
    predictions = np.arange(36, dtype=np.float32).reshape(3, 3, 4)
    _, values = unstack(predictions, SITES)
    assert values.tolist() == [[0, 1], [4, 5], [16, 17], [2, 3]]


def test_neighbouring_and_empty_sites_make_no_intron():
    sites = np.array([[0, 10], [11, 1], [-1, -1], [-1, -1]])
    found = introns(sites)
    assert list(zip(found.start.tolist(), found.end.tolist(), strict=True)) == [(1, 11)]


def test_tensors_and_arrays_agree():
    predictions = np.random.default_rng(0).random((3, 3, 6), dtype=np.float32)
    found = introns(SITES)
    tensor = pair_values(torch.from_numpy(predictions), found)
    assert isinstance(tensor, torch.Tensor)
    np.testing.assert_array_equal(tensor.numpy(), pair_values(predictions, found))


def test_min_count_keeps_what_one_tissue_reaches():
    predictions = np.zeros((3, 3, 4), dtype=np.float32)
    predictions[0, 1, 1] = 2.0
    predictions[0, 0, 0] = 1.0  # + strand
    predictions[0, 0, 3] = 9.0  # - strand
    assert unstack(predictions, SITES, min_count=2.0)[0]["strand"].tolist() == ["+", "-"]
    assert len(unstack(predictions, SITES, min_count=10.0)[0]) == 0
    assert len(unstack(predictions, SITES)[0]) == 4


@pytest.mark.parametrize("count", [-1.0, float("nan")])
def test_a_negative_min_count_is_refused(count):
    with pytest.raises(ValueError, match="min_count"):
        unstack(np.zeros((3, 3, 4)), SITES, min_count=count)


def test_no_site_gives_an_empty_table():
    table, values = unstack(np.zeros((2, 2, 6)), np.full((4, 2), -1))
    assert table.columns.tolist() == ["chrom", "start", "end", "strand"]
    assert values.shape == (0, 3)


def test_annotated_sites_count_and_bodies_limit():
    ref = np.zeros((10, 4), dtype=np.float32)
    ref[[1, 7], 0], ref[3, 2] = 0.5, 0.2
    table = pd.DataFrame(
        {"position": [104, 99, 108], "kind": ["donor", "donor", "acceptor"], "strand": ["+", "+", "-"]}
    )
    annotated = annotated_sites(table, 100, 10)
    found = pool_sites(ref, np.zeros_like(ref), annotated=annotated, count=3, threshold=0.1)
    assert found.tolist() == [[1, 4, 7], [-1, -1, -1], [3, -1, -1], [8, -1, -1]]
    bodies = np.arange(10) >= 4
    found = pool_sites(ref, np.zeros_like(ref), annotated=annotated, bodies=bodies, count=3, threshold=0.1)
    assert found.tolist() == [[4, 7, -1], [-1, -1, -1], [-1, -1, -1], [8, -1, -1]]
