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

FOLDER = Path(__file__).parent / "images"
TOLERANCE = 3.0  # mean difference of a pixel, of 255: text that is drawn by another FreeType stays below it


def wave(tracks):
    x = np.arange(512)
    return np.column_stack([np.exp(-(((x - 80 - 90 * n) / (12 + 8 * n)) ** 2)) * (n + 1) for n in range(tracks)])


def tracks():
    return plot.figure(
        [
            plot.Genes(exons()),
            plot.Tracks(track_node(wave(2), "gut", modality="rna_seq", strands="+-")),
            plot.Overlay(track_node(np.stack([wave(1), 0.6 * wave(1)]), "gut")),
            plot.Difference(track_node(np.stack([wave(1), 0.6 * wave(1)]), "gut")),
            plot.Sashimi(junction_node([[30], [7]], [1100, 1100], [1200, 1400])),
        ],
        annotations=plot.Variants("chrV:1101:A>G"),
    )


def letters():
    node = ism_node("ACGTACGTTGCAACGTAGGTAAGT" * 2, seed=4)
    return plot.figure([plot.Logo(node), plot.IsmHeatmap(node), plot.Sequence(node)])


def contacts():
    distance = np.abs(np.arange(24)[:, None] - np.arange(24))
    with plot.theme("dark"):
        return plot.figure(plot.ContactMap(contact_node(np.cos(distance / 3)[..., None], step=64)))


def scores():
    rows = [(f"chrV:{1100 + 40 * n}:A>G", kind, np.sin(n + len(kind))) for n in range(5) for kind in ("atac", "cage")]
    return plot.figure(pd.DataFrame(rows, columns=["variant", "modality", "raw_score"]))


def picture(make):
    buffer = io.BytesIO()
    make().savefig(buffer, format="png", dpi=40)
    return Image.open(buffer).convert("RGB")


@pytest.mark.parametrize("make", [tracks, letters, contacts, scores])
def test_picture_is_the_one_that_was_looked_at(make):
    drawn = np.asarray(picture(make), dtype=float)
    expected = np.asarray(Image.open(FOLDER / f"{make.__name__}.png").convert("RGB"), dtype=float)
    assert drawn.shape == expected.shape
    assert np.abs(drawn - expected).mean() < TOLERANCE


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for make in (tracks, letters, contacts, scores):
        picture(make).save(FOLDER / f"{make.__name__}.png", optimize=True)
