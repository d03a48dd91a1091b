import json
import sys

import pytest

import genomekit as gk
from genomekit.weights.native import save


@pytest.fixture
def module():
    """The file, which `gk.doctor` (the function) hides."""
    import genomekit.doctor  # noqa: F401

    return sys.modules["genomekit.doctor"]


@pytest.fixture
def folder(module, tiny_checkpoint, tmp_path):
    path = save(tmp_path / "tiny", tiny_checkpoint.network, tiny_checkpoint.tracks, name="tiny")
    module.write_selftest(path)
    return path


def test_the_public_name_is_the_function_even_after_the_file_is_imported(module):
    assert gk.doctor is module.doctor


def test_stored_numbers_are_met_in_float32(module, folder):
    result = module.run_selftest(folder, device="cpu")
    assert result.passed
    assert result.difference < 1e-5
    assert str(result).startswith("passed: tiny on cpu in float32")


def test_every_output_of_every_organism_is_stored(folder):
    stored = json.loads((folder / "selftest.json").read_text())
    assert set(stored["letters"]) <= set("ACGT")
    assert {key.split("/")[0] for key in stored["outputs"]} == {"worm", "yeast"}
    assert "worm/splice_junctions" in stored["outputs"]


def test_other_weights_fail(module, folder, tiny_checkpoint):
    stored = json.loads((folder / "selftest.json").read_text())
    stored["outputs"]["worm/atac"]["values"][0] += stored["outputs"]["worm/atac"]["scale"]
    (folder / "selftest.json").write_text(json.dumps(stored))
    result = module.run_selftest(folder, device="cpu")
    assert not result.passed
    assert result.worst == "worm/atac"
    assert "FAILED" in str(result)


def test_absent_and_damaged_numbers_are_said(module, folder):
    (folder / "selftest.json").write_text("{")
    with pytest.raises(ValueError, match="damaged"):
        module.run_selftest(folder, device="cpu")
    (folder / "selftest.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"no selftest\.json"):
        module.run_selftest(folder, device="cpu")


def test_the_report_is_complete_even_without_numbers(module, monkeypatch, tmp_path):
    monkeypatch.setenv("GENOMEKIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(module, "bundled", lambda name: tmp_path)
    report = module.doctor("cpu")
    text = repr(report)
    assert report.selftest is None
    assert "not done" in text
    for word in ("genomekit", "torch", "devices", "memory free", "cache", "official", str(tmp_path / "cache")):
        assert word in text


def test_the_report_holds_the_numbers(module, monkeypatch, folder):
    monkeypatch.setattr(module, "bundled", lambda name: folder)
    assert module.doctor("cpu").selftest.passed


def test_an_unknown_device_is_refused(module):
    with pytest.raises(ValueError, match="Unknown device"):
        module.doctor("tpu9")
