import builtins
import json
import shutil

import numpy as np
import pytest
import torch
from checkpoint_writers import official_arrays, write_official
from reference_fill import fill_rule, official_entries

from genomekit.nn import ALPHAGENOME
from genomekit.weights import official
from genomekit.weights.checkpoint import skeleton
from genomekit.weights.load import load
from genomekit.weights.names import official_leaf

pytest.importorskip("tensorstore")


@pytest.fixture
def folder(tmp_path, network):
    return write_official(tmp_path / "orbax", official_arrays(network.state_dict()))


def test_a_tiny_network_comes_back(folder, network):
    state = official.read(folder, skeleton(network.config))
    expected = network.state_dict()
    assert list(state) == list(expected)
    for name, tensor in expected.items():
        assert torch.equal(state[name], tensor), name
        assert state[name].is_contiguous()


def test_through_links_as_a_download_cache_has_them(folder, network, tmp_path):
    linked = tmp_path / "snapshot"
    for file in folder.rglob("*"):
        if file.is_file():
            link = linked / file.relative_to(folder)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(file)
    assert torch.equal(official.read(linked, skeleton(network.config))["organism.weight"], network.organism.weight)


def test_found_one_folder_down(folder, tmp_path):
    assert official.find(folder) == folder
    assert official.find(tmp_path) == folder
    assert official.find(tmp_path / "nothing") is None
    shutil.copytree(folder, tmp_path / "second")
    assert official.find(tmp_path) is None


def relist(folder, change):
    """Rewrite the listing."""
    file = folder / official.LISTING
    listing = json.loads(file.read_text())
    change(listing["tree_metadata"])
    file.write_text(json.dumps(listing))


def test_missing_entry(folder, network):
    relist(folder, lambda tree: tree.pop("('0', 'alphagenome/embed', 'embeddings')"))
    with pytest.raises(
        ValueError, match=r"lacks 1 of the \d+ entries of this network: 0.alphagenome/embed.embeddings \(2, 32\)"
    ):
        official.read(folder, skeleton(network.config))


def test_extra_entry(folder, network):
    extra = {"key_metadata": [{"key": "0"}, {"key": "alphagenome/head/new"}, {"key": "w"}]}
    relist(folder, lambda tree: tree.update(extra=extra))
    with pytest.raises(ValueError, match=r"does not have: 0.alphagenome/head/new.w"):
        official.read(folder, skeleton(network.config))


def replaced(network, tmp_path, path, array):
    """Write the network with one array exchanged."""
    arrays = [(c, p, array if p == path else a) for c, p, a in official_arrays(network.state_dict())]
    return write_official(tmp_path / "changed", arrays)


def test_wrong_shape(network, tmp_path):
    path = "alphagenome/transformer_tower/mha_block/q_layer/w"
    folder = replaced(network, tmp_path, path, np.zeros((32, 17), np.float32))
    with pytest.raises(ValueError, match=r"mha_block/q_layer.w is \(17, 32\), expected \(16, 32\)"):
        official.read(folder, skeleton(network.config))


def test_wrong_number_of_organisms(network, tmp_path):
    folder = replaced(network, tmp_path, "alphagenome/embed/embeddings", np.zeros((3, 32), np.float32))
    with pytest.raises(ValueError, match=r"weights for 3 organisms \(0.alphagenome/embed.embeddings is \(3, 32\)\)"):
        official.read(folder, skeleton(network.config))


def test_missing_data(folder, network):
    for file in (folder / "d").iterdir():
        file.unlink()
    with pytest.raises(ValueError, match=r"is listed in .* but cannot be read .*incomplete"):
        official.read(folder, skeleton(network.config))


def test_truncated_data(folder, network):
    largest = max((folder / "d").iterdir(), key=lambda file: file.stat().st_size)
    largest.write_bytes(largest.read_bytes()[: largest.stat().st_size // 2])
    with pytest.raises(ValueError, match=r"cannot be read .*incomplete"):
        official.read(folder, skeleton(network.config))


def test_damaged_listing(folder, network):
    (folder / official.LISTING).write_text('{"tree_metadata": [1]}')
    with pytest.raises(ValueError, match=r"_METADATA is damaged"):
        official.read(folder, skeleton(network.config))


def test_a_tiny_network_is_not_the_published_one(folder):
    with pytest.raises(ValueError, match=r"orbax lacks \d+ of the 670 entries"):
        load(folder)


def test_without_tensorstore(folder, network, monkeypatch):
    plain = builtins.__import__

    def without(name, *arguments):
        if name == "tensorstore":
            raise ImportError(name)
        return plain(name, *arguments)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"pip install 'genomekit-torch\[official\]'"):
        official.read(folder, skeleton(network.config))


def test_every_official_leaf_has_one_tensor_of_ours(shared):
    leaves = {name: official_leaf(name) for name in skeleton(ALPHAGENOME).state_dict()}
    places = {(leaf.collection, leaf.path) for leaf in leaves.values()}
    assert len(places) == len(leaves) == 670
    assert places == set(official_entries(shared))


def test_the_sample_that_orbax_wrote(shared):
    sample = shared / "spec" / "orbax_sample"
    rule, shapes = fill_rule(shared), official_entries(shared)
    leaves = {official.key(leaf): leaf for leaf in map(official_leaf, skeleton(ALPHAGENOME).state_dict())}
    keys = official.listing(sample)
    assert len(keys) == 21
    stores = official.open_arrays(sample, keys)
    for key, store in stores.items():
        leaf = leaves[key]
        np.testing.assert_array_equal(store.read().result(), rule.fill(leaf.path, shapes[leaf.collection, leaf.path]))
    with pytest.raises(ValueError, match=r"lacks 649 of the 670 entries"):
        load(sample)
