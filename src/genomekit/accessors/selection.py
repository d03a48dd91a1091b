"""Which part of a result is kept: the bins and introns of an interval, the tracks of a meaning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from genomekit.accessors.shape import PLACES, resolution_of, with_attrs
from genomekit.errors import unknown
from genomekit.labels import biosample_label
from genomekit.tracks.modality import MODALITIES, Modality
from genomekit.tracks.schema import COLUMNS, NUMBERS, STRANDS
from genomekit.tracks.select import select

Nodes = dict[str, xr.Dataset]


def extent(nodes: Nodes) -> tuple[int, int, str]:
    """Give the first base, the base after the last, and the chromosome of what the nodes show.

    Raises:
        ValueError: Nothing in them lies on a genome.
    """
    ends: list[int] = []
    for node in nodes.values():
        if "start" in node.attrs:
            ends += [int(node.attrs["start"]), int(node.attrs["end"])]
            continue
        for dim in PLACES:
            if dim in node.dims and node.sizes[dim]:
                ends += [int(node[dim].min()), int(node[dim].max()) + resolution_of(node)]
    if not ends:
        raise ValueError("The result has no position, bin or junction left; there is no region to take.")
    chroms = {str(node.attrs["chrom"]) for node in nodes.values() if node.attrs.get("chrom")}
    return min(ends), max(ends), min(chroms, default="")


def crop(node: xr.Dataset, start: int, end: int) -> xr.Dataset:
    """Keep the bins that overlap [start, end) and the introns wholly inside."""
    for dim in PLACES:
        if dim in node.dims:
            first = node[dim].values
            inside = np.flatnonzero((first < end) & (first + resolution_of(node) > start))
            # One block whichever way positions run: a slice is a view, and positions stay a range.
            node = node.isel({dim: slice(inside[0], inside[-1] + 1) if len(inside) else slice(0, 0)})
    if "junction" in node.dims:
        node = node.isel(junction=np.flatnonzero((node["start"].values >= start) & (node["end"].values <= end)))
    if "start" not in node.attrs:
        return node
    return with_attrs(node, start=max(start, node.attrs["start"]), end=min(end, node.attrs["end"]))


def select_tracks(nodes: Nodes, strand: str | Sequence[str] | None, criteria: dict[str, Any]) -> Nodes:
    """Keep the tracks that satisfy the criteria of `TrackTable.select`, and drop nodes that have none.

    Raises:
        ValueError: An unknown value, or nothing selected.
    """
    nodes = {
        name: node if "track" in node.dims else node.expand_dims("track")
        for name, node in nodes.items()
        if "track" in node.coords
    }
    rows = pd.concat([_track_rows(name, node) for name, node in nodes.items()], ignore_index=True)
    criteria["tracks"] = _junction_labels(criteria["tracks"])
    modalities = {name: _modality(name) for name in rows["modality"].unique()}
    kept = select(rows, criteria, modalities=modalities, organisms=list(rows["organism"].unique()))
    chosen = {name: nodes[name].isel(track=part["index"].to_numpy()) for name, part in kept.groupby("node", sort=False)}
    strands = [strand] if isinstance(strand, str) else list(strand or ())
    for value in strands:
        if value not in STRANDS:
            raise unknown("strand", value, STRANDS)
    if strands:
        chosen = {name: _on_strands(node, strands) for name, node in chosen.items()}
        chosen = {name: node for name, node in chosen.items() if node.sizes["track"] and all(node.sizes.values())}
        if not chosen:
            raise ValueError(f"No track is left: strand={strand!r} keeps none of {len(kept)}. Change or drop it.")
    return chosen


def _track_rows(name: str, node: xr.Dataset) -> pd.DataFrame:
    """Write the tracks of a node as rows of a track table, so that selecting here and before predicting agree."""
    labels = node["track"].values
    known = {c: node[c].values for c in COLUMNS if c in node.coords and node[c].dims == ("track",)}
    blank = {column: "" for column in COLUMNS if column not in NUMBERS}
    modality, organism = node.attrs.get("modality", "signal"), node.attrs.get("organism", "")
    modality = known.get("modality", modality)  # mutagenesis may hold tracks of several
    place = {"organism": organism, "modality": modality, "label": labels, "node": name, "index": np.arange(len(labels))}
    return pd.DataFrame({**blank, "name": labels, "strand": ".", **known, **place})


def _modality(name: str) -> Modality:
    """Give the modality of a result; one that only its checkpoint knows is selected from like any coverage."""
    return MODALITIES.get(name) or replace(MODALITIES["atac"], name=name, head=name)


def _junction_labels(tracks: Any) -> Any:
    """Let a track table, whose junction rows are stranded, name the biosamples of junction nodes."""
    frame = getattr(tracks, "frame", tracks)
    if not isinstance(frame, pd.DataFrame) or not {"modality", "label"} <= set(frame.columns):
        return tracks
    kinds = frame["modality"].map(lambda name: getattr(MODALITIES.get(name), "head_kind", ""))
    labels = [
        biosample_label(a) if kind == "splice_junction" else a for a, kind in zip(frame["label"], kinds, strict=True)
    ]
    return frame.assign(label=labels)


def _on_strands(node: xr.Dataset, strands: list[str]) -> xr.Dataset:
    if "strand" not in node.coords:
        return node.isel(track=slice(0, 0))
    dim = str(node["strand"].dims[0])  # junctions have the strand, their tracks (biosamples) do not
    return node.isel({dim: np.flatnonzero(np.isin(node["strand"].values, strands))})
