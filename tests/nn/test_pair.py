import dataclasses

import pytest
import torch
from tiny import TINY

from genomekit.nn.attention import Attention, PairBias
from genomekit.nn.pair import SequenceToPair, distance_features, shift_to_pairs
from genomekit.nn.rotary import rotation


def test_published_distance_features():
    # Widths 1, 2.2129, 3.4711, ... 427.58 by the description of the architecture.
    features = distance_features(512, 32, 512)
    assert features.shape == (1024, 64)
    by_distance = {d: features[512 + d] for d in (-3, 0, 1, 3, 427, 428)}
    assert by_distance[0][:32].tolist() == [1.0] * 32
    assert by_distance[0][32:].tolist() == [0.0] * 32
    assert by_distance[1][:3].tolist() == [0.0, 1.0, 1.0]  # 1 > 1 is false
    assert by_distance[3][:3].tolist() == [0.0, 0.0, 1.0]
    assert torch.equal(by_distance[-3][:32], by_distance[3][:32])
    assert torch.equal(by_distance[-3][32:], -by_distance[3][32:])
    assert by_distance[427][:32].sum() == 1
    assert by_distance[428].abs().sum() == 0


@pytest.mark.parametrize("bins", [1, 2, 5])
def test_shift_to_pairs_reads_by_distance(bins):
    table = torch.randn(2, bins, 2 * bins, 3)
    pairs = shift_to_pairs(table)
    for i in range(bins):
        for j in range(bins):
            assert torch.equal(pairs[:, i, j], table[:, i, j - i + bins])


def test_shift_to_pairs_of_a_part_of_a_tensor():
    whole = torch.randn(3, 4, 8, 2)
    assert torch.equal(shift_to_pairs(whole[1:]), shift_to_pairs(whole)[1:])


def test_relative_positions_reach_to_the_left_and_right():
    torch.manual_seed(0)
    block = SequenceToPair(TINY).double()
    with torch.no_grad():
        block.query_bias.normal_()
        block.key_bias.normal_()
    x = torch.zeros(1, 64, TINY.trunk_channels, dtype=torch.float64)
    pair = block(x)
    # No content: entry [i, j] depends on j - i alone, and not symmetrically.
    torch.testing.assert_close(pair[0, 0, 1], pair[0, 2, 3])
    assert not torch.allclose(pair[0, 0, 1], pair[0, 1, 0])


def test_the_bias_is_shared_by_16_tokens_and_capped():
    torch.manual_seed(0)
    attention = Attention(TINY).double().eval()
    x = torch.randn(1, 32, TINY.trunk_channels, dtype=torch.float64)
    angles = rotation(torch.arange(32), TINY.key_channels, 256)
    bias = torch.zeros(1, TINY.num_heads, 2, 2, dtype=torch.float64)
    bias[:, :, 0, 1] = 1e4  # far above the cap: the first 16 tokens read the last 16 more, but not only
    moved = attention(x, bias, angles) - attention(x, torch.zeros_like(bias), angles)
    assert (moved[0, :16].abs().amax(-1) > 1e-4).all()
    assert moved[0, 16:].abs().max() == 0
    again = attention(x, bias * 10, angles)
    torch.testing.assert_close(again, attention(x, bias, angles))


def test_pair_bias_has_one_value_per_head_and_pair():
    assert PairBias(TINY)(torch.randn(2, 3, 3, TINY.pair_channels)).shape == (2, TINY.num_heads, 3, 3)


def test_scale_of_distances_is_the_longest_window():
    block = SequenceToPair(dataclasses.replace(TINY, max_length=65_536))
    assert block.max_bins == 32
