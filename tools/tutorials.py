"""Run the notebooks of tutorials/ and write them as they are committed: with outputs, without what changes by chance.

    python tools/tutorials.py [NAME ...]

Every cell runs in a fresh kernel and an empty folder. Times, identifiers and settings of the editor are taken out,
pictures get 256 colours. A notebook that fails, warns or names a folder of this machine is not written.
"""

from __future__ import annotations

import argparse
import base64
import io
import itertools
import re
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "tutorials"
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
WIDGET = {"application/vnd.jupyter.widget-view+json"}  # bars of progress: whether one shows depends on the machine
KEPT = ("image/png", "text/html", "text/plain")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_OWN = re.compile(r"(?<![\w.])/(?:home|root|tmp|Users|var|work|mnt)/|[A-Z]:\\\\| at 0x[0-9a-f]{6,}")


def run(path: Path) -> None:
    """Execute a notebook and write it back.

    Raises:
        CellExecutionError: A cell fails.
        ValueError: A cell warns, or shows something that belongs to this machine.
    """
    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as empty:
        resources = {"metadata": {"path": empty}}
        NotebookClient(notebook, timeout=600, kernel_name="python3", record_timing=False, resources=resources).execute()
    notebook.metadata = nbformat.from_dict(METADATA)
    for number, cell in enumerate(notebook.cells):
        cell.id, cell.metadata = f"cell-{number:02d}", nbformat.from_dict({})
        if cell.cell_type == "code":
            shown = [output for output in cell.outputs if not WIDGET & set(output.get("data", {}))]
            cell.outputs = joined([cleaned(output, f"{path.name}, cell {number}") for output in shown])
    nbformat.validate(notebook)
    nbformat.write(notebook, path)


def cleaned(output: nbformat.NotebookNode, place: str) -> nbformat.NotebookNode:
    """Keep what a reader sees, spelled the same in every run."""
    if output.get("name") == "stderr":
        raise ValueError(f"{place} writes to stderr: {output.text}")
    texts = [output.get("text", "")]
    if "data" in output:
        output.metadata = nbformat.from_dict({})
        output.data = nbformat.from_dict({kind: value for kind, value in output.data.items() if kind in KEPT})
        texts += [value for kind, value in output.data.items() if kind.startswith("text/")]
        for kind, value in output.data.items():
            output.data[kind] = smaller(value) if kind == "image/png" else renumbered(value)
    if found := next(filter(None, map(_OWN.search, texts)), None):
        raise ValueError(f"{place} shows {found.group()!r}, which belongs to this machine.")
    return output


def joined(outputs: list[nbformat.NotebookNode]) -> list[nbformat.NotebookNode]:
    """Put printed lines together: how they come in pieces depends on the time they take."""
    whole: list[nbformat.NotebookNode] = []
    for output in outputs:
        if whole and output.get("name") == whole[-1].get("name") == "stdout":
            whole[-1].text += output.text
        else:
            whole.append(output)
    return whole


def smaller(picture: str) -> str:
    """Write a picture with 256 colours: enough for a page, and less than half of the bytes."""
    image = Image.open(io.BytesIO(base64.b64decode(picture))).convert("RGB")
    buffer = io.BytesIO()
    image.quantize(256, dither=Image.Dither.NONE).save(buffer, format="png", optimize=True)
    return base64.b64encode(buffer.getvalue()).decode() + "\n"


def renumbered(text: str) -> str:
    """Replace identifiers that are drawn by chance with numbers."""
    numbers = itertools.count()
    known: dict[str, str] = {}
    return _UUID.sub(lambda found: known.setdefault(found.group(), f"id-{next(numbers)}"), text)


def main() -> None:
    """Run the notebooks named, or all of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="such as 01_quickstart; default: all")
    names = parser.parse_args().names or [path.stem for path in sorted(FOLDER.glob("*.ipynb"))]
    for name in names:
        print(name, file=sys.stderr)
        run(FOLDER / f"{name}.ipynb")


if __name__ == "__main__":
    main()
