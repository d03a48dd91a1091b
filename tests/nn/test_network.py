"""The network against an independent forward pass in numpy, and the ways to call it."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

import genomekit.nn.attention
import genomekit.nn.splice
from genomekit.nn import ALPHAGENOME, AlphaGenome, HeadConfig, NetworkConfig
from genomekit.nn.layers import RMSBatchNorm
from genomekit.nn.rotary import rotation

from tiny import LENGTH, ORGANISMS, TINY, TRACK_MEANS, dna, parameter  # isort: skip
from make_tiny_reference import sample  # isort: skip

FLOAT64 = 1e-10
# Track scaling is float32 whatever the network is.
FLOAT32_SCALING = 2e-6


@pytest.fixture(scope="module")
def network():
    with torch.device("meta"):
        network = AlphaGenome(TINY)
    state = network.state_dict()
    network.load_state_dict({n: torch.from_numpy(parameter(n, tuple(t.shape))) for n, t in state.items()}, assign=True)
    for name, mean in TRACK_MEANS.items():
        network.heads[name].track_mean = torch.from_numpy(mean)
    return network.eval()


def exact_rotation(positions, channels, max_position):
    """The same float32 angles; cosine and sine in float64, because libraries differ in the last bit of float32."""
    half = channels // 2
    frequencies = [1 / (j + (max_position - half + 1) ** (j / (half - 1))) for j in range(half)]
    angles = positions.to(torch.float32)[..., None] * torch.tensor(frequencies, dtype=torch.float32)
    cosine, sine = rotation(positions, channels, max_position)
    torch.testing.assert_close(cosine, angles.cos(), rtol=0, atol=2e-7)
    torch.testing.assert_close(sine, angles.sin(), rtol=0, atol=2e-7)
    return angles.double().cos(), angles.double().sin()


@pytest.fixture(scope="module")
def outputs(network):
    with pytest.MonkeyPatch.context() as patch, torch.inference_mode():
        patch.setattr(genomekit.nn.attention, "rotation", exact_rotation)
        patch.setattr(genomekit.nn.splice, "rotation", exact_rotation)
        organism = torch.tensor(ORGANISMS)
        encoded = network.encode(torch.from_numpy(dna()))
        trunk = network.trunk(encoded.tokens, organism)
        embeddings = network.embed(trunk, encoded.skips, organism)
        found = {
            "tokens": encoded.tokens,
            "trunk": trunk.tokens,
            "pair": trunk.pair,
            "decoded": network.decode(trunk.tokens, encoded.skips),
            "embedding_1": embeddings.base,
            "embedding_128": embeddings.token,
            "embedding_pair": embeddings.pair,
        }
        for modality, values in network.read(embeddings, organism).items():
            found |= {f"{modality}/{key}": value for key, value in values.items()}
    return found


@pytest.fixture(scope="module")
def reference():
    with np.load(Path(__file__).parent / "data" / "tiny_reference.npz") as stored:
        return dict(stored)


def test_the_whole_network_in_float64(outputs, reference):
    names = [name for name in reference if "|" not in name]
    assert set(names) == set(outputs)
    for name in names:
        ours, expected = outputs[name].numpy(), reference[name]
        assert ours.shape == tuple(reference[f"shape|{name}"]), name
        scaled = "/predictions_" in name
        if not scaled and expected.dtype.kind == "f":
            assert ours.dtype == np.float64, name
        got = ours.reshape(-1)[sample(ours.size)].astype(np.float64)
        assert (np.isnan(got) == np.isnan(expected)).all(), name
        worst = np.nanmax(np.abs(got - expected)) / np.nanmax(np.abs(expected))
        assert worst < (FLOAT32_SCALING if scaled else FLOAT64), (name, worst)


def test_the_reference_is_no_easy_case(reference):
    sites = reference["splice_junctions/sites"]
    assert 0.2 < (sites >= 0).mean() < 1
    assert reference["splice_sites/predictions"].std() > 0.05
    assert (reference["rna_seq/scaled_predictions_1bp"] > 10).any()


@pytest.fixture(scope="module")
def single(network):
    x = torch.from_numpy(dna())[:, :2048]
    with torch.inference_mode():
        return network, x, torch.tensor(ORGANISMS), network(x, torch.tensor(ORGANISMS))


def close(ours, theirs):
    tolerance = FLOAT64 if ours.dtype == torch.float64 else FLOAT32_SCALING
    torch.testing.assert_close(ours, theirs, rtol=tolerance, atol=tolerance, equal_nan=True)


def test_forward_gives_every_head(single):
    out = single[3]
    assert list(out) == [head.modality for head in TINY.heads]
    assert out["rna_seq"]["predictions_1bp"].shape == (2, 2048, 3)
    assert out["rna_seq"]["predictions_128bp"].shape == (2, 16, 3)
    assert out["contact_maps"]["predictions"].shape == (2, 1, 1, 2)
    assert out["splice_junctions"]["predictions"].shape == (2, 7, 7, 6)
    nan = {f"{name}/{key}" for name, outputs in out.items() for key, value in outputs.items() if value.isnan().any()}
    # Padding tracks have no mean; nothing else may be NaN.
    assert nan == {"rna_seq/predictions_1bp", "rna_seq/predictions_128bp", "chip_tf/predictions_128bp"}


@pytest.mark.parametrize("modality", [head.modality for head in TINY.heads])
def test_one_modality_is_the_same_as_all(single, modality):
    network, x, organism, out = single
    with torch.inference_mode():
        alone = network(x, organism, [modality])
    assert list(alone) == [modality]
    for key, value in out[modality].items():
        close(alone[modality][key], value)


@pytest.mark.parametrize("modality", [head.modality for head in TINY.heads if head.kind != "splice_junction"])
def test_channels_are_the_same_as_selecting_after(single, modality):
    network, x, organism, out = single
    kept = torch.tensor([1, 0])
    with torch.inference_mode():
        chosen = network(x, organism, [modality], channels={modality: kept})[modality]
    for key, value in out[modality].items():
        close(chosen[key], value[..., kept])


def test_tissues_are_the_same_as_selecting_after(single):
    network, x, organism, out = single
    with torch.inference_mode():
        chosen = network(x, organism, ["splice_junctions"], channels={"splice_junctions": torch.tensor([2, 0])})
    for key in ("predictions", "mask"):
        close(chosen["splice_junctions"][key], out["splice_junctions"][key][..., [2, 0, 5, 3]])


def test_resolutions_and_given_sites(single):
    network, x, organism, _ = single
    sites = torch.full((2, 4, 3), -1)
    sites[:, 0, 0], sites[:, 1, 0] = 10, 700
    with torch.inference_mode():
        encoded = network.encode(x)
        embeddings = network.embed(network.trunk(encoded.tokens, organism), encoded.skips, organism)
        read = network.read(embeddings, organism, ["rna_seq", "splice_junctions"], resolutions=[128], sites=sites)
    assert set(read["rna_seq"]) == {"scaled_predictions_128bp", "predictions_128bp"}
    counts, mask = read["splice_junctions"]["predictions"], read["splice_junctions"]["mask"]
    assert mask.sum().item() == 2 * 3  # one + strand pair, three tissues, two batch elements
    assert (counts[:, 0, 0, :3] > 0).all()
    assert (counts[~mask] == 0).all()


def test_only_what_is_needed_runs(single):
    network, x, organism, _ = single
    assert network.needs(["chip_tf"]) == {128}
    assert network.needs(["contact_maps"]) == {2048}
    assert network.needs(["rna_seq"], finest=True) == {1}
    with torch.inference_mode():
        encoded = network.encode(x)
        embeddings = network.embed(network.trunk(encoded.tokens, organism), encoded.skips, organism, ["chip_tf"])
    assert embeddings.base is None
    assert embeddings.pair is None


def test_batch_elements_do_not_meet(single):
    network, x, organism, out = single
    with torch.inference_mode():
        alone = network(x[1:], organism[1:])
    for modality, values in out.items():
        for key, value in values.items():
            close(alone[modality][key], value[1:])


def test_gradients_reach_every_parameter_and_a_step_lowers_the_loss():
    torch.manual_seed(1)
    network = AlphaGenome(TINY).train()
    x, organism = torch.from_numpy(dna()).float()[:, :2048], torch.tensor(ORGANISMS)
    sites = torch.tensor([[[5, 900], [300, 1500], [400, -1], [8, 77]]]).expand(2, -1, -1)

    def loss():
        out = network(x, organism, sites=sites)
        tracks = [
            out["rna_seq"]["scaled_predictions_1bp"],
            out["rna_seq"]["scaled_predictions_128bp"],
            out["chip_tf"]["scaled_predictions_128bp"],
        ]
        others = [
            out["contact_maps"]["predictions"],
            out["splice_sites"]["logits"],
            out["splice_site_usage"]["logits"],
            out["splice_junctions"]["predictions"],
        ]
        return sum((one - 1).square().mean() for one in tracks) + sum(one.square().mean() for one in others)

    optimizer = torch.optim.Adam(network.parameters(), 3e-3)
    losses = []
    for _ in range(8):
        optimizer.zero_grad()
        value = loss()
        value.backward()
        losses.append(value.item())
        optimizer.step()
    assert [name for name, p in network.named_parameters() if p.grad is None or not p.grad.isfinite().all()] == []
    assert losses[-1] < 0.7 * losses[0]


def test_saved_and_restored(tmp_path, single):
    network, x, organism, out = single
    torch.save(network.state_dict(), tmp_path / "state.pt")
    other = AlphaGenome(TINY).eval().double()
    other.set_track_means({name: torch.from_numpy(mean) for name, mean in TRACK_MEANS.items()})
    other.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    with torch.inference_mode():
        again = other(x, organism)
    for modality, values in out.items():
        for key, value in values.items():
            torch.testing.assert_close(again[modality][key], value, rtol=0, atol=0, equal_nan=True)


def test_frozen_norms(single):
    network = AlphaGenome(TINY).double().train()
    network.freeze_norms()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items() if name.endswith("variance")}
    with torch.no_grad():
        network(single[1], single[2])
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items() if name in before)
    network.freeze_norms(False)
    assert not any(module.frozen for module in network.modules() if isinstance(module, RMSBatchNorm))


@pytest.mark.parametrize("length", [0, 100, 2047, 2048 * 17])
def test_windows_that_do_not_fit(single, length):
    with pytest.raises(ValueError, match=f"A window of {length} bp came; allowed are multiples of 2048 up to 32768"):
        single[0].encode(torch.zeros(1, length, 4))


def test_track_means_that_do_not_fit():
    network = AlphaGenome(TINY)
    with pytest.raises(ValueError, match=r"'rna_seq' have shape \(2, 4\); expected \(2, 3\)"):
        network.set_track_means({"rna_seq": torch.ones(2, 4)})
    with pytest.raises(ValueError, match="'contact_maps' has no track means"):
        network.set_track_means({"contact_maps": torch.ones(2, 2)})


def test_junctions_without_a_classification_head():
    config = dataclasses.replace(TINY, heads=(TINY.head("splice_junctions"),))
    network = AlphaGenome(config).eval()
    with pytest.raises(ValueError, match="no classification head; pass `sites`"):
        network(torch.zeros(1, 2048, 4), torch.tensor([0]))


def test_configurations():
    assert NetworkConfig.from_dict(TINY.to_dict()) == TINY
    assert ALPHAGENOME.lengths[0] == 2048
    assert TINY.lengths == (2048, 4096, 8192, 16_384, 32_768)
    assert LENGTH in TINY.lengths
    replace = dataclasses.replace
    with pytest.raises(ValueError, match=r"Window lengths \[100\]"):
        replace(TINY, lengths=(100,), default_length=100)
    with pytest.raises(ValueError, match="default_length 4096 is not one of"):
        replace(TINY, lengths=(2048,))
    with pytest.raises(ValueError, match="needs organisms and heads"):
        replace(TINY, organisms=())
    with pytest.raises(ValueError, match="same modality"):
        replace(TINY, heads=(TINY.heads[0], TINY.heads[0]))
    with pytest.raises(ValueError, match="Unknown network settings"):
        NetworkConfig.from_dict(TINY.to_dict() | {"depth": 3})
    odd = {"kind": "splice_junction", "channels": 3}
    for wrong in ({"kind": "tracks"}, {"channels": 0}, {"resolutions": (64,)}, odd):
        with pytest.raises(ValueError, match="'x' has"):
            HeadConfig(**({"modality": "x", "kind": "track", "channels": 1} | wrong))
