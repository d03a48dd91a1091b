"""The loss formulas against the numbers of the public JAX reference and against arithmetic done by hand."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genomekit.training import loss_terms

JAX_PARITY = 1e-5
# The reference takes the Poisson total in float32 as a difference of terms near t log t = 800 * 6.7 = 5,400, while the
# total is 512 * 0.008 = 4: rounding leaves it 2**-24 * 5,400 / 4 = 8e-5 uncertain. Float64 says which side erred.
JAX_CANCELLATION = 1e-4


def on(*shape: int) -> torch.Tensor:
    """A mask that lets everything through."""
    return torch.ones(*shape, dtype=torch.bool)


@pytest.fixture(scope="module")
def reference(shared):
    return np.load(shared / "parity" / "losses.npz")


def total_in_float64(target, prediction, mask, segment) -> float:
    """The Poisson total of the multinomial loss as the reference writes it, in double precision."""
    t, p = (
        torch.where(mask, x, 0).double().unflatten(1, (-1, segment)).sum(2) for x in (target.clamp(min=0), prediction)
    )
    term = (p - t * (p + 1e-7).log()) - (t - t * (t + 1e-7).log())
    return (torch.where(mask, term, 0).sum() / (mask.sum() * t.shape[1]) / segment).item()


def test_masked_and_counted_losses_match_the_reference(reference):
    def tensor(key):
        return torch.from_numpy(np.asarray(reference[key]))

    def same(value, key, tolerance=JAX_PARITY):
        assert value.item() == pytest.approx(float(reference[key]), rel=tolerance), key

    for n in (128, 512):
        name = f"multinomial_{n}"
        t, p, m = (tensor(f"{name}|{k}") for k in ("y_true", "y_pred", "mask"))
        total, positional = loss_terms.multinomial_poisson_terms(t, p, m, segment=n)
        same(total, f"{name}|out_loss_total", JAX_CANCELLATION)
        assert total.item() == pytest.approx(total_in_float64(t, p, m, n), rel=JAX_PARITY)
        same(positional, f"{name}|out_loss_positional")
        same(loss_terms.multinomial_poisson(t, p, m, segment=n), f"{name}|out_loss")
        seen = torch.where(m, p, 0)
        same(seen.unflatten(1, (-1, n)).sum(2).max(), f"{name}|out_max_sum_preds")
        same(seen.max(), f"{name}|out_max_preds")
        same(torch.where(m, t, 0).max(), f"{name}|out_max_targets")
    for name, function in (("poisson", loss_terms.poisson), ("mse", loss_terms.mse)):
        same(function(*(tensor(f"{name}|{k}") for k in ("y_true", "y_pred", "mask"))), f"{name}|out")
    t, p = tensor("poisson|y_true"), tensor("poisson|y_pred")
    assert loss_terms.poisson(t, p, tensor("poisson_allmasked|mask")).item() == float(
        reference["poisson_allmasked|out"]
    )
    same(loss_terms.cross_entropy(tensor("ce_logits|logits"), tensor("ce_logits|one_hot")), "ce_logits|out")
    t, x, m = (tensor(f"bce_logits|{k}") for k in ("target", "logits", "mask"))
    same(loss_terms.binary_cross_entropy(t, x, m), "bce_logits|out")
    for axis in (-2, -3):
        name = f"ce_counts_axis{axis}"
        t, p, m = (tensor(f"{name}|{k}") for k in ("y_true", "y_pred", "mask"))
        same(loss_terms.count_cross_entropy(t, p, m, axis=axis), f"{name}|out")


def test_masked_mean_counts_broadcast_masks_and_survives_an_empty_one():
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert loss_terms.masked_mean(x, torch.tensor([[True], [False]])).item() == 1.5  # (1 + 2) / 2
    assert loss_terms.masked_mean(x, torch.tensor([[False]])).item() == 0.0


def test_poisson_by_hand():
    loss = loss_terms.poisson(torch.tensor([2.0, 9.0]), torch.tensor([4.0, 1.0]), torch.tensor([True, False]))
    # (4 - 2 ln 4) - (2 - 2 ln 2) = 2 - 2 ln 2
    assert loss.item() == pytest.approx(2 - 2 * math.log(2), rel=1e-6)


def test_multinomial_by_hand():
    target = torch.tensor([[[1.0], [1.0], [2.0], [-5.0]]])
    prediction = torch.tensor([[[1.0], [3.0], [2.0], [2.0]]])
    total, positional = loss_terms.multinomial_poisson_terms(target, prediction, on(1, 1, 1), segment=2)
    # Segment 1: totals 2 and 4 give 2 - 2 ln 2; segment 2: 2 (the -5 counts as 0) and 4 give the same; both / 2 bins.
    assert total.item() == pytest.approx((2 - 2 * math.log(2)) / 2, rel=1e-5)
    # -(1 ln 1/4 + 1 ln 3/4 + 2 ln 1/2 + 0) over 4 bins.
    expected = -(math.log(1 / 4) + math.log(3 / 4) + 2 * math.log(1 / 2)) / 4
    assert positional.item() == pytest.approx(expected, rel=1e-5)
    with pytest.raises(ValueError, match="4 bins cannot be cut into segments of 3"):
        loss_terms.multinomial_poisson(target, prediction, on(1, 1, 1), segment=3)


def test_cross_entropies_by_hand():
    one_hot = torch.tensor([[True, False], [False, False]])
    logits = torch.tensor([[0.0, math.log(3.0)], [50.0, float("nan")]])
    # Only the first place has a class: probability 1/4.
    assert loss_terms.cross_entropy(logits, one_hot).item() == pytest.approx(math.log(4), rel=1e-5)
    fractions, x = torch.tensor([1.0, 0.0]), torch.tensor([0.0, math.log(3.0)])
    # -ln 1/2 and -ln (1 - 3/4)
    expected = (math.log(2) + math.log(4)) / 2
    assert loss_terms.binary_cross_entropy(fractions, x, on(2)).item() == pytest.approx(expected, rel=1e-5)


def test_count_cross_entropy_by_hand():
    target = torch.tensor([[3.0, 1.0, 9.0], [5.0, 5.0, 5.0]])
    prediction = torch.tensor([[2.0, 2.0, 9.0], [5.0, 5.0, 5.0]])
    mask = torch.tensor([[True, True, False], [False, False, False]])
    # One slice: fractions 3/4, 1/4 against 1/2, 1/2.
    assert loss_terms.count_cross_entropy(target, prediction, mask, axis=1).item() == pytest.approx(
        math.log(2), rel=1e-5
    )


def test_gene_loss_by_hand():
    # Two positions are the + gene; tracks "+", "-", ".": the "-" track does not see it.
    target = torch.tensor([[[2.0, 7.0, 2.0], [2.0, 7.0, 2.0], [9.0, 9.0, 9.0]]])
    prediction = torch.tensor([[[1.0, 5.0, 7.0], [1.0, 5.0, 7.0], [0.0, 0.0, 0.0]]])
    genes = torch.zeros(1, 3, 2, 1, dtype=torch.bool)
    genes[0, :2, 0, 0] = True
    strands = torch.tensor([[[True, False, True], [False, True, True]]])
    masks = {"mask": on(1, 3), "gene_mask": genes, "strand_mask": strands}
    total, positional = loss_terms.gene_loss_terms(target, prediction, **masks)
    # Totals over tracks 4 and 8: 4 - 4 ln 2, divided by 2 active tracks.
    assert total.item() == pytest.approx((4 - 4 * math.log(2)) / 2, rel=1e-5)
    # -(2 ln 1/8 + 2 ln 7/8) over 2 tracks.
    assert positional.item() == pytest.approx(-(math.log(1 / 8) + math.log(7 / 8)), rel=1e-5)


counts = st.lists(st.floats(0.125, 1e4, width=32), min_size=4, max_size=4)


@settings(deadline=None, max_examples=40)
@given(counts)
def test_gradient_is_zero_at_the_optimum(values):
    target = torch.tensor(values).reshape(1, 4, 1)
    optimum = target.clone().requires_grad_()
    loss_terms.poisson(target, optimum, on(1, 4, 1)).backward()
    assert optimum.grad.abs().max() < 1e-5
    shape = target.clone().requires_grad_()
    loss_terms.multinomial_poisson(target, shape, on(1, 1, 1), segment=4).backward()
    # The terms that cancel are near 5 / 4 * sum(target) / target in size for each bin's own and the common part.
    assert shape.grad.abs().max() < 1e-5 * 5 * (1 + target.sum() / target.min())
    matrix = target.reshape(1, 2, 2).clone().requires_grad_()
    loss_terms.count_cross_entropy(target.reshape(1, 2, 2), matrix, on(1, 2, 2), axis=2).backward()
    assert matrix.grad.abs().max() < 1e-5 / target.min()


@settings(deadline=None, max_examples=40)
@given(st.lists(st.sampled_from([0.0, 1e-30, 1.0, 1e6]), min_size=8, max_size=8))
def test_zero_counts_are_finite_in_value_and_gradient(values):
    target, prediction = torch.tensor(values[:4]).reshape(1, 4, 1), torch.tensor(values[4:]).reshape(1, 4, 1)
    prediction.requires_grad_()
    mask = on(1, 1, 1)
    loss = loss_terms.multinomial_poisson(target, prediction, mask, segment=2)
    loss = loss + loss_terms.poisson(target, prediction, mask)
    loss = loss + loss_terms.count_cross_entropy(target, prediction, on(1, 4, 1), axis=1)
    loss.backward()
    assert loss.isfinite()
    assert prediction.grad.isfinite().all()
    # 0 but for the 1e-7 in the logarithms, which moves the minimum.
    assert loss_terms.poisson(target, prediction, mask).item() >= -1e-6
