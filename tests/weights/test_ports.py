import pytest
import torch
from checkpoint_writers import port_entries
from safetensors.torch import load_file, save_file

from genomekit.errors import GenomekitWarning
from genomekit.nn import ALPHAGENOME
from genomekit.weights import ports
from genomekit.weights.checkpoint import skeleton
from genomekit.weights.load import load
from genomekit.weights.names import official_leaf


def port_state(network):
    """A state dict as the port would store it."""
    state = {}
    for name, tensor in network.state_dict().items():
        theirs = ports.port_name(name)
        if theirs == "contact_maps_head.linear.weight":
            tensor = tensor.transpose(1, 2)
        elif ".pointwise.conv.weight" in theirs or ("project_" in theirs and theirs.endswith("weight")):
            tensor = tensor[..., None]
        elif theirs.endswith("conv.scale"):
            tensor = tensor[:, None, None]
        elif theirs.endswith("_r_bias"):
            tensor = tensor[None, None]
        elif theirs.endswith("residual_scale"):
            tensor = tensor[None]
        state[theirs] = tensor.contiguous()
    state["heads.rna_seq.track_means"] = torch.zeros(2, 4)
    return state


@pytest.fixture
def file(tmp_path, network):
    save_file(port_state(network), tmp_path / "port.safetensors")
    return tmp_path / "port.safetensors"


def test_a_tiny_network_comes_back(file, network):
    assert ports.is_port(file)
    state, means = ports.read(file, skeleton(network.config))
    expected = network.state_dict()
    assert set(state) == set(expected)
    assert all(torch.equal(state[name], expected[name]) for name in expected)
    assert list(means) == ["rna_seq"]


def change(file, action):
    state = load_file(file)
    action(state)
    save_file(state, file)


def test_wrong_things(file, network):
    bare = skeleton(network.config)
    change(file, lambda state: state.update({"organism_embed.weight": torch.zeros(3, 32)}))
    with pytest.raises(ValueError, match=r"weights for 3 organisms \(organism_embed.weight is \(3, 32\)\).*expected 2"):
        ports.read(file, bare)
    change(file, lambda state: state.update({"organism_embed.weight": torch.zeros(2, 31)}))
    with pytest.raises(ValueError, match=r"organism_embed.weight is \(2, 31\), expected \(2, 32\)"):
        ports.read(file, bare)
    change(file, lambda state: state.pop("organism_embed.weight"))
    with pytest.raises(ValueError, match=r"lacks 1 of .*: organism_embed.weight \(2, 32\)"):
        ports.read(file, bare)
    change(file, lambda state: state.update({"organism_embed.weight": torch.zeros(2, 32), "new": torch.zeros(1)}))
    with pytest.raises(ValueError, match=r"does not have: new"):
        ports.read(file, bare)
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(ValueError, match=r"truncated"):
        load(file)


def test_a_tiny_network_is_not_the_published_one(file):
    with pytest.raises(ValueError, match=r"of the 670 entries of this network"):
        load(file)


def test_track_means_of_the_file_are_compared(file, tracks):
    ours = torch.from_numpy(tracks.means("rna_seq")).nan_to_num()
    ports.compare_means(file, {"rna_seq": ours, "unknown": ours}, tracks)
    ports.compare_means(file, {"rna_seq": torch.zeros(2, 4)}, tracks)
    with pytest.warns(GenomekitWarning, match=r"'rna_seq' in .* differ from the published track table"):
        ports.compare_means(file, {"rna_seq": ours * 2}, tracks)
    with pytest.raises(ValueError, match=r"shape \(2, 5\), expected \(2, 4\)"):
        ports.compare_means(file, {"rna_seq": torch.zeros(2, 5)}, tracks)


def test_names_and_shapes_are_those_of_the_listing(shared):
    entries = {entry["name"]: entry for entry in port_entries(shared)}
    means = {name for name in entries if name.endswith(".track_means")}
    state = skeleton(ALPHAGENOME).state_dict()
    names = {ports.port_name(name): name for name in state}
    assert len(names) == 670
    assert set(names) | means == set(entries)
    for theirs, ours in names.items():
        assert entries[theirs]["official_path"] == official_leaf(ours).path
