"""The gallery: every piece of code on the page runs after the set-up alone, and draws the picture above it."""

import importlib.util
import re
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from genomekit import plot

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "gallery" / "index.md"
_spec = importlib.util.spec_from_file_location("gallery", ROOT / "tools" / "gallery.py")
gallery = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(gallery)
SETUP, PICTURES = gallery.read(PAGE)


@pytest.fixture(scope="module")
def names():
    return gallery.names_of(SETUP)


def test_every_picture_is_on_the_page_and_every_panel_in_a_picture():
    assert {path.stem for path in PAGE.parent.glob("*.png")} == set(PICTURES)
    panels = [name for name in plot.__all__ if name[0].isupper() and name not in ("Annotation", "Panel")]
    shown = "".join(PICTURES.values())
    assert [name for name in panels if f"plot.{name}(" not in shown] == []


@pytest.mark.slow
@pytest.mark.parametrize("name", PICTURES)
def test_the_code_runs_as_shown(name, names):
    figure = gallery.figure_of(PICTURES[name], names, name)
    assert isinstance(figure, Figure)
    figure.canvas.draw()  # what a notebook would show


@pytest.mark.slow
def test_scores_are_possible(names):
    """A change of a probability or a share lies within 0 and 1; a broken end stands above the middle of an intron."""
    scores = names["scores"].to_frame()
    change = scores[scores["modality"].isin(["splice_sites", "splice_site_usage"])]
    assert change["raw_score"].between(0, 1).all()
    strongest = change.groupby("variant", sort=False)["raw_score"].max()
    strongest = strongest[[str(variant) for variant in names["variants"]]].to_numpy().reshape(-1, 3)
    assert len(strongest) == 3
    assert (strongest[:, [0, 2]] > 0.5).all()
    assert (strongest[:, 1] < 0.1).all()


def test_a_block_without_a_picture_is_named(tmp_path):
    page = tmp_path / "index.md"
    page.write_text(PAGE.read_text() + "\n```python\nlonely = 1\n```\n")
    with pytest.raises(ValueError, match=re.escape("every block of code but the first stands under a picture")):
        gallery.read(page)
