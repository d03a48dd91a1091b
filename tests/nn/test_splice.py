import dataclasses

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import TINY

from genomekit.nn.splice import JunctionHead, select_sites


def naive(column, count, threshold):
    best = sorted(range(len(column)), key=lambda i: (-column[i], i))[:count]
    kept = sorted(i for i in best if column[i] >= threshold)
    return kept + [-1] * (count - len(kept))


@settings(deadline=None)
@given(st.lists(st.permutations(range(12)), min_size=4, max_size=4), st.integers(1, 20), st.integers(0, 13))
def test_select_sites(columns, count, least):
    # Distinct values, so that the order is defined.
    p = torch.tensor(columns, dtype=torch.float32).T[None] / 12
    sites = select_sites(p, count, least / 12)
    assert sites.shape == (1, 4, count)
    for kind in range(4):
        assert sites[0, kind].tolist() == naive(p[0, :, kind].tolist(), count, torch.tensor(least / 12).item())


def test_threshold_itself_is_kept_and_other_classes_are_ignored():
    p = torch.zeros(1, 5, 6)
    p[0, 2, 1], p[0, 3, 1], p[0, :, 4:] = 0.1, 0.0999, 1.0
    assert select_sites(p, 3, 0.1)[0].tolist() == [[-1] * 3, [2, -1, -1], [-1] * 3, [-1] * 3]


@pytest.fixture
def head():
    torch.manual_seed(0)
    return JunctionHead(TINY, 6).double().eval()


def test_junctions_are_masked_by_strand(head):
    embedding = torch.randn(2, 50, 2 * TINY.channels, dtype=torch.float64)
    sites = torch.tensor([[[3, 9], [20, -1], [-1, -1], [40, 41]]]).expand(2, -1, -1)
    out = head(embedding, torch.tensor([0, 1]), sites)
    counts, mask = out["predictions"], out["mask"]
    assert counts.shape == mask.shape == (2, 2, 2, 6)
    assert mask[0].sum((0, 1)).tolist() == [2, 2, 2, 0, 0, 0]
    assert (counts[mask] > 0).all()
    assert (counts[~mask] == 0).all()
    assert out["sites"] is sites


def test_a_count_depends_on_its_two_sites_only(head):
    embedding = torch.randn(1, 50, 2 * TINY.channels, dtype=torch.float64)
    organism = torch.tensor([0])
    sites = torch.tensor([[[3, 9], [20, 30], [8, 9], [2, 4]]])
    counts = head(embedding, organism, sites)["predictions"]
    fewer = head(embedding, organism, sites[..., 1:])["predictions"]
    torch.testing.assert_close(counts[:, 1:, 1:], fewer)
    changed = embedding.clone()
    changed[:, 3] += 1
    again = head(changed, organism, sites)["predictions"]
    assert (again[:, 0, :, :3] != counts[:, 0, :, :3]).all()
    torch.testing.assert_close(again[:, 1], counts[:, 1])
    torch.testing.assert_close(again[..., 3:], counts[..., 3:])


def test_organisms_and_tissues(head):
    embedding = torch.randn(2, 50, 2 * TINY.channels, dtype=torch.float64)
    embedding[1] = embedding[0]
    sites = torch.tensor([[[3], [20], [40], [7]]]).expand(2, -1, -1)
    counts = head(embedding, torch.tensor([0, 1]), sites)["predictions"]
    assert (counts[0] != counts[1]).all()
    kept = head(embedding, torch.tensor([0, 1]), sites, torch.tensor([1]))["predictions"]
    torch.testing.assert_close(kept, counts[..., [1, 4]])


def test_tissues_of_the_configuration(head):
    assert head.tissues == 3
    config = dataclasses.replace(TINY, junction_channels=4)
    assert JunctionHead(config, 8).tables["donor_plus"].shape == (2, 2, 4, 4)
