"""One track per name: each gene keeps the track of its strand."""

from __future__ import annotations

import numpy as np
import pandas as pd
from anndata import AnnData

from genomekit.labels import biosample_label


def merge_stranded(table: AnnData) -> AnnData:
    """Merge the + and - tracks of a name in a table of genes; others come back as they are.

    Merged tracks stand where the first of their name stood and have strand ".". A gene whose track is not there, or
    that has no strand, gets NaN.

    Args:
        table: Rows with `gene_strand`, tracks with `name` and `strand`.

    Source:
        google-deepmind/alphagenome, `merge_stranded_gene_tracks`.
    """
    var = table.var
    stranded = var["strand"].isin(["+", "-"]).to_numpy()
    if "gene_strand" not in table.obs or not stranded.any():
        return table
    names = var["name"].to_numpy(object)
    # A track without a strand says the same as a pair of its name, with both strands in one.
    kept = np.flatnonzero(stranded | ~np.isin(names, names[stranded]))
    # One group for each stranded name, one for each track without a strand.
    groups = dict.fromkeys((names[at], True) if stranded[at] else (at, False) for at in kept)
    plus, minus, either = (np.full(len(groups), -1) for _ in range(3))
    first = np.zeros(len(groups), dtype=int)
    for group, (name, has_strand) in enumerate(groups):
        tracks = np.flatnonzero(stranded & (names == name)) if has_strand else np.array([name])
        first[group] = tracks[0]
        for track in tracks:
            strand = var["strand"].iloc[track]
            plus[group] = track if strand != "-" else plus[group]
            minus[group] = track if strand != "+" else minus[group]
            either[group] = -1 if has_strand else track
    gene = table.obs["gene_strand"].to_numpy(object)[:, None]
    source = np.where(gene == "+", plus[None], np.where(gene == "-", minus[None], either[None]))

    def taken(values: np.ndarray) -> np.ndarray:
        picked = np.take_along_axis(np.asarray(values), np.maximum(source, 0), axis=1)
        return np.where(source >= 0, picked, np.float32(np.nan)).astype(np.float32)

    rows = var.iloc[first].assign(strand=".")
    rows.index = pd.Index([biosample_label(label) for label in rows.index], dtype=object)
    layers = {name: taken(values) for name, values in table.layers.items()}
    return AnnData(taken(table.X), obs=table.obs, var=rows, uns={**table.uns, "merged_strands": 1}, layers=layers)
