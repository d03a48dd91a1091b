import math

import pytest
import torch

from genomekit.nn.rotary import geometric, rotate, rotation


def test_geometric_series():
    assert geometric(8.0, 4).tolist() == pytest.approx([1, 2, 4, 8])
    assert geometric(16.0, 4, endpoint=False).tolist() == pytest.approx([1, 2, 4, 8])
    assert geometric(7.0, 1).tolist() == [1.0]


# Denominators that the description of the architecture gives: tower (128 channels) and junction head (768).
@pytest.mark.parametrize(
    ("channels", "largest", "first", "last"),
    [(128, 8192, [1, 2.1536, 3.3308], 8192), (768, 1 << 20, [1, 2.0369], 1_048_576)],
)
def test_published_frequencies(channels, largest, first, last):
    _, sine = rotation(torch.tensor([1]), channels, largest)
    denominators = 1 / torch.asin(sine[0].double())
    # The first angle is 1 rad; all others are smaller, so asin undoes sin.
    assert denominators[: len(first)].tolist() == pytest.approx(first, rel=1e-4)
    assert denominators[-1].item() == pytest.approx(last, rel=1e-4)
    assert len(denominators) == channels // 2


def test_neighbouring_channels_are_turned_together():
    angle = torch.tensor([[0.3, 1.1]], dtype=torch.float64)
    x = torch.tensor([[1.0, 0.0, 2.0, 5.0]], dtype=torch.float64)
    out = rotate(x, (angle.cos(), angle.sin()))[0].tolist()
    c, s = math.cos(1.1), math.sin(1.1)
    assert out == pytest.approx([math.cos(0.3), math.sin(0.3), 2 * c - 5 * s, 5 * c + 2 * s])


def test_products_depend_on_the_distance_only():
    torch.manual_seed(0)
    query, key = torch.randn(2, 1, 32, dtype=torch.float64)
    products = []
    for start in (0, 5, 100):
        angles = rotation(torch.tensor([start, start + 7]), 32, 8192)
        turned = [rotate(x, (angles[0][i : i + 1], angles[1][i : i + 1])) for i, x in enumerate((query, key))]
        products.append((turned[0] @ turned[1].T).item())
    assert products == pytest.approx([products[0]] * 3, rel=1e-4)


def test_angles_stay_float32_and_exact_far_out():
    positions = torch.tensor([0, 8191, 1_048_575])
    cosine, sine = rotation(positions, 768, 1 << 20)
    assert cosine.dtype == sine.dtype == torch.float32
    torch.testing.assert_close(cosine[:, 0].double(), positions.double().cos(), rtol=0, atol=1e-6)
    x = torch.randn(3, 768).bfloat16()
    assert rotate(x, (cosine, sine)).dtype == torch.bfloat16
