import json
import os
import subprocess
import sys

import pytest

from genomekit import checkup
from genomekit.cli import main
from genomekit.testing import toy_genome
from genomekit.weights.native import save


@pytest.fixture
def folder(tiny_checkpoint, tmp_path):
    return save(tmp_path / "tiny", tiny_checkpoint.network, tiny_checkpoint.tracks, name="tiny")


def test_the_demo_prints_and_draws(folder, tmp_path, capsys):
    figure = tmp_path / "figure.png"
    assert main(["demo", "--model", str(folder), "--device", "cpu", "--out", str(figure)]) == 0
    assert "Splice sites:" in capsys.readouterr().out
    assert figure.is_file()


def test_the_demo_reads_a_genome(folder, tmp_path, capsys):
    toy = toy_genome(tmp_path / "toy")
    command = ["demo", "--model", str(folder), "--genome", str(toy.fasta), "--gtf", str(toy.gtf), "--organism", "worm"]
    assert main([*command, "--interval", "chrI:0-5,000", "--out", str(tmp_path / "f.png")]) == 0
    assert "Introns:" in capsys.readouterr().out


def test_an_error_is_one_line(folder, capsys):
    assert main(["demo", "--model", "minni"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("genomekit: Unknown checkpoint 'minni'")
    assert error.count("\n") == 1
    with pytest.raises(ValueError, match="minni"):
        main(["--debug", "demo", "--model", "minni"])


def test_doctor_tells_by_its_exit_code(monkeypatch, folder, capsys):
    checkup.write_selftest(folder)
    monkeypatch.setattr(checkup, "bundled", lambda name: folder)
    assert main(["doctor", "--device", "cpu"]) == 0
    assert "passed" in capsys.readouterr().out
    stored = json.loads((folder / "selftest.json").read_text())
    stored["outputs"]["worm/atac"]["values"][0] += 1e9
    (folder / "selftest.json").write_text(json.dumps(stored))
    assert main(["doctor", "--device", "cpu"]) == 1


def test_the_version_needs_no_torch():
    code = "import sys\nfrom genomekit.cli import main\ntry: main(['--version'])\n"
    code += "finally: assert 'torch' not in sys.modules"
    path = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=path)
    assert done.stdout.startswith("genomekit 0.")


def test_no_command_is_explained():
    with pytest.raises(SystemExit) as stop:
        main([])
    assert stop.value.code == 2
