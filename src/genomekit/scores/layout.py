"""The table of one scorer: what a scorer hands over, checked and labelled as AnnData."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

from genomekit.errors import shorten
from genomekit.labels import TRACK_COORDS, plain_attrs, text

GENE = ("gene_id", "gene_name", "gene_type", "gene_strand")
JUNCTION = ("junction_start", "junction_end", "junction_strand")
_FIRST = ("record", "variant", *GENE, *JUNCTION)
_WHOLE = ("record", "junction_start", "junction_end")
QUANTILE = "quantile"


@dataclass(frozen=True)
class ScorePart:
    """What one scorer says about some records.

    Args:
        scorer: Name of the scorer: `str(scorer)`.
        modality: The modality that was read.
        signed: Whether scores have a direction.
        obs: One row per score: `record` (the number of the record), and where they apply gene_id, gene_name,
            gene_type, gene_strand, junction_start, junction_end (0-based half-open), junction_strand, and further
            columns of the scorer.
        var: One row of the track table per track; unique labels in the column `label`, or else in the index.
        raw: Scores (row, track); NaN where there is none, as for a track of the strand that is not the gene's.
        ref: The scorer's level of REF (row, track), where it has one.
        alt: The same of ALT.
        name: Short name of the scorer, such as "atac" for the recommended one; "" where it has none.
    """

    scorer: str
    modality: str
    signed: bool
    obs: pd.DataFrame
    var: pd.DataFrame
    raw: np.ndarray
    ref: np.ndarray | None = None
    alt: np.ndarray | None = None
    name: str = ""


def together(parts: Sequence[ScorePart]) -> ScorePart:
    """Put the rows of the parts of one scorer under one another.

    Raises:
        ValueError: The parts differ in their tracks, or rows do not fit.
    """
    first = parts[0]
    if len(parts) == 1:
        return first
    for part in parts:
        _check(part)
        if part.var is not first.var and not part.var.equals(first.var):
            raise ValueError(_other_tracks(first.scorer, len(part.var), len(first.var)))
    filled = [part for part in parts if len(part.obs)] or [first]
    layers: dict[str, np.ndarray | None] = {"ref": None, "alt": None}
    for name in layers:
        values = [getattr(part, name) for part in filled]
        if any(one is not None for one in values):
            blank = (np.full(part.raw.shape, np.nan, dtype=np.float32) for part in filled)
            layers[name] = np.concatenate([b if one is None else one for one, b in zip(values, blank, strict=True)])
    # Parts without rows would make pandas guess at types.
    obs = pd.concat([part.obs for part in filled], ignore_index=True)
    return replace(first, obs=obs, raw=np.concatenate([part.raw for part in filled]), **layers)


def table_of(part: ScorePart, variants: Mapping[int, str], attrs: Mapping[str, object]) -> AnnData:
    """Label the scores of a part.

    Args:
        part: What the scorer handed over.
        variants: Text of each record's variant, by record number.
        attrs: Provenance: plain strings and numbers.

    Raises:
        ValueError: Shapes that do not fit, a record that is not there, or track labels that are not unique.
    """
    layers = _check(part)
    uns = {**plain_attrs(attrs), "scorer": part.scorer, "modality": part.modality, "signed": int(part.signed)}
    if part.name:
        uns["name"] = part.name
    return AnnData(
        np.ascontiguousarray(part.raw, dtype=np.float32),
        obs=_rows(part, variants),
        var=_tracks(part),
        uns=uns,
        layers={name: np.ascontiguousarray(values, dtype=np.float32) for name, values in layers.items()},
    )


def own_columns(obs: pd.DataFrame) -> list[str]:
    """Return the columns by which a scorer says what its rows are, beside genes and junctions: those of a mask, ...

    Example:
        >>> own_columns(pd.DataFrame({"record": [0], "gene_id": ["g1"], "num_polya_sites": [3]}))
        ['num_polya_sites']
    """
    return [str(name) for name in obs if name not in _FIRST]


def nullable(values: pd.Series) -> Any:
    """Return values that stay whole numbers or booleans where rows of other scorers have none."""
    return pd.array(values.to_numpy()) if values.dtype.kind in "iub" else values.to_numpy()


def under_one_another(frames: Sequence[pd.DataFrame], columns: Sequence[str], before: str) -> pd.DataFrame:
    """Put tables of different scorers under one another.

    Args:
        frames: Tables that all have `columns`.
        columns: Their order.
        before: The one of them before which further columns go, that only some tables have.
    """
    frame = frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True, copy=False)
    own = [name for name in frame if name not in columns]
    if not own:
        return frame
    at = list(columns).index(before)
    texts = {name: "" for name in own if frame[name].dtype == object}
    return frame[[*columns[:at], *own, *columns[at:]]].fillna(texts)


def _check(part: ScorePart) -> dict[str, np.ndarray]:
    """Return the layers of a part, all of the right shape."""
    shape = (len(part.obs), len(part.var))
    layers = {name: values for name, values in (("ref", part.ref), ("alt", part.alt)) if values is not None}
    for name, values in {"raw": part.raw, **layers}.items():
        if np.shape(values) != shape:
            raise ValueError(
                f"{name} of {part.scorer} has shape {np.shape(values)}; expected (rows of obs, tracks) = {shape}."
            )
    return layers


def _other_tracks(scorer: object, one: int, other: int) -> str:
    return (
        f"Scores of {scorer} have different tracks ({one} and {other}, or other metadata); only scores of the same "
        "model and selection of tracks can be put together."
    )


def strand_conflict(obs: pd.DataFrame, var: pd.DataFrame) -> np.ndarray:
    """Say which scores pair a gene with a track of the other strand.

    Args:
        obs: Rows with `gene_strand`; without it nothing conflicts.
        var: Tracks with `strand`.

    Returns:
        bool (row, track); False where either has no strand (".").

    Example:
        >>> strand_conflict(pd.DataFrame({"gene_strand": ["+"]}), pd.DataFrame({"strand": ["+", "-", "."]})).tolist()
        [[False, True, False]]
    """
    gene = obs["gene_strand"].to_numpy(object) if "gene_strand" in obs else np.full(len(obs), ".", dtype=object)
    track = var["strand"].to_numpy(object)
    return (gene[:, None] != track[None]) & np.isin(gene, ["+", "-"])[:, None] & np.isin(track, ["+", "-"])[None]


def join(tables: Sequence[AnnData]) -> AnnData:
    """Put the rows of tables of one scorer under one another.

    Raises:
        ValueError: The tables differ in their tracks.
    """
    first = tables[0]
    if len(tables) == 1:
        return first
    for other in tables[1:]:
        if not other.var.equals(first.var):
            raise ValueError(_other_tracks(first.uns["scorer"], other.n_vars, first.n_vars))
    names = {name for table in tables for name in table.layers if table.n_obs}
    order = [name for name in ("ref", "alt", QUANTILE) if name in names or name in first.layers]
    filled = [table for table in tables if table.n_obs] or [first]
    # Tables without rows would make pandas guess at types.
    obs = filled[0].obs if len(filled) == 1 else pd.concat([table.obs for table in filled])
    return AnnData(
        np.concatenate([_dense(table.X) for table in tables]),
        obs=obs,
        var=first.var,
        uns=common([table.uns for table in tables]),
        layers={name: np.concatenate([_layer(table, name) for table in tables]) for name in order},
    )


def ordered(table: AnnData, rows: np.ndarray) -> AnnData:
    """Take rows of a table by number."""
    layers = {name: np.asarray(values)[rows] for name, values in table.layers.items()}
    return AnnData(_dense(table.X)[rows], obs=table.obs.iloc[rows], var=table.var, uns=dict(table.uns), layers=layers)


def repeated(table: AnnData, copies: Sequence[tuple[int, int, str]]) -> AnnData:
    """Add the rows of records again, for others that make the same change.

    Args:
        table: Rows of some records.
        copies: Number of a record, that of the record whose rows it gets, and the text of its variant.
    """
    here = table.obs["record"].to_numpy()
    own = [np.flatnonzero(here == source) for _, source, _ in copies]
    rows = np.concatenate([np.arange(len(here)), *own])
    counts = [len(one) for one in own]
    new = {"record": [record for record, _, _ in copies], "variant": [variant for _, _, variant in copies]}
    obs = table.obs.iloc[rows].reset_index(drop=True)
    for name, values in new.items():
        old = table.obs[name].to_numpy()
        obs[name] = np.concatenate([old, np.repeat(np.array(values, dtype=old.dtype), counts)])
    obs.index = _row_labels(obs)
    layers = {name: np.asarray(values)[rows] for name, values in table.layers.items()}
    return AnnData(_dense(table.X)[rows], obs=obs, var=table.var, uns=dict(table.uns), layers=layers)


def renumbered(table: AnnData, shift: int) -> AnnData:
    """Add a number to those of the records."""
    obs = table.obs.assign(record=table.obs["record"] + shift)
    obs.index = _row_labels(obs)
    return AnnData(_dense(table.X), obs=obs, var=table.var, uns=dict(table.uns), layers=dict(table.layers))


def common(many: Sequence[Mapping[str, object]]) -> dict[str, object]:
    """Merge attributes: what differs is listed, as where two machines did the work."""
    merged: dict[str, object] = {}
    for name in dict.fromkeys(key for attrs in many for key in attrs):
        values = list(dict.fromkeys(attrs[name] for attrs in many if name in attrs))
        merged[name] = values[0] if len(values) == 1 else "; ".join(map(str, values))
    return merged


def _dense(values: object) -> np.ndarray:
    return np.asarray(values, dtype=np.float32)


def _layer(table: AnnData, name: str) -> np.ndarray:
    if name in table.layers:
        return _dense(table.layers[name])
    return np.full(table.shape, np.nan, dtype=np.float32)


def _rows(part: ScorePart, variants: Mapping[int, str]) -> pd.DataFrame:
    if "record" not in part.obs:
        raise ValueError(f"Rows of {part.scorer} have {', '.join(map(str, part.obs))}; the column record is needed.")
    numbers = part.obs["record"].to_numpy(np.int64)
    strange = sorted(set(numbers.tolist()) - set(variants))
    if strange:
        raise ValueError(f"{part.scorer} scores record {strange[0]}, which is not among the {len(variants)} records.")
    columns: dict[str, np.ndarray] = {"record": numbers, "variant": text(variants[n] for n in numbers.tolist())}
    for name in (*_FIRST[2:], *own_columns(part.obs)):
        if name in part.obs:
            columns[name] = _column(part.obs[name], whole=name in _WHOLE)
    obs = pd.DataFrame(columns)
    obs.index = _row_labels(obs)
    return obs


def _column(values: pd.Series, *, whole: bool) -> np.ndarray:
    if whole:
        return values.to_numpy(np.int64)
    # Every format gives numbers, booleans and plain text back as they were.
    return values.to_numpy() if values.dtype.kind in "iufb" else text(values)


def _row_labels(obs: pd.DataFrame) -> pd.Index:
    """Name every row by its record, variant, gene and junction, so that names stay unique when sets are joined."""
    blank = [""] * len(obs)
    gene = obs["gene_id"] if "gene_id" in obs else blank
    if "junction_start" in obs:
        strand = obs["junction_strand"] if "junction_strand" in obs else blank
        ends = zip(obs["junction_start"], obs["junction_end"], strand, strict=True)
        junction = [f"{start}-{end}:{side}" for start, end, side in ends]
    else:
        junction = blank
    named = zip(obs["record"].astype(str), obs["variant"].map(shorten), gene, junction, strict=True)
    labels = pd.Series([" ".join(filter(None, words)) for words in named], dtype=object)
    again = labels.groupby(labels).cumcount() + 1
    return pd.Index(
        text(label if nth == 1 else f"{label} ({nth})" for label, nth in zip(labels, again, strict=True)), dtype=object
    )


def _tracks(part: ScorePart) -> pd.DataFrame:
    rows = part.var
    labels = text(rows["label"] if "label" in rows else rows.index)
    if not len(labels):
        raise ValueError(f"{part.scorer} came without a track; a scorer reads at least one.")
    if len(set(labels)) != len(labels):
        twice = pd.Series(labels)[pd.Series(labels).duplicated()].iloc[0]
        raise ValueError(f"Track label {twice!r} of {part.scorer} came more than once; labels must be unique.")
    columns: dict[str, np.ndarray] = {}
    for name in TRACK_COORDS:
        if name == "modality":
            columns[name] = text([part.modality] * len(rows))
        elif name == "channel":
            columns[name] = rows["channel"].to_numpy(np.int64) if name in rows else np.arange(len(rows))
        else:
            blank = labels if name == "name" else text(["." if name == "strand" else ""] * len(rows))
            columns[name] = text(rows[name]) if name in rows else blank
    return pd.DataFrame(columns, index=pd.Index(labels, dtype=object))
