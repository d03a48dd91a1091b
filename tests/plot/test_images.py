"""A few pictures as a whole, against ones that were looked at.

    python tests/plot/test_images.py

writes them anew; look at them before they are committed.
"""

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_results import contact_node, exons, ism_node, junction_node, track_node
from PIL import Image

from genomekit import plot
from genomekit.plot import colors, weights

FOLDER = Path(__file__).parent / "images"
BLOCK = 16  # pixels a side
TOLERANCE = 16.0  # of 255, the mean of a block: text without hinting or drawn by another FreeType stays below 13


def wave(tracks):
    x = np.arange(512)
    return np.column_stack([np.exp(-(((x - 80 - 90 * n) / (12 + 8 * n)) ** 2)) * (n + 1) for n in range(tracks)])


def tracks_picture():
    return plot.figure(
        [
            plot.Genes(exons()),
            plot.Tracks(track_node(wave(2), "gut", modality="rna_seq", strands="+-")),
            plot.Overlay(track_node(np.stack([wave(1), 0.6 * wave(1)]), "gut"), style="fill"),
            plot.Difference(track_node(np.stack([wave(1), 0.6 * wave(1)]), "gut")),
            plot.Sashimi(junction_node([[30], [7]], [1100, 1100], [1200, 1400])),
        ],
        annotations=plot.Variants("chrV:1101:A>G"),
    )


def letters_picture():
    node = ism_node("ACGTACGTTGCAACGTAGGTAAGT" * 2, seed=4)
    return plot.figure([plot.Logo(node), plot.IsmHeatmap(node), plot.Sequence(node)])


def contacts_picture():
    distance = np.abs(np.arange(24)[:, None] - np.arange(24))
    with plot.theme("dark"):
        return plot.figure(plot.ContactMap(contact_node(np.cos(distance / 3)[..., None], step=64)))


def scores_picture():
    rows = [(f"chrV:{1100 + 40 * n}:A>G", kind, np.sin(n + len(kind))) for n in range(5) for kind in ("atac", "cage")]
    table = pd.DataFrame(rows, columns=["variant", "modality", "raw_score"])
    return plot.figure([plot.Lollipop(table, color_by="modality", head={"s": 250}), plot.ScoreHeatmap(table)])


PICTURES = {
    "tracks": tracks_picture,
    "letters": letters_picture,
    "contacts": contacts_picture,
    "scores": scores_picture,
}


def picture(name):
    buffer = io.BytesIO()
    PICTURES[name]().savefig(buffer, format="png", dpi=40)
    return Image.open(buffer).convert("RGB")


def blocks(image):
    """Mean colour of every block, (row, column, 3)."""
    pixels = np.asarray(image, dtype=float)
    high, wide = (size // BLOCK * BLOCK for size in pixels.shape[:2])
    return pixels[:high, :wide].reshape(high // BLOCK, BLOCK, wide // BLOCK, BLOCK, 3).mean(axis=(1, 3))


def farthest(name):
    """How far the block that differs most is from the picture that was looked at."""
    drawn, expected = picture(name), Image.open(FOLDER / f"{name}.png").convert("RGB")
    assert drawn.size == expected.size
    return np.abs(blocks(drawn) - blocks(expected)).max()


@pytest.mark.parametrize("name", PICTURES)
def test_picture_is_the_one_that_was_looked_at(name):
    assert farthest(name) < TOLERANCE


@pytest.mark.parametrize(("name", "panel"), [
    ("tracks", plot.Genes), ("tracks", plot.Tracks), ("tracks", plot.Overlay), ("tracks", plot.Difference),
    ("tracks", plot.Sashimi), ("letters", plot.Logo), ("letters", plot.IsmHeatmap), ("letters", plot.Sequence),
    ("contacts", plot.ContactMap), ("scores", plot.Lollipop), ("scores", plot.ScoreHeatmap),
])  # fmt: skip
def test_a_panel_that_is_missing_would_be_seen(monkeypatch, name, panel):
    whole = panel._draw

    def only_beside(self, ax, region):
        """Keep ticks and names, which set the size of the figure; take away what is inside."""
        title = whole(self, ax, region)
        for artist in [*ax.lines, *ax.collections, *ax.patches, *ax.images]:
            artist.remove()
        for artist in ax.get_children():
            if type(artist).__module__.startswith("genomekit"):
                artist.remove()
        return title

    monkeypatch.setattr(panel, "_draw", only_beside)
    assert farthest(name) > TOLERANCE


def test_colours_that_are_swapped_would_be_seen(monkeypatch):
    first, second, *rest = colors.PALETTE
    monkeypatch.setattr(colors, "PALETTE", (second, first, *rest))
    assert farthest("tracks") > TOLERANCE
    monkeypatch.setitem(weights.LETTER_SCHEMES, "colorblind", {"A": "#F0A500", "C": "#1F5FBF", "G": "#33B07A"})
    assert farthest("letters") > TOLERANCE
    monkeypatch.setattr(colors, "diverging", lambda: "PiYG")
    assert farthest("contacts") > TOLERANCE
    assert farthest("scores") > TOLERANCE


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name in PICTURES:
        picture(name).save(FOLDER / f"{name}.png", optimize=True)
