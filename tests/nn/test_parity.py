"""The full-size network against the numbers of the published code, parameters filled by its rule."""

import gc

import numpy as np
import pytest
import torch
from reference_fill import fill_rule, filled_network, forward_differences, gradient_differences, write_filled

from genomekit.nn import ALPHAGENOME, AlphaGenome
from genomekit.nn.splice import select_sites

# Largest difference over the largest value.
JAX_PARITY_FLOAT32 = 1e-5
JAX_PARITY_GRADIENT = 1e-4
# The reference rounds usage probabilities to float16: half a unit in the last place at 1, and float32 on top.
USAGE_FLOAT16 = 2.0**-12 + JAX_PARITY_FLOAT32
# Both sides round the operands to bfloat16, at different places: RMS difference over standard deviation.
BF16_RMS = 0.1
BF16_CORRELATION = 0.99

pytestmark = pytest.mark.slow


def test_parameter_count():
    with torch.device("meta"):
        network = AlphaGenome(ALPHAGENOME)
    assert network.num_parameters() == 450_452_613
    statistics = sum(tensor.numel() for name, tensor in network.state_dict().items() if name.endswith(".variance"))
    assert statistics == 100_608


@pytest.fixture(scope="module")
def network(shared, tmp_path_factory):
    folder = tmp_path_factory.mktemp("filled")
    network = filled_network(shared, write_filled(shared, folder / "filled.safetensors"))
    # On POSIX the memory map outlives the name, so 1.8 GB of disk come back with the network.
    (folder / "filled.safetensors").unlink()
    yield network
    del network
    gc.collect()


@pytest.fixture(scope="module")
def differences(shared, network):
    return {found.name: found for found in forward_differences(shared, network)}


def test_every_head_embedding_and_intermediate(differences):
    kinds = [name.split(":")[0] for name in differences]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {"emb": 3, "head": 32, "mid": 71}
    exact = {
        name: found.relative for name, found in differences.items() if name != "head:splice_sites_usage/predictions"
    }
    assert {name: value for name, value in exact.items() if value > JAX_PARITY_FLOAT32} == {}
    assert [found.name for found in differences.values() if not found.nan_agree] == []


def test_usage_probabilities_agree_to_float16(differences):
    assert differences["head:splice_sites_usage/predictions"].relative < USAGE_FLOAT16


def test_splice_positions_and_their_mask_are_equal(differences):
    assert differences["head:splice_sites_junction/splice_site_positions"].relative == 0
    assert differences["head:splice_sites_junction/splice_junction_mask"].relative == 0


def test_gradients(shared, network):
    found = list(gradient_differences(shared, network))
    network.requires_grad_(False)
    assert len(found) == 2 + 2 * 11
    assert {one.name: one.relative for one in found if one.relative > JAX_PARITY_GRADIENT} == {}


@pytest.fixture(scope="module")
def junctions(shared):
    with np.load(shared / "parity" / "junction_head.npz") as stored:
        return dict(stored)


def junction_counts(network, junctions, dtype):
    """Run the junction head alone, at the stored positions, on the embeddings of the recipe."""
    embedding = np.random.default_rng(23).standard_normal((2, 2048, 1536)).astype(np.float32)
    head = network.heads["splice_junctions"]
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=dtype == torch.bfloat16):
        return head(
            torch.from_numpy(embedding).to(dtype),
            torch.from_numpy(junctions["organism_index"]).long(),
            torch.from_numpy(junctions["positions"]).long(),
        )


def sampled(shared, values, count):
    flat = values.float().numpy().reshape(-1)
    return flat[fill_rule(shared).sample("junction", flat.size, count)]


def test_junction_head_at_fixed_positions(shared, network, junctions):
    out = junction_counts(network, junctions, torch.float32)
    assert out["predictions"].shape == (2, 16, 16, 734)
    expected = junctions["predictions_f32"]
    got = sampled(shared, out["predictions"], expected.size)
    assert np.abs(got - expected).max() / np.abs(expected).max() < JAX_PARITY_FLOAT32
    assert out["mask"].flatten(1).sum(1).tolist() == junctions["mask_sum"].tolist()


def test_junction_head_in_bfloat16(shared, network, junctions):
    out = junction_counts(network, junctions, torch.bfloat16)
    expected = junctions["predictions_bf16"]
    got = sampled(shared, out["predictions"], expected.size)
    assert np.sqrt(np.mean((got - expected) ** 2)) / expected.std() < BF16_RMS
    assert np.corrcoef(got, expected)[0, 1] > BF16_CORRELATION


@pytest.mark.parametrize("kind", ["single", "refalt"])
@pytest.mark.parametrize(("count", "threshold"), [(8, "0.0"), (8, "0.1"), (8, "0.97"), (64, "0.9")])
def test_splice_site_selection(shared, count, threshold, kind):
    with np.load(shared / "parity" / "variant_scorers.npz") as stored:
        expected = stored[f"topk|k{count}|t{threshold}|{kind}"]
        probabilities = stored["topk_ref"]
        if kind == "refalt":
            probabilities = np.maximum(probabilities, stored["topk_alt"])
    sites = select_sites(torch.from_numpy(probabilities), count, float(threshold)).numpy()
    padded = np.full(expected.shape, -1)
    padded[..., :count] = sites
    np.testing.assert_array_equal(padded, expected)
