"""The strongest tracks of each variant, as a small table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

from genomekit.labels import text
from genomekit.scores.layout import QUANTILE, nullable, own_columns, strand_conflict, under_one_another

_ABOUT = "about"  # number of the gene or mask within its table
_GROUP = ["record", "modality", "scorer", _ABOUT]
COLUMNS = ("record", "variant", "modality", "gene_id", "gene_name", "junction", "track_name", "track_strand",
           "biosample_name", "raw_score", "quantile_score", "scorer", "rank")  # fmt: skip


def summarize(tables: Mapping[str, AnnData], n: Any) -> pd.DataFrame:
    """List the `n` strongest tracks of each variant, modality, scorer and gene (or mask); see `ScoreSet.summarize`."""
    if not isinstance(n, int | np.integer) or isinstance(n, bool) or n < 1:
        raise ValueError(f"n={n!r} came; ask for a whole number of tracks, at least 1, of each variant.")
    parts = [part for name in tables if len(part := _strongest(tables[name], int(n)))]
    if not parts:
        return pd.DataFrame(columns=list(COLUMNS))
    found = under_one_another(parts, [*COLUMNS[:-1], _ABOUT], before="track_name")
    found["rank"] = found.groupby(_GROUP, sort=False).cumcount() + 1  # a gene may have several junctions
    found = found[found["rank"] <= n].sort_values("record", kind="stable", ignore_index=True)
    return found.drop(columns=_ABOUT)


def strength(table: AnnData) -> np.ndarray:
    """How strong each score is, sign apart: its quantile where there is one, else the raw score; NaN where neither.

    Quantiles of unsigned scores lie in [0, 1], those of signed ones in [-1, 1]: both grow with strength.
    """
    raw = _size(table)
    if QUANTILE not in table.layers:
        return raw
    quantile = np.abs(np.asarray(table.layers[QUANTILE]))
    return raw if np.isnan(quantile).all() else np.where(np.isnan(raw), np.nan, quantile)


def _size(table: AnnData) -> np.ndarray:
    return np.where(strand_conflict(table.obs, table.var), np.nan, np.abs(np.asarray(table.X)))


def _strongest(table: AnnData, n: int) -> pd.DataFrame:
    """The `n` best tracks of every row, the strongest rows of a record and gene (or mask) first."""
    power = strength(table)
    # A gene whose tracks have no background, such as one of the strand that it lacks, goes by raw scores.
    power = np.where(np.isnan(power).all(axis=1, keepdims=True), _size(table), power)
    power = np.nan_to_num(power, nan=-1.0)
    best = np.argsort(-power, axis=1, kind="stable")[:, :n]
    row = np.repeat(np.arange(table.n_obs), best.shape[1])
    track = best.ravel()
    known = power[row, track] >= 0
    row, track = row[known], track[known]
    obs, var = table.obs.iloc[row], table.var.iloc[track]
    blank = text([""] * len(row))
    if "junction_start" in obs:
        # Writing .h5ad turns the texts of a table into categories, in place.
        strand = obs["junction_strand"].astype(str) if "junction_strand" in obs else "."
        junction = obs["junction_start"].astype(str) + "-" + obs["junction_end"].astype(str) + ":" + strand
    else:
        junction = pd.Series(blank)
    quantile = table.layers.get(QUANTILE)
    own = [] if "gene_id" in obs else own_columns(obs)
    keys = ["gene_id"] if "gene_id" in obs else own
    about = obs.groupby(keys, sort=False, dropna=False, observed=True).ngroup().to_numpy() if keys else 0
    frame = pd.DataFrame(
        {
            "record": obs["record"].to_numpy(),
            "variant": obs["variant"].to_numpy(),
            "modality": var["modality"].to_numpy(),
            "gene_id": obs["gene_id"].to_numpy() if "gene_id" in obs else blank,
            "gene_name": obs["gene_name"].to_numpy() if "gene_name" in obs else blank,
            "junction": junction.to_numpy(),
            **{name: nullable(obs[name]) for name in own},
            "track_name": var["name"].to_numpy(),
            "track_strand": var["strand"].to_numpy(),
            "biosample_name": var["biosample_name"].to_numpy(),
            "raw_score": np.asarray(table.X)[row, track],
            "quantile_score": np.float32(np.nan) if quantile is None else np.asarray(quantile)[row, track],
            "scorer": table.uns["scorer"],
            _ABOUT: about,
        }
    )
    order = np.lexsort((-power[row, track], frame[_ABOUT], frame["record"]))
    return frame.iloc[order]
