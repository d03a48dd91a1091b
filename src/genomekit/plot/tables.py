"""Scores of variants as one tidy table, whichever form they come in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from genomekit.errors import unknown
from genomekit.genome.variant import Variant


def scores_of(data: Any, value: str) -> pd.DataFrame:
    """Give a table with one row per variant and track: `variant`, `chrom`, `position` (1-based), `value` and metadata.

    Args:
        data: A tidy table, an AnnData (rows are variants, columns tracks), several of them by name, or an object with
            `to_frame()` that gives such a table.
        value: Column, or layer of an AnnData ("raw_score" is its X).

    Raises:
        ValueError: Data of another kind, an unknown column, or nothing in it.
    """
    table: Any
    if _is_anndata(data):
        table = _melted(data, value)
    elif isinstance(data, pd.DataFrame):
        table = data
    elif callable(make := getattr(data, "to_frame", None)):
        table = make()
    elif isinstance(data, Mapping) and data and all(map(_is_anndata, data.values())):
        table = pd.concat([_melted(part, value).assign(scorer=str(name)) for name, part in data.items()])
    else:
        raise ValueError(f"{type(data).__name__} holds no scores; give a tidy table or an AnnData.")
    if "variant" not in table:
        raise unknown("column", "variant", table.columns)
    if value not in table:
        raise unknown("column of scores", value, table.columns)
    if table.empty:
        raise ValueError("The table of scores has no row; nothing can be drawn.")
    table = table.assign(variant=table["variant"].astype(str), value=pd.to_numeric(table[value]))
    if not {"chrom", "position"} <= set(table):
        parsed = {text: Variant.parse(text) for text in table["variant"].unique()}
        table = table.assign(
            chrom=[parsed[text].chrom for text in table["variant"]],
            position=[parsed[text].position for text in table["variant"]],
        )
    return table.reset_index(drop=True)


def _is_anndata(data: Any) -> bool:
    """Whether it is an AnnData, found out without loading that library."""
    return all(hasattr(data, name) for name in ("obs", "var", "X", "layers"))


def _melted(scores: Any, value: str) -> pd.DataFrame:
    if value == "raw_score":
        matrix: Any = scores.X
    else:
        layer = value if value in scores.layers else value.removesuffix("_score")
        if layer not in scores.layers:
            raise unknown("layer of scores", value, ["raw_score", *scores.layers])
        matrix = scores.layers[layer]
    matrix = np.asarray(matrix.todense() if hasattr(matrix, "todense") else matrix)
    rows, columns = np.indices(matrix.shape).reshape(2, -1)
    obs = scores.obs if "variant" in scores.obs else scores.obs.assign(variant=scores.obs_names)
    var = scores.var.drop(columns=[name for name in scores.var if name in obs])
    left, right = obs.iloc[rows].reset_index(drop=True), var.iloc[columns].reset_index(drop=True)
    if "track_name" not in right:
        right = right.assign(track_name=np.asarray(scores.var_names.astype(str))[columns])
    if "scorer" not in left and "scorer" in scores.uns:
        left = left.assign(scorer=str(scores.uns["scorer"]))
    return pd.concat([left, right], axis=1).assign(**{value: matrix.ravel()})


def strongest(table: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Keep of each group the row whose value is furthest from 0; rows without a value go.

    Example:
        >>> table = pd.DataFrame({"variant": ["a", "a", "b"], "value": [1.0, -2.0, np.nan]})
        >>> strongest(table, ["variant"])["value"].tolist()
        [-2.0]
    """
    known = table[table["value"].notna()]
    rows = known["value"].abs().groupby([known[key] for key in keys], sort=False, dropna=False).idxmax()
    return known.loc[rows]
