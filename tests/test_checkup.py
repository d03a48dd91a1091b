import json

import pytest

from genomekit import checkup
from genomekit.weights.native import save


@pytest.fixture
def folder(tiny_checkpoint, tmp_path):
    path = save(tmp_path / "tiny", tiny_checkpoint.network, tiny_checkpoint.tracks, name="tiny")
    checkup.write_selftest(path)
    return path


def test_stored_numbers_are_met_in_float32(folder):
    result = checkup.run_selftest(folder, device="cpu")
    assert result.passed
    assert result.difference < 1e-5
    assert str(result).startswith("passed: tiny on cpu in float32")


def test_every_output_of_every_organism_is_stored(folder):
    stored = json.loads((folder / "selftest.json").read_text())
    assert set(stored["letters"]) <= set("ACGT")
    assert {key.split("/")[0] for key in stored["outputs"]} == {"worm", "yeast"}
    assert "worm/splice_junctions" in stored["outputs"]


def test_other_weights_fail(folder, tiny_checkpoint):
    stored = json.loads((folder / "selftest.json").read_text())
    stored["outputs"]["worm/atac"]["values"][0] += stored["outputs"]["worm/atac"]["scale"]
    (folder / "selftest.json").write_text(json.dumps(stored))
    result = checkup.run_selftest(folder, device="cpu")
    assert not result.passed
    assert result.worst == "worm/atac"
    assert "FAILED" in str(result)


def test_absent_and_damaged_numbers_are_said(folder):
    (folder / "selftest.json").write_text("{")
    with pytest.raises(ValueError, match="damaged"):
        checkup.run_selftest(folder, device="cpu")
    (folder / "selftest.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"no selftest\.json"):
        checkup.run_selftest(folder, device="cpu")


def test_the_report_is_complete_even_without_numbers(monkeypatch, tmp_path):
    monkeypatch.setenv("GENOMEKIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(checkup, "bundled", lambda name: tmp_path)
    report = checkup.doctor("cpu")
    text = repr(report)
    assert report.selftest is None
    assert "not done" in text
    for word in ("genomekit", "torch", "devices", "memory free", "cache", "official", str(tmp_path / "cache")):
        assert word in text


def test_the_report_holds_the_numbers(monkeypatch, folder):
    monkeypatch.setattr(checkup, "bundled", lambda name: folder)
    assert checkup.doctor("cpu").selftest.passed


def test_the_bundled_model_gives_the_numbers_that_are_stored_beside_it():
    result = checkup.run_selftest(device="cpu", precision="float32")
    assert result.checkpoint == "mini"
    assert result.difference < 1e-5, result


def test_every_pair_of_sites_can_be_an_intron(folder):
    """Pairs that cannot be one are 0, whatever the network computes."""
    outputs = json.loads((folder / "selftest.json").read_text())["outputs"]
    counts = [entry["values"] for name, entry in outputs.items() if name.endswith("splice_junctions")]
    assert counts
    assert all(min(values) > 0 for values in counts)


def test_an_unknown_device_is_refused():
    with pytest.raises(ValueError, match="Unknown device"):
        checkup.doctor("tpu9")
