import dataclasses
import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from genomekit.nn import AlphaGenome
from genomekit.weights import native
from genomekit.weights.checkpoint import state_hash
from genomekit.weights.load import load

TARGETS = ["checkpoint", "checkpoint.safetensors"]


@pytest.fixture(params=TARGETS)
def saved(request, tmp_path, network, tracks):
    return native.save(
        tmp_path / request.param, network, tracks, name="tiny", provenance={"seed": 0}, licence="Apache-2.0"
    )


def test_everything_comes_back(saved, network, tracks):
    checkpoint = load(saved)
    state = network.state_dict()
    assert all(torch.equal(tensor, state[name]) for name, tensor in checkpoint.network.state_dict().items())
    assert checkpoint.network.training is False
    assert (checkpoint.name, checkpoint.config, checkpoint.tracks) == ("tiny", network.config, tracks)
    assert (checkpoint.provenance, checkpoint.licence, checkpoint.terms) == ({"seed": 0}, "Apache-2.0", "")
    assert checkpoint.weight_hash == state_hash(state)
    assert checkpoint.organisms == ("worm", "yeast")


def test_predictions_and_track_means_come_back(saved, network, tracks):
    checkpoint = load(saved)
    means = {name: torch.from_numpy(tracks.means(name)) for name in tracks.modalities}
    network.set_track_means(means)
    dna, organism = torch.eye(4)[torch.randint(4, (2, 2048))], torch.tensor([0, 1])
    with torch.inference_mode():
        ours, theirs = network(dna, organism), checkpoint.network(dna, organism)
    for modality, outputs in ours.items():
        for key, tensor in outputs.items():
            torch.testing.assert_close(theirs[modality][key], tensor, rtol=0, atol=0, equal_nan=True)
    assert torch.isnan(theirs["rna_seq"]["predictions_1bp"][0, 0]).tolist() == [False, False, True, True]


def test_a_change_in_memory_never_reaches_the_file(saved):
    checkpoint = load(saved)
    file = saved / native.TENSORS if saved.is_dir() else saved
    before = file.read_bytes()
    with torch.no_grad():
        next(checkpoint.network.parameters()).add_(1)
    assert file.read_bytes() == before


def test_half_precision_on_disk(tmp_path, network, tracks):
    path = native.save(tmp_path / "half.safetensors", network, tracks, dtype=torch.bfloat16)
    loaded = load(path).network.state_dict()
    for name, tensor in network.state_dict().items():
        assert loaded[name].dtype == torch.float32
        torch.testing.assert_close(loaded[name], tensor.bfloat16().float(), rtol=0, atol=0)


def test_existing_target(saved, network, tracks):
    with pytest.raises(FileExistsError, match=r"overwrite=True"):
        native.save(saved, network, tracks)
    with torch.no_grad():
        network.organism.weight.fill_(3.0)
    old = load(saved)
    native.save(saved, network, tracks, overwrite=True)
    assert (load(saved).network.organism.weight == 3).all()
    assert (old.network.organism.weight != 3).all()  # the mapping outlives the name
    assert [p.name for p in saved.parent.iterdir()] == [saved.name]


def test_an_interrupted_save_leaves_nothing(tmp_path, network, tracks, monkeypatch):
    def broken(*arguments, **more):
        raise KeyboardInterrupt

    monkeypatch.setattr(native, "save_file", broken)
    for target in TARGETS:
        with pytest.raises(KeyboardInterrupt):
            native.save(tmp_path / target, network, tracks)
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_saved(tmp_path, network, tracks):
    with pytest.raises(ValueError, match=r"no JSON"):
        native.save(tmp_path / "a", network, tracks, provenance={"when": object()})
    with pytest.raises(ValueError, match=r"dtype is torch.int8; allowed: torch.float32"):
        native.save(tmp_path / "a", network, tracks, dtype=torch.int8)
    other = AlphaGenome(dataclasses.replace(network.config, organisms=("worm", "fly")))
    with pytest.raises(ValueError, match=r"organisms \['worm', 'yeast'\], the network for \['worm', 'fly'\]"):
        native.save(tmp_path / "a", other, tracks)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def folder(tmp_path, network, tracks):
    return native.save(tmp_path / "checkpoint", network, tracks)


def change_tensors(folder, change):
    """Rewrite the tensors of a folder."""
    file = folder / native.TENSORS
    state, digest = load_file(file), native.read_header(file)[1]
    change(state)
    save_file(state, file, digest)


def test_missing_entry(folder):
    change_tensors(folder, lambda state: state.pop("embed_token.norm.scale"))
    with pytest.raises(ValueError, match=r"lacks 1 of the \d+ entries of this network: embed_token.norm.scale \(64,\)"):
        load(folder)


def test_extra_entry(folder):
    change_tensors(folder, lambda state: state.update(surprise=torch.zeros(1)))
    with pytest.raises(ValueError, match=r"1 entries that this network of .* does not have: surprise"):
        load(folder)


def test_wrong_shape(folder):
    change_tensors(folder, lambda state: state.update({"embed_token.norm.scale": torch.zeros(7)}))
    with pytest.raises(ValueError, match=r"embed_token.norm.scale is \(7,\), expected \(64,\)"):
        load(folder)


def test_wrong_number_of_organisms(folder):
    change_tensors(folder, lambda state: state.update({"organism.weight": torch.zeros(3, 32)}))
    with pytest.raises(ValueError, match=r"weights for 3 organisms .* expected 2: worm, yeast"):
        load(folder)


def test_integers_are_no_weights(folder):
    change_tensors(folder, lambda state: state.update({"organism.weight": torch.zeros(2, 32, dtype=torch.int32)}))
    with pytest.raises(ValueError, match=r"'organism.weight' in .* is torch.int32; weights are torch.float32"):
        load(folder)


@pytest.mark.parametrize("kept", [0, 5, 2000, -8])
def test_truncated(saved, kept):
    file = saved / native.TENSORS if saved.is_dir() else saved
    file.write_bytes(file.read_bytes()[:kept])
    with pytest.raises(ValueError, match=r"bytes\) cannot be read as safetensors .*truncated"):
        load(saved)


def test_description(folder):
    file = folder / native.DESCRIPTION
    described = json.loads(file.read_text())
    file.write_text("{")
    with pytest.raises(ValueError, match=r"is no JSON"):
        load(folder)
    file.write_text(json.dumps(described | {"format": "genomekit-9"}))
    with pytest.raises(ValueError, match=r"format 'genomekit-9'; this version reads 'genomekit-1'"):
        load(folder)
    file.write_text(json.dumps({key: value for key, value in described.items() if key != "tracks"}))
    with pytest.raises(ValueError, match=r"lacks tracks"):
        load(folder)
    file.write_text(json.dumps(described | {"organisms": ["worm"]}))
    with pytest.raises(ValueError, match=r"lists the organisms"):
        load(folder)
    file.write_text(json.dumps(described | {"weights_sha256": "0" * 64}))
    with pytest.raises(ValueError, match=r"belong to different checkpoints"):
        load(folder)
    file.write_text(json.dumps(described | {"config": {"organisms": ["worm"]}}))
    with pytest.raises(ValueError, match=r"description of .* is damaged"):
        load(folder)


def test_incomplete_folder(folder):
    (folder / native.TENSORS).unlink()
    with pytest.raises(ValueError, match=r"has model.json but no model.safetensors"):
        load(folder)


def test_others_may_read_what_was_saved(tmp_path, network, tracks):
    folder = native.save(tmp_path / "shared", network, tracks)
    assert (folder / "model.safetensors").stat().st_mode == (folder / "model.json").stat().st_mode
