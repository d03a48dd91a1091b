"""Scores of variants as one tidy table, whichever form they come in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from genomekit.errors import unknown
from genomekit.genome.interval import Interval
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
        places = {text: _place(text) for text in table["variant"].unique()}
        chroms, positions = zip(*map(places.__getitem__, table["variant"]), strict=True)
        table = table.assign(chrom=chroms, position=positions)
    return table.reset_index(drop=True)


def _place(text: str) -> tuple[str, int]:
    """Say where scores belong: at a variant, the first one of a haplotype, or the start of an interval.

    Example:
        >>> _place("chrV:5:A>G; chrV:9:C>T"), _place("chrV:4-20:+")
        (('chrV', 5), ('chrV', 5))
    """
    try:
        first = Variant.parse(text.partition(";")[0])
    except ValueError as no_variant:
        try:
            where = Interval.parse(text)
        except ValueError:
            raise no_variant from None
        return where.chrom, where.start + 1
    return first.chrom, first.position


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
    rows = known["value"].abs().groupby([known[key] for key in keys], sort=False, dropna=False, observed=True).idxmax()
    return known.loc[rows]
