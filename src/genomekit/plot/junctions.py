"""Junctions as arcs: read from a result or a table, parted by allele, strand or sign."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from genomekit.genome.interval import Interval
from genomekit.plot.curves import dataset_of, finite, one_track
from genomekit.plot.files import chrom_in, require_columns
from genomekit.plot.real import Real

SIGNS = ("gain", "loss")  # sides of a difference


@dataclass(frozen=True, slots=True)
class Arc:
    """One junction to draw."""

    start: int
    end: int
    strand: str
    count: Real


def read_arcs(data: Any, track: str | None, region: Interval) -> tuple[dict[str, list[Arc]], str]:
    """Give junctions that touch the region, by allele ("" where there is one), and the name of the track.

    Raises:
        ValueError: Data without junctions, an unknown track, or junctions without a strand.
    """
    if isinstance(data, pd.DataFrame):
        require_columns(data, ("start", "end", "count"), "The table of junctions")
        here = data
        if "chrom" in data:
            here = data[data["chrom"] == chrom_in(data["chrom"].unique(), region, "The table of junctions")]
        strands = here["strand"] if "strand" in here else ["+"] * len(here)
        if wrong := sorted({str(strand) for strand in strands} - {"+", "-"}):
            raise ValueError(
                f"The table of junctions has strands {', '.join(wrong)}, and arcs are drawn by theirs. Write + or -, "
                "or leave the column out to draw all above the line."
            )
        return {"": _arcs(here["start"], here["end"], strands, here["count"], region)}, ""
    if not isinstance(data, xr.DataTree | xr.Dataset | xr.DataArray):
        raise ValueError(f"{type(data).__name__} holds no junctions; give tree['splice_junctions'] or a table.")
    node = dataset_of(data)
    if "signal" not in node or "junction" not in node["signal"].dims:
        raise ValueError("The data have no dim `junction`; give tree['splice_junctions'], or a table of introns.")
    signal, name = one_track(node["signal"], track, "The junctions")
    place = (node["start"].values, node["end"].values, node["strand"].values)
    if "allele" in signal.dims:
        names = [str(value) for value in signal["allele"].values]
        return {n.upper(): _arcs(*place, signal.sel(allele=n).values, region) for n in names}, name
    return {"": _arcs(*place, signal.values, region)}, name


def _arcs(starts: Any, ends: Any, strands: Any, counts: Any, region: Interval) -> list[Arc]:
    known = finite(np.asarray(counts, float), "the junctions")
    return [
        Arc(int(start), int(end), str(strand), 0.0 if np.isnan(count) else float(count))
        for start, end, strand, count in zip(starts, ends, strands, known, strict=True)
        if start < region.end and end > region.start
    ]


def by_sign(arcs: list[Arc]) -> dict[str, list[Arc]]:
    """Part differences into gains and losses, as sizes."""
    gains = [arc for arc in arcs if arc.count > 0]
    losses = [replace(arc, count=-arc.count) for arc in arcs if arc.count < 0]
    return dict(zip(SIGNS, (gains, losses), strict=True))


def strongest_first(arc: Arc) -> tuple[float, int, int]:
    """Order arcs by their count, then from left to right."""
    return (-arc.count, arc.start, arc.end)
