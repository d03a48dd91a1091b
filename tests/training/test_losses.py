"""The loss of each kind of head: against the public JAX reference, by hand, and with NaN where there is no data."""

import math

import numpy as np
import pytest
import torch

from genomekit.nn.scaling import scale
from genomekit.training import loss_terms, losses

JAX_PARITY = 1e-5
NAN = float("nan")


def on(*shape: int) -> torch.Tensor:
    """A mask that lets everything through."""
    return torch.ones(*shape, dtype=torch.bool)


@pytest.fixture(scope="module")
def reference(shared):
    return np.load(shared / "parity" / "losses.npz")


@pytest.fixture(scope="module")
def coverage():
    """The inputs of the head losses, made by the reference's recipe."""
    length, rng = 131072, np.random.default_rng(13)
    shapes = {"p1": (0.7, 1, length), "p128": (0.7, 1, length // 128)}
    shapes |= {"tgt": (0.3, 0.4, length), "t128": (0.5, 20, length // 128)}
    return {k: torch.from_numpy(rng.gamma(a, b, (2, n, 4)).astype(np.float32)) for k, (a, b, n) in shapes.items()}


def test_head_losses_on_small_inputs_match_the_reference(reference):
    def tensor(name, key):
        return torch.from_numpy(np.asarray(reference[f"{name}|{key}"]))

    def same(value, name):
        assert value.item() == pytest.approx(float(reference[f"{name}|out"]), rel=JAX_PARITY), name

    name = "contact_maps_head"
    tracks = torch.tensor([[True] * 4, [True, True, True, False]])
    outputs = {"predictions": tensor(name, "predictions")}
    same(losses.contact_loss(outputs, tensor(name, "targets"), mask=tracks), name)
    name = "splice_sites_classification_head"
    same(losses.splice_class_loss({"logits": tensor(name, "logits")}, tensor(name, "targets")), name)
    name = "splice_sites_usage_head"
    tracks = torch.tensor([[True] * 4, [True, True, False, False]])
    same(losses.splice_usage_loss({"logits": tensor(name, "logits")}, tensor(name, "targets"), mask=tracks), name)
    name = "splice_sites_junction_head"
    outputs = {"predictions": tensor(name, "predictions"), "mask": tensor(name, "mask")}
    same(losses.junction_loss(outputs, tensor(name, "targets")), name)


@pytest.mark.parametrize("padding", [1.0, NAN])
@pytest.mark.parametrize("head", ["rna_seq", "chip_tf"])
def test_track_losses_match_the_reference(reference, coverage, head, padding):
    rna = head == "rna_seq"
    name = f"{head}_head_padmean{'NaN' if math.isnan(padding) else 1}"
    mask = torch.tensor([[True] * 4, [True, True, rna, False]])
    means = torch.tensor([[0.05, 0.1, 0.15, 0.2], [0.05, 0.1, 0.15 if rna else padding, padding]])
    targets = coverage["tgt" if rna else "t128"]
    outputs = {"scaled_predictions_1bp": coverage["p1"], "scaled_predictions_128bp": coverage["p128"]}
    resolutions = (1, 128) if rna else (128,)
    loss = losses.track_loss(outputs, targets, mask=mask, track_mean=means, resolutions=resolutions, squash=rna)
    assert loss.item() == pytest.approx(float(reference[f"{name}|out_loss"]), rel=JAX_PARITY)
    for r in resolutions:
        binned = targets if r == min(resolutions) else targets.unflatten(1, (-1, 128)).sum(2)
        scaled = scale(binned, means, r, rna)
        prediction = outputs[f"scaled_predictions_{r}bp"]
        total, positional = loss_terms.multinomial_poisson_terms(scaled, prediction, mask[:, None], segment=131072 // r)
        seen = torch.where(mask[:, None], prediction, 0)
        found = {"loss_total": total, "loss_positional": positional, "loss": total + 5 * positional}
        found |= {"max_preds": seen.max(), "max_sum_preds": seen.sum(1).max()}
        if not math.isnan(padding):  # the reference's own maximum is meaningless with NaN in it
            found["max_targets"] = torch.where(mask[:, None], scaled, 0).max()
        for key, value in found.items():
            expected = float(reference[f"{name}|out_{key}_{r}bp"])
            assert value.item() == pytest.approx(expected, rel=JAX_PARITY), (key, r)


def test_gene_loss_matches_the_reference(reference, coverage):
    name = "rna_seq_head_gene_loss"
    mask = torch.tensor([[True] * 4, [True, True, True, False]])
    means = torch.tensor([[0.05, 0.1, 0.15, 0.2], [0.05, 0.1, 0.15, 1.0]])
    genes = torch.zeros(2, 131072, 2, 3, dtype=torch.bool)
    genes[:, 1000:5000, 0, 0] = True
    genes[:, 20000:21000, 1, 1] = True
    genes[:, 70000:90000, 0, 2] = True
    strands = torch.tensor([[True, False, True, True], [False, True, True, True]]).expand(2, 2, 4)
    scaled = scale(coverage["tgt"], means, 1, True)
    masks = {"mask": mask, "gene_mask": genes, "strand_mask": strands}
    total, positional = loss_terms.gene_loss_terms(scaled, coverage["p1"], **masks)
    assert total.item() == pytest.approx(float(reference[f"{name}|out_gene_loss_total_count_1bp"]), rel=JAX_PARITY)
    assert positional.item() == pytest.approx(float(reference[f"{name}|out_gene_loss_positional_1bp"]), rel=JAX_PARITY)
    outputs = {"scaled_predictions_1bp": coverage["p1"], "scaled_predictions_128bp": coverage["p128"]}
    options = {"resolutions": (1, 128), "squash": True, "track_mean": means, "gene_weight": 0.1}
    loss = losses.track_loss(outputs, coverage["tgt"], **options, **masks)
    assert loss.item() == pytest.approx(float(reference[f"{name}|out_loss"]), rel=JAX_PARITY)


def test_junction_loss_by_hand():
    target = torch.tensor([[40.0, 0.0]])[None, ..., None]
    prediction = torch.tensor([[15.0, 15.0]])[None, ..., None]
    outputs = {"predictions": prediction, "mask": on(1, 1, 2, 1)}
    loss = losses.junction_loss(outputs, target)
    # One donor, two acceptors. Along donors each slice has one pair: 0. Along acceptors: 1, 0 against 1/2, 1/2 = ln 2.
    # Totals: the donor has 40 -> 2 sqrt(400) - 10 = 30 against 30: 0. Acceptors: 30 against 15, 0 against 15, averaged.
    per_acceptor = ((15 - 30 * math.log(15)) - (30 - 30 * math.log(30)) + 15) / 2
    assert loss.item() == pytest.approx(math.log(2) + 0.2 * per_acceptor, rel=1e-5)
    assert losses.junction_loss(outputs, target, mask=torch.tensor([[False]])).item() == 0.0


def test_track_loss_sums_bins_for_the_wider_resolution():
    targets = torch.rand(1, 256, 2)
    outputs = {"scaled_predictions_1bp": torch.rand(1, 256, 2), "scaled_predictions_128bp": torch.rand(1, 2, 2)}
    options = {"mask": on(1, 2), "track_mean": torch.ones(1, 2)}
    both = losses.track_loss(outputs, targets, resolutions=(1, 128), **options)
    fine = losses.track_loss(outputs, targets, resolutions=(1,), **options)
    coarse = losses.track_loss(outputs, targets.unflatten(1, (2, 128)).sum(2), resolutions=(128,), **options)
    assert both.item() == pytest.approx((fine + coarse).item(), rel=1e-6)
    with pytest.raises(ValueError, match=r"give \(1, 256, 2\) at 128 bp but the head gave \(1, 2, 2\)"):
        losses.track_loss(outputs, targets, resolutions=(128,), **options)
    with pytest.raises(ValueError, match="gene_mask or strand_mask is None"):
        losses.track_loss(outputs, targets, resolutions=(1,), gene_weight=0.1, **options)


def filled(shape: tuple[int, ...], seed: int) -> torch.Tensor:
    """Positive numbers with the last track NaN."""
    x = torch.rand(shape, generator=torch.Generator().manual_seed(seed)) + 0.1
    x[..., -1] = NAN
    return x


def junctions(target, prediction):
    mask = on(*prediction.shape)
    mask[..., -1] = False
    mask[:, 0] = False
    return losses.junction_loss({"predictions": prediction, "mask": mask}, target)


def genes(target, prediction):
    everywhere = on(2, prediction.shape[1], 2, 1)
    return loss_terms.gene_loss(target, prediction, mask=TRACKS, gene_mask=everywhere, strand_mask=on(2, 2, 3))


def tracks(target, prediction):
    outputs = {"scaled_predictions_1bp": prediction}
    means = torch.tensor([[0.1, 0.2, NAN]] * 2)
    return losses.track_loss(outputs, target, mask=TRACKS, track_mean=means, resolutions=(1,), squash=True)


TRACKS = torch.tensor([[True, True, False]] * 2)
MASKED = {
    "tracks": ((2, 4, 3), tracks),
    "genes": ((2, 4, 3), genes),
    "contacts": ((2, 2, 2, 3), lambda t, p: losses.contact_loss({"predictions": p}, t, mask=TRACKS)),
    "usage": ((2, 4, 3), lambda t, p: losses.splice_usage_loss({"logits": p}, t, mask=TRACKS)),
    "junctions": ((2, 2, 3, 3), junctions),
}


@pytest.mark.parametrize("name", MASKED)
def test_masked_tracks_are_ignored_with_exactly_zero_gradient(name):
    shape, loss = MASKED[name]
    target, prediction = filled(shape, 1), filled(shape, 2).requires_grad_()
    value = loss(target, prediction)
    value.backward()
    assert value.isfinite()
    assert prediction.grad.isfinite().all()
    assert (prediction.grad[..., -1] == 0).all()
    assert (prediction.grad[..., :-1] != 0).any()
    other = prediction.detach().clone()
    other[..., -1] = 1e6
    assert loss(target.nan_to_num(3.0), other).item() == value.item()


@pytest.mark.parametrize("name", MASKED)
def test_bfloat16_inputs_and_autocast_accumulate_in_float32(name):
    shape, loss = MASKED[name]
    target, prediction = filled(shape, 1).bfloat16(), filled(shape, 2).bfloat16()
    expected = loss(target.float(), prediction.float())
    with torch.autocast("cpu", torch.bfloat16):
        value = loss(target, prediction)
    assert value.dtype == torch.float32
    assert value.item() == expected.item()


def test_unknown_positions_get_zero_gradient():
    logits = torch.randn(1, 3, 5).requires_grad_()
    one_hot = torch.zeros(1, 3, 5, dtype=torch.bool)
    one_hot[0, 0, 2] = True
    losses.splice_class_loss({"logits": logits}, one_hot).backward()
    assert (logits.grad[0, 1:] == 0).all()
    assert (logits.grad[0, 0] != 0).all()
    assert losses.splice_class_loss({"logits": logits}, torch.zeros(1, 3, 5)).item() == 0.0
