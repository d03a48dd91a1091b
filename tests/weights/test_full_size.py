"""Full-size checkpoints in the three layouts, written by the fill rule, give the same network."""

import shutil

import pytest
import torch
from checkpoint_writers import filled_arrays, write_filled_port, write_official
from reference_fill import filled_tensor, official_entries

from genomekit.errors import GenomekitWarning
from genomekit.weights import load as module
from genomekit.weights import native
from genomekit.weights.load import load
from genomekit.weights.registry import ALPHAGENOME_TERMS

pytestmark = pytest.mark.slow
# Each kind of layout: copied, all axes reversed, last two swapped, reshaped, flat tables, statistics.
SPOT_CHECKS = (
    "organism.weight",
    "encoder.blocks.0.first.conv.weight",
    "encoder.blocks.0.first.conv.scale",
    "decoder.blocks.6.residual_scale",
    "decoder.blocks.6.skip.conv.weight",
    "tower.layers.4.attention.query.weight",
    "tower.layers.2.pair_update.sequence_to_pair.key_bias",
    "heads.atac.resolutions.128.linear.weight",
    "heads.contact_maps.linear.weight",
    "heads.splice_junctions.tables.acceptor_minus",
    "embed_base.norm.variance",
)


@pytest.fixture(autouse=True)
def terms_said(monkeypatch):
    monkeypatch.setattr(module, "_announced", {ALPHAGENOME_TERMS})


@pytest.fixture(scope="module")
def port(shared, tmp_path_factory):
    file = write_filled_port(shared, tmp_path_factory.mktemp("port") / "alphagenome.safetensors")
    yield file
    file.unlink()


@pytest.fixture
def scratch(tmp_path):
    """A folder that does not keep its gigabytes after the test."""
    yield tmp_path
    shutil.rmtree(tmp_path)


def test_port(shared, port, monkeypatch):
    monkeypatch.setattr(module, "_announced", set())
    with pytest.warns(GenomekitWarning, match=r"'alphagenome': .*non-commercial"):
        checkpoint = load(port)
    state, shapes = checkpoint.network.state_dict(), official_entries(shared)
    for name in SPOT_CHECKS:
        assert torch.equal(state[name], filled_tensor(shared, name, state[name], shapes)), name
    assert checkpoint.layout == "genomicsxai"
    assert checkpoint.network.num_parameters() == 450_452_613
    assert (len(checkpoint.tracks), checkpoint.organisms) == (5930 + 1128, ("human", "mouse"))
    assert checkpoint.terms == ALPHAGENOME_TERMS
    means = checkpoint.network.heads["dnase"].track_mean
    assert means.isfinite().sum(1).tolist() == [305, 67]


def test_official_equals_port(shared, port, scratch):
    pytest.importorskip("tensorstore")
    official = load(write_official(scratch / "orbax", filled_arrays(shared)))
    assert official.layout == "official"
    expected = load(port).network.state_dict()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in official.network.state_dict().items())


def test_native_equals_port(port, scratch):
    checkpoint = load(port)
    path = native.save(
        scratch / "native", checkpoint.network, checkpoint.tracks, licence=checkpoint.licence, terms=checkpoint.terms
    )
    again, expected = load(path), checkpoint.network.state_dict()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in again.network.state_dict().items())
    assert again.tracks == checkpoint.tracks
    assert again.terms == ALPHAGENOME_TERMS
