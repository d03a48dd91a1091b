"""One window: read by the engine, cut to the interval, labelled."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from genomekit import __version__
from genomekit.engine import Engine
from genomekit.engine.strands import Part, read_window
from genomekit.errors import GenomekitWarning
from genomekit.genome.window import Window
from genomekit.labels import junction_dataset, prediction_tree, track_dataset
from genomekit.predict.request import Request
from genomekit.splicing import unstack


def predict_window(
    engine: Engine, encoded: np.ndarray, window: Window, request: Request, place: Mapping[str, Any]
) -> xr.DataTree:
    """Predict a window and label what is asked of it.

    Args:
        engine: The network on a device.
        encoded: One-hot of the window, plus strand.
        window: Where it lies, and the interval to show; its strand is the one that is read.
        request: What to predict.
        place: Attributes of the place: chrom ("" for a bare sequence), assembly, pad_left, pad_right, chrom_length.
    """
    check_letters(encoded, window)
    wanted = request.wanted
    bins = {name: window.bins(part.modality.resolution) for name, part in wanted.items() if not part.is_junction}
    values = read_window(
        engine, encoded, request.organism, wanted, bins, strand=window.interval.strand, average=request.average_strands
    )
    attrs = attributes(engine, window, request, place)
    nodes = {}
    for name, part in wanted.items():
        if part.is_junction:
            nodes[name] = _junction_node(part, values[name], window, request.min_count, attrs)
        else:
            start = window.start + bins[name].start * part.modality.resolution
            nodes[name] = track_dataset(values[name], modality=part.modality, rows=part.rows, start=start, attrs=attrs)
    return prediction_tree(nodes, {"coordinate_system": "0-based half-open", **attrs})


def check_letters(encoded: np.ndarray, window: Window) -> None:
    """Warn where a window has no known letter."""
    if not encoded.any():
        text = f"The window {window.chrom}:{window.start}-{window.end} holds only N; the prediction means nothing."
        warnings.warn(text, GenomekitWarning, stacklevel=5)


def attributes(engine: Engine, window: Window, request: Request, place: Mapping[str, Any]) -> dict[str, Any]:
    """Say what was read, and with what: the attributes of a result; for the arguments see `predict_window`."""
    shown = window.interval
    return {
        **place,
        "start": shown.start,
        "end": shown.end,
        "strand": shown.strand,
        "organism": request.organism,
        "window": f"{place['chrom'] or 'sequence'}:{window.start}-{window.end}",
        "window_start": window.start,
        "window_end": window.end,
        "average_strands": int(request.average_strands),
        **provenance(engine),
    }


def _junction_node(part: Part, raw: Any, window: Window, min_count: float, attrs: Mapping[str, Any]) -> xr.Dataset:
    """Label the junctions that lie in the interval whole, on the strands of the rows asked for."""
    table, values = unstack(raw.predictions, raw.sites, chrom=str(attrs["chrom"]), offset=window.start)
    return junction_node(part, table, values, window, min_count, attrs)


def junction_node(
    part: Part,
    table: pd.DataFrame,
    values: np.ndarray,
    window: Window,
    min_count: float,
    attrs: Mapping[str, Any],
) -> xr.Dataset:
    """Label the junctions that lie in the interval whole, on the strands of the rows asked for.

    Args:
        part: What was asked for.
        table: chrom, start, end and strand of each junction.
        values: (junction, tissue), or with a leading axis of alleles.
        window: Where they lie, and the interval shown.
        min_count: Keep junctions with this count in one tissue (and allele) or more.
        attrs: Of the node.
    """
    shown = window.interval
    kept = (table["start"] >= shown.start) & (table["end"] <= shown.end) & table["strand"].isin(part.rows["strand"])
    kept = kept.to_numpy()
    if min_count > 0:
        most = np.moveaxis(values, -2, 0).reshape(len(table), -1)
        kept &= np.fmax.reduce(most, axis=1, initial=-np.inf) >= min_count  # passes over NaN
    return junction_dataset(
        values[..., kept, :],
        modality=part.modality,
        rows=part.rows,
        junctions=table[kept],
        attrs={**attrs, "resolution": part.modality.resolution, "min_count": min_count},
    )


def provenance(engine: Engine) -> dict[str, str]:
    """Say with what a result was made."""
    checkpoint = engine.checkpoint
    return {
        "model": checkpoint.name,
        "weights_sha256": checkpoint.weight_hash,
        "dtype": str(engine.dtype).removeprefix("torch."),
        "device": str(engine.device),
        "genomekit": __version__,
        "terms": checkpoint.terms or checkpoint.licence,
    }
