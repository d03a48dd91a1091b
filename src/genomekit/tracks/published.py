"""The published track tables: 5,930 human and 1,128 mouse tracks, shipped with the package.

Source: AlphaGenome track metadata, shipped with google-deepmind/alphagenome_research (Apache-2.0), re-encoded by
`tools/encode_tracks.py` of this repository.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from io import BytesIO

import pandas as pd
import pyarrow.parquet as pq

from genomekit.tracks.modality import MODALITIES
from genomekit.tracks.table import TrackTable

ORGANISMS = ("human", "mouse")
# Channels of each published head, padding included; the fifth splice-site class ("other") counts as padding.
WIDTHS = {
    "atac": 256,
    "dnase": 384,
    "procap": 128,
    "cage": 640,
    "rna_seq": 768,
    "chip_tf": 1664,
    "chip_histone": 1152,
    "contact_maps": 28,
    "splice_sites": 5,
    "splice_site_usage": 734,
    "splice_junctions": 734,
}


def published(organism: str | None = None) -> TrackTable:
    """Give the tracks of the published model, of one organism or of both.

    Args:
        organism: "human" or "mouse"; None gives both.

    Raises:
        ValueError: Another organism.

    Example:
        >>> len(published("human")), len(published("mouse"))
        (5930, 1128)
    """
    both = _load()
    return both if organism is None else both.select(organism=organism)


def search(text: str, organism: str | None = None) -> TrackTable:
    """Search the published tracks: every word of the text must occur, in any case.

    Args:
        text: Words such as "liver", "k562 ctcf" or "UBERON:0002107 rna".
        organism: "human" or "mouse"; None searches both.

    Raises:
        ValueError: A word occurs nowhere (near matches are listed), or no track has all of them.

    Example:
        >>> search("liver CAGE", organism="mouse").frame["strand"].tolist()
        ['+', '-']
    """
    return published(organism).search(text)


def coverage(by: str = "biosample_name", organism: str | None = None) -> pd.DataFrame:
    """Count the published tracks per biosample (rows) and modality (columns).

    Args:
        by: Column whose values are the rows.
        organism: "human" or "mouse"; None counts both.

    Example:
        >>> coverage(organism="mouse").loc["liver", ["atac", "dnase", "rna_seq"]].tolist()
        [1, 1, 5]
    """
    return published(organism).coverage(by)


@lru_cache(maxsize=1)
def _load() -> TrackTable:
    """Read the package data once; a TrackTable hands out copies, so sharing one is safe."""
    folder = files("genomekit.tracks") / "data"
    parts = [pq.read_table(BytesIO((folder / f"{organism}.parquet").read_bytes())) for organism in ORGANISMS]
    frame = pd.concat([part.to_pandas() for part in parts], ignore_index=True)
    return TrackTable(frame, modalities=MODALITIES, organisms=ORGANISMS, widths=WIDTHS)
