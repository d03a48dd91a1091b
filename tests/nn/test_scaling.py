"""Scaling of track targets and predictions."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genomekit.nn.scaling import scale, soft_clip, unscale

FLOAT32 = 1e-5


@pytest.mark.parametrize("squash", [False, True])
@pytest.mark.parametrize("resolution", [1, 128])
def test_scaling_matches_the_reference(shared, squash, resolution):
    reference = np.load(shared / "parity" / "losses.npz")
    name = f"scaling_sq{int(squash)}_r{resolution}"
    x, means, predictions, targets = (
        torch.from_numpy(reference[f"{name}|{key}"]) for key in ("x", "track_means", "predictions", "targets")
    )
    torch.testing.assert_close(unscale(x, means, resolution, squash), predictions, rtol=FLOAT32, atol=0)
    torch.testing.assert_close(scale(x, means, resolution, squash), targets, rtol=FLOAT32, atol=0)


def test_by_hand():
    mean = torch.tensor([[2.0]])
    # 16^0.75 = 8; (8 + ...) stays below 10. 10000 / 2 / 1 is 5000: 5000^0.75 = 594.6, 2 sqrt(5946) - 10 = 144.22.
    assert scale(torch.tensor([[[32.0]]]), mean, 1, True).item() == pytest.approx(8.0)
    assert scale(torch.tensor([[[10000.0]]]), mean, 1, True).item() == pytest.approx(144.22, rel=1e-4)
    # (20 + 10)^2 / 40 = 22.5, times 2 * 128.
    assert unscale(torch.tensor([[[20.0]]]), mean, 128, False).item() == pytest.approx(5760.0)


@settings(deadline=None)
@given(st.floats(0, 1e6, width=32), st.floats(0.125, 64, width=32), st.sampled_from([1, 128]), st.booleans())
def test_scale_is_undone_by_unscale(value, mean, resolution, squash):
    x, means = torch.tensor([[[value]]]), torch.tensor([[mean]])
    back = unscale(scale(x, means, resolution, squash), means, resolution, squash)
    assert back.item() == pytest.approx(value, rel=1e-4, abs=1e-4)


def test_nan_means_stay_in_their_track_and_gradients_are_finite():
    x = torch.tensor([[[0.0, 1.0], [30.0, 1.0]]], requires_grad=True)
    means = torch.tensor([[1.0, float("nan")]])
    out = unscale(x, means, 1, True)
    assert out[..., 0].isfinite().all()
    assert out[..., 1].isnan().all()
    out[..., 0].sum().backward()
    assert x.grad[..., 0].isfinite().all()
    assert scale(x.detach(), means, 1)[..., 1].isnan().all()
    low = torch.tensor([0.0], requires_grad=True)
    soft_clip(low).sum().backward()
    assert low.grad.item() == 1.0


def test_bfloat16_comes_back_as_float32():
    assert unscale(torch.ones(1, 1, 1, dtype=torch.bfloat16), torch.ones(1, 1), 1).dtype == torch.float32
