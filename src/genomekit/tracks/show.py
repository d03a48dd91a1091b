"""How a track table looks at the prompt and in a notebook."""

from __future__ import annotations

import html
from collections.abc import Sequence

import numpy as np
import pandas as pd

_SHOWN = ["organism", "modality", "label", "biosample_name", "ontology_curie", "assay_title"]
_MOST = 10


def as_text(rows: pd.DataFrame, modalities: Sequence[str], organisms: Sequence[str]) -> str:
    """Counts per modality and a few rows, as plain text."""
    counts, sample = _counts(rows, modalities, organisms), _sample(rows)
    lines = [_title(rows, counts)]
    if len(rows):
        lines += [counts.to_string(), "", _caption(rows), sample.to_string(index=False)]
    return "\n".join(lines)


def as_html(rows: pd.DataFrame, modalities: Sequence[str], organisms: Sequence[str]) -> str:
    """The same as two HTML tables."""
    counts, sample = _counts(rows, modalities, organisms), _sample(rows)
    parts = [f"<p><b>{html.escape(_title(rows, counts))}</b></p>"]
    if len(rows):
        parts += [counts.to_html(border=0), f"<p>{_caption(rows)}</p>", sample.to_html(border=0, index=False)]
    return "".join(parts)


def _counts(rows: pd.DataFrame, modalities: Sequence[str], organisms: Sequence[str]) -> pd.DataFrame:
    """Tracks per modality and organism, organisms without any left out."""
    counts = pd.crosstab(rows["modality"], rows["organism"])
    present = [organism for organism in organisms if organism in counts.columns]
    return counts.reindex(index=modalities, columns=present).rename_axis(index=None, columns=None)


def _title(rows: pd.DataFrame, counts: pd.DataFrame) -> str:
    if not len(rows):
        return "TrackTable: no tracks"
    tracks = "1 track" if len(rows) == 1 else f"{len(rows):,} tracks"
    modalities = "1 modality" if len(counts) == 1 else f"{len(counts)} modalities"
    return f"TrackTable: {tracks}, {modalities}, {' and '.join(counts.columns)}"


def _sample(rows: pd.DataFrame) -> pd.DataFrame:
    """A few rows, spread over the modalities so that each shows what it holds."""
    nth = rows.groupby(["modality", "organism"], sort=False).cumcount().to_numpy()
    chosen = np.sort(np.argsort(nth, kind="stable")[:_MOST])
    return rows.iloc[chosen][_SHOWN]


def _caption(rows: pd.DataFrame) -> str:
    return "All rows:" if len(rows) <= _MOST else f"{_MOST} of the {len(rows):,} rows (.frame has all):"
