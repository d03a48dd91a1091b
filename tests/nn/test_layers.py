import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from genomekit.nn.layers import (
    Conv,
    ConvBlock,
    LayerNorm,
    Linear,
    OrganismEmbedding,
    OrganismLinear,
    RMSBatchNorm,
    StandardizedConv,
    convolve,
    gelu,
    max_pool,
)

FLOAT64 = {"rtol": 1e-12, "atol": 1e-12}


def test_gelu_by_hand():
    x = torch.tensor([-3.0, 0.0, 2.0], dtype=torch.float64)
    expected = [v / (1 + math.exp(-1.702 * v)) for v in x.tolist()]
    torch.testing.assert_close(gelu(x), torch.tensor(expected, dtype=torch.float64), **FLOAT64)


def test_max_pool_by_hand():
    x = torch.tensor([[[1.0, 5.0], [2.0, 4.0], [7.0, 7.0], [7.0, 0.0]]], requires_grad=True)
    out = max_pool(x)
    assert out.tolist() == [[[2.0, 5.0], [7.0, 7.0]]]
    out.sum().backward()
    # Equal values: the first has the whole gradient.
    assert x.grad.tolist() == [[[0.0, 1.0], [1.0, 0.0], [1.0, 1.0], [0.0, 0.0]]]


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 3), st.integers(1, 20), st.integers(1, 5), st.integers(1, 5), st.sampled_from([1, 3, 5, 15]))
def test_convolve_is_conv1d(batch, length, channels, out, width):
    generator = torch.Generator().manual_seed(length)
    x, weight, bias = (
        torch.randn(shape, generator=generator, dtype=torch.float64)
        for shape in ((batch, length, channels), (out, channels, width), (out,))
    )
    expected = F.conv1d(x.transpose(1, 2), weight, bias, padding=width // 2).transpose(1, 2)
    torch.testing.assert_close(convolve(x, weight, bias), expected, **FLOAT64)


def test_standardized_kernel_by_hand():
    conv = StandardizedConv(2, 2, 2)
    with torch.no_grad():
        conv.weight[0] = torch.tensor([[1.0, 2.0], [3.0, 6.0]])
        conv.weight[1] = 4.0  # constant: variance 0, kept finite by the floor
        conv.scale[:] = torch.tensor([2.0, 1.0])
    # Mean 3; squares of -2 -1 0 3 sum to 14 = fan-in times variance.
    expected = torch.tensor([[-2.0, -1.0], [0.0, 3.0]]) * 2 / math.sqrt(14)
    torch.testing.assert_close(conv.kernel()[0], expected)
    assert (conv.kernel()[1] == 0).all()


def test_standardized_kernel_ignores_shift_and_size_of_its_weights():
    torch.manual_seed(0)
    conv = StandardizedConv(6, 4, 5).double()
    before = conv.kernel()
    with torch.no_grad():
        conv.weight.mul_(3).add_(1)
    torch.testing.assert_close(conv.kernel(), before, **FLOAT64)
    torch.testing.assert_close(before.square().sum((1, 2)), torch.ones(4, dtype=torch.float64), **FLOAT64)


def test_conv_block_of_width_one_is_linear():
    block = ConvBlock(4, 3, 1)
    assert isinstance(block.conv, Linear)
    assert isinstance(ConvBlock(4, 3, 5).conv, StandardizedConv)
    x = torch.randn(2, 7, 4)
    torch.testing.assert_close(block(x), block.conv(gelu(block.norm(x))))


def test_batch_norm_at_inference():
    norm = RMSBatchNorm(2).eval()
    with torch.no_grad():
        norm.variance[:] = torch.tensor([4.0, 1.0])
        norm.scale[:] = torch.tensor([3.0, 1.0])
        norm.offset[:] = torch.tensor([0.0, 10.0])
    out = norm(torch.tensor([[[2.0, 2.0]]]))
    torch.testing.assert_close(out, torch.tensor([[[3.0, 12.0]]]), rtol=1e-5, atol=0)
    assert norm.variance.tolist() == [4.0, 1.0]


def test_batch_norm_in_training():
    norm = RMSBatchNorm(1).train()
    x = torch.tensor([[[3.0], [4.0]], [[0.0], [5.0]]])  # mean square 12.5
    torch.testing.assert_close(norm(x), x / math.sqrt(12.5 + 1e-5))
    torch.testing.assert_close(norm.variance, torch.tensor([0.9 * 1 + 0.1 * 12.5]))
    for _ in range(200):
        norm(x)
    torch.testing.assert_close(norm.variance, torch.tensor([12.5]))
    norm.eval()
    torch.testing.assert_close(norm(x), x / math.sqrt(12.5 + 1e-5))


def test_frozen_batch_norm_uses_and_keeps_the_stored_statistics():
    norm = RMSBatchNorm(1).train()
    norm.frozen = True
    x = torch.full((1, 4, 1), 9.0)
    torch.testing.assert_close(norm(x), x / math.sqrt(1 + 1e-5))
    assert norm.variance.item() == 1


def test_layer_norms_by_hand():
    x = torch.tensor([[1.0, 3.0]], dtype=torch.float64)
    centred = torch.tensor([[-1.0, 1.0]], dtype=torch.float64)
    torch.testing.assert_close(LayerNorm(2).double()(x), centred / math.sqrt(1 + 1e-5), **FLOAT64)
    torch.testing.assert_close(LayerNorm(2, rms=True).double()(x), x / math.sqrt(5 + 1e-5), **FLOAT64)


def test_layer_norm_statistics_are_float32_in_bfloat16():
    x = (torch.randn(3, 64) + 100).bfloat16()
    out = LayerNorm(64)(x)
    assert out.dtype == torch.bfloat16
    torch.testing.assert_close(out.float(), LayerNorm(64)(x.float()), rtol=2**-7, atol=2**-7)


@pytest.fixture
def linear():
    torch.manual_seed(0)
    linear = OrganismLinear(3, 5, 4).double()
    torch.nn.init.normal_(linear.bias)
    return linear


@pytest.mark.parametrize("positions", [(), (7,), (2, 3)])
def test_organism_linear(linear, positions):
    x, organism = torch.randn(2, *positions, 5, dtype=torch.float64), torch.tensor([2, 0])
    out = linear(x, organism)
    for i, which in enumerate(organism.tolist()):
        torch.testing.assert_close(out[i], F.linear(x[i], linear.weight[which], linear.bias[which]), **FLOAT64)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=6))
@settings(deadline=None, max_examples=20)
def test_organism_linear_with_channels_is_a_slice(channels):
    torch.manual_seed(1)
    linear = OrganismLinear(2, 5, 4).double()
    x, organism, kept = torch.randn(2, 6, 5, dtype=torch.float64), torch.tensor([1, 1]), torch.tensor(channels)
    torch.testing.assert_close(linear(x, organism, kept), linear(x, organism)[..., kept], **FLOAT64)


def test_organism_linear_gives_float32_from_bfloat16():
    assert OrganismLinear(1, 4, 2)(torch.ones(1, 3, 4, dtype=torch.bfloat16), torch.tensor([0])).dtype == torch.float32


@pytest.mark.parametrize(
    ("layer", "std"),
    [
        (Linear(400, 300), 1 / 20),
        (Conv(40, 300, 10), 1 / 20),
        (StandardizedConv(40, 300, 10), 1 / 20),
        (OrganismLinear(2, 400, 300), 1 / 20),
        (OrganismEmbedding(10, 5000), 1.0),
    ],
    ids=lambda value: type(value).__name__,
)
def test_fresh_weights(layer, std):
    weight = layer.weight.detach().numpy()
    # A normal cut at two standard deviations keeps 0.880 of its spread.
    assert weight.std() == pytest.approx(0.880 * std, rel=0.03)
    assert np.abs(weight).max() <= 2 * std
    assert getattr(layer, "bias", None) is None or (layer.bias == 0).all()
