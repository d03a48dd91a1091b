"""The package as a whole: what importing it loads, who may import whom, how large a file may be."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import genomekit as gk

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "src" / "genomekit").rglob("*.py"))
PUBLIC = {
    "Genome",
    "Interval",
    "Junction",
    "Model",
    "Variant",
    "__version__",
    "doctor",
    "evaluation",
    "open",
    "plot",
    "read_haplotypes",
    "scoring",
    "testing",
    "tracks",
    "training",
}


def run(*arguments):
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)


def loaded_by(statements):
    """Names of the top-level packages that a fresh interpreter has loaded after the statements."""
    code = f"import sys; {statements}; print(*{{name.split('.')[0] for name in sys.modules}})"
    done = run("-W", "ignore", "-c", code)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_importing_the_package_loads_nothing_heavy():
    assert not {"torch", "matplotlib", "pandas", "xarray", "numpy"} & loaded_by("import genomekit")


@pytest.mark.parametrize("name", ["Genome", "Interval", "open", "plot", "testing", "tracks"])
def test_what_needs_no_torch_loads_none(name):
    assert "torch" not in loaded_by(f"import genomekit as gk; gk.{name}")


def test_public_names_are_the_documented_ones():
    assert set(gk.__all__) == PUBLIC
    assert set(dir(gk)) >= PUBLIC


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_every_public_name_is_there(name):
    assert getattr(gk, name) is not None


def test_an_unknown_name_lists_the_public_ones():
    with pytest.raises(AttributeError, match=r"no 'Modle'.*Model"):
        _ = gk.Modle


def test_imports_go_downward():
    done = run("-c", "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports())")
    assert done.returncode == 0, done.stdout + done.stderr


def test_files_are_short_enough_to_read():
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in SOURCES}
    assert {name: length for name, length in lengths.items() if length > 400} == {}


def test_no_file_is_a_drawer():
    assert not {"utils", "helpers", "common", "misc"} & {path.stem for path in SOURCES}
