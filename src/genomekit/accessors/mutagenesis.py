"""Views of mutagenesis: the largest effects."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr


def top(node: xr.Dataset, count: int = 10) -> pd.DataFrame:
    """List the substitutions with the largest effects on any track, one row each.

    Args:
        node: What `Model.ism` returned.
        count: Rows, at most.

    Returns:
        chrom, position (1-based, as in VCF), ref, alt, track and effect (that of the track it changes most), largest
        absolute effect first.

    Raises:
        ValueError: No effects in the result, or a count below 1.
    """
    if "effect" not in node:
        raise ValueError("The result has no `effect`; Model.ism returns one.")
    if count < 1:
        raise ValueError(f"count={count} came; give 1 or more.")
    effect = node["effect"].expand_dims("track") if "track" not in node["effect"].dims else node["effect"]
    values = effect.transpose("position", "base", "track").values
    size = np.nan_to_num(np.abs(values), nan=-1.0)
    strongest = size.argmax(axis=-1)
    largest = size.max(axis=-1)
    largest[node["base"].values[None] == node["ref_base"].values[:, None]] = -1.0  # no substitution
    order = np.argsort(-largest, axis=None, kind="stable")[:count]
    position, base = np.unravel_index(order[largest.ravel()[order] >= 0], largest.shape)
    track = strongest[position, base]
    return pd.DataFrame(
        {
            "chrom": str(node.attrs.get("chrom", "")),
            "position": node["position"].values[position] + 1,
            "ref": node["ref_base"].values[position],
            "alt": node["base"].values[base],
            "track": np.atleast_1d(effect["track"].values)[track],
            "effect": values[position, base, track],
        }
    )
