import pytest
import torch
from safetensors.torch import save_file

from genomekit.errors import GenomekitWarning, WeightsNotFound
from genomekit.weights import load as module
from genomekit.weights import native
from genomekit.weights.checkpoint import file_hash
from genomekit.weights.load import load


@pytest.mark.parametrize("name", ["min", "alphagenome-fold-9", "nothing-like-it"])
def test_unknown_name(name):
    with pytest.raises(ValueError, match=f"Unknown checkpoint '{name}'.*There are 6: mini, alphagenome-all-folds"):
        load(name)


@pytest.mark.parametrize("path", ["./mini", "nowhere/mini", "checkpoint.safetensors"])
def test_no_such_path(path):
    with pytest.raises(WeightsNotFound, match=r"There is no checkpoint at .*one of: mini"):
        load(path)


def test_not_a_checkpoint(tmp_path):
    with pytest.raises(ValueError, match=r"holds no checkpoint; expected a folder with model.safetensors"):
        load(tmp_path)
    torch.save({}, tmp_path / "weights.pt")
    with pytest.raises(ValueError, match=r"weights.pt is a pickle, which can run code"):
        load(tmp_path / "weights.pt")
    save_file({"x": torch.zeros(1)}, tmp_path / "a.safetensors")
    with pytest.raises(ValueError, match=r"holds tensors, but of no layout known here"):
        load(tmp_path / "a.safetensors")
    save_file({"x": torch.zeros(1)}, tmp_path / "b.safetensors")
    with pytest.raises(ValueError, match=r"holds 2 .safetensors files"):
        load(tmp_path)
    (tmp_path / "letter.txt").write_text("hello")
    with pytest.raises(ValueError, match=r"cannot be read as safetensors"):
        load(tmp_path / "letter.txt")


def test_relative_path_and_folder_with_one_file(tmp_path, network, tracks, monkeypatch):
    native.save(tmp_path / "shelf" / "one.safetensors", network, tracks)
    monkeypatch.chdir(tmp_path)
    assert load("shelf").name == "one"
    assert load("shelf/one.safetensors").path == tmp_path / "shelf" / "one.safetensors"


def test_terms_are_said_once(tmp_path, network, tracks, monkeypatch):
    monkeypatch.setattr(module, "_announced", set())
    path = native.save(tmp_path / "a", network, tracks, terms="Not for sale.")
    with pytest.warns(GenomekitWarning, match=r"'a': Not for sale."):
        assert load(path).terms == "Not for sale."
    load(path)  # a second warning would be an error


def test_bundled_checkpoint_is_looked_for_in_the_package(tmp_path, network, tracks, monkeypatch):
    monkeypatch.setattr(module, "bundled", lambda name: tmp_path / name)
    with pytest.raises(WeightsNotFound, match=r"'mini' comes with the package but .* lacks it; reinstall"):
        load()
    native.save(tmp_path / "mini", network, tracks, name="whatever")
    assert load().name == "mini"


def test_file_hash(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "one").write_bytes(b"1")
    first = file_hash(tmp_path / "a")
    assert file_hash(tmp_path / "a" / "b" / "one") == "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b"
    (tmp_path / "a" / "two").write_bytes(b"")
    assert len({first, file_hash(tmp_path / "a"), file_hash(tmp_path / "a" / "b")}) == 3 - (
        first == file_hash(tmp_path / "a" / "b")
    )
