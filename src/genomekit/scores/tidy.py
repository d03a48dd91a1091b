"""All scores as one tidy table."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from anndata import AnnData

from genomekit.labels import TRACK_COORDS, text
from genomekit.scores.layout import GENE, JUNCTION, QUANTILE, nullable, own_columns, strand_conflict, under_one_another

_RECORD = ("record", "variant", "chrom", "position", "ref", "alt", "id")
_TRACK = tuple(name for name in TRACK_COORDS if name not in ("name", "strand", "modality", "channel"))
_SCORES = {"raw_score": "", "ref_score": "ref", "alt_score": "alt", "quantile_score": QUANTILE}
COLUMNS = (*_RECORD, *GENE, *JUNCTION, "modality", "scorer", "track_name", "track_strand", *_TRACK, *_SCORES)


def to_frame(records: pd.DataFrame, tables: Mapping[str, AnnData]) -> pd.DataFrame:
    """Put every table under the other; see `ScoreSet.to_frame`."""
    frames = [_one(records, tables[name]) for name in tables]
    frames = [frame for frame in frames if len(frame)] or [_one(records.iloc[:0], None)]
    return under_one_another(frames, COLUMNS, before="modality")


def _one(records: pd.DataFrame, table: AnnData | None) -> pd.DataFrame:
    """Cross rows and tracks: each column is taken by row number or by track number, never cell by cell."""
    obs = pd.DataFrame({"record": []}, dtype=np.int64) if table is None else table.obs
    var = pd.DataFrame({name: [] for name in TRACK_COORDS}, dtype=object) if table is None else table.var
    row, track = np.nonzero(~strand_conflict(obs, var))
    from_record = pd.Index(records["record"]).get_indexer(pd.Index(obs["record"]))[row]
    columns: dict[str, object] = {name: records[name].to_numpy()[from_record] for name in _RECORD}
    for name in (*GENE, *JUNCTION):
        whole = name in ("junction_start", "junction_end")
        if name in obs:
            values = obs[name].to_numpy()
        else:
            values = pd.array([pd.NA] * len(obs), dtype="Int64") if whole else text([""] * len(obs))
        columns[name] = pd.array(values, dtype="Int64")[row] if whole else values[row]
    for name in own_columns(obs):
        columns.setdefault(name, nullable(obs[name])[row])
    columns["modality"] = var["modality"].to_numpy()[track]
    columns["scorer"] = text([""] if table is None else [table.uns["scorer"]])[np.zeros(len(row), dtype=int)]
    columns |= {f"track_{name}": var[name].to_numpy()[track] for name in ("name", "strand")}
    columns |= {name: var[name].to_numpy()[track] for name in _TRACK}
    for name, layer in _SCORES.items():
        values = None if table is None else table.layers.get(layer) if layer else table.X
        columns[name] = np.full(len(row), np.nan, np.float32) if values is None else np.asarray(values)[row, track]
    return pd.DataFrame(columns, copy=False)
